"""Peak memory of a training process at the paper's sizes.

Writes stores of synthetic scenes (3000 to train on, both cameras RGB-D at 224 px) to a temporary folder, takes some
steps with the preset `experiment=table12` on the pocket teacher, validates, and prints the peak. It takes
minutes and 2 GB of disk. Further arguments override settings, as in pickclutter train-affordance.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, SceneRow, scene_fields, write_shard
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.students.student import predict_scenes
from pickclutter_lang.training.logger import TrainingLogger, peak_memory_mb

CAMERAS, SIDE, COARSE = ("hand", "base"), 224, 16


class EnoughError(Exception):
    """The steps that were asked for are taken."""


def scene(manifest: Manifest, index: int) -> SceneRow:
    """Return a valid scene with images of coarse noise, which compress about as renders do."""
    rng = np.random.default_rng([len(manifest.split), index])
    row = {field.name: np.zeros(field.shape, field.dtype) for field in manifest.layout.fields}
    allowed = [n for n, item in enumerate(manifest.objects) if item.split == "id" or manifest.split == "ood"]
    row["index"][...] = index
    row["actors"][:] = -1
    row["actors"][:5] = rng.choice(allowed, 5, replace=False)
    for label in ("present", "visible"):
        row[label][row["actors"][:5]] = True
    for camera in CAMERAS:
        for kind, high, width in (("rgb", 256, 3), ("depth", 1500, 1), ("segmentation", 6, 1)):
            noise = rng.integers(0, high, (COARSE, COARSE, width)).repeat(SIDE // COARSE, 0).repeat(SIDE // COARSE, 1)
            image = noise if kind == "segmentation" else noise + rng.integers(0, 4, noise.shape)
            row[f"{camera}_{kind}"][...] = image.clip(0, high - 1).reshape(row[f"{camera}_{kind}"].shape)
    return row


def write_store(folder: Path, split: str, scenes: int, seed: int) -> None:
    """Write a store of synthetic scenes."""
    manifest = Manifest(
        split=split,
        seed=seed,
        scenes=scenes,
        shard_size=50,
        settings={"cameras": list(CAMERAS), "image_size": SIDE},
        fields=scene_fields(CAMERAS, graspable=False),
        object_set="synthetic",
        object_fingerprint="0" * 64,
        objects=tuple(ObjectEntry(item.model_id, item.name, item.split) for item in paper_catalog()),
    )
    (folder / "shards").mkdir(parents=True)
    entries = []
    for number in range(manifest.shard_count):
        rows = [scene(manifest, index) for index in manifest.shard_range(number)]
        entries.append(write_shard(folder, number, rows, manifest.layout))
    manifest.with_shards(entries).write(folder)


def train(run: SceneRun, steps: int) -> None:
    """Take some steps of the first phase, then score one pass over X_id."""
    original, times = TrainingLogger.step, []

    def step(monitor: TrainingLogger, number: int, scalars: dict[str, float]) -> None:
        times.append(time.perf_counter())
        original(monitor, number, scalars)
        if len(times) == steps:
            raise EnoughError

    TrainingLogger.step = step  # type: ignore[method-assign]
    try:
        run.train()
    except EnoughError:
        print(f"{np.diff(times).mean():.1f} s a step; after {steps} steps: {peak_memory_mb():.0f} MB")
    predict_scenes(run.model, run.scenes["id"], run.label_names(("id",)))


def main(arguments: Iterable[str] | None = None) -> None:
    """Write the scenes, train, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--stores", help="folder in which the stores are kept for another call")
    options, overrides = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.stores or temporary)
        for split, scenes in (("train", options.scenes), ("id", 500), ("ood", 500), ("fewshot", 50)):
            if not (folder / split / "manifest.json").exists():
                write_store(folder / split, split, scenes, seed=0)
        print(f"scenes written: {peak_memory_mb():.0f} MB")
        places = [f"scenes={folder}", f"out={temporary}/run"]
        chosen = ["experiment=table12", "teacher=pocket", *places, *overrides]
        run = SceneRun.open(compose_config(TrainConfig, "train_affordance", chosen))
        print(f"stores opened: {peak_memory_mb():.0f} MB")
        train(run, options.steps)
    print(f"peak of the process: {peak_memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
