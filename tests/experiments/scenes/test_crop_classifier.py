"""The crop classifier: object crops from scenes, its training, and its use as a verifier in the policy."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from helpers.grasping import INTRINSIC
from helpers.scene_data import COLORS, drop_field, make_toy_store
from helpers.scene_runs import SMALL, config, make_toys
from pickclutter_lang.datasets.scene_images import ObjectCropDataset, SceneDataset
from pickclutter_lang.datasets.transforms.crops import crop_images, crop_masks, crops_around
from pickclutter_lang.datasets.transforms.resampling import bounding_square
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import PolicyExportConfig, TrainedRunConfig
from pickclutter_lang.experiments.scenes.crop_classifier import CropBatch, CropTask
from pickclutter_lang.experiments.scenes.export_policy import export_policy, save_crop_scores
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_report import write_report
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.manipulation.point_cloud import camera_pose_from_table, unproject_depth
from pickclutter_lang.policy.detectors import CropVerifier, StudentDetector
from pickclutter_lang.policy.ppo import StudentFeaturesExtractor
from pickclutter_lang.policy.replay import scene_to_observation
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.students import build_student
from pickclutter_lang.students.crop_classifier import CropClassifier, orthogonalize
from pickclutter_lang.students.student import normalize_rgb
from pickclutter_lang.training.checkpoint import saved_epochs
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
    model = CropClassifier(build_student("timm/test_resnet", channels=3, embed_dim=5), 4).eval()
    rng = np.random.default_rng(0)
    images, text = torch.randn(3, 3, 64, 64), torch.randn(4, 5)
    model.set_class_embeddings(text)
    rows = text.numpy().astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(rows @ rows.T)
    decorrelated = vectors @ np.diag(values**-0.5) @ vectors.T @ rows  # the root of the Gram matrix, inverted
    masks = torch.from_numpy(rng.integers(0, 2, (3, 64, 64)).astype(np.float32))
    masks[2] = 0
    with torch.no_grad():
        found, local = model(images, masks).numpy(), model.student(normalize_rgb(images)).spatial.numpy()
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
    with pytest.raises(InvalidArgumentError, match=r"masks \[N, S, S\]"):
        model(images, masks[:2])
    with pytest.raises(InvalidArgumentError, match=r"expected class embeddings \[4, 5\], but got \[1, 5\]"):
        model.set_class_embeddings(text[:1])


def test_nearly_equal_texts_are_distinguished() -> None:
    text = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    text[1] = text[0] + 0.02 * text[1]
    found = orthogonalize(text)
    assert torch.allclose(found @ found.T, torch.eye(3), atol=1e-5)
    assert torch.allclose(orthogonalize(3 * found[[2, 0, 1]]), found[[2, 0, 1]], atol=1e-5)  # what is so stays
    more = orthogonalize(torch.randn(9, 8, generator=torch.Generator().manual_seed(1)))
    assert torch.allclose(more.norm(dim=1), torch.ones(9), atol=1e-5)


def test_label_frequencies_are_added_in_training(crop_run: tuple[Path, SceneRun]) -> None:
    _, run = crop_run
    task: Any = run.task("crop_classifier")
    prepared = next(iter(task.iter_batches(0)))
    sampled_labels = [
        [(task.train, task.few_shot)[s].labels[r] for s, r in batch] for n in range(400) for batch in task.batches(n)
    ]
    counts = np.maximum(1, np.bincount(np.concatenate(sampled_labels), minlength=len(task.labels)) / 400)
    assert len(set(counts.round().tolist())) > 2
    task.model.eval()
    with torch.no_grad():
        images, masks, labels = prepared
        logits = task.model(images, masks).double().numpy()
        found = float(task.loss(prepared, 0)[0])
    odds = counts * np.exp(logits)
    probability = odds[np.arange(len(labels)), labels] / odds.sum(axis=1)
    assert found == pytest.approx(-np.log(probability).mean(), abs=0.01)  # 400 epochs are not all of them


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
    rng, side = np.random.default_rng(0), 60
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
    with pytest.raises(InvalidArgumentError, match="3 points of a table"):
        camera_pose_from_table(depth, intrinsic, np.zeros((side, side), bool))


def test_objects_are_classified(crop_run: tuple[Path, SceneRun]) -> None:
    _, run = crop_run
    history = [json.loads(line) for line in (run.folder / "crop_classifier" / "log.jsonl").read_text().splitlines()]
    assert len(history) == 3 and history[-1]["cls"] < history[0]["cls"]
    record = json.loads((run.folder / "result.json").read_text())
    assert record["history"]["crop_classifier"] == history and record["seconds"]["crop_classifier"] > 0
    assert "A second student, of object crops, goes with it (3 epochs)." in write_report(run.folder).read_text()
    assert history[-1]["validation"]["accuracy"] > 0.2  # of 26 names
    run.load_weights("crop_classifier")
    model, columns = run.phases["crop_classifier"].model(), run.label_indices(("id", "ood"))
    few_shot = ObjectCropDataset(run.scenes["fewshot"], columns)
    with torch.no_grad():
        images, masks = few_shot.load(range(len(few_shot)), 64)
        right = model(images, masks).argmax(dim=1) == few_shot.labels
    assert right.float().mean() > 0.2


def test_a_stopped_phase_resumes(crop_run: tuple[Path, SceneRun], tmp_path: Path) -> None:
    root, run = crop_run
    shutil.copytree(root / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "crop_classifier")
    again = SceneRun.open(replace(run.config, out=str(tmp_path / "run")))
    steps, loss = [], type(again.task("crop_classifier")).loss

    def stopped(task: CropTask, prepared: CropBatch, epoch: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        steps.append(epoch)
        if len(steps) > len(task.batches(0)) + 1:
            raise KeyboardInterrupt
        return loss(task, prepared, epoch)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("pickclutter_lang.experiments.scenes.crop_classifier.CropTask.loss", stopped)
        again.train()
    assert steps[-1] == 2 and saved_epochs(tmp_path / "run" / "crop_classifier") == [1]
    done = (tmp_path / "run" / "crop_classifier" / "log.jsonl").read_text()
    later = SceneRun.open(again.config)
    later.train()
    assert (
        (tmp_path / "run" / "crop_classifier" / "log.jsonl").read_text().startswith(done)
    )  # the first epoch not once more
    for each in (run, later):
        each.load_weights("crop_classifier")
    expected, found = (each.phases["crop_classifier"].model().state_dict() for each in (run, later))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_policy_verifies_candidates_with_the_crop_classifier(crop_run: tuple[Path, SceneRun]) -> None:
    root, run = crop_run
    student = StudentRuntime.load(root / "policy")
    detector, seen = StudentDetector(student), scene_to_observation(run.scenes["ood"], 1)
    names = [*student.config.names[:3], "a red teapot"]
    detected, plain = (
        detector.detect(seen, names),
        student.predict(seen, names),
    )
    rgb = seen["hand_rgb"]
    for n, name in enumerate(names):
        assert (detector(seen, name).mask == detected[n].mask).all()
        assert detector(seen, name).score == pytest.approx(detected[n].score, abs=1e-6)
    assert student.thresholds.crop_classifier is not None
    for n, name in enumerate(names[:3]):
        closer = student.classify_crops(rgb, [detected[n].mask])[0][n] if detected[n].mask.any() else -12.0
        odds = np.log(plain.scores[n] / (1 - plain.scores[n])) + 0.3 * np.clip([closer, closer - 2], -12, 12)
        assert np.abs(1 / (1 + np.exp(-odds)) - detected[n].score).min() < 1e-5  # 2 less if it was not its first choice
        assert detected[n].threshold == student.thresholds.crop_classifier[name] != student.threshold(name)
    assert detected[3].score == pytest.approx(float(plain.scores[3])) and detected[3].threshold == student.threshold("")
    assert sum(one.mask.any() for one in detected) > 0
    full_mask = np.ones((SIDE, SIDE), bool)
    odds = student.classify_crops(rgb, [full_mask])[0]
    assert np.sum(1 / (1 + np.exp(-odds))) == pytest.approx(1, abs=1e-6)  # probabilities of all names
    assert list(student.config.names) == run.label_names(("id", "ood"))
    part = np.zeros((SIDE, SIDE), bool)
    part[8:30, 10:16] = part[24:30, 10:40] = True
    window = crops_around(np.array([bounding_square(part)]))
    crop_mask = crop_masks(part[None].astype(np.uint8), window, 64).float()
    with torch.no_grad():  # what was trained, not frozen
        run.load_weights("crop_classifier")
        logits = (
            run.phases["crop_classifier"].model()(crop_images(rgb[None], window, 64), crop_mask)[0].double().numpy()
        )
    for n, logit in enumerate(logits):
        others = np.log(np.exp(np.delete(logits, n)).sum())
        assert student.classify_crops(rgb, [part])[0][n] == pytest.approx(
            logit - others, abs=0.05
        )  # bfloat16 where there is any
    assert np.abs(student.classify_crops(rgb, [part])[0] - odds).max() > 0.1
    again = pickle.loads(pickle.dumps(student))  # for the processes of vectorized environments
    assert np.array_equal(again.classify_crops(rgb, [part])[0], student.classify_crops(rgb, [part])[0])
    with pytest.raises(InvalidArgumentError, match="each name once"):
        detector.detect(seen, ["banana", "lemon", "banana"])


def test_thresholds_with_a_crop_classifier_use_both_stores(crop_run: tuple[Path, SceneRun]) -> None:
    root, run = crop_run
    student = StudentRuntime.load(root / "policy")
    detector, found = StudentDetector(student), {}
    for store in ("id", "fewshot"):
        scenes = run.scenes[store]
        scores = np.array(
            [
                [one.score for one in detector.detect(scene_to_observation(scenes, row), student.config.names)]
                for row in range(len(scenes))
            ]
        )
        for split in ("id", "ood"):
            columns = run.label_indices((split,))
            indices = [student.config.names.index(scenes.label_names[column]) for column in columns]
            found[store, split] = np.quantile(scores[:, indices][~scenes.labels[:, columns].numpy()], 0.93)
    thresholds = student.thresholds.crop_classifier
    assert thresholds is not None
    known, unseen = (thresholds[run.label_names((split,))[0]] for split in ("id", "ood"))
    assert known == pytest.approx(max(found["id", "id"], found["fewshot", "id"]), abs=1e-4)
    assert unseen == pytest.approx(found["fewshot", "ood"], abs=1e-4)
    assert set(thresholds) == set(student.config.names)


def test_the_candidate_with_the_highest_log_odds_is_selected(
    crop_run: tuple[Path, SceneRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    student = StudentRuntime.load(crop_run[0] / "policy")
    masks, rgb = [np.arange(9).reshape(3, 3) == n for n in range(3)], np.zeros((3, 3, 3), np.uint8)
    number = student.config.names.index("banana")
    classified_masks: list[NDArray[np.bool_]] = []

    def select(*odds: float) -> tuple[int, float]:
        def classify(rgb: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
            classified_masks.extend(masks)
            of_crops = np.array([odds[int(np.flatnonzero(mask)[0])] for mask in masks])
            logits: NDArray[np.float64] = np.eye(len(student.config.names))[number] * of_crops[:, None]
            return logits

        monkeypatch.setattr(student, "classify_crops", classify)
        verifier = CropVerifier(student, rgb)
        mask, found = verifier.best(masks, "banana")
        assert verifier.best(masks, "lemon")[1] == 0.0
        return int(np.flatnonzero(mask)[0]), found

    assert select(0.0, 1.5, 1.9) == (0, 0.0)  # the rank penalty favors the first
    assert select(0.0, 1.5, 3.0) == (2, 1.0)
    nothing = np.zeros((3, 3), bool)
    assert len(classified_masks) == 6  # each object once
    mask, odds = CropVerifier(student, rgb).best([nothing], "banana")
    assert not mask.any() and odds == -12


def test_a_crop_classifier_is_exported_without_the_scenes(crop_run: tuple[Path, SceneRun]) -> None:
    root, _ = crop_run
    request = PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "without"))
    (root / "scenes").rename(root / "moved")
    try:
        with pytest.raises(DatasetError, match="evaluate-affordance run="):
            export_policy(request)
    finally:
        (root / "moved").rename(root / "scenes")
    save_crop_scores(TrainedRunConfig(str(root / "run"), "few_shot", None, 1))
    (root / "scenes").rename(root / "moved")
    try:
        export_policy(request)
    finally:
        (root / "moved").rename(root / "scenes")
    for file in (root / "policy").iterdir():
        assert (root / "without" / file.name).read_bytes() == file.read_bytes()


def test_before_fine_tuning_there_is_no_crop_classifier(crop_run: tuple[Path, SceneRun]) -> None:
    root, _ = crop_run
    export_policy(PolicyExportConfig(str(root / "run"), "distill", None, 1, str(root / "before")))
    student = StudentRuntime.load(root / "before")
    assert student.config.object_crop_size is None
    with pytest.raises(InvalidArgumentError, match="crop_classifier"):
        student.classify_crops(np.zeros((SIDE, SIDE, 3), np.uint8), [np.ones((SIDE, SIDE), bool)])[0]


def test_mismatches_are_named(crop_run: tuple[Path, SceneRun], tmp_path: Path) -> None:
    root, run = crop_run
    given = [f"scenes={root / 'scenes'}", f"teacher.checkpoint={root / 'teacher'}", *PHASE]
    with pytest.raises(InvalidArgumentError, match="data=hand_rgb for object crops"):
        config(*given, "data=hand_rgbd")
    with pytest.raises(InvalidArgumentError, match=r"crop_classifier\.crop_size"):
        config(*given, "crop_classifier.crop_size=4")
    with pytest.raises(InvalidArgumentError, match=r"no crop_classifier\.image_size_schedule"):
        config(*given, "crop_classifier.image_size_schedule=[32]")
    with pytest.raises(InvalidArgumentError, match=r"other settings.*crop_classifier"):
        SceneRun.open(replace(run.config, crop_classifier=None))
    shutil.copytree(root / "policy", tmp_path / "policy")
    values = json.loads((tmp_path / "policy" / "policy.json").read_text())
    for wrong, message in (
        (None, "crop classifier where there is one"),
        ({"banana": 0.5}, "thresholds.crop_classifier"),
    ):
        changed = values | {"thresholds": values["thresholds"] | {"crop_classifier": wrong}}
        (tmp_path / "policy" / "policy.json").write_text(json.dumps(changed))
        with pytest.raises(CheckpointError, match=message):
            StudentRuntime.load(tmp_path / "policy")
    scenes = run.scenes["fewshot"]
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(DatasetError, match=r"scene fewshot/.*3 points of a table"),
    ):
        load_images = scenes.load_images
        patch.setattr(
            scenes, "load_images", lambda camera, kind, rows: load_images(camera, kind, rows) * (kind != "depth")
        )
        scene_to_observation(scenes, 0)
    plain = SceneRun.open(
        config(*given[:2], *SMALL, "distill.epochs=1", "few_shot.epochs=1", f"out={tmp_path / 'plain'}")
    )
    with pytest.raises(InvalidArgumentError, match="this run has no 'crop_classifier'"):
        plain.task("crop_classifier")


@pytest.mark.parametrize(
    ("store", "field"), [("id", "hand_segmentation"), ("id", "hand_depth"), ("fewshot", "hand_depth")]
)
def test_stores_without_the_fields_of_object_crops_are_refused_at_once(tmp_path: Path, store: str, field: str) -> None:
    given = make_toys(tmp_path, size=SIDE)
    drop_field(tmp_path / "scenes" / store, field)
    with pytest.raises(DatasetError, match=rf"{field}.*crop_classifier=none"):
        SceneRun.open(
            config(
                *given,
                "objective.region_contrastive=0",
                "objective.region_proximity=0",
                *PHASE,
                f"out={tmp_path / 'run'}",
            )
        )


def test_features_for_agents_are_those_of_the_scene_student(crop_run: tuple[Path, SceneRun]) -> None:
    student = StudentRuntime.load(crop_run[0] / "policy")
    space = gymnasium.spaces.Dict(
        {
            "hand_rgb": gymnasium.spaces.Box(0, 255, (3, SIDE, SIDE), np.uint8),
            "qpos": gymnasium.spaces.Box(-1, 1, (7,), np.float32),
        }
    )
    extractor = StudentFeaturesExtractor(space, student)
    seen = {"hand_rgb": torch.rand(2, 3, SIDE, SIDE), "qpos": torch.zeros(2, 7)}
    assert extractor(seen).shape == (2, extractor.features_dim)
