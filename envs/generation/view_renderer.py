"""Renders views of single objects for the pocket teacher: of the catalog, of kinds, and random procedural ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.envs.config import ObjectViewConfig
from pickclutter_lang.envs.vulkan import prepare_renderer
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.extra_objects import select_objects
from pickclutter_lang.objects.kinds import Kind, all_kinds, find_kinds
from pickclutter_lang.objects.kinds.writing import write_instance
from pickclutter_lang.objects.object_sets import ObjectSet, is_kinds, load_object_set
from pickclutter_lang.objects.own_sets import OwnSet, words_of_entry
from pickclutter_lang.objects.procedural.random_objects import sample_object, write_objects
from pickclutter_lang.utils.io import create_dir
from pickclutter_lang.utils.progress import ProgressBar

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
