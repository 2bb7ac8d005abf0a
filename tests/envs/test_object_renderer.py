"""Images of single objects: views with masks and words, thumbnails, and sheets of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.own_objects import MESHES, make_own_set, own_entry
from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.loaders import load_set
from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.object_attributes import attributes_of_instance
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_sets import ObjectSet
from pickclutter_lang.teacher_training.render_batches import object_of_row

pytest.importorskip("sapien")
from pickclutter_lang.envs.config import ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.envs.generation.object_renderer import (
    Model,
    ObjectRenderer,
    render_object_views,
    write_object_sheet,
)

pytestmark = pytest.mark.sim
TURNED = (np.cos(0.4), np.sin(0.4), 0.0, 0.0)
SETTINGS = ObjectViewConfig(
    out="",
    objects="proxy",
    objects_root=None,
    selection="paper",
    views_per_object=1,
    size=48,
    seed=0,
)


@pytest.fixture(scope="module")
def studio() -> Any:
    return ObjectRenderer()


@pytest.mark.parametrize(("model_id", "rotation"), [("062_dice", (1, 0, 0, 0)), ("048_hammer", TURNED)])
def test_an_object_fills_the_image(studio: Any, procedural: ObjectSet, model_id: str, rotation: Any) -> None:
    studio.show(Model(procedural.model_dir(model_id), 1.0, model_id, {}))
    view = studio.view(rotation, size=96)
    assert view.rgb.shape == (96, 96, 3) and view.rgb.dtype == np.uint8 and view.mask.dtype == bool
    rows, cols = np.nonzero(view.mask)
    assert min(rows.min(), cols.min()) >= 1 and max(rows.max(), cols.max()) <= 94
    assert max(np.ptp(rows), np.ptp(cols)) >= 60


def test_views_show_each_object_and_depend_on_the_seed_alone(tmp_path: Path) -> None:
    hashes = [
        render_object_views(replace(SETTINGS, out=str(tmp_path / name), seed=seed))
        for name, seed in (("first", 0), ("same", 0), ("other", 1))
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    views = ObjectViewDataset.open(tmp_path / "first")
    assert views.content_hash == hashes[0]
    assert [views.objects[n].get("model_id") for n in range(26)] == paper_catalog().model_ids
    assert np.bincount(views.object_index).tolist() == [1] * 26
    assert (views.mask.sum(axis=(1, 2)) >= 30).all()
    lemon = paper_catalog().index("lemon")
    red, green, blue = views.rgb[lemon][views.mask[lemon]].mean(axis=0)
    assert red > 1.5 * blue and green > 1.3 * blue


def test_views_of_kinds_have_their_words_and_lights(tmp_path: Path) -> None:
    kinds = replace(SETTINGS, objects="kinds", kinds=["lemon", "mug"], instances=2, first_seed=3)
    hashes = [
        render_object_views(replace(kinds, out=str(tmp_path / name), random_lights=lights))
        for name, lights in (("first", False), ("same", False), ("lit", True))
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    views = ObjectViewDataset.open(tmp_path / "first")
    assert [(row["kind"], row["seed"]) for row in views.objects] == [("lemon", 3), ("lemon", 4), ("mug", 3), ("mug", 4)]
    assert views.config["first_seed"] == 3 and "random_lights" not in views.config
    attributes = attributes_of_instance(views.objects[0])
    assert "name:lemon" in attributes.tags and "category:fruit" in attributes.tags
    red, green, blue = views.rgb[0][views.mask[0]].mean(axis=0)
    assert red > 1.5 * blue and green > 1.2 * blue


@pytest.mark.parametrize(
    "change",
    [
        {"objects": "kinds", "kinds": ["gizmo"]},
        {"objects": "kinds", "selection": "further"},
        {"size": 8},
        {"views_per_object": 0},
    ],
)
def test_wrong_settings_are_named(change: dict[str, object]) -> None:
    with pytest.raises((InvalidArgumentError, UnknownObjectError)):
        replace(SETTINGS, **change).validate()  # type: ignore[arg-type]


def test_own_objects_have_views_and_a_sheet(tmp_path: Path) -> None:
    mine = make_own_set(tmp_path / "mine")
    render_object_views(replace(SETTINGS, out=str(tmp_path / "views"), objects=str(mine), size=32))
    views = ObjectViewDataset.open(tmp_path / "views")
    assert [object_of_row(row).name for row in views.objects] == [own_entry(name).name for name in MESHES]
    data = load_set(ImageDataConfig(name="object_views", root=str(tmp_path / "views"), image_size=32))
    assert [len(part) for part in data.class_split or ()] == [6, 4]
    assert write_object_sheet(ObjectSheetConfig(str(tmp_path / "s.png"), str(mine), size=32)) == 10
    with pytest.raises(InvalidArgumentError, match="alarm"):
        write_object_sheet(ObjectSheetConfig(str(tmp_path / "s.png"), [str(mine), "proxy"], size=32))
