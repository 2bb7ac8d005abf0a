"""Random procedural objects with attribute words, from which a teacher learns colors, shapes and materials."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.object_set import MODEL_DB_FILE
from pickclutter_lang.objects.procedural.appearance import COLORS, MATERIALS, PATTERNS, Appearance
from pickclutter_lang.objects.procedural.geometry import (
    ModelGeometry,
    box_corners,
    extreme_points,
    loft_hulls,
    sweep_hulls,
)
from pickclutter_lang.objects.procedural.surfaces import (
    Floats,
    Surface,
    box_faces,
    circle,
    fan,
    resample_curve,
    revolve,
    sphere,
    sweep,
)
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


@dataclass
class Primitive:
    """`pieces` are surfaces with the width and height of their texture; `hulls` are convex solids [N, 3]."""

    pieces: list[tuple[Surface, tuple[float, float]]] = field(default_factory=list)
    hulls: list[Floats] = field(default_factory=list)

    def add_box(self, low: npt.ArrayLike, high: npt.ArrayLike, rounding: float = 0.02) -> None:
        """Add a box between two corners, as a surface and as a hull."""
        a, b = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
        size = b - a
        across = {"right": 1, "left": 1, "back": 0, "front": 0, "top": 0, "bottom": 0}
        for name, face in box_faces(size, rounding, 1).items():
            along = 1 if name in ("top", "bottom") else 2
            self.pieces.append((face.transformed((a + b) / 2), (size[across[name]], size[along])))
        self.hulls.append(box_corners(a, b))

    def add_lathe(self, profile: list[tuple[float, float]], segments: int = 32, solid: bool = True) -> None:
        """Add a body of revolution whose profile is convex when it is a `solid`."""
        surface = revolve(profile, segments)
        rows = np.asarray(profile)
        length = float(np.linalg.norm(np.diff(rows, axis=0), axis=1).sum())
        self.pieces.append((surface, (2 * np.pi * float(rows[:, 0].max()), length)))
        if solid:
            self.hulls.append(extreme_points(surface))


def _ball(rng: np.random.Generator) -> Primitive:
    surface = sphere(0.5, 17, 32)
    return Primitive([(surface, (np.pi, np.pi / 2))], [extreme_points(surface)])


def _egg(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    primitive.add_lathe([(0.36 * np.cos(a) * (1 - 0.18 * np.sin(a)) + 0.0, 0.5 * np.sin(a)) for a in angle])
    return primitive


def _box(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    half = np.array([0.5, rng.uniform(0.25, 0.4), rng.uniform(0.12, 0.3)])[rng.permutation(3)]
    primitive.add_box(-half, half)
    return primitive


def _cube(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    primitive.add_box((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5), rng.uniform(0.02, 0.12))
    return primitive


def _cylinder(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    r = rng.uniform(0.22, 0.45)
    primitive.add_lathe([(0, -0.5), (r - 0.01, -0.5), (r, -0.49), (r, 0.49), (r - 0.01, 0.5), (0, 0.5)])
    return primitive


def _disc(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    h = rng.uniform(0.05, 0.1)
    primitive.add_lathe([(0, -h), (0.49, -h), (0.5, -h + 0.01), (0.5, h - 0.01), (0.49, h), (0, h)], 40)
    return primitive


def _cone(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    r = rng.uniform(0.3, 0.48)
    primitive.add_lathe([(0, -0.5), (r, -0.5), (r * 0.5, 0.0), (0, 0.5)])
    return primitive


def _pyramid(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    primitive.add_lathe([(0, -0.35), (0.6, -0.35), (0.3, 0.05), (0, 0.45)], 4)
    return primitive


def _ring(rng: np.random.Generator) -> Primitive:
    radius = rng.uniform(0.08, 0.15)
    t = np.linspace(0, 2 * np.pi, 41)
    t[-1] = 0
    path = np.stack([np.cos(t), np.sin(t), 0 * t], -1) * (0.5 - radius)
    surface = sweep(path, radius, segments=14, closed=True)
    hulls = [np.concatenate(sweep_hulls(path[n : n + 5 : 2], radius)) for n in range(0, 38, 4)]
    return Primitive([(surface, (2 * np.pi * radius, 2.6))], hulls)


def _rod(rng: np.random.Generator) -> Primitive:
    radius = rng.uniform(0.04, 0.08)
    path = np.array([(-0.5, 0, 0), (-0.495, 0, 0), (0.495, 0, 0), (0.5, 0, 0)])
    half_width = radius * np.array([0.8, 1, 1, 0.8])
    return Primitive(
        [(sweep(path, half_width, segments=16), (2 * np.pi * radius, 1.0))],
        [np.concatenate(sweep_hulls(path, half_width))],
    )


def _bottle(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    r, neck = rng.uniform(0.17, 0.24), rng.uniform(0.06, 0.09)
    shoulder = resample_curve([(r, 0.1), (r * 0.9, 0.2), (neck * 1.15, 0.3), (neck, 0.38)], 10)
    wall = [(0, -0.5), (r - 0.02, -0.5), (r, -0.47)]
    cap = [(neck, 0.4), (neck * 1.3, 0.4), (neck * 1.3, 0.5), (0, 0.5)]
    primitive.add_lathe([*wall, *((float(a), float(b)) for a, b in shoulder), *cap], solid=False)
    primitive.hulls += loft_hulls([(r, r, -0.5), (r, r, 0.1), (neck, neck, 0.36), (neck * 1.3, neck * 1.3, 0.5)], 14)
    return primitive


def _vessel(low: float, high: float, height: float, wall: float) -> Primitive:
    """Return a hollow vessel, open at the top: radius `low` at the foot, `high` at the rim."""
    primitive = Primitive()
    outer = [(0, 0.0), (low, 0.0), ((low + high) / 2 + 0.06, height * 0.45), (high, height)]
    inner = [(high - wall, height), ((low + high) / 2 + 0.06 - wall, height * 0.45), (low - wall, wall), (0, wall)]
    primitive.add_lathe([*outer, *inner], 36, solid=False)
    primitive.hulls.append(np.concatenate(loft_hulls([(low, low, 0), (low, low, wall)], 14)))
    for first, second, third, fourth in (
        (outer[1], outer[2], inner[2], inner[1]),
        (outer[2], outer[3], inner[1], inner[0]),
    ):
        for n in range(10):
            angles = np.linspace(n, n + 1, 3) * 2 * np.pi / 10
            edge = (first, second, third, fourth)
            primitive.hulls.append(np.array([[r * np.cos(a), r * np.sin(a), z] for a in angles for r, z in edge]))
    return primitive


def _cup(rng: np.random.Generator) -> Primitive:
    return _vessel(rng.uniform(0.24, 0.3), rng.uniform(0.33, 0.42), rng.uniform(0.7, 0.95), 0.04)


def _bowl(rng: np.random.Generator) -> Primitive:
    return _vessel(0.22, 0.5, rng.uniform(0.25, 0.4), 0.035)


def _l_shape(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    t, w, h = rng.uniform(0.18, 0.3), rng.uniform(0.1, 0.25), rng.uniform(0.6, 0.9)
    primitive.add_box((-0.5, -w, -t / 2), (0.5, w, t / 2))
    primitive.add_box((-0.5, -w, t / 2 - 0.02), (-0.5 + t, w, h - t / 2))
    return primitive


def _t_shape(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    t, w = rng.uniform(0.15, 0.25), rng.uniform(0.08, 0.16)
    primitive.add_box((-0.5, -t / 2, -w), (0.5, t / 2, w))
    primitive.add_box((-t / 2, t / 2 - 0.02, -w), (t / 2, 0.85, w))
    return primitive


def _cross(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    t, w = rng.uniform(0.14, 0.22), rng.uniform(0.08, 0.14)
    primitive.add_box((-0.5, -t / 2, -w), (0.5, t / 2, w))
    primitive.add_box((-t / 2, t / 2 - 0.02, -w), (t / 2, 0.5, w))
    primitive.add_box((-t / 2, -0.5, -w), (t / 2, -t / 2 + 0.02, w))
    return primitive


def _star(rng: np.random.Generator) -> Primitive:
    tips = int(rng.integers(5, 7))
    depth, inner = rng.uniform(0.08, 0.16), rng.uniform(0.2, 0.27)
    edge = np.stack([circle(0.5, tips), circle(inner, tips, start=180 / tips)], 1).reshape(-1, 2)
    caps, wall = fan(edge, -depth, depth)
    hulls = []
    for n in range(0, len(edge), 2):
        kite = np.array([edge[n - 1], edge[n], edge[n + 1], (0, 0)])
        hulls.append(np.concatenate([np.c_[kite, np.full(4, z)] for z in (-depth, depth)]))
    return Primitive([(caps, (1.0, 1.0)), (wall, (4.0, 2 * depth))], hulls)


def _hexagon(rng: np.random.Generator) -> Primitive:
    depth = rng.uniform(0.15, 0.5)
    edge = circle(0.5, 6)
    caps, wall = fan(edge, -depth, depth)
    solid = np.concatenate([np.c_[edge, np.full(6, z)] for z in (-depth, depth)])
    return Primitive([(caps, (1.0, 1.0)), (wall, (3.0, 2 * depth))], [solid])


def _capsule(rng: np.random.Generator) -> Primitive:
    primitive = Primitive()
    r = rng.uniform(0.14, 0.24)
    angle = np.linspace(0, np.pi / 2, 7)
    low = [(r * np.cos(a), -0.5 + r - r * np.sin(a)) for a in angle[::-1]]
    high = [(r * np.cos(a), 0.5 - r + r * np.sin(a)) for a in angle]
    primitive.add_lathe([*((max(a, 0.0), b) for a, b in low), *((max(a, 0.0), b) for a, b in high)])
    return primitive


def _arc(rng: np.random.Generator) -> Primitive:
    bend, radius = rng.uniform(0.8, 1.5), rng.uniform(0.07, 0.13)
    t = np.linspace(-bend, bend, 17)
    path = np.stack([0.5 * np.sin(t), 0.5 * np.cos(t), 0 * t], -1)
    half_width = radius * np.where(np.abs(t) == bend, 0.6, 1.0)
    hulls = [np.concatenate(sweep_hulls(path[n : n + 5 : 2], half_width[n : n + 5 : 2])) for n in range(0, 16, 4)]
    return Primitive([(sweep(path, half_width, segments=16), (2 * np.pi * radius, bend))], hulls)


PRIMITIVES: dict[str, tuple[Callable[[np.random.Generator], Primitive], tuple[str, ...]]] = {
    "ball": (_ball, ("ball", "toy")),
    "egg": (_egg, ("egg", "toy")),
    "box": (_box, ("box", "block", "package")),
    "cube": (_cube, ("cube", "block", "toy")),
    "cylinder": (_cylinder, ("can", "tin", "cylinder")),
    "disc": (_disc, ("disc", "puck", "lid")),
    "cone": (_cone, ("cone", "toy")),
    "pyramid": (_pyramid, ("pyramid", "block")),
    "ring": (_ring, ("ring", "hoop")),
    "rod": (_rod, ("rod", "stick", "bar")),
    "bottle": (_bottle, ("bottle", "flask")),
    "cup": (_cup, ("cup", "mug", "container")),
    "bowl": (_bowl, ("bowl", "dish")),
    "l-shape": (_l_shape, ("bracket", "corner piece")),
    "t-shape": (_t_shape, ("t-piece", "handle")),
    "cross": (_cross, ("cross", "plus sign")),
    "star": (_star, ("star", "ornament")),
    "hexagon": (_hexagon, ("nut", "hexagonal block")),
    "capsule": (_capsule, ("capsule", "pill")),
    "arc": (_arc, ("arc", "hook")),
}
"""Shape word -> (function that builds it, nouns for such an object)."""
