"""`pickclutter calibrate`: looks at the piles that a policy acts in, written into its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.policy.calibration import MIN_LOOKS, Calibration
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.config import CalibrateConfig
from pickclutter_lang.policy_making.taught_folder import learning
from pickclutter_lang.utils.images import image_files, read_image
from pickclutter_lang.utils.progress import track
from pickclutter_lang.utils.sampling import evenly_spaced


def calibrate(config: CalibrateConfig) -> Calibration:
    """Have a policy look at piles, write its calibration, which takes the place of an earlier one, and return it.

    :raises InvalidArgumentError: for less than `MIN_LOOKS` looks, images that the student does not take, or a policy
        with a crop classifier
    :raises PickClutterError: for scenes, images or a policy that cannot be read; what the simulator raises
    """
    config.validate()
    with learning(config) as (student, _):
        student.calibration = Calibration(student.calibration.student)
        adapt = StudentDetector(student).adapt if student.looks_twice else student.adapt
        looks = (
            _of_scenes if config.scenes is not None else _of_images if config.images is not None else _of_environment
        )
        for observation in looks(config, student):
            adapt(observation)
    return student.calibration


def _chosen(count: int, place: object, config: CalibrateConfig) -> list[int]:
    """Return which of `count` looks are taken."""
    if count < MIN_LOOKS:
        raise InvalidArgumentError(
            f"expected at least {MIN_LOOKS} looks, each at another pile, but {place} has {count}; take more of them"
        )
    return evenly_spaced(count, config.looks)


def _of_scenes(config: CalibrateConfig, student: StudentRuntime) -> Iterator[Mapping[str, Any]]:
    """Yield images of scenes; no label of them counts."""
    from pickclutter_lang.datasets.config import SceneDataConfig
    from pickclutter_lang.datasets.scene_images import SceneDataset
    from pickclutter_lang.datasets.scenes.store import SceneStore
    from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

    store, side = SceneStore.open(str(config.scenes)), student.config.camera_size
    if store.image_size != side:
        raise MismatchError(
            f"expected scenes of {side} pixels for the policy {config.policy}, but those of {store.path} have "
            f"{store.image_size}; collect them with image_size={side}"
        )
    rows = _chosen(len(store), store.path, config)
    data = SceneDataConfig(cameras=["hand"], crop_size=None, target_label="present", max_cache_bytes=0)
    piles = SceneDataset(store, data) if student.looks_twice else None
    for row in track(rows, "looks", transient=True):
        images: dict[str, NDArray[Any]] = {} if piles is None else scene_to_observation(piles, row)
        for key in student.student_input:
            camera, _, kind = key.rpartition("_")
            stored = store.images(camera, kind, row)
            images[key] = stored if kind == "rgb" else stored / np.float32(1000)  # meters
        yield images


def _of_images(config: CalibrateConfig, student: StudentRuntime) -> Iterator[Mapping[str, Any]]:
    """Yield the central squares of image files, as large as the camera's images."""
    if student.student_input != ["hand_rgb"]:
        raise InvalidArgumentError(
            f"expected scenes= or objects= for a student of {', '.join(student.student_input)}: images have no depth"
        )
    folder, side = Path(str(config.images)), student.config.camera_size
    if not folder.is_dir():
        raise DatasetError(f"expected images= to be a folder, but got {folder}")
    paths = image_files(folder)
    for n in track(_chosen(len(paths), folder, config), "looks", transient=True):
        yield {"hand_rgb": np.asarray(ImageOps.fit(read_image(paths[n]), (side, side), Image.Resampling.BILINEAR))}


def _of_environment(config: CalibrateConfig, student: StudentRuntime) -> Iterator[Mapping[str, Any]]:
    """Yield the first images of piles in the simulator."""
    from pickclutter_lang.envs.renderer import prepare_renderer

    prepare_renderer()
    view = {"camera": config.camera, "appearance": config.appearance}
    policy = LanguagePickPolicy(StudentDetector(student))
    with closing(policy.make_env(config.objects, objects_root=config.objects_root, **view)) as env:
        for seed in track(range(config.seed, config.seed + config.looks), "looks", transient=True):
            yield env.reset(seed=seed)[0]
