"""Every JSON file that the package reads: a valid one, and the call that reads it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from helpers.episodes import episode
from helpers.image_data import config as image_config
from helpers.image_data import paint_classes, toy_views
from helpers.image_results import make_result as make_image_result
from helpers.scene_rows import make_store
from helpers.scene_runs import config, make_teacher
from helpers.sweep_results import make_result
from pickclutter_lang.benchmarking.measure import summarize
from pickclutter_lang.benchmarking.report import BenchReport, MeasuredRow, read_report
from pickclutter_lang.datasets.images.loaders.image_folder import read_classes
from pickclutter_lang.datasets.images.metadata import with_captions
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore, dataset_card, maniskill_episodes, subsets
from pickclutter_lang.demonstrations.trajectories import Demonstrations
from pickclutter_lang.evaluation import policy_comparison, student_folders
from pickclutter_lang.evaluation.calibration import teacher_key, teacher_thresholds
from pickclutter_lang.evaluation.episode_log import EpisodeLog
from pickclutter_lang.experiments.images import caption_images
from pickclutter_lang.experiments.images import sweep_answers as image_sweep_answers
from pickclutter_lang.experiments.images.image_answers import PARTS, load_answers
from pickclutter_lang.experiments.result import kind_of_result, read_result
from pickclutter_lang.experiments.scenes import table12
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.load import load_run_config
from pickclutter_lang.experiments.scenes.policy_scores import _check_same, group_table
from pickclutter_lang.experiments.scenes.policy_scores import read_scores as read_policy_scores
from pickclutter_lang.experiments.scenes.scene_scores import read_scores
from pickclutter_lang.experiments.scenes.trained_student import LabelFeatures
from pickclutter_lang.experiments.sweeps.sweep_results import SweepResults
from pickclutter_lang.experiments.sweeps.sweep_values import write_values
from pickclutter_lang.language.collect_descriptions import read_labels
from pickclutter_lang.language.descriptions import DescriptionSet, load_descriptions
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.migration import folders
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.kinds import kind_set
from pickclutter_lang.objects.meshes import mesh_importer
from pickclutter_lang.objects.meshes.imported_model import ImportedModel
from pickclutter_lang.objects.object_sets import read_object_set
from pickclutter_lang.policy import config as policy_config
from pickclutter_lang.policy.bundle import load_pretrained, save_pretrained
from pickclutter_lang.sharing import hub_folders
from pickclutter_lang.sharing.fetched import Fetched
from pickclutter_lang.teacher_training.train import _truncate_log
from pickclutter_lang.teachers import hub as teacher_hub
from pickclutter_lang.teachers.feature_cache import FeatureCache, FeatureKey
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.teachers.reference import TeacherReference
from pickclutter_lang.training import trackers
from pickclutter_lang.training.checkpoint import load_checkpoint, save_checkpoint
from pickclutter_lang.training.checkpoint_state import PhaseState

Reader = tuple[Path, Callable[[], object]]
"""A valid file, and the call that reads it."""
TEACHER = {"name": "pocket", "embed_dim": 32, "fingerprint": "f"}
POLICY = policy_config.PolicyConfig(
    policy_config.StudentSpec(
        "distill", "present", policy_config.StudentArchitecture("timm/test_resnet", 16, False, 0.07), "float32",
        ("hand",), False, 48, 32, 32, policy_config.PromptArchitecture(8, False, False), ("a", "b"),
        TeacherReference("pocket", None, "f"), None,
    ),
    policy_config.Thresholds(0.5, {"a": 0.5, "b": 0.5}, None),
)  # fmt: skip


SCORED_GROUP = {
    "names": 2,
    "map": {"mean": 0.5, "half_width": 0.1, "seeds": 1},
    "f1": {"mean": 0.5, "half_width": None, "seeds": 1},
    "all_positive_map": None,
    "all_positive_f1": {"mean": 0.2, "half_width": 0.1, "seeds": 1},
    "visible": 3,
    "visible_called_absent": 1,
    "absent": 5,
    "absent_called_so": 4,
}


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value) + "\n")
    return path


def file(name: str, value: object, read: Callable[[Path], object]) -> Callable[[Path], Reader]:
    """Return what writes a file into a folder, with the call that reads it."""
    return lambda folder: (write(folder / name, value), lambda: read(folder / name))


def manifest(folder: Path) -> Reader:
    make_store(folder / "store")
    return folder / "store" / "manifest.json", lambda: SceneStore.open(folder / "store").labels("present")


def grasp_check(folder: Path) -> Reader:
    make_store(folder / "store")
    rates = dict.fromkeys(("agreement", "precision", "recall", "pose_success"), 0.5)
    path = write(folder / "store" / "grasp_check.json", {"instances": 2, "labelled": 1, "picked": 1, **rates})
    return path, lambda: dataset_card.write_dataset_card(folder / "store")


def settings(folder: Path) -> Reader:
    made = config(f"scenes={folder}", f"out={folder}").as_dict()
    path = write(folder / "settings.json", {"settings": made, "data": {}, "teacher": TEACHER})
    return path, lambda: load_run_config(EvaluateConfig(str(folder), None, 1, "cpu"))


def state(folder: Path) -> Reader:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    row = {"phase": "distill", "epoch": 1, "loss": float("nan"), "seconds": 1.0, "validation": {"f1": 0.5}}
    values = {"phase": "distill", "epoch": 1, "labels": ["a"], "architecture": {}, "teacher": TEACHER}
    values |= {"schedule": {"last_epoch": 1}, "history": [row]}
    save_checkpoint(folder / "epoch_0001", model, optimizer, values)
    return folder / "epoch_0001" / "state.json", lambda: load_checkpoint(folder / "epoch_0001", PhaseState)


def result(folder: Path) -> Reader:
    return write(folder / "result.json", make_result("cls", 0, 0.5)), lambda: read_result(folder, "scenes")


def kind(folder: Path) -> Reader:
    return write(folder / "result.json", make_result("cls", 0, 0.5)), lambda: kind_of_result(folder)


def answers(folder: Path) -> Reader:
    one = {"predicted": [0, 0], "own": [0.5, 0.1], "others": [0.2, 0.3]}
    images = {"images": ["a/0", "b/0"], "labels": [0, 1], "examples": [1]}
    content = {"classes": ["a", "b"], "unseen": [1], "images": {"id": images, "ood": images}}
    path = folder / "answers.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content | {"stages": {"few_shot": dict.fromkeys(PARTS, one)}}).encode()))
    return path, lambda: load_answers(folder)


def evaluated(folder: Path) -> Reader:
    path = write(folder / "result.json", {"config": {"suite": "picking", "seed": 0, "episodes": 1}, "revisions": []})
    return path, lambda: policy_comparison._read_result(folder)


def evaluated_of(folder: Path) -> Reader:
    return write(folder / "config.json", {"split": "ood"}), lambda: policy_comparison._read_identity(folder)


def evaluated_episodes(folder: Path) -> Reader:
    return write(folder / "episodes.jsonl", episode()), lambda: policy_comparison._read_episodes(folder)


def policy(folder: Path) -> Reader:
    features = PromptFeatures(torch.ones(2, 4), torch.ones(2, 4))
    save_pretrained(folder / "policy", POLICY, {"w": torch.ones(3)}, features)
    return folder / "policy" / "policy.json", lambda: load_pretrained(folder / "policy")


def teacher(folder: Path) -> Reader:
    root = make_teacher(folder / "teacher")
    return root / "open_clip_config.json", lambda: load_pocket_teacher(root)


def features(folder: Path) -> Reader:
    key, cache = FeatureKey("d", "t"), FeatureCache(folder)
    cache.save(key, torch.ones(2, 3))
    return next(folder.glob("*.json")), lambda: cache.load(key)


def label_features(folder: Path) -> Reader:
    path = folder / "label_features.safetensors"
    LabelFeatures(("a", "b"), (True, False), 32, PromptFeatures(torch.ones(2, 4), torch.ones(2, 4))).save(path)
    return path, lambda: LabelFeatures.load(path)


def views(folder: Path) -> Reader:
    toy_views(folder / "views", objects=2, views=2)
    return folder / "views" / "views.json", lambda: ObjectViewDataset.open(folder / "views")


def classes(folder: Path) -> Reader:
    paint_classes(folder / "data", ["a", "b"], 1)
    path = write(folder / "data" / "classes.json", [{"folder": "a", "name": "one"}, {"folder": "b"}])
    return path, lambda: read_classes(folder / "data", path)


def captions(folder: Path) -> Reader:
    from pickclutter_lang.datasets.images.loaders import load_set

    paint_classes(folder / "data", ["a", "b"], 2)
    data = load_set(image_config(folder)).data
    path = write(folder / "captions.jsonl", {"id": data.images.ids[0], "text": "a"})
    return path, lambda: with_captions(data, path)


def caption_model(folder: Path) -> Reader:
    out = write(folder / "c.jsonl", {"id": "a", "text": "b", "sha256": "s"})
    made = {"model": "m", "weights": "w", "max_tokens": 4}
    path = write(folder / f"c.jsonl{caption_images._PROVENANCE_SUFFIX}", made)

    def read() -> None:
        with out.open("a+b") as stream:
            caption_images._check_provenance(out, stream, made)

    return path, read


def objects(folder: Path) -> Reader:
    box = {"min": [0, 0, 0], "max": [1, 1, 1]}
    for name in ("collision.obj", "textured.obj"):
        (folder / "models" / "a").mkdir(parents=True, exist_ok=True)
        (folder / "models" / "a" / name).touch()
    path = write(folder / "info_pick_v0.json", {"a": {"bbox": box, "scales": [1.0]}})
    return path, lambda: read_object_set("ycb", folder, ["a"])


def demonstrations(folder: Path) -> Reader:
    (folder / "trajectory.rgbd.pd_ee_delta_pose.h5").touch()
    row = {
        "episode_id": 0,
        "episode_seed": 0,
        "control_mode": "c",
        "elapsed_steps": 9,
        "instruction": "i",
        "target": "t",
        "info": {},
    }
    path = write(folder / "trajectory.rgbd.pd_ee_delta_pose.json", {"env_info": {"env_kwargs": {}}, "episodes": [row]})
    return path, lambda: Demonstrations(folder)


def lerobot_info(folder: Path) -> Reader:
    for name in ("README.md", "meta/tasks.parquet", "meta/stats.json", "meta/episodes/a/a.parquet", "data/a/a.parquet"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    path = write(folder / "meta" / "info.json", {"total_episodes": 1, "video_path": None})
    return path, lambda: hub_folders._check_lerobot(folder)


def teacher_figures(folder: Path) -> Reader:
    path = write(folder / "figures.json", {"views": {"ycb": {"top1": 0.75}}, "kinds": {"kinds": {"top1": 0.5}}})
    return path, lambda: teacher_hub._accuracies(path)


def kind_entry(folder: Path) -> Reader:
    path = write(folder / "object.json", {"object": asdict(paper_catalog()[0]), "files": {}})
    return path, lambda: kind_set._read_entry.__wrapped__(path)  # without the entries that are kept


def imported_meshes(folder: Path) -> Reader:
    model = ImportedModel("0" * 64, ("a.stl",), (0.1, 0.1, 0.1), 1000.0, "m", "z", 12, "kept", 1, 0.001, None, 1.0)
    path = write(folder / mesh_importer.STATE_FILE, asdict(mesh_importer.ImportState(models={"a": model})))
    return path, lambda: mesh_importer.read_state(folder)


def descriptions(folder: Path) -> Reader:
    load_descriptions("standard").save(folder / "d.json")
    return folder / "d.json", lambda: DescriptionSet.load(folder / "d.json")


def trained_images(folder: Path) -> Reader:
    from pickclutter_lang.datasets.images.loaders import load_set
    from pickclutter_lang.teachers.training_images import check_untrained_images

    paint_classes(folder / "data", ["a", "b"], 2)
    data = load_set(image_config(folder)).data
    path = write(folder / "training_images.json", ["00"])
    return path, lambda: check_untrained_images(data, str(folder))


def episode_log(folder: Path) -> Reader:
    path = write(folder / "episodes.jsonl", episode())
    return path, lambda: EpisodeLog(path)


def evaluated_students(folder: Path) -> Reader:
    path = write(folder / student_folders.EVAL_CONFIG_FILE, {"seed": 0})
    return path, lambda: student_folders.check_same(folder, {"seed": 0}, {})


def sweep_scores(folder: Path) -> Reader:
    stages = {"few_shot": {"scores": {"a": [0.1]}, "predicted": {"a": "1"}}}
    runs = [{"method": "m", "object_split": 0, "seed": 0, "draw": 0, "stages": stages}]
    content = {"splits": {"0": {"scenes": ["s"], "targets": {"a": "0"}}}, "runs": runs}
    path = folder / "scores.json.gz"
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    return path, lambda: read_scores(path)


def sweep_answers(folder: Path) -> Reader:
    parts = {"id": {"images": ["i"], "labels": [0]}, "ood": {"images": ["o"], "labels": [1]}}
    runs = [{"method": "m", "object_split": 0, "seed": 0, "stages": {"zero_shot": {"ood": [1]}}}]
    path = folder / "sweep_answers.json.gz"
    content = {"splits": {"0": {"classes": ["a", "b"], "parts": parts}}, "runs": runs}
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    return path, lambda: image_sweep_answers.scores_of(image_sweep_answers.read_answers(path), path)


def sweep_about(folder: Path) -> Reader:
    write_values(folder / "values.csv", SweepResults(folder, {}, {}))
    path = write(folder / "about.json", {"notes": [], "settings": {}, "pairs": []})
    return path, lambda: table12.read_tables(folder)


def captions_before(folder: Path) -> Reader:
    path = write(folder / "c.jsonl", {"id": "a", "text": "b", "sha256": "s"})

    def read() -> None:
        with caption_images._open(path) as stream:
            caption_images._kept(path, stream, {"a": "s"})

    return path, read


def thresholds(folder: Path) -> Reader:
    settings: Any = SimpleNamespace(calibration="id", false_positive_rate=0.05)
    scenes: Any = {"id": SimpleNamespace(content_hash="x")}
    key = teacher_key(settings, POLICY.student, scenes)
    path = write(folder / "teacher_thresholds.json", {"of": key, "thresholds": asdict(POLICY.thresholds)})
    return path, lambda: teacher_thresholds(settings, POLICY.student, scenes, folder)


def tracked_run(folder: Path) -> Reader:
    path = write(folder / trackers.RUNS_FILE, {"run_id": "0" * 16})
    return path, lambda: trackers._run_id(folder)


def bench(folder: Path) -> Reader:
    row = MeasuredRow(
        "a decision", "CLIP", "times as fast", summarize([(1.0, 2.0)], "times as fast", (1, 1), 0.5), None
    )
    report = BenchReport(1, {"repeats": 1}, {"cores": 2}, {"numpy": "1"}, None, {"decision/torch": row})
    return write(folder / "bench.json", asdict(report)), lambda: read_report(folder / "bench.json")


READERS: Mapping[str, Callable[[Path], Reader]] = {
    "benchmarking/report.py:read_report": bench,
    "datasets/images/loaders/image_folder.py:_rows": classes,
    "datasets/images/metadata.py:with_captions": captions,
    "datasets/object_views.py:open": views,
    "datasets/scenes/dataset_card.py:_check": grasp_check,
    "datasets/scenes/manifest.py:read_manifest": manifest,
    "datasets/scenes/maniskill_episodes.py:read_episodes": file(
        "e.json", [{"actors": [{"model_id": "a"}]}], maniskill_episodes.read_episodes
    ),
    "datasets/scenes/subsets.py:read_split": file("few.json", ["ood/0/1"], subsets.read_split),
    "demonstrations/trajectories.py:__init__": demonstrations,
    "experiments/images/caption_images.py:_check_provenance": caption_model,
    "experiments/images/caption_images.py:_kept": captions_before,
    "experiments/images/image_answers.py:load_answers": answers,
    "experiments/images/sweep_answers.py:read_answers": sweep_answers,
    "experiments/result.py:kind_of_result": kind,
    "experiments/result.py:read_result": result,
    "experiments/result.py:read_result of images": file(
        "result.json", make_image_result("cls", 0), lambda path: read_result(path.parent, "images")
    ),
    "experiments/scenes/policy_scores.py:_check_same": file(
        "result.json", {"policy": "a", "store": {"scenes": 1}}, lambda path: _check_same(path, {"policy": "a"})
    ),
    "experiments/scenes/policy_scores.py:read_scores": file(
        "result.json",
        {"label": "visible", "groups": {"all": SCORED_GROUP}},
        lambda path: group_table(read_policy_scores(path)),
    ),
    "experiments/scenes/scene_scores.py:read_scores": sweep_scores,
    "experiments/scenes/table12.py:read_tables": sweep_about,
    "experiments/scenes/trained_student.py:load": label_features,
    "language/collect_descriptions.py:_read_file": file("labels.json", ["mug"], lambda path: read_labels(str(path))),
    "language/descriptions.py:load": descriptions,
    "migration/folders.py:_read": file("policy.json", {"schema": 3}, folders._read),
    "migration/folders.py:_rows": file("log.jsonl", {"phase": "distill"}, folders._rows),
    "objects/kinds/kind_set.py:_read_entry": kind_entry,
    "objects/meshes/mesh_importer.py:read_state": imported_meshes,
    "objects/model_db.py:read_model_db": objects,
    "policy/manifest.py:read_manifest": policy,
    "evaluation/episode_log.py:__init__": episode_log,
    "evaluation/policy_comparison.py:_read_episodes": evaluated_episodes,
    "evaluation/policy_comparison.py:_read_identity": evaluated_of,
    "evaluation/policy_comparison.py:_read_result": evaluated,
    "evaluation/student_folders.py:check_identity": evaluated_students,
    "evaluation/teacher_thresholds.py:read_thresholds": thresholds,
    "teachers/hub.py:_accuracies": teacher_figures,
    "sharing/fetched.py:of": file(
        ".fetched_from", {"repository": "me/x", "kind": "teacher", "files": ["a"]}, lambda path: Fetched.of(path.parent)
    ),
    "sharing/hub_folders.py:_check_lerobot": lerobot_info,
    "teacher_training/train.py:_truncate_log": file("log.jsonl", {"step": 0}, lambda path: _truncate_log(path, 1)),
    "teachers/feature_cache.py:load": features,
    "teachers/pocket.py:load_pocket_teacher": teacher,
    "teachers/training_images.py:_read": trained_images,
    "training/checkpoint.py:load_state": state,
    "training/experiment.py:read_run": settings,
    "training/trackers.py:_run_id": tracked_run,
}
"""File and function that reads JSON, and of what -> what makes such a file and reads it."""
