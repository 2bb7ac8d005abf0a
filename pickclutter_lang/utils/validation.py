"""Checks of configuration values; the errors name the key, what was expected and what came."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Collection, Iterable
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError

MAX_SEED = 2**32 - 1
"""Largest seed of every command: that of NumPy's global generator."""
MAX_IMAGE_SIZE = 4096
"""Largest side of an image in pixels; one float32 RGB image of it takes 200 MB."""
MAX_WORKERS = 256
"""Largest number of processes; more than the cores of a machine are of no use."""
MAX_BATCH_SIZE = 65536
"""Largest batch."""
MAX_LINE = 1000
"""Most characters of a name."""
LINE = r"\A[^\x00-\x1f\x7f\ud800-\udfff]*\Z"
"""Pattern of one line of text: no control character, and no half of a surrogate pair, which cannot be written."""
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""Pattern of the start of a URL, such as `s3://`."""


def check_values(config: object, prefix: str = "") -> None:
    """Check the values of a dataclass, and of those in it, by the functions that annotate their keys.

    `Annotated[int, within, 1, 8]` has `within(key, value, 1, 8)` called. So has each item of a list of such, and a
    value of `Annotated[int, within, 1, 8] | None` but None. A key that a subclass has anew keeps what checked it.

    :param config: an instance of the dataclass
    :param prefix: what messages put before its keys, such as `data.`
    :raises PickClutterError: that of the first function that refuses a value
    """
    for kind in type(config).__mro__:
        for key, hint in typing.get_type_hints(kind, include_extras=True).items():
            _check_value(prefix + key, hint, getattr(config, key))


def _check_value(name: str, hint: Any, value: Any) -> None:
    kind = typing.get_origin(hint)
    if is_dataclass(value):
        check_values(value, f"{name}.")
    elif kind is typing.Annotated:
        check, *arguments = hint.__metadata__
        if hint.__origin__ is int and not isinstance(value, int):
            raise InvalidArgumentError(f"expected {name} to be an integer, but got {value!r}")
        check(name, value, *arguments)
    elif kind is list or kind is tuple:
        for item in value:
            _check_value(name, typing.get_args(hint)[0], item)
    elif kind in (types.UnionType, typing.Union) and value is not None:
        _check_value(name, typing.get_args(hint)[0], value)


def check_line(name: str, text: str) -> None:
    """Raise InvalidArgumentError for a text that is blank, of several lines, too long, or that cannot be written."""
    if not text.strip() or len(text) > MAX_LINE or not re.fullmatch(LINE, text):
        raise InvalidArgumentError(
            f"expected {name} to be one line of 1 to {MAX_LINE} characters, but got {text[:40]!a} ({len(text)}); "
            "leave out line breaks and other control characters"
        )


def one_of(name: str, value: object, allowed: Collection[object]) -> None:
    """Raise InvalidArgumentError unless a setting is one of some values."""
    if value not in allowed:
        names = [str(one) for one in allowed]
        raise InvalidArgumentError(
            f"expected {name} to be one of {', '.join(names)}, but got {value!r}{did_you_mean(str(value), names)}"
        )


def has_fields(name: str, text: str, *fields: str) -> None:
    """Raise InvalidArgumentError unless a text has each field in braces, and no other braces."""
    try:
        text.format(**dict.fromkeys(fields, ""))
        fits = all(f"{{{field}}}" in text for field in fields)
    except (KeyError, IndexError, ValueError):
        fits = False
    if not fits:
        wanted = " and ".join(f"{{{field}}}" for field in fields)
        raise InvalidArgumentError(f"expected {name} with {wanted} in it and no other braces, but got {text!r}")


def at_least(name: str, value: float, low: float) -> None:
    """Raise InvalidArgumentError unless a setting is at least `low`, and finite."""
    if not low <= value < math.inf:
        raise InvalidArgumentError(f"expected {name} to be at least {low}, but got {value}")


def above(name: str, value: float, low: float) -> None:
    """Raise InvalidArgumentError unless a setting is larger than `low`, and finite."""
    if not low < value < math.inf:
        raise InvalidArgumentError(f"expected {name} to be larger than {low}, but got {value}")


def within(name: str, value: float, low: float, high: float) -> None:
    """Raise InvalidArgumentError unless a setting is between two values."""
    if not low <= value <= high:
        raise InvalidArgumentError(f"expected {name} to lie between {low} and {high}, but got {value}")


def check_seed(seed: object) -> None:
    """Raise InvalidArgumentError for a seed that a random generator of the package refuses."""
    if not isinstance(seed, int):
        raise InvalidArgumentError(f"expected seed to be an integer, but got {seed!r}")
    within("seed", seed, 0, MAX_SEED)


def check_threads(num_threads: int | None) -> None:
    """Raise InvalidArgumentError for a number of torch's threads below 1; None leaves it to torch."""
    if num_threads is not None:
        within("num_threads", num_threads, 1, MAX_WORKERS)


def check_device(device: str) -> None:
    """Raise InvalidArgumentError for a device that torch cannot compute on here."""
    import torch

    try:
        torch.ones(1, device=torch.device(device)).sum().item()
    except (RuntimeError, AssertionError, ImportError) as error:
        there = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count()))]
        raise InvalidArgumentError(
            f"expected device to be one that torch can use here ({', '.join(there)}), but got {device!r}"
        ) from error


def check_image_size(name: str, size: int | None) -> None:
    """Raise InvalidArgumentError for a side of an image outside 16 to 4096 pixels; None is no size."""
    if size is not None:
        within(name, size, 16, MAX_IMAGE_SIZE)


def check_repository(name: str, value: str) -> None:
    """Raise InvalidArgumentError unless a value names a repository of the Hugging Face Hub, `owner/name`."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,96}/[A-Za-z0-9._-]{1,96}", value):
        raise InvalidArgumentError(f"expected {name} to be a repository owner/name of the hub, but got {value!r}")


def check_path(name: str, path: str | None, *suffixes: str) -> None:
    """Raise InvalidArgumentError for a path that is empty or a URL, or of another kind than what is there.

    :param path: None for a default
    :param suffixes: of a file; none for a folder
    """
    if path is None:
        return
    if not path.strip():
        raise InvalidArgumentError(f"expected {name} to be a path, but it is empty; give one, or leave the key away")
    if found := URL.match(path):  # not the whole, which may have a password
        raise InvalidArgumentError(
            f"expected {name} to be a path on this machine, but got a URL, {found[0]}...; bring its folder here first"
        )
    if suffixes and Path(path).suffix not in suffixes:
        raise InvalidArgumentError(f"expected {name} to end in {' or '.join(suffixes)}, but got {path!r}")
    if suffixes and Path(path).is_dir():
        raise InvalidArgumentError(f"expected {name} to be a file, but {path} is a folder")
    if not suffixes and Path(path).exists() and not Path(path).is_dir():
        raise InvalidArgumentError(f"expected {name} to be a folder, but {path} is a file; name another {name}=")


def check_folder(name: str, path: str | None) -> None:
    """Raise MissingAssetsError unless a folder that a setting names is there; None names none."""
    check_path(name, path)
    if path is not None and not (path.strip() and Path(path).is_dir()):
        raise MissingAssetsError(f"expected {name} to be a folder, but there is none at {path!r}; correct {name}=")


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the nearest of some names, or nothing.

    A dotted name is near one with the same last part too: `epochs` is near `distill.epochs`.
    """
    lasts = {name: name.rpartition(".")[2] for name in options}
    last = word.rpartition(".")[2]
    same = [name for name, part in lasts.items() if part == last or name.casefold() == word.casefold()]
    near = [*get_close_matches(word, same, cutoff=0), *get_close_matches(word, lasts, cutoff=0.7)]
    close = get_close_matches(last, dict.fromkeys(lasts.values()), cutoff=0.75)
    near += [name for part in close for name in lasts if lasts[name] == part]
    return f"; did you mean {', '.join(list(dict.fromkeys(near))[:3])}?" if near else ""
