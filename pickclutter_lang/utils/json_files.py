"""Reading of files that a person or a disk may have changed: bounded, and JSON checked against a type."""

from __future__ import annotations

import errno
import json
import os
import stat
import zlib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, is_typeddict

import msgspec

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.validation import LINE, MAX_LINE, did_you_mean

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file; a run, store or policy has less than a hundredth of it."""
MAX_LINES_BYTES = 2**30
"""Largest file of JSON lines."""
MAX_DEPTH = 64
"""Deepest nesting of lists and objects."""

_IDENTIFIER = r"\A[a-z0-9_-]+\Z"
_SHA256, _PROSE = r"\A[0-9a-f]{64}\Z", r"\A[^\x00\ud800-\udfff]*\Z"
_WRITTEN = r"\A\s*[^\s\x00\ud800-\udfff][^\x00\ud800-\udfff]*\Z"
_WORDS = {
    LINE: "one line of text",
    _PROSE: "a text that can be written",
    _WRITTEN: "a text that can be written and is not blank",
    _SHA256: "a sha256 of 64 hex digits",
    _IDENTIFIER: "lower-case letters, digits, _ and -",
}
Line = Annotated[str, msgspec.Meta(max_length=MAX_LINE, pattern=LINE)]
"""One line of text, which may be empty."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LINE, pattern=LINE)]
"""One line of text."""
Identifier = Annotated[str, msgspec.Meta(max_length=100, pattern=_IDENTIFIER)]
"""A name for files and code."""
Prose = Annotated[str, msgspec.Meta(max_length=10000, pattern=_PROSE)]
"""A text of any lines, which may be empty: no zero, and no half of a surrogate pair."""
Written = Annotated[str, msgspec.Meta(max_length=10000, pattern=_WRITTEN)]
"""A text of any lines that is not blank."""
Sha256 = Annotated[str, msgspec.Meta(pattern=_SHA256)]
Kind = TypeVar("Kind")


def read_file(path: Path, limit: int = MAX_JSON_BYTES) -> bytes:
    """Read a regular file of a bounded size; a pipe, a device or a folder in its place is refused, without a wait.

    :raises OSError: when that is not possible
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {found.st_size / 1e6:.0f} MB, and may have {limit / 1e6:.0f} MB")
        with os.fdopen(os.dup(handle), "rb") as stream:
            return stream.read(found.st_size)
    finally:
        os.close(handle)


def read_json(
    path: Path,
    kind: type[Kind],
    error: type[PickClutterError],
    remedy: str,
    missing: str | None = None,
    limit: int = MAX_JSON_BYTES,
) -> Kind:
    """Read a JSON file, which gzip may have compressed, and check it against a type.

    :param kind: a dataclass, whose unknown keys are refused; or a TypedDict, whose other keys stay
    :param remedy: what to do about a damaged file
    :param missing: message where there is no file
    :raises PickClutterError: of the type `error`, naming the file, the key, what was expected and what came
    """
    data = _read(path, error, remedy, missing, limit)
    try:
        return parse_json(_decompressed(data, limit), kind)
    except ValueError as reason:
        raise error(f"{path} is damaged ({reason}); {remedy}") from reason


def _decompressed(data: bytes, limit: int) -> bytes:
    """Return gzip's content where data is compressed by it, of a bounded size."""
    if data[:2] != b"\x1f\x8b":
        return data
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(data, limit)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not stream.eof:
        raise ValueError(f"expected gzip with at most {limit / 1e6:.0f} MB, but it is cut off or holds more")
    return content


def _read(path: Path, error: type[PickClutterError], remedy: str, missing: str | None, limit: int) -> bytes:
    try:
        return read_file(path, limit)
    except (FileNotFoundError, NotADirectoryError) as reason:
        raise error(missing or f"expected {path}, but there is no such file; {remedy}") from reason
    except OSError as reason:
        raise error(f"cannot read {path}: {reason.strerror}; {remedy}") from reason


def read_json_lines(
    path: Path,
    kind: type[Kind],
    error: type[PickClutterError],
    remedy: str,
    missing: str | None = None,
    *,
    may_be_cut: bool = False,
) -> list[Kind]:
    """Read a file with JSON in each line; arguments and errors as of `read_json`, which name the line too.

    :param may_be_cut: leave out a last line without an end, which a killed process was writing
    """
    data, rows = _read(path, error, remedy, missing, MAX_LINES_BYTES), []
    for number, line in enumerate((data[: data.rfind(b"\n") + 1] if may_be_cut else data).splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append(parse_json(line, kind))
        except ValueError as reason:
            raise error(f"line {number} of {path} is damaged ({reason}); {remedy}") from reason
    return rows


def parse_json(data: bytes, kind: type[Kind]) -> Kind:
    """Return JSON text as a type, as `read_json` does.

    :raises ValueError: saying which key is wrong
    """
    try:
        value = json.loads(data.decode())  # in place of msgspec's parser: training logs hold NaN
    except RecursionError as error:
        raise ValueError(f"expected at most {MAX_DEPTH} levels of lists and objects") from error
    _check_depth(value)
    return check_json(value, kind)


def check_json(value: Any, kind: type[Kind]) -> Kind:
    """Return JSON values as a type, as `read_json` does.

    :raises ValueError: saying which key is wrong
    """
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from error
    if is_typeddict(kind):
        return cast(Kind, value)
    _check_keys(value, made, "$")
    return made


def _in_words(message: str) -> str:
    """Put the key before what is wrong with it: "expected ..., but got ..."."""
    text, _, place = message.replace("`", "").partition(" - at ")
    missing = text.partition("missing required field ")[2]
    if missing:
        return f"{place or '$'}: expected the key {missing}, but it is missing"
    text = text[:1].lower() + text[1:].replace(", got", ", but got")
    for pattern, words in _WORDS.items():
        text = text.replace(f"str matching regex {pattern!r}", words)
    return f"{place}: {text}" if place else text


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [item for items in inner for item in items if isinstance(item, dict | list)]
        if not level:
            return
    raise ValueError(f"expected at most {MAX_DEPTH} levels of lists and objects")


def _check_keys(value: Any, made: Any, place: str) -> None:
    """Raise ValueError for keys that the dataclasses of a value do not have."""
    if is_dataclass(made):
        known = [field.name for field in fields(made)]
        unknown = [str(key) for key in value if key not in known]
        if unknown:
            hint = did_you_mean(unknown[0], known)
            raise ValueError(f"{place}: expected keys out of {', '.join(known)}, but got {', '.join(unknown)}{hint}")
        for name in value:
            _check_keys(value[name], getattr(made, name), f"{place}.{name}")
    elif isinstance(made, tuple | list) and made and is_dataclass(made[0]):
        for number, (raw, item) in enumerate(zip(value, made, strict=True)):
            _check_keys(raw, item, f"{place}[{number}]")
