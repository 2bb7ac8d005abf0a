"""Extension of griffe: what the package's docstrings mean otherwise than Markdown and Sphinx do."""

from __future__ import annotations

import re
from typing import Any

import griffe

_RAISES = re.compile(r"^( *):raises (\w+(?:, \w+)+):(.*(?:\n\1 +.*)*)", re.MULTILINE)


class PlainDocstrings(griffe.Extension):
    """Take `:raises A, B:` for two entries, and `x[a][b]` for plain text instead of a link."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite a docstring before it is parsed."""
        if obj.docstring is not None:
            text = _RAISES.sub(_split, obj.docstring.value)
            obj.docstring.value = text.replace("][", "]\\[")


def _split(match: re.Match[str]) -> str:
    indent, names, text = match.groups()
    return "\n".join(f"{indent}:raises {name}:{text}" for name in names.split(", "))
