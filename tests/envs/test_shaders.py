"""The faster shaders change no pixel."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.sim

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
