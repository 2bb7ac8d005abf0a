"""Preprocessing of uint8 images for a teacher, as its open_clip configuration prescribes, on whole batches."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from open_clip.transform import PreprocessCfg
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import center_crop, normalize, resize

from pickclutter_lang.errors import InvalidArgumentError, TeacherError


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop, scale to [0, 1] and normalize, by open_clip's configuration of a model.

    Works on batches of tensors; open_clip's transform works on one PIL image at a time.
    """

    config: PreprocessCfg

    def __post_init__(self) -> None:
        if self.config.resize_mode not in ("shortest", "squash"):
            raise TeacherError(
                f"expected a model whose images are resized by 'shortest' or 'squash', "
                f"but got {self.config.resize_mode!r}; use another teacher"
            )
        size = self.config.size
        if not isinstance(size, int) and len(set(size)) > 1:
            raise TeacherError(f"expected a model that reads square images, but got {tuple(size)}")

    @property
    def size(self) -> int:
        """Side of the output in pixels."""
        size = self.config.size
        return size if isinstance(size, int) else int(size[0])

    def describe(self) -> dict[str, object]:
        """Return all parameters that determine the output, as JSON values."""
        row = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.config).items()}
        return {**row, "size": self.size}

    def __call__(self, images: npt.NDArray[np.uint8] | Tensor) -> Tensor:
        """Turn uint8 images [N, H, W, 3] into float32 [N, 3, S, S].

        :raises InvalidArgumentError: for another dtype or shape
        """
        pixels = torch.from_numpy(np.ascontiguousarray(images)) if isinstance(images, np.ndarray) else images
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise InvalidArgumentError(
                f"expected uint8 images [N, H, W, 3], but got {pixels.dtype} {list(pixels.shape)}"
            )
        x = pixels.permute(0, 3, 1, 2)
        if tuple(x.shape[-2:]) != (self.size, self.size):
            x = self._fit(x)
        scaled: Tensor = normalize(x.float() / 255, list(self.config.mean), list(self.config.std))
        return scaled

    def _fit(self, x: Tensor) -> Tensor:
        mode = InterpolationMode(self.config.interpolation)
        squash = self.config.resize_mode == "squash"
        resized: Tensor = resize(x, [self.size, self.size] if squash else [self.size], mode, antialias=True)
        return resized if squash else center_crop(resized, [self.size, self.size])
