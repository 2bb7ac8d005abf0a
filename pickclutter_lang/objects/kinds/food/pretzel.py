"""Pretzels: a knot of shiny brown dough with three holes and coarse salt."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import crust, strewn
from pickclutter_lang.objects.kinds.finishes import Rng, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx

BROWNS = ((136, 76, 36), (118, 64, 30), (154, 92, 44), (172, 110, 58))


def sample(rng: Rng) -> Instance:
    """Sample a pretzel, lying, its thick arc towards +x."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=BROWNS)
    color, crisp = skin.tints[0], rng.random() < 0.3
    half = rng.uniform(24, 36) if crisp else rng.uniform(56, 80)
    thick = half * (rng.uniform(0.1, 0.13) if crisp else rng.uniform(0.145, 0.19))
    tall = rng.uniform(0.72, 0.95)
    strand = [
        (-0.44, -0.7, 0.7),
        (-0.2, -0.3, 0.55),
        (0.08, 0.12, 0.5),
        (0.3, 0.52, 0),
        (0.62, 0.72, 0),
        (0.93, 0.42, 0),
        (0.88, -0.2, 0),
        (0.5, -0.64, 0),
    ]
    other = [(-x, y, -z if n in (1, 2) else z) for n, (x, y, z) in enumerate(strand)][::-1]
    path = smooth([*strand, (0, -0.8, 0), *other], 64) * [half, half * tall, 1.1 * thick]
    path = np.c_[-path[:, 1], path[:, 0], path[:, 2]]
    t = np.linspace(-1, 1, 64)
    widths = thick * (0.72 + 0.4 * np.exp(-((t / 0.22) ** 2))) * (1 - 0.65 * np.abs(t) ** 30)
    baked = crust(rng, color, (176, 40), 0.06)
    u, v = tx.uv_grid(176, 40)
    split = (
        (1 - tx.smoothstep(np.abs(u - 0.25 + 0.02 * np.sin(40 * v)), 0.05, 0.12))
        * (np.abs(v - 0.5) < 0.09)
        * (rng.random() < 0.5)
    )
    image = tx.to_uint8(tx.lerp_color(baked, (232, 204, 150), 0.85 * split))
    salted = rng.random() < 0.75
    if salted:
        grains = strewn(rng, image, int(rng.integers(60, 170)), ((246, 244, 238),), 0, 2)
        image = np.where((np.abs(u - 0.25) < 0.24)[..., None], grains, image)
    model.sweep(path, widths, image, segments=12, pieces=12)
    return model.instance(
        skin, "knot-shaped", ["with salt" if salted else "without salt", "thin" if crisp else "thick"]
    )


KIND = Kind(
    name="pretzel",
    synonyms=("brezel", "pretzel knot", "bread knot"),
    hypernyms=("baked good", "food"),
    function="snacking",
    description="a strand of brown dough twisted to a knot with three holes and baked to a shiny crust",
    longest=(0.045, 0.19),
    sample=sample,
)
