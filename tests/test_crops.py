"""The teacher's features of objects, and where these lie on the student's map."""

import numpy as np
import pytest
from toy_training import make_toys, settings

from pickclutter_lang.language.vocabulary import vocabulary
from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.teachers import FeatureCache, load_teacher
from pickclutter_lang.training.augment import Draw
from pickclutter_lang.training.crops import MARGIN, label_covers, square_around, teacher_crops
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
    assert sum(map(len, crops.columns)) == len(crops.features) > len(scenes)
    for row in (0, 5):
        places = scenes.places([row])[0]
        picture = scenes.hand_pictures([row])[0]
        assert set(crops.columns[row]) == set((np.unique(places[places > 0]) - 1).tolist())
        for column in crops.columns[row]:
            x, y, side = square_around(places == column + 1)
            low = [round(centre - MARGIN * side / 2 + 0.5) for centre in (y, x)]
            size = round(MARGIN * side)
            rows, columns = (np.clip(np.arange(size) + start, 0, 31) for start in low)
            plain = teacher.encode_image(teacher.preprocess(picture[rows[:, None], columns[None]][None]))[0]
            assert float(plain @ crops.of(row, column)) > 0.9


def test_an_object_that_is_not_seen_has_no_feature(parts):
    scenes, _, crops = parts
    absent = next(n for n in range(len(scenes.names)) if n not in crops.columns[0])
    assert crops.of(0, absent) is None and crops.of(0, crops.columns[0][0]) is not None


def test_places_say_which_object_is_shown_where(parts):
    scenes, _, _ = parts
    row, draw = 3, Draw(horizontal=True, shift=(4, 0))
    segments = scenes.segments([7, row], [Draw(), draw])
    for places, seen, number in zip(scenes.places([7, row], [Draw(), draw]), segments, (7, row), strict=True):
        actors = scenes.store.array("actors")[number]
        for slot, column in enumerate(actors.tolist()):
            assert column < 0 or ((places == column + 1) == (seen == slot + 1)).all()
    halves = scenes.places([row], image_size=16)[0]
    np.testing.assert_array_equal(halves, scenes.places([row])[0][1::2, 1::2])


def test_covers_are_shares_of_cells():
    places = np.random.default_rng(0).integers(0, 4, (2, 8, 8)).astype(np.uint8)
    covers = label_covers(places, [2, 0, 7], (4, 2))
    expected = [[(own == value).reshape(4, 2, 2, 4).mean(axis=(1, 3)).ravel() for value in (3, 1, 8)] for own in places]
    np.testing.assert_allclose(covers, expected, rtol=1e-6)


def test_the_vocabulary_names_no_object_that_is_held_out():
    known = [item.name for item in paper_catalogue() if item.split == "id"]
    held_out = [word for item in paper_catalogue() if item.split == "ood" for word in (item.name, *item.synonyms)]
    texts = vocabulary(known, held_out)
    assert len(texts) == len(set(texts)) > 250 and texts[: len(known)] == known
    assert not [text for text in texts if any(name in text for name in (*held_out, "football", "sponge", "berry"))]
