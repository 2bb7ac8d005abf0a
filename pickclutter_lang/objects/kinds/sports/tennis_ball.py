"""Tennis balls: fuzzy felt, yellow-green or in two colors, with the one curved white seam; some worn or printed."""

import numpy as np

from pickclutter_lang.objects.kinds.balls import add_ball, directions, seam, tennis_curve
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx

WORDS = ["yellow", "yellow", "yellow", "yellow", "yellow", "green", "green", "orange", "red", "pink"]


def sample(rng: Rng) -> Instance:
    """Sample a tennis ball."""
    model = ModelBuilder()
    word = choice(rng, WORDS)
    felt = {"yellow": np.array([206, 220, 50]), "green": np.array([150, 205, 45])}.get(word, tint(rng, word))
    felt = felt * rng.uniform(0.86, 1.08) * [1, 1, rng.uniform(0.7, 1.6)]
    bulge = rng.uniform(0.6, 0.7)
    line = seam(tennis_curve(bulge), rng.uniform(0.1, 0.16))
    two = word == "yellow" and rng.random() < 0.2
    color = np.broadcast_to(felt, (*line.shape, 3)).astype(float)
    if two:
        half = directions()[..., 2] * 1.6 + np.cos(2 * np.arctan2(directions()[..., 1], directions()[..., 0])) > 0
        other = choice(rng, ("orange", "red", "green"))
        color = np.where(half[..., None], tint(rng, other), color)
    fuzz = 0.07 * tx.grid_noise(rng, line.shape, 40, 80) + 0.04 * tx.grid_noise(rng, line.shape, 6, 12)
    color = color * (1 + fuzz)[..., None]
    worn = rng.beta(1, 3)
    stain = tx.smoothstep(tx.grid_noise(rng, line.shape, 4, 8), 0, 2) * worn
    color = tx.lerp_color(color, (126, 110, 76), 0.7 * stain)
    color = tx.lerp_color(color, np.array([232, 232, 220]) * (1 - 0.25 * worn), line)
    printed = rng.random() < 0.4
    if printed:
        image = np.zeros((96, 192))
        image[44:48, 84:108] = 1
        image[50:54, 88 : 88 + int(rng.integers(8, 18))] = 1
        image[:, ::4] *= 0.3
        color = tx.lerp_color(color, choice(rng, ((30, 30, 40), (170, 30, 40))), 0.8 * image)
    add_ball(model, rng, rng.uniform(62, 70), tx.to_uint8(color))
    skin = finish(rng, "cloth", word)
    features = ["with a white seam", "worn" if worn > 0.45 else "", "with lettering" if printed else ""]
    colors = (word, other, "white") if two else (word, "white")
    return model.instance(skin, "spherical", features, colors=colors, density=380, material="cloth")


KIND = Kind(
    name="tennis ball",
    synonyms=("lawn tennis ball", "felt ball"),
    hypernyms=("ball", "sports equipment"),
    function="playing tennis",
    description="a fist-sized sphere of fuzzy bright yellow-green felt with one curved white seam",
    longest=(0.06, 0.072),
    sample=sample,
)
