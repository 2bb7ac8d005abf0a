"""Renders views of single objects for the pocket teacher: those of the catalog, and random procedural ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import write_object_views
from pickclutter_lang.envs.config import ObjectViewConfig
from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.objects.extra_objects import select_objects
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.objects.procedural.random_objects import sample_object, write_objects
from pickclutter_lang.utils.progress import track

LOWEST, HIGHEST = 0.35, float(np.pi / 2)
_MIN_PIXELS = 30


@dataclass(frozen=True)
class _Model:
    """A mesh to render: its folder, its scale, the attributes of its object, how many views."""

    folder: Path
    scale: float
    attributes: dict[str, Any]
    views: int


def render_object_views(config: ObjectViewConfig) -> str:
    """Render views, write them to `config.out`, and return their content hash.

    :raises RendererError, MissingAssetsError: when views cannot be rendered here
    :raises DatasetError: when the folder cannot be written
    """
    config.validate()
    prepare_renderer()
    from pickclutter_lang.envs.generation.object_renderer import ObjectRenderer

    renderer = ObjectRenderer()
    rng = np.random.default_rng([config.seed, config.random_objects])
    with tempfile.TemporaryDirectory() as folder:
        models = [*_catalog_models(config), *_random_models(config, rng, Path(folder) / "objects")]
        rgb, mask, owner = [], [], []
        rows = [(number, model) for number, model in enumerate(models) for _ in range(model.views)]
        for number, model in track(rows, "views"):
            image = _render_view(renderer, model, rng, config.size)
            rgb.append(image[0])
            mask.append(image[1])
            owner.append(number)
    attributes = [model.attributes for model in models]
    return write_object_views(
        Path(config.out), np.stack(rgb), np.stack(mask), np.array(owner, np.int32), attributes, asdict(config)
    )


def _catalog_models(config: ObjectViewConfig) -> Iterator[_Model]:
    if config.objects == "none" or not config.views_per_object:
        return
    found = load_object_set(config.objects, config.objects_root, select_objects(config.selection).model_ids)
    for item in found.catalog:
        attributes = {"model_id": item.model_id, "object_set": found.name}
        yield _Model(found.model_dir(item.model_id), item.scale, attributes, config.views_per_object)


def _random_models(config: ObjectViewConfig, rng: np.random.Generator, folder: Path) -> Iterator[_Model]:
    objects = [sample_object(rng) for _ in range(config.random_objects)]
    ids = write_objects(folder, objects)
    for model_id, item in zip(ids, objects, strict=True):
        yield _Model(folder / "models" / model_id, 1.0, item.words(), config.views_per_random_object)


def _render_view(
    renderer: Any, model: _Model, rng: np.random.Generator, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Render one view from a random side of an object in a random pose; again if hardly a pixel shows it."""
    while True:
        rotation = rng.normal(size=4)
        view = renderer.view(
            model.folder,
            model.scale,
            rotation / np.linalg.norm(rotation),
            elevation=float(rng.uniform(LOWEST, HIGHEST)),
            azimuth=float(rng.uniform(0, 2 * np.pi)),
            size=size,
        )
        if view.mask.sum() >= _MIN_PIXELS:
            return view.rgb, view.mask
