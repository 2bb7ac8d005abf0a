"""The teacher's features of objects, and where these lie on the student's map."""

import numpy as np
import pytest
import torch
from toy_training import make_toys, settings

from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.teachers import FeatureCache, load_teacher
from pickclutter_lang.training.augment import Draw
from pickclutter_lang.training.crops import MARGIN, Crops, label_covers, object_covers, square_around, teacher_crops
from pickclutter_lang.training.data import SceneSet


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    toys = make_toys(tmp_path_factory.mktemp("toys"))
    config = settings(*toys)
    scenes = SceneSet(SceneStore.open(config.data.train), config.data)
    teacher = load_teacher("pocket", config.teacher.checkpoint)
    return scenes, teacher, teacher_crops(teacher, scenes, FeatureCache(tmp_path_factory.mktemp("cache")))


def test_every_seen_object_has_the_feature_of_its_cut(parts):
    scenes, teacher, crops = parts
    assert sum(map(len, crops.slots)) == len(crops.features) > len(scenes)
    for row in (0, 5):
        segments = scenes.segments([row])[0]
        picture = scenes.hand_pictures([row])[0]
        for slot, feature in zip(crops.slots[row], crops.of(row), strict=True):
            x, y, side = square_around(segments == slot)
            low = [round(centre - MARGIN * side / 2 + 0.5) for centre in (y, x)]
            size = round(MARGIN * side)
            rows, columns = (np.clip(np.arange(size) + start, 0, 31) for start in low)
            plain = teacher.encode_image(teacher.preprocess(picture[rows[:, None], columns[None]][None]))[0]
            assert float(plain @ feature) > 0.9


def test_covers_say_where_an_object_is_shown(parts):
    scenes, _, crops = parts
    row, draw = 3, Draw(horizontal=True, shift=(4, 0))
    owners, covers, features = object_covers(scenes, crops, [7, row], [Draw(), draw], (4, 4))
    torch.testing.assert_close(covers.sum(dim=1), torch.ones(len(covers)))
    own = covers[owners == 1]
    segments = scenes.segments([row], [draw])[0]
    shown = [slot for slot in crops.slots[row] if (segments == slot).any()]
    expected = [(segments == slot).reshape(4, 8, 4, 8).sum(axis=(1, 3)).ravel() for slot in shown]
    np.testing.assert_allclose(own, [cells / cells.sum() for cells in expected], rtol=1e-5)
    assert len(features) == len(covers)


def test_an_object_that_is_not_in_the_picture_is_left_out(parts):
    scenes, _, crops = parts
    slot = crops.slots[0][0]
    features = torch.arange(2.0)[:, None]
    owners, covers, kept = object_covers(scenes, Crops([[slot, 77]], [0], features), [0], [Draw()], (2, 2))
    assert owners.tolist() == [0] and len(covers) == 1 and kept.tolist() == [[0.0]]


def test_covers_of_labels_are_shares_of_cells(parts):
    scenes, _, _ = parts
    rows, draws = [7, 3], [Draw(), Draw(horizontal=True, shift=(4, 0))]
    columns = list(range(0, len(scenes.names), 2))
    covers = label_covers(scenes, rows, draws, columns, (4, 4))
    assert covers.shape == (2, len(columns), 16) and 0 < int((covers.sum(dim=2) > 0).sum()) < 2 * len(columns)
    for own, row, segments in zip(covers, rows, scenes.segments(rows, draws), strict=True):
        actors = scenes.store.array("actors")[row].tolist()
        for cover, column in zip(own, columns, strict=True):
            seen = segments == actors.index(column) + 1 if column in actors else np.zeros_like(segments, bool)
            np.testing.assert_allclose(cover, seen.reshape(4, 8, 4, 8).mean(axis=(1, 3)).ravel(), rtol=1e-6)


def test_the_vocabulary_names_no_object_that_is_held_out():
    known = [item.name for item in paper_catalogue() if item.split == "id"]
    held_out = [word for item in paper_catalogue() if item.split == "ood" for word in (item.name, *item.synonyms)]
    texts = vocabulary(known, held_out)
    assert len(texts) == len(set(texts)) > 250 and texts[: len(known)] == known
    assert not [text for text in texts if any(name in text for name in (*held_out, "football", "sponge", "berry"))]
