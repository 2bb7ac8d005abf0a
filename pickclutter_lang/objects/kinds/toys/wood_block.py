"""Wood blocks: cuboids of natural, stained or painted wood with year rings on their ends."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

PAINTS = ["red", "blue", "green", "yellow", "orange"]


def _end(rng: Rng, color: Floats, width: float, height: float) -> TextureImage:
    """Paint year rings around a heart that may lie outside."""
    u, v = tx.uv_grid(64, 64)
    x, y = u * width - rng.uniform(-0.5, 1.5) * width, v * height - rng.uniform(-0.8, 0.3) * height
    rings = np.hypot(x, y) / rng.uniform(3.5, 8) + 0.15 * tx.grid_noise(rng, (64, 64), 4, 4)
    crack = tx.smoothstep(tx.grid_noise(rng, (64, 64), 2, 22), 1.8, 2.4)
    return tx.to_uint8(color * (1.02 - 0.22 * (rings % 1) ** 2 - 0.25 * crack)[..., None])


def sample(rng: Rng) -> Instance:
    """Sample a wood block, lying or standing, its grain along the longest side."""
    model = ModelBuilder()
    painted = rng.random() < 0.12
    skin = finish(rng, "wood", PAINTS if painted else "brown", rgb=() if painted else WOODS, wear=0.7)
    length, form = rng.uniform(80, 220), choice(rng, ("post", "post", "brick", "cube", "plank"))
    across = {"post": (0.35, 0.35), "brick": (0.5, 0.27), "cube": (0.9, 0.9), "plank": (0.3, 0.14)}[form]
    length *= 0.5 if form == "cube" else 1.0
    a, b = (length * f * rng.uniform(0.85, 1.1) for f in across)
    end, other = (_end(rng, skin.tints[0] * (1 if painted else 0.88), a, b) for _ in range(2))
    rounding = choice(rng, (0.5, 1.5, 4.0))
    if form in ("post", "cube") and rng.random() < 0.5:
        sides = {"top": end, "bottom": other} | {s: skin.image(a, length) for s in ("left", "right", "front", "back")}
        model.box((a, b, length), sides, rounding)
    else:
        side, top = np.rot90(skin.image(b, length)), np.rot90(skin.image(a, length), 2)
        # Sides run along y: their grain is horizontal, that of top and bottom upright.
        model.box(
            (a, length, b),
            {"right": side, "left": side, "front": end, "back": other, "top": top, "bottom": top},
            rounding,
        )
    features = ["painted" if painted else "unpainted", "with rounded edges" if rounding > 3 else ""]
    return model.instance(skin, "cube-shaped" if form == "cube" else "rectangular", features)


KIND = Kind(
    name="wood block",
    synonyms=("wooden block", "block of wood", "piece of timber"),
    hypernyms=("building toy", "toy"),
    function="building and stacking",
    description="a solid rectangular piece of wood with flat smooth faces, visible grain and year rings on its ends",
    longest=(0.035, 0.23),
    sample=sample,
)
