"""Push pins: colored plastic heads, waisted or round, with a short steel needle."""

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import rotation

HEADS = {
    "waisted": [
        (0.85, 0),
        (0.98, 0.05),
        (1.0, 0.14),
        (0.7, 0.24),
        (0.5, 0.5),
        (0.56, 0.72),
        (1.15, 0.84),
        (1.2, 0.95),
        (1.05, 1),
    ],
    "tapered": [(0.7, 0), (0.95, 0.06), (0.95, 0.16), (0.62, 0.3), (0.62, 0.74), (1.0, 0.8), (1.0, 0.95), (0.9, 1)],
    "round": [(0.01, 0), (0.7, 0.12), (1.0, 0.42), (0.86, 0.76), (0.45, 0.96), (0.2, 1)],
}


def sample(rng: Rng) -> Instance:
    """Sample a push pin, leaning on the rim of its head with its needle down, or lying."""
    model = ModelBuilder()
    form = choice(rng, ("waisted", "waisted", "waisted", "tapered", "round"))
    r = rng.uniform(4.4, 6.4)
    head = r * (rng.uniform(2.0, 2.7) if form != "round" else rng.uniform(1.8, 2.0))
    skin = finish(rng, choice(rng, ("plastic", "plastic", "plastic", "wood")), BRIGHT, wear=0.2)
    if skin.material == "wood" and rng.random() < 0.5:
        skin = finish(rng, "wood", "brown", rgb=((206, 160, 104), (188, 132, 76)))
    lean = rotation("x", -90 + rng.uniform(-14, 14) if rng.random() < 0.7 else 0.0)
    profile = smooth(HEADS[form], 20) * [r, head]
    model.lathe([(0, 0), *profile, (0, head)], skin, segments=20, pieces=3, turn=lean)
    needle, thin = rng.uniform(8, 13), rng.uniform(0.5, 0.75)
    rows = [
        (0, head - 0.5),
        (1.5 * thin, head - 0.5),
        (thin, head + 1.5),
        (thin, head + 0.72 * needle),
        (0, head + needle),
    ]
    model.lathe(rows, steel(rng), segments=10, pieces=1, turn=lean)
    return model.instance(skin, "waisted" if form == "waisted" else form, ["with a sharp point"], density=1300)


KIND = Kind(
    name="push pin",
    synonyms=("pushpin", "drawing pin", "board pin"),
    hypernyms=("fastener", "office supply", "stationery"),
    function="fixing paper to a board",
    description="a very small colored plastic head, waisted like a spool, with a short thin steel needle",
    longest=(0.018, 0.034),
    sample=sample,
)
