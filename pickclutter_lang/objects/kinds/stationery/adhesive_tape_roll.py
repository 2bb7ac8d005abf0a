"""Rolls of adhesive tape: clear, brown, colored or grey, thin or thick, round a core of cardboard or plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import ring, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation

TAPES = {
    "clear": ("yellow", ((226, 206, 118), (216, 192, 100), (232, 212, 128))),
    "packing": ("brown", ((176, 122, 70), (160, 108, 58), (190, 138, 84))),
    "masking": ("yellow", ((228, 202, 104), (232, 208, 116))),
    "duct": ("grey", ((150, 152, 156), (128, 130, 134))),
}


def sample(rng: Rng) -> Instance:
    """Sample a roll of adhesive tape, lying or standing."""
    model = ModelBuilder()
    sort = choice(rng, (*TAPES, "colored", "colored", "colored"))
    if sort == "colored":
        skin = finish(rng, "plastic", words("red blue green yellow black white orange pink purple turquoise"), wear=0.3)
    else:
        skin = finish(rng, "plastic", TAPES[sort][0], wear=0.3, rgb=TAPES[sort][1])
    inner = rng.uniform(12, 20) if rng.random() < 0.4 else rng.uniform(30, 38)
    outer = inner + rng.uniform(5, 0.55 * inner + 8)
    tall = rng.uniform(10, 24) if inner < 22 else rng.uniform(12, 50)
    _, v = tx.uv_grid(128, 64)
    rings = tx.grid_noise(rng, (128, 64), 60, 2)
    wound = tx.to_uint8(skin.tints[0] * (1 + 0.05 * rings[..., None] * (np.abs(v - 0.5)[..., None] < 0.5)))
    turn = rotation("y", 90) if rng.random() < 0.35 else np.eye(3)
    ring(model, inner + 1.8, outer, tall, wound, wedges=8, segments=32, turn=turn)
    core = choice(rng, ("brown", "white", ""))
    rgb = {"brown": (176, 140, 96), "white": (236, 234, 228)}.get(core)
    paper = finish(rng, "cardboard" if core else "plastic", core or words("red blue green orange"))
    paper = paper.painted(rgb) if rgb else paper
    ring(
        model, inner, inner + 1.9, tall * (1.0 if rng.random() < 0.6 else 1.06), paper, wedges=0, segments=32, turn=turn
    )
    loose = rng.random() < 0.35
    if loose:
        t = np.linspace(0, 1, 6)
        angle = np.radians(90 - 26 * t)
        radius = outer + 0.3 + 7 * t**2
        path = np.c_[radius * np.cos(angle), radius * np.sin(angle), 0 * t]
        model.sweep(
            path @ turn.T, 0.45, skin.solid(0.92), tall / 2, power=6, segments=8, up=turn[:, 2].tolist(), pieces=1
        )
    features = [
        "with a cardboard core" if core else "with a plastic core",
        "with a loose end" if loose else "",
        "wide" if tall > 34 else "narrow" if tall < 14 else "",
    ]
    return model.instance(skin, "ring-shaped", features, density=900)


KIND = Kind(
    name="adhesive tape roll",
    synonyms=("roll of tape", "roll of sticky tape", "tape roll"),
    hypernyms=("office supply", "stationery"),
    function="sticking things together",
    description="a flat ring of tightly wound thin sticky film, smooth on the outside, around a hollow core",
    longest=(0.03, 0.14),
    sample=sample,
)
