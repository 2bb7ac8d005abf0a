"""The SAPIEN renderer of this process, and the Vulkan driver below it.

There is one renderer, off screen, with bounded memory of meshes and shaders that start fast. The driver is the GPU's,
Mesa's software driver (lavapipe) without one, or the user's own.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import shutil
import warnings
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pickclutter_lang.envs.simulator import installed_simulator
from pickclutter_lang.errors import RendererError
from pickclutter_lang.objects.procedural.writer import atomic_write_dir
from pickclutter_lang.utils.io import atomic_write, cache_dir

APT_LINE = "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers libgl1 libglib2.0-0 libx11-6"
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")
_LAYER = "VK_LAYER_PICKCLUTTER_external_semaphore"
_MOST_LOADED = 64
_loaded = 0
_shared: tuple[Any, Any, dict[str, Any], int] | None = None
_pictured: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
"""Environment -> whether all cameras of its scene have taken a picture."""


@lru_cache(maxsize=1)
def prepare_renderer() -> str:
    """Choose a driver, set its environment variables, and return who it is: `gpu`, `software` or `user`, and which.

    Call it before the first renderer is made.

    :raises MissingExtraError, InvalidArgumentError: where not one simulator is installed
    :raises RendererError: without a Vulkan loader or driver, or for the user's own where there is none
    """
    # sapien 2.2.2 imports pkg_resources, which says at each import that it will be dropped.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    simulator = installed_simulator()
    if ctypes.util.find_library("vulkan") is None:
        raise RendererError(f"no Vulkan loader (libvulkan.so.1) was found; run: {APT_LINE}")
    chosen = _drivers_of_the_user()
    if chosen:
        return f"user: {chosen}"
    if Path("/dev/nvidiactl").exists() or any(Path("/dev/dri").glob("renderD*")):
        return "gpu: the system's GPU driver"
    driver = _software_driver()
    os.environ.update({"VK_ICD_FILENAMES": str(driver), "VK_DRIVER_FILES": str(driver)})
    if simulator == "maniskill2":
        os.environ.update(_layer_variables())
    # Small images gain nothing from more threads, and several processes lose by them.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    return f"software: {driver}"


def _drivers_of_the_user() -> str | None:
    """Return the user's choice of drivers; sapien's import sets VK_ICD_FILENAMES to all there are, which is none."""
    layer = os.environ.get("VK_INSTANCE_LAYERS") == _LAYER or installed_simulator() == "maniskill3"  # which needs none
    if layer and os.environ.get("VK_DRIVER_FILES") == str(_software_driver()):
        return None  # inherited from the process that started this one
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    all_there_are = {str(path) for path in Path(_ICD_FOLDERS[0]).glob("*")}
    if not named or (set(named.split(":")) == all_there_are and not os.environ.get("VK_DRIVER_FILES")):
        return None
    for path in named.split(":"):  # else the first image ends the process
        if path and not Path(path).exists():
            raise RendererError(f"expected drivers in VK_DRIVER_FILES or VK_ICD_FILENAMES, but {path} is not there")
    return named


def _software_driver() -> Path:
    for folder in map(Path, _ICD_FOLDERS):
        found = sorted(folder.glob("lvp_icd*.json"))
        if found:
            return found[0]
    raise RendererError(f"no GPU and no software Vulkan driver (lvp_icd*.json) was found; run: {APT_LINE}")


def _layer_variables() -> dict[str, str]:
    """Return variables by which SAPIEN 2 takes lavapipe.

    SAPIEN asks every device for the extension VK_KHR_external_semaphore_fd, which lavapipe of Mesa 25.0 lacks and
    nothing rendered here uses. A Vulkan layer's manifest that declares it lets the loader accept the device.
    """
    folder = cache_dir() / "vulkan_layer"
    functions = ["vkGetSemaphoreFdKHR", "vkImportSemaphoreFdKHR"]
    layer = {
        "name": _LAYER,
        "type": "GLOBAL",
        "library_path": "libVkLayer_MESA_device_select.so",
        "api_version": "1.3.0",
        "implementation_version": "1",
        "description": "declares VK_KHR_external_semaphore_fd, which SAPIEN demands and does not use here",
        "functions": {"vkNegotiateLoaderLayerInterfaceVersion": "vkNegotiateLoaderLayerInterfaceVersion"},
        "device_extensions": [{"name": "VK_KHR_external_semaphore_fd", "spec_version": "1", "entrypoints": functions}],
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


def count_meshes(loaded: int) -> None:
    """Count meshes that are loaded once; the shared renderer keeps every file that it loaded, 2 MB each."""
    global _loaded
    _loaded += loaded


def drop_unused_meshes(environment: Any = None) -> None:
    """Drop what the shared renderer keeps of meshes that are no longer in a scene, once many were counted.

    Not between the making of a camera and its first picture: SAPIEN drops shaders too, and refuses that picture then.
    So the cameras of all other environments take one before.

    :param environment: of mani_skill2, whose scene is made anew; it has no cameras yet
    """
    global _loaded
    if environment is not None:
        _pictured[environment] = False
    if _shared is not None and _loaded >= _MOST_LOADED:
        for other in [one for one, pictured in _pictured.items() if not pictured and one is not environment]:
            _render_once(other)
            _pictured[other] = True
        _shared[1].clear_cached_resources()
        _loaded = 0


def _render_once(environment: Any) -> None:
    """Let all cameras of an environment, if it is open, take a picture."""
    scene = getattr(environment, "_scene", None)
    if scene is None:
        return
    scene.update_render()
    for camera in (*environment._cameras.values(), *environment._render_cameras.values()):
        camera.take_picture()


def sapien_names() -> Any:
    """Return SAPIEN 2, or the names of SAPIEN 2 for SAPIEN 3."""
    prepare_renderer()
    return import_module("sapien.core" if installed_simulator() == "maniskill2" else "pickclutter_lang.envs.sapien3")


def _start_engine(options: dict[str, Any]) -> tuple[Any, Any, dict[str, Any], int]:
    sapien = sapien_names()
    engine = sapien.Engine()
    engine.set_log_level("error")
    renderer = sapien.SapienRenderer(**options)
    renderer.set_log_level("warn")
    for name in ("camera_shader_dir", "viewer_shader_dir"):
        setattr(sapien.render_config, name, str(shader_folder()))
    return engine, renderer, options, os.getpid()


def renderer_options() -> dict[str, Any]:
    """Return the arguments with which mani_skill2's environments render off screen and start fast."""
    prepare_renderer()
    return {"renderer_kwargs": {"offscreen_only": True}, "shader_dir": str(shader_folder())}


@lru_cache(maxsize=1)
def shader_folder() -> Path:
    """Return a copy of SAPIEN's shaders (`ibl`, `default` in SAPIEN 3) without the environment map, made at first use.

    No environment map is used, so the images are the same to the pixel, but each process saves the seconds in
    which SAPIEN computes the map's table.
    """
    import sapien

    source = Path(sapien.__file__).parent / "vulkan_shader"
    target = cache_dir() / f"shaders-{sapien.__version__}"
    name = "ibl" if installed_simulator() == "maniskill2" else "default"
    if (target / name).is_dir():
        return target / name

    def write(folder: Path) -> None:
        for part in ("common", name):
            shutil.copytree(source / part, folder / part)
        for path in [*(folder / name).glob("*.frag"), *(folder / name).glob("*.glsl")]:
            path.write_text(_without_environment(path.read_text()))

    atomic_write_dir(target, f"{name}/deferred.frag", write)
    return target / name


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
