"""Fasteners, locks and electrical parts."""

import numpy as np

from pickclutter_lang.kinds.finishes import STEEL, Finish, Rng, choice, finish, ribbed, tint, weighted
from pickclutter_lang.kinds.fittings import ALONG_Y, VIVID, fastener_metal, ring, steel, strip, thread
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import Brand, sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

BATTERY_COLORS = weighted("black 2, blue, red, green, yellow, orange, grey, white, purple, turquoise")
CELLS = {"aa": (7.1, 50.0), "aaa": (5.2, 44.0), "c": (13.0, 49.0), "d": (16.8, 61.0)}
METAL = (196, 196, 192)


@generates("battery")
def battery(rng: Rng) -> Instance:
    """Batteries: round cells of several sizes with printed sleeves, and square 9 volt blocks."""
    model = ModelBuilder()
    brand = sample_brand(rng, ("alkaline",), BATTERY_COLORS)
    size = choice(rng, weighted("aa 3, aaa, c, d, 9v"))
    metal = plain(np.array(METAL) * rng.uniform(0.85, 1.05))
    skin = finish(rng, "metal", brand.colors[0])
    if size == "9v":
        return _block(rng, model, brand)
    r, h = np.array(CELLS[size]) * rng.uniform(0.97, 1.03)
    image = _sleeve(rng, brand, size)
    model.lathe([(0, 0.5), (0.8 * r, 0.5), (0.8 * r, 0), (0.97 * r, 0), (r, 0.8)], metal, segments=24, hull=False)
    model.lathe([(r, 0.8), (r, h - 2.6)], image, segments=28, hull=False)
    top = [(r, h - 2.6), (0.96 * r, h - 1.9), (0.45 * r, h - 1.9), (0.4 * r, h - 1.6), (0.37 * r, h), (0, h)]
    model.lathe(top, metal, segments=24, hull=False)
    angle = np.linspace(0, 2 * np.pi, 17)[:-1]
    model.hull([(r * np.cos(a), r * np.sin(a), z) for a in angle for z in (0, h - 1.9)])
    model.hull([(0.4 * r * np.cos(a), 0.4 * r * np.sin(a), z) for a in angle[::2] for z in (h - 2.5, h)])
    name = "thick" if size in ("c", "d") else "thin" if size == "aaa" else ""
    features = [name, f"with the letters {size}", "with a metal cap"]
    return model.instance(skin, "cylindrical", features, colors=brand.colors, pattern="printed", density=2400)


def _block(rng: Rng, model: ModelBuilder, brand: Brand) -> Instance:
    """Add a 9 volt block with two snaps."""
    size = np.array([17.0, 26.0, 45.5]) * rng.uniform(0.97, 1.03)
    faces = {name: _label(rng, brand, 26, 45.5) for name in ("right", "left")}
    base = plain(brand.background)
    dark = plain((44, 44, 48))
    model.box(
        size.tolist(), {**faces, "front": base, "back": base, "top": dark, "bottom": dark}, 1.2, at=(0, 0, size[2] / 2)
    )
    z = size[2] - 0.2
    metal = plain(METAL)
    for y, profile in (
        (-6.2, [(2.9, 0), (2.9, 2.6), (0, 2.6)]),
        (6.2, [(3.6, 0), (4.1, 2.8), (3, 2.8), (2.8, 1), (0, 1)]),
    ):
        model.lathe(np.add(profile, (0, z)), metal, segments=12, at=(0, y, 0), hull=False)
    model.hull([(x, y, q) for x in (-4, 4) for y in (-10, 10) for q in (z, z + 2.8)])
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with two snaps on top", "with the letters 9 v"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=2200)


def _sleeve(rng: Rng, brand: Brand, size: str) -> TextureImage:
    """Paint a sleeve: the brand along the cell, a colored end at the plus pole."""
    image, draw = tx.canvas((128, 144), [*brand.background])
    accent = tuple(int(c) for c in brand.accent.clip(0, 255))
    edge = int(rng.uniform(0.18, 0.4) * 144)
    if rng.random() < 0.8:
        draw.rectangle([0, 0, 128, edge], fill=accent)
    for x in (0, 64, 128):
        tx.draw_text(image, brand.name, (x, 0.62 * 144), min(26, 138 / len(brand.name)), brand.ink, 90)
        tx.draw_text(image, "+", (x, 10), 18, (250, 250, 250) if brand.accent.mean() < 130 else (20, 20, 20))
    for x in (32, 96):
        tx.draw_text(image, size.upper(), (x, 100), 17, brand.ink, 90)
        tx.draw_text(image, "1.5V", (x, 60), 12, brand.ink, 90)
        tx.draw_text(image, "-", (x, 134), 16, brand.ink)
    return np.asarray(image)


def _label(rng: Rng, brand: Brand, width: float, height: float) -> TextureImage:
    image, draw = tx.canvas((72, round(72 * height / width)), [*brand.background])
    accent = tuple(int(c) for c in brand.accent.clip(0, 255))
    edge = rng.uniform(0.2, 0.4)
    draw.rectangle([0, 0, 72, edge * image.height], fill=accent)
    tx.draw_text(image, "9V", (36, 0.5 * edge * image.height), 20, [*tint(rng, "white")])
    tx.draw_text(image, brand.name, (36, 0.66 * image.height), min(18, 100 / len(brand.name)), brand.ink, 90)
    return np.asarray(image)


@generates("hex nut")
def hex_nut(rng: Rng) -> Instance:
    """Hex nuts: six-sided rings of steel or brass, plain, flanged or with a colored locking ring. Pose: lying flat."""
    model = ModelBuilder()
    outer = rng.uniform(9, 19)
    inner, tall = outer * rng.uniform(0.54, 0.66), outer * rng.uniform(0.7, 1.15)
    skin = fastener_metal(rng)
    ring(model, inner, outer, tall, skin, corners=6, wedges=6, edge=rng.uniform(0.02, 0.08) * outer)
    bore = [(inner * 1.005, tall / 2 - 0.3), (inner * 0.96, 0.3 * tall), (inner * 0.96, -0.3 * tall)]
    bore += [(inner, -tall / 2)]
    dark = skin.tints[0] * 0.55
    model.lathe(bore, np.ascontiguousarray(np.rot90(ribbed(dark, 9, 0.45, 0.05, 0.9))), segments=24, hull=False)
    form = choice(rng, weighted("plain 2, flange, locking"))
    if form == "flange":
        ring(model, inner, outer * 1.32, 0.16 * tall, skin, at=(0, 0, -0.45 * tall), wedges=4)
    if form == "locking":
        color = plain(tint(rng, choice(rng, ("blue", "white", "green"))))
        ring(model, inner * 0.97, 0.86 * outer, 0.22 * tall, skin, at=(0, 0, 0.56 * tall), wedges=1)
        ring(model, inner * 0.93, 0.76 * outer, 0.2 * tall, color, at=(0, 0, 0.6 * tall), wedges=0)
    words = {"flange": "with a flange", "locking": "with a locking ring"}
    return model.instance(skin, "hexagonal", ["with a hole", words.get(form, "")], density=6500)


HINGE_METALS = (
    ("grey", STEEL),
    ("grey", STEEL),
    ("yellow", ((206, 166, 74), (190, 150, 62), (216, 182, 96))),
    ("black", ((40, 40, 43), (54, 54, 58))),
    ("brown", ((110, 76, 48), (92, 66, 46))),
    ("white", ((228, 228, 224),)),
)


@generates("hinge")
def hinge(rng: Rng) -> Instance:
    """Hinges: two plates with holes round a pin, of steel, brass or painted, open flat or partly folded."""
    model = ModelBuilder()
    tall = rng.uniform(28, 90)
    thick = rng.uniform(1.4, 2.6)
    leaf, r = tall * rng.uniform(0.32, 0.65), thick * rng.uniform(1.9, 2.6)
    word, rgb = choice(rng, HINGE_METALS)
    skin = finish(rng, "metal", word, wear=0.8, rgb=rgb)
    fold = rng.uniform(0, 12) if rng.random() < 0.65 else rng.uniform(35, 100)
    round_by = choice(rng, (1.0, 1.0, 0.2 * leaf, 0.45 * leaf))
    count = int(choice(rng, (2, 3)))
    rows = int(choice(rng, (1, 1, 2)))
    dark = plain((34, 34, 38))
    rim = plain(skin.tints[0] * 0.72)
    hole = min(0.12 * leaf, 0.11 * tall, 3.5)
    for side in (-1, 1):
        turn = rotation("y", side * -0.5 * fold)
        outline = rounded(leaf, tall, round_by) * [side, 1]
        outline = outline if side > 0 else outline[::-1]
        inner = np.sign(outline[:, 0]) != side
        outline[inner, 1] = np.sign(outline[inner, 1]) * tall / 2
        shift = turn @ np.array([side * (leaf / 2 + 0.6 * r), 0, 0])
        model.prism(outline, -thick / 2, thick / 2, skin, at=shift, turn=turn)
        for n in range(count):
            for m in range(rows):
                y = tall * ((n + 0.5) / count - 0.5) * 1.05 + (m - 0.5) * (rows - 1) * 0.1 * tall
                x = side * leaf * (0.12 if rows == 1 else -0.08 + 0.36 * m)
                at = shift + turn @ np.array([x, y, 0])
                model.prism(
                    circle(1.5 * hole, 14), -thick / 2 - 0.06, thick / 2 + 0.06, rim, at=at, turn=turn, hull=False
                )
                model.prism(circle(hole, 14), -thick / 2 - 0.12, thick / 2 + 0.12, dark, at=at, turn=turn, hull=False)
    knuckles = int(choice(rng, (3, 5)))
    for n in range(knuckles):
        low = tall * (n / knuckles - 0.5)
        high = low + tall / knuckles - 0.6
        model.lathe([(0, low), (r, low), (r, high), (0, high)], skin, segments=14, turn=ALONG_Y, hull=False)
    tips = rng.random() < 0.4
    end = tall / 2 + (1.2 * r if tips else 0.4)
    ends = [(0, -end), (0.7 * r, -end + 0.3 * r), (0.5 * r, -tall / 2), (0.5 * r, tall / 2), (0.7 * r, end - 0.3 * r)]
    ends += [(0, end)]
    model.lathe(ends, skin.solid(0.9), segments=12, turn=ALONG_Y, hull=False)
    model.hull([(*p, z) for p in circle(r, 10) for z in (-end, end)], turn=ALONG_Y)
    features = ["partly folded" if fold > 30 else "open", f"with {2 * count * rows} holes", "with tips" if tips else ""]
    return model.instance(skin, "flat rectangular", features, density=5000)


KEY_BRASSES = ((206, 166, 74), (190, 150, 62), (216, 182, 96), (176, 128, 70))
OLD = ((90, 74, 54), (70, 64, 60), (122, 92, 52), (60, 56, 54))


@generates("key")
def key(rng: Rng) -> Instance:
    """Keys: flat cut keys with round, square or plastic heads, and old ones with a barrel and bit."""
    # Pose: lying with its head at -y.
    return _old(rng) if rng.random() < 0.25 else _cut(rng)


def _cut(rng: Rng) -> Instance:
    model = ModelBuilder()
    length = rng.uniform(26, 40)
    thick = rng.uniform(1.8, 2.6)
    brass = rng.random() < 0.4
    skin = finish(rng, "metal", "yellow" if brass else "grey", wear=0.7, rgb=KEY_BRASSES if brass else STEEL)
    half = rng.uniform(3, 4.2)
    teeth = int(rng.integers(5, 8))
    y = np.linspace(0, length, 2 * teeth + 3)
    depth = np.zeros(len(y))
    depth[2:-1] = np.repeat(rng.uniform(0, 0.9 * half, teeth), 2) + np.tile((0.0, 0.15), teeth)
    edge = half - depth
    edge[-1] = -0.2 * half
    low = np.full(len(y), -half)
    low[-1] = -0.5 * half
    model.plate(np.c_[low, y], np.c_[edge, y], -thick / 2, thick / 2, skin, pieces=1)
    for z in (-1, 1):
        size = (0.35 * half, 0.9 * length, 0.3)
        model.box(size, plain(skin.tints[0] * 0.45), 0, at=(-0.45 * half, 0.45 * length, z * thick / 2), hull=False)
    form = choice(rng, weighted("round, square, oval, plastic 2"))
    wide = rng.uniform(20, 27)
    outlines = {
        "round": circle(wide / 2, 24),
        "square": rounded(wide, wide * 0.85, 3),
        "oval": circle(1, 24) * [wide * 0.6, wide * 0.42],
        "plastic": rounded(wide, wide * rng.uniform(0.9, 1.5), wide * rng.uniform(0.2, 0.45)),
    }
    outline = outlines[form]
    back = float(-outline[:, 1].max() + 1.5)
    head = skin if form != "plastic" else finish(rng, "plastic", [*VIVID, *weighted("black 3")], wear=0.4)
    high = thick / 2 if form != "plastic" else thick * rng.uniform(1.0, 1.6)
    model.prism(np.add(outline, (0, back)), -high, high, head)
    model.box((1.7 * half, 5, 1.3 * thick), skin, 0.3, at=(0, 1.5, 0), hull=False)
    hole = circle(wide * rng.uniform(0.1, 0.16), 12, (0, back - wide * 0.24))
    model.prism(hole, -high - 0.15, high + 0.15, plain((36, 36, 40)), hull=False)
    features = ["with a plastic head" if form == "plastic" else "with a metal head", "with teeth", "with a hole"]
    colors = (*head.colors, *skin.colors)
    return model.instance(head, "long and flat", features, colors=colors, density=4500, material="metal")


def _old(rng: Rng) -> Instance:
    model = ModelBuilder()
    length = rng.uniform(45, 80)
    r = rng.uniform(2, 3.4)
    word, rgb = choice(rng, (("brown", OLD[:1]), ("brown", OLD[2:3]), ("grey", STEEL), ("yellow", KEY_BRASSES)))
    skin = finish(rng, "metal", word, wear=1.0, rgb=rgb)
    y = np.array([0, 0.06, 0.1, 0.14, 0.2, 0.96, 1]) * length
    model.sweep(np.c_[0 * y, y, 0 * y], r * np.array([1, 1.6, 1.1, 1.6, 1, 1, 0.7]), skin, segments=12, pieces=1)
    size = rng.uniform(8, 12)
    ring_head = rng.random() < 0.5
    if ring_head:
        ring(model, 0.55 * size, size, 1.3 * r, skin, at=(0, -0.9 * size, 0), wedges=4)
    else:
        for angle in np.radians((150, 30, 270)):
            at = (0.6 * size * np.cos(angle), -0.9 * size + 0.6 * size * np.sin(angle), 0)
            ring(model, 0.25 * size, 0.55 * size, 1.3 * r, skin, at=at, wedges=1, segments=16)
    bit = rng.uniform(0.16, 0.24) * length
    out = rng.uniform(9, 13)
    line = np.array([(0, 0.94 * length - bit / 2), (out, 0.94 * length - bit / 2)])
    model.plate(*strip(line, bit / 2), -0.45 * r, 0.45 * r, skin, pieces=1)
    notch = plain((44, 44, 48))
    for n in range(2):
        at = (out * 0.75, 0.94 * length - bit * (0.3 + 0.4 * n), 0)
        model.box((out * 0.55, 0.14 * bit, r), notch, 0, at=at, hull=False)
    return model.instance(skin, "long and thin", ["old", "with a ring-shaped head" if ring_head else ""], density=4500)


LIGHT_BULB_FORMS = {
    "pear-shaped": [
        (0.42, 0),
        (0.45, 0.12),
        (0.66, 0.36),
        (0.95, 0.58),
        (1.0, 0.74),
        (0.78, 0.93),
        (0.35, 1.0),
        (0, 1.01),
    ],
    "candle-shaped": [(0.6, 0), (0.85, 0.14), (1.0, 0.32), (0.85, 0.58), (0.45, 0.82), (0.16, 0.95), (0, 1.0)],
    "round": [(0.36, 0), (0.4, 0.1), (0.8, 0.28), (1.0, 0.55), (0.84, 0.82), (0.45, 0.97), (0, 1.0)],
}


@generates("light bulb")
def light_bulb(rng: Rng) -> Instance:
    """Light bulbs: clear or frosted glass, pear, candle and globe forms, and LED lamps with a plastic collar."""
    model = ModelBuilder()
    form = choice(rng, weighted("pear-shaped 3, candle-shaped, round"))
    base = rng.uniform(11.5, 13.5) if form != "candle-shaped" else rng.uniform(7, 11)
    r = {"pear-shaped": rng.uniform(27, 33), "candle-shaped": rng.uniform(16, 19), "round": rng.uniform(28, 42)}[form]
    tall = r * {"pear-shaped": 2.5, "candle-shaped": 4.0, "round": 2.05}[form] * rng.uniform(0.92, 1.08)
    led = form != "round" and rng.random() < 0.4
    clear = not led and rng.random() < 0.4
    color = choice(rng, weighted("white 16, yellow, orange, red, blue, green")) if not clear else "white"
    glass = finish(rng, "glass" if not led else "plastic", color, wear=0.1)
    foot = base * 1.9
    screw = [
        (0, 0),
        (0.3 * base, 0),
        (0.34 * base, 1.5),
        (0.75 * base, 3.5),
        *thread(base, 4, foot, base * 0.32, 0.1),
        (base, foot + 2),
    ]
    metal = tint(rng, "grey") * 1.25 if rng.random() < 0.7 else np.array((196, 164, 92))
    _, v = tx.uv_grid(64, 8)
    model.lathe(
        screw, tx.to_uint8(tx.lerp_color((50, 50, 52), metal, tx.smoothstep(v, 0.22, 0.28))), segments=20, pieces=1
    )
    start = foot + 1.5
    if led:
        collar = tall * rng.uniform(0.3, 0.42)
        side = tint(rng, choice(rng, weighted("white 2, grey")))
        wide = r * rng.uniform(0.88, 0.97)
        rows = smooth([(base * 1.02, 0), (base * 1.25, 0.25), (wide * 0.9, 0.8), (wide, 1)], 8) * [1, collar]
        fins = rng.random() < 0.3
        u, _ = tx.uv_grid(32, 112)
        ribs = tx.smoothstep(np.abs((u * 18) % 1 - 0.5), 0.2, 0.35) * (0.5 if fins else 0)
        model.lathe(np.add(rows, (0, start)), tx.to_uint8(tx.lerp_color(side, side * 0.5, ribs)), segments=24, pieces=1)
        dome = smooth([(wide, 0), (r, 0.25), (0.93 * r, 0.55), (0.6 * r, 0.86), (0, 1)], 14) * [1, tall - collar]
        model.lathe(np.add(dome, (0, start + collar)), glass, segments=28, pieces=1)
    else:
        outline = smooth(LIGHT_BULB_FORMS[form], 24) * [r, tall]
        image = _clear(rng, tall) if clear else glass
        outline[0, 0] = max(outline[0, 0], base * 1.01)
        model.lathe(np.add(outline, (0, start)), image, segments=28, pieces=3)
    features = [form, "clear" if clear else "" if led else "frosted"]
    features += ["with a plastic collar" if led else "with a metal base"]
    return model.instance(glass, form, features, density=350, colors=("grey",) if clear else ())


def _clear(rng: Rng, tall: float) -> TextureImage:
    """Paint clear glass, through which a filament on its stem is seen."""
    u, v = tx.uv_grid(112, 128)
    color = tx.lerp_color((172, 182, 188), (120, 130, 138), 0.5 + 0.5 * np.cos(2 * np.pi * (2 * u + rng.uniform())))
    across = np.abs((u * 2) % 1 - 0.5)
    stem = 1 - tx.smoothstep(across + 0.05 * v, 0.08, 0.11)
    color = tx.lerp_color(color, (206, 212, 214), 0.7 * stem * (v < 0.42))
    zigzag = np.abs(v - 0.5 - 0.025 * np.sin(u * 190)) < 0.014
    color = tx.lerp_color(color, (246, 196, 90), (zigzag & (across < 0.22)).astype(float))
    glint = np.exp(-(((u - rng.uniform(0.1, 0.9)) / 0.025) ** 2))
    return tx.to_uint8(tx.lerp_color(color, (250, 253, 255), 0.8 * glint))


@generates("nail")
def nail(rng: Rng) -> Instance:
    """Nails: thin steel rods with a flat head and a point, bright, black or rusty, some bent."""
    # Pose: lying with its point at +y.
    model = ModelBuilder()
    r = rng.uniform(1.1, 2.8)
    length = 20 + r * rng.uniform(14, 28)
    rusty = rng.random() < 0.2
    rust = ((126, 72, 42), (108, 66, 44), (140, 84, 50))
    skin = finish(rng, "steel", "brown", wear=1.0, rgb=rust) if rusty else fastener_metal(rng)
    bent = rng.random() < 0.25
    t = np.array([0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1])
    bow = rng.uniform(0.06, 0.2) * length * (t * 1.2 - 0.2).clip(0) ** 1.8 if bent else 0 * t
    y = t * (length - 3.2 * r)
    body = np.c_[bow, y, 0 * t]
    model.sweep(body, r, skin, segments=12, pieces=4 if bent else 1)
    end = body[-1] + (body[-1] - body[-2]) / np.linalg.norm(body[-1] - body[-2]) * 3.2 * r
    model.sweep([body[-1], end], [r, 0.08 * r], skin, segments=4 if rng.random() < 0.6 else 12, pieces=1)
    wide = r * rng.uniform(1.9, 2.6)
    thick = rng.uniform(0.5, 0.8) * r
    countersunk = rng.random() < 0.25
    head = [(0, -thick), (wide * 0.9, -thick), (wide, -0.5 * thick), (wide, 0), (0, 0.1 if not countersunk else r)]
    if countersunk:
        head.insert(4, (r, 1.2 * r))
    model.lathe(head, skin, segments=16, pieces=1, turn=ALONG_Y)
    for n in range(3):
        profile = [(r * 1.0, 0), (r * 1.06, 0.15 * r), (r, 0.3 * r)]
        model.lathe(
            profile, plain(skin.tints[0] * 0.6), segments=10, at=(0, (1.2 + 0.8 * n) * r, 0), turn=ALONG_Y, hull=False
        )
    features = ["bent" if bent else "straight", "rusty" if rusty else "", "with a flat head"]
    return model.instance(skin, "long and thin", features, density=6500)


PADLOCK_UPRIGHT = rotation("z", 90) @ rotation("x", 90)
PADLOCK_BRASSES = ((206, 166, 74), (190, 150, 62), (216, 182, 96), (176, 140, 70))


@generates("padlock")
def padlock(rng: Rng) -> Instance:
    """Padlocks: bodies of brass, steel or colored metal, round or square, with a steel shackle, some open."""
    # Pose: standing, its front towards +x.
    model = ModelBuilder()
    wide = rng.uniform(24, 54)
    tall, thick = wide * rng.uniform(0.72, 1.1), wide * rng.uniform(0.3, 0.45)
    metal = choice(rng, weighted("brass 2, steel, painted, layered"))
    if metal == "painted":
        skin = finish(rng, "metal", [*VIVID[:6], "blue", "black"], wear=0.6)
    elif metal == "brass":
        skin = finish(rng, "metal", "yellow", wear=0.7, rgb=PADLOCK_BRASSES)
    else:
        skin = steel(rng, wear=0.7)
    form = choice(rng, weighted("square 2, rounded, round"))
    outline = (
        circle(wide / 2, 32) if form == "round" else rounded(wide, tall, wide * (0.08 if form == "square" else 0.3))
    )
    tall = wide if form == "round" else tall
    side: Skin = skin
    if metal == "layered":
        _, v = tx.uv_grid(96, 8)
        layers = tx.smoothstep(np.abs((v * 9) % 1 - 0.5), 0.35, 0.45)
        side = tx.to_uint8(tx.lerp_color(skin.tints[0], skin.tints[0] * 0.5, layers))
    front = side if metal == "layered" else skin
    model.prism(outline, -thick / 2, thick / 2, front, skin, turn=PADLOCK_UPRIGHT)
    dial = metal != "layered" and rng.random() < 0.25
    if dial:
        wheels = int(rng.integers(3, 5))
        for n in range(wheels):
            z = tall * (0.28 - 0.56 * n / (wheels - 1))
            image, _ = tx.canvas((24, 14), (28, 28, 30))
            tx.draw_text(image, str(rng.integers(10)), (12, 7), 11, (240, 240, 236))
            model.box(
                (thick + 2, 0.4 * wide, 0.15 * tall),
                {"right": np.asarray(image), "left": np.asarray(image)}
                | dict.fromkeys(("front", "back", "top", "bottom"), plain((28, 28, 30))),
                0.6,
                at=(0, 0.1 * wide, z),
                hull=False,
            )
    else:
        label, _ = tx.canvas((64, 28), (skin.tints[0] * 1.04).clip(0, 255).tolist())
        brand = sample_brand(rng, ("lock",), skin.colors)
        ink = (skin.tints[0] * 0.35).tolist()
        tx.draw_text(label, brand.name, (32, 14), min(15, 84 / len(brand.name)), ink)
        if metal != "layered":
            panel = rounded(0.62 * wide, 0.28 * wide, 1, 1)
            model.prism(panel, thick / 2, thick / 2 + 0.3, np.asarray(label), turn=PADLOCK_UPRIGHT, hull=False)
        hole = plain((26, 26, 28))
        model.prism(circle(0.1 * wide, 12), -0.3, 0.3, hole, at=(0, 0, -tall / 2), hull=False)
    r, reach, high = wide * rng.uniform(0.07, 0.1), wide * rng.uniform(0.28, 0.34), wide * rng.uniform(0.15, 0.75)
    opened = rng.random() < 0.25
    lift = 0.28 * wide if opened else 0.0
    t = np.radians(np.linspace(0, 180, 11))
    top = tall / 2 * (0.8 if form == "round" else 1) + high + lift
    arch = np.c_[0 * t, reach * np.cos(t), top + reach * np.sin(t)]
    end = tall / 2 - 2 if not opened else tall / 2 + lift * 0.5
    feet = np.array([(0, reach, tall * 0.3), (0, -reach, end if opened else tall * 0.3)])
    path = np.concatenate([feet[:1], (feet[:1] + arch[:1]) / 2, arch, (feet[1:] + arch[-1:]) / 2, feet[1:]])
    turn = rotation("z", rng.uniform(40, 150)) if opened else np.eye(3)
    pivot = np.array([0, reach, 0])
    shackle = steel(rng, ((196, 198, 202), (180, 182, 186), (160, 162, 168)))
    model.sweep(path - pivot, r, shackle, up=(1, 0, 0), segments=12, pieces=5, at=pivot, turn=turn)
    shape = "round" if form == "round" else "rectangular"
    features = ["open" if opened else "closed", "with number wheels" if dial else "", "with a steel shackle"]
    return model.instance(skin, shape, features, density=4000)


POWER_PLUG_COLORS = weighted("black 3, white 3, grey, orange, red, blue, yellow, green, brown")
PINS = ((196, 198, 202), (196, 160, 84), (206, 188, 140))


@generates("power plug")
def power_plug(rng: Rng) -> Instance:
    """Power plugs: bodies of black, white or colored plastic with two or three metal pins and the end of a cable."""
    # Pose: lying with its pins at +y.
    model = ModelBuilder()
    skin = finish(rng, "plastic", POWER_PLUG_COLORS, wear=0.5)
    pin = plain(np.array(choice(rng, PINS)) * rng.uniform(0.9, 1.05))
    sort = choice(rng, weighted("flat, round 2, blades, square"))
    front, feature = {"flat": _flat, "round": _round, "blades": _blades, "square": _square}[sort](model, rng, skin, pin)
    thin = rng.uniform(2.6, 3.8)
    long = rng.uniform(18, 60)
    ribs = int(rng.integers(3, 6))
    relief = np.array(
        [(0, 0), *[(thin * (1.9 - 0.12 * n - 0.35 * (n % 2)), 2.4 * n) for n in range(2 * ribs)], (0, 4.8 * ribs)]
    )
    back = -front
    model.lathe(relief, skin.solid(0.92), segments=14, pieces=1, at=(0, back + 1, 0), turn=rotation("x", 90))
    bend = rng.uniform(-0.5, 0.5) * long
    path = smooth([(0, back - 4 * ribs, 0), (0, back - 4 * ribs - 0.5 * long, 0), (bend, back - 4 * ribs - long, 0)], 9)
    model.sweep(path, thin, skin.solid(0.95), segments=12, pieces=3)
    end = path[-1] + (path[-1] - path[-2]) * 0.15
    model.sweep([path[-1], end], 0.5 * thin, plain((200, 124, 70)), segments=8, hull=False)
    return model.instance(skin, "irregular", [feature, "with a piece of cable"], density=1300)


def _flat(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a slim body with two round pins."""
    long, wide = rng.uniform(32, 38), rng.uniform(13, 16)
    y = np.linspace(-long / 2, long / 2, 8)
    half = wide * smooth([(0.42,), (0.8,), (0.72,), (1.0,), (1.05,)], 8)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, np.linspace(5.2, 6.4, 8), power=3, segments=18, pieces=1)
    for side in (-1, 1):
        _pin(model, skin.painted((40, 40, 42)), pin, side * 8.7, 0, long / 2, 2.1, 19)
    return long / 2, "with two round pins"


def _round(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a thick round body with two thick pins."""
    long = rng.uniform(32, 44)
    r = rng.uniform(16.5, 19)
    form = smooth([(0.4, 0), (0.66, 0.2), (0.72, 0.5), (0.95, 0.72), (1, 0.8), (1, 1)], 14) * [r, long]
    model.lathe([(0, 0), *form, (0, long)], skin, segments=24, pieces=2, at=(0, -long / 2, 0), turn=ALONG_Y)
    for side in (-1, 1):
        model.box((2.5, 8, 6), pin, 0.5, at=(0, long / 2 - 6, side * r), hull=False)
        _pin(model, skin, pin, side * 9.5, 0, long / 2, 2.4, 19)
    return long / 2, "with two round pins"


def _blades(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a body with two flat blades and sometimes a round pin below."""
    long = rng.uniform(28, 36)
    grounded = rng.random() < 0.6
    y = np.linspace(-long / 2, long / 2, 8)
    half = smooth([(6.5,), (10,), (10.5,), (13.5,), (13,)], 8)[:, 0]
    tall = 0.85 * half if grounded else np.linspace(6, 8, 8)
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, tall, power=3, segments=18, pieces=2)
    for side in (-1, 1):
        model.box((1.6, 18, 6.3), pin, 0.5, at=(side * 6.3, long / 2 + 8, 2.5 if grounded else 0))
    if grounded:
        _pin(model, skin, pin, 0, -6.5, long / 2, 2.4, 20)
    return long / 2, "with two flat blades and a round pin" if grounded else "with two flat blades"


def _square(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a broad body with three rectangular pins."""
    long, wide = rng.uniform(26, 32), rng.uniform(23, 26)
    y = np.linspace(-long / 2, long / 2, 8)
    half = wide * smooth([(0.3,), (0.75,), (0.85,), (0.98,), (1.0,)], 8)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, half * np.linspace(0.7, 0.95, 8), power=3.6, segments=20, pieces=1)
    model.box((6.4, 19, 4), pin, 0.5, at=(0, long / 2 + 8, 11))
    for side in (-1, 1):
        model.box((4, 15, 6.4), pin, 0.5, at=(side * 11, long / 2 + 6, -9))
        model.box((4.1, 8, 6.5), skin.solid(0.7), 0.3, at=(side * 11, long / 2 + 3, -9), hull=False)
    return long / 2, "with three rectangular pins"


def _pin(model: ModelBuilder, sleeve: Skin, pin: Skin, x: float, z: float, y: float, r: float, long: float) -> None:
    """Add a round pin, whose first half has a plastic sleeve."""
    rows: Floats = np.array([(0, -1), (r, -1), (r, long - 2), (0.7 * r, long), (0, long)])
    model.lathe(rows, pin, segments=12, pieces=1, at=(x, y, z), turn=ALONG_Y)
    model.lathe([(r * 1.04, 0), (r * 1.04, 0.45 * long)], sleeve, segments=12, at=(x, y, z), turn=ALONG_Y, hull=False)


@generates("screw")
def screw(rng: Rng) -> Instance:
    """Screws: wood and machine screws of steel, brass or black, with countersunk, round or six-sided heads."""
    # Pose: lying with its point at +y.
    model = ModelBuilder()
    r = rng.uniform(1.8, 4.2)
    length = 12 + r * rng.uniform(7, 15)
    skin = fastener_metal(rng)
    pointed = rng.random() < 0.65
    head = choice(rng, weighted("flat 2, round, hexagonal"))
    core = rng.uniform(0, 0.35) * length
    tip = 2.6 * r if pointed else 0.4 * r
    rows = [
        (0.8 * r, 0),
        (0.8 * r, core),
        *thread(r, core, length - tip, rng.uniform(0.55, 0.8) * r, 0.26),
        (0.5 * r, length - 0.5 * tip),
    ]
    rows += [(0, length)] if pointed else [(0.7 * r, length), (0, length)]
    model.lathe(rows, skin, segments=12, pieces=2, turn=ALONG_Y)
    wide = r * rng.uniform(1.8, 2.2)
    top = -wide * (0.25 if head == "flat" else 0.65)
    if head == "hexagonal":
        model.prism(circle(wide, 6), top, 0.2, skin, turn=ALONG_Y)
        disc = [(0, 0), (1.25 * wide, 0), (1.25 * wide, 0.5 * r), (0, 0.5 * r)]
        if rng.random() < 0.5:
            model.lathe(disc, skin, segments=18, pieces=1, turn=ALONG_Y)
    else:
        curves = {
            "flat": [(0, 0), (1, 0), (1, 0.12), (0.45, 0.85), (0, 0.85)],
            "round": [(0, 0), (0.45, 0.05), (0.8, 0.25), (0.98, 0.5), (1, 0.7), (0, 0.7)],
        }
        model.lathe(np.array(curves[head]) * wide + [0, top], skin, segments=18, pieces=1, turn=ALONG_Y)
    drive = "" if head == "hexagonal" else choice(rng, weighted("cross 2, slot"))
    dark = plain(skin.tints[0] * 0.22)
    for n in range({"cross": 2, "slot": 1}.get(drive, 0)):
        size = (1.1, 0.3) if drive == "cross" else (1.75 if head == "flat" else 1.2, 0.3)
        arm = (wide * size[0], 0.25 * wide, wide * size[1])
        shape = arm if n == 0 else (arm[2], arm[1], arm[0])
        model.box(shape, dark, 0, at=(0, top + 0.08 * wide, 0), turn=rotation("y", 0), hull=False)
    words = {"flat": "with a flat head", "round": "with a round head", "hexagonal": "with a hexagonal head"}
    features = [words[head], "pointed" if pointed else "blunt", f"with a {drive} in its head" if drive else ""]
    return model.instance(skin, "long and thin", features, density=6500)
