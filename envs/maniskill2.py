"""ManiSkill2 on SAPIEN 2."""

from __future__ import annotations

import json
from typing import Any

from pickclutter_lang.envs.simulator import Simulator
from pickclutter_lang.utils.io import atomic_write, cache_dir

_LAYER = "VK_LAYER_PICKCLUTTER_external_semaphore"


class ManiSkill2(Simulator):
    """ManiSkill2, whose PickClutter the paper has."""

    def vulkan_variables(self) -> dict[str, str]:
        """Return variables by which SAPIEN 2 takes lavapipe.

        SAPIEN asks every device for the extension VK_KHR_external_semaphore_fd, which lavapipe of Mesa 25.0 lacks and
        nothing rendered here uses. A Vulkan layer's manifest that declares it lets the loader accept the device.
        """
        folder = cache_dir() / "vulkan_layer"
        functions = ["vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR"]
        extension = {"name": "VK_KHR_external_semaphore_fd", "spec_version": "1", "entrypoints": functions}
        layer = {
            "name": _LAYER,
            "type": "GLOBAL",
            "library_path": "libVkLayer_MESA_device_select.so",
            "api_version": "1.3.0",
            "implementation_version": "1",
            "description": "declares VK_KHR_external_semaphore_fd, which SAPIEN demands and does not use here",
            "functions": {"vkNegotiateLoaderLayerInterfaceVersion": "vkNegotiateLoaderLayerInterfaceVersion"},
            "device_extensions": [extension],
        }
        manifest = {"file_format_version": "1.2.0", "layer": layer}
        folder.mkdir(parents=True, exist_ok=True)
        atomic_write(folder / "external_semaphore.json", json.dumps(manifest, indent=1).encode())
        return {
            "VK_LAYER_PATH": str(folder),
            "VK_INSTANCE_LAYERS": _LAYER,
            # Without it vkCreateInstance never returns, since the layer's library is loaded twice.
            "NODEVICE_SELECT": "1",
        }

    def start_engine(self, shaders: str, **options: Any) -> tuple[Any, Any]:
        """Return the process's engine and its renderer."""
        import sapien.core as sapien

        engine = sapien.Engine()
        engine.set_log_level("error")
        renderer = sapien.SapienRenderer(**options)
        renderer.set_log_level("warn")
        sapien.render_config.camera_shader_dir = shaders
        sapien.render_config.viewer_shader_dir = shaders
        return engine, renderer


SIMULATOR = ManiSkill2(
    name="maniskill2",
    title="ManiSkill2",
    identity="",
    ids="v0",
    package="mani_skill2",
    extra="sim",
    sapien_version="2",
    newest_python=(3, 11),
    beside=("setuptools",),  # sapien 2.2.2 imports its pkg_resources
    sapien="sapien.core",
    utilities="mani_skill2.utils.sapien_utils",
    shaders="ibl",
    panda="assets/descriptions/panda_v2.urdf",
    environment="pickclutter_lang.envs.pick_clutter:PickClutterLangEnv",
    recorder="pickclutter_lang.envs.replay:EpisodeFiles",
    depth_unit="1/1024 m",
    replay_id="pickclutter_lang.envs.replay:PickClutterLang/Replay-v0",
)
make_env = SIMULATOR.make_env
"""What Gymnasium makes its ids with."""
