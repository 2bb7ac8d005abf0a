"""Spinning tops: bodies like a turnip or a disc on a point, with a stem; turned wood, tin or plastic, with rings."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.palettes import ANY, BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a spinning top, leaning on its rim or standing on its point."""
    model = ModelBuilder()
    r, form = rng.uniform(18, 48), choice(rng, ("turnip", "turnip", "disc", "humming"))
    material = choice(rng, ("wood", "wood", "plastic", "metal"))
    natural = material == "wood" and rng.random() < 0.4
    word = "brown" if natural else choice(rng, ANY)
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    stem = r * rng.uniform(0.5, 1.1)
    body = {
        "turnip": [(0.02, 0), (0.1, 0.1), (0.5, 0.45), (0.92, 0.85), (1, 1.1), (0.86, 1.3), (0.3, 1.42), (0.14, 1.45)],
        "disc": [(0.02, 0), (0.08, 0.3), (0.2, 0.5), (0.95, 0.52), (1, 0.6), (0.95, 0.7), (0.3, 0.76), (0.13, 0.8)],
        "humming": [
            (0.03, 0),
            (0.1, 0.15),
            (0.55, 0.3),
            (0.92, 0.6),
            (1, 0.8),
            (0.86, 1.08),
            (0.45, 1.35),
            (0.12, 1.45),
        ],
    }[form]
    rows = smooth(body, 20) * [r, r * rng.uniform(0.85, 1.1)]
    z = float(rows[-1, 1])
    knob = rng.random() < 0.6
    thick = 0.11 * r
    image = skin.image(2 * np.pi * r, 3 * r).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    style = choice(rng, ("rings", "rings", "rings", "sectors", "plain"))
    others = [choice(rng, [c for c in (*BRIGHT, "white") if c != word]) for _ in range(2)]
    if style == "rings":
        for n in range(int(rng.integers(1, 5))):
            at, wide = rng.uniform(0.3, 0.9), rng.uniform(0.01, 0.05)
            image = tx.lerp_color(
                image, tint(rng, others[n % 2]), 1 - tx.smoothstep(np.abs(v - at), wide, wide + 0.012)
            )
    elif style == "sectors":
        count = int(rng.integers(3, 7))
        image = np.where((((u * 2 * count).astype(int) % 2 == 1) & (v > 0.25))[..., None], tint(rng, others[0]), image)
    tilt = rotation("x", choice(rng, (0, 48, 48)))
    model.lathe(rows, tx.to_uint8(image), turn=tilt, pieces=3)
    top = [(thick, z - 2), (thick, z + stem)]
    top += (
        [(thick * 2.2, z + stem), (thick * 2.4, z + stem + 2 * thick), (0, z + stem + 3.4 * thick)]
        if knob
        else [(0, z + stem)]
    )
    model.lathe(top, skin.solid(0.92), 12, 2, turn=tilt)
    features = ["with a knob" if knob else "without a knob", {"rings": "with painted rings"}.get(style, "")]
    colors = (word, *others[: 1 if style == "sectors" else 0])
    pattern = "striped" if style != "plain" else "plain"
    return model.instance(skin, "conical", features, colors=colors, pattern=pattern, density=600)


KIND = Kind(
    name="spinning top",
    synonyms=("toy top", "peg top", "whirling top"),
    hypernyms=("toy",),
    function="spinning",
    description="a round body, wide in the middle and pointed at the bottom, with a thin stem on top to twirl it",
    longest=(0.025, 0.15),
    sample=sample,
)
