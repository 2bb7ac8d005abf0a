"""Phones: smartphones with a dark or lit screen, or face down with cameras; some with a case; old ones with keys."""

import numpy as np
from PIL import Image

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT, SOBER
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def _screen(rng: Rng, lit: bool, notch: bool) -> TextureImage:
    image, draw = tx.canvas((64, 128), (14, 14, 18))
    if lit:
        a, b = (tint(rng, choice(rng, (*BRIGHT, "black", "white"))) for _ in range(2))
        _, v = tx.uv_grid(128, 64)
        paint = tx.to_uint8(tx.lerp_color(a, b, tx.smoothstep(v + 0.3 * tx.grid_noise(rng, (128, 64), 2, 2), 0, 1)))
        image.paste(Image.fromarray(paint), (0, 0))
        for row in range(int(rng.integers(3, 6))):
            for col in range(4):
                fill = tuple(int(c) for c in np.clip(tint(rng, choice(rng, (*BRIGHT, "white"))), 0, 255))
                draw.rounded_rectangle([5 + 15 * col, 22 + 17 * row, 14 + 15 * col, 31 + 17 * row], 2, fill=fill)
        tx.draw_text(image, f"{rng.integers(10, 24)}:{rng.integers(10, 60)}", (32, 12), 12, (250, 250, 250))
    else:
        draw.polygon([(0, 30), (64, 0), (64, 40), (0, 90)], fill=(30, 31, 37))
    if notch:
        draw.rounded_rectangle([22, 1, 42, 5], 2, fill=(4, 4, 6))
    return np.asarray(image)


def sample(rng: Rng) -> Instance:
    """Sample a phone, lying."""
    model = ModelBuilder()
    old = rng.random() < 0.15
    long = rng.uniform(98, 125) if old else rng.uniform(125, 170)
    wide, thick = long * (0.42 if old else rng.uniform(0.46, 0.51)), rng.uniform(13, 19) if old else rng.uniform(7, 11)
    word = choice(rng, (*SOBER, "black", "blue", "turquoise"))
    cased = not old and rng.random() < 0.35
    case_word = choice(rng, (*BRIGHT, "black", "white"))
    word = case_word if cased else word
    skin = finish(rng, "rubber" if cased else choice(rng, ("plastic", "metal", "glass")), word)
    outline = rounded(wide, long, choice(rng, (4, 8, 12)))
    down = not old and rng.random() < 0.3
    turn = rotation("z", 90) @ rotation("y", 180 * down)
    model.prism(
        outline, -thick / 2, thick / 2, skin.image(wide, long), plain(np.clip(skin.tints[0] * 0.8, 0, 255)), turn=turn
    )
    lit = rng.random() < 0.5
    if old:
        model.prism(
            np.add(rounded(wide * 0.78, long * 0.34, 3), [0, long * 0.24]),
            0,
            thick / 2 + 0.4,
            plain((120, 150, 120) if lit else (50, 60, 56)),
            turn=turn,
            hull=False,
        )
        key = plain((225, 225, 220) if word in ("black", "blue", "grey") else (60, 60, 64))
        for row in range(5):
            for col in (-1, 0, 1):
                spot = np.add(rounded(wide * 0.22, long * 0.055, 2), [col * wide * 0.27, long * (-0.04 - 0.085 * row)])
                model.prism(spot, 0, thick / 2 + 1, key, turn=turn, hull=False)
    else:
        gap = rng.uniform(0.01, 0.03) if not cased else 0.04
        model.prism(
            rounded(wide * (1 - 2 * gap), long * (1 - 2.2 * gap), 7),
            0,
            thick / 2 + 0.3,
            _screen(rng, lit, rng.random() < 0.6),
            plain((14, 14, 18)),
            turn=turn,
            hull=False,
        )
        island = rng.random() < 0.6
        lenses = int(rng.integers(1, 4))
        z = -thick / 2
        corner = np.array([wide * 0.28, long * 0.37])
        if island:
            model.prism(
                rounded(wide * 0.3, wide * (0.34 + 0.12 * (lenses > 2)), 5) + corner,
                z - 1,
                0,
                plain(np.clip(skin.tints[0] * 0.72, 0, 255)),
                turn=turn,
                hull=False,
            )
        for n in range(lenses):
            spot = np.add(corner, [(-1) ** n * wide * 0.06, (n - (lenses - 1) / 2) * wide * 0.13])
            model.prism(circle(wide * 0.065, 12, spot.tolist()), z - 2, 0, plain((16, 16, 22)), turn=turn, hull=False)
    features = [
        ("with a lit screen" if lit else "with a dark screen") if not down else "face down",
        "with keys" if old else "",
    ]
    features += [f"in a {word} case" if cased and word != "orange" else "in an orange case" if cased else ""]
    order = (word, "black") if down or old else ("black", word) if not lit else (word,)
    return model.instance(skin, "flat rectangular", features, colors=order, density=1600)


KIND = Kind(
    name="phone",
    synonyms=("mobile phone", "cell phone", "smartphone", "cellphone"),
    hypernyms=("electronics",),
    function="making calls",
    description="a thin flat rectangular slab with rounded corners, a large dark or lit screen, and small lenses on "
    "its back",
    longest=(0.095, 0.175),
    sample=sample,
)
