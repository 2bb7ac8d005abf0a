"""Toys and games."""

import numpy as np

from pickclutter_lang.kinds.finishes import (
    ANY,
    BRIGHT,
    STEEL,
    TOYS,
    WOODS,
    Finish,
    Rng,
    choice,
    finish,
    tint,
    weighted,
)
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth, star
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation


@generates("chess pawn")
def chess_pawn(rng: Rng) -> Instance:
    """Chess pawns: turned pieces with a round head, a collar and a wide foot; of wood, plastic, stone or metal."""
    model = ModelBuilder()
    h = rng.uniform(32, 75) if rng.random() < 0.85 else rng.uniform(75, 140)
    r = h * rng.uniform(0.24, 0.32)
    material = choice(rng, weighted("wood 3, plastic 2, stone"))
    words = {"wood": weighted("brown 2, black"), "stone": ("white", "black")}
    word = choice(rng, words.get(material, weighted("white 2, black 2, red, grey")))
    skin = finish(rng, material, word, rgb=WOODS if word == "brown" else ())
    head, collar = r * rng.uniform(0.6, 0.74), r * rng.uniform(0.62, 0.78)
    waist = r * rng.uniform(0.28, 0.4)
    steps = rng.uniform(0.1, 0.16)
    # From the foot: a plinth, one or two rings, a curved stem, a collar, and the head.
    foot = [(r, 0), (r, steps * 0.55), (r * 0.88, steps * 0.7), (r * 0.92, steps), (r * 0.8, steps * 1.3)]
    stem = smooth([(r * 0.7, steps * 1.45), (r * 0.44, 0.32), (waist, 0.48), (waist * 1.1, 0.58)], 8)
    ring = [(collar, 0.6), (collar, 0.63), (waist * 1.25, 0.66)]
    angle = np.linspace(-1.1, np.pi / 2, 9)
    ball = np.c_[head * np.cos(angle), 1 - head / h + head / h * np.sin(angle)]
    rows = np.r_[foot, stem, ring, ball]
    rows = rows[np.r_[True, np.diff(np.maximum.accumulate(rows[:, 1])) >= 0]]
    rows[:, 1] = np.maximum.accumulate(rows[:, 1]) * h
    model.lathe(rows, skin, pieces=4)
    model.lathe([(0, 0.2), (r, 0)], skin.solid(), hull=False)
    felt = rng.random() < 0.5
    if felt:
        color = choice(rng, ((34, 90, 50), (130, 30, 40), (40, 60, 120)))
        model.lathe([(0, -0.8), (r * 0.94, -0.8), (r * 0.94, 0.1)], plain(color), hull=False)
    return model.instance(skin, "conical", ["with felt underneath" if felt else "", "with a round head"])


DICE_COLORS = (*weighted("white 6"), *BRIGHT, "red", "black")
_TWO = ((-1, -1), (1, 1))
_FOUR = ((-1, -1), (1, 1), (-1, 1), (1, -1))
DOTS: tuple[tuple[tuple[int, int], ...], ...] = (
    *((), ((0, 0),), _TWO),
    *((*_TWO, (0, 0)), _FOUR, (*_FOUR, (0, 0)), (*_FOUR, (-1, 0), (1, 0))),
)
"""Places of the dots for 0 to 6, from -1 to 1."""


def _dice_side(count: int, skin: Finish, ink: Floats, radius: float, size: float, big_one: bool) -> TextureImage:
    u, v = tx.uv_grid(64, 64)
    mask = np.zeros((64, 64))
    grow = 1.7 if big_one and count == 1 else 1.0
    for x, y in DOTS[count]:
        distance = np.hypot(u - 0.5 - 0.25 * x, v - 0.5 - 0.25 * y) / (radius * grow)
        mask = np.maximum(mask, 1 - tx.smoothstep(distance, 0.88, 1.1))
    return tx.to_uint8(tx.lerp_color(skin.image(size, size, 64), ink, mask))


@generates("dice")
def dice(rng: Rng) -> Instance:
    """Dice: cubes with 1 to 6 pips, opposite sides summing to 7; sharp or round corners, plain, marbled or of wood."""
    model = ModelBuilder()
    size = rng.uniform(13, 26) if rng.random() < 0.8 else rng.uniform(26, 55)
    wooden = rng.random() < 0.12
    patterns = weighted("plain 4, marbled, speckled")
    skin = (
        finish(rng, "wood", "brown", rgb=WOODS)
        if wooden
        else finish(rng, "plastic", DICE_COLORS, patterns, pitch=(0.25 * size, 0.4 * size))
    )
    light = float(skin.tints[0] @ [0.3, 0.59, 0.11]) > 130
    word = choice(rng, weighted("black 3, red, blue") if light else weighted("white 3, yellow"))
    word = word if word not in skin.colors else "black" if light else "white"
    ink = tint(rng, word)
    radius = rng.uniform(0.08, 0.12)
    big = rng.random() < 0.25
    order = ("top", "front", "right", "left", "back", "bottom")
    sides = {name: _dice_side(n + 1, skin, ink, radius, size, big) for n, name in enumerate(order)}
    edge = choice(rng, (0.04, 0.12, 0.2, 0.3)) * rng.uniform(0.8, 1.1)
    turn = rotation("z", 90 * rng.integers(4)) @ rotation(choice(rng, ("x", "y")), 90 * rng.integers(4))
    model.box((size, size, size * rng.uniform(0.98, 1.0)), sides, rounding=edge * size, turn=turn)
    features = [f"with {word} dots", "with rounded corners" if edge > 0.1 else "with sharp corners"]
    return model.instance(skin, "cube-shaped", features, colors=(*skin.colors, word), density=1200)


DOMINO_INKS = ("red", "blue", "green", "orange", "purple", "pink")


@generates("domino")
def domino(rng: Rng) -> Instance:
    """Dominoes: flat tiles with two fields of 0 to 6 pips, lying or standing on an edge, of plastic or wood."""
    # Pose: its pips up or to +x.
    model = ModelBuilder()
    width = rng.uniform(19, 30)
    length, thick = width * rng.uniform(1.9, 2.1), width * rng.uniform(0.28, 0.42)
    wooden = rng.random() < 0.3
    word = "brown" if wooden else choice(rng, weighted("white 6, black 4") + BRIGHT)
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if wooden else ())
    light = float(skin.tints[0] @ [0.3, 0.59, 0.11]) > 105
    ink_word = (
        choice(rng, weighted("black 5") + (DOMINO_INKS if word in ("white", "brown") else ())) if light else "white"
    )
    ink_word = ink_word if ink_word != word else "black"
    ink = tint(rng, ink_word)
    image = skin.image(width, length, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    counts = rng.integers(0, 7, 2)
    radius = rng.uniform(0.065, 0.1)
    mask = (1 - tx.smoothstep(np.abs(v - 0.5), 0.008, 0.014)) * (np.abs(u - 0.5) < 0.42)
    for count, middle in zip(counts, (0.75, 0.25), strict=True):
        for x, y in DOTS[count]:
            distance = np.hypot(u - 0.5 - 0.27 * x, 2 * (v - middle) - 0.27 * y)
            mask = np.maximum(mask, 1 - tx.smoothstep(distance, 0.85 * radius, 1.15 * radius))
    face = tx.to_uint8(tx.lerp_color(image, ink, mask))
    back = skin.image(width, length, 96)
    sides = {"top": face, "bottom": back} | {n: skin.solid().image(length, thick, 64) for n in ("left", "right")}
    sides |= {n: skin.solid().image(width, thick, 48) for n in ("front", "back")}
    turn = rotation("z", choice(rng, (0, 90)))
    standing = rng.random() < 0.35
    if standing:
        turn = rotation("x", choice(rng, (0, 90))) @ rotation("y", 90) @ rotation("z", 90)
    model.box((width, length, thick), sides, thick * rng.uniform(0.05, 0.25), turn=turn)
    features = ["with dots" if counts.sum() else "without dots", "standing" if standing else "lying"]
    colors = (word, ink_word) if counts.sum() else (word,)
    return model.instance(skin, "flat rectangular", features, colors=colors, density=1100)


@generates("rubber duck")
def rubber_duck(rng: Rng) -> Instance:
    """Rubber ducks: yellow bath ducks with orange bills and black eyes; other colors, hats, sunglasses."""
    model = ModelBuilder()
    length = rng.uniform(50, 130)
    wide, high, head = (
        length * rng.uniform(0.74, 0.9),
        length * rng.uniform(0.5, 0.62),
        length * rng.uniform(0.46, 0.58),
    )
    word = choice(rng, weighted("yellow 12") + BRIGHT + ("white", "black"))
    skin = finish(rng, "rubber", word)
    flat = -0.75 * high / 2
    tail = rng.uniform(0.25, 0.5)

    def swim(points: Floats) -> Floats:
        """Raise the tail to a point, and flatten the belly."""
        back = np.clip(-points[:, :1] / (length / 2), 0, 1) ** 2
        moved = points * np.c_[np.ones(len(points)), 1 - 0.75 * back[:, 0], 1 - 0.5 * back[:, 0]]
        moved[:, 2] = np.maximum(moved[:, 2] + back[:, 0] * tail * high, flat)
        return np.asarray(moved)

    skin_image = skin.image(length, length, 64)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    body = np.c_[np.cos(angle), np.sin(angle)] * length / 2
    scale = np.array([1, wide / length, high / length])
    model.lathe(body, skin_image, bend=lambda p: swim(p * scale), at=(0, 0, -flat), pieces=1)
    x = length * rng.uniform(0.14, 0.24)
    z = -flat + high * 0.36 + head * 0.42
    model.ball((head, head * 0.98, head * rng.uniform(0.9, 1.0)), skin_image, rows=13, segments=20, at=(x, 0, z))
    for s in (-1, 1):
        wing = (length * 0.42, length * 0.12, high * 0.5)
        turn = rotation("y", 18)
        model.ball(
            wing, skin_image, rows=9, segments=14, at=(-0.08 * length, s * wide * 0.44, -flat + high * 0.1), turn=turn
        )
        eye = head * rng.uniform(0.13, 0.15)
        at = np.array([0.4 * head, s * 0.2 * head, 0.16 * head])
        extent = (eye, eye * 1.1, eye * 1.6)
        model.ball(extent, plain((240, 240, 238)), rows=7, segments=10, at=np.add(at, [x, 0, z]), hull=False)
        pupil = np.array([eye * 0.35, s * eye * 0.05, 0])
        extent = (eye * 0.6, eye * 0.7, eye)
        model.ball(extent, plain((20, 20, 24)), rows=7, segments=10, at=np.add(at + pupil, [x, 0, z]), hull=False)
    bill_word = choice(rng, weighted("orange 3, red") if word not in ("orange", "red") else ("yellow",))
    bill = plain(tint(rng, bill_word))
    size = head * rng.uniform(0.42, 0.55)
    for n, lift in ((1.0, 14), (0.8, -12)):
        model.ball(
            (size * n, size * 0.95 * n, size * 0.26),
            bill,
            rows=9,
            segments=14,
            at=(x + head * 0.52, 0, z - 0.1 * head + (n - 0.9) * size * 0.5),
            turn=rotation("y", -lift),
            hull=n == 1.0,
        )
    extra = choice(rng, weighted("none 6, hat, sunglasses, bow"))
    other = choice(rng, [c for c in (*BRIGHT, "black") if c != word])
    if extra == "hat":
        brim = np.array([(0, -1), (1.5, -1), (1.5, 0), (0.9, 0), (0.85, 4), (0, 4)]) * [head * 0.27, head * 0.1]
        model.lathe(brim, plain(tint(rng, other)), 18, 2, at=(x, 0, z + head * 0.46))
    elif extra == "sunglasses":
        extent = (head * 0.12, head * 0.84, head * 0.1)
        model.box(extent, plain((20, 20, 22)), 0.4, at=(x + head * 0.44, 0, z + 0.22 * head), hull=False)
        for s in (-1, 1):
            model.ball(
                (head * 0.14, head * 0.36, head * 0.28),
                plain((20, 20, 22)),
                rows=7,
                segments=12,
                at=(x + head * 0.46, s * 0.2 * head, z + 0.16 * head),
                hull=False,
            )
    elif extra == "bow":
        for s in (-1, 1):
            model.ball(
                (head * 0.14, head * 0.36, head * 0.26),
                plain(tint(rng, other)),
                rows=7,
                segments=12,
                at=(x + head * 0.34, s * 0.18 * head, z - 0.46 * head),
                turn=rotation("x", 15 * s),
                hull=False,
            )
    face = [(0.5, -0.3, -0.16), (0.5, 0.3, -0.16), (0.48, -0.3, 0.32), (0.48, 0.3, 0.32), (0.3, -0.44, 0.2)]
    model.hull(np.array([(0, 0, -0.3), (0, 0, 0.4), *face]) * head, at=(x, 0, z))
    features = [f"with {'an' if bill_word == 'orange' else 'a'} {bill_word} bill"]
    features += [{"hat": "with a hat", "sunglasses": "with sunglasses", "bow": "with a bow tie"}.get(extra, "")]
    return model.instance(skin, "duck-shaped", features, colors=(word, bill_word), density=250)


SIDES = ("top", "bottom", "front", "back", "right", "left")
RUBIKS_CUBE_WORDS = ("white", "yellow", "green", "blue", "red", "orange")


def _rubiks_cube_side(colors: Floats, body: Floats, gap: float, corner: float) -> TextureImage:
    """Paint stickers of colors [rows, cols, 3] with round corners on a body."""
    rows, cols = colors.shape[:2]
    u, v = tx.uv_grid(22 * rows, 22 * cols)
    x, y = np.abs((u * cols) % 1 - 0.5), np.abs((v * rows) % 1 - 0.5)
    half = 0.5 - gap - corner
    outside = np.hypot(np.maximum(x - half, 0), np.maximum(y - half, 0)) - corner
    stickers = np.repeat(np.repeat(colors, 22, axis=0), 22, axis=1)
    return tx.to_uint8(tx.lerp_color(stickers, body, tx.smoothstep(outside, -0.03, 0.03)))


@generates("rubik's cube")
def rubiks_cube(rng: Rng) -> Instance:
    """Rubik's cubes of 2 to 4 pieces a side, with stickers or of colored plastic, solved, mixed or half turned."""
    model = ModelBuilder()
    size = rng.uniform(46, 66)
    n = choice(rng, (3, 3, 3, 3, 3, 3, 2, 4))
    tones = np.array([tint(rng, word, 0.7) for word in RUBIKS_CUBE_WORDS])
    solved = rng.random() < 0.25
    cells = np.repeat(rng.permutation(6), n * n)
    if not solved:
        cells = rng.permutation(cells)
    cells = cells.reshape(6, n, n)
    stickerless = rng.random() < 0.25
    word = "black" if stickerless else choice(rng, weighted("black 3, white"))
    body = tint(rng, word)
    gap, corner = (0.012, rng.uniform(0.02, 0.1)) if stickerless else (rng.uniform(0.065, 0.1), rng.uniform(0.02, 0.14))
    # Rows of a side's image run from the top down; a turned layer takes the uppermost row of the four walls.
    faces = {name: tones[cells[k]] for k, name in enumerate(SIDES)}
    turned = rng.random() < 0.3
    cut = size / n if turned else 0.0
    low = {
        name: _rubiks_cube_side(f if name in ("top", "bottom") or not turned else f[1:], body, gap, corner)
        for name, f in faces.items()
    }
    edge = 0.03 * size
    if turned:
        upper = {
            name: _rubiks_cube_side(f[:1], body, gap, corner)
            for name, f in faces.items()
            if name not in ("top", "bottom")
        }
        upper |= {"top": low["top"], "bottom": plain(body)}
        low["top"] = plain(body)
        angle = choice(rng, (-1, 1)) * rng.uniform(12, 45)
        model.box((size, size, cut), upper, edge, at=(0, 0, size - cut / 2), turn=rotation("z", angle))
    model.box((size, size, size - cut), low, edge, at=(0, 0, (size - cut) / 2))
    colors = RUBIKS_CUBE_WORDS if stickerless else (word, *(w for w in RUBIKS_CUBE_WORDS if w != word))
    features = ["solved" if solved else "scrambled", "with a turned layer" if turned else ""]
    features += [f"with {n} squares a side"]
    return model.instance(
        finish(rng, "plastic", word), "cube-shaped", features, colors=colors, pattern="checkered", density=450
    )


@generates("spinning top")
def spinning_top(rng: Rng) -> Instance:
    """Spinning tops: bodies like a turnip or a disc on a point, with a stem; wood, tin or plastic, with rings."""
    model = ModelBuilder()
    r = rng.uniform(18, 48)
    form = choice(rng, weighted("turnip 2, disc, humming"))
    material = choice(rng, weighted("wood 2, plastic, metal"))
    natural = material == "wood" and rng.random() < 0.4
    word = "brown" if natural else choice(rng, ANY)
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    stem = r * rng.uniform(0.5, 1.1)
    body = {
        "turnip": [(0.02, 0), (0.1, 0.1), (0.5, 0.45), (0.92, 0.85), (1, 1.1), (0.86, 1.3), (0.3, 1.42), (0.14, 1.45)],
        "disc": [(0.02, 0), (0.08, 0.3), (0.2, 0.5), (0.95, 0.52), (1, 0.6), (0.95, 0.7), (0.3, 0.76), (0.13, 0.8)],
        "humming": [
            (0.03, 0),
            (0.1, 0.15),
            (0.55, 0.3),
            (0.92, 0.6),
            (1, 0.8),
            (0.86, 1.08),
            (0.45, 1.35),
            (0.12, 1.45),
        ],
    }[form]
    rows = smooth(body, 20) * [r, r * rng.uniform(0.85, 1.1)]
    z = float(rows[-1, 1])
    knob = rng.random() < 0.6
    thick = 0.11 * r
    image = skin.image(2 * np.pi * r, 3 * r).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    style = choice(rng, weighted("rings 3, sectors, plain"))
    others = [choice(rng, [c for c in (*BRIGHT, "white") if c != word]) for _ in range(2)]
    if style == "rings":
        for n in range(int(rng.integers(1, 5))):
            at, wide = rng.uniform(0.3, 0.9), rng.uniform(0.01, 0.05)
            image = tx.lerp_color(
                image, tint(rng, others[n % 2]), 1 - tx.smoothstep(np.abs(v - at), wide, wide + 0.012)
            )
    elif style == "sectors":
        count = int(rng.integers(3, 7))
        image = np.where((((u * 2 * count).astype(int) % 2 == 1) & (v > 0.25))[..., None], tint(rng, others[0]), image)
    tilt = rotation("x", choice(rng, (0, 48, 48)))
    model.lathe(rows, tx.to_uint8(image), turn=tilt, pieces=3)
    top = [(thick, z - 2), (thick, z + stem)]
    top += (
        [(thick * 2.2, z + stem), (thick * 2.4, z + stem + 2 * thick), (0, z + stem + 3.4 * thick)]
        if knob
        else [(0, z + stem)]
    )
    model.lathe(top, skin.solid(0.92), 12, 2, turn=tilt)
    features = ["with a knob" if knob else "without a knob", {"rings": "with painted rings"}.get(style, "")]
    colors = (word, *others[: 1 if style == "sectors" else 0])
    pattern = "striped" if style != "plain" else "plain"
    return model.instance(skin, "conical", features, colors=colors, pattern=pattern, density=600)


RAINBOW = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")


@generates("stacking rings")
def stacking_rings(rng: Rng) -> Instance:
    """Stacking rings: a cone of rings of different colors on a base with a peg, topped by a ball. Pose: standing."""
    model = ModelBuilder()
    count = int(rng.integers(4, 8))
    r = rng.uniform(38, 62)
    material = choice(rng, weighted("plastic 2, wood"))
    order = list(RAINBOW[:count]) if rng.random() < 0.6 else [BRIGHT[i] for i in rng.permutation(8)[:count]]
    order = order[::-1] if rng.random() < 0.5 else order
    thick = r * rng.uniform(0.26, 0.4)
    base_word = choice(rng, ("white", "yellow", "blue", "red"))
    base = finish(rng, material, base_word)
    low = r * 0.2
    foot = [(0, 0), (r * 1.02, 0), (r * 1.05, low * 0.4), (r * 0.95, low), (0, low)]
    model.lathe(foot, base, pieces=1)
    z = low
    shrink = rng.uniform(0.45, 0.7)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 8)
    square = rng.random() < 0.25
    for n, word in enumerate(order):
        outer = r * (1 - (1 - shrink) * n / max(count - 1, 1))
        bulge = np.abs(np.cos(angle)) ** (0.35 if square else 1) * thick / 2
        profile = np.c_[outer - thick / 2 + bulge, z + thick / 2 + np.sin(angle) * thick / 2]
        rows = np.r_[[(r * 0.15, z)], profile, [(r * 0.15, z + thick)]]
        model.lathe(rows, finish(rng, material, word), pieces=1)
        z += thick
    peg = r * 0.14
    top = choice(rng, weighted("ball 2, peg"))
    model.lathe([(peg, z - 2), (peg, z + peg * 1.5), (0, z + peg * 2)], base, 12, 1)
    if top == "ball":
        d = r * rng.uniform(0.45, 0.65)
        model.ball((d, d, d), plain(tint(rng, choice(rng, BRIGHT))), rows=11, segments=18, at=(0, 0, z + d / 2))
    features = ["with a ball on top" if top == "ball" else "with a peg on top"]
    features += [f"with {['four', 'five', 'six', 'seven'][count - 4]} rings"]
    colors = (order[0], *order[1:])
    return model.instance(
        finish(rng, material, order[0]), "conical", features, colors=colors, pattern="striped", density=350
    )


FURS = ((150, 98, 54), (120, 76, 42), (176, 126, 72), (92, 58, 36), (196, 152, 100))


def _plush(rng: Rng, color: Floats) -> TextureImage:
    noise = 0.09 * tx.grid_noise(rng, (64, 96), 30, 45) + 0.05 * tx.grid_noise(rng, (64, 96), 6, 9)
    return tx.to_uint8(color * (1 + noise)[..., None])


@generates("teddy bear")
def teddy_bear(rng: Rng) -> Instance:
    """Teddy bears: sitting plush bears with round ears, a muzzle, paws, some with a bow or a shirt."""
    model = ModelBuilder()
    h = rng.uniform(90, 230)
    word = choice(rng, weighted("brown 7, white 2, pink, blue, grey, black"))
    color = np.array(choice(rng, FURS)) * rng.normal(1, 0.07) if word == "brown" else tint(rng, word)
    fur = _plush(rng, color)
    pale = _plush(rng, np.clip(color * 0.55 + np.array([232, 208, 170]) * 0.5, 0, 250))
    body, head = h * rng.uniform(0.42, 0.5), h * rng.uniform(0.38, 0.44)
    dressed = choice(rng, weighted("none 2, bow 2, shirt"))
    cloth_word = choice(rng, [c for c in ("red", "blue", "green", "yellow", "pink", "white") if c != word])
    cloth = finish(
        rng, "cloth", cloth_word, weighted("plain 2, striped") if dressed == "shirt" else "plain", pitch=(8, 14)
    )
    z = body * 0.52
    torso = cloth.image(body * 3, body, 64) if dressed == "shirt" else fur
    model.ball((body * 0.86, body * rng.uniform(0.86, 1.0), body * 1.08), torso, rows=13, segments=20, at=(0, 0, z))
    if dressed != "shirt" and rng.random() < 0.5:
        model.ball((body * 0.3, body * 0.6, body * 0.76), pale, rows=9, segments=16, at=(body * 0.31, 0, z), hull=False)
    top = z + body * 0.5 + head * 0.34
    model.ball((head * 0.92, head * 1.06, head * 0.94), fur, rows=13, segments=20, at=(0.03 * h, 0, top))
    muzzle = head * rng.uniform(0.4, 0.5)
    size = (muzzle, muzzle * 1.05, muzzle * 0.85)
    model.ball(size, pale, rows=9, segments=16, at=(0.03 * h + head * 0.42, 0, top - 0.12 * head))
    black = plain((26, 22, 22))
    nose = muzzle * 0.34
    size = (nose, nose * 1.4, nose)
    model.ball(
        size, black, rows=7, segments=10, at=(0.03 * h + head * 0.42 + muzzle * 0.46, 0, top - 0.04 * head), hull=False
    )
    for s in (-1, 1):
        eye = head * rng.uniform(0.09, 0.11)
        size = (eye, eye, eye)
        model.ball(
            size, black, rows=7, segments=10, at=(0.03 * h + head * 0.39, s * head * 0.2, top + 0.12 * head), hull=False
        )
        ear = head * rng.uniform(0.32, 0.38)
        at = np.array([0.02 * h, s * head * 0.42, top + head * 0.4])
        model.ball((ear * 0.5, ear, ear), fur, rows=9, segments=14, at=at)
        model.ball(
            (ear * 0.3, ear * 0.6, ear * 0.6), pale, rows=7, segments=12, at=np.add(at, [ear * 0.16, 0, 0]), hull=False
        )
        arm = body * rng.uniform(0.6, 0.7)
        turn = rotation("x", s * rng.uniform(20, 50)) @ rotation("y", rng.uniform(-60, -10))
        at = np.array([body * 0.12, s * body * 0.5, z + body * 0.24]) + turn @ [0, 0, -arm * 0.36]
        sleeve = torso if dressed == "shirt" else fur
        model.ball((arm * 0.42, arm * 0.4, arm), sleeve, rows=9, segments=14, at=at, turn=turn)
        leg = body * rng.uniform(0.62, 0.72)
        spread = rotation("z", s * rng.uniform(10, 30))
        at = spread @ [body * 0.5, 0, leg * 0.22] + [0, s * body * 0.2, 0]
        model.ball((leg, leg * 0.46, leg * 0.44), fur, rows=9, segments=14, at=at, turn=spread)
        sole = at + spread @ [leg * 0.46, 0, leg * 0.06]
        model.ball((leg * 0.26, leg * 0.5, leg * 0.56), fur, rows=9, segments=14, at=sole, turn=spread)
        size = (leg * 0.1, leg * 0.36, leg * 0.42)
        model.ball(size, pale, rows=7, segments=12, at=sole + spread @ [leg * 0.1, 0, 0], turn=spread, hull=False)
    if dressed == "bow":
        paint = plain(tint(rng, cloth_word))
        at = np.array([body * 0.34, 0, z + body * 0.44])
        for s in (-1, 1):
            model.ball(
                (head * 0.12, head * 0.4, head * 0.26),
                paint,
                rows=7,
                segments=12,
                at=np.add(at, [0, s * head * 0.2, 0]),
                turn=rotation("x", 12 * s),
                hull=False,
            )
        model.ball((head * 0.14, head * 0.14, head * 0.14), paint, rows=7, segments=10, at=at, hull=False)
    skin = finish(rng, "cloth", word)
    chest = np.array([(0.1, y, q) for y in (-0.35, 0.35) for q in (-0.16, 0.16)] + [(-0.4, 0, 0)]) * head
    model.hull(chest, at=(body * 0.34, 0, z + body * 0.44))
    features = [{"bow": "with a bow", "shirt": "with a shirt"}.get(dressed, ""), "sitting"]
    colors = (word, cloth_word) if dressed == "shirt" else (word,)
    return model.instance(skin, "bear-shaped", features, colors=colors, density=120)


TOY_BRICK_COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 6: "six", 8: "eight"}


@generates("toy brick")
def toy_brick(rng: Rng) -> Instance:
    """Toy bricks: plastic building bricks and plates with rows of round studs, of many sizes."""
    # Pose: its studs up or to a side.
    model = ModelBuilder()
    word = choice(rng, (*TOYS, "black", "grey", "brown"))
    skin = finish(rng, "plastic", word, wear=0.4)
    columns, rows = choice(rng, ((2, 4), (2, 4), (2, 2), (2, 3), (1, 2), (1, 4), (2, 6), (1, 1), (2, 8), (4, 4)))
    unit = rng.uniform(10, 20) if columns * rows < 12 else rng.uniform(8, 14)
    high = unit * choice(rng, (1.2, 1.2, 1.2, 0.4, 0.7))
    turn = rotation("y", choice(rng, (0, 0, 0, 90))) @ rotation("z", 90 * rng.integers(2))
    size = (columns * unit - 0.2, rows * unit - 0.2, high)
    model.box(size, skin, 0.035 * unit, turn=turn)
    stud, tall = unit * rng.uniform(0.29, 0.32), unit * rng.uniform(0.2, 0.24)
    profile = [(stud, 0), (stud, tall * 0.88), (stud * 0.92, tall), (0, tall)]
    bright = skin.solid(1.06)
    for a in range(columns):
        for b in range(rows):
            at = turn @ [(a - (columns - 1) / 2) * unit, (b - (rows - 1) / 2) * unit, high / 2]
            model.lathe(profile, bright, 14, at=at, turn=turn, hull=False)
    edge = [s / 2 - 0.2 * unit for s in size[:2]]
    model.hull(
        [(sx * edge[0], sy * edge[1], z) for sx in (-1, 1) for sy in (-1, 1) for z in (0, high / 2 + tall)], turn=turn
    )
    features = [f"with {TOY_BRICK_COUNTS.get(columns * rows, 'many')} stud{'s' if columns * rows > 1 else ''}"]
    features += ["flat" if high < unit else ""]
    return model.instance(skin, "rectangular", features, density=400)


@generates("toy drum")
def toy_drum(rng: Rng) -> Instance:
    """Toy drums: low colored cylinders with white skins, rims, zigzag cords or printed sides, some with sticks."""
    model = ModelBuilder()
    r = rng.uniform(40, 95)
    h = r * rng.uniform(0.75, 1.5)
    word = choice(rng, (*weighted("red 2"), *TOYS[:-1]))
    skin = finish(rng, choice(rng, ("metal", "plastic", "wood")), word)
    rim_word = choice(rng, [c for c in ("yellow", "blue", "red", "white", "grey") if c != word])
    rim = tint(rng, rim_word)
    cord = tint(rng, choice(rng, ("white", "yellow")))
    image = skin.image(2 * np.pi * r, h, 192).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    style = choice(rng, weighted("zigzag 3, triangles, stars, plain"))
    count = int(rng.integers(5, 10))
    zig = np.abs((u * count) % 1 - 0.5) * 2
    if style == "zigzag":
        wide = 0.05 * count / 6
        image = tx.lerp_color(image, cord, 1 - tx.smoothstep(np.abs(v - 0.14 - 0.72 * zig), wide, wide + 0.03))
    elif style == "triangles":
        image = np.where((v < 0.1 + 0.8 * zig)[..., None], tint(rng, rim_word), image)
    elif style == "stars":
        x = ((u * count) % 1 - 0.5) * 2 * np.pi * r / count
        y = (v - 0.5) * h
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
        rows = [(r * 0.93, z + 0.5), (r * 1.04, z), (r * 1.04, z + band), (r * 0.95, z + band)]
        rows += [(r * 0.94, z + band - 3)]
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


def _panel(rng: Rng, ground: Floats) -> TextureImage:
    """Paint dials, buttons and a grille."""
    image, draw = tx.canvas((48, 48), [int(c) for c in np.clip(ground, 0, 255)])
    for y in (6, 28):
        for x in (6, 28):
            fill = tuple(int(c) for c in np.clip(tint(rng, choice(rng, (*BRIGHT, "white"))), 0, 255))
            style = rng.integers(3)
            if style == 0:
                draw.ellipse([x, y, x + 14, y + 14], fill=fill, outline=(30, 30, 34))
                draw.line([(x + 7, y + 7), (x + 7 + int(rng.integers(-5, 6)), y + 2)], fill=(30, 30, 34), width=2)
            elif style == 1:
                for k in range(0, 15, 4):
                    draw.rectangle([x, y + k, x + 14, y + k + 1], fill=(30, 30, 34))
            else:
                draw.rectangle([x, y, x + 5, y + 5], fill=fill)
                draw.rectangle([x + 9, y + 8, x + 14, y + 13], fill=(220, 40, 40))
    return np.asarray(image)


@generates("toy robot")
def toy_robot(rng: Rng) -> Instance:
    """Toy robots: boxy figures with a square head, round eyes, antenna, dials, arms and legs."""
    model = ModelBuilder()
    h = rng.uniform(85, 210)
    word = choice(rng, (*weighted("grey 3"), *TOYS, "black"))
    skin = finish(
        rng,
        "metal" if word == "grey" else choice(rng, weighted("plastic 2, metal")),
        word,
        rgb=STEEL if word == "grey" else (),
    )
    other = choice(rng, [c for c in (*TOYS, "grey") if c != word])
    paint = skin.image(60, 60, 64)
    accent = plain(tint(rng, other))
    leg, trunk, head = h * rng.uniform(0.24, 0.32), h * rng.uniform(0.32, 0.38), h * rng.uniform(0.2, 0.26)
    wide, deep = h * rng.uniform(0.3, 0.42), h * rng.uniform(0.18, 0.26)
    for s in (-1, 1):
        y = s * wide * 0.27
        model.box((deep * 0.55, wide * 0.3, leg), paint, 0.06 * leg, at=(0, y, leg / 2 + 0.02 * h))
        foot = (deep * 1.15, wide * 0.4, h * 0.07)
        model.box(foot, accent, 1.0, at=(deep * 0.14, y, foot[2] / 2))
    z = leg + 0.02 * h
    round_body = rng.random() < 0.25
    if round_body:
        profile = np.array([(0.42, 0), (0.5, 0.12), (0.5, 0.88), (0.36, 1), (0, 1)]) * [wide, trunk]
        model.lathe(profile, paint, at=(0, 0, z), pieces=1)
        face = wide * 0.49
    else:
        model.box((deep, wide, trunk), paint, 1.5, at=(0, 0, z + trunk / 2))
        face = deep / 2
    panel = _panel(rng, np.array(choice(rng, ((40, 44, 50), (210, 210, 206), (60, 90, 140)))))
    sides = dict.fromkeys(("left", "front", "back", "top", "bottom"), accent) | {"right": panel}
    model.box((2.4, wide * 0.6, trunk * 0.5), sides, 0, at=(face, 0, z + trunk * 0.56), hull=False)
    swing = rng.uniform(-70, 40, 2)
    for s, angle in zip((-1, 1), swing, strict=True):
        turn = rotation("y", float(angle))
        arm = trunk * rng.uniform(0.85, 1.0)
        shoulder = np.array([0, s * (wide * 0.5 + h * 0.04), z + trunk * 0.82])
        model.box((h * 0.065, h * 0.065, arm), paint, 1, at=shoulder + turn @ [0, 0, -arm * 0.42], turn=turn)
        hand = shoulder + turn @ [0, 0, -arm * 0.95]
        model.ball((h * 0.09, h * 0.08, h * 0.09), accent, rows=7, segments=12, at=hand)
    z += trunk + h * 0.02
    model.box((deep * 0.4, wide * 0.3, h * 0.06), plain((50, 50, 54)), 0, at=(0, 0, z - 0.01 * h), hull=False)
    broad = wide * rng.uniform(0.6, 0.85)
    model.box((deep * 0.9, broad, head), paint if rng.random() < 0.6 else accent, 1.5, at=(0, 0, z + head / 2))
    glow = plain(tint(rng, choice(rng, ("yellow", "red", "white", "turquoise"))))
    eye = head * rng.uniform(0.2, 0.3)
    for s in (-1, 1):
        size = (eye * 0.6, eye, eye)
        model.ball(size, glow, rows=7, segments=12, at=(deep * 0.45, s * broad * 0.22, z + head * 0.64), hull=False)
        model.ball(
            (eye * 0.3, eye * 0.4, eye * 0.4),
            plain((20, 20, 24)),
            rows=7,
            segments=10,
            at=(deep * 0.45 + eye * 0.24, s * broad * 0.22, z + head * 0.64),
            hull=False,
        )
        model.box(
            (h * 0.04, h * 0.04, h * 0.06), accent, 0.4, at=(0, s * (broad / 2 + h * 0.012), z + head * 0.5), hull=False
        )
    for n in range(5):
        size = (1.6, broad * 0.07, head * 0.16)
        model.box(size, plain((34, 34, 38)), 0, at=(deep * 0.45, broad * 0.11 * (n - 2), z + head * 0.24), hull=False)
    antenna = rng.random() < 0.75
    if antenna:
        reach = h * rng.uniform(0.06, 0.1)
        model.lathe([(h * 0.012, 0), (h * 0.008, reach), (0, reach)], plain((90, 90, 94)), 8, 1, at=(0, 0, z + head))
        model.ball((h * 0.045,) * 3, accent, rows=7, segments=10, at=(0, 0, z + head + reach), hull=False)
    features = ["with an antenna" if antenna else "without an antenna", "with buttons", "with two arms"]
    return model.instance(skin, "robot-shaped", features, colors=(word, other), density=400)


PAINTS = ["red", "blue", "green", "yellow", "orange"]


def _end(rng: Rng, color: Floats, width: float, height: float) -> TextureImage:
    """Paint year rings around a heart that may lie outside."""
    u, v = tx.uv_grid(64, 64)
    x, y = u * width - rng.uniform(-0.5, 1.5) * width, v * height - rng.uniform(-0.8, 0.3) * height
    rings = np.hypot(x, y) / rng.uniform(3.5, 8) + 0.15 * tx.grid_noise(rng, (64, 64), 4, 4)
    crack = tx.smoothstep(tx.grid_noise(rng, (64, 64), 2, 22), 1.8, 2.4)
    return tx.to_uint8(color * (1.02 - 0.22 * (rings % 1) ** 2 - 0.25 * crack)[..., None])


@generates("wood block")
def wood_block(rng: Rng) -> Instance:
    """Wood blocks: cuboids of natural, stained or painted wood with year rings on their ends."""
    model = ModelBuilder()
    painted = rng.random() < 0.12
    skin = finish(rng, "wood", PAINTS if painted else "brown", rgb=() if painted else WOODS, wear=0.7)
    length = rng.uniform(80, 220)
    form = choice(rng, weighted("post 2, brick, cube, plank"))
    across = {"post": (0.35, 0.35), "brick": (0.5, 0.27), "cube": (0.9, 0.9), "plank": (0.3, 0.14)}[form]
    length *= 0.5 if form == "cube" else 1.0
    a, b = (length * f * rng.uniform(0.85, 1.1) for f in across)
    end, other = (_end(rng, skin.tints[0] * (1 if painted else 0.88), a, b) for _ in range(2))
    rounding = choice(rng, (0.5, 1.5, 4.0))
    if form in ("post", "cube") and rng.random() < 0.5:
        sides = {"top": end, "bottom": other} | {s: skin.image(a, length) for s in ("left", "right", "front", "back")}
        model.box((a, b, length), sides, rounding)
    else:
        side = np.rot90(skin.image(b, length))
        top = np.rot90(skin.image(a, length), 2)
        # Sides run along y: their grain is horizontal, that of top and bottom upright.
        size = (a, length, b)
        model.box(size, {"right": side, "left": side, "front": end, "back": other, "top": top, "bottom": top}, rounding)
    features = ["painted" if painted else "unpainted", "with rounded edges" if rounding > 3 else ""]
    return model.instance(skin, "cube-shaped" if form == "cube" else "rectangular", features)


@generates("yo-yo")
def yo_yo(rng: Rng) -> Instance:
    """Yo-yos: two discs joined by an axle, with string in the gap between them and some of it loose."""
    model = ModelBuilder()
    r = rng.uniform(24, 32)
    material = choice(rng, weighted("plastic 3, wood, metal"))
    natural = material == "wood" and rng.random() < 0.5
    word = "brown" if natural else choice(rng, ANY)
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    half = r * rng.uniform(0.4, 0.55)
    gap = rng.uniform(1.5, 4.5)
    flat = rng.uniform(0.45, 0.9)
    disc = np.array([(0.45, 0), (0.92, 0.06), (1, 0.2), (0.98, 0.5), (flat, 0.96), (flat * 0.8, 1), (0, 1)])
    turn = rotation("y", choice(rng, (0, 90, 90))) @ rotation("x", rng.uniform(0, 360))
    if rng.random() < 0.4:
        turn = np.eye(3)
    ink = choice(rng, [c for c in (*BRIGHT, "white", "black") if c != word])
    emblem = choice(rng, ("disc", "star", "none", "ring"))
    for side in (0, 180):
        pose = turn @ rotation("x", side)
        model.lathe(disc * [r, half] + [0, gap / 2], skin, turn=pose, pieces=1)
        z = half + gap / 2
        if emblem == "star":
            outline = star(5, 0.62 * flat * r, 0.28 * flat * r)
            model.prism(outline, z - 0.2, z + 0.5, plain(tint(rng, ink)), turn=pose, hull=False)
        elif emblem == "disc":
            model.prism(circle(0.65 * flat * r, 24), z - 0.2, z + 0.5, plain(tint(rng, ink)), turn=pose, hull=False)
        elif emblem == "ring":
            rows = np.array([(0.8, 0), (0.8, 0.6), (0.55, 0.6), (0.55, 0)]) * [flat * r, 1] + [0, z - 0.1]
            model.lathe(rows, plain(tint(rng, ink)), turn=pose, hull=False)
    string = plain(tint(rng, choice(rng, weighted("white 2, yellow, black"))))
    wound = r * rng.uniform(0.5, 0.8)
    model.lathe([(wound, -gap / 2 - 1), (wound, gap / 2 + 1)], string, 20, 1, turn=turn)
    loose = rng.random() < 0.5
    if loose:
        a = np.linspace(0, rng.uniform(1.5, 4), 22)
        path = np.c_[(wound + r * a * 0.33) * np.cos(a), (wound + r * a * 0.33) * np.sin(a), 0.2 * gap * np.sin(3 * a)]
        model.sweep(path, 0.9, string, segments=6, turn=turn, pieces=5)
    features = ["with a loose string" if loose else "with a wound string", "with a star" if emblem == "star" else ""]
    colors = (word,) if emblem == "none" else (word, ink)
    return model.instance(skin, "round", features, colors=colors, density=700)
