"""How a command starts and ends: hydra reads its configuration, a named error is one line and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError

Settings = TypeVar("Settings")
_EXTRAS = {  # of packages that modules import at the top
    **dict.fromkeys(("gymnasium", "scipy", "skimage", "transforms3d", "trimesh"), "sim"),
    "stable_baselines3": "rl",
}


def parse_config(schema: type[Settings], cfg: DictConfig) -> Settings:
    """Check a configuration against a dataclass and return it as one; call its `validate()` if it has one.

    :raises InvalidArgumentError: naming the key that is unknown, missing or of the wrong type
    """
    try:
        merged = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), cfg))
    except MissingMandatoryValue as error:
        raise InvalidArgumentError(f"expected a value for {error.full_key}; give it, {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        raise InvalidArgumentError(str(error).splitlines()[0] + f" (key: {error.full_key})") from error
    validate = getattr(merged, "validate", None)
    if validate is not None:
        validate()
    return merged  # type: ignore[return-value]


def compose_config(schema: type[Settings], config_name: str, overrides: list[str]) -> Settings:
    """Return the settings that a command would read from `configs/<config_name>.yaml`; for use inside another command.

    :raises InvalidArgumentError: naming an override that is wrong
    """
    try:
        cfg = hydra.compose(config_name, overrides=overrides)
    except HydraException as error:
        text = " ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise InvalidArgumentError(
            f"expected overrides that {config_name} takes, but got {overrides}: {text}"
        ) from error
    return parse_config(schema, cfg)


def own_config_dir() -> str | None:
    """Return the absolute path of the `--config-dir` that this process was started with; None without one."""
    sources = HydraConfig.get().runtime.config_sources
    return next((source.path for source in sources if source.provider == "command-line"), None)


def hydra_main(config_name: str) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """Make a function of a configuration the main function of a command (`configs/<config_name>.yaml`)."""

    def decorate(task: Callable[[DictConfig], None]) -> Callable[[], None]:
        @hydra.main(version_base="1.3", config_path="pkg://pickclutter_lang.configs", config_name=config_name)
        def run(cfg: DictConfig) -> None:
            try:
                task(cfg)
            except PickClutterError as error:
                sys.exit(_report(error))
            except ModuleNotFoundError as error:
                package = (error.name or "").partition(".")[0]
                if package not in _EXTRAS:
                    raise
                sys.exit(_report(MissingExtraError(package, _EXTRAS[package])))
            except KeyboardInterrupt:
                print("interrupted; run the same command again to go on", file=sys.stderr)  # noqa: T201
                sys.exit(130)

        return cast(Callable[[], None], run)

    return decorate


def _report(error: PickClutterError) -> int:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
    return 2
