"""Random objects: their attributes are true of mesh and texture, and their files form an object set."""

import json
from pathlib import Path

import numpy as np
import pytest

from pickclutter_lang.objects.object_sets import read_object_set
from pickclutter_lang.objects.procedural.appearance import COLORS, MATERIALS, PATTERNS
from pickclutter_lang.objects.procedural.random_objects import PRIMITIVES, sample_object, write_objects


def test_the_same_generator_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        rng = np.random.default_rng(5)
        write_objects(tmp_path / name, [sample_object(rng) for _ in range(4)])
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file())
    assert len(files) == 2 + 4 * 4
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_sizes_and_words_lie_in_their_ranges() -> None:
    rng = np.random.default_rng(0)
    objects = [sample_object(rng) for _ in range(120)]
    for item in objects:
        assert 0.0199 <= max(item.size) <= 0.2001
        assert item.geometry.bounds[1] - item.geometry.bounds[0] == pytest.approx(item.size, abs=1e-6)
        assert item.category in PRIMITIVES[item.shape][1]
        assert item.pattern in PATTERNS and item.material in MATERIALS
        assert len(set(item.colors)) == (1 if item.pattern == "plain" else 2)
        for word in (item.size_word, item.material, item.category, *item.colors):
            assert word in item.description.split() or word in item.description
        assert sum(len(part.surface.faces) for part in item.geometry.parts) <= 3000
    assert {t.shape for t in objects} == set(PRIMITIVES)
    assert {c for t in objects for c in t.colors} == set(COLORS)
    assert {t.size_word for t in objects} == {"tiny", "small", "medium-sized", "large"}


def test_random_objects_are_an_object_set_with_attributes(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    objects = [sample_object(rng) for _ in range(3)]
    ids = write_objects(tmp_path / "objects", objects, prefix="toy")
    assert ids == ["toy_0000", "toy_0001", "toy_0002"]
    loaded = read_object_set("random", tmp_path / "objects", ids)
    assert [item.size for item in loaded.catalog] == [pytest.approx(t.size, abs=3e-6) for t in objects]
    words = json.loads((tmp_path / "objects" / "objects.json").read_text())
    assert words["toy_0001"]["shape"] == objects[1].shape
    assert words["toy_0001"]["description"] == objects[1].description
