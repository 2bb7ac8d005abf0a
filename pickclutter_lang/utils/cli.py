"""Checked configurations and command lines, and the documentation of their keys."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, NoReturn, TypeVar

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import did_you_mean

Config = TypeVar("Config")


class ArgumentParser(argparse.ArgumentParser):
    """Raises InvalidArgumentError for a command line that it cannot parse, rather than print its usage."""

    def error(self, message: str) -> NoReturn:
        """Raise the error."""
        raise InvalidArgumentError(f"{message}; see {self.prog} --help")


def parse_config(schema: type[Config], cfg: DictConfig) -> Config:
    """Check a configuration against a dataclass and return it as one; call its `validate()` if it has one.

    :raises InvalidArgumentError: naming the key that is unknown, missing or of the wrong type
    """
    _check_values(schema, OmegaConf.to_container(cfg), "")
    try:
        merged = OmegaConf.to_object(OmegaConf.merge(_structured(schema), cfg))  # type: ignore[arg-type]
    except MissingMandatoryValue as error:
        raise InvalidArgumentError(f"expected a value for {error.full_key}; give it, {error.full_key}=...") from error
    except (ConfigAttributeError, ConfigKeyError) as error:
        key = str(error.full_key)
        raise InvalidArgumentError(
            f"expected a key of the configuration, but got {key!r}{did_you_mean(key, config_keys(schema))}"
        ) from error
    except OmegaConfBaseException as error:
        key, message = str(error.full_key), str(error).splitlines()[0]
        hint = f"; write {key}=[{OmegaConf.select(cfg, key)}]" if "ListConfig" in message else ""
        raise InvalidArgumentError(f"expected another value of {key}: {message}{hint}") from error
    validate = getattr(merged, "validate", None)
    if validate is not None:
        validate()
    return merged  # type: ignore[return-value]


def _check_values(schema: type, values: Any, prefix: str) -> None:
    """Raise InvalidArgumentError for what OmegaConf takes: numbers for booleans, lists in lists, half a letter."""
    hints = typing.get_type_hints(schema)
    for name, value in values.items():
        kind = dataclass_of(hints.get(name))
        if kind is not None and isinstance(value, dict):
            _check_values(kind, value, f"{prefix}{name}.")
        elif hints.get(name) is bool and type(value) in (int, float):
            raise InvalidArgumentError(f"expected {prefix}{name} to be true or false, but got {value}")
        elif isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
            raise InvalidArgumentError(f"expected plain values in {prefix}{name}, but got {value}")
        elif re.search("[\ud800-\udc7f\udd00-\udfff]", str(value)):  # no system has such a file
            raise InvalidArgumentError(f"expected {prefix}{name} to be text that can be written, but got {value!a}")


@cache
def _structured(schema: type[Any]) -> DictConfig:
    """Return the configuration of a dataclass with its defaults, which `OmegaConf.merge` copies."""
    return _writable(OmegaConf.structured(schema))


def _writable(config: DictConfig) -> DictConfig:
    """Return a configuration into which values can be merged: what is made of a frozen dataclass is read-only."""
    OmegaConf.set_readonly(config, False)
    for key in map(str, config):
        there = not OmegaConf.is_missing(config, key) and not OmegaConf.is_interpolation(config, key)
        if there and isinstance(config[key], DictConfig):
            _writable(config[key])
    return config


@cache
def field_docs(config: type) -> dict[str, str]:
    """Return the documentation of the fields of a dataclass, those of its base classes included.

    :return: field -> its text on one line; a field without a string below it is missing
    """
    found: dict[str, str] = {}
    for base in reversed(config.__mro__[:-1]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:]):  # noqa: B905
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    found[name] = " ".join(words.split())
    return found


def config_keys(config: type, prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of a dataclass, those of nested ones included."""
    hints = typing.get_type_hints(config)
    for field in fields(config):
        yield f"{prefix}{field.name}"
        kind = dataclass_of(hints[field.name])
        if kind is not None:
            yield from config_keys(kind, f"{prefix}{field.name}.")


def dataclass_of(hint: Any) -> type | None:
    """Return the dataclass of a type, also of one that may be None."""
    return next((kind for kind in (hint, *typing.get_args(hint)) if is_dataclass(kind)), None)  # type: ignore[return-value]
