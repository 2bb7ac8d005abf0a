"""The files that a mesh names, of one folder alone: a path that leaves it and an address are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from pickclutter_lang.errors import InvalidArgumentError, PickClutterError
from pickclutter_lang.utils.json_files import read_file

MAX_BYTES = 256 * 2**20
"""Largest file of a mesh, material or texture."""


class MeshFiles:
    """Gives a reader of meshes the files that it asks for, and notes which; trimesh takes it as its resolver.

    Readers of materials pass over what they cannot load. So `problem` keeps the first error.
    """

    def __init__(self, root: Path, folders: Sequence[str] = ()) -> None:
        """Prepare it.

        :param root: the folder outside of which nothing is read
        :param folders: folders of `root` in which a name is looked up after `root` itself
        """
        self.root = root.resolve()
        self.folders = (".", *folders)
        self.hashes: dict[str, str] = {}
        """Path below `root` of each file that was read -> sha256 of its bytes."""
        self.problem: PickClutterError | None = None

    def get(self, name: str) -> bytes:
        """Return the bytes of a file.

        :raises InvalidArgumentError: for one outside of the folder, an address, or a file that cannot be read
        """
        try:
            path = self.find(name)
            data = read_bounded(path)
        except PickClutterError as error:
            self.problem = self.problem or error
            raise
        self.hashes[path.relative_to(self.root).as_posix()] = hashlib.sha256(data).hexdigest()
        return data

    __getitem__ = get

    def find(self, name: str) -> Path:
        """Return the path of a file that a mesh names."""
        clean = name.strip().strip('"').replace("\\", "/")
        if "://" in clean:
            raise InvalidArgumentError(f"it names {_short(name)}, an address; download it, and name a file beside it")
        for word in (clean, unquote(clean)):
            for folder in self.folders:
                path = (self.root / folder / word).resolve()
                if path.is_relative_to(self.root) and path.is_file():
                    return path
        inside = any((self.root / one / unquote(clean)).resolve().is_relative_to(self.root) for one in self.folders)
        if not inside:
            raise InvalidArgumentError(f"it names {_short(name)}, outside of its folder; copy that file beside it")
        raise InvalidArgumentError(f"it names {_short(name)}, which is not there; put that file beside it")


def read_bounded(path: Path) -> bytes:
    """Return the bytes of a file.

    :raises InvalidArgumentError: when it is missing, no regular file, or larger than `MAX_BYTES`
    """
    try:
        return read_file(path, MAX_BYTES)
    except OSError as error:
        raise InvalidArgumentError(f"{path.name} cannot be read ({error.strerror})") from error


def check_xml(data: bytes) -> None:
    """Raise InvalidArgumentError for XML that declares entities, by which a small file can become a huge one."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InvalidArgumentError("expected XML without declarations of entities; remove its <!DOCTYPE ...>")


def _short(name: str) -> str:
    return repr(name if len(name) <= 100 else name[:97] + "...")
