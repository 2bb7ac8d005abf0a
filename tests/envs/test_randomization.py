"""Settings of camera and appearance: numbers, ranges, what is drawn of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    HandCameraConfig,
    changes,
    read_settings,
    view_rng,
)
from pickclutter_lang.errors import InvalidArgumentError


def draws(config: Any, count: int = 200) -> list[Any]:
    return [config.draw(view_rng(0, "ood", index)) for index in range(count)]


def test_a_range_is_drawn_uniformly_for_each_scene_and_a_number_stays() -> None:
    config = HandCameraConfig(x=[-0.02, 0.02], fov=(70, 90), pitch=5)
    found = draws(config)
    x, fov = (np.array([getattr(one, name) for one in found]) for name in ("x", "fov"))
    assert -0.02 <= x.min() < -0.019 and 0.019 < x.max() <= 0.02 and abs(x.mean()) < 0.003
    assert 70 <= fov.min() < 71 and 89 < fov.max() <= 90
    assert {one.pitch for one in found} == {5} and len(set(x)) == len(x)
    assert found == draws(config) and abs(np.corrcoef(x, fov)[0, 1]) < 0.2


def test_a_range_does_not_change_what_is_drawn_of_the_others() -> None:
    one = HandCameraConfig(yaw=(0, 10))
    both = HandCameraConfig(x=(0, 0.1), yaw=(0, 10), fov=(60, 90))
    assert [a.yaw for a in draws(one)] == [b.yaw for b in draws(both)]
    dark = AppearanceConfig(light_strength=(0, 1))
    other = AppearanceConfig(table="random", light_strength=(0, 1))
    assert [a.light_strength for a in draws(dark)] == [b.light_strength for b in draws(other)]


def test_a_folder_of_images_gives_each_scene_one_of_them(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg", "c.webp"):
        Image.new("RGB", (4, 4), "red").save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    config = AppearanceConfig(table=str(tmp_path))
    tables = [Path(str(drawn.table)).name for drawn in draws(config)]
    assert set(tables) == {"a.jpg", "b.png", "c.webp"}
    assert AppearanceConfig(table=str(tmp_path / "a.jpg")).draw(view_rng(0, "ood", 0)).table == str(tmp_path / "a.jpg")
    before = changes(config)
    assert read_settings(AppearanceConfig, before) == config
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "b.png")
    assert before["table"] == str(tmp_path) and before["table_sha256"] != changes(config)["table_sha256"]


def test_a_manifest_records_what_differs_from_the_defaults_alone() -> None:
    assert not {"camera", "appearance"} & set(PileConfig().settings())
    config = PileConfig(camera=HandCameraConfig(x=(0.0, 0.1)), appearance=AppearanceConfig(shadows=True))
    settings = config.settings()
    assert settings["camera"] == {"x": [0.0, 0.1]} and settings["appearance"] == {"shadows": True}
    assert {**settings, "camera": 0, "appearance": 0} == {**PileConfig().settings(), "camera": 0, "appearance": 0}
    assert read_settings(HandCameraConfig, settings["camera"]) == config.camera
    assert read_settings(AppearanceConfig, settings["appearance"]) == config.appearance
    assert hash(config) == hash(replace(config))  # a key of a cache


WRONG: list[tuple[Any, dict[Any, Any], str]] = [
    *((HandCameraConfig, {"fov": value}, r"camera\.fov") for value in (5, [60], [90, 60], float("nan"), "wide")),
    (HandCameraConfig, {"fovy": 60}, "fovy"),
    (AppearanceConfig, {"light_strength": -1}, r"appearance\.light_strength"),
    *((AppearanceConfig, {"table": value}, r"appearance\.table") for value in ("nowhere", "#12345")),
]


@pytest.mark.parametrize(("kind", "values", "message"), WRONG)
def test_wrong_settings_are_named(kind: Any, values: dict[Any, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        read_settings(kind, values)
