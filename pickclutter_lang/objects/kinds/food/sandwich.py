"""Sandwiches: two slices of bread, cut to triangles or whole, with leaves, cheese, ham, meat and tomato between."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import crumb, wavy
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

FILLINGS = {  # RGB, thickness in mm, how far it stands out, how wavy its edge is
    "salad": ((104, 160, 60), 4.0, 4.0, 0.09),
    "cheese": ((244, 200, 84), 3.0, 2.0, 0.01),
    "ham": ((232, 150, 146), 4.0, 2.0, 0.04),
    "tomato": ((206, 60, 44), 5.0, 1.0, 0.03),
    "meat": ((132, 84, 56), 6.0, 0.5, 0.04),
    "cream": ((244, 240, 226), 3.0, 0.0, 0.01),
}
BREADS = {"white": ((240, 226, 192), (234, 216, 178)), "brown": ((190, 146, 96), (172, 126, 80))}


def slice_outline(rng: Rng, half: float, triangle: bool) -> Floats:
    """Return the outline [N, 2] of a slice of toast with round corners, or of its diagonal half."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float) * half
    if triangle:
        corners = np.array([[0.62, -1.3], [0.62, 1.3], [-0.68, 0.0]]) * half
    corners *= rng.uniform(0.94, 1.06, (1, 2))
    points = []
    for before, at, after in zip(np.roll(corners, 1, 0), corners, np.roll(corners, -1, 0), strict=True):
        a, b = at + 0.13 * (before - at), at + 0.13 * (after - at)
        points += [a, 0.25 * a + 0.5 * at + 0.25 * b, b]
        points += [b + f * ((after + 0.13 * (at - after)) - b) for f in (0.2, 0.4, 0.6, 0.8)]
    return np.array(points)


def sample(rng: Rng) -> Instance:
    """Sample a sandwich, lying."""
    model = ModelBuilder()
    word = choice(rng, ("white", "white", "brown"))
    toasted = rng.random() < 0.35
    skin = finish(rng, "food", word, rgb=BREADS[word])
    half, triangle = rng.uniform(42, 58), rng.random() < 0.6
    outline = slice_outline(rng, half, triangle)
    face: Floats = crumb(rng, skin.tints[0], (80, 80), 0.09).astype(float)
    if toasted:
        face = tx.lerp_color(face, (176, 112, 54), tx.smoothstep(tx.grid_noise(rng, (80, 80), 3, 3), -1.2, 1.0) * 0.75)
    u = tx.uv_grid(24, 128)[0]
    rim = np.array((160, 100, 52)) * rng.uniform(0.8, 1.15)
    cut = (u < 0.4) if triangle else np.zeros(u.shape, dtype=bool)  # the first side of a triangle is the long one
    wall = np.where(
        cut[..., None],
        crumb(rng, skin.tints[0], (24, 128), 0.09),
        rim * (1 + 0.06 * tx.grid_noise(rng, u.shape, 4, 20))[..., None],
    )
    thick, z = rng.uniform(10, 16), 0.0
    model.prism(outline, z, z + thick, tx.to_uint8(face), tx.to_uint8(wall))
    z += thick
    edges: list[Floats] = []
    names = list(rng.permutation(list(FILLINGS))[: int(rng.integers(2, 5))])
    for name in [n for n in FILLINGS if n in names]:
        color, deep, out, edge = FILLINGS[name]
        angle = np.arctan2(*(outline - outline.mean(axis=0)).T)
        reach = 1 + (out * rng.uniform(0.3, 1.2) / half + wavy(rng, angle, edge) - 0.02)
        layer = (outline - outline.mean(axis=0)) * reach[:, None] + outline.mean(axis=0) + rng.normal(0, 0.8, 2)
        tone = np.array(color) * rng.uniform(0.88, 1.06)
        paint = peel(rng, tone, tone=0.1, patches=(tone * 0.8, 0.3), streaks=(tone * 1.15, 0.2), texels=(24, 64))
        deep *= rng.uniform(1.0, 2.2)
        model.prism(layer, z, z + deep, paint, hull=False)
        edges += [np.c_[layer, np.full(len(layer), h)] for h in (z, z + deep)]
        z += deep
    lid = thick * rng.uniform(0.9, 1.05)
    model.prism(outline, z, z + lid, tx.to_uint8(face), tx.to_uint8(wall))
    model.hull(np.concatenate(edges))
    features = [f"with {n}" for n in names if n != "cream"]
    return model.instance(
        skin,
        "triangular" if triangle else "rectangular",
        [*features, "toasted" if toasted else ""],
        colors=(word, "brown"),
    )


KIND = Kind(
    name="sandwich",
    synonyms=("filled sandwich", "toast sandwich"),
    hypernyms=("snack", "food"),
    function="eating for lunch",
    description="two slices of bread with layers of filling between them, such as leaves, ham or slices of vegetables",
    longest=(0.08, 0.18),
    sample=sample,
)
