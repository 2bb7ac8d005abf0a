"""Images of single objects on the environment's ground: views that train teachers, thumbnails, and sheets of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.envs.config import ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.envs.generation.scene_renderer import add_lights_and_ground
from pickclutter_lang.envs.renderer import count_meshes, drop_unused_meshes, prepare_renderer, shared_engine
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.objects.catalog import select_objects
from pickclutter_lang.objects.catalog_file import words_of_entry
from pickclutter_lang.objects.kinds import Kind, all_kinds, find_kinds
from pickclutter_lang.objects.kinds.kind_set import write_instance
from pickclutter_lang.objects.object_sets import ObjectSet, is_kinds, load_object_set
from pickclutter_lang.utils.images import Cell, contact_sheet, png_bytes, read_image
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.progress import ProgressBar, track

SHEET_FILE = "sheet.png"
FIELD_OF_VIEW = 0.6
_MARGIN = 1.06
_UPRIGHT = (1.0, 0.0, 0.0, 0.0)
_AZIMUTH, _SIDE, _ABOVE = 0.8, 0.6, 1.0
"""Of the camera, radians: around the vertical, and its elevation for high and for flat objects."""
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
_MIN_ELEVATION, _MAX_ELEVATION = 0.35, float(np.pi / 2)
_MIN_PIXELS = 30


@dataclass(frozen=True)
class View:
    """An image: `rgb` uint8 [S, S, 3] and `mask` bool [S, S], true on the object."""

    rgb: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]


class ObjectRenderer:
    """Renders single objects lying on the ground; each mesh is loaded once, at its first view."""

    def __init__(self) -> None:
        engine, renderer = shared_engine()
        self._scene = engine.create_scene()
        add_lights_and_ground(self._scene, renderer)
        self._lights = self._scene.get_all_lights()
        self._actors: dict[tuple[Path, float], tuple[Any, npt.NDArray[np.float64]]] = {}
        self._cameras: dict[int, Any] = {}

    def view(
        self,
        model_dir: Path,
        scale: float = 1.0,
        rotation: npt.ArrayLike = _UPRIGHT,
        elevation: float = _SIDE,
        azimuth: float = _AZIMUTH,
        size: int = 128,
    ) -> View:
        """Render an object that touches the ground and fills the image, from a camera that points at its center.

        :param model_dir: the folder with the object's `textured.obj`
        :param scale: factor on the mesh
        :param rotation: unit quaternion (w, x, y, z) of the object
        :param elevation: angle of the camera above the ground, radians, in (0, pi / 2]
        :param azimuth: angle of the camera around the vertical, radians, 0 is on the side of +x
        :param size: side S of the image in pixels
        """
        import sapien.core as sapien

        actor, points = self._actor(Path(model_dir), scale)
        turned, axes = points @ rotation_matrix(np.asarray(rotation, float)).T, _camera_axes(elevation, azimuth)
        low = turned.min(axis=0)
        center = (low + turned.max(axis=0)) / 2
        seen = (turned - center) @ axes
        distance = float((_MARGIN * np.abs(seen[:, 1:]).max(axis=1) / np.tan(FIELD_OF_VIEW / 2) - seen[:, 0]).max())
        shift = np.array([0, 0, center[2] - low[2]]) - center
        frame = np.eye(4)
        frame[:3, :3], frame[:3, 3] = axes, [0, 0, center[2] - low[2]] - axes[:, 0] * distance
        if size not in self._cameras:
            self._cameras[size] = self._scene.add_camera(f"view{size}", size, size, FIELD_OF_VIEW, 0.005, 20.0)
        camera = self._cameras[size]
        actor.set_pose(sapien.Pose(shift, np.asarray(rotation, dtype=float)))
        actor.unhide_visual()
        camera.set_pose(sapien.Pose.from_transformation_matrix(frame))
        self._scene.update_render()
        camera.take_picture()
        color = camera.get_float_texture("Color")[..., :3]
        mask = camera.get_uint32_texture("Segmentation")[..., 1] == actor.id
        actor.hide_visual()
        return View(np.clip(color * 255, 0, 255).astype(np.uint8), mask)

    def randomize_lights(self, rng: np.random.Generator) -> None:
        """Draw direction, strength and tint of all lights anew, from dim and warm to bright and cold."""
        tint = rng.uniform(0.85, 1.15, 3)
        self._scene.set_ambient_light((rng.uniform(0.15, 0.5) * tint).tolist())
        for light in self._lights:
            sideways, down = rng.normal(0, 0.7, 2), -1.0
            light.set_direction([*sideways.tolist(), down])
            light.set_color((rng.uniform(0.3, 1.3) * tint * rng.uniform(0.95, 1.05, 3)).tolist())

    def forget(self, model_dir: Path, scale: float = 1.0) -> None:
        """Free the mesh of an object that is not needed any more."""
        actor, _ = self._actors.pop((Path(model_dir), scale))
        self._scene.remove_actor(actor)
        count_meshes(1)
        drop_unused_meshes()

    def _actor(self, model_dir: Path, scale: float) -> tuple[Any, npt.NDArray[np.float64]]:
        key = (model_dir, scale)
        if key not in self._actors:
            builder = self._scene.create_actor_builder()
            builder.add_visual_from_file(str(model_dir / "textured.obj"), scale=[scale] * 3)
            actor = builder.build_kinematic(model_dir.name)
            actor.hide_visual()
            self._actors[key] = actor, read_points(model_dir / "textured.obj") * scale
        return self._actors[key]


def read_points(path: Path) -> npt.NDArray[np.float64]:
    """Return the vertices [V, 3] of an OBJ file."""
    rows = [line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")]
    return np.array(rows, dtype=np.float64)


def _camera_axes(elevation: float, azimuth: float) -> npt.NDArray[np.float64]:
    """Return a camera's axes (forward, left, up) as columns, for one that points down at a center."""
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    forward = -np.cos(elevation) * flat - np.sin(elevation) * np.array([0.0, 0.0, 1.0])
    left = np.array([flat[1], -flat[0], 0.0])
    return np.stack([forward, left, np.cross(forward, left)], axis=1)


def thumbnail(renderer: ObjectRenderer, model_dir: Path, scale: float = 1.0, size: int = 256) -> npt.NDArray[np.uint8]:
    """Render an object in the pose of its file, from its side or, where it is flat, from above: uint8 [S, S, 3]."""
    extent = np.ptp(read_points(model_dir / "textured.obj"), axis=0)
    elevation = _ABOVE if extent[2] < _FLAT * extent.max() else _SIDE
    azimuth = _LABEL_SIDES.get(model_dir.name, _AZIMUTH)
    rgb = renderer.view(model_dir, scale, elevation=elevation, azimuth=azimuth, size=size).rgb
    renderer.forget(model_dir, scale)
    return rgb


def write_object_sheet(config: ObjectSheetConfig) -> int:
    """Write a contact sheet of objects as PNG, and return the number of objects on it.

    :raises MissingAssetsError: when an object set is not there
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for sets of other objects side by side
    """
    config.validate()
    prepare_renderer()
    if config.sets == ("kinds",):
        cells, columns = _kind_cells(_kinds(config), config), 1
    else:
        sets, columns = [load_object_set(name) for name in config.sets], 6
        for other in sets[1:]:
            if missing := {*sets[0].catalog.model_ids} - {*other.catalog.model_ids}:
                raise InvalidArgumentError(
                    f"expected sets of the same ids side by side, but {other.name} has no {min(missing)} of "
                    f"{sets[0].name}; give a sheet of its own to each"
                )
        cells = _object_cells(sets, config.size)
    atomic_write(Path(config.out), png_bytes(contact_sheet(cells, columns, config.size)))
    return sum(len(cell.images) for cell in cells) // (1 if columns == 1 else len(config.sets))


def _object_cells(sets: Sequence[ObjectSet], size: int) -> list[Cell]:
    """Render each object of the first set, and those of the other sets next to it."""
    renderer = ObjectRenderer()
    return [
        Cell(
            [thumbnail(renderer, objects.model_dir(item.model_id), item.scale, size) for objects in sets],
            [(item.name, "black")],
        )
        for item in sets[0].catalog
    ]


def _kind_cells(kinds: Sequence[Kind], config: ObjectSheetConfig) -> list[Cell]:
    """Render instances of kinds, a row each."""
    renderer, cells = ObjectRenderer(), []
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            images = []
            for seed in range(config.first_seed, config.first_seed + config.instances):
                model_dir = Path(folder) / kind.model_id(seed)
                write_instance(kind.instance(seed), model_dir)
                images.append(thumbnail(renderer, model_dir, size=config.size))
            cells.append(Cell(images, [(kind.name, "black")]))
    return cells


def write_mesh_sheet(root: Path, names: Mapping[str, str]) -> Path:
    """Write `thumbnails/<id>.png` of objects that have none yet, and `sheet.png` of all, with name and id.

    They lie outside of `models`, whose bytes say whether a store fits an object set: a renderer is no part of it.

    :param root: folder in ManiSkill2's layout
    :param names: id -> name
    :return: path of the sheet
    """
    folder, renderer = root / "thumbnails", ObjectRenderer()
    missing = [model_id for model_id in names if not (folder / f"{model_id}.png").is_file()]
    for model_id in track(missing, "thumbnails", transient=True):
        image = Image.fromarray(thumbnail(renderer, root / "models" / model_id, size=192))
        atomic_write(folder / f"{model_id}.png", png_bytes(image))
    cells = []
    for model_id, name in sorted(names.items()):
        image = read_image(folder / f"{model_id}.png")
        cells.append(Cell([np.asarray(image)], [(name, "black"), (model_id, "gray")]))
    atomic_write(root / SHEET_FILE, png_bytes(contact_sheet(cells, 6, 192)))
    return root / SHEET_FILE


Model = tuple[Path, float, dict[str, Any]]
"""A mesh to render: its folder, its scale, and the words of its object."""


def render_object_views(config: ObjectViewConfig) -> str:
    """Render views, write them to `config.out`, and return their content hash.

    :raises RendererError, MissingAssetsError: when views cannot be rendered here
    :raises DatasetError: when the folder cannot be written
    """
    config.validate()
    prepare_renderer()
    create_dir(Path(config.out))  # before the work
    renderer, rng, of_kinds = ObjectRenderer(), np.random.default_rng([config.seed, 0]), is_kinds(config.objects)
    views: list[View] = []
    words: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        models, count = _kind_models(config, Path(folder)) if of_kinds else _set_models(config)
        with ProgressBar("views", count * config.views_per_object) as bar:
            for model_dir, scale, words_of_model in models:
                views += [_random_view(renderer, model_dir, scale, rng, config) for _ in range(config.views_per_object)]
                bar.advance(config.views_per_object)
                words.append(words_of_model)
                if of_kinds:
                    renderer.forget(model_dir, scale)
                    shutil.rmtree(model_dir)
    settings = asdict(config)
    if not of_kinds:
        settings = {key: value for key, value in settings.items() if key not in ("kinds", "instances", "first_seed")}
    if not config.random_lights:
        del settings["random_lights"]
    owner = np.arange(len(words), dtype=np.int32).repeat(config.views_per_object)
    rgb, mask = np.stack([view.rgb for view in views]), np.stack([view.mask for view in views])
    return write_object_views(Path(config.out), rgb, mask, owner, words, settings)


def _kinds(config: ObjectViewConfig | ObjectSheetConfig) -> Sequence[Kind]:
    return find_kinds(config.kinds) if config.kinds else all_kinds()


def _set_models(config: ObjectViewConfig) -> tuple[Iterable[Model], int]:
    """Return the models of an object set, and their number."""
    found = load_object_set(config.objects, config.objects_root, select_objects(config.selection).model_ids)
    models: list[Model] = []
    for n, item in enumerate(found.catalog):
        words: dict[str, Any] = {"model_id": item.model_id, "object_set": found.name}
        if found.own_catalog is not None:
            words = {"object_set": found.name, **words_of_entry(found.own_catalog[n], item)}
        models.append((found.model_dir(item.model_id), item.scale, words))
    return models, len(models)


def _kind_models(config: ObjectViewConfig, folder: Path) -> tuple[Iterable[Model], int]:
    """Return instances of kinds, made one after the other, so that thousands take no space on the disk."""

    def make() -> Iterator[Model]:
        for kind, seed in pairs:
            instance, model_dir = kind.instance(seed), folder / kind.model_id(seed)
            write_instance(instance, model_dir)
            yield model_dir, 1.0, kind.words(seed, instance)

    seeds = range(config.first_seed, config.first_seed + config.instances)
    pairs = [(kind, seed) for kind in _kinds(config) for seed in seeds]
    return make(), len(pairs)


def _random_view(
    renderer: ObjectRenderer, model_dir: Path, scale: float, rng: np.random.Generator, config: ObjectViewConfig
) -> View:
    """Render a view from a random side of an object in a random pose; again if hardly a pixel shows it."""
    while True:
        rotation = rng.normal(size=4)
        if config.random_lights:
            renderer.randomize_lights(rng)
        view = renderer.view(
            model_dir,
            scale,
            rotation / np.linalg.norm(rotation),
            elevation=float(rng.uniform(_MIN_ELEVATION, _MAX_ELEVATION)),
            azimuth=float(rng.uniform(0, 2 * np.pi)),
            size=config.size,
        )
        if view.mask.sum() >= _MIN_PIXELS:
            return view
