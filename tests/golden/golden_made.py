"""Golden values of teachers, of tables from made-up results, and of the numbers that presets set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import benchmark_results
import grid_results
import numpy as np
from golden_measures import Measures, everywhere, of_arrays, of_content, of_tables
from hydra import initialize_config_module
from safetensors.torch import load_file
from toy_pictures import paint_classes, toy_views
from toy_scenes import make_toy_store

from pickclutter_lang.benchmarks.results import load_runs
from pickclutter_lang.benchmarks.rows import RUNS, TABLES
from pickclutter_lang.benchmarks.settings import BenchmarkSettings
from pickclutter_lang.benchmarks.tables import write_table as write_picture_table
from pickclutter_lang.command import composed
from pickclutter_lang.evaluation.table12 import TableSettings, write_table
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.train import train_teacher
from pickclutter_lang.scenes.views import ViewStore, write_views
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.training import TrainSettings
from pickclutter_lang.training.config import PhaseSettings

METHODS = ("closed_set", "cls", "cls_imcst", "cls_imcst_semantic", "best", "best_no_local")
EXPERIMENTS = {
    "first": "quickstart",
    "table": "table12_cpu",
    "table 2": "table12_cpu_efficientnet",
    "table 3": "table12",
    "acting": "policy",
}
RECIPES = {"small": "cpu", "tiny": "smoke", "paper": "paper_resnet", "paper 2": "paper_vit"}
WEIGHTS = ("cls", "im_cst", "local_cls", "local_cst", "local_prox", "pairwise")
PICTURE_WEIGHTS = ("cls", "mse", "im_cst", "vlprox", "cap")
OF_A_PHASE = ("lr", "weight_decay", "warmup", "gamma", "epochs", "batch_size")
OF_A_TEACHER = (
    "view", "steps", "scene_batch", "view_batch", "lr", "text_lr", "weight_decay", "warmup", "sigmoid_weight",
    "language_weight",
)  # fmt: skip


def scene_table(inputs: Path, folder: Path) -> Measures:
    """Write the table of runs on scenes."""
    for number, method in enumerate(METHODS):
        for seed in range(3):
            f1 = 0.3 + 0.05 * number + 0.013 * ((3 * number + 5 * seed) % 7)
            grid_results.write_result(folder / "runs", grid_results.make_result(method, seed, f1))
    page = write_table(TableSettings(runs=str(folder / "runs"), out=str(folder / "out"), compare=None)).read_text()
    sheets = [path.read_text() for path in (folder / "out").glob("*.csv")]
    return {"page": of_tables(page), "sheets": of_tables(*sheets, whole=False)}


def picture_tables(inputs: Path, folder: Path) -> Measures:
    """Write the tables of runs on single pictures, on a data set of the paper."""
    for number, name in enumerate(RUNS):
        for seed in range(2):
            x = (0.6 + seed / 10 + number / 100, 0.2 + seed / 20 + number / 200, 0.4 + number / 300)
            made = benchmark_results.make_result(name, seed, x, data="caltech_birds")
            benchmark_results.write_result(folder / "runs", made)
    runs = load_runs(folder / "runs")
    found: Measures = {}
    for number in (number for number in TABLES if number != "12"):  # which has no numbers of these runs
        page = write_picture_table(runs, number, folder / "out")
        found[f"table {number}"] = of_tables(page.read_text())
        found[f"sheet {number}"] = of_tables(page.with_suffix(".csv").read_text(), whole=False)
    return found


def trained_teacher(*overrides: str) -> Measures:
    """Train a pocket teacher for a few steps."""
    small = ("steps=3", "scene_batch=4", "object_sizes=[32]", "view=40", "threads=1", "save_every=3", "warmup=0")
    own = [*small, "language_weight=0", "bf16=false", *overrides]
    with initialize_config_module("pickclutter_lang.configs", version_base="1.3"):
        settings = composed(TeacherTrainSettings, "train_teacher", own)
    folder = train_teacher(settings)
    teacher = load_teacher("pocket", folder)
    tensors = [value for path in folder.glob("*.safetensors") for value in load_file(path).values()]
    features = [teacher.encode_text(["a banana", "no mug"]), teacher.encode_image(teacher.preprocess(noise(2)))]
    return {"weights": of_arrays(tensors, tolerance=0.01), "features": of_arrays(features, tolerance=0.05)}


def teacher_of_renders(inputs: Path, folder: Path) -> Measures:
    """Train on toy scenes, and on views of objects and of a thing that is told in words."""
    store = make_toy_store(folder / "scenes", "teacher", 8, size=48)
    replace(store.manifest, settings=store.manifest.settings | {"graspable": False}).write(folder / "scenes")
    toy_views(folder / "objects", objects=4, views=3)
    seen = ViewStore.open(folder / "objects")
    ball = {"shape": "ball", "category": "ball", "colours": ["green"], "pattern": "plain", "material": "foam"}
    things, owner = [*seen.things, ball], np.where(seen.thing == 3, 4, seen.thing).astype(np.int32)
    write_views(folder / "views", seen.rgb, seen.mask, owner, things, seen.settings)
    data = (f"scenes=[{folder / 'scenes'}]", f"views=[{folder / 'views'}]")
    return trained_teacher(*data, "view_batch=4", f"out={folder / 'out'}")


def teacher_of_files(inputs: Path, folder: Path) -> Measures:
    """Train on picture files."""
    paint_classes(folder / "data", ["Red-Beet", "banana", "lime"], 4)
    return trained_teacher("data=image_folder", f"images={folder / 'data'}", "view_batch=6", f"out={folder / 'out'}")


def embedded_teachers(inputs: Path, folder: Path) -> Measures:
    """Load the teachers that come with the package."""
    found: Measures = {}
    for key, name in (("first", "pocket"), ("second", "pocket_held_out")):
        teacher = load_teacher(name)
        pictures = teacher.encode_image(teacher.preprocess(noise(3)))
        found[f"{key}: pictures"] = of_arrays([pictures], tolerance=0.01)
        found[f"{key}: texts"] = of_arrays([teacher.encode_text(["a photo of a banana", "a red mug"])], tolerance=0.01)
        found[f"{key}: fingerprint"] = of_content(teacher.fingerprint)
    return found


def presets(inputs: Path, folder: Path) -> Measures:
    """Compose what users choose by name, and note its numbers."""
    found: Measures = {}
    with initialize_config_module("pickclutter_lang.configs", version_base="1.3"):
        for key, name in EXPERIMENTS.items():
            run = composed(TrainSettings, "train_affordance", [f"experiment={name}"])
            values = [run.data.image_size, run.data.view, run.student.output_stride, run.student.temperature]
            values += [getattr(run.objective, name) for name in (*WEIGHTS, "temperature", "gamma_negative", "clip")]
            values += [run.fewshot.passes, *phase(run.distill), *phase(run.fewshot)]
            found[f"scenes, {key}"] = everywhere([*values, *(phase(run.closeups) if run.closeups else ())])
        for key, name in RECIPES.items():
            one = composed(BenchmarkSettings, "train_pictures", [f"recipe={name}", "objective.cls=1"])
            values = [one.image_size, one.centre, one.last_epochs, one.views.smallest, one.views.crops, one.data.side]
            values += [getattr(one.objective, name) for name in (*PICTURE_WEIGHTS, "temperature", "top_k")]
            found[f"pictures, {key}"] = everywhere([*values, *phase(one.distill), *phase(one.fewshot)])
        teacher = composed(TeacherTrainSettings, "train_teacher", ["scenes=[a]", "views=[b]", "out=c"])
    return found | {"teacher": everywhere(getattr(teacher, name) for name in OF_A_TEACHER)}


def phase(settings: PhaseSettings) -> Iterator[float]:
    """Yield the numbers of a phase."""
    yield from (getattr(settings, name) for name in OF_A_PHASE)
    yield from (*settings.milestones, *settings.image_sizes)


def noise(count: int) -> Any:
    """Return pictures [N, 40, 40, 3] of noise."""
    return np.random.default_rng(0).integers(0, 256, (count, 40, 40, 3), dtype=np.uint8)
