"""Kinds as an object set: instances made at their first use, apart for learning and evaluation."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError, UnknownObjectError
from pickclutter_lang.kinds import all_kinds, find_kinds
from pickclutter_lang.kinds import kind_set as kind_set_module
from pickclutter_lang.kinds.kind_set import LEARNING_SPLITS, load_kind_set
from pickclutter_lang.objects.catalog import paper_catalog, unseen_objects
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, ObjectSet, load_object_set

NAMES = ["mug", "apple", "fork"]


@pytest.fixture
def objects(tmp_path: Path) -> ObjectSet:
    return load_object_set("kinds", tmp_path, kinds=NAMES, instances=5)


def drawn_seeds(objects: ObjectSet, split: str, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    monkeypatch.setattr(type(objects), "model", lambda self, model_id: model_id)  # nothing is made
    labels = np.zeros(400, np.int64)
    rng = np.random.default_rng(0)
    ids: Sequence[object] = objects.draw_models(labels, split, rng)
    return {objects.seed_of(str(model_id)) for model_id in ids}


@pytest.mark.parametrize("instances", [5, 8])
def test_instances_to_learn_from_are_in_no_evaluation(
    instances: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = load_object_set("kinds", tmp_path, kinds=NAMES, instances=instances)
    for split in LEARNING_SPLITS:
        assert drawn_seeds(objects, split, monkeypatch) == set(range(instances))
    for split in ("id", "ood"):  # seeds that no number of instances to learn from reaches
        assert drawn_seeds(objects, split, monkeypatch) == set(range(MAX_INSTANCES, MAX_INSTANCES + instances))
    with pytest.raises(InvalidArgumentError, match="instances"):
        load_object_set("kinds", tmp_path, kinds=NAMES, instances=MAX_INSTANCES + 1)


def test_an_instance_is_made_at_its_first_use_with_its_own_words(objects: ObjectSet) -> None:
    assert objects.catalog.names == NAMES and not objects.root.exists()
    (model,) = objects.draw_models(np.array([0]), "train", np.random.default_rng(3))
    seed = objects.seed_of(model.model_id)
    kind = find_kinds(["mug"])[0]
    made = kind.instance(seed)
    assert (model.model_id, model.name, model.split) == (f"mug-{seed}", "mug", "id")
    assert (model.size, model.density, model.colors) == (made.size, made.density, made.colors)
    assert kind.words(seed, made)["colors"] == list(model.colors)
    assert objects.label_index(model.model_id) == 0
    files = {path.name for path in objects.model_dir(model.model_id).iterdir()}
    assert files == {"collision.obj", "textured.obj", "textured.mtl", "texture_map.png", "object.json"}
    entry = objects.model_db([model.model_id])[model.model_id]
    extent = np.subtract(entry["bbox"]["max"], entry["bbox"]["min"])
    np.testing.assert_allclose(extent, made.size, atol=2e-6)
    assert entry["density"] == made.density


@pytest.mark.parametrize("wrong", ["mug", "mug-017", "../mug-1", "spoon-1"])
def test_ids_that_are_no_instance_are_refused(objects: ObjectSet, wrong: str) -> None:
    with pytest.raises(UnknownObjectError, match=wrong):
        objects.model(wrong)


@pytest.mark.parametrize("name", ["object.json", "collision.obj"])
def test_a_damaged_file_of_a_model_is_named(objects: ObjectSet, name: str) -> None:
    path = objects.model_dir("mug-1") / name
    for spoil in (lambda: path.write_bytes(path.read_bytes()[:-9]), path.unlink):
        objects.model("mug-1")
        spoil()
        kind_set_module._read_entry.cache_clear()
        if (path.parent / "object.json").is_file():
            with pytest.raises(MissingAssetsError, match=name):
                objects.model("mug-1")
        shutil.rmtree(path.parent)
        assert objects.model("mug-1").name == "mug" and path.is_file()


@pytest.mark.parametrize("object_split", [0, 3])
def test_the_unseen_names_of_the_paper_are_unseen_kinds(object_split: int, tmp_path: Path) -> None:
    objects = load_kind_set(tmp_path, object_split)
    unseen = {item.name for item in paper_catalog() if item.model_id in unseen_objects(object_split)}
    words = {kind.name: {kind.name, *kind.synonyms} for kind in all_kinds()}
    assert objects.catalog.names == [kind.name for kind in all_kinds()]
    assert set(paper_catalog().names) <= {word for kind in all_kinds() for word in words[kind.name]}
    for index, kind in enumerate(all_kinds()):
        model_id = kind.model_id(17)
        assert (objects.label_index(model_id), objects.seed_of(model_id)) == (index, 17), kind.name
    for item in objects.catalog:
        assert item.split == ("ood" if words[item.name] & unseen else "id"), item.name


def test_the_fingerprint_is_of_catalog_instances_and_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fingerprint(kinds: Sequence[str] = NAMES, instances: int = 5, object_split: int = 0) -> str:
        return load_kind_set(tmp_path, object_split, kinds, instances).fingerprint

    assert fingerprint() == fingerprint()
    found = {fingerprint(), fingerprint(NAMES[:2]), fingerprint(instances=6), fingerprint(NAMES[::-1])}
    monkeypatch.setattr(kind_set_module, "KINDS_VERSION", 0)
    assert len(found | {fingerprint()}) == 5
    assert load_kind_set(tmp_path).root == tmp_path / "kinds-0"


@pytest.mark.parametrize(
    ("source", "settings", "error", "key"),
    [
        ("kinds", {"instances": 0}, InvalidArgumentError, "instances"),
        ("kinds", {"kinds": ["mug", "fork", "mug"]}, InvalidArgumentError, "mug"),
        ("kinds", {"kinds": ["mugg"]}, UnknownObjectError, "mugg"),
        ("proxy", {"kinds": ["mug"]}, InvalidArgumentError, "kinds"),
    ],
)
def test_wrong_settings_are_refused(source: str, settings: dict[str, Any], error: type[Exception], key: str) -> None:
    with pytest.raises(error, match=key):
        load_object_set(source, **settings)
