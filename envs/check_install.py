"""`pickclutter check-install`: checks all that the simulator needs and renders a pile, or reports on the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from pickclutter_lang.envs.simulator import known_simulators, simulator
from pickclutter_lang.errors import (
    InvalidArgumentError,
    MissingExtraError,
    PickClutterError,
    RendererError,
    install_line,
)
from pickclutter_lang.objects.object_sets import OBJECT_SETS, check_source, load_object_set
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.plugins import installed_version
from pickclutter_lang.utils.validation import check_path

PACKAGES = ("pickclutter-lang", "numpy", "gymnasium", "sapien", "scipy", "trimesh")
_OTHER_PACKAGES = (
    "torch",
    "open_clip_torch",
    "timm",
    "h5py",
    "safetensors",
    "hydra-core",
    "openai",
    "gradio",
)
_BESIDE = {"gradio": "demo", "pyarrow": "export", "coacd": "meshes", "stable-baselines3": "rl", "ray": "cluster"}
"""Package -> the extra that it is of, which is named again where versions are mended."""
_TIMEOUT_S = 120
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


@dataclass
class InstallConfig:
    """A check of what the simulator needs."""

    report: bool = False
    """Print facts for a bug report, and check nothing."""
    out: str = "check_install.png"
    """PNG file of a pile, as the hand camera sees it."""
    objects: Any = "proxy"
    """Objects of the pile: `proxy`, `ycb`, `kinds`, or a folder of your own objects."""
    objects_root: str | None = None
    """Folder of the object set, in ManiSkill2's layout. null: the package's default."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        check_source(self.objects)
        check_path("out", self.out, ".png")


def check_install(config: InstallConfig) -> Iterator[str]:
    """Run all checks in order, and yield a line of what each found; or yield the lines of the report.

    :raises PickClutterError: of the first check that fails
    """
    if config.report:
        yield from (f"{name}: {value}" for name, value in machine_report().items())
        return
    checks: dict[str, Callable[[], str]] = {
        "python": check_python,
        "packages": check_packages,
        "vulkan loader": check_loader,
        "renderer": check_renderer,
        "image": lambda: render_pile(config),
    }
    for name, check in checks.items():
        yield f"ok      {name}: {check()}"


def check_python() -> str:
    """Check that the installed simulator has wheels for this Python."""
    installed = simulator()
    if not (3, 10) <= sys.version_info[:2] <= installed.newest_python:
        newest = ".".join(map(str, installed.newest_python))
        raise InvalidArgumentError(
            f"expected Python 3.10 to {newest} with {installed.package}, but got {platform.python_version()}"
        )
    return f"{platform.python_version()} on {platform.platform()}"


def check_packages() -> str:
    """Check that the packages are installed, and that sapien can read arrays of this numpy version."""
    installed = simulator()
    names = (*PACKAGES, installed.package, *installed.beside)
    found = {package: installed_version(package) for package in names}
    for package, version in found.items():
        if version is None:
            raise MissingExtraError(package, installed.extra)
    pins = [Requirement(line) for line in requires(installed.package) or ()]
    broken = [
        f"{pin.name}{pin.specifier}, but got {version}"
        for pin in pins
        if (version := installed_version(pin.name)) and not pin.specifier.contains(version, prereleases=True)
        if pin.marker is None or pin.marker.evaluate({"extra": ""})
    ]
    if broken:  # by an install of something else
        extras = [extra for package, extra in _BESIDE.items() if installed_version(package)]
        raise InvalidArgumentError(
            f"expected, for {installed.package}, {', '.join(broken)}; {install_line(installed.extra, *extras)}"
        )
    return ", ".join(f"{package} {version}" for package, version in found.items())


def check_loader() -> str:
    """Check that the Vulkan loader is installed, and choose how to render."""
    from pickclutter_lang.envs.renderer import prepare_renderer

    return f"found; route {prepare_renderer()}"


def check_renderer() -> str:
    """Render a tiny image in a child process, since a broken driver ends the process instead of raising.

    :raises RendererError: with the last line of the child's output, and the apt line
    """
    from pickclutter_lang.envs.renderer import APT_LINE, prepare_renderer

    route = prepare_renderer()
    probe = [sys.executable, "-c", _PROBE]
    with tempfile.TemporaryDirectory() as folder:  # SAPIEN leaves imgui.ini in the working directory
        try:
            child = subprocess.run(probe, capture_output=True, text=True, timeout=_TIMEOUT_S, cwd=folder)
        except subprocess.TimeoutExpired as error:
            raise RendererError(f"the renderer ({route}) did not answer within {_TIMEOUT_S} s") from error
    if child.returncode != 0:
        message = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise RendererError(
            f"the renderer ({route}) failed with status {child.returncode}: {message}; "
            f"expected Mesa 25 or newer or a GPU driver; run: {APT_LINE}"
        )
    return "it renders"


def render_pile(config: InstallConfig) -> str:
    """Drop a pile and write what the hand camera sees of it."""
    import numpy as np
    from PIL import Image

    from pickclutter_lang.envs.renderer import sapien_names
    from pickclutter_lang.utils.images import png_bytes

    out = Path(config.out)
    objects = config.objects
    create_dir(out.parent)
    sapien_names()
    from pickclutter_lang.envs.generation.pile_sampling import PileConfig
    from pickclutter_lang.envs.generation.scene_generator import SceneGenerator

    fewest = 8 if objects in OBJECT_SETS else PileConfig.min_objects  # a folder of one's own may have few
    piles = PileConfig(image_size=256, graspable=False, min_objects=fewest)
    row = SceneGenerator(load_object_set(objects, config.objects_root), piles).generate(seed=0, split="ood", index=0)
    atomic_write(out, png_bytes(Image.fromarray(row["hand_rgb"])))
    return f"{np.count_nonzero(row['present'])} {objects} objects, written to {out}"


def machine_report() -> dict[str, str]:
    """Return what a bug report needs of this machine, by name; what cannot be found out says why."""
    try:
        renderer = check_loader()
    except PickClutterError as error:
        renderer = f"{type(error).__name__}: {error}"
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    free, total = (int(memory[name].split()[0]) / 1e6 for name in ("MemAvailable", "MemTotal"))
    simulators = (one.package for one in known_simulators().values())
    versions = (f"{name} {installed_version(name) or 'absent'}" for name in (*PACKAGES, *simulators, *_OTHER_PACKAGES))
    return {
        "system": f"{platform.platform()}, Python {platform.python_version()}",
        "packages": ", ".join(versions),
        "renderer": renderer.replace(str(Path.home()), "~"),
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "memory": f"{free:.1f} of {total:.1f} GB available",
        "disk": f"{shutil.disk_usage('.').free / 1e9:.2f} GB free here",
    }
