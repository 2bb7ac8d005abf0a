"""The pocket teacher's training: losses, windows, a real tiny run that learns, resumes to the bit and is exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from pickclutter_lang.datasets.object_views import ObjectViewDataset, write_object_views
from pickclutter_lang.datasets.scenes import Manifest, ObjectEntry, scene_fields, write_shard
from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER
from pickclutter_lang.datasets.transforms.affine_crops import (
    AffineCrops,
    color_jitter_batch,
    crop_images,
    crop_masks,
    simulate_low_resolution,
)
from pickclutter_lang.errors import CheckpointError, CorruptShardError, DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.loss import PairwiseSigmoid, multi_positive_nce
from pickclutter_lang.teacher_training.provenance import check_held_out_objects, run_signature
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.render_sources import ObjectViews, SceneImages, excluded_ids
from pickclutter_lang.teacher_training.train import train_teacher
from pickclutter_lang.teacher_training.trainable_teacher import (
    TrainablePocketTeacher,
    presence_loss,
    region_features,
    top1_accuracy,
)
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG

SIDE, SCENES = 48, 12
COLOURS = {"banana": (230, 200, 20), "apple": (190, 20, 20), "master chef can": (20, 40, 200)}
CATALOGUE = paper_catalog()


def write_scenes(folder: Path, seed: int, split: str = "teacher") -> Path:
    """Write a store of flat colored squares that stand for three objects."""
    rng = np.random.default_rng(seed)
    names = list(COLOURS)
    fields = scene_fields(("hand",), graspable=False)
    manifest = Manifest(
        split=split,
        seed=seed,
        scenes=SCENES,
        shard_size=SCENES,
        settings={"cameras": ["hand"], "image_size": SIDE, "graspable": False},
        fields=fields,
        object_set="proxy",
        object_fingerprint="none",
        objects=tuple(ObjectEntry(i.model_id, i.name, i.split) for i in CATALOGUE),
    )
    rows = []
    for index in range(SCENES):
        present = rng.permutation(3)[: rng.integers(1, 4)]
        row = {n: np.zeros(manifest.layout.field(n).shape, manifest.layout.field(n).dtype) for n in fields}
        row["index"] = np.int64(index)
        row["actors"][:] = -1
        row["hand_rgb"][:] = 60
        for instance_id, which in enumerate(present):
            y, x = 4 + 20 * (instance_id // 2), 4 + 20 * (instance_id % 2)
            column = CATALOGUE.index(names[which])
            row["actors"][instance_id] = column
            row["hand_rgb"][y : y + 16, x : x + 16] = COLOURS[names[which]]
            row["hand_segmentation"][y : y + 16, x : x + 16] = instance_id + 1
            row["present"][column] = row["visible"][column] = True
        rows.append(row)
    (folder / SHARD_FOLDER).mkdir(parents=True)
    manifest.with_shards([write_shard(folder, 0, rows, manifest.layout)]).write(folder)
    return folder


def write_some_views(folder: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    rows = [{"model_id": CATALOGUE.find(name).model_id} for name in COLOURS]
    rows.append({"shape": "ball", "category": "ball", "colours": ["green"], "pattern": "plain", "material": "foam"})
    paint = [*COLOURS.values(), (30, 160, 40)]
    owner = np.arange(12) % 4
    rgb = np.full((12, 32, 32, 3), 60, np.uint8)
    mask = np.zeros((12, 32, 32), bool)
    for n, thing in enumerate(owner):
        y, x = rng.integers(4, 12, 2)
        rgb[n, y : y + 16, x : x + 16], mask[n, y : y + 16, x : x + 16] = paint[thing], True
    write_object_views(
        folder,
        rgb,
        mask,
        owner.astype(np.int32),
        rows,
        {"objects": "proxy", "views_per_object": 3}
        | dict.fromkeys(("random_objects", "views_per_random_object", "size", "seed"), 1),
    )
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("teacher")
    write_scenes(root / "scenes", 0)
    write_scenes(root / "held", 1, "ood")
    write_some_views(root / "views", 0)
    write_some_views(root / "held_views", 1)
    return root


def config(data: Path, out: Path, **changes: object) -> TeacherTrainConfig:
    values: dict[str, object] = {
        "scenes": [str(data / "scenes")],
        "views": [str(data / "views")],
        "held_out_scenes": [str(data / "held")],
        "held_out_views": [str(data / "held_views")],
        "images": None,
        "held_out_images": None,
        "classes": None,
        "exclude": "none",
        "min_crop_size": 40,
        "steps": 4,
        "scene_batch_size": 4,
        "view_batch_size": 4,
        "crop_sizes": [32],
        "lr": 2e-3,
        "text_lr": 1e-3,
        "weight_decay": 0.0,
        "warmup_fraction": 0.0,
        "sigmoid_weight": 1.0,
        "sentence_weight": 0.0,
        "bf16": False,
        "num_threads": None,
        "seed": 0,
        "save_every": 2,
        "out": str(out),
    }
    return TeacherTrainConfig(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_run_learns_resumes_to_the_bit_and_is_exported(data: Path, tmp_path: Path) -> None:
    whole = train_teacher(config(data, tmp_path / "whole", steps=4))
    log = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == list(range(4))
    assert log[-1]["loss"] < 0.95 * log[0]["loss"]
    card = (whole / "MODEL_CARD.md").read_text()
    assert "never a silent fall-back" in card and "CC BY 4.0" in card and "| banana |" in card
    figures = json.loads((whole / "figures.json").read_text())
    assert figures["scenes"]["proxy, ood, 48 px, whole"]["scenes"] == SCENES
    assert figures["attributes"]["proxy, paper, random things"]["color"]["views"] == 3
    assert figures["views"]["proxy, paper, objects"]["names"] == 3

    part = config(data, tmp_path / "part", steps=4)
    stopped = _Stop(part, at=3)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = train_teacher(part)
    prints = [load_teacher("pocket", checkpoint=folder).fingerprint for folder in (whole, resumed)]
    assert prints[0] == prints[1]
    with pytest.raises(CheckpointError, match=r"lr: 0\.002 / 0\.1"):
        train_teacher(config(data, tmp_path / "part", steps=4, lr=0.1))


def test_data_that_changed_or_is_measured_on_is_refused(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(data, root)
    first = run_signature(config(root, tmp_path))
    assert first == run_signature(config(data, tmp_path))  # where it lies does not matter
    shutil.rmtree(root / "views")
    write_some_views(root / "views", 5)
    assert run_signature(config(root, tmp_path)) != first
    wanted = config(data, tmp_path)
    check_held_out_objects(wanted)
    for name in ("scenes", "views"):
        twice = config(data, tmp_path, **{f"held_out_{name}": getattr(wanted, name)})
        with pytest.raises(InvalidArgumentError, match=f"held-out {name}"):
            check_held_out_objects(twice)
    shutil.copytree(data / "scenes", root / "moved")
    with pytest.raises(DatasetError, match="share 12 scenes"):
        check_held_out_objects(config(data, tmp_path, unseen_scenes=[str(root / "moved")]))


class _Stop:
    """Interrupts a run when it asks for the data of a step, as Ctrl-C would."""

    def __init__(self, wanted: TeacherTrainConfig, at: int) -> None:
        self.wanted, self.at = wanted, at

    def run(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            original = RenderBatchSampler.batch

            def batch(data: RenderBatchSampler, step: int) -> object:
                if step == self.at:
                    raise KeyboardInterrupt
                return original(data, step)

            patch.setattr(RenderBatchSampler, "batch", batch)
            train_teacher(self.wanted)


def test_batches_depend_on_seed_and_step_alone(data: Path, tmp_path: Path) -> None:
    wanted = config(data, tmp_path)
    scenes, views = SceneImages.load(wanted.scenes), ObjectViews.load(wanted.views)
    first = RenderBatchSampler(scenes, views, wanted, 64)
    batch, other = first.batch(3), first.batch(4)
    again = RenderBatchSampler(scenes, views, wanted, 64).batch(3)
    assert torch.equal(batch.scenes, again.scenes) and torch.equal(batch.objects, again.objects)
    assert batch.scene_texts == again.scene_texts != other.scene_texts
    assert batch.scenes.shape == (4, 3, 64, 64) and batch.scenes.min() >= 0 and batch.scenes.max() <= 1
    assert batch.scene_targets.shape == (4, len(batch.scene_texts))
    assert batch.object_targets.shape == (len(batch.regions) + len(batch.objects), len(batch.object_texts))
    assert batch.object_targets.any(dim=1).all()


def test_multi_positive_nce_against_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 7, generator=generator, dtype=torch.float64)
    truth = torch.rand(5, 7, generator=generator) < 0.4
    truth[2] = False

    def one_way(x: np.ndarray, t: np.ndarray) -> float:
        losses = []
        for row, right in zip(x, t, strict=True):
            if right.any():
                losses.append(-np.mean([row[k] - np.log(np.exp(row).sum()) for k in np.flatnonzero(right)]))
        return float(np.mean(losses))

    expected = (one_way(logits.numpy(), truth.numpy()) + one_way(logits.numpy().T, truth.numpy().T)) / 2
    assert float(multi_positive_nce(logits, truth)) == pytest.approx(expected, rel=1e-6)


def test_sigmoid_loss_falls_when_matches_rise() -> None:
    loss = PairwiseSigmoid()
    truth = torch.tensor([[True, False], [False, True]])
    right, wrong = truth.float() * 2 - 1, 1 - truth.float() * 2
    assert loss(right, truth) < loss(wrong, truth)


def test_presence_loss_reads_pairs_of_prompts() -> None:
    truth = torch.rand(3, 52, generator=torch.Generator().manual_seed(0)) < 0.3
    truth[:, 26:] = ~truth[:, :26]
    logits = torch.cat([torch.zeros(3, 5), truth.float() * 6], dim=1)
    padded = torch.cat([torch.zeros(3, 5, dtype=torch.bool), truth], dim=1)
    assert float(presence_loss(logits, padded, 26)) == pytest.approx(np.log1p(np.exp(-6)), rel=1e-4)
    assert presence_loss(-logits, padded, 26) > 5


def test_region_features_are_means_over_masks() -> None:
    dense = torch.arange(16.0).reshape(1, 1, 4, 4)
    segmentation = torch.zeros(1, 8, 8, dtype=torch.uint8)
    segmentation[0, :4, :2] = 1
    segmentation[0, 7, 7] = 2
    found = region_features(dense, segmentation, torch.tensor([[0, 1], [0, 2], [0, 3]]))
    assert found.flatten().tolist() == pytest.approx([2.0, 15.0, 0.0])


@pytest.mark.parametrize(
    ("angle", "mirrored", "expected"),
    [
        (0.0, False, lambda p: p),
        (0.0, True, lambda p: p[:, ::-1]),
        (np.pi, False, lambda p: p[::-1, ::-1]),
        (np.pi / 2, False, lambda p: np.rot90(p, 1)),
    ],
)
def test_windows_turn_and_mirror(angle: float, mirrored: bool, expected: object) -> None:
    image = np.random.default_rng(0).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    window = AffineCrops(np.array([[4.5, 4.5]]), np.array([10.0]), np.array([angle]), np.array([mirrored]))
    cut = (crop_images(image[None], window, 10)[0].permute(1, 2, 0) * 255).round().numpy()
    labels = crop_masks(image[None, ..., 0], window, 10)[0].numpy()
    assert np.abs(cut - expected(image)).max() <= 1  # type: ignore[operator]
    assert (labels == expected(image[..., 0])).mean() > 0.95  # type: ignore[operator]


def test_windows_shift_and_zoom() -> None:
    image = np.zeros((1, 20, 20, 3), np.uint8)
    image[0, 4:8, 10:14] = 255
    window = AffineCrops(np.array([[11.5, 5.5]]), np.array([4.0]), np.zeros(1), np.zeros(1, bool))
    assert crop_images(image, window, 8)[0, :, 1:-1, 1:-1].min() > 0.9


def test_relighting_and_coarsening_keep_the_range_and_are_seeded() -> None:
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for change in (lambda x, r: color_jitter_batch(x, r), lambda x, r: simulate_low_resolution(x, 0.5, r)):
        found = change(images, np.random.default_rng(0))
        assert torch.equal(found, change(images, np.random.default_rng(0)))
        assert found.min() >= 0 and found.max() <= 1 and not torch.equal(found, images)
    assert torch.equal(simulate_low_resolution(images, 0.5, np.random.default_rng(0))[3:], images[3:])


def test_kinds_of_questions_have_their_columns(data: Path, tmp_path: Path) -> None:
    wanted = config(data, tmp_path)
    batch = RenderBatchSampler(SceneImages.load(wanted.scenes), ObjectViews.load(wanted.views), wanted, 64).batch(0)
    assert {"name", "color", "shape", "material"} <= set(batch.attribute_slices)
    start = batch.attribute_slices["name"].start
    for kind, columns in batch.attribute_slices.items():
        assert all(tag.startswith(f"{kind}:") for tag in batch.tags[columns.start - start : columns.stop - start])
    assert batch.attribute_slices["name"].stop - start == batch.names == len(CATALOGUE)
    assert batch.attribute_slices["use"].stop == len(batch.object_texts) == start + len(batch.tags)
    assert len(top1_accuracy(torch.rand(batch.object_targets.shape), batch)) == len(batch.attribute_slices)


def test_excluded_objects_are_neither_shown_nor_named(data: Path, tmp_path: Path) -> None:
    wanted = config(data, tmp_path, exclude="ood")
    excluded = excluded_ids("ood")
    assert len(excluded) == 12 and not excluded_ids("none")
    teacher_data = RenderBatchSampler(
        SceneImages.load(wanted.scenes, excluded), ObjectViews.load(wanted.views, excluded), wanted, 64
    )
    names = [item.name for item in CATALOGUE if item.split == "ood" and item.name != "orange"]  # a color too
    for step in range(3):
        batch = teacher_data.batch(step)
        assert batch.names == 14
        assert not [text for text in batch.scene_texts + batch.object_texts if any(name in text for name in names)]
    with pytest.raises(InvalidArgumentError, match="011_banana"):
        SceneImages.load(wanted.scenes, frozenset({"011_banana"}))


def test_only_tokens_that_were_read_count_as_seen(data: Path, tmp_path: Path) -> None:
    trainee = TrainablePocketTeacher(POCKET_CONFIG)
    trainee(
        RenderBatchSampler(
            SceneImages.load([str(data / "scenes")]),
            ObjectViews.load([str(data / "views")]),
            config(data, tmp_path),
            64,
        ).batch(0),
        1.0,
        False,
    )
    assert 50 < int(trainee.seen.sum()) < 600


def test_damaged_or_missing_views_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="pickclutter render-object-views"):
        ObjectViewDataset.open(tmp_path)
    folder = write_some_views(tmp_path / "v", 0)
    images = folder / "views.h5"
    images.write_bytes(images.read_bytes()[:-300])
    with pytest.raises(CorruptShardError, match="collect"):
        ObjectViewDataset.open(folder)


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"exclude": "id"}, {"lr": 0.0}, {"scenes": []}, {"weight_decay": -1.0}, {"crop_sizes": [8]}],
)
def test_wrong_settings_are_named(data: Path, tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(change))):
        config(data, tmp_path, **change).validate()


def test_a_window_larger_than_the_pictures_is_refused(data: Path, tmp_path: Path) -> None:
    wanted = config(data, tmp_path, view=100)
    with pytest.raises(InvalidArgumentError, match="48 pixels"):
        RenderBatchSampler(SceneImages.load(wanted.scenes), ObjectViews.load(wanted.views), wanted, 64)
