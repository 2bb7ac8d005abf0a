"""Rendering without a GPU: the route, its errors, and that the faster shaders change no pixel."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pickclutter_lang.envs import renderer
from pickclutter_lang.errors import MissingExtraError, RendererError

pytestmark = pytest.mark.sim

_PICTURE = """
import sys
import numpy as np
from pickclutter_lang.envs.renderer import prepare_renderer, shader_folder
prepare_renderer()
import sapien.core as sapien
engine, renderer = sapien.Engine(), sapien.SapienRenderer(offscreen_only=True)
engine.set_renderer(renderer)
if sys.argv[1] == "own":
    sapien.render_config.camera_shader_dir = str(shader_folder())
scene = engine.create_scene()
scene.set_ambient_light([0.3, 0.3, 0.3])
scene.add_directional_light([1, 1, -1], [1, 1, 1])
scene.add_ground(0.0)
for n, color in enumerate([(1, 0, 0), (0.2, 0.9, 0.3), (0.9, 0.9, 0.9)]):
    builder = scene.create_actor_builder()
    material = renderer.create_material()
    material.base_color, material.metallic, material.roughness = [*color, 1], 0.4 * n, 0.9 - 0.4 * n
    builder.add_sphere_visual(radius=0.1, material=material)
    builder.build_kinematic(str(n)).set_pose(sapien.Pose([0.0, 0.3 * n - 0.3, 0.1]))
camera = scene.add_camera("c", 64, 64, 1.2, 0.01, 10)
camera.set_local_pose(sapien.Pose([-0.7, 0, 0.4], [0.966, 0, 0.259, 0]))
scene.update_render()
camera.take_picture()
np.save(sys.argv[2], camera.get_float_texture("Color"), allow_pickle=False)
"""


@pytest.mark.slow
def test_the_shaders_without_an_environment_map_change_no_pixel(tmp_path: Path) -> None:
    for kind in ("stock", "own"):
        command = [sys.executable, "-W", "ignore", "-c", _PICTURE, kind, str(tmp_path / f"{kind}.npy")]
        subprocess.run(command, check=True, cwd=tmp_path)
    stock, own = (np.load(tmp_path / f"{kind}.npy", allow_pickle=False) for kind in ("stock", "own"))
    assert stock[..., :3].std() > 0.05
    np.testing.assert_array_equal(stock, own)


def test_the_renderer_works_here() -> None:
    assert renderer.probe().kind in ("gpu", "software", "user")


def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer.prepare_renderer.cache_clear()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def restored() -> object:
    """Undo what a test did to the environment variables of this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    renderer.prepare_renderer.cache_clear()


def test_without_a_loader_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(RendererError, match=r"apt-get install .*libvulkan1 mesa-vulkan-drivers"):
        renderer.prepare_renderer()


def test_without_a_driver_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(renderer, "_ICD_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(renderer, "_has_gpu", lambda: False)
    with pytest.raises(RendererError, match=r"lvp_icd\*\.json.*apt-get"):
        renderer.prepare_renderer()


def test_without_sapien_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(renderer, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pickclutter-lang\[sim\]"):
        renderer.prepare_renderer()


def test_with_a_gpu_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.delenv("VK_INSTANCE_LAYERS", raising=False)
    monkeypatch.setattr(renderer, "_has_gpu", lambda: True)
    before = dict(os.environ)
    assert renderer.prepare_renderer().kind == "gpu"
    assert dict(os.environ) == before


def test_the_choice_of_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", "/opt/my_icd.json")
    assert renderer.prepare_renderer() == renderer.RendererBackend("user", "/opt/my_icd.json")


def test_a_broken_driver_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "absent.json"))
    with pytest.raises(RendererError, match=r"user renderer .* failed with status"):
        renderer.probe()
