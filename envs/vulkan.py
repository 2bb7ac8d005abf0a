"""Which Vulkan driver renders: the GPU's, Mesa's software driver (lavapipe) without one, or the user's own.

With a GPU driver nothing is set. SAPIEN 2 asks every device for the extension VK_KHR_external_semaphore_fd, which
lavapipe of Mesa 25.0 lacks and nothing rendered here uses. A Vulkan layer manifest that declares the extension lets
the loader accept the device.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pickclutter_lang.errors import MissingExtraError, RendererError
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
