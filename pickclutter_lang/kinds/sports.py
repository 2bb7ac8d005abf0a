"""Balls and other sports gear."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np

from pickclutter_lang.kinds.finishes import BRIGHT, STEEL, WOODS, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth, star
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation, sphere


def random_turn(rng: Rng) -> Floats:
    """Return a random rotation matrix."""
    matrix, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return np.asarray(matrix * np.sign(np.linalg.det(matrix)))


def add_ball(model: ModelBuilder, rng: Rng, diameter: float, image: TextureImage) -> None:
    """Add a sphere in a random pose, with an image of the texels of `directions`."""
    turn = random_turn(rng)
    size = (diameter, diameter, diameter)
    model.ball(size, image, rows=19, segments=32, turn=turn, hull=False)
    model.hull(np.unique(np.round(sphere(0.5 * diameter, 11, 16).points, 6), axis=0), turn=turn)


@lru_cache(maxsize=4)
def directions(rows: int = 96) -> Floats:
    """Return the unit vectors [rows, 2 rows, 3] of the texels of a ball."""
    return tx.sphere_directions(rows, 2 * rows)


def seam(curve: Floats, width: float) -> Floats:
    """Return a mask [96, 192] that is 1 on the seam along unit vectors [N, 3], `width` radians wide."""
    nearest = (directions().astype(np.float32) @ curve.T.astype(np.float32)).max(axis=-1)
    distance = np.arccos(np.clip(nearest, -1, 1))
    return 1 - tx.smoothstep(distance.astype(float), 0.4 * width, 0.6 * width)


def tennis_curve(bulge: float, count: int = 160) -> Floats:
    """Return the one closed, twice bent seam of tennis balls and baseballs, as unit vectors."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    x = bulge * np.cos(t) + (1 - bulge) * np.cos(3 * t)
    y = bulge * np.sin(t) - (1 - bulge) * np.sin(3 * t)
    curve = np.c_[x, y, 2 * np.sqrt(bulge * (1 - bulge)) * np.sin(2 * t)]
    return np.asarray(curve / np.linalg.norm(curve, axis=1, keepdims=True))


@lru_cache(maxsize=1)
def soccer_panels() -> tuple[Floats, Floats]:
    """Return the panel of each texel (0 to 11: pentagons, 12 to 31: hexagons) and its distance from the seams."""
    g = (1 + 5**0.5) / 2
    pent = np.array([np.roll((0, s, t * g), n) for n in range(3) for s in (-1, 1) for t in (-1, 1)])
    pent /= np.linalg.norm(pent, axis=1, keepdims=True)
    near = pent @ pent.T > 0.3
    triples = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    hexa = np.array([pent[list(t)].sum(axis=0) for t in triples])
    hexa /= np.linalg.norm(hexa, axis=1, keepdims=True)
    # Distances of the faces of a truncated icosahedron from its center, for edges of 1.
    score = directions() @ np.concatenate([pent / 2.327, hexa / 2.267]).T
    ranked = np.partition(score, -2, axis=-1)
    return score.argmax(axis=-1).astype(float), np.asarray(ranked[..., -1] - ranked[..., -2])


AMERICAN_FOOTBALL_WORDS = weighted("brown 5, red, blue, green, orange, black, yellow")


@generates("american football")
def american_football(rng: Rng) -> Instance:
    """American footballs: pointed brown leather or colored foam balls with white laces and stripes."""
    # Pose: lying along y, its laces up or to a side.
    model = ModelBuilder()
    word = choice(rng, AMERICAN_FOOTBALL_WORDS)
    length = rng.uniform(120, 285)
    r = length * rng.uniform(0.27, 0.32)
    leather = word == "brown"
    base = np.array([128, 66, 36]) * rng.uniform(0.75, 1.2) if leather else tint(rng, word)
    u, v = tx.uv_grid(128, 112)
    color = (
        base * (1 + 0.07 * tx.grid_noise(rng, u.shape, 42, 56) + 0.04 * tx.grid_noise(rng, u.shape, 4, 6))[..., None]
    )
    seams = 1 - tx.smoothstep(np.abs((u * 4 + 0.5) % 1 - 0.5), 0.01, 0.03)
    color = color * (1 - 0.55 * seams)[..., None]
    stripes = rng.random() < 0.6
    if stripes:
        ring = 1 - tx.smoothstep(np.abs(np.abs(v - 0.5) - rng.uniform(0.25, 0.31)), 0.022, 0.03)
        if rng.random() < 0.4:
            ring = ring * (np.cos(2 * np.pi * u) > -0.2)
        color = tx.lerp_color(color, (232, 230, 222), ring)
    two = not leather and rng.random() < 0.5
    other = choice(rng, [c for c in ("white", "yellow", "black", "red") if c != word])
    if two:
        color = np.where(((u * 4).astype(int) % 2 == 1)[..., None], tint(rng, other), color)
    tip = rng.uniform(0.1, 0.22)
    half = [(1, 0), (0.86, 0.36), (0.46, 0.74), (tip, 0.95), (0, 1)]
    form = smooth([*((q, -z) for q, z in half[:0:-1]), *half], 25) * [r, length / 2]
    turn = rotation("y", rng.normal(-90, 45)) @ rotation("x", -90)
    model.lathe(form, tx.to_uint8(color), turn=turn, pieces=3)
    white = plain(np.array([236, 232, 222]) * rng.uniform(0.85, 1.0))
    reach = length * rng.uniform(0.15, 0.2)
    for n in range(8):
        z = reach * (n / 3.5 - 1)
        at = turn @ [np.interp(z, form[:, 1], form[:, 0]) - 0.01 * r, 0, z]
        model.box((r * 0.04, r * 0.26, length * 0.014), white, 0, at=at, turn=turn, hull=False)
    along = np.linspace(-reach, reach, 7)
    path = np.c_[np.interp(along, form[:, 1], form[:, 0]), 0 * along, along]
    model.sweep(path, r * 0.03, white, segments=6, up=(1, 0, 0), turn=turn, hull=False)
    skin = finish(rng, "leather" if leather else choice(rng, ("foam", "rubber")), word)
    features = ["with white laces", "with white stripes" if stripes else "without stripes"]
    colors = (word, other) if two else (word, "white")
    return model.instance(skin, "oval", features, colors=colors, density=250)


def _stitches(curve: Floats, count: int, reach: float) -> Floats:
    """Return points along short slanted stitches on both sides of a closed seam."""
    near = np.linspace(0, len(curve), count, endpoint=False).astype(int)
    center = curve[near]
    ahead = curve[(near + 1) % len(curve)] - curve[near]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    side = np.cross(center, ahead)
    steps = [center + s * f * reach * side + f * 0.6 * reach * ahead for s in (-1, 1) for f in np.linspace(0.15, 1, 5)]
    points = np.concatenate(steps)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


@generates("baseball")
def baseball(rng: Rng) -> Instance:
    """Baseballs: white leather with the curved seam and its red stitches; new, used or signed."""
    model = ModelBuilder()
    word = choice(rng, weighted("white 9, yellow"))
    used = rng.beta(1, 2)
    base = tint(rng, word) * (1.0, 1.0 - 0.06 * used, 1.0 - 0.2 * used) if word == "white" else tint(rng, word) * 1.02
    curve = tennis_curve(rng.uniform(0.6, 0.68), 480)
    shape = directions().shape[:2]
    color = base * (1 + 0.02 * tx.grid_noise(rng, shape, 30, 60))[..., None]
    dirt = tx.smoothstep(tx.grid_noise(rng, shape, 5, 9), -0.3, 2.2) * used
    color = tx.lerp_color(color, (136, 104, 66), 0.65 * dirt)
    color = color * (1 - 0.35 * seam(curve, 0.035))[..., None]
    ink = choice(rng, weighted("red 8, blue, black"))
    color = tx.lerp_color(color, tint(rng, ink), seam(_stitches(curve, int(rng.integers(84, 110)), 0.105), 0.042))
    printed = rng.random() < 0.5
    if printed:
        image, draw = tx.canvas((192, 96), (0, 0, 0))
        tx.draw_text(image, choice(rng, ("LEAGUE", "OFFICIAL", "CORK CENTER", "PRO")), (96, 45), 9, (255, 255, 255))
        draw.line([(80, 53), (112, 53)], fill=(255, 255, 255))
        color = tx.lerp_color(color, choice(rng, ((40, 50, 120), (30, 30, 34))), 0.8 * np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(70, 77), tx.to_uint8(color))
    skin = finish(rng, "leather", word)
    features = [f"with {ink} stitches", "worn" if used > 0.5 else "", "with lettering" if printed else ""]
    return model.instance(skin, "spherical", features, colors=(word, ink), density=700)


BASKETBALL_WORDS = weighted("orange 5, brown 2, blue, red, black, purple, green")


@generates("basketball")
def basketball(rng: Rng) -> Instance:
    """Basketballs, mostly small ones: pebbled orange or two-colored rubber with black ribs."""
    model = ModelBuilder()
    word = choice(rng, BASKETBALL_WORDS)
    base = np.array([208, 100, 40]) * rng.uniform(0.85, 1.1, 3) if word == "orange" else tint(rng, word)
    if word == "brown":
        base = np.array([150, 78, 40]) * rng.uniform(0.85, 1.1)
    x, y, z = np.moveaxis(directions(), -1, 0)
    # Two great circles, and on both sides a curve that bows round the poles of the third axis.
    bow = np.abs(x) - rng.uniform(0.56, 0.66) - 0.42 * (y * y - 0.3)
    width = rng.uniform(0.02, 0.032)
    edge = np.minimum(np.minimum(np.abs(y), np.abs(z)), np.abs(bow) * 0.8)
    line = 1 - tx.smoothstep(edge, 0.7 * width, 1.2 * width)
    color = np.broadcast_to(base, (*x.shape, 3)).astype(float)
    two = rng.random() < (0.15 if word in ("orange", "brown") else 0.6)
    other = choice(rng, [c for c in ("white", "black", "yellow", "blue", "red") if c != word])
    if two:
        color = tx.lerp_color(color, tint(rng, other), (((y > 0) ^ (bow > 0)) if rng.random() < 0.5 else bow > 0) * 1.0)
    pebbles = tx.grid_noise(rng, x.shape, 46, 92)
    color = color * (1 + 0.07 * pebbles + 0.03 * tx.grid_noise(rng, x.shape, 4, 8))[..., None]
    ink = choice(rng, weighted("black 3, white")) if word != "black" else "white"
    color = tx.lerp_color(color, tint(rng, ink), line)
    printed = rng.random() < 0.5
    if printed:
        image, _ = tx.canvas((192, 96), (0, 0, 0))
        tx.draw_text(
            image, choice(rng, ("HOOPS", "STREET", "INDOOR", "ALLSTAR", "SLAM")), (118, 40), 11, (255, 255, 255)
        )
        color = tx.lerp_color(color, tint(rng, ink), 0.9 * np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(100, 245), tx.to_uint8(color))
    skin = finish(rng, "rubber", word)
    features = [f"with {ink} lines", "with lettering" if printed else ""]
    colors = (word, other, ink) if two else (word, ink)
    pattern = "two-coloured" if two else "plain"
    return model.instance(skin, "spherical", features, colors=colors, pattern=pattern, density=90)


@generates("bowling pin")
def bowling_pin(rng: Rng) -> Instance:
    """Bowling pins: white bottles of wood or plastic with colored stripes round the neck; colored sets for children."""
    model = ModelBuilder()
    h = rng.uniform(130, 295)
    r = h * rng.uniform(0.145, 0.175)
    word = choice(rng, weighted("white 14") + BRIGHT[:4] + ("brown",))
    skin = finish(rng, "wood" if word == "brown" else "plastic", word, rgb=WOODS if word == "brown" else ())
    ink = choice(rng, [c for c in weighted("red 5, blue, green, black, white") if c != word])
    slim, head = rng.uniform(0.36, 0.44), rng.uniform(0.5, 0.58)
    form = [(0.5, 0), (0.56, 0.02), (0.9, 0.18), (1, 0.32), (0.8, 0.48), (slim, 0.66), (slim * 1.02, 0.73)]
    form += [(head, 0.87)]
    profile = np.r_[smooth(form, 24), smooth([(head, 0.87), (head * 0.8, 0.96), (0.0, 1.0)], 8)[1:]] * [r, h]
    image = skin.image(2 * np.pi * r, 1.1 * h).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    lengths = np.r_[0, np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))]
    z = np.interp(v, lengths / lengths[-1], profile[:, 1] / h)
    stripes = choice(rng, (1, 2, 2, 2, 2, 0))
    middle, gap, wide = rng.uniform(0.66, 0.74), rng.uniform(0.025, 0.04), rng.uniform(0.01, 0.018)
    for n in range(stripes):
        at = middle + gap * (2 * n - stripes + 1)
        image = tx.lerp_color(image, tint(rng, ink), 1 - tx.smoothstep(np.abs(z - at), wide, wide + 0.008))
    emblem = rng.random() < 0.3
    if emblem:
        u = (tx.uv_grid(*image.shape[:2])[0] + 0.5) % 1 - 0.5
        crown = np.hypot(u * 2 * np.pi * r, (z - 0.34) * h) < 0.3 * r
        image = np.where(crown[..., None], tint(rng, ink), image)
    model.lathe(profile, tx.to_uint8(image), pieces=4)
    model.lathe([(0, 0.5), (profile[0, 0], 0)], skin.solid(), hull=False)
    count = {0: "without stripes", 1: f"with a {ink} stripe", 2: f"with two {ink} stripes"}[stripes]
    colors = (word, ink) if stripes or emblem else (word,)
    features = [count, "with a round emblem" if emblem else ""]
    return model.instance(skin, "bottle", features, colors=colors, pattern="striped" if stripes else "plain")


@generates("dumbbell")
def dumbbell(rng: Rng) -> Instance:
    """Dumbbells: two weights, hexagonal, round, of discs or spheres, on a short bar of steel or in one color."""
    model = ModelBuilder()
    length = rng.uniform(130, 240)
    form = choice(rng, weighted("hexagonal 2, round, discs, spheres"))
    r, wide = length * rng.uniform(0.17, 0.24), length * rng.uniform(0.2, 0.28)
    colors = weighted("black 2, grey") if form == "discs" else (*weighted("black 3"), *BRIGHT, "grey")
    word = choice(rng, colors)
    material = "metal" if form == "discs" or word == "grey" else choice(rng, ("rubber", "plastic"))
    skin = finish(rng, material, word, wear=0.5)
    same = form != "discs" and rng.random() < 0.5
    bar = skin if same else finish(rng, "steel", "grey", rgb=STEEL)
    thick = r * rng.uniform(0.3, 0.42)
    turn = rotation("x", -90)
    inner = length / 2 - wide
    grip = smooth([(0.85,), (1.0,), (1.12,), (1.0,), (0.85,)], 9)[:, 0] * thick
    model.lathe(np.c_[grip, np.linspace(-inner - 2, inner + 2, 9)], bar, segments=16, pieces=1, turn=turn)
    number = _cap(rng, skin.tints[0], word)
    for side in (-1, 1):
        at = (0, side * (inner + wide / 2), 0)
        end = turn @ rotation("y", 90 - 90 * side)
        if form == "spheres":
            model.ball((2 * r, min(wide * 1.1, 2 * r), 2 * r), skin, rows=13, segments=20, at=at)
        elif form == "discs":
            for n, (share, part) in enumerate(((1.0, 0.42), (0.8, 0.3), (0.42, 0.28))):
                z = wide * (-0.5 + (0, 0.42, 0.72)[n])
                disc = np.array([(0.9, 0), (1, 0.1), (1, 0.9), (0.9, 1), (0, 1)]) * [r * share, wide * part] + [0, z]
                model.lathe(np.r_[[(0, z)], disc], bar if n == 2 else skin, segments=22, at=at, turn=end, pieces=1)
        else:
            count = 6 if form == "hexagonal" else 24
            e = 0.14 * wide
            rows = np.array([(0, -0.5), (0.82, -0.5), (1, -0.5), (1, 0.5), (0.82, 0.5)]) * [r, wide] + [
                (0, 0),
                (0, 0),
                (0, e),
                (0, -e),
                (0, 0),
            ]
            tilt = end @ rotation("z", 30 * (count == 6))
            model.lathe(rows, skin, segments=count, at=at, turn=tilt, pieces=1)
            ring = np.linspace(0, 2 * np.pi, count, endpoint=False)
            face = np.c_[np.cos(ring), np.sin(ring)] * 0.82 * r
            model.prism(face, 0.5 * wide - 0.2, 0.5 * wide, number, at=at, turn=tilt, hull=False)
    shape = {"hexagonal": "with hexagonal ends", "round": "with round ends", "discs": "with weight plates"}
    features = [shape.get(form, "with ball-shaped ends"), "with a steel bar" if not same else ""]
    words = (word,) if same else (word, "grey")
    return model.instance(skin, "long and thin", features, colors=words, density=2500)


def _cap(rng: Rng, color: Floats, word: str) -> TextureImage:
    image, _ = tx.canvas((48, 48), [int(c) for c in np.clip(color, 0, 255)])
    ink = (24, 24, 26) if word in ("yellow", "pink", "orange", "turquoise") else (236, 236, 232)
    tx.draw_text(image, f"{rng.integers(1, 12)}", (24, 24), 22, ink)
    return np.asarray(image)


@generates("frisbee")
def frisbee(rng: Rng) -> Instance:
    """Frisbees: plastic discs with a rolled rim, upright or upside down, plain or with printed rings and stars."""
    model = ModelBuilder()
    r = rng.uniform(75, 138)
    deep = r * rng.uniform(0.13, 0.24)
    word = choice(rng, (*BRIGHT, "red", "blue", "orange", "white", "black"))
    skin = finish(rng, "plastic", word)
    turn = rotation("x", 180) if rng.random() < 0.25 else None
    top = deep * 0.9
    curve = smooth([(r * 0.95, 0), (r, deep * 0.2), (r * 0.985, deep * 0.6), (r * 0.88, top), (r * 0.7, deep)], 10)
    ink = choice(rng, [c for c in (*BRIGHT, "white", "black") if c != word])
    color = tint(rng, ink)
    wide = int(rng.integers(1, 4))
    style = choice(rng, weighted("plain, rings 2, star, disc"))
    image = skin.image(2 * np.pi * r, 1.7 * r).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    if style == "rings":
        for n in range(wide):
            image = tx.lerp_color(image, color, 1 - tx.smoothstep(np.abs(v - 0.5 - 0.1 * n), 0.015, 0.025))
    skin_image = tx.to_uint8(image)
    model.lathe([*curve, (r * 0.4, deep * 1.04), (0, deep * 1.05)], skin_image, segments=36, turn=turn, hull=False)
    profile = [(0, deep - 2), (r * 0.68, deep - 3), (r * 0.86, top - 3), (r * 0.93, deep * 0.5), (r * 0.95, 0)]
    model.lathe(profile, skin.solid(0.9), segments=36, turn=turn, hull=False)
    if style in ("star", "disc"):
        edge = star(int(rng.integers(5, 9)), 0.5 * r, 0.25 * r) if style == "star" else circle(0.5 * r, 28)
        model.prism(edge, deep * 1.0, deep * 1.055, tx.plain(np.clip(color, 0, 255).tolist()), turn=turn, hull=False)
    ring = np.linspace(0, 2 * np.pi, 11)
    for a, b in itertools.pairwise(ring):
        rows = np.array([(0.93, 0), (1, 0.2), (0.98, 0.6), (0.8, 0.97), (0.78, 0.7)]) * [r, deep]
        model.hull([(q * np.cos(c), q * np.sin(c), z) for q, z in rows for c in (a, (a + b) / 2, b)], turn=turn)
    disc = ((0.85 * r, deep - 5), (0.85 * r, deep * 0.93), (0.4 * r, deep * 1.05))
    model.hull([(q * np.cos(c), q * np.sin(c), z) for q, z in disc for c in ring], turn=turn)
    features = ["upside down" if turn is not None else "", "with a star" if style == "star" else ""]
    colors = (word, ink) if style != "plain" else (word,)
    return model.instance(skin, "flat and round", features, colors=colors, density=400)


GOLF_BALL_WORDS = weighted("white 7, yellow, orange, pink, green")


@lru_cache(maxsize=4)
def _dimples(count: int) -> tuple[Floats, Floats]:
    """Return how deep each texel lies in its dimple (0 to 1), and the offset [H, W, 3] from the dimple's center."""
    n = np.arange(count) + 0.5
    z = 1 - 2 * n / count
    lon = np.pi * (1 + 5**0.5) * n
    centers = np.stack([np.sqrt(1 - z * z) * np.cos(lon), np.sqrt(1 - z * z) * np.sin(lon), z], -1)
    d = directions(112)
    product = (d.astype(np.float32) @ centers.T.astype(np.float32)).astype(float)
    radius = 1.75 / np.sqrt(count)
    angle = np.arccos(np.clip(product.max(axis=-1), -1, 1)) / radius
    return 1 - tx.smoothstep(angle, 0.7, 1.0), (d - centers[product.argmax(axis=-1)]) / radius


@generates("golf ball")
def golf_ball(rng: Rng) -> Instance:
    """Golf balls: small, hard, covered with dimples; white or in a bright color, with a number or a line."""
    model = ModelBuilder()
    word = choice(rng, GOLF_BALL_WORDS)
    base = np.array([238, 238, 234]) if word == "white" else tint(rng, word) * 1.05
    inside, offset = _dimples(choice(rng, (160, 210, 260)))
    light = rng.normal(size=3)
    slope = offset @ (light / np.linalg.norm(light))
    depth = rng.uniform(0.6, 1.0)
    color = base * (1 - depth * inside * (0.13 + 0.12 * slope))[..., None] * rng.uniform(0.92, 1.05)
    color = tx.lerp_color(color, (110, 120, 70), 0.5 * rng.beta(1, 4) * tx.smoothstep(_dirt(rng), 0, 2))
    logo = rng.random() < 0.7
    if logo:
        image, draw = tx.canvas((224, 112), (0, 0, 0))
        tx.draw_text(image, str(rng.integers(1, 9)), (112, 64), 13, (255, 255, 255))
        draw.rectangle([96, 50, 128, 53], fill=(255, 255, 255))
        ink = tint(rng, choice(rng, ("black", "red", "blue")))
        color = tx.lerp_color(color, ink, np.asarray(image)[..., 0] / 255)
    add_ball(model, rng, rng.uniform(41, 45), tx.to_uint8(color))
    skin = finish(rng, "plastic", word)
    features = ["with dimples", "with a number" if logo else ""]
    return model.instance(skin, "spherical", features, density=1130)


def _dirt(rng: Rng) -> Floats:
    return tx.grid_noise(rng, (112, 224), 4, 8)


MINI_SOCCER_BALL_GROUNDS = weighted("white 8, yellow, orange, green, pink, turquoise")
MINI_SOCCER_BALL_INKS = weighted("black 3, blue, red, purple, green, orange")


@generates("mini soccer ball")
def mini_soccer_ball(rng: Rng) -> Instance:
    """Mini soccer balls: panels of pentagons and hexagons, or printed bands, stars and swirls over them."""
    model = ModelBuilder()
    style = choice(rng, weighted("classic 3, bands, swirls, outlined, colorful"))
    ground = choice(rng, MINI_SOCCER_BALL_GROUNDS)
    inks = [choice(rng, [c for c in MINI_SOCCER_BALL_INKS if c != ground])]
    inks += [choice(rng, [c for c in MINI_SOCCER_BALL_INKS if c not in (ground, *inks)])]
    base, first, second = (tint(rng, word) for word in (ground, *inks))
    panel, edge = soccer_panels()
    d = directions() @ random_turn(rng)
    color = np.broadcast_to(base, d.shape).astype(float)
    if style == "classic":
        color = tx.lerp_color(color, first, (panel < 12) * 1.0)
    elif style == "outlined":
        ring = tx.smoothstep(edge, 0.01, 0.02) - tx.smoothstep(edge, 0.05, 0.06)
        color = tx.lerp_color(color, first, ring * (panel < 12))
        color = tx.lerp_color(color, second, (panel < 12) * tx.smoothstep(edge, 0.06, 0.07))
    elif style == "colorful":
        chosen = rng.integers(0, 3, 32)[panel.astype(int)]
        color = np.where((chosen == 1)[..., None], first, np.where((chosen == 2)[..., None], second, color))
    else:
        lon = np.arctan2(d[..., 1], d[..., 0])
        lat = np.arcsin(np.clip(d[..., 2], -1, 1))
        waves = int(rng.integers(2, 4))
        for offset in (-0.55, 0.6):
            wave = rng.uniform(0.25, 0.45) * np.sin(waves * lon + rng.uniform(0, 6)) + offset
            wide = rng.uniform(0.1, 0.2) * (1 if style == "bands" else 1 + 0.6 * np.sin(waves * lon))
            distance = np.abs(lat - wave)
            color = tx.lerp_color(color, second, 1 - tx.smoothstep(distance - 1.5 * wide, 0, 0.03))
            color = tx.lerp_color(color, first, 1 - tx.smoothstep(distance - wide, 0, 0.03))
    color = color * (0.62 + 0.38 * tx.smoothstep(edge, 0.002, 0.012))[..., None]
    dirt = tx.smoothstep(tx.grid_noise(rng, d.shape, 4, 8), 0.5, 2.5) * rng.uniform(0, 0.5)
    color = tx.lerp_color(color, (120, 104, 80), dirt)
    add_ball(model, rng, rng.uniform(95, 160), tx.to_uint8(color))
    skin = finish(rng, choice(rng, weighted("leather, plastic 2")), ground)
    words = {"classic": "with pentagons", "bands": "with wavy bands", "swirls": "with wavy bands"}
    colors = (ground, *(inks[:1] if style == "classic" else inks))
    pattern = "checkered" if style in ("classic", "colorful") else "printed"
    return model.instance(skin, "spherical", [words.get(style, "")], colors=colors, pattern=pattern, density=120)


RUBBERS = weighted("red 4, black 2, blue, green, pink, orange")


@generates("table tennis bat")
def table_tennis_bat(rng: Rng) -> Instance:
    """Table tennis bats: round blades with red, black or other rubbers, and a short wooden handle."""
    # Pose: lying with its blade at +y.
    model = ModelBuilder()
    wide = rng.uniform(118, 155)
    long = rng.uniform(0.98, 1.12)
    upper = choice(rng, RUBBERS)
    lower = "black" if upper != "black" else choice(rng, weighted("red 2, blue, green"))
    upper_skin, lower_skin = (finish(rng, "rubber", word, wear=0.6) for word in (upper, lower))
    wood = finish(rng, "wood", "brown", rgb=(WOODS[2], WOODS[0]))
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    r = wide / 2
    edge = np.c_[np.cos(angle) * r, np.sin(angle) * r * long]
    neck = np.clip((-edge[:, 1] / (r * long) - 0.75) / 0.25, 0, 1)
    edge[:, 0] *= 1 + 0.25 * neck
    model.prism(edge, -3, 3, wood)
    cut = edge[:, 1] > -r * long * rng.uniform(0.7, 0.8)
    rubber = edge[cut] * 0.985
    model.prism(rubber, 3, 5.5, upper_skin, hull=False)
    model.prism(rubber, -5.5, -3, lower_skin, hull=False)
    model.hull([(x, y, z) for x, y in rubber for z in (-5.5, 5.5)])
    reach = rng.uniform(88, 104)
    t = np.linspace(0, 1, 10)
    start = -r * long * 0.86
    form = smooth([(0.8,), (0.82,), (0.9,), (choice(rng, (0.9, 1.15)),), (1.1,)], 10)[:, 0]
    word = choice(rng, weighted("brown 3, black, red, blue"))
    grip = finish(rng, "wood", word, rgb=WOODS if word == "brown" else (), wear=0.5)
    model.sweep(np.c_[0 * t, start - t * reach, 0 * t], 14.5 * form, grip, 11.5 * form, power=2.8, pieces=1)
    if rng.random() < 0.5:
        path = [(0, start - reach * 0.08, 0), (0, start - reach * 0.2, 0)]
        model.sweep(path, 12.6, wood.painted(tint(rng, upper)), 10.4, hull=False)
    model_turned = [f"with a {word} handle", "with two different sides"]
    return model.instance(
        upper_skin, "flat and round", model_turned, colors=(upper, lower, word), density=450, material="rubber"
    )


TENNIS_BALL_WORDS = weighted("yellow 5, green 2, orange, red, pink")


@generates("tennis ball")
def tennis_ball(rng: Rng) -> Instance:
    """Tennis balls: fuzzy felt, yellow-green or in two colors, with the one curved white seam; some worn or printed."""
    model = ModelBuilder()
    word = choice(rng, TENNIS_BALL_WORDS)
    felt = {"yellow": np.array([206, 220, 50]), "green": np.array([150, 205, 45])}.get(word, tint(rng, word))
    felt = felt * rng.uniform(0.86, 1.08) * [1, 1, rng.uniform(0.7, 1.6)]
    bulge = rng.uniform(0.6, 0.7)
    line = seam(tennis_curve(bulge), rng.uniform(0.1, 0.16))
    two = word == "yellow" and rng.random() < 0.2
    color = np.broadcast_to(felt, (*line.shape, 3)).astype(float)
    if two:
        half = directions()[..., 2] * 1.6 + np.cos(2 * np.arctan2(directions()[..., 1], directions()[..., 0])) > 0
        other = choice(rng, ("orange", "red", "green"))
        color = np.where(half[..., None], tint(rng, other), color)
    fuzz = 0.07 * tx.grid_noise(rng, line.shape, 40, 80) + 0.04 * tx.grid_noise(rng, line.shape, 6, 12)
    color = color * (1 + fuzz)[..., None]
    worn = rng.beta(1, 3)
    stain = tx.smoothstep(tx.grid_noise(rng, line.shape, 4, 8), 0, 2) * worn
    color = tx.lerp_color(color, (126, 110, 76), 0.7 * stain)
    color = tx.lerp_color(color, np.array([232, 232, 220]) * (1 - 0.25 * worn), line)
    printed = rng.random() < 0.4
    if printed:
        image = np.zeros((96, 192))
        image[44:48, 84:108] = 1
        image[50:54, 88 : 88 + int(rng.integers(8, 18))] = 1
        image[:, ::4] *= 0.3
        color = tx.lerp_color(color, choice(rng, ((30, 30, 40), (170, 30, 40))), 0.8 * image)
    add_ball(model, rng, rng.uniform(62, 70), tx.to_uint8(color))
    skin = finish(rng, "cloth", word)
    features = ["with a white seam", "worn" if worn > 0.45 else "", "with lettering" if printed else ""]
    colors = (word, other, "white") if two else (word, "white")
    return model.instance(skin, "spherical", features, colors=colors, density=380, material="cloth")
