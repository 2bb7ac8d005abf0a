"""Random procedural objects with attribute words, from which a teacher learns colors, shapes and materials."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pickclutter_lang.objects.object_set import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.appearance import COLORS, MATERIALS, PATTERNS, Appearance
from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.objects.procedural.primitives import PRIMITIVES, Primitive
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_model

SMALLEST, LARGEST = 0.02, 0.20
_SIZE_WORDS = ((0.04, "tiny"), (0.075, "small"), (0.13, "medium-sized"), (LARGEST + 1e-9, "large"))


@dataclass(frozen=True)
class RandomObject:
    """A model with its attribute words; `geometry` is in meters, centered, with a longest side of 2 to 20 cm."""

    geometry: ModelGeometry
    shape: str
    colors: tuple[str, ...]
    pattern: str
    material: str
    size_word: str
    category: str
    size: tuple[float, float, float]

    @property
    def name(self) -> str:
        """Short name, such as `red and white striped cup`."""
        return f"{self._appearance_words} {self.category}"

    @property
    def description(self) -> str:
        """Name with all attributes, such as `a small red and white striped plastic cup`."""
        words = f"{self.size_word} {self._appearance_words} {self.material} {self.category}"
        return f"a {words}"

    @property
    def _appearance_words(self) -> str:
        colors = " and ".join(self.colors)
        return colors if self.pattern in ("plain", "two-coloured") else f"{colors} {self.pattern}"

    def words(self) -> dict[str, object]:
        """Return all attributes, for JSON; the key `colours` is that of the view stores of version 0.1.0."""
        fields = ("shape", "pattern", "material", "size_word", "category", "name", "description")
        return {key: getattr(self, key) for key in fields} | {
            "colours": list(self.colors),
            "size": list(self.size),
        }


def sample_object(rng: np.random.Generator) -> RandomObject:
    """Sample an object: each shape, color, material and pattern equally often (plain three times as often)."""
    shape = str(rng.choice(list(PRIMITIVES)))
    make, nouns = PRIMITIVES[shape]
    primitive = make(rng)
    pattern = str(rng.choice(["plain", "plain", *PATTERNS]))
    material = str(rng.choice(MATERIALS))
    first, second = (str(c) for c in rng.choice(list(COLORS), 2, replace=False))
    longest = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    tints = [np.clip(np.array(COLORS[c]) + rng.normal(0, 7, 3), 0, 255) for c in (first, second)]
    appearance = Appearance(
        tints[0], tints[1], pattern, material, longest * rng.uniform(0.14, 0.26), int(rng.integers(2**31))
    )
    geometry, size = _build_model(primitive, appearance, longest)
    size_word = next(w for limit, w in _SIZE_WORDS if longest <= limit)
    colors = (first,) if pattern == "plain" else (first, second)
    return RandomObject(geometry, shape, colors, pattern, material, size_word, str(rng.choice(nouns)), size)


def _build_model(
    primitive: Primitive, appearance: Appearance, longest: float
) -> tuple[ModelGeometry, tuple[float, float, float]]:
    """Texture a primitive and scale it to size; sides of equal extent share an image."""
    geometry = ModelGeometry()
    points = np.concatenate([surface.points for surface, _ in primitive.pieces])
    factor = longest / float((points.max(axis=0) - points.min(axis=0)).max())
    images: dict[tuple[float, float], np.ndarray] = {}  # type: ignore[type-arg]
    texels = 148 if len({extent for _, extent in primitive.pieces}) <= 6 else 96
    for surface, (width, height) in primitive.pieces:
        extent = (round(width * factor, 5), round(height * factor, 5))
        if extent not in images:
            images[extent] = appearance.image(*extent, longest=texels)
        geometry.add(surface, images[extent])
    geometry.add_hulls(*primitive.hulls)
    min_corner, max_corner = geometry.bounds
    x, y, z = (round(float(side), 6) for side in (max_corner - min_corner) * factor)
    return geometry.rescaled((x, y, z)), (x, y, z)


def write_objects(root: str | Path, objects: Sequence[RandomObject], prefix: str = "object") -> list[str]:
    """Write objects in ManiSkill2's layout under ids such as `object_0003`, their attributes in `ROOT/objects.json`.

    :param root: a folder that does not exist yet, or an empty one; it appears completely or not at all
    :returns: the ids, in the order of `objects`
    :raises InvalidArgumentError: when the folder is not empty, or cannot be written
    """
    ids = [f"{prefix}_{n:04d}" for n in range(len(objects))]
    target = Path(root).expanduser()

    def write(folder: Path) -> None:
        for model_id, item in zip(ids, objects, strict=True):
            write_model(item.geometry, folder / "models" / model_id)
        rows = {i: model_db_entry(t.size, 1.0, 1000.0) for i, t in zip(ids, objects, strict=True)}
        words = {i: t.words() for i, t in zip(ids, objects, strict=True)}
        (folder / MODEL_DB_FILE).write_text(json.dumps(rows, indent=1) + "\n")
        (folder / "objects.json").write_text(json.dumps(words, indent=1) + "\n")

    atomic_write_dir(target, MODEL_DB_FILE, write)
    return ids
