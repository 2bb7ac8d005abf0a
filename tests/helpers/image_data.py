"""Toy image datasets: small image files in class folders, object views, and their configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.objects.catalog import paper_catalog

SETTINGS = ImageDataConfig(
    name="image_folder",
    root="",
    classes=None,
    author_lists=None,
    descriptions=None,
    captions=None,
    extra_views=[],
    image_size=16,
    seed=0,
    shots=2,
    cache="",
)


def paint(path: Path, seed: int = 0, size: tuple[int, int] = (20, 12)) -> Path:
    """Write an image of noise in the format of its file name; its folder is created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def paint_classes(root: Path, folders: Iterable[str], count: int, stem: str = "p") -> Path:
    """Write images of their own for each class folder: `<folder>/<stem>0.png` and so on."""
    for c, folder in enumerate(folders):
        for n in range(count):
            paint(root / folder / f"{stem}{n}.png", 1000 * c + n)
    return root


def config(tmp_path: Path, **changes: Any) -> ImageDataConfig:
    """Return the configuration of `tmp_path/data` with a cache beside it."""
    places = {"root": str(tmp_path / "data"), "cache": str(tmp_path / "cache")}
    return replace(SETTINGS, **(places | changes))


def labelled(tmp_path: Path, folders: Iterable[str], count: int) -> ImageDataset:
    """Write class folders and load them as an `image_folder`."""
    paint_classes(tmp_path / "data", folders, count)
    return load_set(config(tmp_path))


def toy_views(folder: Path, objects: int, views: int, side: int = 32) -> Path:
    """Write views of objects, half of them of Y_id: noise about a color of each."""
    rng = np.random.default_rng(0)
    chosen = [
        item for split in ("id", "ood") for item in [i for i in paper_catalog() if i.split == split][: objects // 2]
    ]
    object_index = np.repeat(np.arange(len(chosen)), views).astype(np.int32)
    colors = rng.uniform(40, 215, (len(chosen), 3))
    noise = rng.normal(0, 25, (len(object_index), side, side, 3))
    rgb = np.clip(colors[object_index][:, None, None] + noise, 0, 255).astype(np.uint8)
    mask = np.ones(rgb.shape[:3], dtype=np.bool_)
    write_object_views(
        folder, rgb, mask, object_index, [{"model_id": item.model_id} for item in chosen], {"objects": "toy"}
    )
    return folder
