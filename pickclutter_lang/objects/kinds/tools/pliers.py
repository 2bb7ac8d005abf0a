"""Pliers: combination and needle-nose ones, two crossed halves with dipped or soft handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import DARK_STEELS, TOOL_COLORS, banded, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, smooth
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample pliers, lying with their jaws at +y."""
    model = ModelBuilder()
    form = choice(rng, ("broad", "broad", "needle"))
    handle = rng.uniform(85, 125)
    jaw = handle * (rng.uniform(0.36, 0.45) if form == "broad" else rng.uniform(0.5, 0.68))
    metal = steel(rng, DARK_STEELS, wear=0.8)
    bare = rng.random() < 0.08
    skin = metal if bare else finish(rng, choice(rng, ("plastic", "rubber")), TOOL_COLORS, wear=0.4)
    grip: Skin = skin
    colors = metal.colors if bare else (*skin.colors, *metal.colors)
    if not bare and rng.random() < 0.45:
        second = choice(rng, [c for c in ("black", "yellow", "grey", "red") if c != skin.colors[0]])
        cuts = rng.uniform(0.12, 0.3), rng.uniform(0.6, 0.85)
        grip = banded([(0, skin.tints[0]), (cuts[0], tint(rng, second)), (cuts[1], skin.tints[0])])
        colors = (skin.colors[0], second, *metal.colors)
    angle = rng.uniform(0, 5) if rng.random() < 0.6 else rng.uniform(6, 16)
    wide, thick = handle * rng.uniform(0.08, 0.1), rng.uniform(4.5, 6.5)
    bow, spread = rng.uniform(0.1, 0.2) * handle, rng.uniform(0.13, 0.2) * handle
    for side in (-1, 1):
        turn = rotation("z", -0.5 * angle * side)
        y = np.linspace(0, jaw, 8)
        tip = 0.5 * (2.8 if form == "needle" else rng.uniform(6.5, 8))
        half = np.interp(y / jaw, [0, 0.35, 1], [0.62 * wide, 0.5 * wide, tip])
        if form == "needle":
            half = np.interp(y / jaw, [0, 0.25, 1], [0.6 * wide, 0.4 * wide, tip])
        model.sweep(
            np.c_[side * (half + 0.2), y, 0 * y],
            half,
            metal,
            np.linspace(thick, 0.7 * thick, 8),
            power=4,
            turn=turn,
            pieces=1,
        )
        line = [
            (-side * 2, 6),
            (side * 0.3 * bow, -0.12 * handle),
            (side * (bow + 4), -0.45 * handle),
            (side * spread, -handle),
        ]
        path = smooth(np.c_[np.array(line), np.zeros(4)], 14)
        model.sweep(path[:6], np.linspace(0.55 * wide, 0.4 * wide, 6), metal, 0.8 * thick, power=3, turn=turn, pieces=2)
        form_width = np.interp(np.linspace(0, 1, 11), [0, 0.12, 0.5, 0.9, 1], [0.62, 0.5, 0.56, 0.52, 0.35])
        model.sweep(path[3:], form_width * wide, grip, form_width * wide * 0.95, power=2.4, turn=turn, pieces=2)
    disc(model, 0.85 * wide, -thick, thick, metal.solid(0.95))
    disc(model, 0.4 * wide, -thick - 0.8, thick + 0.8, metal.solid(0.7))
    features = [
        "with long thin jaws" if form == "needle" else "with broad jaws",
        "open" if angle > 8 else "",
        "" if bare else f"with {skin.material} grips",
    ]
    return model.instance(skin, "x-shaped", features, colors=colors, material=skin.material, density=2500)


KIND = Kind(
    name="pliers",
    synonyms=("pair of pliers", "gripping pliers", "hand pliers"),
    hypernyms=("hand tool", "tool"),
    function="gripping and bending wire",
    description="two crossed metal levers joined at a round pivot, with short strong jaws at one end and two long, "
    "curved, coated grips at the other",
    longest=(0.11, 0.25),
    sample=sample,
)
