"""Looks: images whose segments are named, from scene stores, folders of frames or photos, and piles drawn now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.frames import frames_in, read_frame
from pickclutter_lang.datasets.scenes.manifest import MANIFEST_FILE
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.manipulation.photo_segmentation import segment_photo
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.observations import enlarge_segments
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View, large_segments
from pickclutter_lang.policy_making.config import LabelConfig
from pickclutter_lang.utils.images import IMAGE_SUFFIXES, image_files, read_image
from pickclutter_lang.utils.progress import track


@dataclass(frozen=True, eq=False)
class Look:
    """An image, uint8 [H, W, 3], and `parts` [h, w], the number of the segment of each pixel, 0 for the ground."""

    name: str
    rgb: NDArray[np.uint8]
    parts: NDArray[np.int64]

    @property
    def masks(self) -> list[NDArray[np.bool_]]:
        """Pixels, bool [H, W], of each segment that is large enough to be told."""
        return [enlarge_segments(self.parts == number, self.rgb.shape) for number in large_segments(self.parts)]


def looks_of(config: LabelConfig, student: StudentRuntime) -> Iterator[Look]:
    """Yield the looks that a configuration names, with the segments of a student.

    :raises DatasetError: for a store or folder that has none, or a damaged file
    :raises PickClutterError: what making the environment raises
    """
    if config.piles is not None:
        yield from _of_simulator(config, config.piles, student)
        return
    place = Path(str(config.looks))
    if (place / MANIFEST_FILE).is_file():
        yield from _of_store(place, config.max_looks, student)
        return
    paths = image_files(place) if place.exists() else []
    if not paths:
        raise DatasetError(
            f"expected looks={place} to be a scene store, a folder of RGB-D frames, or photos "
            f"({', '.join(IMAGE_SUFFIXES)}), but there is none; a number of piles is drawn by the simulator"
        )
    frames = _frames(place)
    for name in track(frames[: config.max_looks], "looks", transient=True):
        yield _of_view(name or "frame", View.of_observation(student, read_frame(place, name)))
    stems = Counter(path.stem for path in paths)
    for path in track([] if frames else paths[: config.max_looks], "looks", transient=True):
        rgb = np.asarray(read_image(path))
        parts = segment_photo(rgb, np.ones(rgb.shape[:2], bool))
        name = path.stem if stems[path.stem] == 1 else path.name
        yield Look(name, rgb, np.ones(rgb.shape[:2], np.int64) if parts is None else parts)


def _frames(place: Path) -> list[str]:
    """Return the names of the frames with depth in a folder."""
    try:
        names = [*frames_in(place)]
    except DatasetError:
        return []
    return [name for name in names if (place / (f"{name}_depth.png" if name else "depth.png")).exists()]


def _of_view(name: str, view: View) -> Look:
    return Look(name, view.rgb, view.parts)


def _of_store(place: Path, most: int, student: StudentRuntime) -> Iterator[Look]:
    """Yield the first scenes of a store; their labels are not read."""
    from pickclutter_lang.datasets.config import SceneDataConfig
    from pickclutter_lang.datasets.scene_images import SceneDataset, scene_row_name
    from pickclutter_lang.datasets.scenes import SceneStore
    from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

    store = SceneStore.open(place)
    scenes = SceneDataset(store, SceneDataConfig(crop_size=None, target_label="present"))
    for row in track(range(min(most, len(scenes))), "looks", transient=True):
        yield _of_view(scene_row_name(row), View.of_observation(student, scene_to_observation(scenes, row)))


def _of_simulator(config: LabelConfig, count: int, student: StudentRuntime) -> Iterator[Look]:
    """Yield piles that the simulator draws."""
    size = {"width": config.image_size, "height": config.image_size}
    objects = {key: getattr(config, key) for key in ("objects_root", "kinds", "instances", "distractors")}
    env = LanguagePickPolicy(StudentDetector(student)).make_env(
        config.objects, camera_cfgs={"hand_camera": size}, absent_probability=0.0, split="ood", **objects
    )
    try:
        for seed in track(range(config.seed, config.seed + count), "looks", transient=True):
            observation, _ = env.reset(seed=seed)
            yield _of_view(f"pile_{seed}", View.of_observation(student, observation))
    finally:
        env.close()
