"""The teacher's features of objects, and where these lie on the student's map."""

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
from pickclutter_lang.teachers import FeatureCache, load_teacher
from pickclutter_lang.teachers.region_features import RegionFeatures, encode_regions, region_coverage


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    toys = make_toys(tmp_path_factory.mktemp("toys"))
    cfg = config(*toys)
    scenes = SceneDataset(SceneStore.open(cfg.data.train), cfg.data)
    teacher = load_teacher("pocket", cfg.teacher.checkpoint)
    return scenes, teacher, encode_regions(teacher, scenes, FeatureCache(tmp_path_factory.mktemp("cache")))


def test_every_seen_object_has_the_feature_of_its_cut(parts):
    scenes, teacher, crops = parts
    assert sum(map(len, crops.instance_ids)) == len(crops.features) > len(scenes)
    for row in (0, 5):
        segments = scenes.segments([row])[0]
        image = scenes.hand_pictures([row])[0]
        for instance_id, feature in zip(crops.instance_ids[row], crops.of(row), strict=True):
            x, y, side = bounding_square(segments == instance_id)
            low = [round(center - MARGIN * side / 2 + 0.5) for center in (y, x)]
            size = round(MARGIN * side)
            rows, columns = (np.clip(np.arange(size) + start, 0, 31) for start in low)
            plain = teacher.encode_image(teacher.preprocess(image[rows[:, None], columns[None]][None]))[0]
            assert float(plain @ feature) > 0.9


def test_covers_say_where_an_object_is_shown(parts):
    scenes, _, crops = parts
    row, draw = 3, AugmentationParams(horizontal=True, shift=(4, 0))
    owners, coverage, features = region_coverage(scenes, crops, [7, row], [AugmentationParams(), draw], (4, 4))
    torch.testing.assert_close(coverage.sum(dim=1), torch.ones(len(coverage)))
    own = coverage[owners == 1]
    segments = scenes.segments([row], [draw])[0]
    shown = [instance_id for instance_id in crops.instance_ids[row] if (segments == instance_id).any()]
    expected = [(segments == instance_id).reshape(4, 8, 4, 8).sum(axis=(1, 3)).ravel() for instance_id in shown]
    np.testing.assert_allclose(own, [cells / cells.sum() for cells in expected], rtol=1e-5)
    assert len(features) == len(coverage)


def test_an_object_that_is_not_in_the_picture_is_left_out(parts):
    scenes, _, crops = parts
    instance_id = crops.instance_ids[0][0]
    features = torch.arange(2.0)[:, None]
    owners, coverage, kept = region_coverage(
        scenes, RegionFeatures([[instance_id, 77]], [0], features), [0], [AugmentationParams()], (2, 2)
    )
    assert owners.tolist() == [0] and len(coverage) == 1 and kept.tolist() == [[0.0]]


def test_covers_of_labels_are_shares_of_cells(parts):
    scenes, _, _ = parts
    rows, draws = [7, 3], [AugmentationParams(), AugmentationParams(horizontal=True, shift=(4, 0))]
    columns = list(range(0, len(scenes.names), 2))
    coverage = label_coverage(scenes, rows, draws, columns, (4, 4))
    assert coverage.shape == (2, len(columns), 16) and 0 < int((coverage.sum(dim=2) > 0).sum()) < 2 * len(columns)
    for own, row, segments in zip(coverage, rows, scenes.segments(rows, draws), strict=True):
        actors = scenes.store.array("actors")[row].tolist()
        for cover, column in zip(own, columns, strict=True):
            seen = segments == actors.index(column) + 1 if column in actors else np.zeros_like(segments, bool)
            np.testing.assert_allclose(cover, seen.reshape(4, 8, 4, 8).mean(axis=(1, 3)).ravel(), rtol=1e-6)


def test_the_vocabulary_names_no_object_that_is_held_out():
    known = [item.name for item in paper_catalog() if item.split == "id"]
    unseen = [word for item in paper_catalog() if item.split == "ood" for word in (item.name, *item.synonyms)]
    texts = vocabulary(known, unseen)
    assert len(texts) == len(set(texts)) > 250 and texts[: len(known)] == known
    assert not [text for text in texts if any(name in text for name in (*unseen, "football", "sponge", "berry"))]
