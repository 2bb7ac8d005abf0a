"""Random things with words: what a vision-language teacher learns colors, shapes and materials from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pickclutter_lang.objects.object_sets import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.appearance import COLORS, MATERIALS, PATTERNS, Appearance
from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.objects.procedural.primitives import PRIMITIVES, Primitive
from pickclutter_lang.objects.procedural.writer import atomic_write_dir, model_db_entry, write_body

SMALLEST, LARGEST = 0.02, 0.20
_SIZE_WORDS = ((0.04, "tiny"), (0.075, "small"), (0.13, "medium-sized"), (LARGEST + 1e-9, "large"))


@dataclass(frozen=True)
class RandomObject:
    """A thing and its words; `body` is in meters, centered, and its longest side is 2 to 20 cm."""

    body: ModelGeometry
    shape: str
    colors: tuple[str, ...]
    pattern: str
    material: str
    size_word: str
    category: str
    size: tuple[float, float, float]

    @property
    def name(self) -> str:
        """The least that tells it from others, such as `red and white striped cup`."""
        return f"{self._colouring} {self.category}"

    @property
    def description(self) -> str:
        """All of its words, such as `a small red and white striped plastic cup`."""
        words = f"{self.size_word} {self._colouring} {self.material} {self.category}"
        return f"a {words}"

    @property
    def _colouring(self) -> str:
        colors = " and ".join(self.colors)
        return colors if self.pattern in ("plain", "two-coloured") else f"{colors} {self.pattern}"

    def words(self) -> dict[str, object]:
        """Return everything but the mesh, for JSON."""
        fields = ("shape", "pattern", "material", "size_word", "category", "name", "description")
        return {key: getattr(self, key) for key in fields} | {
            "colours": list(self.colors),
            "size": list(self.size),
        }


def sample_object(rng: np.random.Generator) -> RandomObject:
    """Draw a thing: each shape, color, material and pattern equally often (plain three times as often)."""
    shape = str(rng.choice(list(PRIMITIVES)))
    make, nouns = PRIMITIVES[shape]
    form = make(rng)
    pattern = str(rng.choice(["plain", "plain", *PATTERNS]))
    material = str(rng.choice(MATERIALS))
    first, second = (str(c) for c in rng.choice(list(COLORS), 2, replace=False))
    longest = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    tints = [np.clip(np.array(COLORS[c]) + rng.normal(0, 7, 3), 0, 255) for c in (first, second)]
    look = Appearance(
        tints[0], tints[1], pattern, material, longest * rng.uniform(0.14, 0.26), int(rng.integers(2**31))
    )
    body, size = _dressed(form, look, longest)
    word = next(w for limit, w in _SIZE_WORDS if longest <= limit)
    colors = (first,) if pattern == "plain" else (first, second)
    return RandomObject(body, shape, colors, pattern, material, word, str(rng.choice(nouns)), size)


def _dressed(form: Primitive, look: Appearance, longest: float) -> tuple[ModelGeometry, tuple[float, float, float]]:
    """Paint a form and bring it to size; sides of equal extent share a image."""
    body = ModelGeometry()
    points = np.concatenate([surface.points for surface, _ in form.pieces])
    factor = longest / float((points.max(axis=0) - points.min(axis=0)).max())
    images: dict[tuple[float, float], np.ndarray] = {}  # type: ignore[type-arg]
    fewest = 148 if len({extent for _, extent in form.pieces}) <= 6 else 96
    for surface, (width, height) in form.pieces:
        extent = (round(width * factor, 5), round(height * factor, 5))
        if extent not in images:
            images[extent] = look.image(*extent, longest=fewest)
        body.add(surface, images[extent])
    body.add_hulls(*form.hulls)
    low, high = body.bounds
    x, y, z = (round(float(side), 6) for side in (high - low) * factor)
    return body.rescaled((x, y, z)), (x, y, z)


def write_objects(root: str | Path, things: Sequence[RandomObject], prefix: str = "thing") -> list[str]:
    """Write things in ManiSkill2's layout under ids such as `thing_0003`, their words in `ROOT/things.json`.

    :param root: a folder that does not exist yet, or an empty one; it appears whole or not at all
    :returns: the ids, in the order of `things`
    :raises InvalidArgumentError: when the folder has something in it, or cannot be written
    """
    ids = [f"{prefix}_{n:04d}" for n in range(len(things))]
    target = Path(root).expanduser()

    def write(folder: Path) -> None:
        for model_id, thing in zip(ids, things, strict=True):
            write_body(thing.body, folder / "models" / model_id)
        rows = {i: model_db_entry(t.size, 1.0, 1000.0) for i, t in zip(ids, things, strict=True)}
        words = {i: t.words() for i, t in zip(ids, things, strict=True)}
        (folder / MODEL_DB_FILE).write_text(json.dumps(rows, indent=1) + "\n")
        (folder / "things.json").write_text(json.dumps(words, indent=1) + "\n")

    atomic_write_dir(target, MODEL_DB_FILE, write)
    return ids
