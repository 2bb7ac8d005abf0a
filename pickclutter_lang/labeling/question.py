"""The question about a numbered picture, the JSON schema of its reply, and how a reply is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

import msgspec

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.chat import UnusableAnswerError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.utils.reading import Text, check_json

VERSION = 1
"""Raised with every change of the question or the picture."""
MAX_NAMES = 300
"""Most names in a question."""
_PICTURE = (
    "Both halves of this picture show the same objects, seen by a camera. In the right half segments are outlined in "
    "yellow, and each has a number in a black box. There are {count} numbers."
)
_LISTED = (
    "For each number, say which of these objects the segment shows:\n{names}\nAnswer with a name of this list, exactly "
    "as it is written before the colon. Answer null where the segment is none of these objects, a mixture of several "
    "objects, or less than half of what can be seen of an object."
)
_OPEN = (
    "For each number, name the object that the segment shows, as one would ask somebody for it, in one to three words "
    "and in the singular. Answer null where you cannot tell, and where the segment is a mixture of several objects or "
    "less than half of what can be seen of an object."
)
_FORM = (
    'Reply with JSON only, with one entry for each number from 1 to {count}: {{"segments": [{{"number": 1, "name": '
    "...}}, ...]}}"
)
Number = Annotated[int, msgspec.Meta(ge=1)]


class _Segment(TypedDict):
    number: Number
    name: Text | None


class _Answer(TypedDict):
    segments: list[_Segment]


def question(count: int, names: Mapping[str, Sequence[str]] | None) -> str:
    """Return the question about a picture with `count` numbers.

    :param names: name -> its synonyms; None: the model names what it sees
    """
    if names is None:
        middle = _OPEN
    else:
        lines = (f"- {name}: {', '.join(also)}" if also else f"- {name}" for name, also in names.items())
        middle = _LISTED.format(names="\n".join(lines))
    return "\n\n".join([_PICTURE.format(count=count), middle, _FORM.format(count=count)])


def reply_format(names: Sequence[str] | None) -> dict[str, Any]:
    """Return `response_format` of a request: the JSON schema of a reply, for servers that hold to one."""
    text: dict[str, Any] = {"type": "string"} if names is None else {"type": "string", "enum": [*names]}
    segment = {
        "type": "object",
        "properties": {"number": {"type": "integer"}, "name": {"anyOf": [text, {"type": "null"}]}},
        "required": ["number", "name"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"segments": {"type": "array", "items": segment}},
        "required": ["segments"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "segments", "strict": True, "schema": schema}}


def read_answer(text: str, count: int, names: Sequence[str] | None) -> list[str | None]:
    """Return the name of each of the numbers 1 to `count` in a reply, None where it has none.

    :raises UnusableAnswerError: for no JSON of this form, a number that is missing, wrong or answered twice, or a name
        that is not in the list
    """
    body = text.rpartition("</think>")[2]
    start, end = body.find("{"), body.rfind("}")
    try:
        answer = check_json(json.loads(body[start : end + 1]), _Answer)
    except ValueError as error:
        shown = " ".join(body.split())[:100]
        raise UnusableAnswerError(f"expected JSON with a list segments, but got {shown!r} ({error})"[:300]) from error
    numbers = [segment["number"] for segment in answer["segments"]]
    if sorted(numbers) != list(range(1, count + 1)):
        raise UnusableAnswerError(f"expected each number from 1 to {count} once, but got {numbers}")
    spelled = None if names is None else {name.casefold(): name for name in names}
    found: list[str | None] = [None] * count
    for segment in answer["segments"]:
        if segment["name"] is not None:
            found[segment["number"] - 1] = _name(segment["name"], spelled)
    return found


def _name(given: str, spelled: Mapping[str, str] | None) -> str:
    """Return a name as the list spells it; without a list, as a plain line in lower case."""
    plain = " ".join(given.split()).casefold()
    if spelled is not None:
        if plain not in spelled:
            raise UnusableAnswerError(f"expected a name of the list or null, but got {given!r}")
        return spelled[plain]
    try:
        return validate_label_names([plain.removesuffix(".")])[0]
    except InvalidArgumentError as error:
        raise UnusableAnswerError(f"expected a name of an object, but got {given!r}") from error
