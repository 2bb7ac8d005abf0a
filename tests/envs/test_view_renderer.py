"""Views of single objects: rendered with masks and words, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.objects.catalog import paper_catalog

pytest.importorskip("sapien")
from pickclutter_lang.envs.config import ObjectViewConfig
from pickclutter_lang.envs.generation.view_renderer import render_object_views

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


@pytest.mark.parametrize(
    "change",
    [
        {"objects": "cups"},
        {"size": 8},
        {"seed": -1},
        {"views_per_object": 0, "random_objects": 0},
        {"views_per_random_object": -1},
    ],
)
def test_wrong_settings_are_named(change: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError):
        replace(SETTINGS, **change).validate()  # type: ignore[arg-type]


@pytest.mark.sim
def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="mkdir"):
        render_object_views(replace(SETTINGS, out=str(tmp_path / "no" / "views"), random_objects=0))
