"""Other household items."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import ANY, BRIGHT, STEEL, TOYS, WOODS, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, rounded, smooth, squarish
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, arc_length, circle, rotation

BRASS = ((206, 164, 70), (186, 142, 58), (220, 182, 96))


@generates("bell")
def bell(rng: Rng) -> Instance:
    """Bells: hand bells with a handle, desk bells with a button, cow bells with a loop; of brass, steel or painted."""
    model = ModelBuilder()
    form = choice(rng, weighted("hand bell 3, desk bell, cow bell"))
    word = choice(rng, (*weighted("yellow 3, grey 2"), *BRIGHT[:4]))
    rgb = BRASS if word == "yellow" else STEEL if word == "grey" else ()
    skin = finish(rng, "metal", word, wear=0.5, rgb=rgb)
    r = rng.uniform(20, 48)
    words = [word]
    if form == "hand bell":
        h = r * rng.uniform(1.2, 1.7)
        flare = rng.uniform(0.72, 0.86)
        body = smooth([(1, 0), (flare, 0.2), (0.62, 0.55), (0.54, 0.78), (0.4, 0.94), (0.14, 1)], 16) * [r, h]
        model.lathe(body, skin, pieces=2)
        material = choice(rng, weighted("wood 2, metal, plastic"))
        grip_word = "brown" if material == "wood" else word if material == "metal" else "black"
        grip = finish(rng, material, grip_word, rgb=WOODS if material == "wood" else rgb if material == "metal" else ())
        reach = r * rng.uniform(1.3, 2.2)
        thick = r * rng.uniform(0.18, 0.24)
        rows = smooth([(0.6, 0), (0.75, 0.06), (0.6, 0.2), (1, 0.55), (0.95, 0.8), (0.6, 0.95), (0, 1)], 14)
        model.lathe(rows * [thick, reach] + [0, h - 2], grip, 16, 2)
        words.append(grip_word)
        feature = f"with a {'wooden' if material == 'wood' else material} handle"
    elif form == "desk bell":
        foot = r * 1.08
        base = finish(rng, "plastic", "black").painted((34, 34, 38)) if rng.random() < 0.7 else skin.solid(0.8)
        model.lathe([(0, 0), (foot, 0), (foot, r * 0.12), (foot * 0.9, r * 0.22), (0, r * 0.22)], base, pieces=1)
        a = np.linspace(0.04, np.pi / 2, 10)
        h = r * rng.uniform(0.62, 0.8)
        dome = np.c_[r * np.cos(a) ** 0.9, h * np.sin(a) + 0.3 * r]
        model.lathe([(r * 0.97, 0.3 * r), *dome], skin, pieces=1)
        z = float(dome[-1, 1])
        button = [(r * 0.1, -2), (r * 0.1, r * 0.12), (r * 0.2, r * 0.14), (r * 0.18, r * 0.24), (0, r * 0.26)]
        model.lathe(np.add(button, [0, z]), skin.solid(0.92), 16, 1)
        feature = "with a button on top"
    else:
        h = r * rng.uniform(1.5, 2.1)
        bend = squarish(rng.uniform(2.6, 4), rng.uniform(0.55, 0.75))
        shell = [(r, 0), (r * 0.97, h * 0.08), (r * 0.72, h * 0.85), (r * 0.6, h * 0.97), (r * 0.4, h)]
        model.lathe(shell, skin, bend=bend, pieces=1)
        model.lathe([(r * 0.4, h), (0, h)], skin.solid(), bend=bend, hull=False)
        a = np.linspace(0, np.pi, 11)
        loop = np.c_[0 * a, r * 0.42 * np.cos(a), h - 2 + r * 0.55 * np.sin(a)]
        strap = finish(rng, "leather", "brown").solid() if rng.random() < 0.5 else skin.solid(0.9)
        model.sweep(loop, 2.2, strap, r * 0.16, power=4, segments=10, up=(1, 0, 0), pieces=2)
        feature = "with a loop"
    if form != "desk bell":
        section = squarish(2.0) if form == "hand bell" else bend
        model.lathe([(0, 5), (r * 0.86, 4)], plain(skin.tints[0] * 0.4), bend=section, hull=False)
        model.lathe([(r * 0.86, 4), (r * 0.97, 0)], plain(skin.tints[0] * 0.6), bend=section, hull=False)
    shape = "conical" if form != "desk bell" else "hemispherical"
    features = [feature, "painted" if word not in ("yellow", "grey") else "shiny"]
    return model.instance(skin, shape, features, colors=tuple(dict.fromkeys(words)), density=1500)


CANDLE_PATTERNS = weighted("plain 4, striped, two-coloured, marbled")


@generates("candle")
def candle(rng: Rng) -> Instance:
    """Candles: pillars, tapers and tea lights of wax with a wick, some burnt down, dripping, or in a glass."""
    model = ModelBuilder()
    form = choice(rng, weighted("pillar 3, taper 2, tea light, jar"))
    word = choice(rng, weighted("white 5") + BRIGHT + ("red", "brown"))
    rgb = ((238, 230, 208), (242, 240, 232), (228, 210, 170)) if word == "white" else ()
    skin = finish(rng, "wax", word, CANDLE_PATTERNS if form in ("pillar", "taper") else "plain", pitch=(8, 20), rgb=rgb)
    r, h = {
        "pillar": (rng.uniform(20, 40), rng.uniform(50, 150)),
        "taper": (rng.uniform(9, 13), rng.uniform(120, 250)),
        "tea light": (rng.uniform(18, 21), rng.uniform(13, 17)),
        "jar": (rng.uniform(28, 42), rng.uniform(45, 85)),
    }[form]
    hollow = h * (0.02 if form == "taper" else 0.06 if form == "pillar" else 0.12) * rng.uniform(0.5, 1.6)
    lumpy = rng.uniform(0, 0.06) * (form == "pillar")
    phase = rng.uniform(0, 6)

    def melt(points: Floats) -> Floats:
        """Let the rim sink here and there."""
        angle = np.arctan2(points[:, 1], points[:, 0])
        upper = np.clip((points[:, 2] / h - 0.7) / 0.3, 0, 1) * np.hypot(points[:, 0], points[:, 1]) / r
        wave = 0.5 + 0.5 * np.sin(2 * angle + phase)
        return np.asarray(points - np.c_[0 * angle, 0 * angle, lumpy * h * upper * wave])

    tip = r * (0.6 if form == "taper" else 0.93)
    wall = [(r * 0.98, 0), (r, h * 0.03), (r * 0.98 if form != "taper" else r * 0.9, h * 0.7), (tip * 1.02, h * 0.97)]
    wall += [(tip, h)]
    model.lathe(wall, skin, bend=melt, pieces=1)
    bowl = [(tip, h), (tip * 0.85, h - hollow), (0, h - hollow * 1.3)]
    model.lathe(bowl, skin.solid(1.04), bend=melt, hull=False)
    model.lathe([(0, 0.3), (r * 0.98, 0)], skin.solid(), hull=False)
    if form == "tea light":
        tin = finish(rng, "metal", "grey", rgb=STEEL)
        model.lathe([(0, -0.5), (r + 0.5, -0.5), (r + 0.8, h + 1), (r, h + 1.4), (r, h - 1)], tin, pieces=1)
    elif form == "jar":
        glass = finish(rng, "glass", "white").painted((206, 218, 220))
        outer = smooth([(r + 2, -4), (r + 3, h * 0.1), (r + 3, h * 0.7), (r + 3, h * 0.84)], 7)
        model.lathe([(0, -4), *outer], glass, pieces=1)
    burnt = rng.random() < 0.5
    base = h - hollow * 1.3 - 1
    reach = rng.uniform(6, 12)
    lean = rng.normal(0, 1.5, 2)
    wick = smooth([(0, 0, base), (*(0.3 * lean), base + 0.6 * reach), (*lean, base + reach + 2)], 6)
    model.sweep(wick, 0.9, plain((36, 30, 26) if burnt else (232, 226, 210)), segments=6, up=(0, 1, 0), pieces=1)
    if form in ("pillar", "taper"):
        for _ in range(int(rng.integers(0, 5)) * burnt):
            a = rng.uniform(0, 2 * np.pi)
            drop = h * rng.uniform(0.12, 0.5)
            top = h * (0.97 - lumpy)
            line = np.array([(r * 0.97 * np.cos(a), r * 0.97 * np.sin(a), top - f * drop) for f in (0, 0.4, 0.8, 1)])
            model.sweep(
                line,
                r * np.array([0.06, 0.05, 0.08, 0.05]),
                plain(skin.tints[0] * 1.03),
                segments=6,
                up=(np.cos(a), np.sin(a), 0.01),
                hull=False,
            )
    words = {"pillar": "with a broad body", "taper": "slim", "tea light": "in a tin cup", "jar": "in a glass"}
    features = [words[form], "with a burnt wick" if burnt else "with a white wick"]
    return model.instance(
        skin,
        "cylindrical" if form != "taper" else "long and thin",
        features,
        colors=(*skin.colors, "grey") if form == "tea light" and word != "grey" else (),
    )


@generates("clothespin")
def clothespin(rng: Rng) -> Instance:
    """Clothespins: two wooden or plastic legs with a steel spring between them, closed or squeezed open."""
    model = ModelBuilder()
    long = rng.uniform(48, 92)
    wooden = rng.random() < 0.5
    word = "brown" if wooden else choice(rng, TOYS)
    skin = finish(
        rng, "wood" if wooden else "plastic", word, rgb=(*WOODS[:1], WOODS[2], (214, 176, 122)) if wooden else ()
    )
    image = np.rot90(skin.image(10, long, 80)) if wooden else skin.image(40, 20, 48)
    wide, thick = long * rng.uniform(0.11, 0.17), long * rng.uniform(0.075, 0.1)
    gape = rng.uniform(6, 12) if rng.random() < 0.25 else 0.0
    # A leg seen from the side, in (y, z): its jaw is at +y and touches the other leg; its grip spreads at -y.
    pivot = long * rng.uniform(0.02, 0.1)
    spread = long * rng.uniform(0.09, 0.14)
    if wooden:
        top = [(0.5, 0.55), (0.42, 1.0), (-0.5, 0.85 + 0.4)]
        low = [(-0.5, spread / thick - 0.1), (pivot / long - 0.06, 0.05), (0.5, 0.03)]
    else:
        top = [(0.5, 0.5), (0.44, 0.9), (0.1, 1.15), (-0.2, 1.5), (-0.46, 1.9), (-0.5, 1.7)]
        low = [(-0.48, spread / thick - 0.1), (-0.2, 0.5), (pivot / long - 0.05, 0.1), (0.34, 0.25), (0.42, 0.02)]
        low += [(0.5, 0.02)]
    if wooden:
        top[-1] = (-0.5, spread / thick + 0.55)
    else:
        top[-1] = (-0.5, spread / thick + 0.25)
        top[-2] = (-0.44, spread / thick + 0.45)
    turn = rotation("y", choice(rng, (0, 90, 90))) @ rotation("z", choice(rng, (0, 180)))
    for s in (-1, 1):
        outline = np.array([*low, *top]) * [long, thick]
        swing = rotation("x", s * gape)
        mirror = outline * [1, s]
        points = mirror if s > 0 else mirror[::-1]
        pose = turn @ swing @ rotation("z", 90) @ rotation("x", 90)
        model.prism(points, -wide / 2, wide / 2, image, turn=pose)
    coil = thick * rng.uniform(0.5, 0.65)
    steel = plain(np.array([172, 174, 178]) * rng.uniform(0.8, 1.1))
    rows = [(0, -wide * 0.62), (coil, -wide * 0.62), (coil, wide * 0.62), (0, wide * 0.62)]
    model.lathe(rows, steel, 14, 1, at=turn @ [0, pivot, 0], turn=turn @ rotation("y", 90))
    for s in (-1, 1):
        y = pivot + long * rng.uniform(0.14, 0.2)
        x = s * wide * 0.54
        path = np.array(
            [
                (x, pivot, coil * 0.7),
                (x, (pivot + y) / 2, thick * 0.8),
                (x * 0.9, y, thick * 1.05),
                (0, y + 0.5, thick * 1.1),
            ]
        )
        for side in (-1, 1):
            model.sweep(path * [1, 1, side], 0.9, steel, segments=6, up=(0.1, 0.1, 1), turn=turn, hull=False)
    features = ["open" if gape else "closed", "with a metal spring"]
    return model.instance(skin, "long and thin", features, density=500)


COIN_METALS = {"grey": (186, 188, 190), "yellow": (212, 172, 62), "brown": (150, 88, 50)}
HEAD = (
    (-0.1, -0.62),
    (0.22, -0.55),
    (0.36, -0.3),
    (0.34, -0.1),
    (0.5, 0.08),
    (0.36, 0.14),
    (0.36, 0.34),
    (0.1, 0.4),
    (0.16, 0.7),
    (-0.5, 0.7),
    (-0.3, 0.3),
    (-0.42, -0.05),
    (-0.4, -0.4),
)


def _relief(rng: Rng, color: Floats, core: Floats, share: float) -> TextureImage:
    """Strike a number or a head into a face, and letters and beads around it."""
    n = 96
    raised = Image.new("L", (n, n))
    draw = ImageDraw.Draw(raised)
    middle = n / 2
    if rng.random() < 0.55:
        stamp, _ = tx.canvas((n, n), (0, 0, 0))
        tx.draw_text(
            stamp, choice(rng, ("1", "2", "5", "10", "20", "50", "100")), (middle, middle - 3), 34, (255, 255, 255)
        )
        tx.draw_text(
            stamp,
            choice(rng, ("CENT", "CROWN", "MARK", "ROYAL", "PESO", "LIRA")),
            (middle, middle + 22),
            11,
            (255, 255, 255),
        )
        raised = stamp.convert("L")
        draw = ImageDraw.Draw(raised)
    else:
        size = 0.42 * n
        flip = choice(rng, (-1, 1))
        draw.polygon([(middle + flip * x * size, middle + y * size) for x, y in HEAD], fill=255)
    for k in range(int(rng.integers(10, 26))):
        a = 2 * np.pi * k / 26 + np.pi
        x, y = middle + 0.4 * n * np.cos(a), middle + 0.4 * n * np.sin(a)
        draw.ellipse([x - 1.6, y - 1.6, x + 1.6, y + 1.6], fill=230)
    draw.ellipse([1, 1, n - 2, n - 2], outline=255, width=3)
    relief = np.asarray(raised, dtype=float) / 255
    shade = 0.24 * relief + 0.45 * (np.roll(relief, (1, 1), (0, 1)) - np.roll(relief, (-1, -1), (0, 1))) * -1
    u, v = tx.uv_grid(n, n)
    radius = np.hypot(u - 0.5, v - 0.5) * 2
    base = np.where((radius < share)[..., None], core, color)
    base = base * (1 - 0.3 * (np.abs(radius - share) < 0.02))[..., None]
    tarnish = 1 - 0.12 * np.clip(tx.grid_noise(rng, (n, n), 4, 4), -1, 2)
    return tx.to_uint8(base * (tarnish * (0.92 + shade))[..., None])


@generates("coin")
def coin(rng: Rng) -> Instance:
    """Coins: round discs of copper, brass or silver color with a raised rim, a number or a head; some in two metals."""
    model = ModelBuilder()
    r = rng.uniform(8.5, 19)
    word = choice(rng, weighted("grey 2, yellow 2, brown"))
    thick = r * rng.uniform(0.13, 0.2)
    two = word != "brown" and rng.random() < 0.25
    other = {"grey": "yellow", "yellow": "grey"}.get(word, word)
    wear = rng.uniform(0.72, 1.08)
    color = np.array(COIN_METALS[word]) * wear * rng.normal(1, 0.03, 3)
    core = np.array(COIN_METALS[other]) * wear if two else color
    share = rng.uniform(0.5, 0.6) if two else 0.0
    turn = rotation("z", rng.uniform(0, 360))
    standing = rng.random() < 0.2
    if standing:
        turn = rotation("z", rng.uniform(-50, 50)) @ rotation("y", 90) @ turn
    corners = choice(rng, (40, 40, 40, 40, 12, 7))
    edge = circle(r, corners)
    heads, tails = (_relief(rng, color, core, share) for _ in range(2))
    u, _ = tx.uv_grid(8, 256)
    reeds = 1 - 0.35 * (np.sin(2 * np.pi * 100 * u) > 0) * (rng.random() < 0.6)
    side = tx.to_uint8(color * 0.9 * reeds[..., None])
    model.prism(edge, 0, thick, heads, side, turn=turn)
    # The other face is struck so that it is not mirrored when it lies up.
    model.prism(edge * 0.995, -0.2, 0.12, tails, side, turn=turn @ rotation("x", 180), hull=False)
    skin = finish(rng, "metal", word)
    features = ["in two metals" if two else "", "standing on its edge" if standing else "lying"]
    features += ["with a raised rim", "with corners" if corners < 20 else ""]
    return model.instance(skin, "flat and round", features, colors=(word, other) if two else (word,), density=8000)


CLAY = {
    "orange": ((220, 124, 62), (230, 136, 76), (212, 114, 52)),
    "brown": ((150, 84, 50), (166, 98, 62), (140, 84, 58)),
}


@generates("flower pot")
def flower_pot(rng: Rng) -> Instance:
    """Flower pots: terracotta, glazed or plastic pots that widen to a rim, empty, with soil, or a plant."""
    model = ModelBuilder()
    r = rng.uniform(34, 72)
    h, foot = r * rng.uniform(1.4, 2.0), r * rng.uniform(0.58, 0.78)
    clay = rng.random() < 0.6
    if clay:
        word = choice(rng, tuple(CLAY))
        skin = finish(rng, "stone", word, wear=0.8, rgb=CLAY[word])
    else:
        patterns = weighted("plain 3, striped, dotted, speckled, two-coloured")
        skin = finish(
            rng, choice(rng, weighted("ceramic 2, plastic")), (*ANY, *weighted("white 2")), patterns, pitch=(8, 20)
        )
    rim, collar = r * rng.uniform(1.02, 1.12), h * rng.uniform(0.72, 0.84)
    rimmed = clay or rng.random() < 0.5
    outer = [(foot, 0), (foot + (r - foot) * 0.6, h * 0.6), (r * 0.94, collar)]
    outer += [(rim, collar + 1), (rim * 1.02, h)] if rimmed else [(r, h)]
    wall = rng.uniform(3, 5)
    saucer = rng.random() < 0.3
    lift = 4.0 if saucer else 0.0
    model.vessel(outer, wall, skin, skin.solid(0.85), at=(0, 0, lift), wedges=6)
    if saucer:
        dish = [(0, 0), (foot * 1.1, 0), (foot * 1.4, 9), (foot * 1.33, 9), (foot * 1.08, 3.5), (0, 3.5)]
        model.lathe(dish, skin.solid(), pieces=1)
    content = choice(rng, weighted("empty 2, soil, plant 2"))
    if content != "empty":
        level = h * 0.86 + lift
        broad = r * 0.92 - wall
        earth = tx.to_uint8(np.array([70, 48, 32]) * (1 + 0.22 * tx.grid_noise(rng, (48, 48), 18, 18))[..., None])
        model.prism(circle(broad, 20), level - 0.06 * h, level, earth)
    if content == "plant":
        tops = [_upright(model, rng, np.array([0, 0, level - 2]), r * rng.uniform(0.8, 1.7)) for _ in range(9)]
        model.hull(np.concatenate(tops))
    words = {"empty": "empty", "soil": "filled with soil", "plant": "with a plant"}
    features = [words[content], "with a saucer" if saucer else "without a saucer", "with a rim" if rimmed else ""]
    colors = (*skin.colors, "green") if content == "plant" and "green" not in skin.colors else skin.colors
    return model.instance(skin, "conical", features, colors=colors, density=900, material="ceramic" if clay else "")


def _upright(model: ModelBuilder, rng: Rng, foot: Floats, reach: float) -> Floats:
    """Add a pointed leaf that rises and bends over, without a hull; return the points of its middle and edges."""
    angle = rng.uniform(0, 2 * np.pi)
    spread = rng.uniform(0.1, 0.8)
    out = np.array([np.cos(angle), np.sin(angle), 0])
    t = np.linspace(0, 1, 8)[:, None]
    path = foot + out * reach * spread * t**1.5 + np.array([0, 0, reach]) * (t - 0.35 * spread * t**3)
    width = reach * rng.uniform(0.07, 0.16) * np.sin(np.pi * np.linspace(0.12, 0.97, 8))
    paint = plain(tint(rng, "green") * rng.uniform(0.75, 1.15))
    model.sweep(path, width, paint, 0.7, segments=8, up=out.tolist(), hull=False)
    side = np.cross(out, (0, 0, 1)) * width[:, None]
    return np.concatenate([path + side, path - side])


@generates("glasses")
def glasses(rng: Rng) -> Instance:
    """Glasses: frames with two lenses, round or rectangular, and two temples, open or folded; some sunglasses."""
    # Pose: standing on its lenses and temples; the front faces +x.
    model = ModelBuilder()
    wide = rng.uniform(125, 148)
    wire = rng.random() < 0.3
    word = "grey" if wire else choice(rng, (*weighted("black 3, brown 2"), *ANY))
    skin = finish(
        rng,
        "metal" if wire else "plastic",
        word,
        weighted("plain 2, speckled") if word == "brown" else "plain",
        second=("black",),
        pitch=(4, 8),
        rgb=STEEL if wire else (),
    )
    image = skin.image(30, 140, 64)
    thick = rng.uniform(1.0, 1.4) if wire else rng.uniform(1.7, 3.0)
    lens, tall = wide * rng.uniform(0.185, 0.215), wide * rng.uniform(0.13, 0.2)
    form = choice(rng, weighted("round, rectangular 2, drop"))
    if form == "round":
        tall = lens = wide * rng.uniform(0.17, 0.2)
    power = {"round": 2.0, "rectangular": 4.0, "drop": 2.6}[form]
    dark = rng.random() < 0.4
    glass_word = choice(rng, weighted("black 2, brown, blue")) if dark else "white"
    glass = plain(tint(rng, glass_word) * (1.15 if dark else 1.0)) if dark else plain((206, 216, 220))
    a = np.linspace(0, 2 * np.pi, 29)
    c, s = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(a), np.sin(a)))
    center = wide / 2 - lens - thick
    for side in (-1, 1):
        y = side * (center + lens * c)
        z = tall * s * (1 + (0.12 * c if form == "drop" else 0))
        loop = np.c_[-0.0012 * y**2, y, z]
        loop[-1] = loop[0]
        model.sweep(loop, thick, image, thick * 1.1, segments=8, up=(1, 0, 0), closed=True, hull=False)
        pane = np.c_[y, z][:-1] if side > 0 else np.c_[y, z][:-1][::-1]
        spin = rotation("z", 90) @ rotation("x", 90)
        at = (-0.0012 * center**2, 0, 0)
        model.prism(pane, -0.6, 0.6, glass, at=at, turn=spin, hull=False)
        x = (-0.0012 * (center + lens) ** 2, -0.0012 * (center - lens) ** 2)
        model.hull(
            [
                (q + d, side * (center + k * lens), e * tall)
                for q, k in zip(x, (1, -1), strict=True)
                for d in (-thick, thick)
                for e in (-1, 1)
            ]
        )
    bridge = np.array(
        [(0, -(center - lens) - thick, 0.15 * tall), (1, 0, 0.5 * tall), (0, center - lens + thick, 0.15 * tall)]
    )
    model.sweep(bridge, thick, image, thick, segments=8, up=(1, 0, 0), pieces=1)
    folded = rng.random() < 0.35
    reach = wide * rng.uniform(0.92, 1.02)
    hinge = np.array([-0.0012 * (wide / 2) ** 2 - 2, wide / 2, 0.4 * tall])
    for n, side in enumerate((-1, 1)):
        t = np.linspace(0, 1, 12)
        drop = -(np.clip(t - 0.74, 0, 1) ** 1.2) * reach * 0.75
        if folded:
            path = np.c_[-4 - 4 * n + 0 * t, -side * t * reach * 0.92, drop * 0.7] + hinge * [1, side, 1]
        else:
            path = np.c_[-t * reach, -side * 6 * t, drop] + hinge * [1, side, 1]
        model.sweep(
            path, thick * 0.8, image, thick * (1 if wire else 1.9) * (1 - 0.2 * t), segments=8, power=3, pieces=2
        )
    words = {"round": "with round lenses", "rectangular": "with rectangular lenses", "drop": "with drop-shaped lenses"}
    features = [words[form], "with dark lenses" if dark else "with clear lenses", "folded" if folded else "unfolded"]
    colors = (word, glass_word) if dark else (word,)
    return model.instance(skin, "wide and thin", features, colors=colors, density=600)


HOURGLASS_GLASS = np.array([196, 210, 212])


@generates("hourglass")
def hourglass(rng: Rng) -> Instance:
    """Hourglasses: two glass bulbs joined by a narrow neck, with colored sand, between two plates with posts."""
    model = ModelBuilder()
    h = rng.uniform(70, 190)
    r, plate = h * rng.uniform(0.17, 0.24), h * rng.uniform(0.05, 0.08)
    material = choice(rng, weighted("wood 3, plastic, metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material) or choice(rng, ("black", "white", *BRIGHT))
    frame = finish(rng, material, word, rgb=WOODS if material == "wood" else STEEL if material == "metal" else ())
    sand_word = choice(rng, weighted("white 2, blue, red, pink, green, yellow, orange, black, turquoise"))
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
    bulb = [(r * 0.55, -inner), (r * 0.9, -inner * 0.86), (r, -inner * 0.6), (r * 0.72, -inner * 0.25)]
    bulb += [(r * 0.12, -inner * 0.02)]
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
    glass = HOURGLASS_GLASS * (0.84 + 0.2 * np.cos(2 * np.pi * (3 * shade + rng.uniform())))[..., None]
    grain = sand * (1 + 0.05 * tx.grid_noise(rng, (96, 48), 40, 20))[..., None]
    image = np.where(filled[..., None], grain, glass)
    image = tx.lerp_color(image, (250, 252, 252), 0.5 * np.exp(-(((shade * 2 % 1 - 0.4) / 0.05) ** 2)))
    model.lathe(np.add(rows, [0, h / 2]), tx.to_uint8(image), 24, 2, turn=turn)
    features = [f"with {sand_word} sand", f"with {'three' if count == 3 else 'four'} posts"]
    features += ["lying" if turn[1, 1] < 0.5 else "standing"]
    colors = tuple(dict.fromkeys((word, sand_word)))
    return model.instance(frame, "cylindrical", features, colors=colors, density=700)


@generates("lighter")
def lighter(rng: Rng) -> Instance:
    """Lighters: slim colored gas lighters with a steel head, red button and wheel, and steel flip lighters."""
    model = ModelBuilder()
    flip = rng.random() < 0.3
    h = rng.uniform(54, 62) if flip else rng.uniform(62, 86)
    wide = h * (0.66 if flip else rng.uniform(0.29, 0.34))
    deep = wide * (0.36 if flip else rng.uniform(0.5, 0.72))
    turn = rotation("y", 90) @ rotation("z", choice(rng, (0, 180))) if rng.random() < 0.6 else rotation("z", 0)
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    if flip:
        brass = rng.random() < 0.3
        word = choice(rng, weighted("grey 2, black, red, blue")) if not brass else "yellow"
        skin = finish(rng, "metal", word, rgb=STEEL if word == "grey" else ((206, 168, 84),) if brass else ())
        cut = h * 0.64
        image = skin.image(wide, h, 80)
        opened = rng.random() < 0.5
        model.box((deep, wide, cut), image, 1.6, at=turn @ [0, 0, cut / 2], turn=turn)
        lid = (deep, wide, h * 0.35)
        if opened:
            swing = rotation("x", -rng.uniform(90, 140))
            hinge = np.array([0, wide / 2, cut])
            at = hinge + swing @ [0, -wide / 2, lid[2] / 2]
            model.box(lid, image, 1.6, at=turn @ at, turn=turn @ swing)
            chimney = (deep * 0.7, wide * 0.5, h * 0.22)
            model.box(
                chimney, steel.image(20, 20, 32), 0.6, at=turn @ [0, -wide * 0.1, cut + chimney[2] / 2], turn=turn
            )
            for n in range(3):
                model.box(
                    (deep * 0.74, 2.4, 2.4),
                    plain((24, 24, 26)),
                    0,
                    at=turn @ [0, wide * (0.11 * n - 0.21), cut + h * 0.13],
                    turn=turn,
                    hull=False,
                )
            wheel = np.array([(0, -2.5), (4.5, -2.5), (4.5, 2.5), (0, 2.5)])
            model.lathe(
                wheel,
                plain((90, 90, 94)),
                12,
                1,
                at=turn @ [0, wide * 0.26, cut + h * 0.15],
                turn=turn @ rotation("y", 90),
            )
        else:
            model.box(lid, image, 1.6, at=turn @ [0, 0, cut + 0.6 + lid[2] / 2], turn=turn)
        features = ["open" if opened else "closed", "with a lid"]
        return model.instance(skin, "rectangular", features, density=2000)
    word = choice(rng, (*BRIGHT, "red", "blue", "yellow", "green", "white", "black"))
    skin = finish(rng, "plastic", word)
    bend = squarish(rng.uniform(2.2, 4), deep / wide)
    body = h * rng.uniform(0.74, 0.8)
    r = wide / 2
    rows = [(r * 0.9, 0), (r, 2), (r, body - 2), (r * 0.96, body)]
    model.lathe(rows, skin, bend=bend, turn=turn, pieces=1)
    model.lathe([(0, 0.2), (r * 0.9, 0)], skin.solid(), bend=bend, turn=turn, hull=False)
    model.lathe([(r * 0.96, body), (0, body)], skin.solid(0.8), bend=bend, turn=turn, hull=False)
    head = h - body
    size = (deep * 0.82, wide * 0.46, head * 0.92)
    model.box(size, steel.image(20, 20, 40), 0.5, at=turn @ [0, -wide * 0.2, body + head * 0.46], turn=turn)
    size = (deep * 0.4, wide * 0.2, 1)
    model.box(size, plain((20, 20, 22)), 0, at=turn @ [0, -wide * 0.2, body + head * 0.93], turn=turn, hull=False)
    turning = head * 0.36
    pose = turn @ rotation("y", 90)
    for x, color in ((-1, (150, 150, 154)), (0, (84, 84, 88)), (1, (150, 150, 154))):
        ring = np.array([(0, -0.5), (1, -0.5), (1, 0.5), (0, 0.5)]) * [turning, deep * 0.22]
        model.lathe(ring, plain(color), 14, 1, at=turn @ [x * deep * 0.22, wide * 0.12, body + head * 0.6], turn=pose)
    button = plain(tint(rng, choice(rng, weighted("red 2, black, white"))))
    model.box(
        (deep * 0.5, wide * 0.32, head * 0.4), button, 0.8, at=turn @ [0, wide * 0.33, body + head * 0.22], turn=turn
    )
    sticker = rng.random() < 0.4
    if sticker:
        paint = plain(tint(rng, choice(rng, ("white", "yellow", "black"))))
        model.lathe(
            [(r * 1.01, body * 0.2), (r * 1.01, body * rng.uniform(0.35, 0.6))], paint, bend=bend, turn=turn, hull=False
        )
    features = ["with a sparking wheel", "with a printed band" if sticker else "", "with a steel head"]
    return model.instance(skin, "rectangular", features, colors=(word, "grey") if word != "grey" else (), density=700)


VASE_PATTERNS = weighted("plain 3, striped, floral 2, marbled, speckled, dotted, two-coloured")
VASE_FORMS = {
    "bulbous": [(0.5, 0), (0.85, 0.14), (1, 0.34), (0.82, 0.55), (0.36, 0.74), (0.3, 0.86), (0.44, 1)],
    "bottle": [(0.62, 0), (0.98, 0.1), (1, 0.3), (0.6, 0.5), (0.26, 0.62), (0.22, 0.85), (0.34, 1)],
    "slim": [(0.7, 0), (0.78, 0.2), (0.95, 0.55), (1, 0.72), (0.76, 0.88), (0.66, 0.94), (0.86, 1)],
    "flared": [(0.8, 0), (0.66, 0.15), (0.52, 0.4), (0.56, 0.65), (0.78, 0.88), (1, 1)],
    "urn": [(0.5, 0), (0.4, 0.06), (0.7, 0.3), (1, 0.62), (0.9, 0.8), (0.55, 0.9), (0.74, 1)],
}


@generates("vase")
def vase(rng: Rng) -> Instance:
    """Vases: tall hollow vessels with bellies, necks and flared rims; glazed, painted or of glass; some with ears."""
    model = ModelBuilder()
    h = rng.uniform(110, 265)
    form = choice(rng, tuple(VASE_FORMS))
    r = h * {"bulbous": 0.34, "bottle": 0.28, "slim": 0.24, "flared": 0.22, "urn": 0.33}[form] * rng.uniform(0.85, 1.15)
    glassy = rng.random() < 0.2
    word = (
        choice(rng, ("blue", "green", "turquoise", "purple", "red", "white"))
        if glassy
        else choice(rng, (*ANY, *weighted("white 2, blue")))
    )
    material, patterns = ("glass", ("plain",)) if glassy else ("ceramic", VASE_PATTERNS)
    skin = finish(rng, material, word, patterns, pitch=(8, 26))
    form_points = np.array(VASE_FORMS[form])
    form_points[:, 0] *= rng.normal(1, 0.05, len(form_points))
    outer = smooth(form_points, 15) * [r, h]
    wall = min(rng.uniform(2.5, 4), 0.4 * float(outer[:, 0].min()))
    inside = skin.solid(0.6) if glassy or rng.random() < 0.5 else skin.painted((232, 228, 218))
    # The wall is cut at the waist, so that its hulls are closed bodies: they follow the belly and the neck.
    model.lathe(outer, skin, pieces=4)
    model.lathe([(0, 0.5), (outer[0, 0], 0)], skin.solid(), hull=False)
    rim = outer[-1]
    model.lathe([(rim[0], h), (rim[0] - wall, h + 0.4), (rim[0] - wall * 1.2, h - 0.02 * h)], skin.solid(), hull=False)
    depth = np.linspace(1, 0.6, 6)
    throat = np.c_[np.interp(depth * h, outer[:, 1], outer[:, 0]) - wall * 1.2, depth * h - 0.015 * h]
    model.lathe([*throat, (0, 0.58 * h)], inside, hull=False)
    handles = form in ("urn", "bulbous", "bottle") and rng.random() < 0.3
    if handles:
        for s in (-1, 1):
            top = 0.88 * h
            low = h * rng.uniform(0.5, 0.62)
            a, b = (float(np.interp(z, outer[:, 1], outer[:, 0])) for z in (top, low))
            loop = [(0, s * (a - 2), top), (0, s * (r * 1.05), top + 0.02 * h), (0, s * r * 1.15, (top + low) / 2)]
            loop += [(0, s * (b - 2), low)]
            model.sweep(smooth(loop, 12), h * 0.022, skin.solid(), up=(1, 0, 0), segments=10, pieces=3)
    features = ["with two handles" if handles else "without handles"]
    features += [{"flared": "with a flared rim", "slim": "slim"}.get(form, ""), "empty"]
    features += ["with a round belly" if form in ("bulbous", "bottle", "urn") else ""]
    return model.instance(skin, "bottle" if form in ("bulbous", "bottle") else "cylindrical", features, density=700)


LEATHERS = ((116, 66, 34), (92, 52, 30), (146, 90, 48), (76, 46, 32), (160, 104, 60))


@generates("wallet")
def wallet(rng: Rng) -> Instance:
    """Wallets: folded leather or cloth purses with stitches, a snap or zip, closed or half open with cards."""
    # Pose: lying, or standing half open like a tent.
    model = ModelBuilder()
    long = rng.uniform(95, 125) if rng.random() < 0.7 else rng.uniform(165, 200)
    wide, thick = rng.uniform(78, 98), rng.uniform(13, 24)
    leather = rng.random() < 0.8
    word = choice(rng, weighted("brown 6, black 5, red, blue, pink, green, grey"))
    if not leather:
        word = choice(rng, (*BRIGHT, "black", "grey"))
    skin = finish(rng, "leather" if leather else "cloth", word, wear=0.7, rgb=LEATHERS if word == "brown" else ())
    image = skin.image(long, wide, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    stitched = rng.random() < 0.7
    if stitched:
        x, y = np.minimum(u, 1 - u) * long, np.minimum(v, 1 - v) * wide
        border = np.abs(np.minimum(x, y) - 4) < 0.7
        dashes = np.where(x < y, (v * wide / 4) % 1, (u * long / 4) % 1) < 0.62
        thread = tint(rng, choice(rng, ("white", "yellow", "black", "brown")))
        image = tx.lerp_color(image, thread, 0.75 * (border & dashes))
    logo = rng.random() < 0.45
    if logo:
        spot = (np.abs(u - 0.78) * long < 7) & (np.abs(v - 0.24) * wide < 4)
        image = tx.lerp_color(image, choice(rng, ((200, 170, 90), (190, 190, 196), (70, 56, 40))), 0.85 * spot)
    cover = tx.to_uint8(image)
    inner = plain(np.clip(skin.tints[0] * 0.7 + 10, 0, 255))
    outline = rounded(long, wide, rng.uniform(3, 10))
    turn = rotation("z", 90)
    tent = rng.random() < 0.25
    closure = choice(rng, weighted("none 2, snap, zip"))
    if tent:
        half = rng.uniform(18, 34)
        leaf = thick * 0.3
        for s in (-1, 1):
            pose = rotation("y", s * (90 - half)) @ turn
            at = np.array([s * np.sin(np.radians(half)) * wide / 2, 0, np.cos(np.radians(half)) * wide / 2])
            flip = pose if s > 0 else pose @ rotation("y", 0)
            model.prism(outline, -leaf / 2, leaf / 2, cover, plain(skin.tints[0] * 0.85), at=at, turn=flip)
        closure = "none"
    else:
        leaf = thick * rng.uniform(0.22, 0.3)
        for z in (0.0, thick - leaf):
            model.prism(outline, z, z + leaf, cover, plain(skin.tints[0] * 0.85), turn=turn, hull=False)
        model.prism(np.add(outline * [0.97, 0.9], [0, wide * 0.03]), leaf, thick - leaf, inner, turn=turn, hull=False)
        model.hull([(*p, z) for p in outline for z in (0, thick)], turn=turn)
        spine = np.array([(x, wide / 2 - thick * 0.25, thick / 2) for x in np.linspace(-long * 0.46, long * 0.46, 3)])
        model.sweep(spine, thick * 0.42, skin.image(30, long, 64), thick / 2, segments=12, turn=turn, hull=False)
        for n in range(int(rng.integers(0, 4))):
            card = plain(tint(rng, choice(rng, (*BRIGHT, "white"))))
            size = (long * 0.7, 10, 0.9)
            model.box(
                size,
                card,
                0,
                at=turn @ [rng.uniform(-3, 3), -wide * 0.47 - rng.uniform(0, 3), leaf + 1.2 + n * 1.6],
                turn=turn,
                hull=False,
            )
    if closure == "snap":
        strap = rounded(long * 0.16, wide * 0.3, 5)
        model.prism(np.add(strap, [0, -wide * 0.37]), thick, thick + 2, plain(skin.tints[0] * 0.9), turn=turn)
        model.prism(
            circle(4.5, 14, (0, -wide * 0.3)), thick + 2, thick + 3, plain((196, 196, 200)), turn=turn, hull=False
        )
    elif closure == "zip":
        edge = np.concatenate([outline, outline[:1]]) * [1.0, 1.0]
        path = np.c_[edge, np.full(len(edge), thick / 2)]
        model.sweep(
            path,
            1.6,
            plain((196, 172, 90) if rng.random() < 0.5 else (176, 178, 182)),
            thick * 0.14,
            segments=6,
            closed=True,
            turn=turn,
            hull=False,
        )
        extent = (12, 4, 1.6)
        model.box(
            extent, plain((190, 190, 194)), 0, at=turn @ [long * 0.3, -wide * 0.52, thick / 2], turn=turn, hull=False
        )
    words = {"snap": "with a snap fastener", "zip": "with a zipper"}
    features = ["half open" if tent else "closed", words.get(closure, ""), "with stitches" if stitched else ""]
    return model.instance(skin, "flat rectangular", features, density=600)
