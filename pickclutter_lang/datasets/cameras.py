"""Keys of camera images, and which of the images a student takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

CameraKey = tuple[str, str]
"""(camera, modality): `hand` or `base`, and `rgb` or `depth`."""
CameraImages = Mapping[CameraKey, NDArray[Any]]
"""Images by key: `rgb` uint8 [H, W, 3], `depth` float32 [H, W] or [H, W, 1] in meters (0 = no measurement)."""


@dataclass(frozen=True)
class CameraSpec:
    """The images that a student takes: RGB of each camera and, with `depth`, its depth."""

    cameras: tuple[str, ...]
    depth: bool

    @property
    def keys(self) -> list[CameraKey]:
        """Keys of the images, in the order of the channels."""
        modalities = ("rgb", "depth") if self.depth else ("rgb",)
        return [(camera, modality) for camera in self.cameras for modality in modalities]

    @property
    def channels(self) -> int:
        """Number of input channels: 3 or 4 for each camera."""
        return len(self.cameras) * (4 if self.depth else 3)
