"""A pocket teacher of renders: batches, losses, a tiny run that learns, resumes exactly and is exported."""

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

from helpers.teacher_data import CATALOG, SCENES, write_scenes, write_views
from helpers.torture import only_torture
from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.datasets.transforms.crops import (
    AffineCrops,
    crop_images,
    crop_masks,
    random_color_jitter,
)
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.kinds import find_kinds
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData, excluded_ids
from pickclutter_lang.teacher_training.render_batches import (
    RenderBatchSampler,
    SceneImages,
    random_appearance,
    random_backgrounds,
    simulate_low_resolution,
)
from pickclutter_lang.teacher_training.train import train_teacher
from pickclutter_lang.teacher_training.trainable_teacher import (
    PairwiseSigmoid,
    TrainablePocketTeacher,
    multi_positive_nce,
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


def config(data: Path, out: Path, **changes: Any) -> TeacherTrainConfig:
    base = TeacherTrainConfig(
        str(out),
        scenes=[str(data / "scenes")],
        views=[str(data / "views")],
        unseen_scenes=[str(data / "test")],
        unseen_views=[str(data / "test_views")],
        min_crop_size=40,
        steps=4,
        scene_batch_size=4,
        view_batch_size=4,
        crop_sizes=[32],
        warmup_fraction=0.0,
        sentence_weight=0.0,
        bf16=False,
        save_every=2,
    )
    return replace(base, **changes)


def sampler(settings: TeacherTrainConfig) -> RenderBatchSampler:
    return RenderBatchSampler(TeacherData.open(settings), settings)


def write_kind_views(folder: Path, seeds: range) -> Path:
    """Write views of instances of three kinds, each a square in a color."""
    kinds = find_kinds(["lemon", "mug", "hammer"])
    objects = [kind.words(seed, kind.instance(seed)) for kind in kinds for seed in seeds]
    index = np.arange(len(objects)).repeat(2)
    rgb = np.full((len(index), 32, 32, 3), 60, np.uint8)
    mask = np.zeros((len(index), 32, 32), bool)
    for n, number in enumerate(index):
        rgb[n, 8:24, 8:24], mask[n, 8:24, 8:24] = (40 * number, 200 - 30 * number, 90), True
    rgb[:, 0, 0] = min(seeds.start, 255)  # other images of other seeds
    write_object_views(folder, rgb, mask, index.astype(np.int32), objects, {"objects": "kinds"})
    return folder


@pytest.mark.slow
@only_torture
def test_a_run_learns_resumes_to_the_bit_and_is_exported(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_teacher(config(data, tmp_path / "whole"))
    log = [json.loads(line) for line in (tmp_path / "whole" / "training" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in log] == [1, 2] and log[-1]["loss"] < 0.95 * log[0]["loss"]
    figures = json.loads((whole / "figures.json").read_text())
    assert figures["scenes"]["proxy, ood, 48 px, whole"]["scenes"] == SCENES
    assert figures["attributes"]["proxy, paper, objects"]["color"]["views"] == 12
    named = figures["views"]["proxy, paper, objects"]
    assert named["names"] == figures["all_names"]["proxy"]["objects"] == 3
    assert named["interval"][0] <= named["top1_shown"] <= named["interval"][1]
    frozen = "network.blocks.0.0.conv_dw.weight"
    plain = PocketEfficientNet()
    plain.load_imagenet_weights()
    model: Any = load_pocket_teacher(whole).model
    torch.testing.assert_close(
        model.visual.trunk.state_dict()[frozen], plain.state_dict()[frozen], atol=1e-3, rtol=1e-3
    )

    interrupted = config(data, tmp_path / "part")
    original = RenderBatchSampler.batch

    def interrupt(self: RenderBatchSampler, step: int) -> object:
        if step == 3:
            raise KeyboardInterrupt
        return original(self, step)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RenderBatchSampler, "batch", interrupt)
        train_teacher(interrupted)
    resumed = train_teacher(replace(interrupted, num_workers=1))
    assert load_teacher("pocket", whole).fingerprint == load_teacher("pocket", resumed).fingerprint
    for other in ({"lr": 0.1}, {"save_every": 1}):
        with pytest.raises(CheckpointError, match=next(iter(other))):
            train_teacher(replace(interrupted, **other))

    settings = config(data, tmp_path / "second", steps=1, lr=1e-9, text_lr=1e-9, pretrained=str(whole))
    folder = train_teacher(settings)
    second, first = load_pocket_teacher(folder), load_pocket_teacher(whole)
    texts = ["a photo of a banana", "a photo of a mug"]
    torch.testing.assert_close(second.encode_text(texts), first.encode_text(texts), atol=1e-2, rtol=0)
    assert first.fingerprint in (folder / "README.md").read_text()


@pytest.mark.slow
def test_views_of_kinds_alone_train_a_teacher(data: Path, tmp_path: Path) -> None:
    kinds, held = (write_kind_views(tmp_path / f"{first}", range(first, first + 2)) for first in (0, MAX_INSTANCES))
    changes: dict[str, Any] = {"scenes": [], "unseen_scenes": [], "views": [str(kinds)], "unseen_views": [str(held)]}
    settings = config(data, tmp_path / "out", **changes, strong_augmentation=True, occlusion=0.5, low_resolution=0.5)
    teacher = train_teacher(replace(settings, max_names=5, head_lr=2e-3, steps=2))
    log = [json.loads(line) for line in (tmp_path / "out" / "training" / "log.jsonl").read_text().splitlines()]
    assert "object_nce" in log[0] and "scene_nce" not in log[0]
    figures = json.loads((teacher / "figures.json").read_text())["kinds"]["kinds from seed 0"]
    assert figures["names"] == 3 and all(0 <= figures[key] <= 1 for key in ("top1", "by_synonym", "color"))
    for wrong in ({"unseen_views": [str(kinds)]}, {"views": [str(held)]}, {"exclude_split": "ood"}):
        with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
            TeacherData.open(replace(settings, **wrong))


def signature(settings: TeacherTrainConfig) -> dict[str, Any]:
    return TeacherData.open(settings).signature(settings)


def test_changed_or_shared_data_is_refused(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "copy")
    first = signature(config(tmp_path / "copy", tmp_path))
    assert first == signature(config(data, tmp_path))  # where it lies does not matter
    shutil.rmtree(tmp_path / "copy" / "views")
    write_views(tmp_path / "copy" / "views", 5)
    assert signature(config(tmp_path / "copy", tmp_path)) != first
    for name in ("scenes", "views"):
        with pytest.raises(InvalidArgumentError, match=f"unseen_{name}"):
            TeacherData.open(config(data, tmp_path, **{f"unseen_{name}": [str(data / name)]}))


def test_batches_depend_on_seed_and_step_alone(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path)
    batch, other, repeated = sampler(settings).batch(3), sampler(settings).batch(4), sampler(settings).batch(3)
    scenes, same, others = batch.scenes, repeated.scenes, other.scenes
    assert scenes and same and others
    assert torch.equal(scenes.images, same.images) and torch.equal(batch.objects, repeated.objects)
    assert scenes.captions == same.captions != others.captions
    assert scenes.images.shape == (4, 3, 160, 160) and scenes.images.min() >= 0 and scenes.images.max() <= 1
    assert scenes.targets.shape == (4, len(scenes.captions))
    assert batch.targets.shape == (len(scenes.regions) + len(batch.objects), len(batch.captions))
    assert batch.targets.any(dim=1).all()
    start = batch.columns["name"].start
    for attribute, columns in batch.columns.items():
        tags = batch.tags[columns.start - start : columns.stop - start]
        assert tags and all(tag.startswith(f"{attribute}:") for tag in tags)
    assert batch.columns["name"].stop - start == scenes.names == len(CATALOG)
    assert len(top1_accuracy(torch.rand(batch.targets.shape), batch)) == len(batch.columns)
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    trainable(batch, 1.0, False)
    assert 50 < int(trainable.seen.sum()) < 600  # tokens of captions alone


def test_excluded_objects_are_neither_visible_nor_named(data: Path, tmp_path: Path) -> None:
    settings = config(data, tmp_path, exclude_split="ood")
    excluded = excluded_ids("ood")
    assert len(excluded) == 12 and not excluded_ids("none")
    names = [item.name for item in CATALOG if item.split == "ood" and item.name != "orange"]  # a color too
    for step in range(3):
        batch = sampler(settings).batch(step)
        assert batch.scenes and batch.scenes.names == 14
        texts = [caption.text for caption in batch.scenes.captions + batch.captions]
        assert not [text for text in texts if any(name in text for name in names)]
    with pytest.raises(InvalidArgumentError):
        SceneImages.load(TeacherData.open(settings).scenes, frozenset({"011_banana"}))


def test_views_of_kinds_compete_by_name_and_what_is_true_of_them(data: Path, tmp_path: Path) -> None:
    kinds = write_kind_views(tmp_path / "kinds", range(2))
    settings = config(data, tmp_path, views=[str(kinds)], max_names=5, strong_augmentation=True, view_batch_size=12)
    batch = sampler(settings).batch(0)
    names = batch.columns["name"]
    assert batch.scenes and batch.scenes.names == 5 == names.stop - names.start
    assert batch.targets[-12:, names].any(dim=1).sum() >= 8  # those in it come first
    lemons = batch.targets[:, [n for n, caption in enumerate(batch.captions) if "lemon" in caption.text]]
    assert lemons.any() and not lemons.all() and batch.objects.min() >= 0 and batch.objects.max() <= 1


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


def test_sigmoid_loss_against_numpy() -> None:
    cosines = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    targets = torch.eye(3, 4, dtype=torch.bool)
    x = 10.0 * cosines.double().numpy() - 3.0
    positive = np.log1p(np.exp(-x))[targets.numpy()].mean()
    negative = np.log1p(np.exp(x))[~targets.numpy()].mean()
    assert float(PairwiseSigmoid()(cosines, targets).detach()) == pytest.approx((positive + negative) / 2, rel=1e-5)


def test_presence_loss_reads_pairs_of_prompts() -> None:
    targets = torch.rand(3, 52, generator=torch.Generator().manual_seed(0)) < 0.3
    targets[:, 26:] = ~targets[:, :26]
    logits = torch.cat([torch.zeros(3, 5), targets.float() * 6], dim=1)
    padded = torch.cat([torch.zeros(3, 5, dtype=torch.bool), targets], dim=1)
    assert float(presence_loss(logits, padded, 26)) == pytest.approx(np.log1p(np.exp(-6)), rel=1e-4)


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
        (0.0, True, lambda p: p[:, ::-1]),
        (np.pi / 2, False, lambda p: np.rot90(p, 1)),
    ],
)
def test_affine_crops_rotate_and_mirror(angle: float, mirrored: bool, expected: Any) -> None:
    image = np.random.default_rng(0).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    window = AffineCrops(np.array([[4.5, 4.5]]), np.array([10.0]), np.array([angle]), np.array([mirrored]))
    cropped = (crop_images(image[None], window, 10)[0].permute(1, 2, 0) * 255).round().numpy()
    labels = crop_masks(image[None, ..., 0], window, 10)[0].numpy()
    assert np.abs(cropped - expected(image)).max() <= 1
    assert (labels == expected(image[..., 0])).mean() > 0.95


def test_image_augmentations_keep_the_range_and_are_seeded() -> None:
    images = torch.rand(8, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    masks = torch.zeros(8, 1, 24, 24, dtype=torch.bool)
    masks[:, :, 6:18, 6:18] = True
    grounds = partial(random_backgrounds, masks=masks)
    for change in (random_color_jitter, random_appearance, partial(simulate_low_resolution, share=0.5), grounds):
        result = change(images, rng=np.random.default_rng(0))
        assert torch.equal(result, change(images, rng=np.random.default_rng(0)))
        assert result.min() >= 0 and result.max() <= 1 and not torch.equal(result, images)
    changed = grounds(images, rng=np.random.default_rng(0))
    assert torch.equal(changed[masks.expand_as(changed)], images[masks.expand_as(images)])


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"views": []}, "views"),
        ({"lr": 0.0}, "lr"),
        ({"exclude_split": "id"}, "exclude_split"),
        ({"images": "i", "views": [], "occlusion": 0.4}, "occlusion"),
        ({"scene_batch_size": 8}, "scene_batch_size"),
        ({"images_half": "first"}, "images_half"),
        ({"pretrained": "t", "exclude_split": "ood"}, "exclude_split"),
        ({"pretrained": "t", "text_steps": 5}, "text_steps"),
    ],
)
def test_a_setting_without_effect_or_sense_is_refused(given: dict[str, Any], key: str) -> None:
    settings = TeacherTrainConfig("out", **{"views": ["v"], **given})
    with pytest.raises(InvalidArgumentError, match=key):
        settings.validate()
    assert TeacherTrainConfig("out", views=["v"], scene_batch_size=4, view_batch_size=32).smallest_batch == 32
