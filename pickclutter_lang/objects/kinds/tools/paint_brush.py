"""Paint brushes: wide flat ones for walls, with a shaped handle, a metal ferrule and bristles, clean or used."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BRASS, BRIGHT, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx

BRISTLES = ((40, 36, 34), (212, 188, 140), (150, 110, 66), (236, 228, 206), (84, 62, 44))


def sample(rng: Rng) -> Instance:
    """Sample a paint brush, lying with its bristles at +y."""
    model = ModelBuilder()
    wide, thick = rng.uniform(14, 42), rng.uniform(6, 10)
    grip, band, hair = rng.uniform(80, 120), rng.uniform(20, 32), rng.uniform(0.8, 1.2) * (26 + 0.6 * wide)
    wooden = rng.random() < 0.55
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS)
        if wooden
        else finish(rng, choice(rng, ("plastic", "wood")), BRIGHT, wear=0.5)
    )
    y = np.linspace(-grip, 0, 16)
    neck = rng.uniform(0.42, 0.62) * 15
    form = smooth([(6,), (9.5,), (neck,), (neck * 0.95,), (0.7 * wide,), (wide,)], 16)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], form, skin, np.linspace(4.5, 0.85 * thick, 16), power=2.8, pieces=3)
    if rng.random() < 0.6:
        disc(model, 2.6, -5, 5, plain((36, 34, 32)), at=(0, -grip + 9, 0))
    metal = steel(rng).painted(BRASS) if rng.random() < 0.25 else steel(rng)
    y = np.linspace(-2, band, 5)
    model.sweep(np.c_[0 * y, y, 0 * y], wide * np.array([1, 1.04, 1, 1.04, 1]), metal, thick, power=4, pieces=1)
    for x in (-0.5, 0, 0.5):
        disc(model, 1.3, -thick - 0.5, thick + 0.5, plain((96, 96, 98)), at=(x * wide, 0.3 * band, 0))
    base = np.array(choice(rng, BRISTLES)) * rng.uniform(0.85, 1.1)
    _, v = tx.uv_grid(96, 112)
    strands = tx.grid_noise(rng, (96, 112), 3, 56)
    color = base * (1 + 0.16 * strands[..., None])
    word = choice(rng, ("white", "blue", "red", "green", "yellow", "orange", "pink"))
    painted = rng.random() < 0.35
    if painted:
        edge = rng.uniform(0.35, 0.7) + 0.08 * tx.grid_noise(rng, (96, 112), 2, 16)
        color = tx.lerp_color(
            color, tint(rng, word) * (1 + 0.06 * strands[..., None]), tx.smoothstep(v - edge, 0, 0.06)
        )
    y, flare = np.linspace(band - 1, band + hair, 7), rng.uniform(0.98, 1.1)
    widths = wide * np.array([0.97, 0.98, 1, 1.01, 1.02, 1.02, 1.0]) * np.linspace(1, flare, 7)
    tip = thick * np.array([0.95, 0.97, 0.95, 0.85, 0.65, 0.45, 0.2])
    model.sweep(np.c_[0 * y, y, 0 * y], widths, tx.to_uint8(color), tip, power=3.6, segments=20, pieces=1)
    features = [
        "with a wooden handle" if skin.material == "wood" else "with a plastic handle",
        f"with {word} paint on it" if painted else "clean",
        "wide" if wide > 32 else "narrow" if wide < 20 else "",
    ]
    return model.instance(skin, "long and flat", features, density=600)


KIND = Kind(
    name="paint brush",
    synonyms=("paintbrush", "painter's brush", "painting brush"),
    hypernyms=("brush", "hand tool", "tool"),
    function="painting walls and wood",
    description="a flat tool with a shaped wooden or plastic grip, a shiny metal band, and a wide bunch of hairs "
    "at the end",
    longest=(0.12, 0.26),
    sample=sample,
)
