"""Hourglasses: two glass bulbs joined by a narrow neck, with colored sand, between two plates with posts."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import arc_length, circle, rotation

GLASS = np.array([196, 210, 212])


def sample(rng: Rng) -> Instance:
    """Sample an hourglass, standing or lying."""
    model = ModelBuilder()
    h = rng.uniform(70, 190)
    r, plate = h * rng.uniform(0.17, 0.24), h * rng.uniform(0.05, 0.08)
    material = choice(rng, ("wood", "wood", "wood", "plastic", "metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material) or choice(rng, ("black", "white", *BRIGHT))
    frame = finish(rng, material, word, rgb=WOODS if material == "wood" else STEEL if material == "metal" else ())
    sand_word = choice(
        rng, ("white", "white", "blue", "red", "pink", "green", "yellow", "orange", "black", "turquoise")
    )
    sand = tint(rng, sand_word) if sand_word != "yellow" else np.array([226, 196, 130])
    turn = rotation("x", 90) if rng.random() < 0.25 else np.eye(3)
    broad = r * rng.uniform(1.2, 1.4)
    square = rng.random() < 0.2
    edge = rounded(2 * broad, 2 * broad, 3) if square else circle(broad, 26)
    for z in (0, h - plate):
        model.prism(edge, z, z + plate, frame.image(50, 50, 64), turn=turn)
    count = 4 if square else choice(rng, (3, 3, 4))
    for n in range(count):
        a = 2 * np.pi * n / count + (np.pi / 4 if count == 4 else np.pi / 6)
        at = np.array([np.cos(a), np.sin(a), 0]) * broad * (1.15 if square else 0.86)
        post = [(0.7, 0), (1, 0.1), (0.65, 0.25), (1, 0.5), (0.65, 0.75), (1, 0.9), (0.7, 1)]
        thick = h * 0.028
        rows = np.array(post) * [thick, h - 2 * plate] + [0, plate]
        model.lathe(rows, frame.image(20, 60, 48), 10, 1, at=turn @ at, turn=turn)
    inner = h / 2 - plate
    bulb = [
        (r * 0.55, -inner),
        (r * 0.9, -inner * 0.86),
        (r, -inner * 0.6),
        (r * 0.72, -inner * 0.25),
        (r * 0.12, -inner * 0.02),
    ]
    bulb += [(q, -z) for q, z in bulb[::-1][1:]]
    rows = smooth(bulb, 27)
    level = rng.uniform(0.2, 0.8)
    _, v = tx.uv_grid(96, 48)
    level_of = np.interp(v, arc_length(rows), rows[:, 1])
    # Sand lies at the bottom of the lower bulb and above the neck of the upper one.
    low = -inner + inner * 0.75 * (1 - level)
    high = inner * 0.75 * level
    filled = (level_of < low) | ((level_of > -inner * 0.04) & (level_of < high))
    shade = tx.uv_grid(96, 48)[0]
    glass = GLASS * (0.84 + 0.2 * np.cos(2 * np.pi * (3 * shade + rng.uniform())))[..., None]
    grain = sand * (1 + 0.05 * tx.grid_noise(rng, (96, 48), 40, 20))[..., None]
    image = np.where(filled[..., None], grain, glass)
    image = tx.lerp_color(image, (250, 252, 252), 0.5 * np.exp(-(((shade * 2 % 1 - 0.4) / 0.05) ** 2)))
    model.lathe(np.add(rows, [0, h / 2]), tx.to_uint8(image), 24, 2, turn=turn)
    features = [
        f"with {sand_word} sand",
        f"with {'three' if count == 3 else 'four'} posts",
        "lying" if turn[1, 1] < 0.5 else "standing",
    ]
    colors = tuple(dict.fromkeys((word, sand_word)))
    return model.instance(frame, "cylindrical", features, colors=colors, density=700)


KIND = Kind(
    name="hourglass",
    synonyms=("sand timer", "egg timer", "sandglass"),
    hypernyms=("household item",),
    function="measuring time",
    description="two glass bulbs joined by a narrow neck, with colored sand inside, between two flat ends with posts",
    longest=(0.065, 0.195),
    sample=sample,
)
