"""Toy boats: sailing boats, tugs, ships with funnels and speedboats."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.procedural.surfaces import grid_surface, rotation


def sample(rng: Rng) -> Instance:
    """Sample a toy boat that heads towards +x."""
    model = ModelBuilder()
    length, form = rng.uniform(85, 200), choice(rng, ("sail", "sail", "tug", "ship", "speed"))
    wide, deep = length * rng.uniform(0.3, 0.42), length * rng.uniform(0.13, 0.18)
    wooden = rng.random() < 0.35
    natural = wooden and rng.random() < 0.5
    word = "brown" if natural else choice(rng, TOYS)
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if natural else ())
    deck = plain((206, 160, 104) if rng.random() < 0.5 else (236, 234, 226))
    paint = skin.solid().image(50, 50, 64)
    # Cross-sections of the hull from stern to bow: half-widths, and how high keel and deck lie.
    t = np.linspace(0, 1, 11)
    half = wide / 2 * np.where(t < 0.45, 0.86 + 0.3 * t, np.sqrt(np.clip(1 - ((t - 0.45) / 0.56) ** 2, 0, 1)))
    keel, sheer = deep * 0.9 * np.clip(t - 0.6, 0, 1) ** 1.5, deep * (1 + 0.9 * np.clip(t - 0.35, 0, 1) ** 2)
    x = length * (t - 0.5)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    ring = np.stack([np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.7, 1 - np.abs(np.cos(angle)) ** 0.8], -1)
    grid = np.stack(
        [
            np.broadcast_to(x[:, None], (11, 9)),
            -half[:, None] * ring[:, 0],
            keel[:, None] + (sheer - keel)[:, None] * ring[:, 1],
        ],
        -1,
    )
    model.surface(grid_surface(grid[:, ::-1]), skin.image(wide * 1.6, length))
    model.surface(grid_surface(np.stack([grid[0, 4] + 0 * grid[0], grid[0]])[:, ::-1]), paint)
    model.hull(grid[:6].reshape(-1, 3))
    model.hull(grid[5:].reshape(-1, 3))
    model.surface(
        grid_surface(np.stack([grid[:, 8] - [0, 0, 0.1 * deep], grid[:, 0] - [0, 0, 0.1 * deep]], 1)[:, ::-1]),
        deck,
    )
    other = choice(rng, [c for c in (*TOYS, "white") if c != word])
    accent = finish(rng, skin.material, other).image(50, 50, 64)
    rail = np.r_[grid[:, 0], grid[::-1, 8], grid[:1, 0]] + [0, 0, 0.2]
    model.sweep(rail, length * 0.012, accent, segments=6, hull=False)
    top = deep * 0.92
    if form == "sail":
        mast = length * rng.uniform(0.8, 1.1)
        sail = finish(rng, "cloth", other if other != word else "white", ("plain", "plain", "striped"), pitch=(8, 16))
        model.lathe([(1.8, 0), (1.5, mast), (0, mast)], plain((176, 130, 84)), 8, 1, at=(0.06 * length, 0, top))
        spin = rotation("z", choice(rng, (-1, 1)) * rng.uniform(20, 60)) @ rotation("x", 90)
        main = np.array([(-0.44, 0.14), (-0.02, 0.12), (-0.02, 0.97)]) * [length, mast]
        jib = np.array([(0.02, 0.1), (0.38, 0.14), (0.02, 0.8)]) * [length, mast]
        for edge, image in ((main, sail), (jib, sail.solid().image(40, 60, 48))):
            model.prism(edge, -0.8, 0.8, image, turn=spin, at=(0.06 * length, 0, top))
    elif form == "speed":
        cabin = np.array([(-0.2, 0), (0.2, 0), (0.06, 0.9), (-0.14, 0.9)]) * [length, deep]
        model.prism(cabin, -wide * 0.32, wide * 0.32, plain((44, 56, 76)), turn=rotation("x", 90), at=(0, 0, top))
        model.box((length * 0.2, wide * 0.66, deep * 0.15), accent, 0.5, at=(-0.04 * length, 0, top + 0.95 * deep))
        model.box(
            (length * 0.1, wide * 0.3, deep * 0.9), plain((50, 50, 54)), 1.0, at=(-0.48 * length, 0, top + 0.2 * deep)
        )
    else:
        layers = 1 if form == "tug" else int(rng.integers(2, 4))
        z, long, broad = top, length * rng.uniform(0.38, 0.55), wide * 0.66
        for n in range(layers):
            high = deep * rng.uniform(0.7, 1.0) * (1.5 if form == "tug" else 1)
            walls = accent if n % 2 == 0 else paint
            model.box((long, broad, high), walls, 0.8, at=(-0.06 * length, 0, z + high / 2))
            for w in np.linspace(-0.36, 0.36, 4):
                model.box(
                    (long * 0.12, broad + 0.8, high * 0.4),
                    plain((50, 64, 86)),
                    0,
                    at=(w * long - 0.06 * length, 0, z + high * 0.58),
                    hull=False,
                )
            z, long, broad = z + high, long * 0.72, broad * 0.8
        tint_word = choice(rng, ("red", "black", "yellow"))
        high = deep * rng.uniform(0.9, 1.5)
        for px in (-0.06,) if form == "tug" else (-0.13, 0.02):
            model.lathe(
                [(deep * 0.26, 0), (deep * 0.26, high), (0, high)],
                plain(tint(rng, tint_word)),
                14,
                1,
                at=(px * length, 0, z),
            )
    words = {
        "sail": "with sails",
        "tug": "with a smokestack",
        "ship": "with two smokestacks",
        "speed": "with an outboard motor",
    }
    return model.instance(skin, "boat-shaped", [words[form]], colors=(word, other), density=350)


KIND = Kind(
    name="toy boat",
    synonyms=("toy ship", "model boat", "bath boat"),
    hypernyms=("vehicle", "toy"),
    function="playing",
    description="a small hull with a pointed bow and a flat deck with a mast and sails, or a cabin and a smokestack",
    longest=(0.08, 0.31),
    sample=sample,
)
