"""Mini soccer balls: panels of pentagons and hexagons, or printed bands, stars and swirls over them."""

import numpy as np

from pickclutter_lang.objects.kinds.balls import add_ball, directions, random_turn, soccer_panels
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx

GROUNDS = [*["white"] * 8, "yellow", "orange", "green", "pink", "turquoise"]
INKS = ["black", "black", "black", "blue", "red", "purple", "green", "orange"]


def sample(rng: Rng) -> Instance:
    """Sample a mini soccer ball."""
    model = ModelBuilder()
    style = choice(rng, ("classic", "classic", "classic", "bands", "swirls", "outlined", "colorful"))
    ground = choice(rng, GROUNDS)
    inks = [choice(rng, [c for c in INKS if c != ground])]
    inks += [choice(rng, [c for c in INKS if c not in (ground, *inks)])]
    base, first, second = (tint(rng, word) for word in (ground, *inks))
    panel, edge = soccer_panels()
    d = directions() @ random_turn(rng)
    color = np.broadcast_to(base, d.shape).astype(float)
    if style == "classic":
        color = tx.lerp_color(color, first, (panel < 12) * 1.0)
    elif style == "outlined":
        ring = tx.smoothstep(edge, 0.01, 0.02) - tx.smoothstep(edge, 0.05, 0.06)
        color = tx.lerp_color(color, first, ring * (panel < 12))
        color = tx.lerp_color(color, second, (panel < 12) * tx.smoothstep(edge, 0.06, 0.07))
    elif style == "colorful":
        chosen = rng.integers(0, 3, 32)[panel.astype(int)]
        color = np.where((chosen == 1)[..., None], first, np.where((chosen == 2)[..., None], second, color))
    else:
        lon, lat = np.arctan2(d[..., 1], d[..., 0]), np.arcsin(np.clip(d[..., 2], -1, 1))
        waves = int(rng.integers(2, 4))
        for offset in (-0.55, 0.6):
            wave = rng.uniform(0.25, 0.45) * np.sin(waves * lon + rng.uniform(0, 6)) + offset
            wide = rng.uniform(0.1, 0.2) * (1 if style == "bands" else 1 + 0.6 * np.sin(waves * lon))
            distance = np.abs(lat - wave)
            color = tx.lerp_color(color, second, 1 - tx.smoothstep(distance - 1.5 * wide, 0, 0.03))
            color = tx.lerp_color(color, first, 1 - tx.smoothstep(distance - wide, 0, 0.03))
    color = color * (0.62 + 0.38 * tx.smoothstep(edge, 0.002, 0.012))[..., None]
    dirt = tx.smoothstep(tx.grid_noise(rng, d.shape, 4, 8), 0.5, 2.5) * rng.uniform(0, 0.5)
    color = tx.lerp_color(color, (120, 104, 80), dirt)
    add_ball(model, rng, rng.uniform(95, 160), tx.to_uint8(color))
    skin = finish(rng, choice(rng, ("leather", "plastic", "plastic")), ground)
    words = {"classic": "with pentagons", "bands": "with wavy bands", "swirls": "with wavy bands"}
    colors = (ground, *(inks[:1] if style == "classic" else inks))
    pattern = "checkered" if style in ("classic", "colorful") else "printed"
    return model.instance(skin, "spherical", [words.get(style, "")], colors=colors, pattern=pattern, density=120)


KIND = Kind(
    name="mini soccer ball",
    synonyms=("soccer ball", "small soccer ball", "mini football", "toy soccer ball"),
    hypernyms=("ball", "sports equipment", "toy"),
    function="playing soccer",
    description="a small sphere sewn of five- and six-sided panels, white with dark patches or printed bands",
    longest=(0.09, 0.165),
    sample=sample,
)
