"""Detectors that bound what others can reach: the simulator's segmentation, and a random segment."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.detectors import Detection, segment_observation


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
