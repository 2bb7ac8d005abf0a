"""Images of single objects, rendered by the simulator's renderer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.forkserver import run_python
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.object_sets import ObjectSet

pytestmark = pytest.mark.sim
TURNED = (np.cos(0.4), np.sin(0.4), 0.0, 0.0)


@pytest.fixture(scope="module")
def studio() -> Any:
    from pickclutter_lang.envs.generation.object_renderer import ObjectRenderer

    return ObjectRenderer()


@pytest.mark.parametrize("model_id", ["062_dice", "048_hammer", "024_bowl"])
@pytest.mark.parametrize("rotation", [(1, 0, 0, 0), TURNED])
def test_an_object_fills_the_image(studio: Any, procedural: ObjectSet, model_id: str, rotation: Any) -> None:
    view = studio.view(procedural.model_dir(model_id), rotation=rotation, size=96)
    assert view.rgb.shape == (96, 96, 3) and view.rgb.dtype == np.uint8 and view.mask.dtype == bool
    rows, cols = np.nonzero(view.mask)
    assert min(rows.min(), cols.min()) >= 1 and max(rows.max(), cols.max()) <= 94
    assert max(np.ptp(rows), np.ptp(cols)) >= 75


def test_views_differ_with_the_camera_and_repeat(studio: Any, procedural: ObjectSet) -> None:
    cube = procedural.model_dir("077_rubiks_cube")
    first = studio.view(cube, azimuth=0.8)
    other = studio.view(cube, azimuth=2.4)
    studio.view(procedural.model_dir("013_apple"))
    again = studio.view(cube, azimuth=0.8)
    assert np.array_equal(first.rgb, again.rgb) and np.array_equal(first.mask, again.mask)
    assert (first.rgb != other.rgb).any()


def test_a_farther_camera_sees_a_smaller_object(studio: Any, procedural: ObjectSet) -> None:
    ball = procedural.model_dir("056_tennis_ball")
    near, far = (studio.view(ball, distance=d).mask.sum() for d in (0.25, 0.5))
    assert near / far == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize(("model_id", "channel"), [("013_apple", 0), ("016_pear", 1), ("002_master_chef_can", 2)])
def test_colours_come_through(studio: Any, procedural: ObjectSet, model_id: str, channel: Any) -> None:
    view = studio.view(procedural.model_dir(model_id), elevation=0.3)
    assert view.rgb[view.mask].mean(axis=0).argmax() == channel


@pytest.mark.parametrize("pose", [{"elevation": 0.0}, {"elevation": -1.0}, {"size": 0}, {"distance": 0.01}])
def test_impossible_cameras_are_refused(studio: Any, procedural: ObjectSet, pose: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="expected"):
        studio.view(procedural.model_dir("013_apple"), **pose)


@pytest.mark.slow
def test_the_script_writes_a_sheet(tmp_path: Path, procedural: ObjectSet) -> None:
    script = ["-m", "pickclutter_lang.commands", "render-object-sheet", "size=48"]
    done = run_python([*script, "out=sheet.png"], tmp_path)
    assert done.returncode == 0 and "26 objects of proxy in sheet.png" in done.stdout, done.stderr
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (7 * 48, 4 * 66)
    kinds = ["objects=[kinds]", "kinds=[mug,apple]", "instances=3", "names=false", "out=kinds.png"]
    done = run_python([*script, *kinds], tmp_path)
    assert done.returncode == 0 and "6 objects of kinds in kinds.png" in done.stdout, done.stderr
    with Image.open(tmp_path / "kinds.png") as sheet:
        assert sheet.size == (30 + 3 * 48, 2 * 48)
    wrong = run_python([*script, "objects=[lego]"], tmp_path)
    assert wrong.returncode == 2 and "or a list of these, but got 'lego'" in wrong.stderr
