"""What the hand camera, lights and table look like in rendered scenes; one generator per setting, few scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from transforms3d.axangles import axangle2mat

from pickclutter_lang.envs.generation.pile_sampling import PileConfig
from pickclutter_lang.envs.randomization import AppearanceConfig, HandCameraConfig, read_settings
from pickclutter_lang.objects.object_sets import ObjectSet

pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
pytestmark = pytest.mark.sim
SIDE = 96


def generator(objects: ObjectSet, **settings: Any) -> Any:
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    for name, kind in (("camera", HandCameraConfig), ("appearance", AppearanceConfig)):
        settings[name] = read_settings(kind, settings.get(name))
    return SceneGenerator(objects, PileConfig(**{"image_size": SIDE, "graspable": False, **settings}))


def scene(objects: ObjectSet, index: int = 0, **settings: Any) -> dict[str, NDArray[Any]]:
    return dict(generator(objects, **settings).generate(0, "ood", index))


def frame(objects: ObjectSet, **camera: float) -> tuple[Any, Any]:
    """Return the row of a scene, and the frame that the hand camera took."""
    maker = generator(objects, camera=camera)
    row = maker.generate(0, "ood", 0)
    return row, maker.renderer.capture("hand")


def test_a_moved_camera_sees_what_the_pinhole_model_says(procedural: ObjectSet) -> None:
    _, usual = frame(procedural)
    moved = {"x": 0.015, "y": -0.02, "z": 0.03, "pitch": 8.0, "yaw": -12.0, "roll": 25.0, "fov": 70.0}
    row, found = frame(procedural, **moved)
    seen = found.depth > 0
    world = found.points[seen].astype(float)
    in_usual = world @ usual.extrinsic[:, :3].T + usual.extrinsic[:, 3]  # right, down, forward
    turn = np.eye(3)
    for name, axis in (("yaw", [0, 1, 0]), ("pitch", [1, 0, 0]), ("roll", [0, 0, 1])):
        turn = turn @ axangle2mat(axis, np.deg2rad(moved[name]))
    x, y, z = ((in_usual - [moved["x"], moved["y"], moved["z"]]) @ turn).T
    focal = SIDE / 2 / np.tan(np.deg2rad(70) / 2)
    rows, cols = np.nonzero(seen)
    np.testing.assert_allclose(focal * x / z + SIDE / 2, cols + 0.5, atol=0.02)
    np.testing.assert_allclose(focal * y / z + SIDE / 2, rows + 0.5, atol=0.02)
    np.testing.assert_allclose(found.depth[seen], 1000 * z, atol=0.6)
    np.testing.assert_allclose(row["hand_intrinsic"], [[focal, 0, 48], [0, focal, 48], [0, 0, 1]], rtol=1e-5)
    np.testing.assert_array_equal(row["hand_extrinsic"], found.extrinsic)


def table_pixels(row: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    return np.asarray(row["hand_rgb"][row["hand_segmentation"] == 0], float)


def test_lights_have_strength_and_warmth(procedural: ObjectSet) -> None:
    look = {"table": "#808080"}
    means = [scene(procedural, appearance={**look, "light_strength": value})["hand_rgb"].mean() for value in (0.4, 0.8)]
    assert means[1] > means[0] + 15
    cold, warm = (
        table_pixels(scene(procedural, appearance={**look, "light_warmth": value})).mean(axis=0) for value in (-1, 1)
    )
    assert cold[2] > cold[0] + 25 and warm[0] > warm[2] + 25


def test_shadows_darken_some_of_the_table_and_nothing_else(procedural: ObjectSet) -> None:
    look = {"table": "#c0c0c0", "light_elevation": 45}
    without, shadows = (
        table_pixels(scene(procedural, appearance={**look, "shadows": value})).mean(axis=1) for value in (False, True)
    )
    darker = shadows < without - 15
    assert 0.01 < darker.mean() < 0.6 and (shadows <= without + 1).all()


@pytest.mark.parametrize(("color", "expected"), [("#e02020", (0xE0, 0x20, 0x20)), ("Tan", (210, 180, 140))])
def test_a_table_has_its_color(procedural: ObjectSet, color: str, expected: tuple[int, int, int]) -> None:
    found = np.median(table_pixels(scene(procedural, appearance={"table": color})), axis=0)
    assert np.abs(found - expected).max() < 30


def test_an_image_covers_half_a_meter_in_the_middle_of_the_table(procedural: ObjectSet, tmp_path: Path) -> None:
    picture = np.zeros((50, 50, 3), np.uint8)
    picture[:25, :25], picture[:25, 25:], picture[25:, :25], picture[25:, 25:] = (
        (220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 220),
    )  # fmt: skip
    Image.fromarray(picture).save(tmp_path / "table.png")
    maker = generator(procedural, appearance={"table": str(tmp_path / "table.png")})
    row = maker.generate(0, "ood", 0)
    points = maker.renderer.capture("hand").points
    for column, line in ((0, 0), (1, 0), (0, 1), (1, 1)):
        low = np.array([0.25 * column, 0.25 * line]) - 0.25 + 0.03
        there = ((points[..., :2] > low) & (points[..., :2] < low + 0.19)).all(-1) & (row["hand_segmentation"] == 0)
        assert there.sum() > 30
        found = np.median(row["hand_rgb"][there], axis=0)
        assert np.abs(found - picture[25 * line, 25 * column]).max() < 35


def test_the_background_is_what_is_beyond_the_table(procedural: ObjectSet) -> None:
    row = scene(procedural, camera={"pitch": 75}, appearance={"background": "#4080ff"})
    sky = row["hand_depth"] == 0
    assert 0.1 < sky.mean() < 0.9 and (row["hand_rgb"][sky] == (0x40, 0x80, 0xFF)).all()


def test_noise_is_in_images_and_not_in_labels(procedural: ObjectSet) -> None:
    clean = scene(procedural)
    noisy = scene(procedural, camera={"image_noise": 6, "depth_noise": 0.02, "depth_dropout": 1.0})
    for name in ("hand_segmentation", "rep_pts", "visible", "pixels"):
        np.testing.assert_array_equal(noisy[name], clean[name])
    error = noisy["hand_rgb"].astype(float) - clean["hand_rgb"]
    assert error[clean["hand_segmentation"] == 0].std() == pytest.approx(6, rel=0.05)
    far = (noisy["hand_depth"] > 0) & (clean["hand_depth"] > 370)
    millimeters = noisy["hand_depth"][far].astype(float) - clean["hand_depth"][far]
    assert millimeters.std() == pytest.approx(20 * 0.38**2, rel=0.1)
    assert 0.005 < (noisy["hand_depth"] == 0).mean() < 0.2 and (clean["hand_depth"] > 0).all()
