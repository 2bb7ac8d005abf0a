"""Golf balls: small, hard, covered with dimples; white or in a bright color, with a number or a line."""

from functools import lru_cache

import numpy as np

from pickclutter_lang.objects.kinds.balls import add_ball, directions
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

WORDS = ["white", "white", "white", "white", "white", "white", "white", "yellow", "orange", "pink", "green"]


@lru_cache(maxsize=4)
def _dimples(count: int) -> tuple[Floats, Floats]:
    """Return how deep each texel lies in its dimple (0 to 1), and the offset [H, W, 3] from the dimple's center."""
    n = np.arange(count) + 0.5
    z, lon = 1 - 2 * n / count, np.pi * (1 + 5**0.5) * n
    centers = np.stack([np.sqrt(1 - z * z) * np.cos(lon), np.sqrt(1 - z * z) * np.sin(lon), z], -1)
    d = directions(112)
    product = (d.astype(np.float32) @ centers.T.astype(np.float32)).astype(float)
    radius = 1.75 / np.sqrt(count)
    angle = np.arccos(np.clip(product.max(axis=-1), -1, 1)) / radius
    return 1 - tx.smoothstep(angle, 0.7, 1.0), (d - centers[product.argmax(axis=-1)]) / radius


def sample(rng: Rng) -> Instance:
    """Sample a golf ball."""
    model = ModelBuilder()
    word = choice(rng, WORDS)
    base = np.array([238, 238, 234]) if word == "white" else tint(rng, word) * 1.05
    inside, offset = _dimples(choice(rng, (160, 210, 260)))
    light = rng.normal(size=3)
    slope = offset @ (light / np.linalg.norm(light))
    depth = rng.uniform(0.6, 1.0)
    color = base * (1 - depth * inside * (0.13 + 0.12 * slope))[..., None] * rng.uniform(0.92, 1.05)
    color = tx.lerp_color(color, (110, 120, 70), 0.5 * rng.beta(1, 4) * tx.smoothstep(_dirt(rng), 0, 2))
    logo = rng.random() < 0.7
    if logo:
        image, draw = tx.canvas((224, 112), (0, 0, 0))
        tx.draw_text(image, str(rng.integers(1, 9)), (112, 64), 13, (255, 255, 255))
        draw.rectangle([96, 50, 128, 53], fill=(255, 255, 255))
        ink = tint(rng, choice(rng, ("black", "red", "blue")))
        color = tx.lerp_color(color, ink, np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(41, 45), tx.to_uint8(color))
    skin = finish(rng, "plastic", word)
    features = ["with dimples", "with a number" if logo else ""]
    return model.instance(skin, "spherical", features, density=1130)


def _dirt(rng: Rng) -> Floats:
    return tx.grid_noise(rng, (112, 224), 4, 8)


KIND = Kind(
    name="golf ball",
    synonyms=("golfing ball", "dimpled ball"),
    hypernyms=("ball", "sports equipment"),
    function="playing golf",
    description="a small, hard, shiny sphere, mostly white, covered all over with shallow round dimples",
    longest=(0.038, 0.047),
    sample=sample,
)
