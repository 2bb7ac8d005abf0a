"""Teacher features of single objects, and their coverage of the student's feature map."""

import numpy as np
import pytest
import torch

from helpers.scene_runs import config, make_toys
from pickclutter_lang.datasets.scene_images import SceneDataset, label_coverage
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.transforms.augmentation import AugmentationParams
from pickclutter_lang.datasets.transforms.squares import MARGIN, bounding_square
from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import FeatureCache, OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.region_features import RegionFeatures, encode_regions, region_coverage

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
    assert len(features) == len(coverage)


def test_an_object_outside_the_image_is_left_out(parts: Parts) -> None:
    scenes, _, regions = parts
    instance_id = regions.instance_ids[0][0]
    features = torch.arange(2.0)[:, None]
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
