"""Checked configurations, and how commands report errors."""

from __future__ import annotations

import sys
from typing import TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from pickclutter_lang.errors import InvalidArgumentError, PickClutterError

Config = TypeVar("Config")


def parse_config(schema: type[Config], cfg: DictConfig) -> Config:
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


def print_error(error: PickClutterError) -> int:
    """Print an error in one line, and return the exit status for it."""
    print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
    return 2
