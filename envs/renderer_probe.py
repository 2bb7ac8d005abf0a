"""Whether the renderer renders: asked of a child process, since a broken driver ends the process."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from pickclutter_lang.envs.vulkan import APT_LINE, RendererBackend, prepare_renderer
from pickclutter_lang.errors import RendererError

_PROBE = (
    "from pickclutter_lang.envs.renderer import shared_engine\n"
    "engine, renderer = shared_engine()\n"
    "scene = engine.create_scene()\n"
    "builder = scene.create_actor_builder()\n"
    "builder.add_box_visual(half_size=[0.1, 0.1, 0.1])\n"  # an empty scene ends the process
    "builder.build_kinematic('box')\n"
    "camera = scene.add_camera('probe', 8, 8, 1.0, 0.01, 10)\n"
    "scene.update_render(); camera.take_picture()\n"
    "print(camera.get_float_texture('Color').shape)\n"
)


def probe(timeout_s: float = 120.0) -> RendererBackend:
    """Render a tiny image in a child process, since a broken driver ends the process instead of raising.

    :raises RendererError: with the last line of the child's output, and the apt line
    """
    route = prepare_renderer()
    with tempfile.TemporaryDirectory() as folder:  # SAPIEN leaves imgui.ini in the working directory
        try:
            child = subprocess.run(
                [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=timeout_s, cwd=folder
            )
        except subprocess.TimeoutExpired as error:
            raise RendererError(f"the {route.kind} renderer did not answer within {timeout_s:.0f} s") from error
    if child.returncode != 0:
        message = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise RendererError(
            f"the {route.kind} renderer ({route.detail}) failed with status {child.returncode}: {message}; "
            f"expected Mesa 25 or newer or a GPU driver; run: {APT_LINE}"
        )
    return route
