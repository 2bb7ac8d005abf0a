"""Schema 1 of the scene store: names, dtypes and shapes of the datasets, and the checks of a scene.

A scene is a plain dictionary of arrays (`SceneRow`). The fields of a store are listed in its manifest, since
not every source knows everything: the authors' published scenes, for one, carry the label `present` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.utils.constants import CAMERAS, LABELS, MAX_ACTORS, REP_POINTS

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
        for field in self.fields:
            values = np.stack([np.asarray(row[field.name], dtype=field.dtype) for row in rows])
            if values.dtype.kind == "f":
                values[np.isnan(values)] = np.nan  # one bit pattern, so that equal content has an equal hash
            joined[field.name] = values
        return joined

    def _check(self, row: Mapping[str, NDArray[Any]]) -> None:
        missing = [name for name in self.names if name not in row]
        if missing:
            raise DatasetError(f"expected a scene with {', '.join(self.names)}, but {', '.join(missing)} is missing")
        for field in self.fields:
            value = np.asarray(row[field.name])
            if value.shape != field.shape or value.dtype != field.dtype:
                raise DatasetError(
                    f"scene {int(row['index'])}: expected {field.name} as {field.dtype} {list(field.shape)}, "
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
