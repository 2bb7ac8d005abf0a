"""Toy drums: low colored cylinders with white skins, rims, zigzag cords or printed sides, some with sticks."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle


def sample(rng: Rng) -> Instance:
    """Sample a toy drum, standing."""
    model = ModelBuilder()
    r = rng.uniform(40, 95)
    h = r * rng.uniform(0.75, 1.5)
    word = choice(rng, ("red", "red", *TOYS[:-1]))
    skin = finish(rng, choice(rng, ("metal", "plastic", "wood")), word)
    rim_word = choice(rng, [c for c in ("yellow", "blue", "red", "white", "grey") if c != word])
    rim, cord = tint(rng, rim_word), tint(rng, choice(rng, ("white", "yellow")))
    image = skin.image(2 * np.pi * r, h, 192).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    style = choice(rng, ("zigzag", "zigzag", "zigzag", "triangles", "stars", "plain"))
    count = int(rng.integers(5, 10))
    zig = np.abs((u * count) % 1 - 0.5) * 2
    if style == "zigzag":
        wide = 0.05 * count / 6
        image = tx.lerp_color(image, cord, 1 - tx.smoothstep(np.abs(v - 0.14 - 0.72 * zig), wide, wide + 0.03))
    elif style == "triangles":
        image = np.where((v < 0.1 + 0.8 * zig)[..., None], tint(rng, rim_word), image)
    elif style == "stars":
        x, y = ((u * count) % 1 - 0.5) * 2 * np.pi * r / count, (v - 0.5) * h
        radius = 0.24 * h * (0.68 + 0.32 * np.cos(5 * (np.arctan2(y, x) - np.pi / 2)))
        image = np.where((np.hypot(x, y) < radius)[..., None], cord, image)
    model.lathe([(r, 0), (r, h)], tx.to_uint8(image), 32, hull=False)
    model.hull([(*p, z) for p in circle(r * 1.02, 20) for z in (0, h)])
    head = tx.to_uint8(
        np.array([238, 232, 216]) * (1 + 0.02 * tx.grid_noise(rng, (48, 48), 5, 5))[..., None] * rng.uniform(0.88, 1.03)
    )
    for z in (0, h - 0.02 * r - 1):
        model.prism(circle(r * 0.97, 28), z, z + 1, head, hull=False)
    band = 0.11 * h
    for z in (0, h - band):
        rows = [
            (r * 0.93, z + 0.5),
            (r * 1.04, z),
            (r * 1.04, z + band),
            (r * 0.95, z + band),
            (r * 0.94, z + band - 3),
        ]
        model.lathe(rows, plain(rim), 32, hull=False)
    sticks = rng.random() < 0.45
    if sticks:
        wood = plain((196, 148, 92))
        for s in (-1, 1):
            a = np.array([-r * 0.75, s * r * rng.uniform(0.1, 0.3), h + 3.2])
            b = np.array([r * rng.uniform(0.6, 0.75), s * r * rng.uniform(-0.3, 0.5), h + 3.2])
            model.sweep([a, (a + b) / 2, b], 2.6, wood, segments=8, pieces=1)
            model.ball((9, 8, 8), wood if rng.random() < 0.5 else plain(rim), rows=7, segments=10, at=b, hull=False)
    words = {"zigzag": "with a zigzag line", "triangles": "with triangles", "stars": "with stars"}
    features = ["with drumsticks" if sticks else "without drumsticks", words.get(style, "")]
    return model.instance(skin, "cylindrical", features, colors=(word, "white", rim_word), density=120)


KIND = Kind(
    name="toy drum",
    synonyms=("drum", "tin drum", "play drum"),
    hypernyms=("musical instrument", "toy"),
    function="making music",
    description="a short wide cylinder with a tight white skin on top, colored rims and zigzag lines around its side",
    longest=(0.08, 0.3),
    sample=sample,
)
