"""Images of single objects on the environment's ground, under its lights."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.envs.config import ObjectSheetConfig, ObjectViewConfig
from pickclutter_lang.envs.generation.scene_renderer import add_lights_and_ground
from pickclutter_lang.envs.renderer import count_meshes, drop_unused_meshes, shared_engine
from pickclutter_lang.envs.vulkan import prepare_renderer
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.extra_objects import select_objects
from pickclutter_lang.objects.kinds import Kind, all_kinds, find_kinds, write_kinds
from pickclutter_lang.objects.kinds.kind_set import write_instance
from pickclutter_lang.objects.object_sets import ObjectSet, is_kinds, load_object_set
from pickclutter_lang.objects.own_sets import OwnSet, words_of_entry
from pickclutter_lang.objects.procedural.random_objects import sample_object, write_objects
from pickclutter_lang.utils.io import atomic_write, create_dir, ensure_dir
from pickclutter_lang.utils.progress import ProgressBar, track

FIELD_OF_VIEW = 0.6
_MARGIN = 1.06
_UPRIGHT = (1.0, 0.0, 0.0, 0.0)
# Camera directions from which objects are recognized best: azimuth and elevation, radians.
_SIDE, _ABOVE = (0.8, 0.6), (0.8, 1.0)
BEST_VIEWS = {
    "002_master_chef_can": (1.2, 0.5),
    "006_mustard_bottle": (1.2, 0.4),
    "012_strawberry": (4.6, 0.6),
    "014_lemon": (2.2, 0.7),
    "021_bleach_cleanser": (-1.2, 0.4),
    "056_tennis_ball": (3.6, 0.6),
    "011_banana": _ABOVE,
    "016_pear": _ABOVE,
    "030_fork": _ABOVE,
    "031_spoon": _ABOVE,
    "032_knife": _ABOVE,
    "035_power_drill": _ABOVE,
    "037_scissors": _ABOVE,
    "043_phillips_screwdriver": _ABOVE,
    "048_hammer": _ABOVE,
}


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
        distance: float | None = None,
        elevation: float = _SIDE[1],
        azimuth: float = _SIDE[0],
        size: int = 128,
    ) -> View:
        """Render an object that touches the ground, from a camera that points at its center.

        :param model_dir: the folder with the object's `textured.obj`
        :param scale: factor on the mesh
        :param rotation: unit quaternion (w, x, y, z) of the object
        :param distance: from the camera to the center of the object, meters; by default the object fills the image
        :param elevation: angle of the camera above the ground, radians, in (0, pi / 2]
        :param azimuth: angle of the camera around the vertical, radians, 0 is on the side of +x
        :param size: side S of the image in pixels
        :raises InvalidArgumentError: when the camera would be under the ground or inside the object
        """
        if not 0 < elevation <= np.pi / 2 or size < 1:
            raise InvalidArgumentError(
                f"expected an elevation in (0, pi/2] and a size of at least 1, but got {elevation} and {size}"
            )
        actor, points = self._actor(Path(model_dir), scale)
        turned, axes = points @ _matrix(rotation).T, _camera_axes(elevation, azimuth)
        low = turned.min(axis=0)
        center = (low + turned.max(axis=0)) / 2
        seen = (turned - center) @ axes
        if distance is None:
            distance = float((_MARGIN * np.abs(seen[:, 1:]).max(axis=1) / np.tan(FIELD_OF_VIEW / 2) - seen[:, 0]).max())
        elif distance <= -seen[:, 0].min():
            raise InvalidArgumentError(
                f"expected a distance of more than {-seen[:, 0].min():.3f} m, outside the object, but got {distance}"
            )
        shift = np.array([0, 0, center[2] - low[2]]) - center
        frame = np.eye(4)
        frame[:3, :3], frame[:3, 3] = axes, [0, 0, center[2] - low[2]] - axes[:, 0] * distance
        return self._capture(actor, (shift, rotation), frame, size)

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

    def _capture(self, actor: Any, pose: tuple[Any, Any], frame: npt.NDArray[np.float64], size: int) -> View:
        import sapien.core as sapien

        if size not in self._cameras:
            self._cameras[size] = self._scene.add_camera(f"view{size}", size, size, FIELD_OF_VIEW, 0.005, 20.0)
        camera = self._cameras[size]
        actor.set_pose(sapien.Pose(pose[0], np.asarray(pose[1], dtype=float)))
        actor.unhide_visual()
        camera.set_pose(sapien.Pose.from_transformation_matrix(frame))
        self._scene.update_render()
        camera.take_picture()
        color = camera.get_float_texture("Color")[..., :3]
        mask = camera.get_uint32_texture("Segmentation")[..., 1] == actor.id
        actor.hide_visual()
        return View(np.clip(color * 255, 0, 255).astype(np.uint8), mask)

    def _actor(self, model_dir: Path, scale: float) -> tuple[Any, npt.NDArray[np.float64]]:
        key = (model_dir, scale)
        if key not in self._actors:
            builder = self._scene.create_actor_builder()
            builder.add_visual_from_file(str(model_dir / "textured.obj"), scale=[scale] * 3)
            actor = builder.build_kinematic(model_dir.name)
            actor.hide_visual()
            self._actors[key] = actor, read_points(model_dir / "textured.obj") * scale
        return self._actors[key]


@lru_cache(maxsize=1)
def _renderer() -> ObjectRenderer:
    return ObjectRenderer()


def render_thumbnail(model_dir: Path, scale: float = 1.0, size: int = 256) -> npt.NDArray[np.uint8]:
    """Render an object in the pose of its file, from its most recognizable side: uint8 [S, S, 3]."""
    azimuth, elevation = BEST_VIEWS.get(Path(model_dir).name, _SIDE)
    return _renderer().view(model_dir, scale, elevation=elevation, azimuth=azimuth, size=size).rgb


def object_sheet(sets: Sequence[ObjectSet], size: int = 128, columns: int = 7) -> Image.Image:
    """Lay out a thumbnail of each object of the first set, with its name and those of the other sets next to it."""
    width, height, font = size * len(sets), size + 18, ImageFont.load_default(13)
    items = list(sets[0].catalog)
    sheet = Image.new("RGB", (columns * width, -(-len(items) // columns) * height), "white")
    for n, item in enumerate(items):
        left, top = n % columns * width, n // columns * height
        ImageDraw.Draw(sheet).text((left + width / 2, top + 2), item.name, fill="black", font=font, anchor="ma")
        for k, objects in enumerate(sets):
            rgb = render_thumbnail(objects.model_dir(item.model_id), item.scale, size - 2)
            sheet.paste(Image.fromarray(rgb), (left + k * size + 1, top + 18))
    return sheet


def write_object_sheet(config: ObjectSheetConfig) -> int:
    """Write a contact sheet of objects as PNG, and return the number of objects on it.

    :raises MissingAssetsError: when an object set is not there
    :raises UnknownObjectError: for a name that is no kind
    :raises InvalidArgumentError: for another object set, or an image that cannot be written
    """
    if config.sets == ("kinds",):
        kinds = find_kinds(config.kinds) if config.kinds else all_kinds()
        sheet, count = kind_sheet(kinds, config), len(kinds) * config.instances
    else:
        roots = {"proxy": config.procedural_root, "ycb": config.ycb_root}
        sets = [load_object_set(name, roots.get(name)) for name in config.sets]
        for other in sets[1:]:
            if missing := {*sets[0].catalog.model_ids} - {*other.catalog.model_ids}:
                raise InvalidArgumentError(
                    f"expected sets of the same ids side by side, but {other.name} has no {min(missing)} of "
                    f"{sets[0].name}; give a sheet of its own to each"
                )
        sheet, count = object_sheet(sets, config.size), len(sets[0].catalog)
    try:
        sheet.save(config.out, "PNG", optimize=True)
    except OSError as error:
        raise InvalidArgumentError(
            f"expected a path that can be written, but cannot write {config.out}: {error}"
        ) from error
    return count


def kind_sheet(kinds: Sequence[Kind], config: ObjectSheetConfig) -> Image.Image:
    """Lay out instances of kinds, a row each: standing and seen from a good side, or in random poses."""
    size, seeds = config.size, range(config.first_seed, config.first_seed + config.instances)
    left, font = 110 if config.names else 30, ImageFont.load_default(13)
    sheet = Image.new("RGB", (left + len(seeds) * size, len(kinds) * size), "white")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "kinds"
        ids = write_kinds(root, {kind.name: seeds for kind in kinds})
        for row, kind in enumerate(kinds):
            text = kind.name.replace(" ", "\n") if config.names else str(row + 1)
            ImageDraw.Draw(sheet).text((4, row * size + 4), text, fill="black", font=font)
            for column in range(len(seeds)):
                model_dir = root / "models" / ids[row * len(seeds) + column]
                rgb = _kind_view(model_dir, config.random_views, size)
                sheet.paste(Image.fromarray(rgb), (left + column * size, row * size))
                _renderer().forget(model_dir)
    return sheet


def _kind_view(model_dir: Path, random_view: bool, size: int) -> npt.NDArray[np.uint8]:
    """Render an instance, in a pose that depends on its id when it is random."""
    rng = np.random.default_rng([*model_dir.name.encode()])
    if random_view:
        rotation = rng.normal(size=4)
        elevation, azimuth = rng.uniform(0.35, np.pi / 2), rng.uniform(0, 2 * np.pi)
        view = _renderer().view(
            model_dir, 1.0, rotation / np.linalg.norm(rotation), elevation=elevation, azimuth=azimuth, size=size
        )
        return view.rgb
    extent = np.ptp(read_points(model_dir / "textured.obj"), axis=0)
    elevation = 1.15 if extent[2] < 0.35 * extent.max() else 0.5
    return _renderer().view(model_dir, elevation=elevation, azimuth=rng.uniform(0.1, 0.6), size=size).rgb


def read_points(path: Path) -> npt.NDArray[np.float64]:
    """Return the vertices [V, 3] of an OBJ file."""
    rows = [line.split()[1:4] for line in path.read_text().splitlines() if line.startswith("v ")]
    return np.array(rows, dtype=np.float64)


def _matrix(quaternion: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the rotation matrix of a unit quaternion (w, x, y, z)."""
    from transforms3d.quaternions import quat2mat

    return np.asarray(quat2mat(np.asarray(quaternion, dtype=np.float64)))


def _camera_axes(elevation: float, azimuth: float) -> npt.NDArray[np.float64]:
    """Return a camera's axes (forward, left, up) as columns, for one that points down at a center."""
    flat = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    forward = -np.cos(elevation) * flat - np.sin(elevation) * np.array([0.0, 0.0, 1.0])
    left = np.array([flat[1], -flat[0], 0.0])
    return np.stack([forward, left, np.cross(forward, left)], axis=1)


SHEET_FILE = "sheet.png"
_SIZE = 192
_COLUMNS = 6
_LINE = 18
_FLAT = 0.35
"""Height, as a share of the longest side, below which an object is seen from above."""


def write_mesh_sheet(root: Path, names: Mapping[str, str]) -> Path:
    """Write `thumbnails/<id>.png` of objects that have none yet, and `sheet.png` of all, with name and id.

    They lie outside of `models`, whose bytes say whether a store fits an object set: a renderer is no part of it.

    :param root: folder in ManiSkill2's layout
    :param names: id -> name
    :return: path of the sheet
    """
    folder = root / "thumbnails"
    ensure_dir(folder)
    missing = [model_id for model_id in names if not (folder / f"{model_id}.png").is_file()]
    renderer = ObjectRenderer()
    for model_id in track(missing, "thumbnails", transient=True):
        atomic_write(folder / f"{model_id}.png", _png(_thumbnail(renderer, root / "models" / model_id)))
    atomic_write(root / SHEET_FILE, _png(_sheet(folder, names)))
    return root / SHEET_FILE


def _thumbnail(renderer: ObjectRenderer, model_dir: Path) -> Image.Image:
    extent = np.ptp(read_points(model_dir / "textured.obj"), axis=0)
    elevation = 1.0 if extent[2] < _FLAT * extent.max() else 0.5
    view = renderer.view(model_dir, elevation=elevation, size=_SIZE)
    renderer.forget(model_dir)
    return Image.fromarray(view.rgb)


def _sheet(folder: Path, names: Mapping[str, str]) -> Image.Image:
    columns, font = min(_COLUMNS, len(names)), ImageFont.load_default(13)
    height = _SIZE + 2 * _LINE
    sheet = Image.new("RGB", (columns * _SIZE, -(-len(names) // columns) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (model_id, name) in enumerate(sorted(names.items())):
        left, top = number % columns * _SIZE, number // columns * height
        for line, (text, color) in enumerate(((name, "black"), (model_id, "gray"))):
            draw.text((left + _SIZE / 2, top + line * _LINE + 2), text[:28], fill=color, font=font, anchor="ma")
        with Image.open(folder / f"{model_id}.png") as image:
            sheet.paste(image, (left, top + 2 * _LINE))
    return sheet


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


LOWEST, HIGHEST = 0.35, float(np.pi / 2)
_MIN_PIXELS = 30
_BYTES_PER_PIXEL = 4  # of an image and its mask


@dataclass(frozen=True)
class _Model:
    """A mesh to render: its folder, its scale, the attributes of its object, how many views; `delete` it afterwards."""

    folder: Path
    scale: float
    attributes: dict[str, Any]
    views: int
    delete: bool = False


def render_object_views(config: ObjectViewConfig) -> str:
    """Render views, write them to `config.out`, and return their content hash.

    :raises RendererError, MissingAssetsError: when views cannot be rendered here
    :raises DatasetError: when the folder cannot be written
    """
    config.validate()
    prepare_renderer()
    from pickclutter_lang.envs.generation.object_renderer import ObjectRenderer

    _check_memory(config)
    create_dir(Path(config.out))  # before the work
    renderer = ObjectRenderer()
    rng = np.random.default_rng([config.seed, config.random_objects])
    rgb, mask, owner = [], [], []
    attributes: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, ProgressBar("views", _view_count(config)) as bar:
        random_models = list(_random_models(config, rng, Path(folder) / "objects"))  # drawn before the first view
        models = chain(_catalog_models(config), _kind_models(config, Path(folder) / "kinds"), random_models)
        for model in models:
            for _ in range(model.views):
                image = _render_view(renderer, model, rng, config)
                rgb.append(image[0])
                mask.append(image[1])
                owner.append(len(attributes))
                bar.advance()
            attributes.append(model.attributes)
            if model.delete:
                renderer.forget(model.folder, model.scale)
                shutil.rmtree(model.folder)
    return write_object_views(
        Path(config.out), np.stack(rgb), np.stack(mask), np.array(owner, np.int32), attributes, _settings(config)
    )


def _settings(config: ObjectViewConfig) -> dict[str, Any]:
    """Return how the views are made; those of kinds for kinds alone: files of other objects stay as they are."""
    settings = asdict(config)
    if not is_kinds(config.objects):
        for name in ("kinds", "instances", "first_seed"):
            del settings[name]
    if not config.random_lights:
        del settings["random_lights"]
    return settings


def _view_count(config: ObjectViewConfig) -> int:
    count = config.random_objects * config.views_per_random_object
    if is_kinds(config.objects):
        count += len(_kinds(config)) * config.instances * config.views_per_object
    elif config.objects != "none":
        count += len(_catalog(config).catalog) * config.views_per_object
    return count


def _check_memory(config: ObjectViewConfig) -> None:
    """Raise InvalidArgumentError for more views than fit into memory, where all of them are until they are written."""
    needed = 2 * _view_count(config) * config.size**2 * _BYTES_PER_PIXEL
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise InvalidArgumentError(
            f"expected views that fit into memory, but {_view_count(config)} of {config.size} pixels take some "
            f"{needed / 1e9:.0f} GB of {there / 1e9:.0f}; render fewer, or several folders with other first_seed"
        )


def _kinds(config: ObjectViewConfig) -> Sequence[Kind]:
    return find_kinds(config.kinds) if config.kinds else all_kinds()


def _catalog(config: ObjectViewConfig) -> ObjectSet:
    return load_object_set(config.objects, config.objects_root, select_objects(config.selection).model_ids)


def _catalog_models(config: ObjectViewConfig) -> Iterator[_Model]:
    if config.objects == "none" or is_kinds(config.objects) or not config.views_per_object:
        return
    found = _catalog(config)
    for n, item in enumerate(found.catalog):
        attributes: dict[str, Any] = {"model_id": item.model_id, "object_set": found.name}
        if isinstance(found, OwnSet):
            attributes = {"object_set": found.name, **words_of_entry(found.entries[n], item)}
        yield _Model(found.model_dir(item.model_id), item.scale, attributes, config.views_per_object)


def _kind_models(config: ObjectViewConfig, folder: Path) -> Iterator[_Model]:
    """Make one instance after the other, so that thousands of them take no space on the disk."""
    if not is_kinds(config.objects) or not config.views_per_object:
        return
    for kind in _kinds(config):
        for seed in range(config.first_seed, config.first_seed + config.instances):
            instance, model_dir = kind.instance(seed), folder / kind.model_id(seed)
            write_instance(instance, model_dir)
            yield _Model(model_dir, 1.0, kind.words(seed, instance), config.views_per_object, delete=True)


def _random_models(config: ObjectViewConfig, rng: np.random.Generator, folder: Path) -> Iterator[_Model]:
    objects = [sample_object(rng) for _ in range(config.random_objects)]
    ids = write_objects(folder, objects)
    for model_id, item in zip(ids, objects, strict=True):
        yield _Model(folder / "models" / model_id, 1.0, item.words(), config.views_per_random_object)


def _render_view(
    renderer: Any, model: _Model, rng: np.random.Generator, config: ObjectViewConfig
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Render one view from a random side of an object in a random pose; again if hardly a pixel shows it."""
    while True:
        rotation = rng.normal(size=4)
        if config.random_lights:
            renderer.randomize_lights(rng)
        view = renderer.view(
            model.folder,
            model.scale,
            rotation / np.linalg.norm(rotation),
            elevation=float(rng.uniform(LOWEST, HIGHEST)),
            azimuth=float(rng.uniform(0, 2 * np.pi)),
            size=config.size,
        )
        if view.mask.sum() >= _MIN_PIXELS:
            return view.rgb, view.mask
