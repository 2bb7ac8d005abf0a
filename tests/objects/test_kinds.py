"""Every kind: its words, and the geometry, texture and collision hulls of some instances."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from helpers.kind_checks import color_shares, is_closed, signed_volume
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.object_attributes import attributes_from_dict
from pickclutter_lang.objects.kinds import Instance, Kind, all_kinds, find_kinds, write_kinds
from pickclutter_lang.objects.kinds import registry as registry_module
from pickclutter_lang.objects.kinds.kind import check_unique_names, instance_phrases
from pickclutter_lang.objects.kinds.materials import MATERIALS
from pickclutter_lang.objects.object_sets import read_object_set
from pickclutter_lang.objects.procedural.appearance import COLORS, FURTHER_PATTERNS, PATTERNS
from pickclutter_lang.objects.procedural.writer import pack_atlas

KINDS = {kind.name: kind for kind in all_kinds()}
SEEDS = range(4)
# The scope puts the tests of a kind side by side, so that its instances are made once.
every_kind = pytest.mark.parametrize("name", KINDS, scope="module")
WORDS = re.compile(r"[a-z0-9][a-z0-9 ,'-]*")


@lru_cache(maxsize=8)
def instances(name: str) -> list[Instance]:
    return [KINDS[name].instance(seed) for seed in SEEDS]


def geometry_hash(item: Instance) -> str:
    digest = hashlib.sha256()
    for part in item.geometry.parts:
        digest.update(part.surface.points.tobytes() + part.surface.uv.tobytes() + part.image.tobytes())
    for hull in item.geometry.hulls:
        digest.update(hull.tobytes())
    return digest.hexdigest()


def texture_hash(item: Instance) -> str:
    return hashlib.sha256(b"".join(part.image.tobytes() for part in item.geometry.parts)).hexdigest()


@every_kind
def test_an_instance_follows_from_its_seed_and_others_differ(name: str) -> None:
    again, made = KINDS[name].instance(SEEDS[1]), instances(name)
    assert geometry_hash(again) == geometry_hash(made[1]) and again.features == made[1].features
    assert len({texture_hash(item) for item in made}) == len(made)
    assert len({item.size for item in made}) == len(made)


@every_kind
def test_the_size_is_within_the_range_of_the_kind(name: str) -> None:
    low, high = KINDS[name].longest
    assert 0.01 <= low < high <= 0.35
    for item in instances(name):
        assert low <= max(item.size) <= high, item.size
        assert np.abs(item.geometry.bounds.sum(axis=0)).max() < 1e-6


@every_kind
def test_the_mesh_is_finite_small_and_faces_outward(name: str) -> None:
    for item in instances(name):
        parts = item.geometry.parts
        assert sum(len(part.surface.faces) for part in parts) <= 5000
        for part in parts:
            surface = part.surface
            assert np.isfinite(surface.points).all()
            assert surface.uv.min() >= 0 and surface.uv.max() <= 1
            if is_closed(surface):
                assert signed_volume(surface) > 0
        atlas, coordinates = pack_atlas(parts, 256)
        assert all(uv.min() >= 0 and uv.max() <= 1 for uv in coordinates)
        assert atlas.size > 8 * 8 * 3


@every_kind
def test_few_hulls_contain_the_mesh_and_little_else(name: str) -> None:
    for item in instances(name):
        hulls = [ConvexHull(np.round(points, 6)) for points in item.geometry.hulls]
        assert 1 <= len(hulls) <= 12
        points = np.concatenate([part.surface.points for part in item.geometry.parts])
        margin = 0.002 + 0.02 * max(item.size)
        inside = np.any(
            [(points @ h.equations[:, :3].T + h.equations[:, 3] < margin).all(axis=1) for h in hulls], axis=0
        )
        assert inside.mean() > 0.97, inside.mean()
        mesh = sum(signed_volume(part.surface) for part in item.geometry.parts)
        ratio = sum(hull.volume for hull in hulls) / mesh
        assert 0.6 < ratio < 4, ratio  # a cage of wires is filled
        assert 20 <= item.density <= 8000


@every_kind
def test_words_are_of_the_vocabularies(name: str) -> None:
    kind = KINDS[name]
    for item in instances(name):
        assert item.colors and set(item.colors) <= set(COLORS) and len(set(item.colors)) == len(item.colors)
        assert item.material in MATERIALS and item.pattern in (*PATTERNS, *FURTHER_PATTERNS)
        assert len(set(item.features)) == len(item.features)
        for text in (item.shape, *item.features, *instance_phrases(name, item)):
            assert WORDS.fullmatch(text), text
    texts = (kind.name, kind.function, kind.description, *kind.synonyms, *kind.hypernyms)
    assert kind.synonyms and kind.hypernyms
    for text in texts:
        assert WORDS.fullmatch(text), text
    others = [other for other in KINDS if other != name and other not in name.split()]
    assert not [o for o in others if re.search(rf"\b{re.escape(o)}s?\b", kind.description)]
    assert name not in kind.hypernyms and 5 <= len(kind.description.split()) <= 40


@every_kind
def test_the_first_color_is_on_the_object(name: str) -> None:
    for item in instances(name):
        shares = color_shares(item.geometry)
        assert shares[item.colors[0]] > 0.1, (item.colors, shares)


def test_words_mean_one_kind() -> None:
    check_unique_names(all_kinds())
    mug = KINDS["mug"]
    other = Kind("cup", (mug.synonyms[0],), ("tableware",), "drinking", "a cup", (0.05, 0.1), mug.sample)
    with pytest.raises(InvalidArgumentError, match="means 'mug' and 'cup'"):
        check_unique_names([mug, other])
    child = replace(other, name="espresso cup", synonyms=(), hypernyms=("mug", "tableware"))
    with pytest.raises(InvalidArgumentError, match="'mug' of 'espresso cup' means 'mug'"):
        check_unique_names([child, mug])


def test_a_file_without_a_kind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_kind.py").write_text('"""Nothing."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidArgumentError, match="KIND in no_kind"):
        registry_module._kind_of("no_kind")


def test_an_unknown_kind_is_an_error_with_the_nearest_names() -> None:
    with pytest.raises(UnknownObjectError, match="'mugg'; did you mean 'mug'"):
        find_kinds(["mugg"])
    with pytest.raises(InvalidArgumentError, match="seed of at least 0"):
        KINDS["mug"].instance(-1)


def test_phrases_and_attributes_say_what_the_instance_is() -> None:
    item = next(i for s in range(60) if (i := KINDS["mug"].instance(s)).pattern == "striped")
    first, second = item.colors
    phrases = instance_phrases("mug", item)
    assert f"{first} mug" in phrases and f"{first} mug with {second} stripes" in phrases
    assert f"mug {item.features[0]}" in phrases
    attributes = attributes_from_dict(json.loads(json.dumps(KINDS["mug"].words(0, item))))
    expected = {"name:mug", "category:cup", "category:tableware", f"color:{first}", "pattern:striped", "shape:cup"}
    assert expected | {f"feature:{item.features[0]}"} <= attributes.tags
    entry = KINDS["mug"].catalog_object(3, item)
    assert (entry.model_id, entry.name, entry.category, entry.size) == ("mug-3", "mug", "cup", item.size)


@every_kind
def test_no_description_names_a_part_that_is_not_there(name: str) -> None:
    for item in instances(name):
        text = attributes_from_dict(KINDS[name].words(0, item)).description
        named = re.sub("without an? [a-z]+", "", text)  # of a glass it may be said that it has no handle
        stems = {word.strip(",.").removesuffix("s") for word in named.split()}
        lacking = {f.split()[-1].removesuffix("s") for f in item.features if f.startswith("without")}
        assert not stems & lacking and (text or lacking)


def test_a_mug_is_hollow() -> None:
    for item in instances("mug"):
        middle = np.array([0, 0, 0.1 * item.size[2]])
        if "without a handle" in item.features:
            hulls = [ConvexHull(points).equations for points in item.geometry.hulls]
            assert not any((h[:, :3] @ middle + h[:, 3] < 0).all() for h in hulls)


def test_a_set_is_read_again_and_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    ids = write_kinds(tmp_path / "one", {"mug": [3], "soda can": range(2)})
    assert ids == ["mug-3", "soda_can-0", "soda_can-1"]
    objects = read_object_set("kinds", tmp_path / "one", ids)
    words = json.loads((tmp_path / "one" / "objects.json").read_text())
    for model_id, item in zip(ids, objects.catalog, strict=True):
        assert item.size == pytest.approx(words[model_id]["size"], abs=3e-6)
    code = (
        "import sys; from pickclutter_lang.objects.kinds import write_kinds as w\n"
        "w(sys.argv[1], {'soda can': [1], 'mug': [3]})"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "two")], check=True)
    for path in sorted((tmp_path / "two" / "models").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "one" / path.relative_to(tmp_path / "two")).read_bytes()
