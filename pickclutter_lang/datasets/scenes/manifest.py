"""The manifest of a scene store: what is in it, how it was made, and the hashes of its shards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.scenes.schema import SCHEMA, ShardSchema
from pickclutter_lang.errors import DatasetError, MismatchError
from pickclutter_lang.objects.catalog import object_split_of
from pickclutter_lang.utils.io import atomic_write

MANIFEST_FILE = "manifest.json"
SHARD_FOLDER = "shards"
_NOT_IDENTITY = ("versions", "shards", "content_hash")


@dataclass(frozen=True)
class ShardEntry:
    """One shard: its file under `shards/`, its scenes, its size, and the sha256 of its bytes and content."""

    file: str
    first: int
    rows: int
    bytes: int
    sha256: str
    content: str


@dataclass(frozen=True)
class ObjectEntry:
    """One label: id and display name of the object, and its split (`id`, `ood` or `none`)."""

    model_id: str
    name: str
    split: str


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds. `settings` has at least `cameras` and `image_size`.

    `seed` is None where scenes do not come from the simulator; `settings["source"]` then names their origin.
    """

    split: str
    seed: int | None
    scenes: int
    shard_size: int
    settings: dict[str, Any]
    fields: tuple[str, ...]
    object_set: str
    object_fingerprint: str
    objects: tuple[ObjectEntry, ...]
    versions: dict[str, str] = field(default_factory=dict)
    shards: tuple[ShardEntry, ...] = ()
    content_hash: str = ""
    schema: int = SCHEMA

    @property
    def layout(self) -> ShardSchema:
        """The fields with their dtypes and shapes."""
        return ShardSchema(self.fields, len(self.objects), int(self.settings["image_size"]))

    @property
    def object_split(self) -> int:
        """Which objects are in Y_ood, see `paper_catalog`; 0 for labels other than the paper's."""
        return object_split_of({item.model_id for item in self.objects if item.split == "ood"})

    @property
    def shard_count(self) -> int:
        """Number of shards of the complete store."""
        return -(-self.scenes // self.shard_size)

    def shard_range(self, number: int) -> range:
        """Return the scene indices of a shard."""
        first = number * self.shard_size
        return range(first, min(first + self.shard_size, self.scenes))

    @property
    def complete(self) -> bool:
        """Whether every shard was written."""
        return bool(self.content_hash)

    def with_shards(self, shards: list[ShardEntry]) -> Manifest:
        """Return the manifest with these shards in order, and the content hash if none is missing."""
        ordered = tuple(sorted(shards, key=lambda entry: entry.first))
        complete = len(ordered) == self.shard_count
        return replace(self, shards=ordered, content_hash=combined_hash(ordered) if complete else "")

    def check_compatible(self, other: Manifest, where: Path) -> None:
        """Check that another manifest describes the same scenes.

        :raises MismatchError: naming the keys that differ, with both values
        """
        mine, theirs = _flat(_identity(self)), _flat(_identity(other))
        keys = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
        if self.object_split != other.object_split:  # in place of the objects one by one, and of their fingerprint
            mine, theirs = {"object_split": self.object_split}, {"object_split": other.object_split}
            keys = list(mine)
        if keys:
            differences = "; ".join(f"{key} is {mine.get(key)!r} there, {theirs.get(key)!r} now" for key in keys[:4])
            raise MismatchError(
                f"the store at {where} was made with other settings: {differences}; "
                "use the same settings, choose another folder, or delete that one"
            )

    def write(self, folder: Path) -> None:
        """Write `manifest.json` atomically."""
        atomic_write(folder / MANIFEST_FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())


def combined_hash(shards: tuple[ShardEntry, ...]) -> str:
    """Return the content hash of a store: the sha256 (hex) of its shards' content hashes in order."""
    return hashlib.sha256("".join(entry.content for entry in shards).encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a store.

    :raises DatasetError: when there is none, it cannot be read, or it has another schema
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise DatasetError(
            f"expected a scene store at {folder}, but {MANIFEST_FILE} is not there; "
            f"make one: pickclutter collect-scenes split=... out={folder}"
        )
    try:
        values = json.loads(path.read_text())
        schema = values["schema"]
        if schema != SCHEMA:
            raise DatasetError(f"expected schema {SCHEMA} in {path}, but got {schema!r}; collect these scenes again")
        return Manifest(
            **{
                **values,
                "fields": tuple(values["fields"]),
                "objects": tuple(ObjectEntry(**row) for row in values["objects"]),
                "shards": tuple(ShardEntry(**row) for row in values["shards"]),
            }
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{path} is damaged ({type(error).__name__}: {error}); collect these scenes again"
        ) from error


def _identity(manifest: Manifest) -> dict[str, Any]:
    values = json.loads(json.dumps(asdict(manifest)))
    return {key: value for key, value in values.items() if key not in _NOT_IDENTITY}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
