"""Alarm clocks: round ones with two bells and feet, square ones, and digital ones with glowing numbers."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def dial(rng: Rng, ground: tuple[int, int, int], ink: tuple[int, int, int], texels: int = 112) -> TextureImage:
    """Paint a clock face with marks or numbers, and hands."""
    image, draw = tx.canvas((texels, texels), ground)
    c, numbers = texels / 2, rng.random() < 0.65
    for n in range(12):
        a = 2 * np.pi * n / 12
        x, y = np.sin(a), -np.cos(a)
        if numbers:
            tx.draw_text(image, str(n or 12), (c + 0.76 * c * x, c + 0.76 * c * y), texels * 0.1, ink)
        else:
            draw.line([(c + 0.72 * c * x, c + 0.72 * c * y), (c + 0.88 * c * x, c + 0.88 * c * y)], fill=ink, width=3)
    hour = rng.uniform(0, 12)
    for angle, reach, width, color in (
        (hour / 12, 0.42, 6, ink),
        (hour % 1, 0.66, 4, ink),
        (rng.uniform(), 0.5, 2, (210, 40, 40)),
    ):
        x, y = np.sin(2 * np.pi * angle), -np.cos(2 * np.pi * angle)
        draw.line([(c - 0.1 * c * x, c - 0.1 * c * y), (c + reach * c * x, c + reach * c * y)], fill=color, width=width)
    draw.ellipse([c - 4, c - 4, c + 4, c + 4], fill=ink)
    return np.asarray(image)


def _digits(rng: Rng) -> TextureImage:
    glow = choice(rng, ((240, 40, 30), (60, 220, 90), (70, 160, 255), (240, 240, 240)))
    image, draw = tx.canvas((128, 56), (16, 16, 20))
    tx.draw_text(image, f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}", (64, 28), 36, glow)
    draw.ellipse([6, 6, 10, 10], fill=glow)
    return np.asarray(image)


def sample(rng: Rng) -> Instance:
    """Sample an alarm clock, standing; its dial faces +x."""
    model = ModelBuilder()
    form, word = (
        choice(rng, ("bells", "bells", "bells", "square", "digital")),
        choice(rng, (*ANY, "red", "black", "white")),
    )
    skin = finish(rng, "metal" if form == "bells" else "plastic", word)
    dark = rng.random() < 0.2
    ground, ink = ((28, 28, 32), (236, 236, 232)) if dark else ((244, 243, 236), (24, 24, 28))
    spin = rotation("z", 90) @ rotation("x", 90)
    if form == "bells":
        r = rng.uniform(34, 58)
        deep, z = r * rng.uniform(0.75, 1.0), r * 1.12
        rows = [(0, 0), (r * 0.9, 0), (r, deep * 0.15), (r, deep * 0.9), (r * 0.97, deep), (r * 0.9, deep)]
        model.lathe(rows, skin, 30, 1, at=(-deep / 2, 0, z), turn=rotation("y", 90))
        model.prism(
            circle(r * 0.93, 30),
            deep / 2 - 1.6,
            deep / 2 - 0.4,
            dial(rng, ground, ink),
            turn=spin,
            at=(0, 0, z),
            hull=False,
        )
        steel = finish(rng, "steel", "grey", rgb=STEEL).image(40, 40, 48)
        for s in (-1, 1):
            lean = rotation("x", -32 * s)
            at = np.add((0, 0, z), lean @ [0, 0, r * 1.12])
            bell = np.array([(1, 0), (0.98, 0.25), (0.8, 0.6), (0.4, 0.85), (0, 0.92)]) * r * 0.42
            model.lathe(bell, steel if rng.random() < 0.7 else skin.solid(), 18, 1, at=at, turn=lean)
            model.lathe([(r * 0.05, -r * 0.2), (r * 0.05, 0.05 * r)], steel, 8, at=at, turn=lean, hull=False)
            foot = rotation("x", 150 * s)
            model.lathe(
                np.array([(0.09, 0.9), (0.07, 1.2), (0.12, 1.3), (0, 1.32)]) * r, steel, 10, 1, at=(0, 0, z), turn=foot
            )
        model.box((r * 0.12, r * 0.12, r * 0.34), steel, 1, at=(0, 0, z + 1.22 * r))
        arch = np.linspace(0.25 * np.pi, 0.75 * np.pi, 9)
        path = np.c_[0 * arch, np.cos(arch) * r * 0.8, z + r * 0.85 + np.sin(arch) * r * 0.85]
        model.sweep(path, r * 0.035, steel, segments=6, up=(1, 0, 0), pieces=1)
    elif form == "square":
        size = rng.uniform(60, 95)
        deep = size * rng.uniform(0.4, 0.55)
        model.prism(
            np.add(rounded(size, size, size * rng.uniform(0.08, 0.3)), [0, size / 2]),
            -deep / 2,
            deep / 2,
            skin.image(size, size),
            turn=spin,
        )
        model.prism(
            circle(size * 0.42, 30),
            deep / 2,
            deep / 2 + 0.6,
            dial(rng, ground, ink),
            turn=spin,
            at=(0, 0, size / 2),
            hull=False,
        )
        model.box(
            (deep * 0.4, size * 0.34, size * 0.06),
            plain(tint(rng, choice(rng, ("grey", "red", "white", "black")))),
            1,
            at=(0, 0, size * 1.02),
        )
    else:
        wide = rng.uniform(90, 150)
        high, deep = wide * rng.uniform(0.4, 0.55), wide * rng.uniform(0.3, 0.5)
        side = [(-deep / 2, 0), (deep / 2, 0), (deep * 0.38, high), (-deep * 0.4, high)]
        model.prism(
            side, -wide / 2, wide / 2, skin.image(deep, high, 64), skin.image(wide, high, 80), turn=rotation("x", 90)
        )
        lean = rotation("y", -np.degrees(np.arctan(0.12 * deep / high)))
        face = {n: plain((16, 16, 20)) for n in ("left", "front", "back", "top", "bottom")} | {"right": _digits(rng)}
        model.box((1.6, wide * 0.84, high * 0.62), face, 0, at=(deep * 0.44, 0, high * 0.52), turn=lean, hull=False)
        model.box((deep * 0.35, wide * 0.4, high * 0.08), plain(tint(rng, "grey") * 0.8), 1, at=(0, 0, high * 1.02))
    features = [{"bells": "with two bells on top", "square": "with a square case", "digital": "digital"}[form]]
    features += ["with hands" if form != "digital" else "with glowing numbers"]
    second = "black" if form == "digital" or dark else "white"
    return model.instance(
        skin, {"bells": "round"}.get(form, "box-shaped"), features, colors=(word, second), density=500
    )


KIND = Kind(
    name="alarm clock",
    synonyms=("clock", "bedside clock", "table clock"),
    hypernyms=("household item",),
    function="waking up",
    description="a small standing case with a round dial with hands, or glowing numbers, often with two domes on top",
    longest=(0.055, 0.18),
    sample=sample,
)
