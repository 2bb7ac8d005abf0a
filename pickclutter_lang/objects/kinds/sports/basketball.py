"""Basketballs, mostly small ones: pebbled orange or two-colored rubber with black ribs."""

import numpy as np

from pickclutter_lang.objects.kinds.balls import add_ball, directions
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx

WORDS = ("orange", "orange", "orange", "orange", "orange", "brown", "brown", "blue", "red", "black", "purple", "green")


def sample(rng: Rng) -> Instance:
    """Sample a basketball."""
    model = ModelBuilder()
    word = choice(rng, WORDS)
    base = np.array([208, 100, 40]) * rng.uniform(0.85, 1.1, 3) if word == "orange" else tint(rng, word)
    if word == "brown":
        base = np.array([150, 78, 40]) * rng.uniform(0.85, 1.1)
    x, y, z = np.moveaxis(directions(), -1, 0)
    # Two great circles, and on both sides a curve that bows round the poles of the third axis.
    bow = np.abs(x) - rng.uniform(0.56, 0.66) - 0.42 * (y * y - 0.3)
    width = rng.uniform(0.02, 0.032)
    edge = np.minimum(np.minimum(np.abs(y), np.abs(z)), np.abs(bow) * 0.8)
    line = 1 - tx.smoothstep(edge, 0.7 * width, 1.2 * width)
    color = np.broadcast_to(base, (*x.shape, 3)).astype(float)
    two = rng.random() < (0.15 if word in ("orange", "brown") else 0.6)
    other = choice(rng, [c for c in ("white", "black", "yellow", "blue", "red") if c != word])
    if two:
        color = tx.lerp_color(color, tint(rng, other), (((y > 0) ^ (bow > 0)) if rng.random() < 0.5 else bow > 0) * 1.0)
    pebbles = tx.grid_noise(rng, x.shape, 46, 92)
    color = color * (1 + 0.07 * pebbles + 0.03 * tx.grid_noise(rng, x.shape, 4, 8))[..., None]
    ink = choice(rng, ("black", "black", "black", "white")) if word != "black" else "white"
    color = tx.lerp_color(color, tint(rng, ink), line)
    printed = rng.random() < 0.5
    if printed:
        image, _ = tx.canvas((192, 96), (0, 0, 0))
        tx.draw_text(
            image, choice(rng, ("HOOPS", "STREET", "INDOOR", "ALLSTAR", "SLAM")), (118, 40), 11, (255, 255, 255)
        )
        color = tx.lerp_color(color, tint(rng, ink), 0.9 * np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(100, 245), tx.to_uint8(color))
    skin = finish(rng, "rubber", word)
    features = [f"with {ink} lines", "with lettering" if printed else ""]
    colors = (word, other, ink) if two else (word, ink)
    pattern = "two-coloured" if two else "plain"
    return model.instance(skin, "spherical", features, colors=colors, pattern=pattern, density=90)


KIND = Kind(
    name="basketball",
    synonyms=("basket ball", "hoops ball"),
    hypernyms=("ball", "sports equipment"),
    function="playing basketball",
    description="a pebbled reddish brown rubber sphere divided by black lines that cross and curve around it",
    longest=(0.095, 0.25),
    sample=sample,
)
