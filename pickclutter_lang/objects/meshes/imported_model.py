"""Makes one object of one mesh: reads it, and writes `textured.obj`, its texture and `collision.obj`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.objects.meshes.convex import convex_parts
from pickclutter_lang.objects.meshes.mesh_sources import MeshSource
from pickclutter_lang.objects.meshes.placement import placed, unit_name
from pickclutter_lang.objects.meshes.reading import read_bounded, read_mesh
from pickclutter_lang.objects.meshes.settings import UNITS, ModelSettings
from pickclutter_lang.objects.meshes.surface import bounds, merged, textured_surface
from pickclutter_lang.objects.procedural.writer import collision_obj, write_surface
from pickclutter_lang.utils.json_files import Sha256, Text

MODEL_FILES = ("collision.obj", "textured.mtl", "textured.obj", "texture_map.png")
"""Of an imported object."""
_REVISION = 1
"""Of what is made of the same mesh by the same settings; a new one imports anew."""


@dataclass(frozen=True)
class ImportedModel:
    """An object that was imported: what it was made of, and what came of it."""

    key: Sha256
    """Hash of the files and the settings."""
    files: tuple[Text, ...]
    """That were read, below the root of its source."""
    size: tuple[float, float, float]
    """Meters."""
    density: float
    unit: Text
    up: Text
    faces: int
    texture: Text
    parts: int
    volume: float
    """Of all convex parts, cubic meters."""
    mesh_volume: float | None
    covered: float

    @property
    def mass(self) -> float:
        """Kilograms."""
        return self.volume * self.density


def make_model(source: MeshSource, settings: ModelSettings, folder: Path) -> ImportedModel:
    """Make an object of a mesh, and write its files into a folder.

    :raises InvalidArgumentError: naming what is wrong with the mesh
    """
    content = read_mesh(source)
    meters, up = UNITS.get(settings.unit or "", content.meters), settings.up or content.up
    pieces = placed(content.pieces, meters, up)
    rng = np.random.default_rng(0)
    surface = textured_surface(pieces, settings.max_faces, settings.texture_size, rng)
    parts = convex_parts(*merged(pieces), settings.max_parts, settings.threshold, rng)
    index = np.zeros(len(surface.faces), dtype=np.int64)
    write_surface(folder, surface.points, surface.faces, surface.uv, surface.image, index)
    (folder / "collision.obj").write_text(collision_obj(parts.hulls))
    x, y, z = (round(float(side), 6) for side in np.ptp(bounds(pieces), axis=0))
    return ImportedModel(
        model_key(content.hashes, settings), tuple(sorted(content.hashes)), (x, y, z), settings.density,
        unit_name(meters), up, len(surface.faces), surface.how, len(parts.hulls), parts.volume, parts.mesh_volume,
        parts.covered,
    )  # fmt: skip


def is_unchanged(source: MeshSource, settings: ModelSettings, model: ImportedModel, folder: Path) -> bool:
    """Return whether an object's files are there, and were made of the same mesh by the same settings."""
    if not all((folder / name).is_file() for name in MODEL_FILES):
        return False
    try:
        hashes = {name: hashlib.sha256(read_bounded(source.root / name)).hexdigest() for name in model.files}
    except InvalidArgumentError:
        return False
    return model_key(hashes, settings) == model.key


def model_key(hashes: Mapping[str, str], settings: ModelSettings) -> str:
    """Return the hash of what an object is made of."""
    text = json.dumps([_REVISION, sorted(hashes.items()), asdict(settings)])
    return hashlib.sha256(text.encode()).hexdigest()


def describe(model: ImportedModel) -> str:
    """Return an object's size, triangles, texture, parts and mass as a line."""
    sides = " x ".join(f"{100 * side:.1f}" for side in model.size)
    ratio = "" if model.mesh_volume is None else f" of {model.volume / model.mesh_volume:.2f} times the mesh's volume"
    return (
        f"{sides} cm (unit {model.unit}, {model.up} up), {model.faces} triangles, {model.texture}, "
        f"{model.parts} convex parts{ratio}, {1000 * model.mass:.0f} g"
    )
