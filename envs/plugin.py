"""Makes `gymnasium.make("PickClutterLang/...")` work without an import of this package.

Gymnasium up to 0.29 loaded the entry point `gymnasium.envs` of installed packages; 1.0 dropped that. The file
`pickclutter_lang_gymnasium.pth`, which is installed with the package, imports this module when Python starts.
It does one thing: the first time that some program imports gymnasium, the ids are registered (two strings; the
simulator is imported by `gymnasium.make` alone). Programs that never import gymnasium are left alone.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # typing's own would cost every Python start some milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_MODULE = "gymnasium.envs"


class RegisterOnImport:
    """A finder that lets the others find `gymnasium.envs`, and registers our ids once it has been imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give for `gymnasium.envs`, and None for any other module."""
        if fullname != _MODULE:
            return None
        remove()
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                _register_after(spec)
                return spec
        return None


def _register_after(spec: ModuleSpec) -> None:
    """Let the loader of a module register our ids after it has run the module."""
    loader = spec.loader
    if loader is None:
        return
    run = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        run(module)
        from pickclutter_lang.envs.registration import register

        register()

    loader.exec_module = exec_module  # type: ignore[method-assign]


def install() -> None:
    """Register our ids when gymnasium is imported, or now where it has been already."""
    if _MODULE in sys.modules:
        from pickclutter_lang.envs.registration import register

        register()
    elif not any(isinstance(finder, RegisterOnImport) for finder in sys.meta_path):
        sys.meta_path.insert(0, RegisterOnImport())


def remove() -> None:
    """Take the finder away again."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, RegisterOnImport)]


install()
