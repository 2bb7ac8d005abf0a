"""Predictions and cached images that a disk or a person has changed: one line that names the file and what is wrong."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pickclutter_lang.datasets.images.pixel_cache import PixelCache
from pickclutter_lang.errors import CheckpointError, DatasetError
from pickclutter_lang.experiments.scenes.predictions import Predictions, load_predictions, save_predictions

PREDICTIONS = Predictions(
    torch.full((3, 2), 0.5), torch.ones(3, 2).bool(), ["a", "b"], torch.tensor([True, False]), ["s"] * 3
)
ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"names": None}, "There is no item named 'names.npy'"),
    ({"probabilities": np.zeros((3, 5), np.float32)}, "expected targets with 5 C"),
    ({"probabilities": np.full((3, 2), np.nan, np.float32)}, "expected finite numbers in probabilities"),
    ({"probabilities": np.full((3, 2), "x")}, "expected probabilities with 2 axes of kind f"),
    ({"targets": np.ones((3, 2), np.int64)}, "expected targets with 2 axes of kind bf, but got int64"),
    ({"names": np.array([b"a", b"b"], object)}, "an array declares 16 bytes, but has"),
]


@pytest.mark.parametrize(("change", "message"), ARRAYS)
def test_wrong_arrays_are_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions" / "x.npz"
    save_predictions(path, PREDICTIONS)
    assert load_predictions(path).names == ["a", "b"]
    with np.load(path) as file:
        arrays = {name: value for name, value in {**file, **change}.items() if value is not None}
    np.savez(path, **arrays)
    with pytest.raises(CheckpointError, match=rf"x\.npz is damaged .*{message}.*evaluate-affordance"):
        load_predictions(path)


def test_an_array_that_declares_20_gb_is_refused_before_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "predictions" / "x.npz"
    save_predictions(path, PREDICTIONS)
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (5 * 10**9, 1)}
    np.lib.format.write_array_header_1_0(stream, header)  # type: ignore[no-untyped-call]
    with np.load(path) as file, zipfile.ZipFile(tmp_path / "bomb", "w") as archive:
        for name in file.files:
            archive.writestr(f"{name}.npy", stream.getvalue())
    (tmp_path / "bomb").replace(path)
    with pytest.raises(CheckpointError, match="an array declares 20000000000 bytes, but has 0"):
        load_predictions(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    path.with_suffix(".npy").replace(path)
    with pytest.raises(CheckpointError, match="not a zip file"):
        load_predictions(path)


def test_a_flipped_pixel_of_a_cached_image_is_found(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    PixelCache(tmp_path / "c", 3, 8).write([0, 1, 2], pixels)
    data = bytearray((tmp_path / "c").read_bytes())
    data[-1] ^= 1
    (tmp_path / "c").write_bytes(data)
    cache = PixelCache(tmp_path / "c", 3, 8)
    assert cache.missing([0, 1, 2]) == [] and (cache.read([0, 1]) == pixels[:2]).all()
    with pytest.raises(DatasetError, match=r"image 2 in .*c are damaged .*delete it"):
        cache.read([2])
