"""Pencils, pens and what lies beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, ribbed, tint, weighted
from pickclutter_lang.kinds.fittings import ALONG_Y, VIVID, banded, barrel, disc, steel
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import sample_brand, wrap
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation


def clip(model: ModelBuilder, radius: float, low: float, high: float, width: float, skin: Skin) -> None:
    """Add a clip above a barrel, from its free end at y = `low` to its root at `high`."""
    gap = radius + 1.3
    path = [(0, high, radius * 0.6), (0, high, gap + 0.6), (0, high - 3, gap + 0.6), (0, low + 4, gap)]
    path += [(0, low, radius + 0.4)]
    model.sweep(path, width / 2, skin, 0.7, power=4, segments=8, up=(0, -0.4, 1), pieces=1)


def lettered(rng: Rng, color: npt.ArrayLike, ink: Sequence[float]) -> TextureImage:
    """Paint a barrel's skin with a made-up brand along it, seen from above and from both sides."""
    base = np.asarray(color, dtype=float).clip(0, 255)
    image, _ = tx.canvas((64, 128), base.tolist())
    name = sample_brand(rng, ("pen",)).name
    for x in (16, 48):
        tx.draw_text(image, name, (x, rng.uniform(40, 84)), min(9, 100 / len(name)), ink, 90)
    return np.asarray(image)


@generates("eraser")
def eraser(rng: Rng) -> Instance:
    """Erasers: white, pink or two-colored blocks, rectangular or slanted, some in a cardboard sleeve, some worn."""
    model = ModelBuilder()
    length = rng.uniform(28, 66)
    wide, tall = length * rng.uniform(0.36, 0.5), length * rng.uniform(0.17, 0.28)
    form = choice(rng, weighted("sleeve 2, slanted, halves, block"))
    if form == "halves":
        skin = finish(rng, "rubber", "red", wear=0.7, rgb=((206, 96, 84), (190, 84, 76)))
    elif form == "slanted":
        skin = finish(rng, "rubber", weighted("pink 3, blue, green, purple"), wear=0.7)
    else:
        skin = finish(rng, "rubber", weighted("white 3, pink, green, yellow, blue, turquoise"), wear=0.7)
    if form in ("slanted", "halves"):
        lean, cut = rng.uniform(0.4, 0.9) * tall, rng.uniform(0.05, 0.15) * length
        ends = [(-length / 2, 0), (length / 2 - lean, 0), (length / 2, tall), (-length / 2 + lean, tall)]
        parts = [(ends, skin)]
        if form == "halves":
            blue = skin.painted(np.array((72, 96, 150)) * rng.uniform(0.85, 1.1))
            parts = [([ends[0], (cut, 0), (cut, tall), ends[3]], skin), ([(cut, 0), *ends[1:3], (cut, tall)], blue)]
        for outline, part in parts:
            model.prism(outline, -wide / 2, wide / 2, part, turn=rotation("z", 90) @ rotation("x", 90))
    else:
        rounding = min(rng.uniform(0.5, 4), 0.45 * tall)
        share = rng.uniform(0.55, 0.72) if form == "sleeve" else 0.0
        bare = length * (1 - 0.95 * share)
        model.box((wide, bare, tall), skin, rounding, at=(0, (length - bare) / 2, tall / 2), hull=False)
        model.hull([(x, y, z) for x in (-wide / 2, wide / 2) for y in (-length / 2, length / 2) for z in (0, tall)])
    features = [
        {"halves": "with two halves", "slanted": "slanted", "sleeve": "with a cardboard sleeve", "block": ""}[form]
    ]
    colors = ("red", "blue") if form == "halves" else skin.colors
    if form == "sleeve":
        brand = sample_brand(rng, ("eraser",), weighted("blue 2, black, green, red, orange, purple"))
        front, draw = tx.canvas((48, 96), [*brand.background])
        accent = tuple(int(c) for c in brand.accent.clip(0, 255))
        for n in range(int(rng.integers(1, 3))):
            draw.rectangle([0, 6 + 14 * n, 48, 14 + 14 * n], fill=accent)
        tx.draw_text(front, brand.name, (24, 60), min(17, 78 / len(brand.name)), brand.ink, 90)
        sides = dict.fromkeys(("right", "left", "back"), plain(brand.background)) | {"front": skin}
        faces: dict[str, Skin] = {**sides, "top": np.asarray(front), "bottom": np.asarray(front)}
        size = (wide + 0.8, share * length, tall + 0.8)
        model.box(size, faces, 0.3, at=(0, -0.5 * (1 - share) * length + 0.5, tall / 2), hull=False)
        colors = (brand.colors[0], *skin.colors)
    elif form != "halves" and rng.random() < 0.6:
        name = sample_brand(rng, ("eraser",)).name
        front, _ = tx.canvas((72, 24), skin.tints[0].clip(0, 255).tolist())
        ink = choice(rng, [c for c in ("blue", "black", "green") if c != skin.colors[0]])
        tx.draw_text(front, name, (36, 12), min(16, 90 / len(name)), [*tint(rng, ink)])
        label = np.ascontiguousarray(np.rot90(np.asarray(front)))
        model.box((0.2 * length, 0.5 * length, 0.3), label, 0, at=(0, 0, tall), hull=False)
        features.append("with lettering")
    return model.instance(skin, "rectangular", features, colors=colors, density=1300)


GLUE_STICK_PRODUCTS = ("glue stick", "glue", "paper glue", "school glue")
GLUE_STICK_COLORS = weighted("red, yellow, white 2, blue, green, orange, purple, turquoise")


@generates("glue stick")
def glue_stick(rng: Rng) -> Instance:
    """Glue sticks: printed tubes with a cap and a turning foot, open ones with a white or violet stick."""
    # Pose: standing, its label towards +x.
    model = ModelBuilder()
    r = rng.uniform(9, 15)
    body = r * rng.uniform(4.2, 5.4)
    brand = sample_brand(rng, GLUE_STICK_PRODUCTS, GLUE_STICK_COLORS)
    foot = rng.uniform(6, 10)
    skin = finish(rng, "plastic", brand.colors[0])
    end = brand.accent if rng.random() < 0.5 else tint(rng, choice(rng, ("white", "red", "yellow", "black")))
    twist = [(0, 0), (0.86 * r, 0), (0.9 * r, 1), (0.9 * r, foot), (0, foot)]
    model.lathe(twist, ribbed(end, 16, 0.3, 0.3, 0.7), segments=24, hull=False)
    model.lathe(
        [(0.5 * r, foot), (r, foot), (r, foot + body), (0.6 * r, foot + body)], plain(brand.background), hull=False
    )
    model.lathe(
        [(1.01 * r, foot + 1), (1.01 * r, foot + body - 1)], wrap(rng, brand, 2 * np.pi * r, body - 2), hull=False
    )
    model.hull([(*p, z) for p in circle(r, 16) for z in (0, foot + body)])
    top = foot + body
    capped = rng.random() < 0.65
    if capped:
        cap = plain(end)
        tall = r * rng.uniform(1.3, 2.2)
        rows = [(0.5 * r, top), (1.02 * r, top), (1.04 * r, top + 1), (0.98 * r, top + tall - 2)]
        rows += [(0.85 * r, top + tall), (0, top + tall)]
        model.lathe(rows, ribbed(end, 24, 0.2, 0.35, 0.75) if rng.random() < 0.4 else cap, pieces=1)
    else:
        profile = [(0.6 * r, top), (0.9 * r, top), (0.86 * r, top + 4), (0.5 * r, top + 4)]
        model.lathe(profile, plain((236, 236, 232)), segments=24, pieces=1)
        out = rng.uniform(5, 18)
        glue = np.array(choice(rng, ((240, 240, 234), (240, 240, 234), (150, 130, 200))))
        rows = [(0.74 * r, top), (0.74 * r, top + 4 + out), (0.6 * r, top + 5.5 + out), (0, top + 6 + out)]
        model.lathe(rows, plain(glue * rng.uniform(0.94, 1.02)), segments=20, pieces=1)
    features = ["with a cap" if capped else "open", "with lettering"]
    return model.instance(skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=950)


MARKER_INKS = weighted("black 2, red, blue, green, orange, purple, pink, yellow, turquoise, brown")


@generates("marker")
def marker(rng: Rng) -> Instance:
    """Markers: thick felt-tip pens with caps in the color of their ink, permanent markers and highlighters."""
    # Pose: lying with its tip or cap at +y.
    model = ModelBuilder()
    length, r = rng.uniform(95, 145), rng.uniform(6, 10)
    word = choice(rng, MARKER_INKS)
    ink = tint(rng, word)
    bodied = choice(rng, (word, word, "white", "white", "grey", "black"))
    skin = finish(rng, "plastic", bodied, wear=0.3)
    if bodied == word:
        skin = skin.painted(ink)
    body = length * rng.uniform(0.56, 0.66)
    end: Skin = plain(ink)
    foot = rng.uniform(5, 14)
    barrel(model, [(0.8 * r, 0), (0.92 * r, 2), (0.92 * r, foot)], end, 0)
    capped = rng.random() < 0.72
    field = choice(rng, ("white", "black", "yellow")) if capped and rng.random() < 0.5 else ""
    waist = rng.uniform(0.9, 1.04)
    barrel(
        model,
        [(0.96 * r, 0), (r, 3), (waist * r, 0.5 * body), (r, body - foot)],
        _label(rng, skin.tints[0], ink, field),
        foot,
        20,
    )
    cap = [(0.98 * r, 0), (1.04 * r, 1), (0.96 * r, length - body - 4), (0.7 * r, length - body)]
    if capped:
        barrel(model, cap, end, body, 20)
        if rng.random() < 0.6:
            clip(model, r, body + 3, length - 6, 0.8 * r, end)
    else:
        barrel(
            model,
            [(0.85 * r, 0), (0.8 * r, 6), (0.5 * r, 11), (0.45 * r, 16)],
            plain(np.array((40, 40, 42)) if rng.random() < 0.5 else skin.tints[0] * 0.85),
            body,
        )
        if rng.random() < 0.5:
            barrel(model, [(0.36 * r, 0), (0.36 * r, 6), (0.12 * r, 10)], plain(ink * 0.9), body + 15, 12)
        else:
            y = np.array([0, 6, 9]) + body + 15
            model.sweep(
                np.c_[0 * y, y, 0 * y],
                np.array([0.36, 0.36, 0.2]) * r,
                plain(ink * 0.9),
                np.array([0.3, 0.3, 0.05]) * r,
                power=4,
                segments=8,
                pieces=1,
            )
    features = ["with a cap" if capped else "without a cap", f"with {word} ink", "thick" if r > 8.5 else ""]
    colors = (word, field or bodied) if capped else (bodied, word)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=700)


def _label(rng: Rng, color: Floats, ink: Floats, field_word: str) -> TextureImage:
    """Paint a barrel with a printed field and the brand along it."""
    image, draw = tx.canvas((96, 128), color.clip(0, 255).tolist())
    field = tint(rng, field_word) if field_word else color
    if field_word:
        draw.rectangle([0, rng.integers(16, 40), 96, rng.integers(84, 116)], fill=tuple(int(c) for c in field))
    name = sample_brand(rng, ("marker",)).name
    dark = (30, 30, 34) if field.mean() > 120 else (244, 244, 240)
    for x in (0, 32, 64, 96):
        tx.draw_text(image, name, (x, 60), min(17, 84 / len(name)), dark, 90)
    if rng.random() < 0.6:
        draw.rectangle([0, 6, 96, 12], fill=tuple(int(c) for c in ink.clip(0, 255)))
    return np.asarray(image)


PEN_COLORS = weighted("blue 2, black 2, red, green, white, purple, pink, orange, turquoise, yellow, grey")
SHINY = ((190, 192, 196), (196, 160, 84), (52, 52, 54))


@generates("pen")
def pen(rng: Rng) -> Instance:
    """Pens: capped and push-button ballpoint pens and fountain pens with clips and metal or plastic barrels."""
    # Pose: lying with its point at +y.
    model = ModelBuilder()
    length = rng.uniform(118, 138)
    r = rng.uniform(3.8, 5.6)
    metal = rng.random() < 0.3
    skin = finish(rng, "metal" if metal else "plastic", PEN_COLORS, wear=0.3)
    shiny = plain(
        choice(rng, SHINY)
        if metal or rng.random() < 0.5
        else tint(rng, choice(rng, ("white", "black", skin.colors[0])))
    )
    form = choice(rng, weighted("button 2, capped, fountain"))
    ink = (245, 245, 240) if skin.tints[0].mean() < 150 else (40, 40, 60)
    body: Skin = lettered(rng, skin.tints[0], ink) if rng.random() < 0.5 else skin
    if rng.random() < 0.2:
        other = tint(rng, "white" if skin.colors[0] != "white" else "blue")
        body = banded([(0, skin.tints[0]), (0.45, other), (0.52, skin.tints[0])])
    features = {
        "button": ["with a push button", "open"],
        "capped": ["with a cap", "closed"],
        "fountain": ["with a metal nib", "open"],
    }[form]
    if form == "capped":
        back = rng.uniform(0.52, 0.62) * length
        barrel(model, [(0.8 * r, 0), (r, 1.5), (r, back)], body, 0)
        cap: Skin = skin if rng.random() < 0.6 else shiny
        barrel(
            model, [(1.12 * r, 0), (1.16 * r, 1), (1.1 * r, length - back - 3), (0.75 * r, length - back)], cap, back
        )
        clip(model, 1.14 * r, back + 6, length - 6, 3.4, shiny)
    else:
        top = 8.0 if form == "button" else 0.0
        nose = rng.uniform(14, 20)
        barrel(model, [(0.85 * r, 0), (r, 3), (1.04 * r, 0.5 * length), (r, length - nose - top)], body, top)
        clip(model, r, top + rng.uniform(34, 42), top + 3, 3.4, shiny)
        if form == "button":
            barrel(model, [(0.5 * r, 0), (0.55 * r, 1), (0.55 * r, top + 1)], shiny, 0)
            grip = rng.random() < 0.4
            if grip:
                rubber = plain(tint(rng, "black" if skin.colors[0] != "black" else "grey"))
                barrel(model, [(1.1 * r, 0), (1.14 * r, 14), (1.06 * r, 28)], rubber, length - nose - 30, hull=False)
            features += ["with a rubber grip" if grip else ""]
            cone: Skin = shiny if rng.random() < 0.6 else skin
            barrel(
                model,
                [(r, 0), (0.85 * r, 0.4 * nose), (0.35 * r, nose - 3), (0.3 * r, nose - 2.9), (0.18 * r, nose)],
                cone,
                length - nose,
            )
        else:
            barrel(model, [(r, 0), (0.8 * r, 12), (0.85 * r, 14)], plain((34, 34, 36)), length - nose)
            steel = finish(rng, "steel", "grey", rgb=STEEL).painted(choice(rng, SHINY[:2]))
            y = length - nose + np.array([12, 16, 22, 28, 34])
            half = r * np.array([0.75, 0.8, 0.65, 0.3, 0.06])
            model.plate(np.c_[-half, y], np.c_[half, y], 0.1 * r, 0.1 * r + 1, steel, pieces=1)
    return model.instance(skin, "long and thin", [*features, "with a clip"], density=900)


PENCIL_COLORS = weighted("yellow 3, orange, red, blue, green, black, pink, purple, turquoise, white, brown")


@generates("pencil")
def pencil(rng: Rng) -> Instance:
    """Pencils: six-sided or round, painted, sharpened to bare wood and a lead, some with a rubber end."""
    # Pose: lying with its point at +y.
    model = ModelBuilder()
    r = rng.uniform(3.4, 4.6)
    length = rng.uniform(65, 175)
    skin = finish(rng, "wood", PENCIL_COLORS, wear=0.4)
    colored = rng.random() < 0.3 and skin.colors[0] not in ("white", "brown")
    sides = 6 if rng.random() < 0.75 else 16
    point = rng.uniform(4.2, 6) * r
    ink = choice(rng, ((236, 214, 120), (245, 245, 240), (30, 30, 32)))
    image = lettered(rng, skin.tints[0], ink)
    colors = skin.colors
    striped = rng.random() < 0.25
    if striped:
        u, v = tx.uv_grid(128, 48)
        word = choice(rng, [c for c in VIVID if c != skin.colors[0]])
        lines = (v * 14) % 1 < 0.4 if rng.random() < 0.5 else (u * 3) % 1 < 0.45
        image = tx.to_uint8(tx.lerp_color(skin.tints[0], tint(rng, word), lines.astype(float) * 0.9))
        colors = (*colors, word)
    barrel(model, [(r, 0), (r, length)], image, 0, sides)
    u, v = tx.uv_grid(64, 96)
    lead = skin.tints[0] if colored else np.array((52, 52, 56))
    tan = (
        np.array((222, 180, 124)) * rng.uniform(0.9, 1.06) * (1 + 0.05 * tx.grid_noise(rng, (64, 96), 3, 40)[..., None])
    )
    scallop = 0.1 + 0.07 * np.cos(2 * np.pi * 6 * u) * (sides == 6)
    tip = tx.lerp_color(
        tx.lerp_color(skin.tints[0], tan, (v > scallop).astype(float)), lead, tx.smoothstep(v, 0.72, 0.74)
    )
    blunt = rng.uniform(0.02, 0.16)
    profile = [(r, 0), (blunt * r, point), (0, point)]
    model.lathe(profile, tx.to_uint8(tip), segments=18, at=(0, length, 0), turn=ALONG_Y, pieces=1)
    rubber = rng.random() < 0.45
    if rubber:
        band = plain(choice(rng, ((200, 172, 90), (178, 180, 184), (186, 190, 170))))
        barrel(
            model,
            [(1.04 * r, 0), (1.1 * r, 2), (1.0 * r, 3), (1.1 * r, 4), (1.0 * r, 7), (1.08 * r, 9), (1.04 * r, 12)],
            band,
            -10,
        )
        pink = plain(tint(rng, choice(rng, weighted("pink 2, white"))))
        end = rng.uniform(4, 9)
        barrel(model, [(0.75 * r, 0), (0.97 * r, 1), (0.97 * r, end + 1)], pink, -10 - end)
    features = ["with an eraser" if rubber else "without an eraser", "hexagonal" if sides == 6 else "round"]
    features += ["sharpened", "short" if length < 95 else ""]
    pattern = "striped" if striped else "plain"
    return model.instance(skin, "long and thin", features, colors=colors, pattern=pattern)


@generates("pencil sharpener")
def pencil_sharpener(rng: Rng) -> Instance:
    """Pencil sharpeners: metal wedges and blocks with a blade, plastic ones, and barrels that keep the shavings."""
    return _barrel(rng) if rng.random() < 0.35 else _wedge(rng)


def _wedge(rng: Rng) -> Instance:
    """Return a small block with a slanted blade on top, its hole at -y."""
    model = ModelBuilder()
    length = rng.uniform(22, 32)
    wide, tall = length * rng.uniform(0.5, 0.68), length * rng.uniform(0.38, 0.48)
    metal = rng.random() < 0.5
    skin = (
        finish(rng, "metal", "grey", wear=0.5, rgb=STEEL)
        if metal
        else finish(rng, "plastic", [*VIVID, "black", "red"], wear=0.4)
    )
    taper = rng.uniform(0.55, 0.8) if metal or rng.random() < 0.5 else 1.0
    t = np.linspace(0, 1, 9)
    y = (t - 0.5) * length
    waist = 1 - (0.2 * np.sin(np.pi * t) if rng.random() < 0.7 else 0 * t)
    half = wide / 2 * np.interp(t, [0, 1], [1, taper]) * waist
    top = np.interp(t, [0, 1], [tall, tall * rng.uniform(0.7, 0.95)])
    model.plate(np.c_[-half, y], np.c_[half, y], 0, top, skin, pieces=1)
    slope = np.degrees(np.arctan2(top[-1] - top[0], length))
    turn = rotation("x", slope) @ rotation("z", rng.uniform(4, 10))
    middle = np.array([0, 0, float(top.mean()) + 0.5])
    blade = 0.82 * length
    wide_blade = rng.uniform(0.36, 0.46) * wide
    model.box(
        (wide_blade, blade, 0.7), steel(rng, ((206, 208, 212), (190, 192, 196))), 0.1, at=middle, turn=turn, hull=False
    )
    slot = middle + turn @ np.array([0.62 * wide_blade, 0.02 * length, -0.45])
    model.box((0.22 * wide, 0.8 * blade, 0.5), plain((34, 32, 32)), 0, at=slot, turn=turn, hull=False)
    disc(model, 0.13 * wide, -0.1, 1.2, plain((120, 122, 126) if rng.random() < 0.6 else (196, 160, 84)), at=middle)
    outline = circle(0.29 * wide, 16)
    model.prism(
        outline, -0.3, 0.3, plain((24, 24, 26)), at=(0, -length / 2, 0.48 * tall), turn=rotation("x", 90), hull=False
    )
    ribs = plain(skin.tints[0] * 0.7)
    for n in range(5):
        for side in (-1, 1):
            at = (side * half[3 + n // 2] * 0.98, (n - 2) * 0.08 * length, 0.45 * tall)
            model.box((0.6, 0.025 * length, 0.6 * tall), ribs, 0, at=at, hull=False)
    features = ["with a metal blade", "with one hole"]
    return model.instance(skin, "wedge-shaped", features, density=2000 if metal else 1200)


def _barrel(rng: Rng) -> Instance:
    """Return a round container with a hole in its lid, standing."""
    model = ModelBuilder()
    r, tall = rng.uniform(14, 22), rng.uniform(26, 52)
    skin = finish(rng, "plastic", VIVID, weighted("plain 3, striped, dotted"), pitch=(5, 9), wear=0.3)
    form = [(0.7, 0), (0.9, 0.04), (rng.uniform(0.9, 1.05), 0.3), (1.0, 0.62)]
    body = smooth(form, 9) * [r, tall]
    model.lathe([(0, 0), *body, (0, 0.62 * tall)], skin, pieces=1)
    top = finish(
        rng, "plastic", [c for c in ("black", "white", "grey", "red", "yellow", "blue") if c != skin.colors[0]]
    )
    lid = smooth([(1.02, 0.62), (1.02, 0.85), (0.8, 0.97), (0.6, 1.0)], 9) * [r, tall]
    model.lathe([(0, 0.62 * tall), *lid, (0, tall)], top, pieces=1)
    holes = int(choice(rng, (1, 1, 2)))
    for n in range(holes):
        x = 0.0 if holes == 1 else (n - 0.5) * 0.62 * r
        size = (0.3 if holes == 1 else 0.24 - 0.06 * n) * r
        profile = np.array([(size * 1.25, 0), (size * 1.25, 1), (size, 1)])
        model.lathe(profile, top.solid(0.8), segments=16, at=(x, 0, tall - 0.4), hull=False)
        disc(model, size, tall - 0.5, tall + 0.5, plain((22, 22, 24)), at=(x, 0, 0))
    features = ["with a container for shavings", f"with {('one hole', 'two holes')[holes - 1]}"]
    return model.instance(skin, "cylindrical", features, colors=(*skin.colors, *top.colors), density=500)


PUSH_PIN_HEADS = {
    "waisted": [
        (0.85, 0),
        (0.98, 0.05),
        (1.0, 0.14),
        (0.7, 0.24),
        (0.5, 0.5),
        (0.56, 0.72),
        (1.15, 0.84),
        (1.2, 0.95),
        (1.05, 1),
    ],
    "tapered": [(0.7, 0), (0.95, 0.06), (0.95, 0.16), (0.62, 0.3), (0.62, 0.74), (1.0, 0.8), (1.0, 0.95), (0.9, 1)],
    "round": [(0.01, 0), (0.7, 0.12), (1.0, 0.42), (0.86, 0.76), (0.45, 0.96), (0.2, 1)],
}


@generates("push pin")
def push_pin(rng: Rng) -> Instance:
    """Push pins: colored plastic heads, waisted or round, with a short steel needle."""
    model = ModelBuilder()
    form = choice(rng, weighted("waisted 3, tapered, round"))
    r = rng.uniform(4.4, 6.4)
    head = r * (rng.uniform(2.0, 2.7) if form != "round" else rng.uniform(1.8, 2.0))
    skin = finish(rng, choice(rng, weighted("plastic 3, wood")), VIVID, wear=0.2)
    if skin.material == "wood" and rng.random() < 0.5:
        skin = finish(rng, "wood", "brown", rgb=((206, 160, 104), (188, 132, 76)))
    lean = rotation("x", -90 + rng.uniform(-14, 14) if rng.random() < 0.7 else 0.0)
    profile = smooth(PUSH_PIN_HEADS[form], 20) * [r, head]
    model.lathe([(0, 0), *profile, (0, head)], skin, segments=20, pieces=3, turn=lean)
    needle = rng.uniform(8, 13)
    thin = rng.uniform(0.5, 0.75)
    rows = [(0, head - 0.5), (1.5 * thin, head - 0.5), (thin, head + 1.5), (thin, head + 0.72 * needle)]
    rows += [(0, head + needle)]
    model.lathe(rows, steel(rng), segments=10, pieces=1, turn=lean)
    return model.instance(skin, "waisted" if form == "waisted" else form, ["with a sharp point"], density=1300)


RULER_WOODEN = {"yellow": ((230, 190, 92), (222, 178, 84)), "brown": ((188, 136, 84), (204, 154, 98), (214, 168, 112))}


@generates("ruler")
def ruler(rng: Rng) -> Instance:
    """Rulers: flat strips of wood, plastic, clear plastic or steel with a scale of lines and numbers."""
    model = ModelBuilder()
    count = int(choice(rng, (10, 15, 15, 20, 25, 30)))
    length = count * 10 + rng.uniform(3, 10)
    if length > 300:
        length = 305
    wide = rng.uniform(22, 34) * (0.7 + 0.01 * count)
    material = choice(rng, weighted("wood 2, plastic 2, clear, steel"))
    if material == "wood":
        word = choice(rng, weighted("yellow, brown 2"))
        skin = finish(rng, "wood", word, wear=0.5, rgb=RULER_WOODEN[word])
        thick = rng.uniform(2.2, 4)
    elif material == "steel":
        skin = steel(rng, ((196, 198, 202), (180, 182, 186)))
        thick = rng.uniform(1.0, 1.4)
    elif material == "clear":
        skin = finish(rng, "plastic", "white", wear=0.4, rgb=((206, 216, 220), (216, 222, 222), (196, 212, 218)))
        thick = rng.uniform(1.6, 2.6)
    else:
        skin = finish(rng, "plastic", [*VIVID, "white"], wear=0.4)
        thick = rng.uniform(1.8, 3)
    two = rng.random() < 0.6
    image = _scale(skin, wide, length, count, two)
    sides = {"top": image, "bottom": skin if rng.random() < 0.6 else image} | dict.fromkeys(
        ("left", "right", "front", "back"), skin.solid(0.95)
    )
    bevel = material in ("wood", "plastic") and rng.random() < 0.4
    model.box((wide, length, thick), sides, 0.4, at=(0, 0, thick / 2))
    if bevel:
        model.box((0.42 * wide, length - 0.5, 1.6), skin, 0.3, at=(-0.04 * wide, 0, thick + 0.3), hull=False)
    hole = rng.random() < 0.5
    if hole:
        outline = circle(min(3.2, 0.12 * wide), 14)
        model.prism(
            outline, -0.1, thick + 1.3 * bevel + 0.15, plain((52, 56, 66)), at=(0, length / 2 - 5.5, 0), hull=False
        )
    features = ["with a hole" if hole else "", "with two scales" if two else "with one scale"]
    features += [{"clear": "transparent", "wood": "wooden", "steel": "", "plastic": ""}[material]]
    features += ["short" if count <= 15 else "long" if count >= 30 else ""]
    return model.instance(skin, "long and flat", features, density=1200)


def _scale(skin: Finish, wide: float, length: float, count: int, two: bool) -> TextureImage:
    """Paint lines every half centimeter and numbers at every centimeter, along one or both edges."""
    rows = 360
    base = skin.image(wide, length, rows)
    cols = base.shape[1]
    image = tx.canvas((cols, rows), (0, 0, 0))[0]
    image.paste(Image.fromarray(base))
    draw = ImageDraw.Draw(image)
    ink = (24, 24, 28) if skin.tints[0].mean() > 95 else (240, 240, 236)
    pitch = rows * 10 / length
    first = rows * (0.5 - 5 * count / length)
    for n in range(2 * count + 1):
        y = first + n * pitch / 2
        long = 0.3 if n % 2 == 0 else 0.16
        draw.line([(0, y), (long * cols, y)], fill=ink)
        if two:
            draw.line([(cols, y), ((1 - long) * cols, y)], fill=ink)
        if n % 2 == 0 and pitch > 9:
            tx.draw_text(image, str(n // 2), (0.42 * cols, y), min(9, 0.8 * pitch), ink, 90)
    return np.asarray(image)


CLEARS = {
    "white": ((206, 216, 220), (214, 220, 220)),
    "orange": ((236, 150, 60),),
    "green": ((90, 176, 96),),
    "blue": ((70, 130, 206),),
    "pink": ((236, 134, 172),),
    "yellow": ((238, 204, 60),),
}


@generates("set square")
def set_square(rng: Rng) -> Instance:
    """Set squares: flat triangles of clear or colored plastic, wood or steel with an open middle and scales."""
    # Pose: lying flat, its right angle at -y.
    model = ModelBuilder()
    long = rng.uniform(95, 230)
    angle = choice(rng, (45, 45, 30, 60))
    tall = long * float(np.tan(np.radians(angle)))
    if tall > long:
        long, tall = long * long / tall, long
    material = choice(rng, weighted("plastic 3, wood, steel"))
    if material == "wood":
        skin = finish(rng, "wood", "brown", wear=0.5, rgb=WOODS)
    elif material == "steel":
        skin = steel(rng)
    else:
        word = choice(rng, (*weighted("white 3"), *CLEARS))
        skin = finish(rng, "plastic", word, wear=0.3, rgb=CLEARS[word])
    corners = np.array([(0, 0), (long, 0), (0, tall)])
    center = corners[0] + np.array([1, 1]) * (long + tall - np.hypot(long, tall)) / 2
    share = rng.uniform(0.34, 0.55)
    thick = rng.uniform(1.6, 3)
    inner = center + (corners - center) * share
    marked = rng.random() < 0.85
    for n in range(3):
        a = corners[n]
        b = corners[(n + 1) % 3]
        c = inner[(n + 1) % 3]
        d = inner[n]
        t = np.linspace(0, 1, 4)[:, None]
        image = _bar(skin, float(np.linalg.norm(b - a)), float(np.linalg.norm(center - inner[n])), marked and n != 1)
        model.plate(d + (c - d) * t, a + (b - a) * t, 0, thick, image, pieces=1)
    features = ["with two equal sides" if angle == 45 else "with a long and a short side"]
    features += ["with a scale" if marked else "without a scale", "with a triangular hole"]
    features += [{"wood": "wooden", "steel": "metal", "plastic": ""}[material]]
    return model.instance(skin, "triangular", features, density=1200)


def _bar(skin: Finish, long: float, wide: float, marked: bool) -> TextureImage:
    """Paint one side; lines every half centimeter at its outer edge (u = 1), numbers beside them."""
    base = skin.image(max(wide * 0.6, 0.2 * long), long, 150)
    if not marked:
        return base
    rows, cols = base.shape[:2]
    image, draw = tx.canvas((cols, rows), (0, 0, 0))
    image.paste(Image.fromarray(base), (0, 0))
    ink = (24, 24, 28)
    pitch = rows * 5 / long
    for n in range(2, int(rows / pitch) - 1):
        y = rows - n * pitch
        draw.line([(cols, y), (cols * (0.72 if n % 2 == 0 else 0.86), y)], fill=ink)
        if n % 2 == 0 and 5 < y < rows - 5:
            tx.draw_text(image, str(n // 2 - 1), (0.55 * cols, y), min(8, 1.6 * pitch), ink, 270)
    return np.asarray(image)
