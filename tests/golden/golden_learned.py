"""Golden values of tiny runs, on scenes and on single pictures: losses, gradients, weights and results.

A run takes a few small steps, so that last bits, which differ from processor to processor, stay last bits. Steps at the
rates of real runs turn them into other students within an epoch. What tips over, such as ranks, is not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from golden_measures import Measures, everywhere, of_arrays, of_figures

from helpers import image_runs, scene_runs
from helpers.image_data import paint_classes
from pickclutter_lang.experiments.images.image_protocol import evaluate_images
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.images.image_tables import RUNS
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.results.scores import Scores
from pickclutter_lang.training.checkpoint import epoch_folder, load_checkpoint, saved_epochs

SIDE = 48
STEADY = ("distill.lr=0.0001", "few_shot.lr=0.0001")
SHORT = ("distill.epochs=1", "few_shot.epochs=1", "few_shot.repeats=1", *STEADY)
CLOSER = (
    "crop_classifier=default", "crop_classifier.crop_size=48", "crop_classifier.epochs=1",
    "crop_classifier.batch_size=16", "crop_classifier.repeats=2", "crop_classifier.lr=0.0001",
)  # fmt: skip


def scene_inputs(inputs: Path) -> list[str]:
    """Return overrides that point to toy stores of both cameras and to an untrained teacher, made at the first call."""
    if not (inputs / "scenes").is_dir():
        scene_runs.make_toys(inputs, size=SIDE, cameras=("hand", "base"))
    paths = (f"scenes={inputs / 'scenes'}", f"teacher.checkpoint={inputs / 'teacher'}")
    return [*paths, *scene_runs.SMALL, "student.name=timm/resnet10t", *SHORT]


def picture_inputs(inputs: Path) -> list[str]:
    """Return overrides that point to toy views of objects and to an untrained teacher, made at the first call."""
    folder = inputs / "pictures"
    if not folder.is_dir():
        folder.mkdir()
        image_runs.make_toys(folder)
    own = (f"data.root={folder / 'views'}", f"teacher.checkpoint={folder / 'teacher'}")
    small = ("data.image_size=32", f"teacher.cache={folder / 'cache'}", "num_threads=1", "precision=float32")
    return ["recipe=smoke", "student.name=timm/test_convnext", *own, *small, *STEADY, "few_shot.batch_size=8"]


def scene_run(inputs: Path, folder: Path) -> Measures:
    """Train and evaluate a student of toy scenes."""
    run = SceneRun.open(scene_runs.config(*scene_inputs(inputs), "method=best", f"out={folder / 'run'}"))
    run.train()
    result = evaluate_run(run)
    found = weights(run) | losses(result, tolerance=0.005)
    trivial = [
        cell["label_frequency"]["f1"]
        for stage in result["metrics"].values()
        for cell in stage.values()
        if isinstance(cell, dict)
    ]
    found["trivial"] = of_figures(trivial)
    found["scores"] = of_arrays([Scores.load(run.folder).columns["score"]], tolerance=0.01)
    return found | saved_arrays(run.folder)


def picture_run(inputs: Path, folder: Path) -> Measures:
    """Train and evaluate a student of toy views by all losses, with texts, sentences and prompts of its own."""
    own = (*RUNS["best+semantic+captions+prompt"], f"out={folder / 'run'}")
    return measured_pictures(image_runs.trained(*picture_inputs(inputs), *own))


def picture_files(inputs: Path, folder: Path) -> Measures:
    """Train and evaluate a student of picture files, each crop drawn anew and changed at random."""
    paint_classes(folder / "data", ["Red-Beet", "banana", "lime", "plum"], 8)
    own = ("dataset=image_folder", "data.seed=1", "crops.fixed_crops=0", "crops.rand_augment=true")
    more = ("center_crop=24", "image_size=32", "objective.cls=1", "objective.im_cst=1")
    places = (f"data.root={folder / 'data'}", f"out={folder / 'run'}")
    return measured_pictures(image_runs.trained(*picture_inputs(inputs), *own, *more, *places))


def measured_pictures(run: ImageRun) -> Measures:
    """Measure a run on single pictures."""
    result = evaluate_images(run)
    metrics = result["metrics"]
    found = weights(run) | losses(result, tolerance=0.03)  # a processor without AVX2 crops to other gray levels
    features = [one[name] for one in metrics["features"].values() for name in ("mse", "degrees")]
    found["features"] = of_figures(features, tolerance=0.01)
    found["texts"] = of_figures(one["cosine"] for one in metrics["text"].values())
    return found | saved_arrays(run.folder)


def weights(run: SceneRun | ImageRun) -> Measures:
    """Measure the weights that each phase saved last, and the momenta, which are means of the last gradients."""
    found: Measures = {}
    for number, phase in enumerate(run.phases):
        root = run.folder / phase
        checkpoint = load_checkpoint(epoch_folder(root, saved_epochs(root)[-1]))
        found[f"weights {number}"] = of_arrays(checkpoint.model.values(), tolerance=0.01)
        momenta = [
            value for name, value in checkpoint.optimizer.items() if name.endswith(("exp_avg", "momentum_buffer"))
        ]
        found[f"momenta {number}"] = of_arrays(momenta, tolerance=0.02)
    return found


def losses(result: Mapping[str, Any], tolerance: float) -> Measures:
    """Measure loss and learning rate of each epoch."""
    rows = [row for phase in result["history"].values() for row in phase]
    return {
        "losses": of_figures((row.get("loss", row.get("cls")) for row in rows), tolerance),
        "rates": everywhere(row["lr"] for row in rows),
    }


def saved_arrays(folder: Path) -> Measures:
    """Measure the numbers in all npz files of a run: probabilities, maps and features."""
    arrays: list[Any] = []
    for path in folder.rglob("*.npz"):
        if path.name in ("few_shot_fewshot.npz", "scores.npz"):  # saved since 0.2.0 and 0.3.0
            continue
        with np.load(path) as file:
            arrays += [file[name] for name in file.files if file[name].dtype.kind == "f"]
    return {"saved figures": of_arrays(arrays, tolerance=0.01)}
