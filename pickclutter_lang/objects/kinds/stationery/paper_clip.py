"""Paper clips: bent wires with three turns, rounded, square or triangular, of steel, copper or colored plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample a paper clip, lying along y."""
    model = ModelBuilder()
    length = rng.uniform(24, 58)
    wide, thin = length * rng.uniform(0.2, 0.27), max(0.7, length * rng.uniform(0.017, 0.026))
    if rng.random() < 0.5:
        skin = finish(rng, "plastic", BRIGHT, ("plain",) * 4 + ("striped",), pitch=(3, 6), wear=0.2)
    else:
        word, rgb = choice(
            rng,
            (
                ("grey", STEEL),
                ("grey", STEEL),
                ("grey", STEEL),
                ("orange", ((202, 124, 82),)),
                ("yellow", ((206, 166, 74),)),
            ),
        )
        skin = finish(rng, "metal", word, wear=0.3, rgb=rgb)
    form = choice(rng, ("rounded", "rounded", "rounded", "triangular", "square"))
    power = {"rounded": 2.0, "triangular": 1.25, "square": 5.0}[form]

    def turn(x: float, half: float, y: float, side: int) -> Floats:
        """Return a half turn round (x, y) from its right end to its left (`side` 1) along the top, or mirrored."""
        t = np.radians(np.linspace(0, 180, 9))
        c, s = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** (2 / power), np.sin(t) ** (2 / power)
        return np.asarray(np.c_[x + side * half * c, y + side * half * s])

    a, gap = wide / 2, 2.3 * thin
    low, high = -length / 2 + a, length / 2 - a
    inner = a - gap / 2
    line = np.concatenate(
        [
            [(a, high * rng.uniform(-0.6, 0.2) - 0.1 * length)],
            turn(0, a, high, 1),
            turn(-gap / 2 + 0.0, inner, low, -1),
            turn(-gap / 2 + gap / 2, inner - gap / 2, high - 0.16 * length, 1),
            [(-inner + gap / 2, low + 0.3 * length)],
        ]
    )
    lift = 0.5 * thin * np.sin(np.linspace(0, 3 * np.pi, len(line)))
    path = smooth(np.c_[line, lift], 2 * len(line) - 1)
    if form == "rounded":
        model.sweep(path, thin, skin, segments=8, hull=False)
    else:
        model.sweep(np.c_[line, lift], thin, skin, segments=8, hull=False)
    rails = {round(float(x), 3) for x in (a, -a, inner - gap / 2, -inner + gap / 2)}
    for x in rails:
        model.hull([(x + p, y, z) for p in (-thin, thin) for y in (low, high) for z in (-1.5 * thin, 1.5 * thin)])
    for n, (y, side, half) in enumerate(((high, 1, a), (low, -1, inner), (high - 0.16 * length, 1, inner - gap / 2))):
        arc = turn(0 if n != 1 else -gap / 2, half + thin, y, side)
        for part in (arc[:5], arc[4:]):
            model.hull(
                [
                    (*p, z)
                    for p in np.concatenate([part, part * 0.86 + [0, 0.14 * y]])
                    for z in (-1.5 * thin, 1.5 * thin)
                ]
            )
    features = [form, "coated with plastic" if skin.material == "plastic" else "bare"]
    return model.instance(skin, "flat and oval", features, density=2500)


KIND = Kind(
    name="paper clip",
    synonyms=("paperclip", "wire paper clip"),
    hypernyms=("fastener", "office supply", "stationery"),
    function="holding sheets of paper together",
    description="a thin wire bent flat into two long loops, one inside the other",
    longest=(0.022, 0.062),
    sample=sample,
)
