"""Pots, pans, boards and other kitchenware."""

import numpy as np

from pickclutter_lang.kinds.containers import add_label, cap_color, loft, round_hull
from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, rounded, smooth
from pickclutter_lang.kinds.tableware import dish, loop_handle, spout
from pickclutter_lang.kinds.utensils import GRIPS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface, rotation

COLANDER_EAR = ((-1, 0), (-0.8, 1), (0, 1.2), (0.8, 1), (1, 0))  # half-widths and reaches


def pierced(
    rng: Rng, skin: Finish, around: float, length: float, pitch: float, low: float, high: float
) -> TextureImage:
    """Return the image of a wall with rows of dark holes between two shares of its height."""
    image = skin.image(around, length, 200)
    u, v = tx.uv_grid(*image.shape[:2])
    rows = max(2, round(length / pitch))
    cols = round(around / pitch)
    x = (u * cols + 0.5 * (np.floor(v * rows) % 2)) % 1 - 0.5
    y = (v * rows) % 1 - 0.5
    slots = rng.random() < 0.3
    radius = rng.uniform(0.24, 0.32)
    hole = (np.abs(x) < 0.18) & (np.abs(y) < 0.38) if slots else np.hypot(x, y) < radius
    dark = (hole & (v > low) & (v < high)) * 0.88
    return tx.to_uint8(tx.lerp_color(image, (44, 46, 50), dark))


@generates("colander")
def colander(rng: Rng) -> Instance:
    """Colanders: wide basins full of holes, with two ears or a long handle and a foot. Pose: standing."""
    model = ModelBuilder()
    word = choice(rng, weighted("grey 5, white 2, red 3, blue, green 2, yellow, orange, turquoise, pink"))
    material = "steel" if word == "grey" else choice(rng, weighted("plastic 2, metal"))
    skin = finish(rng, material, word, rgb=STEEL if word == "grey" else ())
    r = rng.uniform(66, 100)
    h = r * rng.uniform(0.6, 0.9)
    foot = r * rng.uniform(0.4, 0.55)
    wall = 3.2
    outer = smooth([(foot, 0), (0.5 * foot + 0.5 * r, 0.2 * h), (r * 0.94, 0.65 * h), (r, h)], 9)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall), (0, wall)])
    pitch = rng.uniform(9, 14)
    side = pierced(rng, skin, 2 * np.pi * r, 1.3 * r, pitch, 0.3, 0.9)
    hollow = pierced(rng, skin.solid(0.92), 2 * np.pi * r, 1.3 * r, pitch, 0.08, 0.86)
    dish(model, outer, inner, side, hollow, wedges=7)
    model.lathe([(0, -7), (foot * 0.9, -7), (foot * 0.86, 1), (0, 1)], skin, segments=20, pieces=1)
    model.lathe(
        [(r - 3, h + 0.2), (r - 1, h - 2), (r + 4, h - 1), (r + 4, h + 1), (r - 3, h + 0.2)], skin.solid(), hull=False
    )
    long = rng.random() < 0.2
    if long:
        path = np.array([(0, r - 2, h - 3), (0, r + 30, h - 3), (0, r + rng.uniform(70, 95), h)])
        model.sweep(path, 9, skin.solid(), 4, power=3, segments=12, pieces=1)
    else:
        reach, half = rng.uniform(14, 24), rng.uniform(20, 30)
        for s in (-1, 1):
            ear = [(f * half, s * (r - 1 + g * reach), h - 3 * (g == 0)) for f, g in COLANDER_EAR]
            model.sweep(smooth(ear, 13), 3.6, skin.solid(), 3, segments=10, pieces=1)
    features = ["with a long handle" if long else "with two handles", "with holes", "empty"]
    return model.instance(skin, "hemispherical", features, density=700)


@generates("cutting board")
def cutting_board(rng: Rng) -> Instance:
    """Cutting boards: flat slabs of wood or plastic, with a handle, a hole or a groove, striped or of one piece."""
    # Pose: lying flat, its handle at +y.
    model = ModelBuilder()
    wooden = rng.random() < 0.65
    long = rng.uniform(150, 250)
    wide = long * rng.uniform(0.55, 0.8)
    thick = rng.uniform(8, 18) if wooden else rng.uniform(5, 9)
    words = weighted("white 4, green 2, red 2, blue, yellow, black, pink, turquoise")
    skin = (
        finish(rng, "wood", "brown", rgb=(*WOODS, (210, 168, 110)), wear=0.6)
        if wooden
        else finish(rng, "plastic", words, wear=0.7)
    )
    shape = choice(rng, weighted("rectangle 3, round")) if wooden else "rectangle"
    outline = rounded(wide, long, wide * rng.uniform(0.04, 0.2)) if shape == "rectangle" else circle(wide * 0.56, 36)
    image = skin.image(wide, long)
    planks = wooden and rng.random() < 0.45
    u, v = tx.uv_grid(*image.shape[:2])
    if planks:
        tones = rng.uniform(0.72, 1.1, 12)
        image = tx.to_uint8(image * tones[np.minimum((u * 9).astype(int), 11)][..., None])
    groove = rng.random() < 0.4
    if groove:
        x, y = np.abs(u - 0.5) * wide, np.abs(v - 0.5) * long
        inset = np.minimum(wide / 2 - x, long / 2 - y) if shape == "rectangle" else wide * 0.56 - np.hypot(x * 1.12, y)
        image = tx.to_uint8(image * (1 - 0.35 * np.exp(-(((inset - 11) / 2.6) ** 2)))[..., None])
    cuts = int(rng.integers(0, 12))
    for _ in range(cuts):
        n = int(rng.integers(8, len(image) - 8))
        at = int(rng.integers(4, image.shape[1] // 2))
        image[n, at : at + int(rng.integers(10, 30))] = image[n, at] * 0.8
    model.prism(outline, 0, thick, image, skin.solid(0.9))
    top = float(outline[:, 1].max())
    handle = rng.random() < (0.55 if wooden else 0.25) or shape == "round"
    if handle:
        reach = rng.uniform(45, 75)
        half = wide * rng.uniform(0.1, 0.17)
        y = np.array([-0.03 * long, 0.04 * long, 0.3 * reach, 0.75 * reach, 0.94 * reach, reach]) + top
        span = half * np.array([1.6, 1.15, 0.85, 1.0, 0.9, 0.55])
        model.plate(np.c_[-span, y], np.c_[span, y], 0.4, thick - 0.4, skin.solid(), pieces=1)
        hole = circle(half * 0.42, 14) + np.array([0, top + 0.72 * reach])
        model.prism(hole, 0, thick + 0.3, plain((40, 38, 36)), hull=False)
    slot = not handle and rng.random() < 0.5
    if slot:
        grip = rounded(wide * 0.3, 14, 6.5) + np.array([0, long / 2 - 20])
        model.prism(grip, -0.3, thick + 0.3, plain((44, 42, 40)), hull=False)
    features = ["with a handle" if handle else "without a handle", "with a hole" if handle or slot else ""]
    features += ["with a groove" if groove else "", "round" if shape == "round" else ""]
    features.append("with strips of wood" if planks else "")
    return model.instance(skin, "flat rectangular" if shape == "rectangle" else "flat", features)


FRYING_PAN_DARK = ((38, 38, 40), (50, 50, 52), (62, 62, 64))


def pan_handle(model: ModelBuilder, rng: Rng, skin: Finish, wall: float, z: float, length: float) -> tuple[Finish, str]:
    """Add a long handle at +y that leaves a wall at the height z; return its finish and words for it."""
    kind = choice(rng, weighted("plastic 2, steel, wood, same"))
    grip = {
        "wood": finish(rng, "wood", "brown", rgb=WOODS),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
        "same": skin.solid(),
    }.get(kind) or finish(rng, "plastic", weighted("black 6, red, white, grey"))
    rise = rng.uniform(0, 0.22) * length
    spine = smooth([(0, wall - 3, z), (0, wall + 0.2 * length, z + 0.3 * rise), (0, wall + length, z + rise)], 14)
    half = smooth([(5,), (6.5,), (9,), (9.5,), (7,)], 14)[:, 0] * rng.uniform(0.85, 1.15)
    tall = half * rng.uniform(0.5, 0.8)
    neck = int(rng.integers(2, 5))
    metal = skin.painted(choice(rng, STEEL))
    model.sweep(spine[: neck + 1], half[: neck + 1] * 0.9, metal, tall[: neck + 1] * 0.8, segments=12, pieces=1)
    model.sweep(spine[neck - 1 :], half[neck - 1 :], grip, tall[neck - 1 :], power=2.5, segments=14, pieces=1)
    if rng.random() < 0.6:
        (x, y, top), deep = spine[-2], tall[-2] + 0.4
        model.prism(circle(3, 12) + np.array([x, y]), top - deep, top + deep, skin.painted((30, 30, 32)), hull=False)
    return grip, f"with a {'wooden' if grip.material == 'wood' else grip.material} handle"


@generates("frying pan")
def frying_pan(rng: Rng) -> Instance:
    """Frying pans: shallow round pans, black inside, with one long handle. Pose: standing, its handle at +y."""
    model = ModelBuilder()
    style = choice(rng, weighted("coated 6, iron 2, steel 2"))
    words = weighted("black 5, red 2, grey, blue, green, turquoise")
    skin = {
        "iron": finish(rng, "metal", "black", rgb=FRYING_PAN_DARK, wear=0.5),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(style) or finish(rng, "metal", words)
    light = style == "coated" and rng.random() < 0.15
    inside = skin.painted((214, 208, 194)) if light else skin.painted(np.array(choice(rng, FRYING_PAN_DARK)))
    if style == "steel":
        inside = skin.solid(0.94)
    r = rng.uniform(58, 88)
    h, foot = r * rng.uniform(0.3, 0.46), r * rng.uniform(0.7, 0.84)
    outer = smooth([(foot, 0), (foot + 0.55 * (r - foot), 0.4 * h), (r, h)], 7)
    model.vessel(outer, rng.uniform(2.5, 3.5), skin, inside)
    at = float(np.interp(0.75 * h, outer[:, 1], outer[:, 0]))
    grip, words_of_handle = pan_handle(model, rng, skin, at, 0.75 * h, r * rng.uniform(1.25, 1.7))
    dark = "black" if style != "steel" and not light else ""
    colors = tuple(dict.fromkeys(c for c in (dark, *skin.colors, *grip.colors) if c))
    features = [words_of_handle, "with a black inside" if dark else "", "without a lid", "shallow", "empty"]
    return model.instance(skin, "round", features, colors=colors, density=1800)


@generates("funnel")
def funnel(rng: Rng) -> Instance:
    """Funnels: open cones that end in a narrow tube, of plastic or steel, some with an ear or a ring."""
    # Pose: its wide side up.
    model = ModelBuilder()
    word = choice(rng, weighted("white 3, red 2, blue 2, green 2, yellow 2, grey 3, black, orange, turquoise"))
    steel = word == "grey"
    skin = finish(rng, "steel" if steel else "plastic", word, rgb=STEEL if steel else ())
    r = rng.uniform(34, 66)
    tube = r * rng.uniform(0.15, 0.26)
    narrow = rng.uniform(0.6, 0.85)
    stem, cone, rim = r * rng.uniform(0.6, 1.1), r * rng.uniform(0.75, 1.1), r * rng.uniform(0.05, 0.3)
    wall = rng.uniform(1.8, 2.8)
    top = stem + cone + rim
    outer = np.array([(tube, stem), (r * 0.98, stem + cone), (r, top)])
    inner = np.array([(r - wall, top), (r * 0.98 - wall, stem + cone), (tube * 0.75, stem + 0.6 * wall)])
    dish(model, outer, [*inner, (0, stem - 2)], skin, skin.solid(0.93), wedges=8)
    model.lathe([(0, 0), (tube * narrow, 0), (tube * 1.02, stem), (0, stem)], skin.solid(), segments=20, pieces=1)
    hole = skin.painted((34, 34, 36))
    model.prism(circle(tube * 0.72, 18), stem + 0.3, stem + 1.4, hole, hull=False)
    model.prism(circle(tube * narrow * 0.78, 16), -0.3, 0.4, hole, hull=False)
    edge = rng.uniform(0.5, 1.6)
    rim_edge = [(r - wall, top - 1), (r + edge, top - 1), (r + edge, top + 1), (r - wall, top + 1)]
    model.lathe(rim_edge, skin.solid(), hull=False)
    ear = choice(rng, ("tab", "ring", "none"))
    if ear == "tab":
        y = np.array([r - 1, r + 9, r + 17, r + 19])
        half = np.array([11, 10, 7, 3.0])
        model.plate(np.c_[-half, y], np.c_[half, y], top - 2.2, top, skin.solid(), pieces=1)
    elif ear == "ring":
        loop = circle(1, 14) * 9 + np.array([0, r + 8])
        path = np.c_[np.r_[loop, loop[:1]], np.full(15, top - 1)]
        model.sweep(path, 2.2, skin.solid(), 1.4, segments=8, closed=True, pieces=2)
    words = {"tab": "with a tab at its rim", "ring": "with a ring to hang it up", "none": "without a handle"}
    return model.instance(skin, "conical", [words[ear]])


def holes(rng: Rng, skin: Finish, width: float, height: float, pitch: float, slots: bool) -> TextureImage:
    """Return the image of a sheet with rows of raised holes: a bright edge below each dark opening."""
    image = skin.image(width, height, 144)
    u, v = tx.uv_grid(*image.shape[:2])
    rows = max(3, round(height / pitch))
    cols = 1 if slots else max(3, round(width / pitch))
    rows = rows // 2 if slots else rows
    x = (u * cols + 0.5 * (np.floor(v * rows) % 2) * (not slots)) % 1 - 0.5
    y = (v * rows) % 1 - 0.5
    radius = np.hypot(x * (0.75 if slots else 1), y * (2.4 if slots else 1))
    inside = (np.abs(u - 0.5) < 0.42) & (v > 0.06) & (v < 0.9)
    dark = (radius < 0.3) * inside
    bright = (radius < 0.42) * (y < 0.02) * inside * (1 - dark)
    return tx.to_uint8(tx.lerp_color(tx.lerp_color(image, (238, 240, 242), 0.7 * bright), (38, 38, 42), 0.9 * dark))


@generates("grater")
def grater(rng: Rng) -> Instance:
    """Graters: four-sided boxes with rows of cutting holes and a handle on top, or flat sheets with a handle."""
    # Pose: a box grater that stands, or a flat one that lies with its handle at -y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    wooden = rng.random() < 0.15
    grip = finish(rng, "wood", "brown", rgb=WOODS) if wooden else finish(rng, "plastic", (*weighted("black 2"), *GRIPS))
    words = "with a wooden handle" if wooden else "with a plastic handle"
    pitch = rng.uniform(6, 10)
    if rng.random() < 0.65:
        h = rng.uniform(130, 190)
        wide, deep = h * rng.uniform(0.42, 0.55), h * rng.uniform(0.3, 0.42)
        share = rng.uniform(0.55, 0.8)
        signs = np.array([(1, -1), (1, 1), (-1, 1), (-1, -1)])
        base = signs * [wide / 2, deep / 2]
        for n in range(4):
            a, b = (np.r_[base[m % 4], 0.0] for m in (n, n + 1))
            top = [p * [share, share, 1] + [0, 0, h] for p in (a, b)]
            side = float(np.linalg.norm(b - a))
            image = holes(rng, steel, side, h, pitch * (0.55, 1.0, 0.8, 1.6)[n], n == 3)
            model.surface(grid_surface(np.array([[a, b], top])), image)
        lid = base * share
        model.prism(base, -1, 0.5, steel.painted((70, 72, 74)), hull=False)
        model.hull([(*p, 0) for p in base] + [(*p, h) for p in lid])
        cap = rounded(wide * share + 4, deep * share + 4, 5)
        model.prism(cap, h - 3, h + 4, grip)
        span = wide * share * 0.42
        rise = rng.uniform(22, 32)
        bow = [(f * span, 0, h + 2 + g * rise) for f, g in ((-1, 0), (-0.9, 0.8), (0, 1), (0.9, 0.8), (1, 0))]
        path = smooth(bow, 15)
        model.sweep(path, 7, grip, 4, up=(0, 1, 0), segments=12, pieces=3)
        features = ["with four sides", words, "with holes"]
        return model.instance(steel, "box-shaped", features, colors=("grey", *grip.colors), density=500)
    long = rng.uniform(95, 150)
    wide = long * rng.uniform(0.3, 0.55)
    thick = rng.uniform(2.5, 4)
    image = holes(rng, steel, wide, long, pitch, False)
    skins = dict.fromkeys(("right", "left", "back", "front"), steel) | {"top": image, "bottom": image}
    model.box((wide, long, thick), skins, 0.6)
    for s in (-1, 1):
        model.box((4, long, thick + 3), steel.solid(0.9), 1.0, at=(s * wide / 2, 0, 0), hull=False)
    handle = rng.uniform(70, 100)
    y = -long / 2 - np.linspace(-3, handle, 10)
    form = smooth([(0.9,), (0.65,), (0.85,), (1.0,), (0.75,)], 10)[:, 0] * rng.uniform(9, 13)
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, 0.55 * form, power=2.6, segments=14, pieces=1)
    features = ["flat", words, "with holes"]
    return model.instance(steel, "flat", features, colors=("grey", *grip.colors))


LUNCH_BOX_COLORS = weighted("blue 3, red 2, green 2, pink 2, yellow, turquoise 2, purple, orange, white, grey")
LUNCH_BOX_PATTERNS = weighted("plain 3, dotted, striped, floral, checkered")


@generates("lunch box")
def lunch_box(rng: Rng) -> Instance:
    """Lunch boxes: flat plastic or metal boxes with round corners, a lid, clips, and sometimes a handle."""
    model = ModelBuilder()
    long = rng.uniform(120, 190)
    metal = rng.random() < 0.25
    wide, high = long * rng.uniform(0.6, 0.8), long * rng.uniform(0.3, 0.45)
    skin = finish(rng, "plastic", LUNCH_BOX_COLORS, wear=0.3)
    lid = finish(rng, "plastic", (skin.colors[0],) * 2 + LUNCH_BOX_COLORS, LUNCH_BOX_PATTERNS, pitch=(14, 28))
    if metal:
        word = choice(rng, weighted("grey 2, red, blue, green, black"))
        skin = finish(rng, "metal", word, wear=0.5, rgb=STEEL if word == "grey" else ())
        lid = skin
    corner, split = wide * rng.uniform(0.14, 0.3), high * rng.uniform(0.62, 0.78)
    base = rounded(wide * 0.93, long * 0.95, corner)
    top = rounded(wide, long, corner)
    loft(model, [(base, 0), (base * 1.03, 4), (top * 0.985, split)], skin)
    edge = top * 1.015
    loft(model, [(top, split), (edge, split + 1), (edge, split + 5), (top, high - 4), (top * 0.94, high)], lid)
    image = lid.image(wide, long)
    model.prism(top * 0.94, high - 1, high + 0.2, image, lid.solid(), hull=False)
    model.prism(base, -0.2, 0.6, skin.solid(), hull=False)
    model.hull([(*p, z) for o, z in ((base, 0), (top, split)) for p in o])
    model.hull([(*p, z) for o, z in ((top, split), (top, high - 4), (top * 0.94, high)) for p in o])
    clip = plain(tint(rng, choice(rng, ("white", "grey", *LUNCH_BOX_COLORS)))) if not metal else plain((186, 188, 192))
    ends = rng.random() < 0.6
    for s in (-1, 1):
        size = (wide * rng.uniform(0.28, 0.4), 4, high * 0.42) if ends else (4, long * 0.2, high * 0.42)
        place = (0, s * (long / 2 + 2), split) if ends else (s * (wide / 2 + 2), 0, split)
        model.box(size, clip, 1.5, at=place)
    carry = rng.random() < 0.35
    if carry:
        span = long * 0.22
        rise = rng.uniform(18, 26)
        bow = [(0, f * span, high + g * rise) for f, g in ((-1, 0), (-0.9, 0.8), (0, 1), (0.9, 0.8), (1, 0))]
        path = smooth(bow, 15)
        model.sweep(path, 6, clip, 3, up=(1, 0, 0), segments=10, pieces=3)
    words = "with clips at the ends" if ends else "with clips at the sides"
    features = [words, "with a handle" if carry else "without a handle", "closed"]
    return model.instance(lid, "rectangular", features, colors=(*lid.colors, *skin.colors), density=350)


def scale(rng: Rng, ground: Floats, ink: Floats, unit: str) -> TextureImage:
    """Return the image of a scale: long and short lines with numbers, an arrow of color up the middle."""
    image, draw = tx.canvas((72, 120), [*np.clip(ground, 0, 255)])
    color = tuple(int(c) for c in np.clip(ink, 0, 255))
    step = int(choice(rng, (50, 100, 100, 125)))
    count = int(rng.integers(4, 7))
    draw.line([(38, 4), (38, 116)], fill=color, width=1)
    for n in range(count):
        y = 112 - n * 100 / (count - 1)
        draw.line([(38, y), (62, y)], fill=color, width=3)
        draw.line([(38, y - 50 / (count - 1)), (52, y - 50 / (count - 1))], fill=color, width=2)
        if n:
            tx.draw_text(image, str(n * step), (19, y), 13, color)
    tx.draw_text(image, unit, (54, 8), 12, color)
    return np.asarray(image)


@generates("measuring cup")
def measuring_cup(rng: Rng) -> Instance:
    """Measuring cups: clear or white jugs with a scale, a lip and an ear, or scoops with a flat handle."""
    # Pose: standing, its lip at -y and its handle at +y.
    model = ModelBuilder()
    if rng.random() < 0.25:
        return _scoop(model, rng)
    material = choice(rng, weighted("glass 2, plastic 2, steel"))
    if material == "glass":
        skin = finish(rng, "glass", "white").painted(np.array((206, 214, 216)) * rng.uniform(0.92, 1.04))
    elif material == "steel":
        skin = finish(rng, "steel", "grey", rgb=STEEL)
    else:
        skin = finish(rng, "plastic", weighted("white 6, blue, green, pink, yellow, turquoise"))
    r = rng.uniform(36, 56)
    h = r * rng.uniform(1.5, 2.6)
    foot = r * rng.uniform(0.72, 0.95)
    wall = 3.0
    outer = smooth([(foot, 0), (0.5 * (foot + r) + 1, 0.4 * h), (r, h)], 9)
    inner = np.array([*(outer[::-1] - [wall, 0])[:-1], (foot - wall, wall), (0, wall)])
    bend = spout(h, r * rng.uniform(0.2, 0.4), 0.35)
    dish(model, outer, inner, skin, skin.solid(0.9), bend=bend)
    ink = tint(rng, choice(rng, weighted("red 2, blue, black 2, green")))
    low, high = 0.14 * h, 0.86 * h
    marks = scale(rng, skin.tints[0], ink, choice(rng, weighted("ml 2, cup")))
    add_label(model, outer, marks, low, high, 0.62)
    top = 0.9 * h
    bottom = h * rng.uniform(0.2, 0.35)
    open_end = rng.random() < 0.5
    grip = _grip(rng, skin)
    reach = r * rng.uniform(0.5, 0.7)
    loop_handle(model, rng, grip, outer, top, bottom, reach, rng.uniform(4, 6), open_end)
    features = ["with a handle", "with a scale", "with a spout", "transparent" if material == "glass" else ""]
    return model.instance(skin, "cup-shaped", features)


def _grip(rng: Rng, skin: Finish) -> Finish:
    return (
        skin.solid() if rng.random() < 0.75 else skin.painted(tint(rng, choice(rng, ("red", "blue", "black", "green"))))
    )


def _scoop(model: ModelBuilder, rng: Rng) -> Instance:
    """Add a cup with a flat handle, as of a set for flour and sugar."""
    word = choice(rng, weighted("grey 5, red, blue, green, yellow, orange, white, turquoise, pink"))
    steel = word == "grey"
    skin = finish(rng, "steel" if steel else "plastic", word, rgb=STEEL if steel else ())
    r = rng.uniform(22, 40)
    h = r * rng.uniform(0.8, 1.15)
    wall = 2.0
    outer = smooth([(r * 0.8, 0), (r * 0.95, 0.3 * h), (r, h)], 7)
    model.vessel(outer, wall, skin, skin.solid(0.92))
    length = rng.uniform(60, 95)
    y = r - 2 + np.linspace(0, length, 8)
    half = smooth([(9,), (6,), (7.5,), (9,), (5,)], 8)[:, 0]
    model.plate(np.c_[-half, y], np.c_[half, y], h - 3.5, h - 0.8, skin.solid(), pieces=1)
    image, _ = tx.canvas((24, 64), [*np.clip(skin.tints[0], 0, 255)])
    dark = (36, 36, 40) if float(skin.tints[0].mean()) > 90 else (240, 240, 240)
    tx.draw_text(image, choice(rng, ("1 cup", "1/2 cup", "1/3 cup", "1/4 cup")), (12, 32), 13, dark, 90)
    model.box((9, length * 0.5, 0.4), np.asarray(image), 0.0, at=(0, r + 0.55 * length, h - 0.7), hull=False)
    return model.instance(skin, "cup-shaped", ["with a long flat handle", "with lettering", "without a spout"])


@generates("pepper mill")
def pepper_mill(rng: Rng) -> Instance:
    """Pepper mills: turned bodies of wood with a waist, a round head and a knob; some of steel. Pose: standing."""
    model = ModelBuilder()
    style = choice(rng, weighted("wood 5, painted 3, steel 2"))
    words = weighted("black 3, white 2, red 2, grey, green, blue, yellow")
    skin = {
        "wood": finish(rng, "wood", "brown", rgb=(*WOODS, (92, 54, 30), (70, 42, 26))),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(style) or finish(rng, "wood", words)
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    h = rng.uniform(110, 250)
    r = rng.uniform(22, 30) * (0.8 + 0.2 * h / 180)
    split = h * rng.uniform(0.66, 0.78)
    if style == "steel" or rng.random() < 0.2:
        body = [(r, 0), (r, 0.04 * h), (r * 0.96, 0.5 * split), (r, split)]
        head = [(r, split + 2), (r, 0.9 * h), (r * 0.7, 0.95 * h), (0, 0.95 * h)]
    else:
        waist, ring = r * rng.uniform(0.5, 0.68), r * rng.uniform(0.72, 0.9)
        low = [(r, 0), (r, 0.1 * split), (r * 0.82, 0.22 * split)]
        body = [*low, (waist, 0.55 * split), (ring, 0.85 * split), (ring * 0.9, split)]
        wide = r * rng.uniform(0.78, 1.0)
        head = [(ring * 0.9, split + 2), (ring, split + 4), (waist * 0.9, split + 0.1 * h)]
        head += [(wide, 0.86 * h), (wide * 0.7, 0.95 * h), (0, 0.965 * h)]
    curve = smooth(body, 16) if len(body) > 4 else np.array(body)
    model.lathe([(0, 0), *curve, (0, split)], skin, segments=24, pieces=3)
    gap = 0.8 * curve[-1, 0]
    model.lathe([(0, split - 1), (gap, split - 1), (gap, split + 3), (0, split + 3)], steel, 20, hull=False)
    top = skin.solid(0.96)
    cap = smooth(head, 14) if len(head) > 4 else np.array(head)
    model.lathe([(0, split + 2), *cap], top, segments=24, pieces=2)
    crank = rng.random() < 0.15
    knob = r * rng.uniform(0.16, 0.26)
    z = float(cap[-1, 1])
    screw = np.array([(0, -0.5), (0.6, -0.5), (0.6, 0.2), (1, 1), (0.7, 1.8), (0, 2)])
    model.lathe(screw * knob + np.array([0, z]), steel, 16, 1)
    if crank:
        arm = smooth([(0, 0, z + knob), (0, 0.8 * r, z + knob + 2), (0, 1.7 * r, z + knob)], 7)
        model.sweep(arm, 3, steel, 1.5, up=(0, 0, 1), segments=8, pieces=1)
        model.ball((9, 9, 14), skin.solid(), rows=9, segments=12, at=(0, 1.7 * r, z + knob + 7))
    features = ["with a crank" if crank else "without a crank", "with a knob", "painted" if style == "painted" else ""]
    return model.instance(skin, "cylindrical", features)


@generates("rolling pin")
def rolling_pin(rng: Rng) -> Instance:
    """Rolling pins: thick wooden cylinders with turned handles, or tapered rods; some of silicone or marble."""
    model = ModelBuilder()
    material = choice(rng, weighted("wood 7, plastic 2, stone, steel"))
    wood = finish(rng, "wood", "brown", rgb=(*WOODS, (214, 172, 116)), wear=0.4)
    words = weighted("red 2, blue 2, green, pink 2, purple, turquoise, orange")
    skin = {
        "wood": wood,
        "stone": finish(rng, "stone", "white", "marbled", ("grey",)),
        "steel": finish(rng, "steel", "grey"),
    }.get(material) or finish(rng, "plastic", words)
    length = rng.uniform(200, 310)
    flat = rotation("x", 90)
    french = material == "wood" and rng.random() < 0.25
    if french:
        r = rng.uniform(13, 20)
        shape = smooth([(0.5, -0.5), (0.8, -0.38), (1, -0.15), (1, 0.15), (0.8, 0.38), (0.5, 0.5)], 16) * [r, 1]
        profile = np.concatenate([[(0, -0.5)], shape, [(0, 0.5)]]) * [1, length]
        model.lathe(profile, skin, segments=22, turn=flat, hull=False)
        ends = ((0.5 * r, -0.5), (r, -0.15), (r, 0.15), (0.5 * r, 0.5))
        model.hull([(*p, z * length) for q, z in ends for p in circle(q, 16)], turn=flat)
        return model.instance(skin, "cylindrical", ["without handles", "tapered"])
    r = rng.uniform(17, 28)
    share = rng.uniform(0.54, 0.66)
    half = share * length / 2
    wall = [(r * 0.9, -half), (r, -half + 3), *((r, z) for z in np.linspace(8 - half, half - 8, 7)), (r, half - 3)]
    model.lathe([(0, -half), *wall, (r * 0.9, half), (0, half)], skin, segments=24, turn=flat, hull=False)
    model.hull([(*p, z) for z in (-half, half) for p in circle(r, 16)], turn=flat)
    color = rng.random() < 0.25
    grip = finish(rng, "wood", ("red", "green", "blue", "black")) if color else wood.solid(rng.uniform(0.8, 1.05))
    stub, knob = rng.uniform(4, 6), rng.uniform(7, 11)
    end = length / 2
    for s in (-1, 1):
        form = [(stub, half - 2), (stub, half + 4), (knob * 0.8, half + 7), (knob, 0.55 * half + 0.45 * end)]
        form += [(knob * rng.uniform(0.7, 1), 0.15 * half + 0.85 * end), (knob * 0.8, end - 1), (0, end)]
        handle = np.concatenate([[(0, half - 3)], smooth(form, 16)])
        model.lathe(handle, grip, segments=18, pieces=2, turn=rotation("x", 90 * s))
    colors = tuple(dict.fromkeys((*skin.colors, *grip.colors)))
    features = ["with two handles", "with colored handles" if color else ""]
    return model.instance(skin, "cylindrical", features, colors=colors)


@generates("saucepan")
def saucepan(rng: Rng) -> Instance:
    """Saucepans: deep round pots with one long handle; with a lid of steel or glass, or open."""
    # Pose: standing, its handle at +y.
    model = ModelBuilder()
    word = choice(rng, weighted("grey 6, red 2, black 2, blue 2, white, green, orange, yellow"))
    steel = word == "grey"
    patterns = ("plain",) if steel else weighted("plain 3, dotted, floral, two-coloured")
    skin = finish(rng, "steel" if steel else "metal", word, patterns, rgb=STEEL if steel else ())
    inside = skin.painted(choice(rng, (STEEL[0], STEEL[1], (232, 230, 222), (52, 52, 54))))
    r = rng.uniform(50, 72)
    h = r * rng.uniform(0.85, 1.35)
    outer = smooth([(r * 0.92, 0), (r * 0.99, 0.1 * h), (r, 0.5 * h), (r, h - 3), (r + 2, h)], 9)
    lid = rng.random() < 0.4
    model.vessel(outer, rng.uniform(2.4, 3.2), skin, inside, wedges=7 if lid else 8)
    grip, words = pan_handle(model, rng, skin, r, h * rng.uniform(0.78, 0.88), r * rng.uniform(1.3, 1.8))
    see = False
    if lid:
        see = rng.random() < 0.4
        cover = finish(rng, "glass", "white").painted((150, 160, 164)) if see else skin.solid(1.04)
        rise = r * rng.uniform(0.12, 0.24)
        model.lathe(
            [(0, h), (r + 2.5, h), (r + 2.5, h + 2.5), (r * 0.7, h + 0.7 * rise), (0, h + rise)], cover, pieces=1
        )
        knob = plain((34, 34, 36)) if rng.random() < 0.6 else inside.painted(STEEL[1])
        top = np.array([(0, 0), (4, 0), (4, 6), (11, 9), (11, 13), (8, 16), (0, 16)]) * rng.uniform(0.8, 1.2)
        model.lathe(top + np.array([0, h + rise - 1]), knob, segments=20, pieces=1)
    features = ["with a lid" if lid else "without a lid", words, "with a glass lid" if see else "", "deep"]
    colors = tuple(dict.fromkeys((*skin.colors, *grip.colors)))
    return model.instance(skin, "cylindrical", features, colors=colors, density=900)


def mesh(rng: Rng, wire: Floats, cells: int) -> TextureImage:
    """Return the image of woven wire on a round bowl, seen from above: bright wires, darker gaps."""
    u, v = tx.uv_grid(96, 224)
    x, y = (1 - v) * np.cos(2 * np.pi * u), (1 - v) * np.sin(2 * np.pi * u)
    turn = rng.uniform(0, np.pi)
    a = x * np.cos(turn) - y * np.sin(turn)
    b = x * np.sin(turn) + y * np.cos(turn)
    line = np.maximum(np.cos(2 * np.pi * cells * a), np.cos(2 * np.pi * cells * b))
    return tx.to_uint8(tx.lerp_color(wire * 0.5, wire * 1.08, tx.smoothstep(line, 0.2, 0.95)))


@generates("sieve")
def sieve(rng: Rng) -> Instance:
    """Sieves: bowls of fine wire mesh in a ring, with a handle and a hook or a rest opposite."""
    # Pose: its bowl open upward, its handle at +y.
    model = ModelBuilder()
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    r = rng.uniform(36, 74)
    deep = r * rng.uniform(0.48, 0.72)
    wall = 0.075 * r
    t = np.linspace(0.16, np.pi / 2, 9)
    outer = np.c_[r * np.sin(t), deep * (1 - np.cos(t))]
    inner = np.array([*(outer[::-1] - [wall, 0])[:-2], (outer[0, 0], wall), (0, wall)])
    cells = int(rng.integers(8, 15))
    wire = np.asarray(steel.tints[0])
    dish(model, outer, inner, mesh(rng, wire, cells)[::-1], mesh(rng, wire * 0.94, cells), wedges=7)
    colored = rng.random() < 0.45
    words = weighted("red 2, white 3, blue 2, green 2, black 2, yellow, orange")
    rim = finish(rng, "plastic", words) if colored else steel
    ring = circle(1, 28) * (r + 0.4)
    loop = np.c_[np.r_[ring, ring[:1]], np.full(29, deep)]
    model.sweep(loop, 2.2, rim, rng.uniform(2, 4.5), segments=8, closed=True, hull=False)
    length = rng.uniform(75, 125) if r < 60 else rng.uniform(75, 110)
    wood = finish(rng, "wood", "brown", rgb=WOODS)
    plastic = finish(rng, "plastic", "black")
    grip = choice(rng, (rim, rim, rim, wood, plastic))
    rise = rng.uniform(0, 12)
    if grip is steel:
        for s in (-1, 1):
            bend = [(9, 0, 0), (5, 0.3, 1), (6.5, 0.7, 1), (3, 1, 1)]
            bar = smooth([(s * x, r + length * y, deep + rise * z) for x, y, z in bend], 12)
            model.sweep(bar, 1.9, steel, segments=8, pieces=1)
        end = np.array([(x, r + length, deep + rise) for x in (-3.5, 3.5)])
        model.sweep(end, 1.9, steel, segments=8, hull=False)
    else:
        rod = np.array([(0, r - 1, deep), (0, r + 0.35 * length, deep + rise)])
        model.sweep(rod, 3.4, steel, 1.8, segments=8, pieces=1)
        y = r + length * np.linspace(0.25, 1, 10)
        form = smooth([(0.7,), (0.9,), (1.0,), (0.8,)], 10)[:, 0] * rng.uniform(7, 9.5)
        path = np.c_[0 * y, y, np.full(10, deep + rise)]
        model.sweep(path, form, grip, 0.6 * form, power=2.6, segments=14, pieces=1)
    rest = rng.random() < 0.6
    if rest:
        loop = smooth([(-12, -r + 2, deep), (-9, -r - 11, deep), (9, -r - 11, deep), (12, -r + 2, deep)], 11)
        model.sweep(loop, 1.7, steel, segments=8, pieces=1)
    material = {"wood": "wooden"}.get(grip.material, grip.material)
    features = [f"with a {material} handle", "with a mesh", "with a rest at its rim" if rest else "", "empty"]
    colors = tuple(dict.fromkeys(("grey", *(rim.colors if colored else ()), *grip.colors)))
    return model.instance(steel, "hemispherical", features, colors=colors, density=700)


THERMOS_FLASK_COLORS = weighted("grey 5, black 2, blue 2, green 2, red 2, white, pink, turquoise, orange")


@generates("thermos flask")
def thermos_flask(rng: Rng) -> Instance:
    """Thermos flasks: tall steel or painted cylinders with shoulders and a cup for a cap; some have an ear."""
    model = ModelBuilder()
    word = choice(rng, THERMOS_FLASK_COLORS)
    steel = word == "grey"
    patterns = ("plain",) if steel else weighted("plain 6, checkered, striped, floral, two-coloured")
    skin = finish(rng, "steel", word, patterns, wear=0.4, rgb=STEEL if steel else ())
    metal = finish(rng, "steel", "grey", rgb=STEEL)
    r = rng.uniform(31, 42)
    h = r * rng.uniform(5.2, 7.4)
    neck, cup = r * rng.uniform(0.72, 0.9), h * rng.uniform(0.16, 0.24)
    shoulder = h - cup - rng.uniform(0.05, 0.1) * h
    slope = smooth([(r, shoulder), (r * 0.97, shoulder + 0.03 * h), (neck, h - cup - 2)], 7)
    foot = [(0, 0), (r * 0.94, 0), (r * 1.01, 5), (r * 1.01, 14), (r, 14.5)]
    model.lathe(foot, plain(metal.tints[0] * 0.8), hull=False)
    profile = [*((r, z) for z in np.linspace(14.5, shoulder - 4, 14)), *slope, (neck, h - cup), (0, h - cup)]
    model.lathe(profile, skin, hull=False)
    round_hull(model, (r, 0), (r, shoulder), (neck, h - cup))
    cap, color = cap_color(rng, weighted("grey 5, black 2, white, red, blue"))
    top = neck * rng.uniform(0.86, 1.0)
    low = neck * 1.04
    base = h - cup
    lid = [(0, base + 2), (low, base + 2), (low, base + 6), (top, h - 4), (top * 0.92, h), (0, h)]
    model.lathe(lid, metal if cap == "grey" else plain(color), pieces=1)
    ear = rng.random() < 0.3
    if ear:
        wall = np.array([(r, 0), (r, h)])
        loop_handle(model, rng, plain((44, 44, 46)), wall, 0.62 * h, 0.2 * h, r * rng.uniform(0.6, 0.8), 5.5)
    button = not ear and rng.random() < 0.3
    if button:
        model.lathe([(0, h - 1), (top * 0.45, h - 1), (top * 0.42, h + 4), (0, h + 4)], plain((48, 48, 50)), 18, 1)
    features = ["with a handle" if ear else "without a handle", f"with a {cap} cap", "closed"]
    features.append("with a button on top" if button else "")
    return model.instance(skin, "cylindrical", features, density=900)
