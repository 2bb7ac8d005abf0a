"""Reading of files that a person or a disk may have changed: bounded, and what is in them checked."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from typing_extensions import is_typeddict

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.validation import LINE, MAX_LINE, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

MAX_JSON_BYTES = 64 * 2**20
"""Largest JSON file; a run, store or policy has less than a hundredth of it."""
MAX_LINES_BYTES = 2**30
"""Largest file of JSON lines."""
MAX_BYTES = 8 * 2**30
"""Largest file of arrays, and of a folder that is fetched."""
_LONG = 6  # values of two lists that a message names in full

Line = Annotated[str, msgspec.Meta(max_length=MAX_LINE, pattern=LINE)]
"""One line of text, which may be empty."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LINE, pattern=LINE)]
"""One line of text."""
Identifier = Annotated[str, msgspec.Meta(max_length=100, pattern=r"\A[a-z0-9_-]+\Z")]
"""A name for files and code."""
Prose = Annotated[str, msgspec.Meta(max_length=10000, pattern=r"\A[^\x00\ud800-\udfff]*\Z")]
"""A text of any lines, which may be empty: no zero, and no half of a surrogate pair."""
Written = Annotated[str, msgspec.Meta(max_length=10000, pattern=r"\A\s*[^\s\x00\ud800-\udfff][^\x00\ud800-\udfff]*\Z")]
"""A text of any lines that is not blank."""
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Value = TypeVar("Value")
_DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    NotImplementedError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
    SafetensorError,
)


def read_file(path: Path, limit: int = MAX_JSON_BYTES) -> bytes:
    """Read a regular file of a bounded size; a pipe, a device or a folder in its place is refused, without a wait.

    :raises OSError: when that is not possible
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if found.st_size > limit:
            raise OSError(errno.EFBIG, f"it has {found.st_size / 1e6:.0f} MB, and may have {limit / 1e6:.0f} MB")
        return stream.read(found.st_size)


@contextmanager
def damage_of(path: Path, error: type[PickClutterError], remedy: str, missing: str | None = None) -> Iterator[None]:
    """Raise an error of a type, which names the file, for whatever is wrong with it in the block.

    :param remedy: what to do about a damaged file
    :param missing: message where there is no file
    """
    try:
        yield
    except PickClutterError:
        raise
    except (FileNotFoundError, NotADirectoryError) as reason:
        raise error(missing or f"expected {path}, but there is no such file; {remedy}") from reason
    except OSError as reason:
        raise error(f"cannot read {path}: {reason.strerror or reason}; {remedy}") from reason
    except _DAMAGE as reason:
        raise error(f"{path} is damaged ({' '.join(str(reason).split())[:300]}); {remedy}") from reason


def read_bytes(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> bytes:
    """Read a file of arrays, or of another kind.

    :param sha256: of its bytes (hex); None: they are not compared
    :param remedy: what to do about a damaged file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    with damage_of(path, error, remedy):
        data = read_file(path, MAX_BYTES)
    if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
        raise error(f"{path} is damaged (its sha256 is not the one that was noted when it was written); {remedy}")
    return data


def read_json(
    path: Path,
    expected: type[Value],
    error: type[PickClutterError],
    remedy: str,
    missing: str | None = None,
    limit: int = MAX_JSON_BYTES,
) -> Value:
    """Read a JSON file, which gzip may have compressed, and check it against a type.

    :param expected: a dataclass, whose unknown keys are refused; or a TypedDict, whose other keys stay
    :param remedy: what to do about a damaged file
    :param missing: message where there is no file
    :raises PickClutterError: of the type `error`, naming the file, the key, what was expected and what came
    """
    with damage_of(path, error, remedy, missing):
        data = read_file(path, limit)
        return parse_json(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, expected)


def read_json_lines(
    path: Path,
    expected: type[Value],
    error: type[PickClutterError],
    remedy: str,
    *,
    may_be_cut: bool = False,
) -> list[Value]:
    """Read a file with JSON in each line; arguments and errors as of `read_json`, which name the line too.

    :param may_be_cut: leave out a last line without an end, which a killed process was writing
    """
    with damage_of(path, error, remedy):
        data = read_file(path, MAX_LINES_BYTES)
    lines = (data[: data.rfind(b"\n") + 1] if may_be_cut else data).splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows += [parse_json(line, expected)] if line.strip() else []
        except (ValueError, RecursionError) as reason:
            raise error(f"line {number} of {path} is damaged ({reason}); {remedy}") from reason
    return rows


def parse_json(data: bytes, expected: type[Value]) -> Value:
    """Return JSON text as a type, as `read_json` does.

    :raises ValueError: saying which key is wrong
    :raises RecursionError: for too many levels of lists and objects
    """
    return check_json(json.loads(data.decode()), expected)  # in place of msgspec's parser: training logs hold NaN


def check_json(value: Any, expected: type[Value]) -> Value:
    """Return JSON values as a type, as `read_json` does.

    :raises ValueError: saying which key is wrong
    """
    try:
        made = msgspec.convert(value, expected)
    except msgspec.ValidationError as error:
        raise ValueError(_in_words(str(error))) from error
    if is_typeddict(expected):
        return cast(Value, value)
    _check_keys(value, made, "$")
    return made


def _in_words(message: str) -> str:
    """Put the key before what is wrong with it: "expected ..., but got ..."."""
    text, _, place = message.replace("`", "").partition(" - at ")
    missing = text.partition("missing required field ")[2]
    if missing:
        return f"{place or '$'}: expected the key {missing}, but it is missing"
    text = text[:1].lower() + text[1:].replace(", got", ", but got")
    return f"{place}: {text}" if place else text


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


def read_npz(
    path: Path, forms: Mapping[str, tuple[str, str]] | None, error: type[PickClutterError], remedy: str, missing: str
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    :param forms: name of an array -> letters of its dtype's kind (NumPy's, such as `f`), and a letter for each axis:
        axes of the same letter must be equally long. None: all arrays of any form
    :param missing: message where there is no file
    :raises PickClutterError: of the type `error`, naming the file and what is wrong with it
    """
    with damage_of(path, error, remedy, missing):
        with np.load(io.BytesIO(read_file(path, MAX_BYTES)), allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in (archive.files if forms is None else forms)}
        _check_forms(arrays, forms or {})
    return arrays


def _check_forms(arrays: Mapping[str, NDArray[Any]], forms: Mapping[str, tuple[str, str]]) -> None:
    sizes: dict[str, int] = {}
    for name, (kinds, axes) in forms.items():
        array = arrays[name]
        if array.dtype.kind not in kinds or array.ndim != len(axes):
            raise ValueError(
                f"expected {name} with {len(axes)} axes of kind {kinds}, but got {array.dtype} {array.shape}"
            )
        for axis, size in zip(axes, array.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"expected {name} with {sizes[axis]} {axis}, but got {array.shape}")
    check_finite({name: array for name, array in arrays.items() if name in forms and array.dtype.kind == "f"})


def read_tensors(path: Path, sha256: str | None, error: type[PickClutterError], remedy: str) -> dict[str, Tensor]:
    """Read a safetensors file; arguments and errors as of `read_bytes`."""
    from safetensors.torch import load

    with damage_of(path, error, remedy):
        return load(read_bytes(path, sha256, error, remedy))


def to_half(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in half precision (float16), where numbers above 65504 are infinite; whole numbers stay."""
    return {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}


def to_float(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors in single precision (float32); whole numbers stay."""
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def check_finite(tensors: Mapping[str, Tensor | NDArray[Any]]) -> None:
    """Raise ValueError naming a tensor or an array with NaN or infinite numbers."""
    for name, value in tensors.items():
        finite = np.isfinite(value) if isinstance(value, np.ndarray) else value.isfinite()
        if not bool(finite.all()):
            raise ValueError(f"expected finite numbers in {name}, but got NaN or infinite ones")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by their keys, joined by dots: {"a": {"b": 1}} is {"a.b": 1}."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def describe_differences(saved: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return one line, `key: saved / wanted`, for each leaf in which nested values differ."""
    lines, (left, right) = [], (flatten(saved), flatten(wanted))
    for key in sorted({*left, *right}):
        one, other = left.get(key, "(none)"), right.get(key, "(none)")
        if isinstance(one, list) and isinstance(other, list) and one != other and len(one) + len(other) > _LONG:
            common = len([value for value in one if value in other])
            lines.append(f"{key}: {len(one)} / {len(other)} values, {common} of them the same")
        elif one != other:
            lines.append(f"{key}: {one} / {other}")
    return lines
