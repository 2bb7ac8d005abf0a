"""Packages that import a module only when one of its names is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_exports(package: str, exports: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package that finds its public names in its modules.

    The configuration of a package is then importable without torch.

    :param package: its `__name__`
    :param exports: module of the package -> names that the package has from it
    """
    modules = {name: module for module, names in exports.items() for name in names}

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return find
