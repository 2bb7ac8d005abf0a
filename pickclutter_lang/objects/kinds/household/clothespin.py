"""Clothespins: two wooden or plastic legs with a steel spring between them, closed or squeezed open."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a clothespin, lying on its side along y, or on one leg."""
    model = ModelBuilder()
    long, wooden = rng.uniform(48, 92), rng.random() < 0.5
    word = "brown" if wooden else choice(rng, TOYS)
    skin = finish(
        rng, "wood" if wooden else "plastic", word, rgb=(*WOODS[:1], WOODS[2], (214, 176, 122)) if wooden else ()
    )
    image = np.rot90(skin.image(10, long, 80)) if wooden else skin.image(40, 20, 48)
    wide, thick = long * rng.uniform(0.11, 0.17), long * rng.uniform(0.075, 0.1)
    gape = rng.uniform(6, 12) if rng.random() < 0.25 else 0.0
    # A leg seen from the side, in (y, z): its jaw is at +y and touches the other leg; its grip spreads at -y.
    pivot = long * rng.uniform(0.02, 0.1)
    spread = long * rng.uniform(0.09, 0.14)
    if wooden:
        top = [(0.5, 0.55), (0.42, 1.0), (-0.5, 0.85 + 0.4)]
        low = [(-0.5, spread / thick - 0.1), (pivot / long - 0.06, 0.05), (0.5, 0.03)]
    else:
        top = [(0.5, 0.5), (0.44, 0.9), (0.1, 1.15), (-0.2, 1.5), (-0.46, 1.9), (-0.5, 1.7)]
        low = [
            (-0.48, spread / thick - 0.1),
            (-0.2, 0.5),
            (pivot / long - 0.05, 0.1),
            (0.34, 0.25),
            (0.42, 0.02),
            (0.5, 0.02),
        ]
    if wooden:
        top[-1] = (-0.5, spread / thick + 0.55)
    else:
        top[-1] = (-0.5, spread / thick + 0.25)
        top[-2] = (-0.44, spread / thick + 0.45)
    turn = rotation("y", choice(rng, (0, 90, 90))) @ rotation("z", choice(rng, (0, 180)))
    for s in (-1, 1):
        outline = np.array([*low, *top]) * [long, thick]
        swing = rotation("x", s * gape)
        mirror = outline * [1, s]
        points = mirror if s > 0 else mirror[::-1]
        pose = turn @ swing @ rotation("z", 90) @ rotation("x", 90)
        model.prism(points, -wide / 2, wide / 2, image, turn=pose)
    coil = thick * rng.uniform(0.5, 0.65)
    steel = plain(np.array([172, 174, 178]) * rng.uniform(0.8, 1.1))
    rows = [(0, -wide * 0.62), (coil, -wide * 0.62), (coil, wide * 0.62), (0, wide * 0.62)]
    model.lathe(rows, steel, 14, 1, at=turn @ [0, pivot, 0], turn=turn @ rotation("y", 90))
    for s in (-1, 1):
        y, x = pivot + long * rng.uniform(0.14, 0.2), s * wide * 0.54
        path = np.array(
            [
                (x, pivot, coil * 0.7),
                (x, (pivot + y) / 2, thick * 0.8),
                (x * 0.9, y, thick * 1.05),
                (0, y + 0.5, thick * 1.1),
            ]
        )
        for side in (-1, 1):
            model.sweep(path * [1, 1, side], 0.9, steel, segments=6, up=(0.1, 0.1, 1), turn=turn, hull=False)
    features = ["open" if gape else "closed", "with a metal spring"]
    return model.instance(skin, "long and thin", features, density=500)


KIND = Kind(
    name="clothespin",
    synonyms=("clothes peg", "clothes pin", "laundry peg", "washing peg"),
    hypernyms=("household item",),
    function="hanging laundry",
    description="two narrow legs of wood or plastic pressed together at one end by a small coiled steel spring",
    longest=(0.045, 0.1),
    sample=sample,
)
