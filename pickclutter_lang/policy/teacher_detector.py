"""`TeacherDetector`: a teacher's answer for a name, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.transforms.resampling import MIN_AREA_FRACTION
from pickclutter_lang.language.label_names import MAX_NEW_NAMES
from pickclutter_lang.policy.detectors import THRESHOLD, Detection
from pickclutter_lang.policy.observations import checked_view, segment_observation
from pickclutter_lang.policy.queries import query_of
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.known_words import warn_of_unknown_words, with_neighbors
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE, encode_images, encode_objects
from pickclutter_lang.utils.memory import keep_recent


class TeacherDetector:
    """A teacher without training: it classifies each segment among its names, but for those that a new name means.

    Where it means all of them, all are its rivals: a score among none would say nothing.
    A color by itself, "the red one", competes with the likeliest other color, as for a `StudentDetector`. Each text is
    encoded once, unless many others were used since.
    """

    def __init__(self, teacher: Teacher, names: Sequence[str], thresholds: Thresholds | None) -> None:
        """Take a teacher; words of further names that it does not know are taken for known ones.

        :param names: the rivals of a name; see `query_of`
        :param thresholds: of its scores; those of a policy evaluation are calibrated as a student's are. None: whatever
            its score, an object is predicted present
        """
        self.teacher, self.names, self.thresholds = with_neighbors(teacher, kept=names), list(names), thresholds
        self._text: dict[str, Tensor] = {}

    def __call__(self, observation: Mapping[str, Any], name: str) -> Detection:
        """Detect the object of a name: the segment with the highest probability of it."""
        return self.detect(observation, [name])[0]

    def detect(self, observation: Mapping[str, Any], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in one observation; each segment is classified once."""
        observation = checked_view(observation)
        segments = segment_observation(observation)
        rgb = observation["hand_rgb"]
        sizes = np.bincount(segments.ravel())
        large = [k for k in range(1, len(sizes)) if sizes[k] >= MIN_AREA_FRACTION * segments.size]
        if not large:
            heatmap = np.zeros(segments.shape)
            return [Detection(0.0, self._threshold(name), heatmap > 0, heatmap) for name in names]
        features = encode_objects(self.teacher, rgb, np.stack([segments == k for k in large]))
        return [self._classify(features, name, segments, large) for name in names]

    def detect_without_depth(self, rgb: NDArray[np.uint8], names: Sequence[str]) -> list[Detection]:
        """Detect the objects of several names in an image [H, W, 3], which is classified as a whole."""
        features = encode_images(self.teacher, rgb[None])
        whole = np.ones(rgb.shape[:2], np.int64)
        return [self._classify(features, name, whole, [1]) for name in names]

    def _threshold(self, name: str) -> float:
        if self.thresholds is None:
            return 0.0
        if query_of(name, self.names).color:
            return THRESHOLD
        return self.thresholds.of(name)

    def _classify(self, features: Tensor, name: str, segments: NDArray[np.int64], large: Sequence[int]) -> Detection:
        """Return the answer for a name.

        :param features: of the images [n, D] of segments
        :param large: the numbers of these segments
        """
        query = query_of(name, self.names)
        others = query.rivals or [other for other in self.names if other != name]
        text = self.encode_names([query.texts[0], *others])
        logits = self.teacher.logit_scale * features @ text.T
        if query.color:
            logits = torch.stack([logits[:, 0], logits[:, 1:].amax(dim=1)], dim=1)
        # Without another name the segments compete with each other.
        probabilities = logits.softmax(dim=1 if len(text) > 1 else 0)[:, 0].cpu().numpy()
        heatmap = np.zeros(segments.shape)
        for k, value in zip(large, probabilities, strict=True):
            heatmap[segments == k] = value / (segments == k).sum()
        best = segments == large[int(probabilities.argmax())]
        heatmap /= max(heatmap.sum(), 1e-12)
        return Detection(float(probabilities.max()), self._threshold(name), best, heatmap)

    def encode_names(self, names: Sequence[str]) -> Tensor:
        """Return the text features [C, D] of names, new ones encoded together."""
        new = [name for name in names if name not in self._text]
        if new:
            warn_of_unknown_words(self.teacher, new)
            features = self.teacher.encode_text([PHOTO_TEMPLATE.format(label=name) for name in new])
            self._text |= {name: row.clone() for name, row in zip(new, features, strict=True)}
        found = torch.stack([self._text[name] for name in names])
        keep_recent(self._text, names, len(self.names) + MAX_NEW_NAMES)
        return found
