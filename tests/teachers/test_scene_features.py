"""The teacher encodes images once for each content, and prompts once for each step and evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from helpers.scene_data import make_toy_store
from helpers.scene_runs import config, make_teacher, make_toys
from pickclutter_lang.datasets.scene_images import SceneDataset, label_coverage
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_variants
from pickclutter_lang.datasets.transforms.crops import crop_squares
from pickclutter_lang.datasets.transforms.resampling import MARGIN, bounding_square, object_crop
from pickclutter_lang.errors import TeacherError
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.students import student
from pickclutter_lang.teachers import FeatureCache, OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.scene_features import RegionFeatures, encode_regions, region_coverage, teacher_features
from pickclutter_lang.teachers.zero_shot import encode_objects
from pickclutter_lang.training.logger import TrainingLogger

FLIPS = "data.augmentation.flips=[horizontal]"


def scene_set(folder: Path, *overrides: str) -> SceneDataset:
    return SceneDataset(SceneStore.open(folder), config("data.crop_size=32", FLIPS, *overrides).data)


class Counting(OpenClipTeacher):
    """A teacher that counts the images it encodes."""

    def __init__(self, teacher: OpenClipTeacher) -> None:
        super().__init__(teacher.model, teacher.config, teacher.preprocess.config)
        self.images = 0

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        self.images += len(images)
        return super().encode_image(images)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of 8 scenes, a teacher, and the cached features of the scenes."""
    root = tmp_path_factory.mktemp("cache")
    make_toy_store(root / "scenes", "train", 8)
    make_teacher(root / "teacher")
    teacher_features(load_teacher("pocket", root / "teacher"), scene_set(root / "scenes"), FeatureCache(root / "cache"))
    return root


def test_a_second_run_reads_what_the_first_computed(root: Path) -> None:
    teacher = Counting(load_teacher("pocket", root / "teacher"))
    scenes = scene_set(root / "scenes")
    cached = teacher_features(teacher, scenes, FeatureCache(root / "cache"))
    assert teacher.images == 0
    torch.testing.assert_close(
        cached[:, 0], teacher.encode_image(teacher.preprocess(scenes.hand_images(range(8)))), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("change", ["data.augmentation.flips=[horizontal,vertical]", "data.crop_size=24"])
def test_only_what_changed_is_computed(root: Path, change: str) -> None:
    teacher = Counting(load_teacher("pocket", root / "teacher"))
    teacher_features(teacher, scene_set(root / "scenes", change), FeatureCache(root / "cache"))
    assert teacher.images == 2 * 8  # one flip more of each scene; or each scene and its flip


@pytest.mark.slow
def test_prompts_are_encoded_once_per_step_and_once_per_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SceneRun.open(
        config(*make_toys(tmp_path), f"out={tmp_path / 'run'}", "distill.epochs=2", "few_shot.epochs=1")
    )
    encoded, steps = list[int](), list[int]()
    for calls, owner, name in (
        (encoded, OpenClipTeacher, "encode_token_embeddings"),
        (steps, TrainingLogger, "step"),
    ):
        original = getattr(owner, name)

        def counting(*args: Any, original: Any = original, calls: list[int] = calls, **kwargs: Any) -> Any:
            calls.append(1)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)
    monkeypatch.setattr(student, "_BATCH_SIZE", 3)  # so that an evaluation has several batches
    run.train()
    validations, saved = 2, 2  # each phase saves the text features of its labels
    assert len(steps) > 10 and len(encoded) == len(steps) + validations + saved
    encoded.clear()
    evaluate_run(run)
    assert len(encoded) == 9  # two, three and four stores in the stages, whatever their batches


Parts = tuple[SceneDataset, OpenClipTeacher, RegionFeatures]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    toys = make_toys(tmp_path_factory.mktemp("toys"))
    cfg = config(*toys)
    scenes = SceneDataset(SceneStore.open(cfg.data.train), cfg.data)
    teacher = load_teacher("pocket", cfg.teacher.checkpoint)
    return scenes, teacher, encode_regions(teacher, scenes, FeatureCache(tmp_path_factory.mktemp("cache")))


def test_a_flipped_scene_has_the_features_of_flipped_crops(tmp_path: Path) -> None:
    """They are those of the crops of a store whose images are flipped."""
    config_ = config(*make_toys(tmp_path), "data.augmentation.flips=[horizontal,vertical]")
    scenes = SceneDataset(SceneStore.open(config_.data.train), config_.data)
    teacher = load_teacher("pocket", config_.teacher.checkpoint)
    regions = encode_regions(teacher, scenes, FeatureCache(tmp_path / "cache"))
    flips = flip_variants(scenes.config.augmentation.flips)
    assert regions.features.shape == (sum(map(len, regions.instance_ids)), 4, teacher.embed_dim)
    for number, flip in enumerate(flips):
        segments = scenes.segmentation([4], [flip])[0]
        image = scenes.hand_images([4], flip)
        for instance_id, feature in zip(regions.instance_ids[4], regions.of(4, number), strict=True):
            crop = crop_squares(image, [bounding_square(segments == instance_id)])
            plain = teacher.encode_image(teacher.preprocess(crop))[0]
            torch.testing.assert_close(plain, feature, atol=2e-3, rtol=0)
        loss = [float(regions.of(4, number)[0] @ regions.of(4, other)[0]) for other in range(len(flips))]
        assert int(np.argmax(loss)) == number


def test_an_object_alone_has_the_features_of_its_crop_without_others(tmp_path: Path) -> None:
    config_ = config(*make_toys(tmp_path), "data.region_crops=object")
    scenes = SceneDataset(SceneStore.open(config_.data.train), config_.data)
    cache = FeatureCache(tmp_path / "cache")
    teacher = load_teacher("pocket", config_.teacher.checkpoint)
    found = encode_regions(teacher, scenes, cache)
    alone = teacher.for_objects()
    assert alone is not None
    masks = scenes.segmentation([4])[0] == np.array(found.instance_ids[4])[:, None, None]
    image = np.where(masks.any(axis=0)[..., None], scenes.hand_images([4])[0], 0)  # what is behind does not matter
    crops = [(object_crop(image, mask, teacher.image_size) * 255).round().astype(np.uint8) for mask in masks]
    torch.testing.assert_close(found.of(4), alone.encode_image(alone.preprocess(np.stack(crops))), atol=2e-3, rtol=0)
    torch.testing.assert_close(found.of(4), encode_objects(teacher, image, masks), atol=2e-3, rtol=0)
    with pytest.raises(TeacherError, match=r"data\.region_crops"):
        encode_regions(Counting(teacher), scenes, cache)


def test_the_embedded_teacher_reads_objects_at_another_size_than_images() -> None:
    teacher = load_teacher("pocket")
    alone = teacher.for_objects()
    assert alone is not None and (alone.image_size, teacher.image_size) == (112, 160)
    assert alone.fingerprint != teacher.fingerprint  # features of both lie in one cache


def test_crops_keep_the_pixels_of_their_image() -> None:
    """A crop as large as its image is that part of it; a bound of its side blurs it."""
    image = np.random.default_rng(0).integers(0, 256, (1, 130, 130, 3), dtype=np.uint8)
    square = [64.5, 64.5, 130 / MARGIN]
    np.testing.assert_array_equal(crop_squares(image, [square]), image)
    assert crop_squares(image, [square], 96).shape == (1, 96, 96, 3)


def test_coverage_is_the_location_of_an_object(parts: Parts) -> None:
    scenes, _, regions = parts
    row = 3
    augmentation = AugmentationParams(horizontal=True, shift=(4, 0))
    image_index, coverage, features = region_coverage(
        scenes, regions, [7, row], [AugmentationParams(), augmentation], (4, 4)
    )
    torch.testing.assert_close(coverage.sum(dim=1), torch.ones(len(coverage)))
    of_image = coverage[image_index == 1]
    segments = scenes.segmentation([row], [augmentation])[0]
    visible_ids = [instance_id for instance_id in regions.instance_ids[row] if (segments == instance_id).any()]
    expected = [(segments == instance_id).reshape(4, 8, 4, 8).sum(axis=(1, 3)).ravel() for instance_id in visible_ids]
    np.testing.assert_allclose(of_image, [cells / cells.sum() for cells in expected], rtol=1e-5)
    seen = [n for n, instance_id in enumerate(regions.instance_ids[row]) if instance_id in visible_ids]
    torch.testing.assert_close(features[image_index == 1], regions.of(row, 1)[seen])


def test_label_coverage_is_a_fraction_of_each_cell(parts: Parts) -> None:
    scenes, _, _ = parts
    rows = [7, 3]
    augmentations = [AugmentationParams(), AugmentationParams(horizontal=True, shift=(4, 0))]
    labels = list(range(0, len(scenes.store.model_ids), 2))
    coverage = label_coverage(scenes, rows, augmentations, labels, (4, 4))
    assert coverage.shape == (2, len(labels), 16) and 0 < int((coverage.sum(dim=2) > 0).sum()) < 2 * len(labels)
    for of_image, row, segments in zip(coverage, rows, scenes.segmentation(rows, augmentations), strict=True):
        actors = scenes.store.array("actors")[row].tolist()
        for cells, label in zip(of_image, labels, strict=True):
            visible = segments == actors.index(label) + 1 if label in actors else np.zeros_like(segments, bool)
            np.testing.assert_allclose(cells, visible.reshape(4, 8, 4, 8).mean(axis=(1, 3)).ravel(), rtol=1e-6)


def test_the_vocabulary_names_no_unseen_object() -> None:
    seen_names = [item.name for item in paper_catalog() if item.split == "id"]
    unseen = [word for item in paper_catalog() if item.split == "ood" for word in (item.name, *item.synonyms)]
    texts = vocabulary(seen_names, unseen)
    assert len(texts) == len(set(texts)) > 250 and texts[: len(seen_names)] == seen_names
    assert not [text for text in texts if any(name in text for name in (*unseen, "football", "sponge", "berry"))]
