"""Adjustable wrenches: a head with a fixed and a sliding jaw, a knurled wheel, bare or gripped handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_X, TOOL_COLORS, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample an adjustable wrench, lying with its jaws at +y."""
    model = ModelBuilder()
    length = rng.uniform(105, 240)
    r, thick = length * rng.uniform(0.095, 0.12), length * rng.uniform(0.045, 0.06)
    skin = steel(rng, (*STEEL, *STEEL, (60, 62, 66), (92, 94, 98)), wear=0.8)
    turn = rotation("z", rng.uniform(16, 24))
    y = np.linspace(-length + 2.4 * r, -0.6 * r, 10)
    half = r * np.linspace(rng.uniform(0.62, 0.72), rng.uniform(0.5, 0.6), 10)
    half[0] *= 0.75
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, thick * 0.4, power=4, pieces=1)
    gripped = rng.random() < 0.45
    colors = skin.colors
    if gripped:
        grip = finish(rng, "rubber", TOOL_COLORS, wear=0.4)
        part = y[:6] - 1
        model.sweep(np.c_[0 * part, part, 0 * part], half[:6] * 1.25 + 1, grip, thick * 0.62, power=3, pieces=1)
        colors = (*grip.colors, *colors)
    else:
        disc(model, 0.32 * r, -0.42 * thick, 0.42 * thick, plain((38, 38, 42)), at=(0, y[0] + 0.6 * r, 0))
    body = (
        np.array([(-1.2, 0.25), (-1.05, -0.7), (-0.5, -1.5), (0.4, -1.45), (1.05, -0.7), (1.3, 0.05), (1.2, 0.3)]) * r
    )
    model.prism(body, -0.55 * thick, 0.55 * thick, skin, turn=turn)
    top = np.array([(-1.2, 0.2), (-0.3, 0.2), (-0.3, 1.55), (-0.6, 1.7), (-1.0, 1.3)]) * r
    model.prism(top, -0.55 * thick, 0.55 * thick, skin, turn=turn)
    gap = rng.uniform(0.05, 0.75) * r
    jaw = np.array([(-0.28, -0.1), (0.6, -0.1), (0.55, 0.3), (0.2, 1.2), (-0.05, 1.45), (-0.28, 1.45)]) * r + [gap, 0]
    model.prism(jaw, -0.48 * thick, 0.48 * thick, skin.solid(0.9), turn=turn)
    wheel = turn @ ALONG_X
    at = turn @ np.array([0.0, -0.45 * r, 0.0])
    disc(model, 0.5 * r, -0.56 * thick, 0.56 * thick, plain((46, 46, 50)), at=at)
    screw = [(0, -0.38 * r), (0.62 * thick, -0.38 * r), (0.62 * thick, 0.38 * r), (0, 0.38 * r)]
    model.lathe(screw, ribbed((150, 152, 156), 12, 0.55, 0.1, 0.9), segments=14, at=at, turn=wheel, pieces=1)
    features = ["with a rubber grip" if gripped else "with a bare metal handle", "open" if gap > 0.35 * r else ""]
    return model.instance(skin, "long and thin", features, colors=colors, density=3500)


KIND = Kind(
    name="adjustable wrench",
    synonyms=("adjustable spanner", "crescent wrench", "shifting spanner"),
    hypernyms=("hand tool", "tool"),
    function="turning nuts of any size",
    description="a metal tool with a long flat handle and a wide head of two parallel jaws, one of which slides by a "
    "small ridged wheel",
    longest=(0.095, 0.26),
    sample=sample,
)
