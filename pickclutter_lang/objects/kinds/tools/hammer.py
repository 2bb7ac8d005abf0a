"""Hammers: claw or cross-peen heads of steel on handles of wood, plastic or with a rubber grip."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a hammer, lying along y with its head at +y."""
    model = ModelBuilder()
    length, head = rng.uniform(210, 285), rng.uniform(80, 115)
    steel = finish(rng, "steel", ("grey",), wear=0.8, rgb=((66, 68, 72), (104, 106, 110), (140, 142, 146)))
    grip_type = choice(rng, ("wood", "wood", "plastic", "rubber"))
    colors = {"wood": ("brown",), "plastic": ("yellow", "red", "blue", "orange", "green")}.get(
        grip_type, ("black", "blue", "red", "orange")
    )
    grip = finish(rng, grip_type, colors, wear=0.6, rgb=WOODS if grip_type == "wood" else ())
    thick = rng.uniform(9, 12)
    y = np.linspace(0, length, 12)
    form = smooth([(1.0,), (1.25,), (1.15,), (0.9,), (0.85,), (0.8,)], 12)[:, 0] * thick
    if grip_type == "rubber":
        shaft = steel if rng.random() < 0.6 else finish(rng, "wood", "brown", rgb=WOODS)
        model.sweep(np.c_[0 * y, y, 0 * y], 0.75 * thick, shaft, 0.55 * thick, power=2.5, pieces=1)
        y = np.linspace(-2, length * rng.uniform(0.42, 0.5), 12)
        form = form * 1.1
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * 0.72, power=2.6, pieces=1)
    at, r = length - 12, rng.uniform(11, 14.5)
    model.box((r * 2.1, r * 2, r * 1.9), steel, rounding=3, at=(0, at, 0))
    face = [
        (0, 0),
        (r * 1.05, 0),
        (r * 1.15, 2),
        (r * 1.15, 14),
        (r * 0.95, 18),
        (r * 0.75, 21),
        (r * 0.75, head * 0.42),
    ]
    model.lathe(
        [(q, z - head * 0.42 - r * 0.4) for q, z in face], steel, turn=rotation("y", 90), at=(0, at, 0), pieces=2
    )
    claw = rng.random() < 0.75
    if claw:
        drop = rng.uniform(18, 32)
        for side in (-1, 1):
            spine = smooth(
                [
                    (r * 0.6, 2, side * 4),
                    (head * 0.3, 0, side * 5),
                    (head * 0.48, -drop * 0.4, side * 7),
                    (head * 0.62, -drop, side * 9.5),
                ],
                9,
            )
            model.sweep(
                np.add(spine, (0, at, 0)),
                np.linspace(r * 0.8, 2, 9),
                steel,
                np.linspace(7, 4, 9),
                power=3,
                segments=10,
                pieces=2,
            )
    else:
        x = np.linspace(r * 0.6, head * 0.55, 4)
        path = np.c_[x, np.full(4, at), 0 * x]
        model.sweep(path, np.linspace(r * 0.9, 2, 4), steel, np.linspace(r * 0.9, r, 4), power=5, pieces=1)
    words = {"wood": "with a wooden handle", "plastic": "with a plastic handle", "rubber": "with a rubber grip"}
    features = [words[grip_type], "with a claw" if claw else "without a claw"]
    return model.instance(steel, "t-shaped", features, colors=(*grip.colors, "grey"), density=1800)


KIND = Kind(
    name="hammer",
    synonyms=("carpenter's hammer", "nail hammer"),
    hypernyms=("tool",),
    function="driving nails",
    description="a long straight handle joined at a right angle to a heavy steel head with a flat round face on "
    "one end and a split, curved claw on the other",
    longest=(0.2, 0.3),
    sample=sample,
)
