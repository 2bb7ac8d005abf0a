"""Boxes, cartons, cans and cups of goods."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.containers import (
    TIN,
    cap_color,
    cup_art,
    fruit_art,
    loft,
    printed_colors,
    round_hull,
    tin,
)
from pickclutter_lang.kinds.finishes import (
    BRIGHT,
    STEEL,
    Finish,
    Rng,
    choice,
    finish,
    peel,
    ribbed,
    tint,
    weighted,
)
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import (
    Art,
    bar_code,
    bowl_art,
    carton,
    front,
    pile_art,
    sample_brand,
    shape_art,
    wrap,
)
from pickclutter_lang.kinds.models import ModelBuilder, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface, rotation
from pickclutter_lang.utils.words import with_article

CARDBOARD_BOX_KRAFT = ((186, 146, 98), (170, 128, 82), (198, 160, 112), (158, 118, 76))


def _print(rng: Rng, ground: TextureImage) -> TextureImage:
    """Print arrows, a glass, or a word on a side."""
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    h, w = ground.shape[:2]
    ink = choice(rng, ((40, 34, 30), (150, 30, 30), (40, 60, 120)))
    unit = min(h, w) * 0.14
    style = choice(rng, weighted("arrows, word, label 2"))
    x, y = w * 0.25, h * 0.35
    if style == "arrows":
        for k in (0, 1.4):
            a = x + k * unit
            draw.polygon([(a, y - unit), (a + 0.5 * unit, y), (a - 0.5 * unit, y)], fill=ink)
            draw.rectangle([a - 0.18 * unit, y, a + 0.18 * unit, y + unit], fill=ink)
    elif style == "word":
        tx.draw_text(
            image,
            choice(rng, ("FRAGILE", "PARTS", "BOOKS", "THIS SIDE UP", "20 PCS")),
            (w / 2, h / 2),
            max(6, 0.13 * w),
            ink,
        )
    else:
        draw.rectangle([0.4 * w, 0.3 * h, 0.86 * w, 0.8 * h], fill=(244, 244, 240))
        bar_code(draw, 0.45 * w, 0.55 * h, 0.36 * w, 0.2 * h, rng)
        for line in (0.36, 0.42, 0.48):
            draw.line([(0.44 * w, line * h), (rng.uniform(0.6, 0.8) * w, line * h)], fill=(60, 60, 64))
    return np.asarray(image)


@generates("cardboard box")
def cardboard_box(rng: Rng) -> Instance:
    """Cardboard boxes: plain brown cartons, closed with tape or with open flaps, some with arrows or a label."""
    model = ModelBuilder()
    y = rng.uniform(70, 220)
    x, z = y * rng.uniform(0.5, 1.0), y * rng.uniform(0.28, 0.95)
    word = choice(rng, weighted("brown 9, white"))
    skin = finish(rng, "cardboard", word, wear=0.9, rgb=CARDBOARD_BOX_KRAFT if word == "brown" else ())
    opened = rng.random() < 0.35
    printed = rng.random() < 0.55
    sides = {n: skin.image(*s) for n, s in {"right": (y, z), "front": (x, z)}.items()}
    sides |= {"left": sides["right"], "back": sides["front"], "top": sides["front"], "bottom": sides["front"]}
    if printed:
        sides[choice(rng, weighted("right 2, front"))] = _print(rng, sides["right"])
    top = skin.image(x, y).astype(float)
    u, _ = tx.uv_grid(*top.shape[:2])
    # The flaps meet in the middle along y; tape lies over the slit.
    taped = rng.random() < 0.75
    tape_color = np.array(choice(rng, ((206, 176, 126), (150, 106, 60), (222, 214, 190), (60, 60, 64))))
    top = top * (1 - 0.5 * (np.abs(u - 0.5) < 0.008))[..., None]
    if taped:
        width = rng.uniform(0.06, 0.12)
        top = tx.lerp_color(top, tape_color, 0.85 * (np.abs(u - 0.5) < width))
    lid = tx.to_uint8(top)
    if not opened:
        model.box((x, y, z), sides | {"top": lid, "bottom": skin.image(x, y)}, 1.0, at=(0, 0, z / 2))
        if taped:
            for s in (-1, 1):
                extent = (x * 2 * width, 0.8, z * 0.25)
                model.box(extent, plain(tape_color * 0.92 + 8), 0, at=(0, s * y / 2, z * 0.875), hull=False)
    else:
        wall = 2.5
        for s in (-1, 1):
            model.box((wall, y, z), sides, 0.5, at=(s * (x - wall) / 2, 0, z / 2))
            model.box((x, wall, z), sides, 0.5, at=(0, s * (y - wall) / 2, z / 2))
            for axis, long, deep in (("y", y, x * 0.46), ("x", x, y * 0.3)):
                tilt = rng.uniform(15, 120)
                turn = rotation(axis, s * tilt * (1 if axis == "y" else -1))
                size = (wall, long * 0.96, deep) if axis == "y" else (long * 0.96, wall, deep)
                edge = np.array([s * x / 2, 0, z] if axis == "y" else [0, s * y / 2, z])
                model.box(size, skin.image(60, 60, 64), 0.3, at=edge + turn @ [0, 0, deep / 2], turn=turn)
        model.box((x - wall, y - wall, wall), skin.image(x, y, 80), 0, at=(0, 0, wall / 2))
    features = ["open" if opened else "closed", "with tape" if taped and not opened else ""]
    features += ["with print" if printed else "without print"]
    return model.instance(skin, "box-shaped", features, pattern="printed" if printed else "plain", density=150)


CEREAL_BOX_PRODUCTS = weighted(
    "corn flakes, muesli, oat loops, choco rings, granola, wheat bites, honey pops, crispy rice"
)


@generates("cereal box")
def cereal_box(rng: Rng) -> Instance:
    """Cereal boxes: tall flat cartons with lettering and a bowl or a heap of cereal on the front. Pose: standing."""
    model = ModelBuilder()
    height = rng.uniform(200, 290)
    size = (height * rng.uniform(0.18, 0.28), height * rng.uniform(0.58, 0.74), height)
    brand = sample_brand(
        rng, CEREAL_BOX_PRODUCTS, ("red", "orange", "yellow", "green", "blue", "turquoise", "purple", "pink", "white")
    )
    content = choice(rng, ("orange", "brown", "yellow"))
    bowl = choice(rng, ("white", "blue", "red"))
    art = bowl_art(bowl, content) if rng.random() < 0.7 else pile_art(content, 24, rng.uniform(0.5, 1))
    skin = finish(rng, "cardboard", brand.colors[0])
    model.box(size, carton(rng, brand, size, art), rounding=1.2)
    return model.instance(skin, "rectangular", ["closed", "with lettering"], colors=brand.colors, pattern="printed")


CHIPS_TUBE_PRODUCTS = weighted("original, sour cream, paprika, salt vinegar, barbecue, cheese chips, hot chips, crisps")
CHIPS_TUBE_COLORS = weighted("red 3, green 3, blue 2, orange 2, yellow, purple, pink, black, turquoise, brown")


def chip_art(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
    """Draw a fan of curved golden chips."""
    for n in range(int(rng.integers(3, 6))):
        a = x + (n - 1.7) * 0.2 * size
        b = y + (n - 1.7) * 0.13 * size + rng.normal(0, 0.03) * size
        r = 0.36 * size
        light = rng.uniform(0.9, 1.1)
        fill, dark = (tuple(int(min(255, c * f * light)) for c in (240, 196, 92)) for f in (1, 0.68))
        draw.chord([a - r, b - 0.7 * r, a + r, b + 0.9 * r], 160, 380, fill=fill, outline=dark)
        draw.arc([a - 0.8 * r, b - 0.5 * r, a + 0.8 * r, b + 0.8 * r], 180, 360, fill=dark)


@generates("chips tube")
def chips_tube(rng: Rng) -> Instance:
    """Tubes of chips: tall printed cardboard cylinders with a plastic lid and curved chips on the front."""
    model = ModelBuilder()
    r = rng.uniform(31, 39)
    h = r * (rng.uniform(2.3, 3.4) if rng.random() < 0.25 else rng.uniform(5.2, 7.2))
    brand = sample_brand(rng, CHIPS_TUBE_PRODUCTS, CHIPS_TUBE_COLORS)
    image = wrap(rng, brand, 2 * np.pi * r, h - 8, chip_art)
    foot = [(0, 1), (r * 0.96, 1), (r * 0.97, 0), (r + 0.8, 0), (r + 0.8, 3), (r, 3)]
    model.lathe(foot, plain((178, 180, 184)), hull=False)
    model.lathe([(r, 3), (r, h - 5)], image, hull=False)
    lid = rng.random() < 0.85
    if lid:
        word, color = cap_color(rng, weighted("white 3, grey, black, red, yellow"))
        top = [(r, h - 7), (r + 1.6, h - 7), (r + 1.6, h), (r * 0.9, h), (r * 0.88, h - 1), (0, h - 1)]
    else:
        word = ""
        color = np.array((190, 192, 196))
        top = [(r, h - 5), (r + 0.8, h - 5), (r + 0.8, h - 1), (r * 0.94, h - 1), (r * 0.92, h - 4), (0, h - 4)]
    model.lathe(top, plain(color), pieces=1, hull=False)
    round_hull(model, (r + 1, 0), (r + 1, h))
    skin = finish(rng, "cardboard", brand.colors[0])
    features = [f"with a {word} lid" if lid else "without a lid", "short" if h < 4 * r else "tall", "closed"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=250)


CRACKER_BOX_PRODUCTS = weighted("crackers, wheat crackers, snack crackers, cheese crackers, saltines, butter crackers")
CRACKER_BOX_COLORS = weighted("red 4, orange, yellow 2, green, blue 2, turquoise, purple, white, brown, black")


def cracker_art(corners: int, count: int) -> Art:
    """Return art of baked crackers with holes: squares (4 corners), hexagons or rounds (16)."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        base = np.array(choice(rng, ((222, 170, 92), (206, 140, 66), (234, 192, 120))))
        for n in range(count):
            a = x + (n - (count - 1) / 2) * 1.3 * size / count
            b = y + rng.normal(0, 0.1) * size
            r = size * rng.uniform(0.28, 0.38)
            turn = rng.uniform(0, np.pi)
            angle = turn + np.pi / 4 + 2 * np.pi * np.arange(corners) / corners
            color = base * rng.uniform(0.85, 1.08)
            fill, dark = (tuple(int(min(c, 255)) for c in color * f) for f in (1, 0.62))
            points = [(a + r * np.cos(t), b + 0.9 * r * np.sin(t)) for t in angle]
            draw.polygon(points, fill=fill, outline=dark)
            for p in (-0.4, 0, 0.4):
                for q in (-0.4, 0, 0.4):
                    u = r * (p * np.cos(turn) - q * np.sin(turn))
                    v = r * (p * np.sin(turn) + q * np.cos(turn))
                    draw.ellipse([a + u - 1, b + v - 1, a + u + 1, b + v + 1], fill=dark)

    return paint


@generates("cracker box")
def cracker_box(rng: Rng) -> Instance:
    """Cracker boxes: cartons with a few large baked squares, rounds or fish on the front."""
    model = ModelBuilder()
    height = rng.uniform(150, 225)
    wide = height * (rng.uniform(0.62, 0.82) if rng.random() < 0.7 else rng.uniform(0.42, 0.58))
    size = (max(38.0, height * rng.uniform(0.25, 0.38)), wide, height)
    brand = sample_brand(rng, CRACKER_BOX_PRODUCTS, CRACKER_BOX_COLORS)
    art = cracker_art(choice(rng, (4, 4, 16, 16, 6)), int(rng.integers(3, 7)))
    faces = carton(rng, brand, size, art)
    model.box(size, faces, rounding=1.0)
    colors = printed_colors(brand, faces["right"])
    skin = finish(rng, "cardboard", brand.colors[0])
    return model.instance(skin, "rectangular", ["closed", "with lettering"], colors=colors, pattern="printed")


PULP = {"grey": ((150, 150, 146), (136, 138, 138), (164, 162, 156)), "brown": ((140, 106, 74), (126, 92, 62))}
EGG_CARTON_COUNTS = {6: "six", 8: "eight", 10: "ten", 12: "twelve"}
EGG_CARTON_LABELS = weighted("white 2, yellow 3, green 3, red 2, blue 2, orange")


@generates("egg carton")
def egg_carton(rng: Rng) -> Instance:
    """Egg cartons: trays of pulp with a cup for each egg; closed with a label, or open with eggs in them."""
    model = ModelBuilder()
    rows = choice(rng, (3, 3, 4, 5, 6))
    word = choice(rng, weighted("grey 5, brown 3, green, blue, pink, yellow, white"))
    skin = finish(rng, "cardboard", word, wear=0.4, rgb=PULP.get(word, ()))
    pitch = rng.uniform(35, 42) if rows < 5 else rng.uniform(31, 36)
    deep = rng.uniform(24, 30)
    centers = np.array([(a * pitch / 2, (b - (rows - 1) / 2) * pitch) for a in (-1, 1) for b in range(rows)])
    cup = [(0, 0), (pitch * 0.27, 0), (pitch * 0.34, 0.2 * deep), (pitch * 0.5, deep)]
    for x, y in centers:
        model.lathe(cup, skin, segments=10, at=(x, y, 0), hull=False)
    edge = np.array([2 * pitch + 8.0, rows * pitch + 8.0], dtype=np.float64)
    model.box((*edge, 3), skin, 1.0, at=(0, 0, deep), hull=False)
    _block(model, edge - 0.4 * pitch, edge, 0, deep + 2)
    opened = rng.random() < 0.45
    if opened:
        _eggs(model, rng, centers, pitch, deep)
        tall = edge[0] * rng.uniform(0.8, 0.95)
        at = (-edge[0] / 2 - 2, 0, deep + tall / 2)
        model.box((3, edge[1], tall), skin, 1.0, at=at)
        for s in (-1, 1):
            model.box((16, 3, tall * 0.96), skin, 0.8, at=(at[0] - 8, s * (edge[1] / 2 - 3), at[2]))
        model.box((16, edge[1] * 0.98, 3), skin, 0.8, at=(at[0] - 8, 0, deep + tall - 2))
    else:
        _lid(model, rng, skin, edge, deep + 1, rng.uniform(24, 32))
    features = ["open" if opened else "closed", f"with {EGG_CARTON_COUNTS[2 * rows]} cups"]
    features += ["with eggs in it" if opened else ""]
    return model.instance(skin, "rectangular", features, density=300)


def _block(model: ModelBuilder, low: Floats, high: Floats, bottom: float, top: float) -> None:
    ends = ((low / 2, bottom), (high / 2, top))
    model.hull([(i * half[0], j * half[1], z) for half, z in ends for i in (-1, 1) for j in (-1, 1)])


def _lid(model: ModelBuilder, rng: Rng, skin: Finish, edge: Floats, low: float, rise: float) -> None:
    base = rounded(edge[0], edge[1], 6)
    top = rounded(edge[0] * rng.uniform(0.74, 0.88), edge[1] * 0.95, 6)
    loft(model, [(base, low), (0.15 * base + 0.85 * top, low + 0.85 * rise), (top * 0.97, low + rise)], skin)
    model.prism(top * 0.97, low + rise - 1, low + rise, skin, hull=False)
    model.hull([(*p, z) for o, z in ((base, low), (top, low + rise)) for p in o])
    brand = sample_brand(rng, ("eggs", "fresh eggs", "farm eggs", "large eggs", "brown eggs"), EGG_CARTON_LABELS)
    label = np.rot90(front(rng, brand, edge[1] * 0.8, edge[0] * 0.6))
    skins = dict.fromkeys(("right", "left", "back", "front", "bottom"), plain(brand.background)) | {"top": label}
    model.box((edge[0] * 0.62, edge[1] * 0.82, 0.8), skins, 0.0, at=(0, 0, low + rise + 0.3), hull=False)
    if rng.random() < 0.6:
        model.box((3, edge[1] * 0.12, 14), skin.solid(1.06), 1.0, at=(edge[0] / 2 + 1, 0, low - 1), hull=False)


def _eggs(model: ModelBuilder, rng: Rng, centers: Floats, pitch: float, deep: float) -> None:
    base = np.array((204, 152, 108) if rng.random() < 0.5 else (238, 234, 226))
    shells = [peel(rng, base * f, 0.03, spots=(base * 0.85, 0.03), texels=(24, 32)) for f in (0.94, 1.0, 1.05)]
    size = (0.94 * pitch, 0.94 * pitch, 1.26 * pitch)
    for n, (x, y) in enumerate(centers):
        if rng.random() < 0.93:
            model.ball(size, shells[n % 3], rows=9, segments=12, at=(x, y, deep + 4), hull=False)
    rings = [(0.36 * pitch, 0.32), (0.47 * pitch, 0.0), (0.2 * pitch, 0.48)]
    for s in (-1, 1):
        side = centers[centers[:, 0] * s > 0]
        model.hull([(x + i, y + j, deep + 4 + t * size[2]) for x, y in side for q, t in rings for i, j in circle(q, 8)])


GIFT_BOX_PATTERNS = weighted("plain 2, striped, dotted 2, checkered, floral 2")


@generates("gift box")
def gift_box(rng: Rng) -> Instance:
    """Gift boxes: wrapped in colored or patterned paper, with a ribbon and a bow on top; square, flat or round."""
    model = ModelBuilder()
    y = rng.uniform(50, 170)
    x, z = y * rng.uniform(0.6, 1.0), y * rng.uniform(0.25, 0.95)
    word = choice(rng, (*BRIGHT, *weighted("red, white 2, black, brown")))
    skin = finish(rng, "paper", word, GIFT_BOX_PATTERNS, pitch=(7, 20), wear=0.15)
    ribbon_word = choice(
        rng, [c for c in weighted("red 2, white, yellow, blue, green, pink, purple") if c not in skin.colors]
    )
    ribbon = plain(tint(rng, ribbon_word))
    dark = plain(tint(rng, ribbon_word) * 0.75)
    lidded = rng.random() < 0.45
    band = rng.uniform(0.08, 0.16) * y
    rounded_box = rng.random() < 0.15
    if rounded_box:
        x = y
        model.lathe([(0, 0), (y / 2, 0), (y / 2, z), (0, z)], skin, 30, 1)
    else:
        model.box((x, y, z), skin, 0.8, at=(0, 0, z / 2))
    if lidded:
        lip = min(0.3 * z, 24)
        lid_word = choice(rng, (word, ribbon_word)) if skin.pattern == "plain" else word
        lid = skin.solid(1.03) if lid_word == word else ribbon
        if rounded_box:
            model.lathe([(y / 2 + 1.5, z - lip), (y / 2 + 1.5, z + 1.5), (0, z + 1.5)], lid, 30, 1)
        else:
            model.box((x + 3, y + 3, lip), lid, 0.8, at=(0, 0, z + 1.5 - lip / 2), hull=False)
            model.hull(
                [
                    (a * (x / 2 + 1.5), b * (y / 2 + 1.5), q)
                    for a in (-1, 1)
                    for b in (-1, 1)
                    for q in (z - lip, z + 1.5)
                ]
            )
    out = 2.2 if lidded else 0.7
    both = rng.random() < 0.8
    if not rounded_box:
        model.box((x + 2 * out, band, z + out), ribbon, 0, at=(0, 0, (z + out) / 2), hull=False)
        if both:
            model.box((band, y + 2 * out, z + out), ribbon, 0, at=(0, 0, (z + out) / 2), hull=False)
    else:
        model.box((x + 2 * out, band, 1), ribbon, 0, at=(0, 0, z + out - 0.2), hull=False)
        model.lathe([(y / 2 + out, z * 0.35), (y / 2 + out, z * 0.35 + band)], ribbon, 30, hull=False)
    style = choice(rng, weighted("loops 2, rosette"))
    top = z + out
    size = min(x, y) * rng.uniform(0.22, 0.34)
    count = 2 if style == "loops" else 7
    yaw = rng.uniform(0, 180)
    for n in range(count):
        a = np.linspace(0, 2 * np.pi, 15)
        loop = np.c_[size * (0.5 - 0.5 * np.cos(a)), 0 * a, size * 0.36 * np.sin(a) * (0.6 - 0.4 * np.cos(a))]
        loop[-1] = loop[0]
        lift = 22 if style == "loops" else 35
        turn = rotation("z", yaw + 360 * n / count) @ rotation("y", -lift)
        at = (0, 0, top + size * 0.08)
        model.sweep(
            loop,
            0.7,
            ribbon if n % 2 == 0 else dark,
            band * 0.42,
            segments=8,
            power=5,
            up=(0, 1, 0),
            closed=True,
            at=at,
            turn=turn,
            hull=False,
        )
    bow = ((0.5, 0), (1.05, 0.35), (0.95, 0.8))
    model.hull([(*p, top + f * size) for q, f in bow for p in circle(size * q, 12)])
    model.ball(
        (band * 0.7, band * 0.7, band * 0.6), dark, rows=7, segments=12, at=(0, 0, top + size * 0.12), hull=False
    )
    if style == "loops":
        for s in (-1, 1):
            t = np.linspace(0, 1, 7)
            path = np.c_[size * 0.9 * t, s * size * 0.35 * t, 1 + size * 0.12 * np.sin(np.pi * t)]
            model.sweep(
                path,
                band * 0.32,
                dark,
                0.6,
                power=5,
                segments=8,
                at=(0, 0, top),
                turn=rotation("z", yaw + 90),
                hull=False,
            )
    features = [f"with {with_article(ribbon_word)} ribbon", "with a bow"]
    features += ["with a lid" if lidded else "wrapped in paper"]
    shape = "cylindrical" if rounded_box else "box-shaped"
    return model.instance(skin, shape, features, colors=(*skin.colors, ribbon_word), density=200)


JUICE_BOX_FRUITS = {
    "orange": "orange",
    "apple": "green",
    "grape": "purple",
    "cherry": "red",
    "mango": "yellow",
    "peach": "pink",
}
JUICE_BOX_COLORS = weighted("orange 2, green 2, yellow, red, purple, pink, blue, turquoise, white")


@generates("juice box")
def juice_box(rng: Rng) -> Instance:
    """Juice boxes: small drink bricks with a fruit on the front and a bent straw on top or on the back."""
    model = ModelBuilder()
    height = rng.uniform(85, 130)
    size = (height * rng.uniform(0.32, 0.42), height * rng.uniform(0.45, 0.6), height)
    fruit = choice(rng, tuple(JUICE_BOX_FRUITS))
    brand = sample_brand(rng, (f"{fruit} juice", f"{fruit} drink", fruit), JUICE_BOX_COLORS, "ml")
    art = fruit_art(JUICE_BOX_FRUITS[fruit], int(rng.integers(1, 4)), rng.random() < 0.7)
    faces = carton(rng, brand, size, art) | {"back": front(rng, brand, size[0], height, art)}
    silver = rng.random() < 0.4
    model.box(size, faces | {"top": plain((196, 198, 202))} if silver else faces, rounding=1.5)
    top = height / 2
    straw = choice(rng, weighted("stuck in 2, on the back, none"))
    color = plain(tint(rng, choice(rng, weighted("white 2, yellow, red, green, blue"))))
    x = size[0] * rng.uniform(-0.2, 0.2)
    y = size[1] * rng.uniform(0.2, 0.36) * choice(rng, (-1, 1))
    foil = np.array([(-4, -4), (4, -4), (4, 4), (-4, 4)]) + np.array([x, y])
    model.prism(foil, top, top + 0.3, plain((208, 210, 214)), hull=False)
    if straw == "stuck in":
        tall = rng.uniform(22, 42)
        bend = np.sign(y) * -rng.uniform(8, 20)
        lean = rng.uniform(-3, 3)
        bent = [(x + lean, y + 0.2 * bend, top + tall), (x + lean, y + bend, top + tall * 1.1)]
        path = smooth([(x, y, top - 2), (x + lean, y, top + 0.7 * tall), *bent], 9)
        model.sweep(path, 2.2, color, segments=8, up=(1, 0, 0), pieces=2)
    elif straw == "on the back":
        z = height * rng.uniform(0.3, 0.4)
        path = np.array([(-size[0] / 2 - 1.5, -0.2 * size[1], -z), (-size[0] / 2 - 1.5, 0.15 * size[1], z)])
        model.sweep(path, 2.0, color, segments=8, up=(1, 0, 0), pieces=1)
    words = {"stuck in": "with a bent straw", "on the back": "with a straw on the back", "none": "without a straw"}
    skin = finish(rng, "cardboard", brand.colors[0])
    features = [words[straw], "with lettering"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=900)


MASTER_CHEF_CAN_PRODUCTS = weighted(
    "coffee, ground coffee, dark roast, espresso, house blend, medium roast, decaf, cafe"
)
MASTER_CHEF_CAN_COLORS = weighted("blue 4, red 3, green, yellow, brown, black, white, orange, turquoise, purple")


@generates("master chef can")
def master_chef_can(rng: Rng) -> Instance:
    """Coffee cans: printed tins or cardboard tubes, most with a plastic lid on top. Pose: standing."""
    model = ModelBuilder()
    r = rng.uniform(34, 51)
    h = r * rng.uniform(2.3, 3.1)
    brand = sample_brand(rng, MASTER_CHEF_CAN_PRODUCTS, MASTER_CHEF_CAN_COLORS)
    art = choice(rng, (cup_art, cup_art, bowl_art("white", "brown"), pile_art("brown", 18, 0.65)))
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    lid = rng.random() < 0.7
    tin(model, rng, r, h, image, np.array(TIN) * rng.uniform(0.75, 1.05))
    if lid:
        _, color = cap_color(rng, weighted("white 2, grey, black, brown, red, blue, yellow"))
        edge = r + 2.2
        deep = rng.uniform(8, 13)
        profile = [(r, h - deep), (edge, h - deep), (edge, h + 0.4), (edge - 1.5, h + 2)]
        ribs = ribbed(color, 60, rng.uniform(0, 0.2), 0.0, deep / (deep + edge))
        model.lathe([*profile, (r * 0.84, h + 2), (r * 0.82, h + 0.6), (0, h + 0.6)], ribs, pieces=1)
        model.lathe([(r * 0.84, h + 2.1), (r * 0.8, h + 0.9), (0, h + 0.9)], plain(color * 0.9), hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with a plastic lid" if lid else "without a plastic lid", "closed", "with lettering"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=500)


FLAME = ((0, -1), (0.45, -0.2), (0.55, 0.4), (0.2, 0.9), (-0.2, 0.9), (-0.55, 0.4), (-0.3, -0.1))


@generates("matchbox")
def matchbox(rng: Rng) -> Instance:
    """Matchboxes: small printed sleeves with dark striking sides and a drawer, closed or partly open with matches."""
    # Pose: lying with its print up, or standing.
    model = ModelBuilder()
    long = rng.uniform(48, 112)
    wide, thick = long * rng.uniform(0.58, 0.7), long * rng.uniform(0.2, 0.34)
    brand = sample_brand(
        rng,
        ("matches", "safety matches", "match", "50 matches"),
        weighted("red 2, blue, yellow, white, green, black, orange"),
        "pcs",
    )
    upright = rng.random() < 0.4
    label = (
        front(rng, brand, long, wide, shape_art("orange", FLAME))
        if not upright
        else np.rot90(front(rng, brand, wide, long, shape_art("orange", FLAME)))
    )
    strike_color = np.array(choice(rng, ((74, 46, 40), (60, 44, 44), (96, 56, 44))))
    striker = tx.to_uint8(
        tx.pixel_noise(strike_color * (1 + 0.08 * tx.grid_noise(rng, (20, 80), 10, 40))[..., None], rng, 12)
    )
    card = finish(rng, "cardboard", "brown", rgb=((206, 184, 150), (232, 226, 212)))
    skin = finish(rng, "cardboard", brand.colors[0])
    opened = rng.random() < 0.45
    pull = long * rng.uniform(0.25, 0.6) if opened else 0.0
    turn = rotation("z", 90) if rng.random() < 0.75 else rotation("z", choice(rng, (0, 90))) @ rotation("x", 90)
    paper = card.image(wide, thick, 48)
    sides = {"top": label, "bottom": label, "front": striker, "back": striker, "left": paper, "right": paper}
    model.box((long, wide, thick), sides, 0.4, turn=turn)
    if opened:
        rim = 1.2
        inner = wide * 0.94
        x = long / 2 + pull / 2
        for size, at in (
            ((pull, inner, rim), (x, 0, -thick * 0.44)),
            ((pull, rim, thick * 0.86), (x, inner / 2, 0)),
            ((pull, rim, thick * 0.86), (x, -inner / 2, 0)),
            ((rim, inner, thick * 0.86), (long / 2 + pull, 0, 0)),
        ):
            model.box(size, paper, 0, at=turn @ np.array(at), turn=turn, hull=False)
        tip = plain(tint(rng, choice(rng, weighted("red 2, brown, green, blue"))))
        wood = plain((214, 180, 130))
        count = int(wide / 4.2)
        stick = min(2.0, thick * 0.12)
        for n in range(count):
            y = inner * ((n + 0.5) / count - 0.5) * 0.92
            reach = pull * rng.uniform(0.84, 0.95)
            z = thick * rng.uniform(-0.12, 0.1)
            model.box((reach, stick, stick), wood, 0, at=turn @ [long / 2 + reach / 2 - 2, y, z], turn=turn, hull=False)
            model.ball(
                (5, 3.2, 3.2), tip, rows=5, segments=8, at=turn @ [long / 2 + reach - 3, y, z], turn=turn, hull=False
            )
        model.hull(
            [
                (q, a * inner / 2, b * thick * 0.43)
                for q in (long / 2, long / 2 + pull)
                for a in (-1, 1)
                for b in (-1, 1)
            ],
            turn=turn,
        )
    features = ["open" if opened else "closed", "with matches" if opened else "", "with lettering"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=300)


MILK_CARTON_PRODUCTS = weighted(
    "milk, whole milk, skim milk, low fat milk, fresh milk, oat milk, soy milk, chocolate milk"
)
MILK_CARTON_COLORS = weighted("white 5, blue 2, turquoise, green, red, brown, yellow")


def glass_art(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
    """Draw a glass of milk, or the dark patches of a cow."""
    if rng.random() < 0.55:
        a = 0.24 * size
        b = 0.18 * size
        top = y - 0.45 * size
        corners = [(x - a, top), (x + a, top), (x + b, y + 0.45 * size), (x - b, y + 0.45 * size)]
        draw.polygon(corners, fill=(252, 252, 250), outline=(120, 150, 190))
        rim = [x - a, top - 0.06 * size, x + a, top + 0.06 * size]
        draw.ellipse(rim, fill=(240, 240, 232), outline=(120, 150, 190))
    else:
        for _ in range(6):
            a, b = x + rng.normal(0, 0.4) * size, y + rng.normal(0, 0.25) * size
            r, s = rng.uniform(0.08, 0.2, 2) * size
            draw.ellipse([a - r, b - s, a + r, b + s], fill=(24, 24, 26))


@generates("milk carton")
def milk_carton(rng: Rng) -> Instance:
    """Milk cartons: tall cardboard bricks with a gable and fin on top, or flat with a cap; white, blue, green."""
    model = ModelBuilder()
    width = rng.uniform(58, 78)
    height, depth = width * rng.uniform(1.7, 2.7), width * rng.uniform(0.85, 1.0)
    brand = sample_brand(rng, MILK_CARTON_PRODUCTS, MILK_CARTON_COLORS, "ml")
    size = (depth, width, height)
    faces = carton(rng, brand, size, glass_art)
    model.box(size, faces, rounding=1.0)
    colors = printed_colors(brand, faces["right"])
    top = height / 2
    half = np.array([depth, width]) / 2
    gable, cap = rng.random() < 0.75, rng.random() < 0.6
    color = tint(rng, choice(rng, [brand.colors[1], "white", "red", "blue", "green"]))
    if gable:
        rise, (a, b) = width * rng.uniform(0.3, 0.42), half - 0.5
        panel = plain(brand.background)
        dark = plain(brand.background * 0.88)
        for s in (1, -1):
            ends = [(x, y * s, z) for x, z in ((a * s, top), (s, top + rise)) for y in (-b, b)]
            slope = np.array(ends).reshape(2, 2, 3)
            model.surface(grid_surface(slope), panel)
            fold = np.array([[(a * s, b * s, top), (-a * s, b * s, top)], [(0, 0.45 * b * s, top + rise)] * 2])
            model.surface(grid_surface(fold), dark)
        fin = width * rng.uniform(0.16, 0.24)
        paper = plain(brand.accent if rng.random() < 0.5 else brand.background)
        model.box((2.4, 2 * b, fin), paper, 0.2, at=(0, 0, top + rise + fin / 2 - 1))
        model.hull([(x, y, top) for x in (-a, a) for y in (-b, b)] + [(0, y, top + rise) for y in (-b, b)])
        if cap:
            lean = rotation("y", 90 - np.degrees(np.arctan2(a, rise)))
            at = np.array([0.55 * a, 0, top + 0.45 * rise])
            profile = [(0, 0), (9, 0), (9, 7), (8, 8), (0, 8)]
            model.lathe(np.array(profile) * rng.uniform(0.9, 1.3), plain(color), 20, 1, at=at, turn=lean)
    else:
        cap = True
        model.lathe(np.array([(0, top), (10, top), (10, top + 9), (9, top + 10), (0, top + 10)]), plain(color), 20, 1)
    skin = finish(rng, "cardboard", brand.colors[0])
    features = ["closed", "with a gable top" if gable else "with a flat top"]
    features += ["with a screw cap" if cap else "without a cap"]
    return model.instance(skin, "rectangular", features, colors=colors, pattern="printed", density=900)


SODA_CAN_PRODUCTS = weighted("cola, lemonade, orange soda, tonic, energy, ginger ale, iced tea, root beer, seltzer")


@generates("soda can")
def soda_can(rng: Rng) -> Instance:
    """Soda cans: printed aluminum cylinders with a narrowed rim and a tab. Pose: standing."""
    model = ModelBuilder()
    slim = rng.random() < 0.3
    r, h = (rng.uniform(26, 29), rng.uniform(125, 150)) if slim else (rng.uniform(32, 34), rng.uniform(108, 126))
    brand = sample_brand(
        rng,
        SODA_CAN_PRODUCTS,
        weighted("red 2, orange, yellow, green, blue 2, turquoise, purple, pink, black, white"),
        "ml",
    )
    tin = finish(rng, "metal", "grey").painted((186, 188, 192))
    body = [(r * 0.84, 4), (r, 11), (r, h - 14), (r * 0.82, h - 3)]
    model.lathe(body, wrap(rng, brand, 2 * np.pi * r, h * 0.98), hull=False)
    model.lathe([(0, 6), (r * 0.7, 4), (r * 0.76, 0), (r * 0.8, 0.5), (r * 0.84, 4)], tin, hull=False)
    profile = [(r * 0.82, h - 3), (r * 0.84, h - 1), (r * 0.83, h), (r * 0.78, h), (r * 0.75, h - 5), (0, h - 5)]
    model.lathe(profile, tin, hull=False)
    for low, high in (((r * 0.78, 0), (r, 11)), ((r, h - 14), (r * 0.83, h))):
        model.hull([(*p, z) for q, z in (low, high) for p in circle(q, 16)])
    model.hull([(*p, z) for z in (11, h - 14) for p in circle(r, 16)])
    opened = rng.random() < 0.25
    tab = circle(1, 12) * [9, 5.5] + [3, 0]
    model.prism(tab, h - 5, h - 3.6, tin.painted((214, 214, 216)), hull=False)
    if opened:
        model.prism(circle(1, 12) * [6.5, 8] + [-r * 0.4, 0], h - 5, h - 4.8, tin.painted((24, 24, 26)), hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["slim" if slim else "", "open" if opened else "closed", "with lettering"]
    return model.instance(
        skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=choice(rng, (250, 1000))
    )


SOUP_CAN_PRODUCTS = ("tomato soup", "chicken soup", "noodle soup", "lentil soup", "pea soup", "cream soup", "bean soup")
SOUP_CAN_COLORS = weighted("red 4, white 2, yellow, green, blue, orange, brown, black")


@generates("soup can")
def soup_can(rng: Rng) -> Instance:
    """Soup cans: tins with a paper label, a plate of soup on it, some with a ring pull. Pose: standing."""
    model = ModelBuilder()
    r = rng.uniform(31, 42)
    h = r * rng.uniform(2.55, 3.15)
    brand = sample_brand(rng, SOUP_CAN_PRODUCTS, SOUP_CAN_COLORS)
    art = bowl_art(choice(rng, weighted("white 2, blue, brown")), choice(rng, ("red", "orange", "yellow", "green")))
    pull = rng.random() < 0.55
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    tin(model, rng, r, h, image, ring_pull=pull)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with a ring pull" if pull else "without a ring pull", "closed", "with a paper label"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=1000)


TUNA_CAN_PRODUCTS = ("tuna", "tuna in oil", "tuna in water", "light tuna", "white tuna", "tuna flakes", "skipjack tuna")
TUNA_CAN_COLORS = weighted("blue 3, turquoise, yellow 2, red, green, white, black, orange")
FISH = ((-1, 0), (-0.5, -0.35), (0.2, -0.35), (0.6, -0.05), (1, -0.35), (0.9, 0), (1, 0.35), (0.6, 0.05), (0.2, 0.35))


@generates("tuna can")
def tuna_can(rng: Rng) -> Instance:
    """Tuna cans: flat round tins, printed all over or round the wall, with a ring pull. Pose: lying flat."""
    model = ModelBuilder()
    r = rng.uniform(33, 46)
    h = r * rng.uniform(0.75, 1.05)
    brand = sample_brand(rng, TUNA_CAN_PRODUCTS, TUNA_CAN_COLORS)
    art = shape_art(choice(rng, ("blue", "grey", "black", "white")), FISH)
    printed, pull = rng.random() < 0.45, rng.random() < 0.6
    lid = brand.background if printed else np.array(TIN) * rng.uniform(0.85, 1.1) * [1, 1, rng.uniform(0.75, 1)]
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    tin(model, rng, r, h, image, lid, pull)
    if printed and not pull:
        top = front(rng, brand, 2 * r, 2 * r, art)
        model.prism(circle(0.86 * r, 28), h - 3.2, h - 2.4, top, hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    colors = printed_colors(brand, image)
    features = ["with a ring pull" if pull else "without a ring pull", "closed", "with lettering", "flat"]
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=1100)


YOGURT_CUP_FRUITS = {"strawberry": "red", "cherry": "red", "peach": "orange", "blueberry": "blue", "vanilla": "yellow"}
YOGURT_CUP_COLORS = weighted("white 7, pink 2, blue 2, green, yellow, red, purple, orange, turquoise")


@generates("yogurt cup")
def yogurt_cup(rng: Rng) -> Instance:
    """Yogurt cups: small tapered plastic cups with printed fruit and a foil lid with a tab, or open. Pose: standing."""
    model = ModelBuilder()
    top = rng.uniform(30, 44)
    h, foot = top * rng.uniform(1.3, 2.3), top * rng.uniform(0.66, 0.84)
    fruit = choice(rng, tuple(YOGURT_CUP_FRUITS))
    brand = sample_brand(rng, ("yogurt", f"{fruit} yogurt", fruit), YOGURT_CUP_COLORS)
    art = fruit_art(YOGURT_CUP_FRUITS[fruit], int(rng.integers(1, 4)), rng.random() < 0.6)
    image = wrap(rng, brand, np.pi * (top + foot), h, art)
    model.lathe([(0, 1.5), (foot - 3, 1.5), (foot - 2, 0), (foot, 0)], plain(tint(rng, "white")), hull=False)
    model.lathe([(foot, 0), (top - 2, h - 2)], image, hull=False)
    white = plain(np.array((240, 240, 236)))
    model.lathe([(top - 2, h - 2), (top, h - 1.6), (top, h - 0.4), (top - 3, h)], white, hull=False)
    round_hull(model, (foot, 0), (top, h - 2), (top, h))
    opened = rng.random() < 0.2
    if opened:
        cream = tint(rng, "white") if rng.random() < 0.5 else np.array((246, 214, 214))
        model.lathe([(top - 3, h), (top * 0.86, h * 0.72), (0, h * 0.72)], plain(cream), hull=False)
    else:
        silver = rng.random() < 0.4
        tab = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 28, endpoint=False)]) * (top + 0.6)
        tab[:2] *= 1.2
        tab[-1] *= 1.2
        foil = finish(rng, "metal", "grey", rgb=STEEL)
        lid = foil if silver else front(rng, brand, 2 * top, 2 * top, art, 96)
        model.prism(tab, h, h + 0.6, lid, plain((206, 208, 210)))
    skin = finish(rng, "plastic", brand.colors[0])
    features = ["open" if opened else "closed", "without a lid" if opened else "with a foil lid", "with lettering"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cup-shaped", features, colors=colors, pattern="printed", density=900)
