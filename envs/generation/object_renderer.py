"""Images of single objects on the environment's ground: views that train teachers, and sheets of thumbnails."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.envs.config import ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.envs.generation.simulation import add_lights_and_ground
from pickclutter_lang.envs.renderer import count_meshes, drop_unused_meshes, sapien_names, shared_engine
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.kinds import Kind, all_kinds, find_kinds
from pickclutter_lang.kinds.kind_set import write_instance
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.objects.catalog import select_objects
from pickclutter_lang.objects.catalog_file import words_of_entry
from pickclutter_lang.objects.object_sets import is_kinds, load_object_set
from pickclutter_lang.utils.images import Cell, contact_sheet, png_bytes
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import damage_of

FIELD_OF_VIEW = 0.6
_MARGIN = 1.06
_UPRIGHT = (1.0, 0.0, 0.0, 0.0)
_AZIMUTH = 0.8  # of the camera around the vertical, radians
_SIDE = 0.6  # its elevation for high objects
_ABOVE = 1.0  # for flat ones
_FLAT = 0.35
"""Height, as a share of the longest side, below which an object is seen from above."""
_LABEL_SIDES = {
    "002_master_chef_can": 1.2,
    "006_mustard_bottle": 1.2,
    "012_strawberry": 4.6,
    "014_lemon": 2.2,
    "021_bleach_cleanser": -1.2,
    "056_tennis_ball": 3.6,
}
"""Azimuth from which an object is recognized best."""
_MIN_ELEVATION = 0.35
_MAX_ELEVATION = float(np.pi / 2)
_MIN_PIXELS = 30


class View(NamedTuple):
    """An image: `rgb` uint8 [S, S, 3] and `mask` bool [S, S], true on the object."""

    rgb: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]


class Model(NamedTuple):
    """A mesh to render: the folder with its `textured.obj`, the factor on it, the name and the words of its object."""

    folder: Path
    scale: float
    name: str
    words: Mapping[str, Any]


class ObjectRenderer:
    """Renders one object after another, lying on the ground."""

    def __init__(self) -> None:
        engine, renderer = shared_engine()
        self._scene = engine.create_scene()
        add_lights_and_ground(self._scene, renderer)
        self._lights = self._scene.get_all_lights()
        self._actor: Any = None
        self._cameras: dict[int, Any] = {}

    def show(self, model: Model) -> None:
        """Put an object in place of the last one."""
        if self._actor is not None:
            self._scene.remove_actor(self._actor)
            count_meshes(1)
            drop_unused_meshes()
        builder = self._scene.create_actor_builder()
        builder.add_visual_from_file(str(model.folder / "textured.obj"), scale=[model.scale] * 3)
        self._actor = builder.build_kinematic(model.folder.name)
        self.points = read_points(model.folder / "textured.obj") * model.scale
        """Vertices [V, 3] of its mesh, meters."""

    def view(
        self,
        rotation: npt.ArrayLike = _UPRIGHT,
        elevation: float = _SIDE,
        azimuth: float = _AZIMUTH,
        size: int = 128,
    ) -> View:
        """Render the object, which touches the ground and fills the image, from a camera that points at its center.

        :param rotation: unit quaternion (w, x, y, z) of the object
        :param elevation: angle of the camera above the ground, radians, in (0, pi / 2]
        :param azimuth: angle of the camera around the vertical, radians, 0 is on the side of +x
        :param size: side S of the image in pixels
        """
        sapien = sapien_names()
        turned = self.points @ rotation_matrix(np.asarray(rotation, float)).T
        axes = _camera_axes(elevation, azimuth)
        low = turned.min(axis=0)
        center = (low + turned.max(axis=0)) / 2
        seen = (turned - center) @ axes
        distance = float((_MARGIN * np.abs(seen[:, 1:]).max(axis=1) / np.tan(FIELD_OF_VIEW / 2) - seen[:, 0]).max())
        shift = np.array([0, 0, center[2] - low[2]]) - center
        frame = np.eye(4)
        frame[:3, :3] = axes
        frame[:3, 3] = [0, 0, center[2] - low[2]] - axes[:, 0] * distance
        if size not in self._cameras:
            self._cameras[size] = self._scene.add_camera(f"view{size}", size, size, FIELD_OF_VIEW, 0.005, 20.0)
        camera = self._cameras[size]
        self._actor.set_pose(sapien.Pose(shift, np.asarray(rotation, dtype=float)))
        camera.set_pose(sapien.Pose(frame))
        self._scene.update_render()
        camera.take_picture()
        color = camera.get_float_texture("Color")[..., :3]
        mask = camera.get_uint32_texture("Segmentation")[..., 1] == self._actor.id
        return View(np.clip(color * 255, 0, 255).astype(np.uint8), mask)

    def randomize_lights(self, rng: np.random.Generator) -> None:
        """Draw direction, strength and tint of all lights anew, from dim and warm to bright and cold."""
        tint = rng.uniform(0.85, 1.15, 3)
        self._scene.set_ambient_light((rng.uniform(0.15, 0.5) * tint).tolist())
        for light in self._lights:
            sideways = rng.normal(0, 0.7, 2)
            light.set_direction([*sideways.tolist(), -1.0])
            light.set_color((rng.uniform(0.3, 1.3) * tint * rng.uniform(0.95, 1.05, 3)).tolist())


def read_points(path: Path) -> npt.NDArray[np.float64]:
    """Return the vertices [V, 3] of an OBJ file.

    :raises MissingAssetsError: when it cannot be read, or has none
    """
    with damage_of(path, MissingAssetsError, "restore it, or delete its folder and import its mesh again"):
        lines = path.read_text().splitlines()
        return np.stack([np.array(line.split()[1:4], dtype=np.float64) for line in lines if line.startswith("v ")])


def _camera_axes(elevation: float, azimuth: float) -> npt.NDArray[np.float64]:
    """Return a camera's axes (forward, left, up) as columns, for one that points down at a center."""
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    forward = -np.cos(elevation) * flat - np.sin(elevation) * np.array([0.0, 0.0, 1.0])
    left = np.array([flat[1], -flat[0], 0.0])
    return np.stack([forward, left, np.cross(forward, left)], axis=1)


def thumbnail(renderer: ObjectRenderer, model: Model, size: int) -> npt.NDArray[np.uint8]:
    """Render an object in the pose of its file, from its side or, where it is flat, from above: uint8 [S, S, 3]."""
    renderer.show(model)
    extent = np.ptp(renderer.points, axis=0)
    elevation = _ABOVE if extent[2] < _FLAT * extent.max() else _SIDE
    return renderer.view(elevation=elevation, azimuth=_LABEL_SIDES.get(model.folder.name, _AZIMUTH), size=size).rgb


def write_object_sheet(config: ObjectSheetConfig) -> int:
    """Write a contact sheet of objects as PNG, and return the number of objects on it.

    :raises MissingAssetsError: when an object set is not there
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for sets of other objects side by side
    """
    config.validate()
    renderer = ObjectRenderer()
    columns = 6
    with tempfile.TemporaryDirectory() as folder:
        rows: Iterator[tuple[str, Iterable[Model]]] = _rows_of_sets(config.sets)
        if config.sets == ("kinds",):
            rows = groupby(_instances(config, Path(folder)), lambda model: model.name)
            columns = 1
        cells = [
            Cell([thumbnail(renderer, model, config.size) for model in models], [(name, "black")])
            for name, models in rows
        ]
    atomic_write(Path(config.out), png_bytes(contact_sheet(cells, columns, config.size)))
    return len(cells) * (config.instances if columns == 1 else 1)


def render_object_views(config: ObjectViewConfig) -> str:
    """Render views, write them to `config.out`, and return their content hash.

    :raises RendererError, MissingAssetsError: when views cannot be rendered here
    :raises DatasetError: when the folder cannot be written
    """
    config.validate()
    renderer = ObjectRenderer()
    rng = np.random.default_rng([config.seed, 0])
    of_kinds = is_kinds(config.objects)
    create_dir(Path(config.out))  # before the work
    views: list[View] = []
    words: list[Mapping[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        models = [] if of_kinds else _models_of_set(config)
        with ProgressBar("objects", len(models) or len(_kinds(config)) * config.instances) as bar:
            for model in models or _instances(config, Path(folder)):
                renderer.show(model)
                views += [
                    random_view(renderer, rng, config.size, config.random_lights)
                    for _ in range(config.views_per_object)
                ]
                words.append(model.words)
                bar.advance()
    settings = asdict(config)
    if not of_kinds:
        settings = {key: value for key, value in settings.items() if key not in ("kinds", "instances", "first_seed")}
    if not config.random_lights:
        del settings["random_lights"]
    owner = np.arange(len(words), dtype=np.int32).repeat(config.views_per_object)
    rgb, mask = np.stack([view.rgb for view in views]), np.stack([view.mask for view in views])
    return write_object_views(Path(config.out), rgb, mask, owner, words, settings)


def _kinds(config: ObjectSheetConfig) -> Sequence[Kind]:
    return find_kinds(config.kinds) if config.kinds else all_kinds()


def _instances(config: ObjectSheetConfig, folder: Path) -> Iterator[Model]:
    """Yield instances of kinds; each is made and removed before the next, so that thousands take no space on a disk."""
    for kind in _kinds(config):
        for seed in range(config.first_seed, config.first_seed + config.instances):
            instance = kind.instance(seed)
            model_dir = folder / kind.model_id(seed)
            write_instance(instance, model_dir)
            yield Model(model_dir, 1.0, kind.name, kind.words(seed, instance))
            shutil.rmtree(model_dir)


def _models_of_set(config: ObjectViewConfig) -> list[Model]:
    """Return the models of an object set."""
    found = load_object_set(config.objects, config.objects_root, select_objects(config.selection).model_ids)
    models = []
    for n, item in enumerate(found.catalog):
        words: dict[str, Any] = {"model_id": item.model_id, "object_set": found.name}
        if found.own_catalog is not None:
            words = {"object_set": found.name, **words_of_entry(found.own_catalog[n], item)}
        models.append(Model(found.model_dir(item.model_id), item.scale, item.name, words))
    return models


def _rows_of_sets(names: Sequence[str]) -> Iterator[tuple[str, Iterable[Model]]]:
    """Yield the name of each object of the first set, and its models in all sets.

    :raises InvalidArgumentError: where a set lacks one
    """
    sets = [load_object_set(name) for name in names]
    for other in sets[1:]:
        if missing := {*sets[0].catalog.model_ids} - {*other.catalog.model_ids}:
            raise InvalidArgumentError(
                f"expected sets of the same ids side by side, but {other.name} has no {min(missing)} of "
                f"{sets[0].name}; give a sheet of its own to each"
            )
    for item in sets[0].catalog:
        yield item.name, [Model(one.model_dir(item.model_id), item.scale, item.name, {}) for one in sets]


def random_view(renderer: ObjectRenderer, rng: np.random.Generator, size: int, random_lights: bool = False) -> View:
    """Render a view from a random side of an object in a random pose; again if hardly a pixel shows it."""
    while True:
        rotation = rng.normal(size=4)
        if random_lights:
            renderer.randomize_lights(rng)
        view = renderer.view(
            rotation / np.linalg.norm(rotation),
            elevation=float(rng.uniform(_MIN_ELEVATION, _MAX_ELEVATION)),
            azimuth=float(rng.uniform(0, 2 * np.pi)),
            size=size,
        )
        if view.mask.sum() >= _MIN_PIXELS:
            return view
