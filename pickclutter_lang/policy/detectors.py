"""Who says whether the named object is there, and where: a student, a teacher, the simulator itself, or chance."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from torch.nn import functional

from pickclutter_lang.datasets.transforms.squares import MIN_AREA_FRACTION, bounding_square, crop_squares
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.load import validate_label_names
from pickclutter_lang.manipulation.segmentation import (
    DEFAULT_SEGMENTATION_CONFIG,
    SegmentationConfig,
    segment_rgbd,
    select_target_segments,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.score_wrappers import camera_images
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE, encode_images

_NUM_CANDIDATES, _RANK_PENALTY = 3, 2.0
_CROP_WEIGHT, _MAX_LOGIT = 0.3, 12.0
# Chosen on 400 scenes of X_ood; their neighbors do as well there with other students of object crops.


class Detection(NamedTuple):
    """What is said of a name: its score, the score from which it counts as there, and where it is.

    `mask`, bool [H, W], is the object in the hand camera's image, `heat`, [H, W], where it was looked for, sum 1.
    """

    score: float
    threshold: float
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float64]

    @property
    def margin(self) -> float:
        """How far the score lies above the threshold; below 0 where the object counts as absent."""
        return self.score - self.threshold


class TargetDetector(Protocol):
    """Says of an observation of mode `rgbd` whether a named object is there, and where."""

    @property
    def names(self) -> Sequence[str]:
        """Names that it knows; others may be asked for too."""
        ...

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Judge a name."""
        ...


class StudentDetector:
    """A student: its score and threshold; its map chooses among the things that lie apart in the image, and whether
    it would call them so rather than by another name of its folder. A student of object crops looks at what was chosen.
    """

    def __init__(self, student: StudentRuntime, segmentation: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG) -> None:
        """Take a student of the hand camera.

        :param segmentation: how segments are found, and chosen by the student's map
        :raises InvalidArgumentError: for one that looks at the base camera too: its map is not of one image
        """
        cameras = student.train_config.data.cameras
        if list(cameras) != ["hand"]:
            raise InvalidArgumentError(
                f"expected a student of the hand camera alone, so that its map lies on that image, but got one of "
                f"{', '.join(cameras)}; distill one with data=hand_rgb or data=hand_rgbd"
            )
        self.student, self.segmentation = student, segmentation

    @property
    def names(self) -> Sequence[str]:
        """Names whose text is known."""
        return self.student.names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Judge a name; a new one is encoded by the teacher's text tower."""
        return self.detect(observation, [name])[0]

    def detect(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[Detection]:
        """Judge several different names on one image.

        With a student of object crops the score of a name that it was trained on is that of both, and up to three
        things are looked at that the map points to: the object is the one with the highest logarithm of the odds that
        it is rather called so than by another name of the folder, 2 less for those after the first. This, at most 12
        either way, is added with a weight of 0.3 to the logarithm of the odds of the whole image.

        :raises InvalidArgumentError: for a name that is empty or there twice
        :raises PickClutterError: what `StudentRuntime.look` raises
        """
        card, student = self.student.config, self.student
        names = validate_label_names(names)
        asked = list(dict.fromkeys([*names, *card.names]))
        look = student.predict(camera_images(observation), asked)
        view = student.train_config.data.crop_size or card.camera_size
        heatmaps = upsample_to_image(look.attention[: len(names)], view, card.camera_size, 0.0)
        heatmaps /= np.maximum(heatmaps.sum(axis=(1, 2), keepdims=True), 1e-12)
        odds = upsample_to_image(look.cell_logits, view, card.camera_size, np.nan)
        segments = _segment_observation(observation, self.segmentation)
        depth = observation["image"]["hand_camera"]["depth"][..., 0]
        crop_classifier = CropVerifier(student, observation["image"]["hand_camera"]["rgb"])
        found = []
        for n, (name, heatmap) in enumerate(zip(names, heatmaps, strict=True)):
            closer = card.crop_classifier is not None and name in card.names
            rivals = [asked.index(other) for other in card.names if other != name]
            own = odds[[n, *rivals]] if rivals else None
            count = _NUM_CANDIDATES if closer else 1
            masks = select_target_segments(segments, heatmap, depth, own, count, self.segmentation)
            mask = masks[0] if masks else np.zeros(segments.shape, bool)
            score, threshold = float(look.scores[n]), student.threshold(name)
            if card.crop_classifier is not None and closer:
                threshold = card.crop_classifier.thresholds[name]
                mask, close = crop_classifier.best(masks or [mask], name)
                score = float(expit(logit(score) + _CROP_WEIGHT * np.clip(close, -_MAX_LOGIT, _MAX_LOGIT)))
            found.append(Detection(score, threshold, mask, heatmap))
        return found


class CropVerifier:
    """Object crops of things in one image, each taken once, for whatever names it is asked."""

    def __init__(self, student: StudentRuntime, rgb: NDArray[np.uint8]) -> None:
        self._student, self._rgb = student, rgb
        self._cache: dict[bytes, NDArray[np.float64]] = {}

    def best(self, masks: Sequence[NDArray[np.bool_]], name: str) -> tuple[NDArray[np.bool_], float]:
        """Return which of some things is rather called by a name of the student's folder, and the odds.

        :param masks: one or more, the likeliest first; an empty one stands for nothing and has odds of -12
        """
        if not masks[0].any():
            return masks[0], -_MAX_LOGIT
        number = self._student.config.names.index(name)
        odds = [float(self._crop_logits(mask)[number]) - _RANK_PENALTY * (n > 0) for n, mask in enumerate(masks)]
        best = int(np.argmax(odds))
        return masks[best], odds[best]

    def _crop_logits(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        key = np.packbits(mask).tobytes()
        if key not in self._cache:
            self._cache[key] = self._student.classify_crop(self._rgb, mask)
        return self._cache[key]


class TeacherDetector:
    """A teacher, without any training: it names each thing that lies apart, among the names it was given."""

    def __init__(self, teacher: Teacher, names: Sequence[str], threshold: float = 0.5) -> None:
        self.teacher, self.names, self.threshold = teacher, list(names), threshold

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Judge a name: the probability of the thing in the image that is likeliest of that name."""
        asked = list(dict.fromkeys([name, *self.names]))
        text = self.teacher.encode_text([PHOTO_TEMPLATE.format(label=one) for one in asked])
        segments, rgb = _segment_observation(observation), observation["image"]["hand_camera"]["rgb"]
        sizes = np.bincount(segments.ravel())
        things = [k for k in range(1, len(sizes)) if sizes[k] >= MIN_AREA_FRACTION * segments.size]
        heatmap = np.zeros(segments.shape)
        if not things:
            return Detection(0.0, self.threshold, heatmap > 0, heatmap)
        squares = [bounding_square(segments == k) for k in things]
        images = crop_squares(np.repeat(rgb[None], len(things), axis=0), squares)
        features = encode_images(self.teacher, images)
        odds = (self.teacher.logit_scale * features @ text.T).softmax(dim=1)[:, 0].cpu().numpy()
        for k, value in zip(things, odds, strict=True):
            heatmap[segments == k] = value / sizes[k]
        best = segments == things[int(odds.argmax())]
        return Detection(float(odds.max()), self.threshold, best, heatmap / max(heatmap.sum(), 1e-12))


class OracleDetector:
    """The simulator's own segmentation, an upper bound: `PolicyObservation(env, mask=True)` gives it.

    An object that was seen at the first of up to three looks and is hidden later does not count as absent: all are
    judged together, and what is seen weighs three times as much.
    """

    names: Sequence[str] = ()

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Judge by what the simulator knows.

        :raises InvalidArgumentError: for an observation without the mask
        """
        if "mask" not in observation:
            raise InvalidArgumentError("expected the simulator's mask; wrap with PolicyObservation(env, mask=True)")
        mask = np.asarray(observation["mask"], bool).reshape(observation["image"]["hand_camera"]["rgb"].shape[:2])
        return Detection(float(mask.any()), 0.25, mask, mask / max(int(mask.sum()), 1))


class RandomDetector:
    """Any thing that lies apart, a lower bound; the same for the same image and name. It never says no."""

    names: Sequence[str] = ()

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Choose."""
        segments = _segment_observation(observation)
        rgb = np.ascontiguousarray(observation["image"]["hand_camera"]["rgb"])
        rng = np.random.default_rng([zlib.crc32(rgb.tobytes()), zlib.crc32(name.encode())])
        mask = (segments == rng.integers(1, max(int(segments.max()), 1) + 1)) & (segments > 0)
        return Detection(1.0, 0.5, mask, mask / max(int(mask.sum()), 1))


def upsample_to_image(maps: NDArray[np.float32], view: int, side: int, outside: float) -> NDArray[np.float64]:
    """Return maps [C, h, w] of the `view` pixels in the middle as ones of the whole image, [C, side, side]."""
    grown = functional.interpolate(torch.from_numpy(maps)[None], size=(view, view), mode="bilinear")[0].numpy()
    whole = np.full((len(maps), side, side), outside)
    start = (side - view) // 2
    whole[:, start : start + view, start : start + view] = grown
    return whole


def _segment_observation(
    observation: Mapping[str, Any], config: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG
) -> NDArray[np.int64]:
    images, camera = observation["image"]["hand_camera"], observation["camera_param"]["hand_camera"]
    depth, intrinsic, pose = images["depth"][..., 0], camera["intrinsic_cv"], camera["cam2world_gl"]
    return segment_rgbd(images["rgb"], depth, intrinsic, pose, config)
