"""Rendering views of single things for the pocket teacher: the catalogue's objects and random procedural things."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.further import select_objects
from pickclutter_lang.objects.proxies.things import random_thing, write_things
from pickclutter_lang.objects.sets import load_object_set
from pickclutter_lang.scenes.views import write_views

LOWEST, HIGHEST = 0.35, float(np.pi / 2)
_LEAST_PIXELS = 30


@dataclass
class ViewSettings:
    """Which views to render.

    `objects` is an object set (`proxy` or `ycb`, from `objects_root`) of which each object of the `selection`
    (`select_objects`; of `proxy` there is `paper` alone) gets `object_views`, or `none`; `things` random things get
    `thing_views` each. `size` is the side of a picture in pixels. Everything is drawn from `seed`.
    """

    out: str
    objects: str
    objects_root: str | None
    selection: str
    object_views: int
    things: int
    thing_views: int
    size: int
    seed: int

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        if self.objects not in ("proxy", "ycb", "none"):
            raise InvalidArgumentError(f"expected objects to be proxy, ycb or none, but got {self.objects!r}")
        select_objects(self.selection)
        if self.objects == "proxy" and self.selection != "paper":
            raise InvalidArgumentError(f"expected selection=paper of the stand-ins, but got {self.selection!r}")
        for name, least in (("object_views", 0), ("things", 0), ("thing_views", 0), ("size", 16), ("seed", 0)):
            if getattr(self, name) < least:
                raise InvalidArgumentError(f"expected {name} of at least {least}, but got {getattr(self, name)}")
        if not self.object_views * (self.objects != "none") and not self.things * self.thing_views:
            raise InvalidArgumentError("expected at least one view, but objects and things give none")


@dataclass(frozen=True)
class _Model:
    """A mesh to look at: where it lies, its scale, what may be said of it, how many views."""

    folder: Path
    scale: float
    words: dict[str, Any]
    views: int


def collect_views(settings: ViewSettings) -> str:
    """Render views, write them to `settings.out`, and return their content hash.

    :raises RendererError, MissingAssetsError: when views cannot be rendered here
    :raises StoreError: when the folder cannot be written
    """
    settings.validate()
    prepare_renderer()
    from pickclutter_lang.envs.portraits import ObjectStudio

    studio = ObjectStudio()
    rng = np.random.default_rng([settings.seed, settings.things])
    with tempfile.TemporaryDirectory() as folder:
        models = [*_objects(settings), *_things(settings, rng, Path(folder) / "things")]
        rgb, mask, owner = [], [], []
        rows = [(number, model) for number, model in enumerate(models) for _ in range(model.views)]
        for number, model in track(rows, "views", console=Console(stderr=True)):
            picture = _look(studio, model, rng, settings.size)
            rgb.append(picture[0])
            mask.append(picture[1])
            owner.append(number)
    words = [model.words for model in models]
    return write_views(
        Path(settings.out), np.stack(rgb), np.stack(mask), np.array(owner, np.int32), words, asdict(settings)
    )


def _objects(settings: ViewSettings) -> Iterator[_Model]:
    if settings.objects == "none" or not settings.object_views:
        return
    found = load_object_set(settings.objects, settings.objects_root, select_objects(settings.selection).model_ids)
    for item in found.catalogue:
        words = {"model_id": item.model_id, "object_set": found.name}
        yield _Model(found.model_dir(item.model_id), item.scale, words, settings.object_views)


def _things(settings: ViewSettings, rng: np.random.Generator, folder: Path) -> Iterator[_Model]:
    things = [random_thing(rng) for _ in range(settings.things)]
    ids = write_things(folder, things)
    for model_id, thing in zip(ids, things, strict=True):
        yield _Model(folder / "models" / model_id, 1.0, thing.words(), settings.thing_views)


def _look(
    studio: Any, model: _Model, rng: np.random.Generator, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Render one view from a random side of a thing in a random attitude; again if it shows next to nothing."""
    while True:
        rotation = rng.normal(size=4)
        view = studio.view(
            model.folder,
            model.scale,
            rotation / np.linalg.norm(rotation),
            elevation=float(rng.uniform(LOWEST, HIGHEST)),
            azimuth=float(rng.uniform(0, 2 * np.pi)),
            size=size,
        )
        if view.mask.sum() >= _LEAST_PIXELS:
            return view.rgb, view.mask
