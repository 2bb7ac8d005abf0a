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

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.finished import check_names
from pickclutter_lang.manipulation.segmentation import (
    DEFAULT_SEGMENTATION_CONFIG,
    SegmentationConfig,
    segment_rgbd,
    select_target_segments,
)
from pickclutter_lang.policy.student import GraspabilityStudent
from pickclutter_lang.policy.wrappers import frame_of
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.training.crops import SMALLEST_SHARE, cut_squares, square_around
from pickclutter_lang.training.zero_shot import SINGLE, encode_pictures

_CANDIDATES, _LATER_COST = 3, 2.0
_CLOSE_UP_WEIGHT, _MOST_ODDS = 0.3, 12.0
# Chosen on 400 scenes of X_ood (docs/policy.md); their neighbours do as well there with other students of close-ups.


class Judgement(NamedTuple):
    """What is said of a name: its score, the score from which it counts as there, and where it is.

    `mask`, bool [H, W], is the object in the hand camera's picture, `heat`, [H, W], where it was looked for, sum 1.
    """

    score: float
    threshold: float
    mask: NDArray[np.bool_]
    heat: NDArray[np.float64]

    @property
    def margin(self) -> float:
        """How far the score lies above the threshold; below 0 where the object counts as absent."""
        return self.score - self.threshold


class Judge(Protocol):
    """Says of an observation of mode `rgbd` whether a named object is there, and where."""

    @property
    def names(self) -> Sequence[str]:
        """Names that it knows; others may be asked for too."""
        ...

    def __call__(self, observation: Mapping[str, Any], name: str) -> Judgement:
        """Judge a name."""
        ...


class StudentJudge:
    """A student: its score and threshold; its map chooses among the things that lie apart in the picture, and whether
    it would call them so rather than by another name of its folder. A student of close-ups looks at what was chosen.
    """

    def __init__(
        self, student: GraspabilityStudent, segmentation: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG
    ) -> None:
        """Take a student of the hand camera.

        :param segmentation: how segments are found, and chosen by the student's map
        :raises InvalidArgumentError: for one that looks at the base camera too: its map is not of one picture
        """
        cameras = student.settings.data.cameras
        if list(cameras) != ["hand"]:
            raise InvalidArgumentError(
                f"expected a student of the hand camera alone, so that its map lies on that picture, but got one of "
                f"{', '.join(cameras)}; distil one with data=hand_rgb or data=hand_rgbd"
            )
        self.student, self.segmentation = student, segmentation

    @property
    def names(self) -> Sequence[str]:
        """Names whose text is known."""
        return self.student.names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Judgement:
        """Judge a name; a new one is encoded by the teacher's text tower."""
        return self.judge(observation, [name])[0]

    def judge(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[Judgement]:
        """Judge several different names on one picture.

        With a student of close-ups the score of a name that it was trained on is that of both, and up to three things
        are looked at that the map points to: the object is the one with the highest logarithm of the odds that it is
        rather called so than by another name of the folder, 2 less for those after the first. This, at most 12 either
        way, is added with a weight of 0.3 to the logarithm of the odds of the whole picture.

        :raises InvalidArgumentError: for a name that is empty or there twice
        :raises PickClutterError: what `GraspabilityStudent.look` raises
        """
        card, student = self.student.card, self.student
        names = check_names(names)
        asked = list(dict.fromkeys([*names, *card.names]))
        look = student.look(frame_of(observation), asked)
        view = student.settings.data.view or card.camera_size
        heats = on_picture(look.maps[: len(names)], view, card.camera_size, 0.0)
        heats /= np.maximum(heats.sum(axis=(1, 2), keepdims=True), 1e-12)
        odds = on_picture(look.odds, view, card.camera_size, np.nan)
        segments = _segments(observation, self.segmentation)
        depth = observation["image"]["hand_camera"]["depth"][..., 0]
        closeups = CloseUps(student, observation["image"]["hand_camera"]["rgb"])
        found = []
        for n, (name, heat) in enumerate(zip(names, heats, strict=True)):
            closer = card.closeups is not None and name in card.names
            rivals = [asked.index(other) for other in card.names if other != name]
            own = odds[[n, *rivals]] if rivals else None
            count = _CANDIDATES if closer else 1
            masks = select_target_segments(segments, heat, depth, own, count, self.segmentation)
            mask = masks[0] if masks else np.zeros(segments.shape, bool)
            score, threshold = float(look.scores[n]), student.threshold(name)
            if card.closeups is not None and closer:
                threshold = card.closeups.thresholds[name]
                mask, close = closeups.best(masks or [mask], name)
                score = float(expit(logit(score) + _CLOSE_UP_WEIGHT * np.clip(close, -_MOST_ODDS, _MOST_ODDS)))
            found.append(Judgement(score, threshold, mask, heat))
        return found


class CloseUps:
    """Close-ups of things in one picture, each taken once, for whatever names it is asked."""

    def __init__(self, student: GraspabilityStudent, rgb: NDArray[np.uint8]) -> None:
        self._student, self._rgb = student, rgb
        self._taken: dict[bytes, NDArray[np.float64]] = {}

    def best(self, masks: Sequence[NDArray[np.bool_]], name: str) -> tuple[NDArray[np.bool_], float]:
        """Return which of some things is rather called by a name of the student's folder, and the odds.

        :param masks: one or more, the likeliest first; an empty one stands for nothing and has odds of -12
        """
        if not masks[0].any():
            return masks[0], -_MOST_ODDS
        number = self._student.card.names.index(name)
        odds = [float(self._odds(mask)[number]) - _LATER_COST * (n > 0) for n, mask in enumerate(masks)]
        best = int(np.argmax(odds))
        return masks[best], odds[best]

    def _odds(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        key = np.packbits(mask).tobytes()
        if key not in self._taken:
            self._taken[key] = self._student.close_up(self._rgb, mask)
        return self._taken[key]


class TeacherJudge:
    """A teacher, without any training: it names each thing that lies apart, among the names it was given."""

    def __init__(self, teacher: Teacher, names: Sequence[str], threshold: float = 0.5) -> None:
        self.teacher, self.names, self.threshold = teacher, list(names), threshold

    def __call__(self, observation: Mapping[str, Any], name: str) -> Judgement:
        """Judge a name: the probability of the thing in the picture that is likeliest of that name."""
        asked = list(dict.fromkeys([name, *self.names]))
        text = self.teacher.encode_text([SINGLE.format(label=one) for one in asked])
        segments, rgb = _segments(observation), observation["image"]["hand_camera"]["rgb"]
        sizes = np.bincount(segments.ravel())
        things = [k for k in range(1, len(sizes)) if sizes[k] >= SMALLEST_SHARE * segments.size]
        heat = np.zeros(segments.shape)
        if not things:
            return Judgement(0.0, self.threshold, heat > 0, heat)
        squares = [square_around(segments == k) for k in things]
        pictures = cut_squares(np.repeat(rgb[None], len(things), axis=0), squares)
        features = encode_pictures(self.teacher, pictures)
        odds = (self.teacher.logit_scale * features @ text.T).softmax(dim=1)[:, 0].cpu().numpy()
        for k, value in zip(things, odds, strict=True):
            heat[segments == k] = value / sizes[k]
        best = segments == things[int(odds.argmax())]
        return Judgement(float(odds.max()), self.threshold, best, heat / max(heat.sum(), 1e-12))


class SimulatorJudge:
    """The simulator's own segmentation, an upper bound: `PolicyObservation(env, mask=True)` gives it.

    An object that was seen at the first of up to three looks and is hidden later does not count as absent: all are
    judged together, and what is seen weighs three times as much.
    """

    names: Sequence[str] = ()

    def __call__(self, observation: Mapping[str, Any], name: str) -> Judgement:
        """Judge by what the simulator knows.

        :raises InvalidArgumentError: for an observation without the mask
        """
        if "mask" not in observation:
            raise InvalidArgumentError("expected the simulator's mask; wrap with PolicyObservation(env, mask=True)")
        mask = np.asarray(observation["mask"], bool).reshape(observation["image"]["hand_camera"]["rgb"].shape[:2])
        return Judgement(float(mask.any()), 0.25, mask, mask / max(int(mask.sum()), 1))


class RandomJudge:
    """Any thing that lies apart, a lower bound; the same for the same picture and name. It never says no."""

    names: Sequence[str] = ()

    def __call__(self, observation: Mapping[str, Any], name: str) -> Judgement:
        """Choose."""
        segments = _segments(observation)
        rgb = np.ascontiguousarray(observation["image"]["hand_camera"]["rgb"])
        rng = np.random.default_rng([zlib.crc32(rgb.tobytes()), zlib.crc32(name.encode())])
        mask = (segments == rng.integers(1, max(int(segments.max()), 1) + 1)) & (segments > 0)
        return Judgement(1.0, 0.5, mask, mask / max(int(mask.sum()), 1))


def on_picture(maps: NDArray[np.float32], view: int, side: int, outside: float) -> NDArray[np.float64]:
    """Return maps [C, h, w] of the `view` pixels in the middle as ones of the whole picture, [C, side, side]."""
    grown = functional.interpolate(torch.from_numpy(maps)[None], size=(view, view), mode="bilinear")[0].numpy()
    whole = np.full((len(maps), side, side), outside)
    start = (side - view) // 2
    whole[:, start : start + view, start : start + view] = grown
    return whole


def _segments(
    observation: Mapping[str, Any], config: SegmentationConfig = DEFAULT_SEGMENTATION_CONFIG
) -> NDArray[np.int64]:
    images, camera = observation["image"]["hand_camera"], observation["camera_param"]["hand_camera"]
    depth, intrinsic, pose = images["depth"][..., 0], camera["intrinsic_cv"], camera["cam2world_gl"]
    return segment_rgbd(images["rgb"], depth, intrinsic, pose, config)
