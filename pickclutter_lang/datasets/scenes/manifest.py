"""The manifest and schema of a scene store: what is in it, how it was made, and the hashes of its shards.

A scene is a plain dictionary of arrays (`SceneRow`). The fields of a store are listed in its manifest, since
not every source knows everything: the authors' published scenes, for one, carry only the label `present`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from typing_extensions import NotRequired, TypedDict

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.objects.catalog import object_split_of
from pickclutter_lang.utils.constants import CAMERAS, LABELS, MAX_ACTORS, REP_POINTS
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.reading import Sha256, Text, check_json, describe_differences, read_json
from pickclutter_lang.utils.validation import MAX_IMAGE_SIZE

MANIFEST_FILE, SHARD_FOLDER = "manifest.json", "shards"
CAMERA_MATRICES = ("hand_intrinsic", "hand_extrinsic")
"""OpenCV matrices of the hand camera: to pixels, and from the world. Stores have them where the camera was moved."""
SceneRow = dict[str, NDArray[Any]]
_NOT_IDENTITY = ("versions", "shards", "content_hash", "objects")
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
_IMAGES: dict[str, tuple[str, tuple[int, ...]]] = {
    "rgb": ("|u1", (3,)),
    "depth": ("<u2", ()),
    "segmentation": ("|u1", ()),
}
_IMAGE_NAMES = [f"{camera}_{kind}" for camera in CAMERAS for kind in _IMAGES]
_ALWAYS = {"index", "present"}
_Count = Annotated[int, Meta(ge=1, le=2**32)]


@dataclass(frozen=True)
class ArrayForm:
    """The form of a field: its dtype and the shape of one scene in it."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def is_image(self) -> bool:
        """Whether it holds images, which are stored compressed, one chunk per scene."""
        return self.name in _IMAGE_NAMES


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
    return (*names, *(f"{camera}_{kind}" for camera in cameras for kind in _IMAGES))


class _Settings(TypedDict):
    cameras: list[Literal["hand", "base"]]
    image_size: Annotated[int, Meta(ge=1, le=MAX_IMAGE_SIZE)]
    instances: NotRequired[Annotated[int, Meta(ge=1)]]
    object_split: NotRequired[Annotated[int, Meta(ge=0)]]
    distractors: NotRequired[Annotated[float, Meta(gt=0, lt=1)]]
    distractor_kinds: NotRequired[Annotated[dict[Text, Text], Meta(min_length=1, max_length=10000)]]
    catalog: NotRequired[Sha256]
    source: NotRequired[Text]


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
    split: Literal["id", "ood", "none"]


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
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        check_json(self.settings, _Settings)
        needed = {"source"} if self.seed is None else set()
        needed |= {"distractors", "distractor_kinds", "instances"} if "distractors" in self.settings else set()
        needed |= {"instances", "object_split"} if self.has_instances else set()
        needed |= {"object_split"} if self.has_catalog else set()
        if missing := needed - set(self.settings):
            raise InvalidArgumentError(f"expected settings with {', '.join(sorted(missing))}")
        fields = {*self.fields}
        if fields - {*_GEOMETRY, *LABELS, *_IMAGE_NAMES} or len(fields) < len(self.fields) or not fields >= _ALWAYS:
            raise InvalidArgumentError(f"expected fields of scenes, with index and present, but got {self.fields}")
        if self.distractor_kinds and not {"actors", "instances"} <= fields:
            raise InvalidArgumentError("expected fields with actors and instances, where distractors lie in scenes")
        for names in ([item.model_id for item in self.objects], [item.name for item in self.objects]):
            if len(set(names)) < len(names):
                raise InvalidArgumentError(f"expected different objects, but got {sorted(names)}")
        for entry in self.shards:
            scenes = self.shard_range(int(entry.file.partition(".")[0]))
            if (entry.first, entry.rows) != (scenes.start, len(scenes)):
                raise InvalidArgumentError(f"expected {entry.file} to have {len(scenes)} scenes from {scenes.start}")
        files = [entry.file for entry in self.shards]
        whole = (self.shard_count, combined_hash(self.shards))
        if len({*files}) < len(files) or (self.complete and (len(files), self.content_hash) != whole):
            raise InvalidArgumentError("expected each shard once, and the content hash of all of them")

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

    def form(self, name: str) -> ArrayForm:
        """Return the form of one of `fields`."""
        if name in LABELS:
            return ArrayForm(name, np.dtype(np.bool_), (len(self.objects),))
        if name in _GEOMETRY:
            dtype, shape = _GEOMETRY[name]
            return ArrayForm(name, np.dtype(dtype), shape)
        dtype, tail = _IMAGES[name.rsplit("_", 1)[-1]]
        size = int(self.settings["image_size"])
        return ArrayForm(name, np.dtype(dtype), (size, size, *tail))

    @property
    def forms(self) -> list[ArrayForm]:
        """The form of every field, in order."""
        return [self.form(name) for name in self.fields]

    @property
    def has_catalog(self) -> bool:
        """Whether the store has a `catalog.yaml`, as stores of one's own objects do."""
        return "catalog" in self.settings

    @property
    def object_split(self) -> int:
        """Which objects are in Y_ood, see `unseen_objects` and `load_own_set`; 0 for other labels."""
        if self.has_instances or self.has_catalog:
            return int(self.settings["object_split"])
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
        if differences := describe_differences(self._identity, other._identity):
            raise MismatchError(
                f"the store at {where} was made with other settings (there / now): {'; '.join(differences[:4])}; "
                "use the same settings, choose another folder, or delete that one"
            )

    @property
    def _identity(self) -> dict[str, Any]:
        """What tells a store from others; of objects their names, since `object_split` tells their splits."""
        values = json.loads(json.dumps(asdict(self)))
        split = {"object_split": self.object_split, "objects": [item.name for item in self.objects]}
        return split | {key: value for key, value in values.items() if key not in _NOT_IDENTITY}

    def check_versions(self, versions: Mapping[str, str], store: str) -> None:
        """Check that packages and renderer are those with which this store was begun.

        :param versions: as in a manifest
        :param store: how the message names this store, `the store at data/train`
        :raises MismatchError: naming those that differ
        """
        if differences := describe_differences(self.versions, versions):
            raise MismatchError(
                f"{store} was begun with other versions (there / here): {'; '.join(differences)}; its scenes would not "
                "match: use those versions, choose another folder, or delete that one"
            )

    def stack(self, rows: Sequence[Mapping[str, NDArray[Any]]]) -> SceneRow:
        """Check scenes and join them to arrays with a leading axis; fields outside the schema are left out.

        :raises DatasetError: naming what is wrong with a scene
        """
        joined = {}
        for form in self.forms:
            values = [np.asarray(row.get(form.name)) for row in rows]
            for value in values:
                if value.shape != form.shape or value.dtype != form.dtype:
                    raise DatasetError(
                        f"expected scenes with {form.name} as {form.dtype} {list(form.shape)}, "
                        f"but got {value.dtype} {list(value.shape)}"
                    )
            joined[form.name] = np.stack(values)
            if form.dtype.kind == "f":
                joined[form.name][np.isnan(joined[form.name])] = np.nan  # one bit pattern, for equal hashes
        return joined

    def write(self, folder: Path) -> None:
        """Write `manifest.json` atomically."""
        write_json(folder / MANIFEST_FILE, asdict(self))


def combined_hash(shards: tuple[ShardEntry, ...]) -> str:
    """Return the content hash of a store: the sha256 (hex) of its shards' content hashes in order."""
    return hashlib.sha256("".join(entry.content for entry in shards).encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a store.

    :raises DatasetError: when there is none, it cannot be read, or it has another schema
    """
    missing = (
        f"expected a scene store at {folder}, but {MANIFEST_FILE} is not there; "
        f"make one: pickclutter collect-scenes split=... out={folder}"
    )
    remedy = "delete it and collect these scenes again"
    return read_json(folder / MANIFEST_FILE, Manifest, DatasetError, remedy, missing)
