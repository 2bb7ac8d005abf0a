"""Wrenches: combination and double open-ended ones of chromed or dark steel."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Finish, Rng, choice
from pickclutter_lang.objects.kinds.fittings import ring, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def sample(rng: Rng) -> Instance:
    """Sample a wrench, lying along y."""
    model = ModelBuilder()
    form = choice(rng, ("combination", "combination", "open", "ring"))
    jaw = rng.uniform(4, 11)
    length, thick = jaw * rng.uniform(15, 20) + 30, 2.2 + 0.32 * jaw
    skin = steel(rng, (*STEEL, *STEEL, (70, 72, 76), (96, 96, 100)), wear=0.8)
    y = np.linspace(-0.5, 0.5, 9) * (length - 3.4 * jaw)
    waist = np.interp(np.abs(y) / y.max(), [0, 0.7, 1], [0.82, 0.9, 1.25])
    model.sweep(np.c_[0 * y, y, 0 * y], waist * jaw, skin, thick / 2, power=rng.uniform(3, 6), pieces=1)
    if rng.random() < 0.6:
        low = y[1:-1]
        model.sweep(np.c_[0 * low, low, 0 * low], 0.4 * jaw, skin.solid(0.8), 0.54 * thick, power=5, hull=False)
    small = jaw * rng.uniform(0.8, 0.95) if form == "open" else jaw
    for side, size in ((1, jaw), (-1, small)):
        at = np.array([0, side * (length / 2 - 1.5 * size), 0])
        if form == "ring" or (form == "combination" and side < 0):
            ring(model, size, 1.62 * size, thick * 1.35, skin, at=at, edge=0.6)
        else:
            tilt = rotation("z", (0 if side > 0 else 180) + 15 * choice(rng, (-1, 1)))
            _jaws(model, size, thick * 1.2, skin, at, tilt)
    words = {
        "combination": ("with an open end and a ring end",),
        "open": ("with two open ends",),
        "ring": ("with two ring ends",),
    }
    return model.instance(skin, "long and thin", words[form], density=4500)


def _jaws(model: ModelBuilder, jaw: float, thick: float, skin: Finish, at: Floats, turn: Floats) -> None:
    """Add an open end: a disc with a slot of half-width `jaw` that opens towards +y."""
    angle = np.radians(np.linspace(58, -238, 15))
    outer = 2.15 * jaw * np.c_[np.cos(angle), np.sin(angle)] * [0.95, 1.0]
    slot = [(1, 1.75), (1, 1.0), (1, 0.2), (0.9, -0.4), (0.45, -0.75)]
    right = np.array([*slot, (0, -0.85)])
    half = np.c_[
        np.interp(np.linspace(0, 5, 8), range(6), right[:, 0]), np.interp(np.linspace(0, 5, 8), range(6), right[:, 1])
    ]
    inner = jaw * np.concatenate([half, half[-2::-1] * [-1, 1]])
    model.plate(outer, inner, -thick / 2, thick / 2, skin, pieces=4, at=at, turn=turn)


KIND = Kind(
    name="wrench",
    synonyms=("spanner", "fixed wrench", "flat wrench"),
    hypernyms=("hand tool", "tool"),
    function="turning nuts and bolts",
    description="a flat, slim bar of shiny metal with a u-shaped open jaw or a closed ring at each end",
    longest=(0.08, 0.27),
    sample=sample,
)
