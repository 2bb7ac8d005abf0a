"""Bowling pins: white bottles of wood or plastic with colored stripes round the neck; colored sets for children."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample a bowling pin, standing."""
    model = ModelBuilder()
    h = rng.uniform(130, 295)
    r = h * rng.uniform(0.145, 0.175)
    word = choice(rng, ("white",) * 14 + BRIGHT[:4] + ("brown",))
    skin = finish(rng, "wood" if word == "brown" else "plastic", word, rgb=WOODS if word == "brown" else ())
    ink = choice(rng, [c for c in ("red",) * 5 + ("blue", "green", "black", "white") if c != word])
    slim, head = rng.uniform(0.36, 0.44), rng.uniform(0.5, 0.58)
    form = [
        (0.5, 0),
        (0.56, 0.02),
        (0.9, 0.18),
        (1, 0.32),
        (0.8, 0.48),
        (slim, 0.66),
        (slim * 1.02, 0.73),
        (head, 0.87),
    ]
    profile = np.r_[smooth(form, 24), smooth([(head, 0.87), (head * 0.8, 0.96), (0.0, 1.0)], 8)[1:]] * [r, h]
    image = skin.image(2 * np.pi * r, 1.1 * h).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))]
    z = np.interp(v, lengths / lengths[-1], profile[:, 1] / h)
    stripes = choice(rng, (1, 2, 2, 2, 2, 0))
    middle, gap, wide = rng.uniform(0.66, 0.74), rng.uniform(0.025, 0.04), rng.uniform(0.01, 0.018)
    for n in range(stripes):
        at = middle + gap * (2 * n - stripes + 1)
        image = tx.lerp_color(image, tint(rng, ink), 1 - tx.smoothstep(np.abs(z - at), wide, wide + 0.008))
    emblem = rng.random() < 0.3
    if emblem:
        u = (tx.uv_grid(*image.shape[:2])[0] + 0.5) % 1 - 0.5
        crown = np.hypot(u * 2 * np.pi * r, (z - 0.34) * h) < 0.3 * r
        image = np.where(crown[..., None], tint(rng, ink), image)
    model.lathe(profile, tx.to_uint8(image), pieces=4)
    model.lathe([(0, 0.5), (profile[0, 0], 0)], skin.solid(), hull=False)
    count = {0: "without stripes", 1: f"with a {ink} stripe", 2: f"with two {ink} stripes"}[stripes]
    colors = (word, ink) if stripes or emblem else (word,)
    features = [count, "with a round emblem" if emblem else ""]
    return model.instance(skin, "bottle", features, colors=colors, pattern="striped" if stripes else "plain")


KIND = Kind(
    name="bowling pin",
    synonyms=("skittle", "ninepin", "tenpin"),
    hypernyms=("sports equipment", "toy"),
    function="bowling",
    description="a white, bulging club that stands upright, with a thin neck, a rounded head and red stripes "
    "around the neck",
    longest=(0.125, 0.3),
    sample=sample,
)
