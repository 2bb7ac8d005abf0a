"""A threshold from one's own bin: looks at it, without labels, by which the scores of each name are normalized.

Some names have low scores wherever they are asked for, others high ones. By its mean and deviation over some looks at
the piles in which a policy acts, the scores of a name become z-scores, with one threshold for all names. This is the
z-norm of speaker verification (Auckenthaler et al., 2000).

A look is kept as its feature map, a byte for each number, and the features of its crops, so that names that are typed
later get their mean and deviation too. Of the embedded policies a look takes 72 kB: 1.8 MB for 25 looks, 14 MB for 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.policy.second_look import MAX_LOGIT, add_crops, mutual_log_odds
from pickclutter_lang.policy_folder.folder import (
    CALIBRATION_FILE,
    NETWORK_FILE,
    WEIGHTS_FILE,
    PolicyConfig,
    StudentArchitecture,
    TextFeatures,
    learned_bytes,
    read_learned,
)
from pickclutter_lang.utils.memory import keep_recent
from pickclutter_lang.utils.reading import Sha256, damage_of
from pickclutter_lang.utils.typing import Float32Array, FloatArray

MIN_LOOKS, MAX_LOOKS = 10, 200
"""Looks from which a calibration counts, and the most that it keeps: the newest."""
ADAPTED_THRESHOLD = 0.5
"""Of an adapted score."""
_NOTED = "adapted_looks"
"""Key of a result of a policy with a calibration."""
_Z_THRESHOLD = 0.55
"""Deviations above the mean of a name from which it is present. On piles of kinds 8.5% of the absent names are then
called present after 25 looks, where a name is in 3, 10 and 25% of the looks; 10% after 10 looks, 8% after 100."""
_PRIOR_LOOKS = 10
"""So many looks does the deviation that is typical of the folder's names count for in that of each name. Without it
12% of the absent names are called present after 10 looks, and 7% after 100."""
_MIN_DEVIATION, _MAX_LOGIT = 0.05, float(logit(1 - 1e-6))
_SCHEMA, _KEY, _MAX_BYTES = "2", "calibration", 256 * 2**20
_KNOWN_NAMES = 1000
_FORMS = {
    "cells": ("int8", 3),
    "steps": ("float32", 1),
    "log_odds": ("float32", 2),
    "crops": ("float16", 2),
    "crop_counts": ("int32", 1),
}
"""Type and number of axes of each array in the file."""
_RANGES = {
    "steps": (1e-6, 0.008),
    "log_odds": (-14.0, 14.0),
    "crops": (-1.0, 1.0),
    "scale": (1e-3, 1e4),
    "bias": (-1e4, 1e4),
}
"""Lowest and largest value of each: directions have numbers of -1 to 1, scores log odds of 1e-6 to 1 - 1e-6."""
_PER_LOOK = ("cells", "steps", "log_odds", "crop_counts")
_AGAIN = "delete it, and calibrate the policy again: pickclutter calibrate"


class _About(TypedDict):
    """What is noted in the file of a calibration."""

    schema: str
    student: Sha256
    scale: float
    bias: float
    sha256: Sha256


@dataclass(frozen=True, eq=False)
class Calibration:
    """N looks of a student, by which its scores are normalized; none for a policy that was not calibrated.

    - `student`: hash of its network
    - `cells`: int8 [N, K, D], the directions of the K cells of each look, times 1 / `steps` [N]
    - `log_odds`: float32 [N, C], of the folder's names
    - `scale`, `bias`: of the student's log odds, which are `scale` times its cosines plus `bias`
    - `crops`: float16 [M, F], features of the crops of all looks, in turn
    - `crop_counts`: int32 [N], how many of each look, -1 where no second look was taken
    """

    student: str = ""
    cells: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int8))
    steps: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    log_odds: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    scale: float = 1.0
    bias: float = 0.0
    crops: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    crop_counts: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    _known: dict[tuple[str, bool], tuple[float, float]] = field(default_factory=dict, init=False, repr=False)
    _typical: dict[bool, float] = field(default_factory=dict, init=False, repr=False)

    @property
    def count(self) -> int:
        """The number of looks."""
        return len(self.steps)

    @cached_property
    def with_depth(self) -> Calibration:
        """The looks that have crops."""
        rows = self.crop_counts >= 0
        return self if rows.all() else replace(self, **{name: getattr(self, name)[rows] for name in _PER_LOOK})

    def adapts(self, combined: bool) -> bool:
        """Whether it adapts scores; `combined`: those in which crops take part, by the looks that have crops."""
        return (self.with_depth if combined else self).count >= MIN_LOOKS

    def note(self, combined: bool) -> dict[str, int]:
        """Return what a result says of the calibration: nothing where it does not adapt; `combined` as of `adapts`."""
        return {_NOTED: (self.with_depth if combined else self).count} if self.adapts(combined) else {}

    def add(self, newer: Calibration) -> Calibration:
        """Return a calibration with newer looks of the same student; of more than `MAX_LOOKS` the newest stay."""
        if not self.count:
            return newer
        pairs = {name: np.concatenate([getattr(one, name) for one in (self, newer)]) for name in _PER_LOOK}
        crops = [one.crops for one in (self, newer) if len(one.crops)]
        left_out = int(pairs["crop_counts"][:-MAX_LOOKS].clip(min=0).sum())
        every = np.concatenate(crops)[left_out:] if crops else newer.crops
        kept = {name: value[-MAX_LOOKS:] for name, value in pairs.items()}
        return replace(newer, **kept, crops=every)

    def adapted(
        self, name: str, scores: FloatArray, combined: bool, looks: Callable[[], tuple[FloatArray, float]]
    ) -> FloatArray:
        """Return scores of a name in 0..1 as adapted ones, in 0..1 too: it is present from `ADAPTED_THRESHOLD` on.

        :param combined: whether crops take part in the scores
        :param looks: gives the log odds [N] of the name over the looks, and the variance that is typical of the
            folder's names, at the first time
        """
        key = name, combined
        if key not in self._known:
            self._known[key] = self._normal(*looks())
        keep_recent(self._known, [key], _KNOWN_NAMES)
        mean, deviation = self._known[key]
        return np.asarray(expit((log_odds_of(scores) - mean) / deviation - _Z_THRESHOLD))

    def _normal(self, looks: FloatArray, typical: float) -> tuple[float, float]:
        """Return mean and deviation of a name by its log odds [N] over the looks.

        The deviation of few looks is uncertain: it is pulled to what is typical of the folder's names.
        """
        variance = (self.count * looks.var() + _PRIOR_LOOKS * typical) / (self.count + _PRIOR_LOOKS)
        return float(looks.mean()), max(float(np.sqrt(variance)), _MIN_DEVIATION)

    def with_crops(self, log_odds: NDArray[Any], of_crops: FloatArray) -> FloatArray:
        """Return log odds [N, C] over the looks to which those of their crops [M, C] are added, of the best in each."""
        best = np.full(log_odds.shape, -MAX_LOGIT)
        np.maximum.at(best, np.repeat(np.arange(self.count), self.crop_counts), of_crops)
        return log_odds_of(add_crops(expit(log_odds.astype(np.float64)), best))

    def typical_variance(self, texts: Float32Array | None = None) -> float:
        """Return the mean variance of the folder's names, with their crops by the texts [C, F] of these names."""
        if (key := texts is not None) not in self._typical:
            over = self.log_odds.astype(np.float64)
            over = over if texts is None else self.with_crops(over, mutual_log_odds(self.crops, texts))
            self._typical[key] = float(over.var(axis=0).mean())
        return self._typical[key]

    def log_odds_of_text(self, text: TextFeatures, network: StudentArchitecture) -> FloatArray:
        """Return the log odds [N] of a name over the looks, as `LocalAggregation` has them.

        :param text: its features, [1, D]
        :param network: which was at the looks
        :raises CheckpointError: for features of another width than the looks have
        """
        if self.cells.shape[2] != text.positive.shape[1]:
            raise CheckpointError(
                f"expected {CALIBRATION_FILE} with features of {text.positive.shape[1]} numbers, but got "
                f"{self.cells.shape[2]}; {_AGAIN}"
            )
        cells = self.cells * self.steps[:, None, None]
        positive, negative = (cells @ (part[0] / np.linalg.norm(part[0])) for part in text)
        attention = _softmax(positive / network.temperature)
        other = _softmax(negative / network.temperature) if network.negative_attention == "own" else attention
        margins = (attention * positive - other * negative).sum(axis=1)
        return np.asarray(np.clip(self.scale * margins + self.bias, -_MAX_LOGIT, _MAX_LOGIT))

    def files(self) -> dict[str, bytes]:
        """Return the file of the calibration in a policy folder, by its name; none without looks.

        :raises InvalidArgumentError: when it is larger than `load_calibration` takes
        """
        if not self.count:
            return {}
        tensors: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in _FORMS}
        about = {"schema": _SCHEMA, "student": self.student, "scale": self.scale, "bias": self.bias}
        data = learned_bytes(_KEY, tensors, about)
        if len(data) > _MAX_BYTES:
            raise InvalidArgumentError(
                f"expected a calibration of {_MAX_BYTES / 1e6:.0f} MB at most, but got {len(data) / 1e6:.0f} MB; take "
                "fewer looks"
            )
        return {CALIBRATION_FILE: data}


def adapted_note(record: Mapping[str, Any]) -> str:
    """Return what a page says of a result with a `Calibration.note`; nothing of another."""
    looks = record.get(_NOTED)
    return f"The policy is adapted, without labels, to {looks} looks." if looks else ""


def log_odds_of(scores: Any) -> FloatArray:
    """Return the log odds of scores in 0..1, within those of 1e-6 and of 1 - 1e-6."""
    return np.asarray(np.clip(logit(np.asarray(scores, np.float64)), -_MAX_LOGIT, _MAX_LOGIT))


def _softmax(values: FloatArray) -> FloatArray:
    """Return the softmax of rows [N, K]."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def network_hash(config: PolicyConfig) -> str:
    """Return the hash of a policy's student, which its calibration names."""
    return config.sha256[NETWORK_FILE if config.is_onnx else WEIGHTS_FILE]


def load_calibration(folder: Path, config: PolicyConfig) -> Calibration:
    """Return the calibration of a policy folder, which has no look where there is none.

    :raises CheckpointError: when it is damaged, or of another student
    """
    path, student = folder / CALIBRATION_FILE, network_hash(config)
    if not path.exists():
        return Calibration(student)
    with damage_of(path, CheckpointError, _AGAIN):
        tensors, about = read_learned(path, _KEY, _About, _MAX_BYTES)
        if about["schema"] != _SCHEMA:
            raise ValueError(f"expected the schema {_SCHEMA}, but got {about['schema']}")
        cells, steps, log_odds, crops, counts = (tensors[name] for name in _FORMS)
        fits = all((str(tensors[name].dtype), tensors[name].ndim) == form for name, form in _FORMS.items())
        looks = {len(part) for part in (cells, steps, log_odds, counts)}
        if not fits or looks != {len(steps)} or log_odds.shape[1] != len(config.student.names):
            raise ValueError("expected int8 cells [N, K, D], and float32 steps [N] and log_odds [N, C] of its names")
        if (counts < -1).any() or len(crops) != counts.clip(min=0).sum() or crops.shape[1] != cells.shape[2]:
            raise ValueError("expected as many crops as the looks say, as wide as their cells")
        if not 1 <= len(steps) <= MAX_LOOKS or not cells.size:
            raise ValueError(f"expected 1 to {MAX_LOOKS} looks, each with cells")
        for name, (low, high) in _RANGES.items():
            given = np.asarray(about.get(name, tensors.get(name)))
            if given.size and not low <= given.min() <= given.max() <= high:
                raise ValueError(
                    f"expected {name} within {low:g} and {high:g}, but got {given.min():g} to {given.max():g}"
                )
    if about["student"] != student:
        raise CheckpointError(
            f"{path} is of another student ({about['student'][:8]}) than this policy's ({student[:8]}); {_AGAIN}"
        )
    return Calibration(student, cells, steps, log_odds, about["scale"], about["bias"], crops, counts)
