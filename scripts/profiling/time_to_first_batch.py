"""Time from a command's start to the first batch of an `image_folder`.

Writes 10,000 small JPEGs in 100 class folders to a temporary folder. Then fresh processes, as a run does, import the
trainer, open the folder, and show the first 128 images of X_train, decoded and augmented: the first time, and again
with the images in the cache. Each then goes once over all images; its memory must stay flat. It takes minutes and
1 GB of disk. Further arguments override settings, as in pickclutter train-image-student.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

BATCH, CLASSES, SIZE, COARSE = 128, 100, (320, 240), (40, 30)
STEPS = ("imported", "opened", "first batch", "epoch")


def write_images(root: Path, count: int) -> None:
    """Write smooth noise, which compresses about as photos do."""
    for number in range(count):
        folder = root / f"class_{number % CLASSES:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (*COARSE[::-1], 3), dtype=np.uint8)
        Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC).save(folder / f"{number:05d}.jpg")


def read(start: float, overrides: list[str]) -> None:
    """Do in this process what is measured, and print for each step the seconds since `start` and the memory in MB."""
    from pickclutter_lang.commands.hydra_app import compose_config
    from pickclutter_lang.datasets.images import load_image_dataset
    from pickclutter_lang.experiments.images.config import ImageTrainConfig
    from pickclutter_lang.experiments.images.image_crops import ImageCrops
    from pickclutter_lang.experiments.images.image_run import ImageRun  # noqa: F401  # what a run imports
    from pickclutter_lang.training.logger import peak_memory_mb

    found = []

    def note() -> None:
        found.append((time.time() - start, peak_memory_mb()))

    note()
    config = compose_config(ImageTrainConfig, "train_image_student", ["objective.cls=1", *overrides])
    data, split, _ = load_image_dataset(config.data)
    note()
    views = ImageCrops(data.images, config.crops, config.image_size, num_workers=config.num_workers)
    views.train_images(np.random.default_rng(0).permutation(split.train)[:BATCH].tolist(), (0, 0, 0))
    note()
    rows = np.random.default_rng(1).permutation(len(data.images.ids)).tolist()
    for _ in views.train_batches([rows[first : first + BATCH] for first in range(0, len(rows), BATCH)], (0, 0, 1)):
        pass
    note()
    print(json.dumps(dict(zip(STEPS, found, strict=True))))


def main() -> None:
    """Write the images, read them in two processes, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--folder", help="where the images are kept for another call")
    parser.add_argument("--start", type=float, help=argparse.SUPPRESS)
    options, overrides = parser.parse_known_args()
    if options.start:
        read(options.start, overrides)
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(options.folder or temporary) / "images"
        if not root.is_dir():
            write_images(root, options.images)
        places = ["dataset=image_folder", f"data.root={root}", f"data.cache={temporary}/cache", *overrides]
        print(f"{len(list(root.glob('*/*.jpg')))} images; seconds since the start / peak memory of the process so far")
        print(" " * 12, *(f"{name:>18}" for name in STEPS))
        for title in ("first start", "second start"):
            command = [sys.executable, __file__, "--start", str(time.time()), *places]
            child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found = json.loads(child.stdout.splitlines()[-1])
            print(f"{title:12}", *(f"{seconds:7.1f} s {peak:6.0f} MB" for seconds, peak in map(found.get, STEPS)))
        print(f"other work on the cores: {os.getloadavg()[1]:.1f} processes ran, on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
