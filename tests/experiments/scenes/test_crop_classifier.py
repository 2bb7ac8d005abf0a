"""The crop classifier: object crops from scenes, its training, and its use as a verifier in the policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.special import expit, logit

from helpers.grasping import INTRINSIC
from helpers.scene_data import COLORS, change_field, make_toy_store
from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import ObjectCropDataset, SceneDataset
from pickclutter_lang.datasets.transforms.crops import crop_images, crop_masks, crops_around
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_report import write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.trained_run import names_of
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.table import camera_pose_from_table
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.evidence.text import Text
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy, save_crop_scores
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.student import CropClassifier, build_student, normalize_rgb
from pickclutter_lang.training.trainer import seed_everything

SIDE = 48
PHASE = (
    "crop_classifier=default",
    "crop_classifier.crop_size=64",
    "crop_classifier.epochs=3",
    "crop_classifier.batch_size=16",
    "crop_classifier.repeats=20",
)


@pytest.fixture(scope="module")
def crop_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SceneRun]:
    """A run with object crops and its policy."""
    root = tmp_path_factory.mktemp("crop_classifier")
    given = [*make_toys(root, size=SIDE), "distill.epochs=1", "few_shot.epochs=1", *PHASE, "crop_classifier.lr=0.003"]
    run = SceneRun.open(config(*given, f"out={root / 'run'}"))
    run.train()
    evaluate_run(run)
    export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "policy")))
    return root, run


def test_crop_logits_match_numpy() -> None:
    seed_everything(0)
    model = CropClassifier(build_student(StudentConfig("timm/test_resnet", None), 3, 5), 4).eval()
    rng = np.random.default_rng(0)
    images = torch.randn(3, 3, 64, 64)
    text = torch.randn(4, 5)
    model.set_class_embeddings(text)
    rows = text.numpy().astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    decorrelated = vectors @ np.diag(values**-0.5) @ vectors.T @ rows  # the root of the Gram matrix, inverted
    masks = torch.from_numpy(rng.integers(0, 2, (3, 64, 64)).astype(np.float32))
    masks[2] = 0
    with torch.no_grad():
        found = model(images, masks).numpy()
        local = model.student(normalize_rgb(images)).spatial.numpy()
    cells = local.shape[2]
    for n in range(3):
        total = np.zeros(5)
        for i in range(cells):
            for j in range(cells):
                step = 64 // cells
                part = masks[n, i * step : (i + 1) * step, j * step : (j + 1) * step].numpy()
                total += (part.mean() + 1e-4) * local[n, :, i, j]
        for c in range(4):
            assert found[n, c] == pytest.approx(10 * total @ decorrelated[c] / np.linalg.norm(total), abs=1e-3)


def test_label_frequencies_are_added_in_training(crop_run: tuple[Path, SceneRun]) -> None:
    _, run = crop_run
    phase: Any = run.phases["crop_classifier"]
    prepared = next(iter(phase.iter_batches(0)))
    crops = phase.crops["train"], phase.crops["fewshot"]
    sampled_labels = [[crops[s].labels[r] for s, r in batch] for n in range(100) for batch in phase.batches(n)]
    counts = np.maximum(1, np.bincount(np.concatenate(sampled_labels), minlength=len(phase.labels)) / 100)
    assert len(set(counts.round().tolist())) > 2
    phase.model.eval()
    with torch.no_grad():
        images, masks, labels = prepared
        logits = phase.model(images, masks).double().numpy()
        found = float(phase.loss(prepared, 0)[0])
    odds = counts * np.exp(logits)
    probability = odds[np.arange(len(labels)), labels] / odds.sum(axis=1)
    assert found == pytest.approx(-np.log(probability).mean(), abs=0.02)  # 100 epochs are not all of them


def test_objects_are_cut_out_with_their_masks_and_labels(tmp_path: Path) -> None:
    data = config("data.image_size=32", "data.crop_size=null").data
    scenes = SceneDataset(make_toy_store(tmp_path / "train", "train", 6, size=SIDE), data)
    columns = scenes.store.split_label_indices("id")
    objects = ObjectCropDataset(scenes, columns)
    assert len(objects) == int(scenes.labels[:, columns].sum())
    images, masks = objects.load(range(len(objects)), 40)
    assert images.shape == (len(objects), 3, 40, 40) and masks.shape == (len(objects), 40, 40)
    for image, mask, label in zip(images, masks, objects.labels.tolist(), strict=True):
        color = COLORS[columns[label]] / 255
        assert 0.1 < mask.mean() < 1 and mask[20, 20] == 1
        assert image[:, 20, 20].numpy() == pytest.approx(color, abs=0.01)
    one, again, other = (objects.load([0, 1], 40, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one[0], again[0]) and torch.equal(one[1], again[1]) and not torch.equal(one[0], other[0])
    assert len(ObjectCropDataset(scenes, scenes.store.split_label_indices("ood"))) == 0


def test_the_table_plane_gives_object_heights() -> None:
    rng = np.random.default_rng(0)
    side = 60
    for turn in ([np.pi, 0, 0], [np.pi - 0.3, 0.2, 0.7]):
        # OpenGL's camera points along -z: rotated by half a turn it would point up, so begin there.
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_rotvec([np.pi, 0, 0]).as_matrix() @ Rotation.from_rotvec(turn).as_matrix()
        pose[:3, 3] = 0.1, -0.2, 0.5
        intrinsic = INTRINSIC * side / 160
        intrinsic[2, 2] = 1
        rays = unproject_depth(np.ones((side, side)), intrinsic, pose).points - pose[:3, 3]
        depth = (-0.5 / rays[:, 2]).reshape(side, side)
        depth[20:30, 20:30] -= 0.05 * depth[20:30, 20:30] / 0.5  # 5 cm above the table
        table = np.ones((side, side), bool)
        table[18:24, 20:30] = False  # not all of the object is left out
        found = camera_pose_from_table(depth + rng.normal(0, 5e-4, depth.shape), intrinsic, table)
        heights = unproject_depth(depth, intrinsic, found).points[:, 2].reshape(side, side)
        assert np.abs(heights[40:]).max() < 0.002 and heights[20:30, 20:30].mean() == pytest.approx(0.05, abs=0.002)
        assert np.allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3)) and np.linalg.det(found[:3, :3]) > 0


def test_objects_are_classified(crop_run: tuple[Path, SceneRun]) -> None:
    _, run = crop_run
    history = [json.loads(line) for line in (run.folder / "crop_classifier" / "log.jsonl").read_text().splitlines()]
    assert len(history) == 3 and history[-1]["cls"] < history[0]["cls"]
    record = json.loads((run.folder / "result.json").read_text())
    assert record["history"]["crop_classifier"] == history and write_report(run.folder).is_file()
    assert history[-1]["validation"]["accuracy"] > 0.2  # of 26 names
    run.load_weights("crop_classifier")
    model = run.phases["crop_classifier"].model
    columns = range(len(run.unseen))
    few_shot = ObjectCropDataset(run.scenes["fewshot"], columns)
    with torch.no_grad():
        images, masks = few_shot.load(range(len(few_shot)), 64)
        right = model(images, masks).argmax(dim=1) == few_shot.labels
    assert right.float().mean() > 0.2


def test_a_policy_verifies_candidates_with_the_crop_classifier(crop_run: tuple[Path, SceneRun]) -> None:
    root, run = crop_run
    student = StudentRuntime.load(root / "policy")
    detector = StudentDetector(student)
    seen = scene_to_observation(run.scenes["ood"], 1)
    names = [*student.config.names[:3], "a red teapot"]
    detected, plain = detector.detect(seen, names), student.predict(seen, names)
    rgb = seen["hand_rgb"]
    for n, name in enumerate(names):
        assert (detector(seen, name).mask == detected[n].mask).all()
        assert detector(seen, name).score == pytest.approx(detected[n].score, abs=1e-6)
    together = student.thresholds.crop_classifier
    view = View.of_observation(student, seen)
    assert together is not None
    by_map = Text(student)(view, [detector.query(name) for name in names]).segments
    masks = [view.mask(segment) for segment in range(len(view.numbers))]
    closer = student.classify_crops(rgb, masks)
    for n, name in enumerate(names[:3]):
        odds = logit(float(plain.scores[n])) - logit(together[name]) + by_map[n] + 0.3 * np.clip(closer[:, n], -12, 12)
        assert detected[n].score == pytest.approx(expit(odds.max()), abs=1e-5)
        assert (detected[n].mask == masks[int(odds.argmax())]).all() and together[name] != student.thresholds.of(name)
    new = logit(float(plain.scores[3])) - logit(student.thresholds.of(""))  # only the folder's names are classified
    assert detected[3].score == pytest.approx(expit(new), abs=1e-6)
    assert {one.threshold for one in detected} == {0.5}
    assert list(student.config.names) == names_of(run.unseen, "id", "ood")
    part = np.zeros((SIDE, SIDE), bool)
    part[8:30, 10:16] = part[24:30, 10:40] = True
    window = crops_around(np.array([bounding_square(part)]))
    crop_mask = crop_masks(part[None].astype(np.uint8), window, 64).float()
    with torch.no_grad():  # what was trained, not frozen
        run.load_weights("crop_classifier")
        model = run.phases["crop_classifier"].model
        logits = model(crop_images(rgb[None], window, 64), crop_mask)[0].double().numpy()
    found = student.classify_crops(rgb, [part])[0]
    assert np.sum(1 / (1 + np.exp(-found))) == pytest.approx(1, abs=1e-6)  # probabilities of all names
    for n, value in enumerate(logits):
        others = np.log(np.exp(np.delete(logits, n)).sum())
        assert found[n] == pytest.approx(value - others, abs=0.05)  # bfloat16 where there is any


def test_thresholds_with_a_crop_classifier_use_both_stores(crop_run: tuple[Path, SceneRun]) -> None:
    root, run = crop_run
    student = StudentRuntime.load(root / "policy")
    thresholds = student.thresholds.crop_classifier
    assert thresholds is not None
    detector = StudentDetector(student)
    found = {}
    met = logit(np.array([thresholds[name] for name in student.config.names]))
    for store in ("id", "fewshot"):
        scenes = run.scenes[store]
        scores = np.array(
            [
                [one.score for one in detector.detect(scene_to_observation(scenes, row), student.config.names)]
                for row in range(len(scenes))
            ]
        )
        for split in ("id", "ood"):
            columns = [n for n, out in enumerate(run.unseen.values()) if out is (split == "ood")]
            indices = [student.config.names.index(scenes.label_names[column]) for column in columns]
            raw = expit(logit(scores) + met)
            found[store, split] = np.quantile(raw[:, indices][~scenes.labels[:, columns].numpy()], 0.93)
    known, unseen = (thresholds[names_of(run.unseen, split)[0]] for split in ("id", "ood"))
    assert known == pytest.approx(max(found["id", "id"], found["fewshot", "id"]), abs=1e-4)
    assert unseen == pytest.approx(found["fewshot", "ood"], abs=1e-4)
    assert set(thresholds) == set(student.config.names)


def test_a_crop_classifier_is_exported_without_the_scenes(crop_run: tuple[Path, SceneRun]) -> None:
    root, _ = crop_run
    request = PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "without"))
    save_crop_scores(TrainedRunConfig(str(root / "run"), "few_shot", None, 1))
    (root / "scenes").rename(root / "moved")
    try:
        export_policy(request)
    finally:
        (root / "moved").rename(root / "scenes")
    for file in (root / "policy").iterdir():
        assert (root / "without" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(("store", "field"), [("id", "hand_segmentation"), ("fewshot", "hand_depth")])
def test_stores_without_the_fields_of_object_crops_are_refused_at_once(tmp_path: Path, store: str, field: str) -> None:
    given = [*make_toys(tmp_path, size=SIDE), "objective.region_contrastive=0", "objective.region_proximity=0", *PHASE]
    change_field(tmp_path / "scenes" / store, field)
    with pytest.raises(DatasetError, match=field):
        SceneRun.open(config(*given, f"out={tmp_path / 'run'}"))
