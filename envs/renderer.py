"""SAPIEN's renderer on machines with and without a GPU.

With a GPU driver nothing is set. Without one, Mesa's software driver (lavapipe) renders; SAPIEN 2 asks every
device for the extension VK_KHR_external_semaphore_fd, which lavapipe of Mesa 25.0 lacks and nothing rendered
here uses. A Vulkan layer manifest that declares the extension lets the loader accept the device.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import MissingExtraError, RendererError
from pickclutter_lang.objects.procedural.writer import atomic_write_dir
from pickclutter_lang.utils.io import atomic_write, cache_dir

APT_LINE = "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers libgl1 libglib2.0-0 libx11-6"
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")
_LAYER = "VK_LAYER_PICKCLUTTER_external_semaphore"
_LAYER_LIBRARY = "libVkLayer_MESA_device_select.so"


@dataclass(frozen=True)
class RendererBackend:
    """How images are made: `kind` is `gpu`, `software` or `user` (the user's own Vulkan variables)."""

    kind: str
    detail: str


@lru_cache(maxsize=1)
def prepare_renderer() -> RendererBackend:
    """Choose the route and set its environment variables; call it before the first renderer is made.

    :raises MissingExtraError: without sapien
    :raises RendererError: without a Vulkan loader or driver, naming the apt line
    """
    # sapien 2.2.2 imports pkg_resources, which says at each import that it will be dropped.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    if find_spec("sapien") is None:
        raise MissingExtraError("sapien (Python 3.10 or 3.11 only)", "sim")
    if ctypes.util.find_library("vulkan") is None:
        raise RendererError(f"no Vulkan loader (libvulkan.so.1) was found; run: {APT_LINE}")
    chosen = _drivers_of_the_user()
    if chosen:
        return RendererBackend("user", chosen)
    if _has_gpu():
        return RendererBackend("gpu", "the system's GPU driver")
    driver = _software_driver()
    os.environ.update(_software_variables(driver))
    # Small images gain nothing from more threads, and several processes lose by them.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    return RendererBackend("software", str(driver))


def _drivers_of_the_user() -> str | None:
    """Return the user's choice of drivers; sapien's import sets VK_ICD_FILENAMES to all there are, which is none."""
    inherited = os.environ.get("VK_INSTANCE_LAYERS") == _LAYER  # by the process that started this one
    if inherited and os.environ.get("VK_DRIVER_FILES") == str(_software_driver()):
        return None
    if os.environ.get("VK_DRIVER_FILES"):
        return os.environ["VK_DRIVER_FILES"]
    named = os.environ.get("VK_ICD_FILENAMES")
    folder = Path(_ICD_FOLDERS[0])
    if not named or (folder.is_dir() and set(named.split(":")) == {str(path) for path in folder.iterdir()}):
        return None
    return named


def _has_gpu() -> bool:
    """Return whether there is a device node of a GPU that Vulkan could use."""
    if Path("/dev/nvidiactl").exists():
        return True
    return any(Path("/dev/dri").glob("renderD*"))


def _software_driver() -> Path:
    for folder in map(Path, _ICD_FOLDERS):
        found = sorted(folder.glob("lvp_icd*.json"))
        if found:
            return found[0]
    raise RendererError(f"no GPU and no software Vulkan driver (lvp_icd*.json) was found; run: {APT_LINE}")


def _software_variables(driver: Path) -> dict[str, str]:
    folder = cache_dir() / "vulkan_layer"
    manifest = {
        "file_format_version": "1.2.0",
        "layer": {
            "name": _LAYER,
            "type": "GLOBAL",
            "library_path": _LAYER_LIBRARY,
            "api_version": "1.3.0",
            "implementation_version": "1",
            "description": "declares VK_KHR_external_semaphore_fd, which SAPIEN demands and does not use here",
            "functions": {"vkNegotiateLoaderLayerInterfaceVersion": "vkNegotiateLoaderLayerInterfaceVersion"},
            "device_extensions": [
                {
                    "name": "VK_KHR_external_semaphore_fd",
                    "spec_version": "1",
                    "entrypoints": ["vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR"],
                }
            ],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / "external_semaphore.json", json.dumps(manifest, indent=1).encode())
    return {
        "VK_ICD_FILENAMES": str(driver),
        "VK_DRIVER_FILES": str(driver),
        "VK_LAYER_PATH": str(folder),
        "VK_INSTANCE_LAYERS": _LAYER,
        # Without it vkCreateInstance never returns, since the layer's library is loaded twice.
        "NODEVICE_SELECT": "1",
    }


@lru_cache(maxsize=1)
def shader_folder() -> Path:
    """Return a copy of SAPIEN's `ibl` shaders without the environment map, made at first use.

    No environment map is used, so the images are the same to the pixel, but each process saves the seconds in
    which SAPIEN computes the map's table.
    """
    import sapien

    source = Path(sapien.__file__).parent / "vulkan_shader"
    target = cache_dir() / f"shaders-{sapien.__version__}"
    if (target / "ibl").is_dir():
        return target / "ibl"

    def write(folder: Path) -> None:
        for name in ("common", "ibl"):
            shutil.copytree(source / name, folder / name)
        for name in ("deferred.frag", "gbuffer1.frag"):
            path = folder / "ibl" / name
            path.write_text(_without_environment(path.read_text()))

    atomic_write_dir(target, "ibl/deferred.frag", write)
    return target / "ibl"


def _without_environment(shader: str) -> str:
    """Cut the samplers of the environment map, and let their functions return the black they return without one."""
    lines = []
    for line in shader.splitlines():
        if "uniform samplerCube samplerEnvironment" in line or "uniform sampler2D samplerBRDFLUT" in line:
            continue
        if "texture" in line and ("samplerEnvironment" in line or "samplerBRDFLUT" in line):
            head, _, _ = line.partition("texture")
            kind = "vec2(0)" if "samplerBRDFLUT" in line else "vec3(0)"
            line = f"{head}{kind};"
        lines.append(line)
    return "\n".join(lines) + "\n"


def renderer_options() -> dict[str, Any]:
    """Return the arguments with which mani_skill2's environments render off screen and start fast."""
    prepare_renderer()
    return {"renderer_kwargs": {"offscreen_only": True}, "shader_dir": str(shader_folder())}


_MOST_LOADED = 64
_loaded = 0
_shared: tuple[Any, Any, dict[str, Any], int] | None = None


def shared_engine(**options: Any) -> tuple[Any, Any]:
    """Return the process's SAPIEN engine and its renderer, which is off screen unless the first call requests a window.

    The renderer is set again at each call: the engine does not keep a renderer alive, and one that mani_skill2's
    environments set ends with them.

    :param options: arguments of `sapien.SapienRenderer`
    :raises RendererError: when the process already renders with other options, or was forked from one that renders
    """
    global _shared
    if _shared is None:
        _shared = _start_engine({"offscreen_only": True, **options})
    engine, renderer, chosen, process = _shared
    if process != os.getpid():
        raise RendererError(
            "this process was forked from one that renders already, and Vulkan does not survive a fork; start workers "
            "with 'spawn': AsyncVectorEnv(..., context='spawn') or SubprocVecEnv(..., start_method='spawn')"
        )
    other = {key: value for key, value in options.items() if chosen.get(key) != value}
    if other:
        raise RendererError(f"expected {other} in the first use of the renderer; this process renders with {chosen}")
    engine.set_renderer(renderer)
    return engine, renderer


def drop_unused_meshes(loaded: int) -> None:
    """Count meshes that are loaded once, and drop what the shared renderer keeps of those no longer in a scene.

    It keeps every file that it loaded, 2 MB each.

    :param loaded: the number of meshes since the last call
    """
    global _loaded
    _loaded += loaded
    if _shared is not None and _loaded >= _MOST_LOADED:
        _shared[1].clear_cached_resources()
        _loaded = 0


def _start_engine(options: dict[str, Any]) -> tuple[Any, Any, dict[str, Any], int]:
    prepare_renderer()
    import sapien.core as sapien

    engine = sapien.Engine()
    engine.set_log_level("error")
    renderer = sapien.SapienRenderer(**options)
    renderer.set_log_level("warn")
    for name in ("camera_shader_dir", "viewer_shader_dir"):
        setattr(sapien.render_config, name, str(shader_folder()))
    return engine, renderer, options, os.getpid()


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
