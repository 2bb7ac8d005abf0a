"""A whole step of distillation, as `train-affordance` takes it, on painted scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pickclutter_lang.benchmarking.inputs import BenchInputs, network_config
from pickclutter_lang.benchmarking.measure import Pair
from pickclutter_lang.benchmarking.painted_observation import painted_observation
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, SceneRow, write_shard
from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.training.trainer import Trainer
from pickclutter_lang.utils.io import ensure_dir

_SCENES, _SIDE = {"train": 16, "id": 1, "ood": 1, "fewshot": 1}, 176
"""Scenes of each store, those to train on a batch; side of their images, of which a student takes the center."""


def distillation_step(inputs: BenchInputs) -> Pair:
    """Compare the precisions of a step: images, teacher's features, both passes, losses, optimizer."""
    scenes = inputs.folder / "painted scenes"
    for number, (split, count) in enumerate(_SCENES.items()):
        _write_store(scenes / split, split, range(100 * number, 100 * number + count))
    return Pair(_step(scenes, "bfloat16", inputs), _step(scenes, "float32", inputs))


def _step(scenes: Path, precision: str, inputs: BenchInputs) -> Callable[[], None]:
    """Return what takes a step on one batch, whose augmentation is the same each time."""
    config = TrainConfig(
        scenes=str(scenes),
        data=SceneDataConfig(target_label="present"),
        student=network_config("resnet10t").student,
        precision=precision,
        num_threads=inputs.config.num_threads,
        out=str(inputs.folder / f"run, {precision}"),
    )
    run = SceneRun.open(config)
    task = run.phases[DISTILL].task()
    trainer = Trainer(task, run.folder, run.teacher_provenance)
    task.model.train()

    def step() -> None:
        (batch,) = task.iter_batches(1)
        trainer.step(batch, 1)

    return step


def _write_store(folder: Path, split: str, seeds: range) -> None:
    """Write a store of painted scenes with an object of Y_id in each."""
    objects = tuple(ObjectEntry(item.model_id, item.name, item.split) for item in paper_catalog())
    manifest = Manifest(
        split=split,
        seed=None,
        scenes=len(seeds),
        shard_size=len(seeds),
        settings={"source": "painted", "cameras": ["hand"], "image_size": _SIDE},
        fields=("index", "present", "hand_rgb"),
        object_set="painted",
        object_fingerprint="0" * 64,
        objects=objects,
    )
    known = [number for number, item in enumerate(objects) if item.split == "id"]
    rows: list[SceneRow] = []
    for index, seed in enumerate(seeds):
        present = np.arange(len(objects)) == known[index % len(known)]
        image = painted_observation(_SIDE, seed)["image"]["hand_camera"]["rgb"]
        rows.append({"index": np.array(index, np.int64), "present": present, "hand_rgb": image})
    ensure_dir(folder / SHARD_FOLDER)
    manifest.with_shards([write_shard(folder, 0, rows, manifest.layout)]).write(folder)
