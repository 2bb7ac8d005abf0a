"""Puts the drawn settings of camera, lights and table into a SAPIEN scene."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor
from transforms3d.euler import euler2quat

from pickclutter_lang.envs.randomization import RANDOM, AppearanceConfig, HandCameraConfig, is_color
from pickclutter_lang.envs.renderer import count_meshes
from pickclutter_lang.objects.procedural.appearance import MATERIALS, PATTERNS, Appearance
from pickclutter_lang.utils.images import read_image

AMBIENT = 0.3
_MAIN_LIGHT = (225.0, float(np.rad2deg(np.arctan2(1, np.sqrt(2)))))  # azimuth and elevation in ManiSkill2
_TILE_M = 0.5
_TEXELS = 256
_TABLE_OBJ = """mtllib table.mtl
v -10 -10 0
v 10 -10 0
v 10 10 0
v -10 10 0
vt -9.75 -9.75
vt 10.25 -9.75
vt 10.25 10.25
vt -9.75 10.25
vn 0 0 1
usemtl table
f 1/1/1 2/2/1 3/3/1
f 1/1/1 3/3/1 4/4/1
"""
"""A square of 20 m; an image and its mirror images take 1 m, and an image lies in the middle."""


def camera_pose(mount: Any, camera: HandCameraConfig) -> Any:
    """Return the pose of the hand camera on its link, from ManiSkill2's mount; SAPIEN's axes (forward, left, up)."""
    import sapien.core as sapien

    pitch, yaw, roll = np.deg2rad([camera.pitch, camera.yaw, camera.roll])
    turn = euler2quat(roll, -pitch, -yaw, "sxyz")
    return mount * sapien.Pose([camera.z, -camera.x, -camera.y], turn)


def set_lights(scene: Any, appearance: AppearanceConfig) -> None:
    """Set strength, tint and main direction of the lights of ManiSkill2's scenes."""
    warmth = 0.3 * appearance.light_warmth
    tint = appearance.light_strength * np.array([1 + warmth, 1.0, 1 - warmth])
    scene.set_ambient_light((AMBIENT * tint).tolist())
    main, *others = scene.get_all_lights()
    for light in (main, *others):
        light.set_color(tint.tolist())
    wanted = appearance.light_azimuth, appearance.light_elevation
    angles = [usual if value is None else value for value, usual in zip(wanted, _MAIN_LIGHT, strict=True)]
    azimuth, elevation = np.deg2rad(angles)
    level = np.cos(elevation)
    main.set_direction([-np.cos(azimuth) * level, -np.sin(azimuth) * level, -np.sin(elevation)])


class Table:
    """The visible surface of a table, without collisions: its `actor`, and files until this object ends.

    SAPIEN reads them when it first renders the actor. Its image goes by way of a file, as those of objects do, since
    SAPIEN never frees a texture that is made of an array.
    """

    def __init__(self, scene: Any, table: str) -> None:
        """Add the surface to a scene.

        :param table: as a drawn `AppearanceConfig` has it
        :raises InvalidArgumentError: for a file that is no image
        """
        image = table_image(table)
        image = np.concatenate([image, image[:, ::-1]], axis=1)  # tiles that mirror each other have no seams
        image = np.concatenate([image, image[::-1]], axis=0)
        folder = Path(tempfile.mkdtemp(prefix="pickclutter_table_"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        Image.fromarray(image).save(folder / "table.png", compress_level=1)
        (folder / "table.mtl").write_text("newmtl table\nKd 1 1 1\nmap_Kd table.png\n")
        (folder / "table.obj").write_text(_TABLE_OBJ)
        count_meshes(1)
        builder = scene.create_actor_builder()
        builder.add_visual_from_file(str(folder / "table.obj"))
        self.actor = builder.build_static("table")


def table_image(table: str) -> NDArray[np.uint8]:
    """Return the image [H, W, 3] that covers a square of 0.5 m of a table.

    :param table: a color, `random:N` or an image file
    :raises InvalidArgumentError: for a file that is no image
    """
    if is_color(table):
        return np.full((8, 8, 3), ImageColor.getrgb(table), np.uint8)
    if table.startswith(f"{RANDOM}:"):
        return _random_image(np.random.default_rng(int(table.partition(":")[2])))
    return np.asarray(read_image(Path(table)).resize((_TEXELS, _TEXELS)), np.uint8)


def color_of(background: str | None) -> NDArray[np.uint8]:
    """Return a background color [3], black for None."""
    return np.array(ImageColor.getrgb(background or "#000000"), np.uint8)


def _random_image(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint colors, pattern and material that are drawn; half of the tables have one color."""
    first, second = rng.uniform(20, 235, (2, 3))
    pattern = "plain" if rng.random() < 0.5 else PATTERNS[int(rng.integers(len(PATTERNS)))]
    material = MATERIALS[int(rng.integers(len(MATERIALS)))]
    painted = Appearance(first, second, pattern, material, float(rng.uniform(0.03, 0.25)), int(rng.integers(2**31)))
    return painted.image(_TILE_M, _TILE_M, longest=_TEXELS)
