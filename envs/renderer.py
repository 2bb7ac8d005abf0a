"""The SAPIEN renderer of this process, and the Vulkan driver below it.

There is one renderer, off screen, with bounded memory of meshes and shaders that start fast. The driver is the GPU's,
Mesa's software driver (lavapipe) without one, or the user's own.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import warnings
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pickclutter_lang.envs.simulator import simulator
from pickclutter_lang.errors import RendererError
from pickclutter_lang.objects.procedural.writer import atomic_write_dir
from pickclutter_lang.utils.io import cache_dir

APT_LINE = "apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers libgl1 libglib2.0-0 libx11-6"
_ICD_FOLDERS = ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d")
_CHOSEN = "VK_PICKCLUTTER_DRIVER"
"""Environment variable with the software driver that was chosen here, for the processes that this one starts."""
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
    installed = simulator()
    if ctypes.util.find_library("vulkan") is None:
        raise RendererError(f"no Vulkan loader (libvulkan.so.1) was found; run: {APT_LINE}")
    chosen = _drivers_of_the_user()
    if chosen:
        return f"user: {chosen}"
    if Path("/dev/nvidiactl").exists() or any(Path("/dev/dri").glob("renderD*")):
        return "gpu: the system's GPU driver"
    driver = _software_driver()
    os.environ.update({name: str(driver) for name in ("VK_ICD_FILENAMES", "VK_DRIVER_FILES", _CHOSEN)})
    os.environ.update(installed.vulkan_variables())
    # Small images gain nothing from more threads, and several processes lose by them.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    return f"software: {driver}"


def _drivers_of_the_user() -> str | None:
    """Return the user's choice of drivers; sapien's import sets VK_ICD_FILENAMES to all there are, which is none."""
    if _CHOSEN in os.environ and os.environ.get("VK_DRIVER_FILES") == os.environ[_CHOSEN]:
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


def shared_engine(**options: Any) -> tuple[Any, Any]:
    """Return the process's SAPIEN engine and its renderer, which is off screen unless the first call requests a window.

    The renderer is set again at each call: the engine does not keep a renderer alive, and one that mani_skill2's
    environments set ends with them.

    :param options: arguments of `sapien.SapienRenderer`
    :raises RendererError: when the process already renders with other options, or was forked from one that renders
    """
    global _shared
    if _shared is None:
        sapien_names()
        chosen = {"offscreen_only": True, **options}
        _shared = *simulator().start_engine(str(shader_folder()), **chosen), chosen, os.getpid()
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
    """Set the renderer up before anything imports sapien, and return the names of SAPIEN 2, see `Simulator.sapien`.

    Errors are those of `prepare_renderer`.
    """
    prepare_renderer()
    return import_module(simulator().sapien)


@lru_cache(maxsize=1)
def shader_folder() -> Path:
    """Return a copy of the simulator's shaders without the environment map, made at first use.

    No environment map is used, so the images are the same to the pixel, but each process saves the seconds in
    which SAPIEN computes the map's table.
    """
    import sapien

    source = Path(sapien.__file__).parent / "vulkan_shader"
    target = cache_dir() / f"shaders-{sapien.__version__}"
    name = simulator().shaders
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
