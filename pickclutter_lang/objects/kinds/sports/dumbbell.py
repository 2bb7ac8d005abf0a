"""Dumbbells: two weights, hexagonal, round, of discs or spheres, on a short bar of steel or in one color."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def sample(rng: Rng) -> Instance:
    """Sample a dumbbell, lying along y."""
    model = ModelBuilder()
    length, form = rng.uniform(130, 240), choice(rng, ("hexagonal", "hexagonal", "round", "discs", "spheres"))
    r, wide = length * rng.uniform(0.17, 0.24), length * rng.uniform(0.2, 0.28)
    colors = ("black", "black", "grey") if form == "discs" else ("black", "black", "black", *BRIGHT, "grey")
    word = choice(rng, colors)
    material = "metal" if form == "discs" or word == "grey" else choice(rng, ("rubber", "plastic"))
    skin = finish(rng, material, word, wear=0.5)
    same = form != "discs" and rng.random() < 0.5
    bar = skin if same else finish(rng, "steel", "grey", rgb=STEEL)
    thick = r * rng.uniform(0.3, 0.42)
    turn = rotation("x", -90)
    inner = length / 2 - wide
    grip = smooth([(0.85,), (1.0,), (1.12,), (1.0,), (0.85,)], 9)[:, 0] * thick
    model.lathe(np.c_[grip, np.linspace(-inner - 2, inner + 2, 9)], bar, segments=16, pieces=1, turn=turn)
    number = _cap(rng, skin.tints[0], word)
    for side in (-1, 1):
        at, end = (0, side * (inner + wide / 2), 0), turn @ rotation("y", 90 - 90 * side)
        if form == "spheres":
            model.ball((2 * r, min(wide * 1.1, 2 * r), 2 * r), skin, rows=13, segments=20, at=at)
        elif form == "discs":
            for n, (share, part) in enumerate(((1.0, 0.42), (0.8, 0.3), (0.42, 0.28))):
                z = wide * (-0.5 + (0, 0.42, 0.72)[n])
                disc = np.array([(0.9, 0), (1, 0.1), (1, 0.9), (0.9, 1), (0, 1)]) * [r * share, wide * part] + [0, z]
                model.lathe(np.r_[[(0, z)], disc], bar if n == 2 else skin, segments=22, at=at, turn=end, pieces=1)
        else:
            count = 6 if form == "hexagonal" else 24
            e = 0.14 * wide
            rows = np.array([(0, -0.5), (0.82, -0.5), (1, -0.5), (1, 0.5), (0.82, 0.5)]) * [r, wide] + [
                (0, 0),
                (0, 0),
                (0, e),
                (0, -e),
                (0, 0),
            ]
            tilt = end @ rotation("z", 30 * (count == 6))
            model.lathe(rows, skin, segments=count, at=at, turn=tilt, pieces=1)
            ring = np.linspace(0, 2 * np.pi, count, endpoint=False)
            face = np.c_[np.cos(ring), np.sin(ring)] * 0.82 * r
            model.prism(face, 0.5 * wide - 0.2, 0.5 * wide, number, at=at, turn=tilt, hull=False)
    shape = {"hexagonal": "with hexagonal ends", "round": "with round ends", "discs": "with weight plates"}
    features = [shape.get(form, "with ball-shaped ends"), "with a steel bar" if not same else ""]
    words = (word,) if same else (word, "grey")
    return model.instance(skin, "long and thin", features, colors=words, density=2500)


def _cap(rng: Rng, color: Floats, word: str) -> TextureImage:
    image, _ = tx.canvas((48, 48), [int(c) for c in np.clip(color, 0, 255)])
    ink = (24, 24, 26) if word in ("yellow", "pink", "orange", "turquoise") else (236, 236, 232)
    tx.draw_text(image, f"{rng.integers(1, 12)}", (24, 24), 22, ink)
    return np.asarray(image)


KIND = Kind(
    name="dumbbell",
    synonyms=("hand weight", "free weight", "barbell for one hand"),
    hypernyms=("sports equipment",),
    function="training muscles",
    description="a short bar with a thick heavy weight at each end, for one hand",
    longest=(0.125, 0.25),
    sample=sample,
)
