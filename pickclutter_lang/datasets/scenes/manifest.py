"""The manifest of a scene store: what is in it, how it was made, and the hashes of its shards."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.objects.catalog import object_split_of
from pickclutter_lang.objects.catalog_file import CATALOG_FILE
from pickclutter_lang.utils.constants import CAMERAS, LABELS, MAX_ACTORS, REP_POINTS
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Sha256, Text, check_json, read_json
from pickclutter_lang.utils.nested import flatten
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE, one_of

SCHEMA = 1
IMAGE_MODALITIES = ("rgb", "depth", "segmentation")

SceneRow = dict[str, NDArray[Any]]

_GEOMETRY: dict[str, tuple[str, tuple[int, ...]]] = {
    "index": ("<i8", ()),
    "actors": ("<i2", (MAX_ACTORS,)),
    "scales": ("<f4", (MAX_ACTORS,)),
    "poses": ("<f4", (MAX_ACTORS, 7)),
    "pixels": ("<i4", (MAX_ACTORS,)),
    "rep_pts": ("<f4", (MAX_ACTORS, REP_POINTS, 3)),
    "grasp_poses": ("<f4", (MAX_ACTORS, 7)),
    "instances": ("<i4", (MAX_ACTORS,)),
    "hand_intrinsic": ("<f4", (3, 3)),
    "hand_extrinsic": ("<f4", (3, 4)),
}
CAMERA_MATRICES = ("hand_intrinsic", "hand_extrinsic")
"""OpenCV matrices of the hand camera: to pixels, and from the world. Stores have them where the camera was moved."""
_IMAGES: dict[str, tuple[str, tuple[int, ...]]] = {
    "rgb": ("|u1", (3,)),
    "depth": ("<u2", ()),
    "segmentation": ("|u1", ()),
}


@dataclass(frozen=True)
class Field:
    """One dataset: its dtype and the shape of one scene in it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def is_image(self) -> bool:
        """Whether it holds images, which are stored compressed, one chunk per scene."""
        return self.name.rsplit("_", 1)[-1] in IMAGE_MODALITIES


def image_name(camera: str, kind: str) -> str:
    """Return the name of the dataset of a camera's images, for instance `hand_rgb`."""
    if camera not in CAMERAS or kind not in IMAGE_MODALITIES:
        raise InvalidArgumentError(
            f"expected a camera out of {', '.join(CAMERAS)} and a kind out of {', '.join(IMAGE_MODALITIES)}, "
            f"but got {camera!r} and {kind!r}"
        )
    return f"{camera}_{kind}"


def check_fields(names: Sequence[str]) -> None:
    """Raise InvalidArgumentError unless all names are different fields of this schema, `index` and `present` in it."""
    images = [image_name(camera, kind) for camera in CAMERAS for kind in IMAGE_MODALITIES]
    wrong = [name for name in names if name not in (*_GEOMETRY, *LABELS, *images)]
    if wrong or len(set(names)) < len(names) or not {"index", "present"} <= set(names):
        raise InvalidArgumentError(
            f"expected index, present and other fields of scenes, each once, but got {', '.join(names)[:300]}"
        )


def scene_fields(
    cameras: Sequence[str], graspable: bool, instances: bool = False, camera_moved: bool = False
) -> tuple[str, ...]:
    """Return the fields of scenes from the simulator; without `graspable`, neither that label nor grasps.

    :param instances: whether labels have many instances, or distractors lie in the scenes
    :param camera_moved: whether the hand camera is another than ManiSkill2's
    """
    left_out = set() if instances else {"instances"}
    left_out |= set() if camera_moved else {*CAMERA_MATRICES}
    left_out |= set() if graspable else {"graspable", "grasp_poses"}
    names = [name for name in (*_GEOMETRY, *LABELS) if name not in left_out]
    return (*names, *(image_name(camera, kind) for camera in cameras for kind in IMAGE_MODALITIES))


@dataclass(frozen=True)
class ShardSchema:
    """The fields of a store with `columns` labels (C) and images of `image_size` (S) pixels a side.

    Actors from C on are instances of `distractors` kinds without a label.
    """

    names: tuple[str, ...]
    columns: int
    image_size: int
    distractors: int = 0

    def field(self, name: str) -> Field:
        """Return one field.

        :raises DatasetError: when the store does not hold it
        """
        if name not in self.names:
            raise DatasetError(f"expected a field out of {', '.join(self.names)}, but got {name!r}")
        if name in LABELS:
            return Field(name, np.dtype(np.bool_), (self.columns,))
        if name in _GEOMETRY:
            dtype, shape = _GEOMETRY[name]
            return Field(name, np.dtype(dtype), shape)
        dtype, tail = _IMAGES[name.rsplit("_", 1)[-1]]
        return Field(name, np.dtype(dtype), (self.image_size, self.image_size, *tail))

    @property
    def fields(self) -> list[Field]:
        """Every field, in the order of `names`."""
        return [self.field(name) for name in self.names]

    def stack(self, rows: Sequence[Mapping[str, NDArray[Any]]]) -> SceneRow:
        """Check scenes and join them to arrays with a leading axis; fields outside the schema are left out.

        :raises DatasetError: naming the scene and what is wrong with it
        """
        for row in rows:
            self._check(row)
        joined = {}
        for item in self.fields:
            values = np.stack([np.asarray(row[item.name], dtype=item.dtype) for row in rows])
            if values.dtype.kind == "f":
                values[np.isnan(values)] = np.nan  # one bit pattern, so that equal content has an equal hash
            joined[item.name] = values
        return joined

    def _check(self, row: Mapping[str, NDArray[Any]]) -> None:
        missing = [name for name in self.names if name not in row]
        if missing:
            raise DatasetError(f"expected a scene with {', '.join(self.names)}, but {', '.join(missing)} is missing")
        for item in self.fields:
            value = np.asarray(row[item.name])
            if value.shape != item.shape or value.dtype != item.dtype:
                raise DatasetError(
                    f"scene {int(row['index'])}: expected {item.name} as {item.dtype} {list(item.shape)}, "
                    f"but got {value.dtype} {list(value.shape)}"
                )
        self.check_values({name: np.asarray(row[name])[None] for name in self.names})

    def check_values(self, rows: Mapping[str, NDArray[Any]]) -> None:
        """Check labels, actors and poses of scenes with a leading axis.

        :raises DatasetError: naming a scene, and what is wrong with it
        """

        def refuse(wrong: NDArray[np.bool_], reason: str) -> None:
            found = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
            if found.size:
                raise DatasetError(f"scene {rows['index'][found[0]]}: {reason}")

        for label in (name for name in LABELS if name in self.names):
            refuse(rows[label].view(np.uint8) > 1, f"expected {label} to be false or true")
        if "actors" in self.names:
            actors = rows["actors"]
            used = actors >= 0
            actor_count = self.columns + self.distractors
            refuse(actors >= actor_count, f"expected actors below {actor_count}")
            counts = (actors[:, :, None] == np.arange(self.columns)).sum(axis=1)
            refuse(counts > 1, "expected distinct actors")
            refuse((counts > 0) != rows["present"], "the label `present` does not match `actors`")
            if "instances" in self.names:
                of_kinds = actors >= self.columns if self.distractors else used
                kind = "distractor" if self.distractors else "actor"
                refuse((rows["instances"] >= 0) != of_kinds, f"expected a seed in `instances` for each {kind}, else -1")
            for name in (name for name in ("poses", "scales") if name in self.names):
                finite = np.isfinite(rows[name]).reshape(*used.shape, -1).all(axis=2)
                refuse(used & ~finite, f"expected finite {name} of its actors")
        for matrix in (matrix for matrix in CAMERA_MATRICES if matrix in self.names):
            refuse(~np.isfinite(rows[matrix]), f"expected finite numbers in {matrix}")
        for narrow, wide in (("visible", "present"), ("graspable", "visible")):
            if narrow in self.names:
                refuse(rows[narrow] & ~rows[wide], f"an object is {narrow}, but not {wide}")


MANIFEST_FILE = "manifest.json"
SHARD_FOLDER = "shards"
_NOT_IDENTITY = ("versions", "shards", "content_hash")
_Count = Annotated[int, Meta(ge=1, le=2**32)]


class _Schema(TypedDict):
    schema: int


class _Settings(TypedDict):
    cameras: list[str]
    image_size: Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIZE)]


class _OfKinds(TypedDict):
    instances: Annotated[int, Meta(ge=1)]
    object_split: Annotated[int, Meta(ge=0)]


class _OfDistractors(TypedDict):
    distractors: Annotated[float, Meta(gt=0, lt=1)]
    distractor_kinds: Annotated[dict[Text, Text], Meta(min_length=1, max_length=10000)]
    instances: Annotated[int, Meta(ge=1)]


class _OfOwnObjects(TypedDict):
    catalog: Sha256
    object_split: Annotated[int, Meta(ge=0)]


class _Imported(TypedDict):
    source: Text


@dataclass(frozen=True)
class ShardEntry:
    """One shard: its file under `shards/`, its scenes, its size, and the sha256 of its bytes and content."""

    file: Annotated[str, Meta(pattern=r"\A[0-9]{5,10}\.h5\Z")]
    first: Annotated[int, Meta(ge=0, le=2**32)]
    rows: _Count
    bytes: Annotated[int, Meta(ge=1, le=2**40)]
    sha256: Sha256
    content: Sha256


@dataclass(frozen=True)
class ObjectEntry:
    """One label: id and display name of the object, and its split (`id`, `ood` or `none`)."""

    model_id: Text
    name: Text
    split: Annotated[str, Meta(pattern=r"\A(id|ood|none)\Z")]


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds. `settings` has at least `cameras` and `image_size`.

    With `instances` in `fields`, `settings` has `instances` (of each label, to learn from) and `object_split`. Where
    these are instances of distractors, it has `distractors`, `distractor_kinds` (names by id) and `instances`. Of one's
    own objects it has `catalog`, the sha256 of the store's `catalog.yaml`, and `object_split`.
    `seed` is None where scenes do not come from the simulator; `settings["source"]` then names their origin.

    :raises InvalidArgumentError: when its parts contradict each other
    """

    split: Text
    seed: int | None
    scenes: _Count
    shard_size: _Count
    settings: dict[str, Any]
    fields: tuple[str, ...]
    object_set: Text
    object_fingerprint: Text
    objects: Annotated[tuple[ObjectEntry, ...], Meta(min_length=1, max_length=10000)]
    versions: dict[str, str] = field(default_factory=dict)
    shards: tuple[ShardEntry, ...] = ()
    content_hash: str = ""
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        settings = check_json(self.settings, _Settings)
        for camera in settings["cameras"]:
            one_of("settings.cameras", camera, CAMERAS)
        check_fields(self.fields)
        if {"distractors", "distractor_kinds"} & set(self.settings):
            check_json(self.settings, _OfDistractors)
            if not {"actors", "instances"} <= set(self.fields):
                raise InvalidArgumentError("expected fields with actors and instances, where distractors lie in scenes")
        if self.has_instances:
            check_json(self.settings, _OfKinds)
        if self.has_catalog:
            check_json(self.settings, _OfOwnObjects)
        if self.seed is None:
            check_json(self.settings, _Imported)
        for names in ([item.model_id for item in self.objects], [item.name for item in self.objects]):
            if len(set(names)) < len(names):
                raise InvalidArgumentError(f"expected different objects, but got {_repeated(names)!r} twice")
        self._check_shards()

    def _check_shards(self) -> None:
        """Check that shards have the scenes of their numbers, and the content hash those shards."""
        for entry in self.shards:
            number = int(entry.file.partition(".")[0])
            expected = self.shard_range(number)
            if (entry.first, entry.rows) != (expected.start, len(expected)):
                raise InvalidArgumentError(
                    f"expected {entry.file} to have {len(expected)} scenes from {expected.start}, "
                    f"but got {entry.rows} from {entry.first}"
                )
        files = [entry.file for entry in self.shards]
        if len(set(files)) < len(files):
            raise InvalidArgumentError(f"expected each shard once, but got {_repeated(files)} twice")
        if self.complete and (len(files), self.content_hash) != (self.shard_count, combined_hash(self.shards)):
            raise InvalidArgumentError(
                f"{len(files)} of {self.shard_count} shards are listed, or another content hash than theirs"
            )

    @property
    def has_instances(self) -> bool:
        """Whether the labels are kinds, whose instances the array `instances` numbers."""
        return "instances" in self.fields and not self.distractor_kinds

    @property
    def distractor_kinds(self) -> dict[str, str]:
        """Names by id of the kinds without a label; actors from the number of labels on are instances of these."""
        found: dict[str, str] = self.settings.get("distractor_kinds", {})
        return found

    @property
    def actor_ids(self) -> list[str]:
        """Ids of the labels, and after them of the kinds without a label: what `actors` are positions in."""
        return [*(item.model_id for item in self.objects), *self.distractor_kinds]

    @property
    def layout(self) -> ShardSchema:
        """The fields with their dtypes and shapes."""
        size = int(self.settings["image_size"])
        return ShardSchema(self.fields, len(self.objects), size, len(self.distractor_kinds))

    @property
    def has_catalog(self) -> bool:
        """Whether the store has a `catalog.yaml`, as stores of one's own objects do."""
        return "catalog" in self.settings

    @property
    def object_split(self) -> int:
        """Which objects are in Y_ood, see `paper_catalog` and `load_own_set`; 0 for other labels."""
        if self.has_instances or self.has_catalog:
            return int(self.settings["object_split"])
        return object_split_of({item.model_id for item in self.objects if item.split == "ood"})

    @property
    def shard_files(self) -> list[str]:
        """Names of the shards of the complete store, in order."""
        return [f"{number:05d}.h5" for number in range(self.shard_count)]

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
        mine, theirs = flatten(_identity(self)), flatten(_identity(other))
        keys = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
        if "objects" in keys:  # the names of one alone; of the same in another order, those that moved
            names = {item.name for item in self.objects} ^ {item.name for item in other.objects}
            pairs = zip(self.objects, other.objects, strict=False)
            names = names or {item.name for pair in pairs if pair[0] != pair[1] for item in pair}
            for values, manifest in ((mine, self), (theirs, other)):
                values["objects"] = [item.name for item in manifest.objects if item.name in names]
        if self.object_split != other.object_split:  # in place of the objects one by one, and of their fingerprint
            mine, theirs = {"object_split": self.object_split}, {"object_split": other.object_split}
            keys = list(mine)
        if keys:
            differences = "; ".join(f"{key} is {mine.get(key)!r} there, {theirs.get(key)!r} now" for key in keys[:4])
            if keys == ["object_fingerprint"] and "instances" in self.fields:
                differences += " (another version of the kinds made it)"
            elif self.has_catalog and {*keys} <= {"settings.catalog", "object_fingerprint"}:
                differences += f" ({CATALOG_FILE} has changed, or a mesh)"
            raise MismatchError(
                f"the store at {where} was made with other settings: {differences}; "
                "use the same settings, choose another folder, or delete that one"
            )

    def check_versions(self, versions: Mapping[str, str], store: str) -> None:
        """Check that packages and renderer are those with which this store was begun.

        :param versions: as in a manifest
        :param store: how the message names this store, `the store at data/train`
        :raises MismatchError: naming those that differ
        """
        names = {**self.versions, **versions}
        differ = [name for name in names if self.versions.get(name) != versions.get(name)]
        if differ:
            pairs = ((name, self.versions.get(name), versions.get(name)) for name in differ)
            differences = "; ".join(f"{name} is {there} there, {here} here" for name, there, here in pairs)
            raise MismatchError(
                f"{store} was begun with other versions: {differences}; its scenes would not match: "
                "use those versions, choose another folder, or delete that one"
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
    remedy = "delete it and collect these scenes again"
    values = read_json(
        path,
        _Schema,
        DatasetError,
        remedy,
        f"expected a scene store at {folder}, but {MANIFEST_FILE} is not there; "
        f"make one: pickclutter collect-scenes split=... out={folder}",
    )
    if values["schema"] != SCHEMA:
        raise DatasetError(f"expected schema {SCHEMA} in {path}, but got {values['schema']}; {remedy}")
    try:
        return check_json(values, Manifest)
    except ValueError as error:
        raise DatasetError(f"{path} is damaged ({error}); {remedy}") from error


def _repeated(names: Sequence[str]) -> str:
    return Counter(names).most_common(1)[0][0]


def _identity(manifest: Manifest) -> dict[str, Any]:
    values = json.loads(json.dumps(asdict(manifest)))
    return {key: value for key, value in values.items() if key not in _NOT_IDENTITY}
