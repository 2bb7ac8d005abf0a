"""Target detectors: whether the named object is present, and its mask; of a student, and two that bound it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import expit, logit

from pickclutter_lang.datasets.transforms.resampling import enlarge, segment_means
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase, known_phrase
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.manipulation.segmentation import segment_rgbd, select_target_segments
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.runtime import StudentRuntime

# Chosen on 400 scenes of X_ood; neighboring values do as well there with other crop classifiers.
_NUM_CANDIDATES, _RANK_PENALTY = 3, 2.0
_CROP_WEIGHT, _MAX_LOGIT = 0.3, 12.0
COLOR_THRESHOLD = 0.5
"""Of a color alone: more of this color than of any other."""


class Detection(NamedTuple):
    """A detector's answer for a name: its score, the score from which it is predicted present, and where it is.

    `mask`, bool [H, W], is the object in the hand camera's image. `heatmap`, [H, W], is the attention to it, sum 1. Of
    a color alone it is the probability of each segment, with the sum 1, or 0 where there is no segment.
    `segments`, [H, W], are those that it chose from: 1, 2, ..., and 0 for the background; None without a choice.
    """

    score: float
    threshold: float
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float64]
    segments: NDArray[np.int64] | None = None

    @property
    def margin(self) -> float:
        """Score minus threshold; below 0 where the object is predicted absent."""
        return self.score - self.threshold


class ScoredTarget(NamedTuple):
    """Score of a name, the rest as in `Detection`; `verified`: a crop classifier took part in it."""

    score: float
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float64]
    verified: bool
    segments: NDArray[np.int64]


class TargetDetector(Protocol):
    """Detects a named object in an observation of `FlatObservation`."""

    @property
    def names(self) -> Sequence[str]:
        """Names that it knows; others are allowed too."""
        ...

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name."""
        ...


class ScoringDetector(Protocol):
    """A detector whose scores of several names can be calibrated on stored scenes."""

    def score(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[ScoredTarget]:
        """Score several different names in one observation."""
        ...


class Rivals(NamedTuple):
    """`own`: the name as a network is asked for it, then the names that it means. `others`: those against it.

    `color`: whether it is a color alone, "the red one", which has the other colors against it.
    """

    own: list[str]
    others: list[str]
    color: bool


def rivals_of(name: str, names: Sequence[str]) -> Rivals:
    """Return the rivals of a name among those of a detector.

    "Fruit", a new name, means the lemon, which then counts for it. "Yellow fruit" may mean the lemon or the apple:
    neither counts. One of `names` has all others against it, even where it reads as a color alone.
    """
    if name in names:
        return Rivals([name], [other for other in names if other != name], False)
    color = color_alone(name)
    if color is not None:
        return Rivals([color_phrase(color)], [color_phrase(other) for other in COLORS if other != color], True)
    phrase = known_phrase(name, tuple(names))
    own = () if phrase.modifiers else phrase.labels
    return Rivals([name, *own], [other for other in names if other not in phrase.labels], False)


class StudentDetector:
    """A student: its scores and thresholds, and its attention to choose one of the segments of the image.

    The choice also uses the log odds of the other names of its folder, but for those that a new name means. A crop
    classifier verifies the chosen segments.

    A color alone, "the red one", competes with the other colors instead. Its score is the probability that the segment
    that is most of this color has it, against the likeliest other color; its threshold is 0.5.
    """

    def __init__(self, student: StudentRuntime, always_present: bool = False) -> None:
        """Take a student of the hand camera.

        :param always_present: whatever its score, an object is predicted present: all thresholds are 0
        :raises InvalidArgumentError: for one that takes the base camera too: its attention is not of one image
        """
        cameras = student.config.cameras
        if cameras != ("hand",):
            raise InvalidArgumentError(
                f"expected a student of the hand camera alone, so that its map lies on that image, but got one of "
                f"{', '.join(cameras)}; distill one with data=hand_rgb or data=hand_rgbd"
            )
        self.student, self._always_present = student, always_present

    @property
    def names(self) -> Sequence[str]:
        """Names whose text features are known, without phrases that the student is asked for a color alone."""
        return [name for name in self.student.names if name in self.student.config.names or not color_alone(name)]

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name; a new name is encoded by the teacher's text tower."""
        return self.detect(observation, [name])[0]

    def detect(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several different names in one observation.

        :raises InvalidArgumentError: for a name that is empty or there twice
        :raises PickClutterError: what `StudentRuntime.predict` raises
        """
        return [
            Detection(target.score, self._threshold(name, target), target.mask, target.heatmap, target.segments)
            for name, target in zip(validate_label_names(names), self.score(observation, names), strict=True)
        ]

    def detect_without_depth(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several different names in an image [S, S, 3] that fills the student's view.

        Without depth no segment is chosen: masks are empty.

        :raises InvalidArgumentError: for a student that takes depth, or a wrong name
        :raises PickClutterError: what `StudentRuntime.predict` raises
        """
        spec, side = self.student.config, len(rgb)
        if spec.depth:
            raise InvalidArgumentError("expected a student of RGB alone, but this one takes depth, which no photo has")
        start = (spec.camera_size - spec.crop_size) // 2
        view = np.asarray(Image.fromarray(rgb).resize((spec.crop_size,) * 2))
        around = (start, spec.camera_size - spec.crop_size - start)  # which the student does not see
        output = self.student.predict({"hand_rgb": np.pad(view, (around, around, (0, 0)))}, names)
        maps, nowhere = upsample_to_image(output.attention, side, side), np.zeros((side, side), bool)
        rows = zip(validate_label_names(names), output.scores.tolist(), maps, strict=True)
        return [Detection(score, self.student.threshold(name), nowhere, heatmap) for name, score, heatmap in rows]

    def _threshold(self, name: str, target: ScoredTarget) -> float:
        if self._always_present:
            return 0.0
        if rivals_of(name, self.student.config.names).color:
            return COLOR_THRESHOLD
        of_verified = self.student.thresholds.crop_classifier if target.verified else None
        return self.student.threshold(name) if of_verified is None else of_verified[name]

    def score(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[ScoredTarget]:
        """Score several different names in one observation, and choose the segment of each.

        With a crop classifier, up to three segments are candidates for a name of the folder. Chosen is the one with the
        highest log odds of the name against the folder's other names, minus 2 for all but the first candidate. These
        log odds, clipped to -12..12, are added to those of the image with a weight of 0.3. The score of a color alone
        is that of its likeliest segment.

        :raises PickClutterError: as `detect`
        """
        config, names = self.student.config, validate_label_names(names)
        rivals = [rivals_of(name, config.names) for name in names]
        colors = map(color_phrase, COLORS) if any(one.color for one in rivals) else ()
        scored = list(dict.fromkeys([*(one.own[0] for one in rivals), *config.names, *colors]))
        output = self.student.predict(observation, scored)
        asked = [scored.index(one.own[0]) for one in rivals]
        heatmaps = upsample_to_image(output.attention[asked], config.crop_size, config.camera_size)
        heatmaps /= np.maximum(heatmaps.sum(axis=(1, 2), keepdims=True), 1e-12)
        segments = segment_observation(observation)
        log_odds = segment_log_odds(output.cell_logits, segments, config.crop_size)
        depth, verifier = observation["hand_depth"], CropVerifier(self.student, observation["hand_rgb"])
        found = []
        for name, of_name, row, heatmap in zip(names, rivals, asked, heatmaps, strict=True):
            groups = of_name.own, of_name.others
            own, others = (log_odds[np.array([scored.index(n) for n in group], int)] for group in groups)
            verified = config.object_crop_size is not None and name in config.names
            score = float(output.scores[row])
            labels, count = own[1:].argmax(axis=0) if len(own) > 2 else None, _NUM_CANDIDATES if verified else 1
            if of_name.color:  # red segments that touch are one object, others are not
                probabilities = _segment_probabilities(own[0], others)
                score, heatmap = float(probabilities.max()), probabilities[segments]
                heatmap = heatmap / max(heatmap.sum(), 1e-12)
                labels = np.where(probabilities >= COLOR_THRESHOLD, 0, np.arange(len(probabilities)))
            name_odds = np.vstack([own.max(axis=0), others]) if len(others) else None
            masks = select_target_segments(
                segments, heatmap, depth, name_odds, count, labels, join_anywhere=not of_name.color
            )
            mask = masks[0] if masks else np.zeros(segments.shape, bool)
            if verified:
                mask, crop_logit = verifier.best(masks or [mask], name)
                score = float(expit(logit(score) + _CROP_WEIGHT * np.clip(crop_logit, -_MAX_LOGIT, _MAX_LOGIT)))
            found.append(ScoredTarget(score, mask, heatmap, verified, segments))
        return found


def _segment_probabilities(target: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability [segments] of a target against the likeliest of others; 0 for what is no segment in view.

    :param target: log odds [segments], by number of the segment; 0 is the background, NaN is out of view
    :param others: log odds [C, segments]
    """
    found: NDArray[np.float64] = np.nan_to_num(expit(target - others.max(axis=0)))
    found[0] = 0.0
    return found


class CropVerifier:
    """Log odds of object crops of one image; each crop is classified once, for any number of names."""

    def __init__(self, student: StudentRuntime, rgb: NDArray[np.uint8]) -> None:
        self._student, self._rgb = student, rgb
        self._cache: dict[bytes, NDArray[np.float64]] = {}

    def best(self, masks: Sequence[NDArray[np.bool_]], name: str) -> tuple[NDArray[np.bool_], float]:
        """Return the candidate with the highest log odds of a name of the student's folder, and these.

        :param masks: one or more candidates, the likeliest first; an empty one has log odds of -12
        """
        if not masks[0].any():
            return masks[0], -_MAX_LOGIT
        number = self._student.config.names.index(name)
        keys = [np.packbits(mask).tobytes() for mask in masks]
        new = [n for n, key in enumerate(keys) if key not in self._cache]
        if new:
            found = self._student.classify_crops(self._rgb, [masks[n] for n in new])
            self._cache |= {keys[n]: odds for n, odds in zip(new, found, strict=True)}
        odds = [float(self._cache[key][number]) - _RANK_PENALTY * (n > 0) for n, key in enumerate(keys)]
        best = int(np.argmax(odds))
        return masks[best], odds[best]


def upsample_to_image(maps: NDArray[np.float32], view: int, side: int) -> NDArray[np.float64]:
    """Return maps [C, h, w] of the central `view` pixels as maps of the full image, [C, side, side], 0 outside."""
    full = np.zeros((len(maps), side, side))
    start = (side - view) // 2
    full[:, start : start + view, start : start + view] = enlarge(maps, view)
    return full


def segment_log_odds(cell_logits: NDArray[np.float32], segments: NDArray[np.int64], view: int) -> NDArray[np.float64]:
    """Return the mean log odds of names in each segment, [C, segments], by the pixels that the student sees.

    :param cell_logits: [C, h, w], of the central `view` pixels of the image
    :param segments: [side, side], of the full image
    :return: NaN for a segment outside of the view
    """
    start = (len(segments) - view) // 2
    seen = segments[start : start + view, start : start + view]
    return segment_means(cell_logits, seen, int(segments.max()) + 1)


def segment_observation(observation: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the segments [H, W] of the hand camera's image: 1, 2, ..., and 0 for the background."""
    rgb, depth, intrinsic, pose = (observation[f"hand_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world"))
    return segment_rgbd(rgb, depth, intrinsic, pose)


class OracleDetector:
    """Ground-truth segmentation of the simulator, an upper bound: `FlatObservation(env, mask=True)` gives it.

    Margins of all observations of an episode are added. A visible object counts three times as much as a hidden one,
    so that an object that is visible first and hidden later is not predicted absent.
    """

    def __init__(self, names: Sequence[str] | None = None) -> None:
        """Take the names that it knows, by default the paper's; any other name is as good."""
        self.names = paper_catalog().names if names is None else names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Return the pixels of the environment's target, whatever the name.

        :raises InvalidArgumentError: for an observation without the mask
        """
        if "mask" not in observation:
            raise InvalidArgumentError("expected the simulator's mask; wrap with FlatObservation(env, mask=True)")
        mask = np.asarray(observation["mask"], bool)
        return Detection(float(mask.any()), 0.25, mask, mask / max(int(mask.sum()), 1))


class RandomDetector:
    """Any segment, a lower bound; the same for the same image and name. It always predicts that the object is there."""

    def __init__(self, names: Sequence[str] | None = None) -> None:
        """Take the names that it knows, by default the paper's; any other name is as good."""
        self.names = paper_catalog().names if names is None else names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Choose a segment."""
        segments = segment_observation(observation)
        rgb = np.ascontiguousarray(observation["hand_rgb"])
        rng = np.random.default_rng([zlib.crc32(rgb.tobytes()), zlib.crc32(name.encode())])
        mask = (segments == rng.integers(1, max(int(segments.max()), 1) + 1)) & (segments > 0)
        return Detection(1.0, 0.5, mask, mask / max(int(mask.sum()), 1), segments)
