"""What is imported by its name: user extensions, and names of packages that import their modules late."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeVar

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import did_you_mean

Value = TypeVar("Value")


def is_plugin(name: str) -> bool:
    """Return whether a name is of the form `module:attribute`, rather than one that the package knows itself."""
    return ":" in name


def resolve(name: str, setting: str) -> Callable[..., Any]:
    """Import the callable that a setting names as `module:attribute`; this runs the module's code.

    :param setting: the key of the setting, such as `data.name`, for messages
    :raises InvalidArgumentError: for another form, a module that cannot be imported, or an attribute that is not there
        (the message has the nearest names) or cannot be called
    """
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), attribute)):
        raise InvalidArgumentError(
            f"expected {setting} as module:attribute, such as my_package.my_module:my_function, but got {name!r}"
        )
    module = import_named(module_name, setting)
    found = getattr(module, attribute, None)
    if not callable(found):
        raise InvalidArgumentError(
            f"expected {setting}={name} to be a function or a class of {getattr(module, '__file__', module_name)}, but "
            f"it has none of this name{did_you_mean(attribute, vars(module))}"
        )
    return found  # type: ignore[no-any-return]


def import_named(name: str, setting: str) -> ModuleType:
    """Import a module that a setting names; this runs its code.

    :param setting: the key of the setting, such as `data.name`, for messages
    :raises InvalidArgumentError: for a module that cannot be imported
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InvalidArgumentError(
            f"expected {setting}={name} to name a module that can be imported, but: {error}; install its package, or "
            "put the folder that holds it on the path: PYTHONPATH=FOLDER"
        ) from error


def checked_result(made: object, expected: type[Value], name: str, setting: str) -> Value:
    """Return what a user's callable returned.

    :raises InvalidArgumentError: when it is not of the documented type
    """
    if not isinstance(made, expected):
        raise InvalidArgumentError(
            f"expected {setting}={name} to return a {expected.__module__}.{expected.__name__}, but got "
            f"{type(made).__name__}"
        )
    return made


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
        return getattr(importlib.import_module(f"{package}.{modules[name]}"), name)

    return find


def installed_version(package: str) -> str | None:
    """Return the version of a package by its name on PyPI, or None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version  # takes 30 ms

    try:
        return version(package)
    except PackageNotFoundError:
        return None
