"""Commands as hydra applications: a dataclass is the configuration, its field documentation the help."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, TypeVar, cast

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError
from pickclutter_lang.utils.cli import parse_config, print_error

CONFIG_MODULE = "pickclutter_lang.configs"
Config = TypeVar("Config")
_EXTRAS = {  # of packages that modules import at the top
    **dict.fromkeys(("gymnasium", "scipy", "skimage", "transforms3d", "trimesh"), "sim"),
    "stable_baselines3": "rl",
}


@dataclass(frozen=True)
class Command:
    """A command as hydra knows it, by the name of its module."""

    name: str
    text: str
    """Docstring of its module, with which the help begins."""
    config: type
    """Dataclass of its configuration."""
    presets: Mapping[str, str]
    """Configuration group -> preset that is chosen by default."""
    extends: str | None
    """Command whose keys it takes too, for the runs that it starts."""
    ignore_other_keys: bool
    """Presets may have keys that `config` lacks."""

    def command_keys(self, cfg: DictConfig) -> DictConfig:
        """Return what a composed configuration has for `config`."""
        if not self.ignore_other_keys and self.extends is None:
            return cfg
        return DictConfig({field.name: cfg[field.name] for field in fields(cast(Any, self.config))})


REGISTERED: dict[str, Command] = {}
"""The commands that were imported so far, by the name of their module."""


def hydra_main(
    config: type[Config],
    presets: Mapping[str, str] | None = None,
    *,
    preset_overrides: Mapping[str, Any] | None = None,
    extends: str | None = None,
    optional: Mapping[str, type] | None = None,
    ignore_other_keys: bool = False,
) -> Callable[[Callable[[Config], None]], Callable[[], None]]:
    """Make a function of a configuration the main function of its module's command.

    :param config: dataclass with the defaults; presets are merged over them
    :param presets: configuration group -> preset that is chosen by default
    :param preset_overrides: values that are merged over those of any preset
    :param extends: command whose keys this one takes too, for the runs that it starts
    :param optional: group -> dataclass of a key that is null by default; presets start from `<group>_defaults`
    :param ignore_other_keys: presets may have keys that `config` lacks
    """

    def decorate(task: Callable[[Config], None]) -> Callable[[], None]:
        name = task.__module__.rpartition(".")[2]
        if extends:
            import_module(f"pickclutter_lang.commands.{extends}")
        text = sys.modules[task.__module__].__doc__ or ""
        command = Command(name, text, config, presets or {}, extends, ignore_other_keys)
        _register(command, preset_overrides or {}, optional or {})

        @hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name=name)
        def run(cfg: DictConfig) -> None:
            with _errors_as_exit_status():
                task(parse_config(config, command.command_keys(cfg)))

        return cast(Callable[[], None], run)

    return decorate


@contextmanager
def _errors_as_exit_status() -> Iterator[None]:
    """Exit with one line for an error of the package, a missing extra, or an interruption."""
    try:
        yield
    except PickClutterError as error:
        sys.exit(print_error(error))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        sys.exit(print_error(MissingExtraError(package, _EXTRAS[package])))
    except KeyboardInterrupt:
        print("interrupted; run the same command again to resume", file=sys.stderr)
        sys.exit(130)


def compose_config(schema: type[Config], command: str, overrides: Sequence[str]) -> Config:
    """Return the configuration that a command would read.

    Inside another command, the folder of its `--config-dir` counts too.

    :param command: name of its module
    :raises InvalidArgumentError: naming an override that is wrong
    """
    import_module(f"pickclutter_lang.commands.{command}")
    running = GlobalHydra.instance().is_initialized()
    try:
        with nullcontext() if running else hydra.initialize_config_module(CONFIG_MODULE, version_base="1.3"):
            cfg = hydra.compose(command, overrides=list(overrides))
    except HydraException as error:
        text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise InvalidArgumentError(
            f"expected overrides that {command} takes, but got {list(overrides)}: {text}"
        ) from error
    return parse_config(schema, REGISTERED[command].command_keys(cfg))


def user_config_dir() -> str | None:
    """Return the absolute path of the `--config-dir` that this process was started with; None without one."""
    sources = HydraConfig.get().runtime.config_sources
    return next((source.path for source in sources if source.provider == "command-line"), None)


def _register(command: Command, preset_overrides: Mapping[str, Any], optional: Mapping[str, type]) -> None:
    """Give hydra the configuration of a command: defaults, presets, and what all commands share."""
    REGISTERED[command.name] = command
    if not OmegaConf.has_resolver("command_help"):
        OmegaConf.register_new_resolver("command_help", _help)
    store = ConfigStore.instance()
    # As plain values, since hydra cannot override fields of a frozen dataclass. `parse_config` checks their types.
    for name, config in {command.name: command.config, **optional}.items():
        store.store(f"{name}_defaults", OmegaConf.to_container(OmegaConf.structured(config)))
    if command.extends is None:
        logging = [{f"override hydra/{kind}": "none"} for kind in ("job_logging", "hydra_logging")]
        defaults = [f"{command.name}_defaults", *({k: v} for k, v in command.presets.items()), "_self_", *logging]
    else:
        changed = [{f"override /{group}": preset} for group, preset in command.presets.items()]
        defaults = [command.extends, f"{command.name}_defaults", "_self_", *changed]
    program = f"pickclutter {command.name.replace('_', '-')}"
    shared = {
        "run": {"dir": "."},
        "output_subdir": None,
        "help": {"app_name": program, "template": f"${{command_help:{command.name}}}"},
    }
    store.store(command.name, {"defaults": defaults, **preset_overrides, "hydra": shared})


def _help(name: str, _root_: DictConfig) -> str:
    """Return the help of a command; a resolver of OmegaConf, so that only `--help` makes it."""
    from pickclutter_lang.commands.help_text import command_help

    return command_help(REGISTERED[name], _root_).replace("$", "$$")  # hydra substitutes `$` itself
