"""Documentation of dataclass fields: the string below each field, as mkdocstrings and editors read it too."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import lru_cache


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
