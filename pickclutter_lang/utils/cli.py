"""Checked configurations."""

from __future__ import annotations

from typing import TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.field_docs import config_keys
from pickclutter_lang.utils.validation import did_you_mean

Config = TypeVar("Config")


def parse_config(schema: type[Config], cfg: DictConfig) -> Config:
    """Check a configuration against a dataclass and return it as one; call its `validate()` if it has one.

    :raises InvalidArgumentError: naming the key that is unknown, missing or of the wrong type
    """
    try:
        merged = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), cfg))
    except MissingMandatoryValue as error:
        raise InvalidArgumentError(f"expected a value for {error.full_key}; give it, {error.full_key}=...") from error
    except (ConfigAttributeError, ConfigKeyError) as error:
        key = str(error.full_key)
        raise InvalidArgumentError(
            f"expected a key of the configuration, but got {key!r}{did_you_mean(key, config_keys(schema))}"
        ) from error
    except OmegaConfBaseException as error:
        raise InvalidArgumentError(str(error).splitlines()[0] + f" (key: {error.full_key})") from error
    validate = getattr(merged, "validate", None)
    if validate is not None:
        validate()
    return merged  # type: ignore[return-value]
