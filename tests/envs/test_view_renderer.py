"""Views of single objects: rendered with masks and words, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.object_attributes import attributes_from_dict
from pickclutter_lang.objects.catalog import paper_catalog

pytest.importorskip("sapien")
from pickclutter_lang.envs.config import ObjectViewConfig
from pickclutter_lang.envs.generation.object_renderer import render_object_views

SETTINGS = ObjectViewConfig(
    out="",
    objects="proxy",
    objects_root=None,
    selection="paper",
    views_per_object=1,
    random_objects=3,
    views_per_random_object=2,
    size=48,
    seed=0,
)


@pytest.mark.sim
def test_views_show_each_object_and_depend_on_the_seed_alone(tmp_path: Path) -> None:
    hashes = [
        render_object_views(replace(SETTINGS, out=str(tmp_path / name), seed=seed))
        for name, seed in (("first", 0), ("same", 0), ("other", 1))
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    views = ObjectViewDataset.open(tmp_path / "first")
    assert views.content_hash == hashes[0]
    assert [views.objects[n].get("model_id") for n in range(26)] == paper_catalog().model_ids
    assert {"shape", "colours", "pattern", "material"} <= set(views.objects[26])
    assert np.bincount(views.object_index).tolist() == [1] * 26 + [2] * 3
    assert (views.mask.sum(axis=(1, 2)) >= 30).all()
    lemon = paper_catalog().index("lemon")
    red, green, blue = views.rgb[lemon][views.mask[lemon]].mean(axis=0)
    assert red > 1.5 * blue and green > 1.3 * blue


@pytest.mark.sim
def test_views_of_kinds_have_their_words_and_lights(tmp_path: Path) -> None:
    kinds = replace(SETTINGS, objects="kinds", kinds=["lemon", "mug"], instances=2, first_seed=3, random_objects=0)
    hashes = [
        render_object_views(replace(kinds, out=str(tmp_path / name), random_lights=lights))
        for name, lights in (("first", False), ("same", False), ("lit", True))
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    views = ObjectViewDataset.open(tmp_path / "first")
    assert [(row["kind"], row["seed"]) for row in views.objects] == [("lemon", 3), ("lemon", 4), ("mug", 3), ("mug", 4)]
    assert views.config["first_seed"] == 3 and "random_lights" not in views.config
    attributes = attributes_from_dict(views.objects[0])
    assert "name:lemon" in attributes.tags and "category:fruit" in attributes.tags
    red, green, blue = views.rgb[0][views.mask[0]].mean(axis=0)
    assert red > 1.5 * blue and green > 1.2 * blue


@pytest.mark.parametrize(
    "change",
    [
        {"objects": "cups"},
        {"objects": "kinds", "kinds": ["gizmo"]},
        {"objects": "kinds", "selection": "further"},
        {"objects": "kinds", "first_seed": -1},
        {"kinds": ["lemon"]},
        {"size": 8},
        {"seed": -1},
        {"views_per_object": 0, "random_objects": 0},
        {"views_per_random_object": -1},
    ],
)
def test_wrong_settings_are_named(change: dict[str, object]) -> None:
    with pytest.raises((InvalidArgumentError, UnknownObjectError)):
        replace(SETTINGS, **change).validate()  # type: ignore[arg-type]


@pytest.mark.sim
def test_more_views_than_fit_into_memory_are_refused(tmp_path: Path) -> None:
    many = replace(SETTINGS, objects="kinds", instances=1000, views_per_object=1000, size=1024, out=str(tmp_path / "o"))
    with pytest.raises(InvalidArgumentError, match=r"206000006 of 1024 pixels take some .* GB"):
        render_object_views(many)
    assert not list(tmp_path.iterdir())


@pytest.mark.sim
def test_a_file_in_the_way_is_named_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "views").touch()
    with pytest.raises(DatasetError, match="cannot create the folder"):
        render_object_views(replace(SETTINGS, out=str(tmp_path / "views" / "o"), random_objects=0))
    assert "views" not in capsys.readouterr().err  # no bar
