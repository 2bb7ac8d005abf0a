"""Documentation of dataclass fields: the string below each field, as mkdocstrings and editors read it too."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any


@lru_cache
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
