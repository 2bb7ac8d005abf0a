"""A threshold from one's own bin: looks at it, without labels, by which the scores of each name are normalized.

Some names have low scores wherever they are asked for, others high ones. By its mean and deviation over some looks at
the piles in which a policy acts, the scores of a name become z-scores, with one threshold for all names. This is the
z-norm of speaker verification (Auckenthaler et al., 2000).

A look is kept as its feature map, a byte for each number, so that names that are typed later get their mean and
deviation too. Of the embedded policies a look takes 66 kB: 1.7 MB for 25 looks, 13 MB for 200.
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
from pickclutter_lang.policy.folder import (
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
_SCHEMA, _KEY, _MAX_BYTES = "1", "calibration", 256 * 2**20
_KNOWN_NAMES = 1000
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
    """

    student: str = ""
    cells: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.int8))
    steps: Float32Array = field(default_factory=lambda: np.zeros(0, np.float32))
    log_odds: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    scale: float = 1.0
    bias: float = 0.0
    _known: dict[str, tuple[float, float]] = field(default_factory=dict, init=False, repr=False)

    @property
    def count(self) -> int:
        """The number of looks."""
        return len(self.steps)

    @property
    def counts(self) -> bool:
        """Whether there are looks enough to decide by them."""
        return self.count >= MIN_LOOKS

    def note(self) -> dict[str, int]:
        """Return what a result says of the calibration: nothing where it does not count."""
        return {_NOTED: self.count} if self.counts else {}

    def add(self, newer: Calibration) -> Calibration:
        """Return a calibration with newer looks of the same student; of more than `MAX_LOOKS` the newest stay."""
        if not self.count:
            return newer
        return replace(
            newer,
            cells=np.concatenate([self.cells, newer.cells])[-MAX_LOOKS:],
            steps=np.concatenate([self.steps, newer.steps])[-MAX_LOOKS:],
            log_odds=np.concatenate([self.log_odds, newer.log_odds])[-MAX_LOOKS:],
        )

    def adapted(self, name: str, scores: FloatArray, looks: Callable[[], FloatArray]) -> FloatArray:
        """Return scores of a name in 0..1 as adapted ones, in 0..1 too: it is present from `ADAPTED_THRESHOLD` on.

        :param looks: gives the log odds [N] of the name over the looks, at the first time
        """
        if name not in self._known:
            self._known[name] = self._normal(looks().astype(np.float64))
        keep_recent(self._known, [name], _KNOWN_NAMES)
        mean, deviation = self._known[name]
        return np.asarray(expit((log_odds_of(scores) - mean) / deviation - _Z_THRESHOLD))

    def _normal(self, looks: FloatArray) -> tuple[float, float]:
        """Return mean and deviation of a name by its log odds [N] over the looks.

        The deviation of few looks is uncertain: it is pulled to what is typical of the folder's names.
        """
        variance = (self.count * looks.var() + _PRIOR_LOOKS * self._typical_variance) / (self.count + _PRIOR_LOOKS)
        return float(looks.mean()), max(float(np.sqrt(variance)), _MIN_DEVIATION)

    @cached_property
    def _typical_variance(self) -> float:
        """The mean variance of the folder's names."""
        return float(self.log_odds.astype(np.float64).var(axis=0).mean())

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
        tensors: dict[str, NDArray[Any]] = {"cells": self.cells, "steps": self.steps, "log_odds": self.log_odds}
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
        cells, steps, log_odds = (tensors[name] for name in ("cells", "steps", "log_odds"))
        forms = [(str(part.dtype), part.ndim, len(part) == len(steps)) for part in (cells, steps, log_odds)]
        fits = forms == [("int8", 3, True), ("float32", 1, True), ("float32", 2, True)]
        if not fits or log_odds.shape[1] != len(config.student.names):
            raise ValueError("expected int8 cells [N, K, D], and float32 steps [N] and log_odds [N, C] of its names")
        if not 1 <= len(steps) <= MAX_LOOKS or not np.isfinite([about["scale"], about["bias"]]).all():
            raise ValueError(f"expected 1 to {MAX_LOOKS} looks, with a finite scale and bias")
    if about["student"] != student:
        raise CheckpointError(
            f"{path} is of another student ({about['student'][:8]}) than this policy's ({student[:8]}); {_AGAIN}"
        )
    return Calibration(student, cells, steps, log_odds, about["scale"], about["bias"])
