"""Files at URLs of fsspec, such as `s3://bucket/path`: whole files in, whole files out, every failure one line.

The package of a scheme takes its credentials and its endpoint from its own environment, s3fs for one from
`$AWS_ACCESS_KEY_ID`, `$AWS_PROFILE` and `$AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, StorageError
from pickclutter_lang.utils.validation import URL, check_folder, check_path

Value = TypeVar("Value")
# s3fs tries five times by itself; with the defaults of botocore a silent server holds a command for many minutes.
_S3: dict[str, Any] = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 1}}}
_OPTIONS = {"s3": _S3, "s3a": _S3}


def is_url(place: object) -> bool:
    """Return whether a place is a URL (`s3://bucket/path`) and no path."""
    return isinstance(place, str) and URL.match(place) is not None


def join(place: str, *names: str) -> str:
    """Return what lies below a folder, or below a URL."""
    return "/".join([place.rstrip("/"), *names]) if is_url(place) else str(Path(place, *names))


def check_scenes(name: str, place: str | None) -> None:
    """Check the place of scene stores: a folder that is there, or a URL, which is asked when a store is opened.

    :raises PickClutterError: MissingAssetsError without the folder, InvalidArgumentError for a password in the URL
    """
    if place is not None and is_url(place):
        check_url(name, place)
    else:
        check_folder(name, place)


def check_store(name: str, place: str | None) -> None:
    """Check the place of one scene store, which is looked for when it is opened: a folder or a URL.

    :raises InvalidArgumentError: for a path that is empty or a file, or a password in the URL
    """
    if place is not None and is_url(place):
        check_url(name, place)
    else:
        check_path(name, place)


def check_url(name: str, url: str) -> None:
    """Raise InvalidArgumentError for a URL with a password in it, which a run would note down."""
    if "@" in urlsplit(url).netloc:
        raise InvalidArgumentError(
            f"expected {name} without a user or a password in the URL; give these in the environment of its package"
        )


def read_url(url: str, limit: int, missing: str | None = None) -> bytes:
    """Return the content of a file.

    :param limit: most bytes that it may have
    :param missing: message where there is no file
    :raises StorageError: when it is not there, is larger, or cannot be read
    :raises MissingExtraError: without the package of the scheme
    """
    size = size_at(url)
    if size is None:
        raise StorageError(missing or f"expected {url}, but there is no such file or bucket; check the URL")
    if size > limit:
        raise StorageError(f"expected at most {limit} bytes at {url}, but it has {size}; publish its folder again")
    data: bytes = _attempt("read", url, lambda files, path: files.cat_file(path))
    return data


def write_url(url: str, data: bytes) -> None:
    """Write a file; object storage shows it whole or not at all.

    :raises StorageError: when it cannot be written
    """

    def write(files: Any, path: str) -> None:
        if "file" in _protocols(files):  # object storage has no folders
            files.makedirs(files._parent(path), exist_ok=True)
        files.pipe_file(path, data)

    _attempt("write", url, write)


def delete_url(url: str) -> None:
    """Delete a file.

    :raises StorageError: when it cannot be deleted
    """
    _attempt("delete", url, lambda files, path: files.rm_file(path))


def size_at(url: str) -> int | None:
    """Return the bytes of a file, or None where there is none.

    :raises StorageError: when the storage cannot be asked
    """

    def size(files: Any, path: str) -> int | None:
        try:
            found = files.info(path)
        except FileNotFoundError:
            return None
        return int(found["size"]) if found["type"] == "file" else None

    return _attempt("read", url, size)


def files_at(url: str, pattern: str) -> list[str]:
    """Return the files below a URL that fit a pattern, as paths below it, in order.

    :raises StorageError: when the storage cannot be asked
    """

    def find(files: Any, path: str) -> list[str]:
        found = files.glob(f"{path.rstrip('/')}/{pattern}", detail=True)
        return sorted(name[len(path.rstrip("/")) + 1 :] for name, what in found.items() if what["type"] == "file")

    return _attempt("list", url, find)


def _attempt(verb: str, url: str, action: Callable[[Any, str], Value]) -> Value:
    """Do something with a file system and a path in it; the client of this process and thread is kept by fsspec."""
    files, path = _open(url)
    try:
        return action(files, path)
    except FileNotFoundError as error:
        raise StorageError(f"cannot {verb} {url}: there is no such file or bucket; check the URL") from error
    except Exception as error:  # each package raises errors of its own libraries
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise StorageError(f"cannot {verb} {url} ({reason}); check the URL, the credentials and the network") from error


def _open(url: str) -> tuple[Any, str]:
    check_url("the place", url)
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtraError("fsspec", "storage") from error
    scheme = url.partition("://")[0].lower()
    try:
        files, path = url_to_fs(url, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
    except ImportError as error:
        if scheme in ("s3", "s3a"):
            raise MissingExtraError("s3fs", "storage") from error
        raise StorageError(f"cannot open {url}: {error}") from error
    except ValueError as error:
        raise StorageError(f"cannot open {url}: {error}; object storage of S3 has s3://bucket/path") from error
    return files, path


def _protocols(files: Any) -> tuple[str, ...]:
    return (files.protocol,) if isinstance(files.protocol, str) else tuple(files.protocol)
