"""Toy cars: cars, vans and pickups with painted bodies, windows, lights and black wheels."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural.surfaces import rotation

COLORS = ("red", "red", "blue", "yellow", "green", "orange", "white", "black", "pink", "turquoise", "purple", "grey")
GLASS, TIRE = (34, 42, 54), (28, 28, 30)
CABINS = {
    "car": (-0.3, 0.16, 0.14),
    "van": (-0.48, 0.3, 0.1),
    "pickup": (-0.02, 0.26, 0.1),
    "sports car": (-0.32, 0.06, 0.2),
}


def sample(rng: Rng) -> Instance:
    """Sample a toy car that drives towards +x."""
    model = ModelBuilder()
    form = choice(rng, ("car", "car", "van", "pickup", "sports car"))
    length = rng.uniform(65, 130)
    width, body = length * rng.uniform(0.4, 0.48), length * rng.uniform(0.15, 0.2)
    cabin = (
        length
        * (rng.uniform(0.15, 0.19) if form != "van" else rng.uniform(0.22, 0.28))
        * (0.75 if form == "sports car" else 1.0)
    )
    skin = finish(
        rng,
        choice(rng, ("plastic", "plastic", "metal", "wood")),
        COLORS,
        ("plain", "plain", "plain", "striped"),
        pitch=(5, 9),
    )
    wheel = length * rng.uniform(0.085, 0.11)
    low = wheel * 0.7
    model.box((length, width, body), skin, rounding=0.22 * body, at=(0, 0, low + body / 2))
    back, ahead, slope = (length * f for f in CABINS[form])
    bottom, top = low + body * 0.95, low + body + cabin
    half = width * 0.44
    side = np.array(
        [(back, bottom), (ahead + slope, bottom), (ahead, top), (back + slope * 0.5 * (form != "pickup"), top)]
    )
    model.prism(side, -half, half, skin.solid(), turn=rotation("x", 90))
    middle = side.mean(axis=0)
    panes = (side - middle) * [0.82, 0.68] + middle + [0, 0.03 * cabin]
    model.prism(panes, -half - 0.4, half + 0.4, plain(GLASS), turn=rotation("x", 90), hull=False)
    for a, b in ((side[1], side[2]), (side[3], side[0])):
        out = np.array([b[1] - a[1], a[0] - b[0]]) / np.linalg.norm(b - a)
        quad = np.array(
            [a + 0.15 * (b - a), a + 0.15 * (b - a) + out * 0.5, a + 0.88 * (b - a) + out * 0.5, a + 0.88 * (b - a)]
        )
        model.prism(quad, -half * 0.85, half * 0.85, plain(GLASS), turn=rotation("x", 90), hull=False)
    for x in (-0.3, 0.3):
        for side_y in (-1, 1):
            hub = finish(rng, "plastic", "grey").painted(TIRE)
            rim = [(0, -0.14), (0.9, -0.14), (1, -0.09), (1, 0.09), (0.9, 0.14), (0.55, 0.15), (0, 0.15)]
            at, turn = (x * length, side_y * width * 0.5, wheel), rotation("x", -90 * side_y)
            model.lathe(np.array(rim) * [wheel, length * 0.3], hub, segments=18, at=at, turn=turn)
            model.lathe(
                np.array([(0.55, 0.045), (0.5, 0.056), (0, 0.056)]) * [wheel, length],
                plain((196, 196, 200)),
                segments=12,
                at=at,
                turn=turn,
                hull=False,
            )
    for y in (-0.32, 0.32):
        model.ball(
            (3, width * 0.17, body * 0.3),
            plain((250, 240, 190)),
            rows=7,
            segments=10,
            at=(length / 2, y * width, low + body * 0.6),
            hull=False,
        )
        model.ball(
            (3, width * 0.16, body * 0.26),
            plain(tint(rng, "red")),
            rows=7,
            segments=10,
            at=(-length / 2, y * width, low + body * 0.6),
            hull=False,
        )
    words = {"van": "shaped like a van", "pickup": "shaped like a pickup", "sports car": "shaped like a sports car"}
    return model.instance(skin, "car-shaped", ["with four wheels", words.get(form, "")])


KIND = Kind(
    name="toy car",
    synonyms=("model car", "matchbox car", "miniature car"),
    hypernyms=("toy vehicle", "toy"),
    function="playing",
    description="a small, brightly colored vehicle with a rounded body, painted windows, and four black wheels",
    longest=(0.06, 0.14),
    sample=sample,
)
