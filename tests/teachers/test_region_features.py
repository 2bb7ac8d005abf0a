"""Teacher features of single objects, and their coverage of the student's feature map."""

from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import SceneDataset, label_coverage
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams, flip_variants
from pickclutter_lang.datasets.transforms.crops import crop_squares
from pickclutter_lang.datasets.transforms.resampling import MARGIN, bounding_square
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import FeatureCache, OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.scene_features import RegionFeatures, encode_regions, region_coverage

Parts = tuple[SceneDataset, OpenClipTeacher, RegionFeatures]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    toys = make_toys(tmp_path_factory.mktemp("toys"))
    cfg = config(*toys)
    scenes = SceneDataset(SceneStore.open(cfg.data.train), cfg.data)
    teacher = load_teacher("pocket", cfg.teacher.checkpoint)
    return scenes, teacher, encode_regions(teacher, scenes, FeatureCache(tmp_path_factory.mktemp("cache")))


def test_every_visible_object_has_the_feature_of_its_crop(parts: Parts) -> None:
    scenes, teacher, regions = parts
    assert sum(map(len, regions.instance_ids)) == len(regions.features) > len(scenes)
    for row in (0, 5):
        segments = scenes.segmentation([row])[0]
        image = scenes.hand_images([row])[0]
        for instance_id, feature in zip(regions.instance_ids[row], regions.of(row), strict=True):
            x, y, side = bounding_square(segments == instance_id)
            low = [round(center - MARGIN * side / 2 + 0.5) for center in (y, x)]
            size = round(MARGIN * side)
            rows, cols = (np.clip(np.arange(size) + start, 0, 31) for start in low)
            plain = teacher.encode_image(teacher.preprocess(image[rows[:, None], cols[None]][None]))[0]
            assert float(plain @ feature) > 0.9


def test_a_flipped_scene_has_the_features_of_flipped_crops(tmp_path: Path) -> None:
    """They are those of the crops of a store whose images are flipped."""
    config_ = config(*make_toys(tmp_path), "data.augmentation.flips=[horizontal,vertical]")
    scenes = SceneDataset(SceneStore.open(config_.data.train), config_.data)
    teacher = load_teacher("pocket", config_.teacher.checkpoint)
    regions = encode_regions(teacher, scenes, FeatureCache(tmp_path / "cache"))
    flips = flip_variants(scenes.config.augmentation.flips)
    assert regions.features.shape == (sum(map(len, regions.instance_ids)), 4, teacher.embed_dim)
    for number, flip in enumerate(flips):
        segments, image = scenes.segmentation([4], [flip])[0], scenes.hand_images([4], flip)
        for instance_id, feature in zip(regions.instance_ids[4], regions.of(4, number), strict=True):
            crop = crop_squares(image, [bounding_square(segments == instance_id)])
            plain = teacher.encode_image(teacher.preprocess(crop))[0]
            torch.testing.assert_close(plain, feature, atol=2e-3, rtol=0)
        loss = [float(regions.of(4, number)[0] @ regions.of(4, other)[0]) for other in range(len(flips))]
        assert int(np.argmax(loss)) == number


def test_crops_keep_the_pixels_of_their_image(tmp_path: Path) -> None:
    """A crop as large as its image is that part of it; a bound of its side blurs it."""
    image = np.random.default_rng(0).integers(0, 256, (1, 130, 130, 3), dtype=np.uint8)
    square = [64.5, 64.5, 130 / MARGIN]
    np.testing.assert_array_equal(crop_squares(image, [square]), image)
    assert crop_squares(image, [square], 96).shape == (1, 96, 96, 3)
    toys = make_toys(tmp_path, size=128)
    cfg = config(*toys)
    scenes, teacher = (
        SceneDataset(SceneStore.open(cfg.data.id), cfg.data),
        load_teacher("pocket", cfg.teacher.checkpoint),
    )
    cache = FeatureCache(tmp_path / "cache")
    full, small, again = (encode_regions(teacher, scenes, cache, size).features for size in (None, 24, 128))
    assert torch.equal(full, again) and not torch.allclose(full, small, atol=1e-3)


def test_coverage_is_the_location_of_an_object(parts: Parts) -> None:
    scenes, _, regions = parts
    row, augmentation = 3, AugmentationParams(horizontal=True, shift=(4, 0))
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


def test_an_object_outside_the_image_is_left_out(parts: Parts) -> None:
    scenes, _, regions = parts
    instance_id = regions.instance_ids[0][0]
    features = torch.arange(2.0)[:, None, None]
    image_index, coverage, features_left = region_coverage(
        scenes, RegionFeatures([[instance_id, 77]], [0], features), [0], [AugmentationParams()], (2, 2)
    )
    assert image_index.tolist() == [0] and len(coverage) == 1 and features_left.tolist() == [[0.0]]


def test_label_coverage_is_a_fraction_of_each_cell(parts: Parts) -> None:
    scenes, _, _ = parts
    rows, augmentations = [7, 3], [AugmentationParams(), AugmentationParams(horizontal=True, shift=(4, 0))]
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
