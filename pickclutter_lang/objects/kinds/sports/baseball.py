"""Baseballs: white leather with the curved seam and its red stitches; new, used or signed."""

import numpy as np

from pickclutter_lang.objects.kinds.balls import add_ball, directions, seam, tennis_curve
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats


def _stitches(curve: Floats, count: int, reach: float) -> Floats:
    """Return points along short slanted stitches on both sides of a closed seam."""
    near = np.linspace(0, len(curve), count, endpoint=False).astype(int)
    center, ahead = curve[near], curve[(near + 1) % len(curve)] - curve[near]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(center, ahead)
    steps = [center + s * f * reach * side + f * 0.6 * reach * ahead for s in (-1, 1) for f in np.linspace(0.15, 1, 5)]
    points = np.concatenate(steps)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def sample(rng: Rng) -> Instance:
    """Sample a baseball."""
    model = ModelBuilder()
    word = choice(rng, ("white",) * 9 + ("yellow",))
    used = rng.beta(1, 2)
    base = tint(rng, word) * (1.0, 1.0 - 0.06 * used, 1.0 - 0.2 * used) if word == "white" else tint(rng, word) * 1.02
    curve = tennis_curve(rng.uniform(0.6, 0.68), 480)
    shape = directions().shape[:2]
    color = base * (1 + 0.02 * tx.grid_noise(rng, shape, 30, 60))[..., None]
    dirt = tx.smoothstep(tx.grid_noise(rng, shape, 5, 9), -0.3, 2.2) * used
    color = tx.lerp_color(color, (136, 104, 66), 0.65 * dirt)
    color = color * (1 - 0.35 * seam(curve, 0.035))[..., None]
    ink = choice(rng, ("red",) * 8 + ("blue", "black"))
    color = tx.lerp_color(color, tint(rng, ink), seam(_stitches(curve, int(rng.integers(84, 110)), 0.105), 0.042))
    printed = rng.random() < 0.5
    if printed:
        image, draw = tx.canvas((192, 96), (0, 0, 0))
        tx.draw_text(image, choice(rng, ("LEAGUE", "OFFICIAL", "CORK CENTER", "PRO")), (96, 45), 9, (255, 255, 255))
        draw.line([(80, 53), (112, 53)], fill=(255, 255, 255))
        color = tx.lerp_color(color, choice(rng, ((40, 50, 120), (30, 30, 34))), 0.8 * np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(70, 77), tx.to_uint8(color))
    skin = finish(rng, "leather", word)
    features = [f"with {ink} stitches", "worn" if used > 0.5 else "", "with lettering" if printed else ""]
    return model.instance(skin, "spherical", features, colors=(word, ink), density=700)


KIND = Kind(
    name="baseball",
    synonyms=("hardball", "baseball ball"),
    hypernyms=("ball", "sports equipment"),
    function="playing baseball",
    description="a hard white leather sphere, as large as a fist, with one curved seam of red stitches",
    longest=(0.068, 0.08),
    sample=sample,
)
