"""Target detectors: whether the named object is present, and its mask; of a student, and two that bound it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.special import expit, logit

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import COLORS, color_alone, color_phrase, known_phrase
from pickclutter_lang.manipulation.segmentation import segment_photo, select_target_segments
from pickclutter_lang.policy.examples import crop_metric, keys_of
from pickclutter_lang.policy.observations import (
    checked_view,
    repeated,
    segment_log_odds,
    segment_observation,
    shrink_observation,
    upsample_to_image,
)
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.second_look import MAX_LOGIT, add_crops, crop_log_odds, rivals_of
from pickclutter_lang.utils.typing import FloatArray

# Of the crop classifier. Chosen on 400 scenes of X_ood; neighboring values do as well with other crop classifiers.
_NUM_CANDIDATES, _RANK_PENALTY = 3, 2.0
COLOR_THRESHOLD = 0.5
"""Of only a color: more of this color than of any other."""
EXAMPLE_THRESHOLD = 0.5
"""Of what was taught."""
_TEXT_WEIGHT, _MAX_TEXT_LOGIT = 0.3, 4.0
"""Of the text beside one example, and the most that it may say; beside n examples a share of 1 / n is left."""
_MAX_CROPS = 24
"""Segments that are looked at alone: the largest ones, so that a decision has a longest time."""


class Detection(NamedTuple):
    """A detector's answer for a name: its score, the score from which it is predicted present, and where it is.

    `mask`, bool [H, W], is the object in the hand camera's image. `heatmap`, [H, W], is the attention to it, sum 1. Of
    only a color it is the probability of each segment, with the sum 1, or 0 where there is no segment.
    """

    score: float
    threshold: float
    mask: NDArray[np.bool_]
    heatmap: NDArray[np.float64]

    @property
    def margin(self) -> float:
        """Score minus threshold; below 0 where the object is predicted absent."""
        return self.score - self.threshold


class TargetDetector(Protocol):
    """Detects a named object in an observation of `FlatObservation`."""

    @property
    def names(self) -> Sequence[str]:
        """Names that it knows; others are allowed too."""
        ...

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name."""
        ...


class StudentDetector:
    """A student: its scores and thresholds, and its attention to choose one of the segments of the image.

    The choice also uses the log odds of the other names of its folder, but for those that a new name means. With a crop
    classifier, up to three segments are candidates for a name of the folder. Chosen is the one with the highest log
    odds of the name against the folder's other names, minus 2 for all but the first candidate. These log odds, clipped
    to -12..12, are added to those of the image with a weight of 0.3.

    A student with a threshold for it takes a second look (see `policy.second_look`): the crop of each segment is
    compared with the texts of names. Chosen is the segment that is most of the name and least of its rivals, and its
    log odds are added as those of a crop classifier are.

    What was taught is recognized by its examples: each segment is compared with them, and the text adds less with each
    example. "The red mug" of a taught mug is the reddest of the segments that may be it.

    With a calibration the scores of names are adapted, but not of what was taught, nor of only a color.

    Only a color, "the red one", competes with the other colors instead. Its score is the probability that the segment
    that is most of this color has it, against the likeliest other color; its threshold is 0.5.
    """

    def __init__(self, student: StudentRuntime, always_present: bool = False) -> None:
        """Take a student of the hand camera.

        :param always_present: whatever its score, an object is predicted present: all thresholds are 0
        :raises InvalidArgumentError: for one that takes the base camera too: its attention is not of one image
        """
        if student.config.cameras != ("hand",):
            raise InvalidArgumentError(
                f"expected a student of only the hand camera, so that its map lies on that image, but got one of "
                f"{', '.join(student.config.cameras)}; distill one with data=hand_rgb or data=hand_rgbd"
            )
        self.student, self._always_present = student, always_present

    @property
    def names(self) -> Sequence[str]:
        """What it was taught, and names whose text features are known, without phrases of only a color."""
        known = [name for name in self.student.names if name in self.student.config.names or not color_alone(name)]
        return list(dict.fromkeys([*self.student.examples.taught, *known]))

    def taught_of(self, name: str) -> tuple[str, ...]:
        """Return which taught objects a name may mean: itself, or those that its noun names."""
        name, taught = self._plain(name), self.student.examples.taught
        if name in taught:
            return (name,)
        return () if not taught or color_alone(name) else known_phrase(name, taught).labels

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name; a new name is encoded by the teacher's text tower."""
        return self.detect(observation, [name])[0]

    def detect(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in one observation.

        Its images may have a multiple of `camera_size` pixels a side: the student sees them smaller, and examples are
        compared with crops of all pixels.

        :raises PickClutterError: what `checked_view` and `StudentRuntime.predict` raise
        """
        names = [self._plain(name) for name in names]
        observation = checked_view(observation)
        seen, factor = self._seen(observation)
        segments = segment_observation(seen)
        shown = {name: labels for name in names if (labels := self.taught_of(name))}
        by_text = [name for name in dict.fromkeys(names) if self._needs_text(name, shown.get(name))]
        looked = shown or (self.student.looks_twice and any(not color_alone(name) for name in by_text))
        crops = self._crops(observation["hand_rgb"], segments, factor) if looked else None
        found = dict(zip(by_text, self._detect_by_text(seen, segments, by_text, shown, crops), strict=True))
        found |= self._by_examples(segments, shown, found, crops)
        return [_enlarged(found[name].detection, factor) for name in names]

    def adapt(self, observation: Mapping[str, Any]) -> None:
        """Add an observation, with images as large, to the looks by which scores are adapted.

        :raises InvalidArgumentError: as `StudentRuntime.adapt`
        """
        seen, factor = self._seen(observation)
        looks = self.student.looks_twice and "hand_depth" in seen
        crops = self._crops(observation["hand_rgb"], segment_observation(seen), factor).features if looks else None
        self.student.adapt(seen, crops)

    def _seen(self, observation: Mapping[str, Any]) -> tuple[Mapping[str, Any], int]:
        """Return an observation as the student sees it, and how many times smaller that is."""
        factor = max(len(observation["hand_rgb"]) // self.student.config.camera_size, 1)
        return (shrink_observation(observation, factor) if factor > 1 else observation), factor

    def _plain(self, name: str) -> str:
        """Return a name as it was taught, if it was, "the Mug" too; otherwise without space around it."""
        spelled = self.student.examples.spelled(name)
        return spelled if spelled in self.student.examples.taught else name.strip()

    def _needs_text(self, name: str, labels: Sequence[str] | None) -> bool:
        """Whether a name's text counts: one that was not taught, that has thresholds, or that says more than a name."""
        return labels is None or name in self.student.config.names or name not in labels

    def _detect_by_text(
        self,
        observation: Mapping[str, Any],
        segments: NDArray[np.int64],
        names: Sequence[str],
        shown: Mapping[str, Sequence[str]],
        crops: _Crops | None,
    ) -> list[_ByText]:
        """Detect the objects of several names by their texts."""
        if not names:
            return []
        config = self.student.config
        rivals = [rivals_of(name, config.names) for name in names]
        colors = map(color_phrase, COLORS) if any(one.color for one in rivals) else ()
        scored = list(dict.fromkeys([*(one.own[0] for one in rivals), *config.names, *colors]))
        text = self.student.networks.encode_names(scored)
        output = self.student.networks.score(self.student.preprocess(observation), text)
        log_odds = segment_log_odds(output.cell_logits, segments, config.crop_size)
        texts = text.positive if self.student.looks_twice and crops is not None else None
        found, candidates, combined = list[_ByText](), list[list[NDArray[np.bool_]]](), set[int]()
        for n, (name, (asked, others, color)) in enumerate(zip(names, rivals, strict=True)):
            of_name, of_rivals = ([scored.index(other) for other in group] for group in (asked, others))
            own, against = log_odds[of_name], log_odds[np.array(of_rivals, int)]
            score, labels = float(output.scores[of_name[0]]), None
            if color:
                score, heatmap, labels = _color_scores(own[0], against, segments)
            else:
                heatmap = upsample_to_image(output.attention[of_name[:1]], config.crop_size, config.camera_size)[0]
                labels = own[1:].argmax(axis=0) if len(own) > 2 else None
            heatmap = heatmap / max(heatmap.sum(), 1e-12)
            said = np.nan_to_num(own[0], nan=-MAX_LOGIT)
            if texts is not None and crops is not None and others and not color and name not in shown.get(name, ()):
                odds = crop_log_odds(crops.features, texts, of_name, of_rivals)
                score = float(add_crops(np.asarray(score), odds.max(initial=-MAX_LOGIT)))
                masks = [segments == crops.rows[int(odds.argmax())]] if len(odds) else []
                combined.add(n)
            else:
                versus = np.vstack([own.max(axis=0), against]) if others else None
                count = _NUM_CANDIDATES if config.object_crop_size is not None and name in config.names else 1
                masks = select_target_segments(
                    segments, heatmap, observation["hand_depth"], versus, count, labels, join_anywhere=not color
                )
            candidates.append(masks or [np.zeros(segments.shape, bool)])
            threshold = 0.0 if self._always_present else COLOR_THRESHOLD
            found.append(_ByText(Detection(score, threshold, candidates[-1][0], heatmap), said))
        if config.object_crop_size is not None:
            combined = {n for n, name in enumerate(names) if name in config.names and name not in shown}
            found = self._verify(observation, names, found, candidates, sorted(combined))
        of = zip(names, rivals, found, strict=True)
        return [
            one if rival.color else self._decide(name, one, n in combined) for n, (name, rival, one) in enumerate(of)
        ]

    def _by_examples(
        self,
        segments: NDArray[np.int64],
        shown: Mapping[str, Sequence[str]],
        by_text: Mapping[str, _ByText],
        crops: _Crops | None,
    ) -> dict[str, _ByText]:
        """Detect the objects of names by examples of those that each may mean."""
        if not shown or crops is None:
            return {}
        examples, found, rows = self.student.examples, {}, crops.rows
        keys = keys_of(crops.features[None]) if len(rows) else None
        odds = np.zeros((0, len(examples.taught))) if keys is None else examples.log_odds(keys, crop_metric())
        for name, labels in shown.items():
            columns = [examples.taught.index(label) for label in labels]
            found[name] = self._recognize(name, segments, odds[:, columns], rows, labels, by_text.get(name))
        return found

    def _crops(self, rgb: NDArray[np.uint8], segments: NDArray[np.int64], factor: int) -> _Crops:
        """Return the crops of the segments that are large enough."""
        sizes = np.bincount(segments.ravel())
        rows = 1 + np.flatnonzero(sizes[1:] >= MIN_AREA_FRACTION * segments.size)
        rows = np.sort(rows[np.argsort(-sizes[rows], kind="stable")[:_MAX_CROPS]])
        masks = [repeated(segments == row, factor) for row in rows]
        return _Crops(self.student.encode_crops(rgb, masks)[0], rows)

    def _recognize(
        self,
        name: str,
        segments: NDArray[np.int64],
        odds: NDArray[np.float64],
        rows: NDArray[np.int64],
        labels: Sequence[str],
        by_text: _ByText | None,
    ) -> _ByText:
        """Return the segment that examples and text of a name together say is the object.

        :param odds: [n, L] of the segments `rows` [n], for the labels that the name may mean
        """
        odds = odds.max(axis=1) if len(rows) else np.zeros(0)
        if by_text is not None and name not in labels:  # "red mug" or "fruit", where a mug or a lemon was taught
            if odds.max(initial=-1.0) < 0:
                return by_text  # none of those is there, but another one may be
            said = by_text.log_odds[rows]
            odds = odds + np.clip(said - said[odds >= 0].max(), -_MAX_TEXT_LOGIT, 0.0)
        elif by_text is not None:
            score, threshold = (logit(np.clip(value, 1e-6, 1 - 1e-6)) for value in by_text.detection[:2])
            weight = _TEXT_WEIGHT / self.student.examples.count(name)
            odds = odds + weight * float(np.clip(score - threshold, -_MAX_TEXT_LOGIT, _MAX_TEXT_LOGIT))
        by_number = np.zeros(max(int(segments.max()), 0) + 1)
        by_number[rows] = expit(odds)
        heatmap = by_number[segments]
        best = segments == rows[int(odds.argmax())] if len(rows) else np.zeros(segments.shape, bool)
        threshold = 0.0 if self._always_present else EXAMPLE_THRESHOLD
        found = Detection(float(by_number.max()), threshold, best, heatmap / max(heatmap.sum(), 1e-12))
        return _ByText(found, by_number)

    def detect_without_depth(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in an image [S, S, 3] that fills the student's view.

        On a plain ground what was taught is found by its examples, with its mask. All else is found by text: no segment
        is chosen, and masks are empty.

        :raises InvalidArgumentError: for a student that takes depth
        :raises PickClutterError: what `StudentRuntime.predict` raises
        """
        spec, side = self.student.config, len(rgb)
        if spec.depth:
            raise InvalidArgumentError("expected a student of only RGB, but this one takes depth, which no photo has")
        names = [self._plain(name) for name in names]
        shown, segments = self._shown_in_photo(rgb, names)
        found, by_text = dict[str, _ByText](), [n for n in dict.fromkeys(names) if self._needs_text(n, shown.get(n))]
        if by_text:
            start = (spec.camera_size - spec.crop_size) // 2
            view = np.asarray(Image.fromarray(rgb).resize((spec.crop_size,) * 2))
            around = (start, spec.camera_size - spec.crop_size - start)  # which the student does not see
            output = self.student.predict({"hand_rgb": np.pad(view, (around, around, (0, 0)))}, by_text)
            maps, nowhere = upsample_to_image(output.attention, side, side), np.zeros((side, side), bool)
            odds = segment_log_odds(output.cell_logits, segments, side)
            scores, thresholds = self.student.decide(by_text, output.scores[None])
            decided = zip(scores[0].tolist(), thresholds.tolist(), maps, odds, strict=True)
            for name, (score, threshold, heatmap, own) in zip(by_text, decided, strict=True):
                found[name] = _ByText(Detection(score, threshold, nowhere, heatmap), own)
        found |= self._by_examples(segments, shown, found, self._crops(rgb, segments, 1) if shown else None)
        return [found[name].detection for name in names]

    def note_on_photo(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> str | None:
        """Return a sentence on the names that were taught, but are looked for only by text; None where none is."""
        names = [self._plain(name) for name in names]
        shown, _ = self._shown_in_photo(rgb, names)
        if not (left := [name for name in names if self.taught_of(name) and name not in shown]):
            return None
        return (
            f"The image's ground has many colors, so no object is cut out: by words, not by what was shown, are found "
            f"{', '.join(left)}. Take a plain ground, such as a sheet of paper."
        )

    def _shown_in_photo(
        self, rgb: NDArray[np.uint8], names: Sequence[str]
    ) -> tuple[dict[str, tuple[str, ...]], NDArray[np.int64]]:
        """Return names that examples tell, with the taught ones that each may mean, and the segments of a photo."""
        shown = {name: labels for name in names if (labels := self.taught_of(name))}
        segments = segment_photo(rgb, np.ones(rgb.shape[:2], bool)) if shown else None
        return ({}, np.zeros(rgb.shape[:2], np.int64)) if segments is None else (shown, segments)

    def _decide(self, name: str, found: _ByText, combined: bool) -> _ByText:
        """Return a detection with the threshold of its name, and both adapted where there is a calibration.

        :param combined: whether crops took part in its score
        """
        score, threshold = found.detection.score, 0.0
        if not self._always_present:
            scores, thresholds = self.student.decide([name], np.array([[score]]), combined)
            score, threshold = float(scores[0, 0]), float(thresholds[0])
        return found._replace(detection=found.detection._replace(score=score, threshold=threshold))

    def _verify(
        self,
        observation: Mapping[str, Any],
        names: Sequence[str],
        found: Sequence[_ByText],
        candidates: Sequence[Sequence[NDArray[np.bool_]]],
        asked: Sequence[int],
    ) -> list[_ByText]:
        """Return the detections after the crop classifier, which sees each candidate of the names `asked` once."""
        known, verified = self.student.config.names, list(found)
        crops = {mask.tobytes(): mask for n in asked for mask in candidates[n] if mask.any()}
        logits = self.student.classify_crops(observation["hand_rgb"], list(crops.values())) if crops else ()
        odds = {key: dict(zip(known, row, strict=True)) for key, row in zip(crops, logits, strict=True)}
        for n in asked:
            closer = [
                odds[mask.tobytes()][names[n]] - _RANK_PENALTY * (rank > 0) if mask.any() else -MAX_LOGIT
                for rank, mask in enumerate(candidates[n])
            ]
            best, first = int(np.argmax(closer)), found[n].detection
            score = float(add_crops(np.asarray(first.score), np.asarray(closer[best])))
            chosen = first._replace(score=score, mask=candidates[n][best])
            verified[n] = found[n]._replace(detection=chosen)
        return verified


class _ByText(NamedTuple):
    """A detection, and the log odds of the name by segment."""

    detection: Detection
    log_odds: NDArray[np.float64]


class _Crops(NamedTuple):
    """Features [n, F] of the crops of segments, and the numbers [n] of these segments."""

    features: NDArray[np.float32]
    rows: NDArray[np.int64]


def _color_scores(
    own: FloatArray, against: FloatArray, segments: NDArray[np.int64]
) -> tuple[float, FloatArray, NDArray[np.int64]]:
    """Return the score of only a color, its heatmap, and a label of each segment: 0 of this color.

    :param own: log odds of the color by segment, and `against`, [C, segments], of other colors
    """
    probabilities = np.nan_to_num(expit(own - against.max(axis=0)))  # NaN is out of view
    probabilities[0] = 0.0  # the background
    # Red segments that touch are one object, others are not.
    labels = np.where(probabilities >= COLOR_THRESHOLD, 0, np.arange(len(probabilities)))
    return float(probabilities.max()), probabilities[segments], labels


def _enlarged(found: Detection, factor: int) -> Detection:
    heatmap = repeated(found.heatmap, factor) / factor**2
    return found._replace(mask=repeated(found.mask, factor), heatmap=heatmap)


class OracleDetector:
    """Ground-truth segmentation of the simulator, an upper bound: `FlatObservation(env, mask=True)` gives it.

    Margins of all observations of an episode are added. A visible object counts three times as much as a hidden one,
    so that an object that is visible first and hidden later is not predicted absent.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        """Take names that are read in an instruction as they are; any other name is as good."""
        self.names = names

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

    def __init__(self, names: Sequence[str] = ()) -> None:
        """Take names that are read in an instruction as they are; any other name is as good."""
        self.names = names

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Choose a segment."""
        segments = segment_observation(observation)
        rgb = np.ascontiguousarray(observation["hand_rgb"])
        rng = np.random.default_rng([zlib.crc32(rgb.tobytes()), zlib.crc32(name.encode())])
        mask = (segments == rng.integers(1, max(int(segments.max()), 1) + 1)) & (segments > 0)
        return Detection(1.0, 0.5, mask, mask / max(int(mask.sum()), 1))
