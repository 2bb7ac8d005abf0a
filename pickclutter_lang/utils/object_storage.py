"""Files at URLs of fsspec, such as `s3://bucket/path`; every failure is one error.

The package of a scheme takes its credentials and its endpoint from its own environment, s3fs for one from
`$AWS_ACCESS_KEY_ID`, `$AWS_PROFILE` and `$AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError, PickClutterError, StorageError
from pickclutter_lang.utils.io import replaced_file
from pickclutter_lang.utils.reading import MAX_BYTES
from pickclutter_lang.utils.validation import URL

# s3fs tries five times by itself; with the defaults of botocore a silent server holds a command for many minutes.
_S3: dict[str, Any] = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 1}}}
_OPTIONS = {"s3": _S3, "s3a": _S3, "file": {"auto_mkdir": True}}


def is_url(place: object) -> bool:
    """Return whether a place is a URL (`s3://bucket/path`) and no path."""
    return isinstance(place, str) and URL.match(place) is not None


def check_url(name: str, url: str) -> None:
    """Raise InvalidArgumentError for a URL without a bucket, or with a password, which a run would note down."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidArgumentError(
            f"expected {name} without a user or a password in the URL; give these in the environment of its package"
        )
    if not (parts.path if parts.scheme in ("file", "local", "memory") else parts.netloc).strip("/"):
        raise InvalidArgumentError(f"expected {name} to name a bucket or a folder, s3://bucket/path, but got {url!r}")


@contextmanager
def storage(url: str) -> Iterator[tuple[Any, str]]:
    """Give the file system of fsspec of a URL, and the path in it, without `/` at its end.

    :raises StorageError: what goes wrong in the block, since each package has errors of its own libraries
    :raises MissingExtraError: without the package of the scheme
    """
    check_url("the place", url)
    scheme = url.partition("://")[0].lower()
    try:
        from fsspec.core import url_to_fs

        files, path = url_to_fs(url, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
        yield files, path.rstrip("/")
    except PickClutterError:
        raise
    except ImportError as error:
        raise MissingExtraError(str(error.name or "fsspec"), "cluster") from error
    except FileNotFoundError as error:
        raise StorageError(f"cannot use {url}: there is no such file or bucket; check the URL") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise StorageError(f"cannot use {url} ({reason}); check the URL, the credentials and the network") from error


def is_local(files: Any) -> bool:
    """Return whether a file system of fsspec is that of this machine."""
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(files, LocalFileSystem)


def fetch_file(url: str, target: Path) -> None:
    """Write a file of object storage to a path, atomically; missing folders are created."""
    with replaced_file(target) as temporary, storage(url) as (files, path):
        check_size(url, files.size(path) or 0)
        files.get_file(path, str(temporary))


def check_size(name: str, size: int) -> None:
    """Raise StorageError for a file with more bytes than `MAX_BYTES`."""
    if size > MAX_BYTES:
        raise StorageError(f"expected {name} to have at most {MAX_BYTES / 1e6:.0f} MB, but it has {size / 1e6:.0f} MB")


def files_at(url: str, patterns: Iterable[str]) -> dict[str, int]:
    """Return the files below a URL that fit one of some patterns, as paths below it, with their bytes."""
    with storage(url) as (files, root):
        found = [item for pattern in patterns for item in files.glob(f"{root}/{pattern}", detail=True).items()]
        if others := [name for name, what in found if what["type"] == "other"]:
            raise StorageError(f"expected files at {url}, but {others[0]} is a pipe or a device; remove it")
        return {name[len(root) + 1 :]: what["size"] or 0 for name, what in found if what["type"] == "file"}
