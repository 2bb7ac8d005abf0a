"""Golden values of teachers, of tables from made-up results, and of the numbers that presets set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from golden_measures import Measures, everywhere, of_arrays, of_content, of_tables
from safetensors.torch import load_file

from helpers import sweep_results
from helpers.image_data import toy_views
from helpers.scene_data import make_toy_store
from pickclutter_lang.commands.app import compose_config
from pickclutter_lang.experiments.images.config import ImageTrainConfig
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.experiments.scenes.table12 import write_table
from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.train import train_teacher
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.training.config import PhaseConfig

METHODS = ("closed_set", "cls", "cls_imcst", "cls_imcst_semantic", "best", "best_no_region")
EXPERIMENTS = {
    "first": "quickstart",
    "table": "table12_cpu",
    "table 2": "table12_cpu_efficientnet",
    "table 3": "table12",
    "acting": "policy",
}
RECIPES = {"small": "cpu", "tiny": "smoke", "paper": "paper_resnet", "paper 2": "paper_vit"}
WEIGHTS = ("cls", "im_cst", "region_cls", "region_contrastive", "region_proximity", "scene_proximity")
IMAGE_WEIGHTS = ("cls", "mse", "im_cst", "vlprox", "cap")
OF_A_PHASE = ("lr", "weight_decay", "warmup_fraction", "gamma", "epochs", "batch_size")
OF_A_TEACHER = (
    "min_crop_size", "steps", "scene_batch_size", "view_batch_size", "lr", "text_lr", "weight_decay",
    "warmup_fraction", "sigmoid_weight", "sentence_weight",
)  # fmt: skip


def scene_table(inputs: Path, folder: Path) -> Measures:
    """Write the table of runs on scenes."""
    for number, method in enumerate(METHODS):
        for seed in range(3):
            f1 = 0.3 + 0.05 * number + 0.013 * ((3 * number + 5 * seed) % 7)
            sweep_results.write_result(folder / "runs", sweep_results.make_result(method, seed, f1))
    page = write_table(str(folder / "runs"), str(folder / "out")).read_text()
    sheets = [path.read_text() for path in (folder / "out").glob("*.csv")]
    return {"page": of_tables(page), "sheets": of_tables(*sheets, whole=False)}


def teacher_of_renders(inputs: Path, folder: Path) -> Measures:
    """Train on toy scenes, and on views of objects."""
    store = make_toy_store(folder / "scenes", "teacher", 8, size=48)
    replace(store.manifest, settings=store.manifest.settings | {"graspable": False}).write(folder / "scenes")
    toy_views(folder / "objects", objects=4, views=3)
    data = (f"scenes=[{folder / 'scenes'}]", f"views=[{folder / 'objects'}]", "min_crop_size=40")
    small = ("steps=3", "crop_sizes=[32]", "num_threads=1", "save_every=3", "warmup_fraction=0", "bf16=false")
    own = ("sentence_weight=0", "scene_batch_size=4", "view_batch_size=4", f"out={folder / 'out'}")
    made = train_teacher(compose_config(TeacherTrainConfig, "train_teacher", [*small, *data, *own]))
    teacher = load_teacher("pocket", made)
    tensors = [value for path in made.glob("*.safetensors") for value in load_file(path).values()]
    features = [teacher.encode_text(["a banana", "no mug"]), teacher.encode_image(teacher.preprocess(noise(2)))]
    return {"weights": of_arrays(tensors, tolerance=0.01), "features": of_arrays(features, tolerance=0.05)}


def embedded_teachers(inputs: Path, folder: Path) -> Measures:
    """Load the teachers that come with the package."""
    found: Measures = {}
    teacher = load_teacher("pocket")
    found["first: pictures"] = of_arrays([teacher.encode_image(teacher.preprocess(noise(3)))], tolerance=0.01)
    found["first: texts"] = of_arrays([teacher.encode_text(["a photo of a banana", "a red mug"])], tolerance=0.01)
    found["first: fingerprint"] = of_content(teacher.fingerprint)
    return found


def kinds(inputs: Path, folder: Path) -> Measures:
    """Generate two instances of each kind. Who changes one raises `kind_set.KINDS_VERSION`."""
    found: Measures = {}
    for kind in all_kinds():
        items = [kind.instance(seed) for seed in (0, 1)]
        parts = [part for item in items for part in item.geometry.parts]
        hulls = [points for item in items for points in item.geometry.hulls]
        found[kind.name] = of_arrays([*(part.surface.points for part in parts), *(p.image for p in parts), *hulls])
        words = [kind.words(0, item) | {"size": None} for item in items]
        found[f"{kind.name}: words"] = of_content(hashlib.sha256(json.dumps(words).encode()).hexdigest())
    return found


def presets(inputs: Path, folder: Path) -> Measures:
    """Compose what users choose by name, and note its numbers."""
    found: Measures = {}
    for key, name in EXPERIMENTS.items():
        run = compose_config(TrainConfig, "train_affordance", [f"experiment={name}"])
        values = [run.data.image_size, run.data.crop_size, run.student.output_stride, run.student.temperature]
        values += [getattr(run.objective, name) for name in (*WEIGHTS, "temperature")]
        values += [run.few_shot.repeats, *phase(run.distill), *phase(run.few_shot)]
        found[f"scenes, {key}"] = everywhere([*values, *(phase(run.crop_classifier) if run.crop_classifier else ())])
    for key, name in RECIPES.items():
        one = compose_config(ImageTrainConfig, "train_image_student", [f"recipe={name}", "objective.cls=1"])
        values = [one.image_size, one.center_crop, one.average_last_epochs]
        values += [one.crops.min_crop_area, one.crops.fixed_crops, one.data.image_size]
        values += [getattr(one.objective, name) for name in (*IMAGE_WEIGHTS, "temperature", "top_k")]
        found[f"pictures, {key}"] = everywhere([*values, *phase(one.distill), *phase(one.few_shot)])
    teacher = compose_config(TeacherTrainConfig, "train_teacher", ["scenes=[a]", "views=[b]", "out=c"])
    return found | {"teacher": everywhere(getattr(teacher, name) for name in OF_A_TEACHER)}


def phase(settings: PhaseConfig) -> Iterator[float]:
    """Yield the numbers of a phase."""
    yield from (getattr(settings, name) for name in OF_A_PHASE)
    yield from (*settings.milestones, *settings.image_size_schedule)


def noise(count: int) -> Any:
    """Return pictures [N, 40, 40, 3] of noise."""
    return np.random.default_rng(0).integers(0, 256, (count, 40, 40, 3), dtype=np.uint8)
