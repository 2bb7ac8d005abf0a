"""SAPIEN's shaders without the environment map: the same pixels, and processes that start seconds earlier."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

from pickclutter_lang.objects.procedural.writer import atomic_write_dir
from pickclutter_lang.utils.io import cache_dir


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
