"""What the simulator needs of a machine: `pickclutter check-install`, drivers, and shaders that change no pixel."""

from __future__ import annotations

import ctypes.util
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sapien", reason="needs the sim extra")

from pickclutter_lang.envs import check_install, vulkan
from pickclutter_lang.envs.check_install import check_renderer
from pickclutter_lang.errors import MissingExtraError, RendererError

pytestmark = pytest.mark.sim


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Undo what a test did to the environment variables of this process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    vulkan.prepare_renderer.cache_clear()


def test_a_machine_that_has_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "folder" / "pile.png"
    assert check_install.main(["--out", str(out)]) == 0
    output = capsys.readouterr().out
    assert all(f"ok      {name}: " in output for name in ("python", "packages", "vulkan loader", "renderer", "image"))
    image = np.asarray(Image.open(out))
    assert image.shape == (256, 256, 3) and image.std() > 10
    assert check_install.main(["--out", "/proc/nothing/pile.png"]) == 2
    assert "FAILED  image" in capsys.readouterr().out
    assert check_install.main(["--report"]) == 0 and "sapien 2.2.2" in capsys.readouterr().out


@pytest.mark.parametrize("missing", ["python", "packages", "vulkan loader"])
def test_what_is_missing_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing == "python":
        monkeypatch.setattr(sys, "version_info", (3, 13, 0))
        monkeypatch.setattr(platform, "platform", lambda: "here")
    elif missing == "packages":
        monkeypatch.setattr(check_install, "installed_version", lambda name: "2.1.0")
    else:
        _fresh(monkeypatch)
        monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    assert check_install.main([]) == 2
    assert f"FAILED  {missing}" in capsys.readouterr().out


def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    vulkan.prepare_renderer.cache_clear()
    for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_loader_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(RendererError, match="apt-get"):
        vulkan.prepare_renderer()


def test_without_a_driver_the_error_names_the_apt_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(vulkan, "_ICD_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(vulkan, "_has_gpu", lambda: False)
    with pytest.raises(RendererError, match="apt-get"):
        vulkan.prepare_renderer()


def test_without_sapien_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setattr(vulkan, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="sim"):
        vulkan.prepare_renderer()


def test_with_a_gpu_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.delenv("VK_INSTANCE_LAYERS", raising=False)
    monkeypatch.setattr(vulkan, "_has_gpu", lambda: True)
    before = dict(os.environ)
    assert vulkan.prepare_renderer().kind == "gpu"
    assert dict(os.environ) == before


def test_the_choice_of_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", "/opt/my_icd.json")
    assert vulkan.prepare_renderer() == vulkan.RendererBackend("user", "/opt/my_icd.json")


def test_a_broken_driver_is_an_error_and_not_a_crash(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _fresh(monkeypatch)
    monkeypatch.setenv("VK_DRIVER_FILES", str(tmp_path / "absent.json"))
    with pytest.raises(RendererError, match="user"):
        check_renderer()


_PICTURE = """
import sys
import numpy as np
from pickclutter_lang.envs.renderer import shader_folder
from pickclutter_lang.envs.vulkan import prepare_renderer
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
