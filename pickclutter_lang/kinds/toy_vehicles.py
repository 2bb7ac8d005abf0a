"""Toy vehicles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.finishes import TOYS, WOODS, Rng, choice, finish, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle, grid_surface, rotation

TIRE = (28, 28, 30)


def add_wheel(
    model: ModelBuilder,
    at: npt.ArrayLike,
    radius: float,
    wide: float,
    side: int,
    tire: npt.ArrayLike = TIRE,
    hub: npt.ArrayLike = (196, 196, 200),
    hull: bool = True,
) -> None:
    """Add a wheel in mm that turns about y, its hub towards +y (`side` 1) or -y (-1)."""
    turn = rotation("x", -90 * side)
    rim = [(0, -0.5), (0.9, -0.5), (1, -0.3), (1, 0.3), (0.9, 0.5), (0.55, 0.52), (0, 0.52)]
    model.lathe(np.array(rim) * [radius, wide], plain(tire), 16, 1, at=at, turn=turn, hull=hull)
    cap = np.array([(0.58, 0.5), (0.5, 0.58), (0, 0.6)]) * [radius, wide]
    model.lathe(cap, plain(hub), 12, at=at, turn=turn, hull=False)


@generates("toy boat")
def toy_boat(rng: Rng) -> Instance:
    """Toy boats: sailing boats, tugs, ships with funnels and speedboats."""
    model = ModelBuilder()
    length = rng.uniform(85, 200)
    form = choice(rng, weighted("sail 2, tug, ship, speed"))
    wide, deep = length * rng.uniform(0.3, 0.42), length * rng.uniform(0.13, 0.18)
    wooden = rng.random() < 0.35
    natural = wooden and rng.random() < 0.5
    word = "brown" if natural else choice(rng, TOYS)
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if natural else ())
    deck = plain((206, 160, 104) if rng.random() < 0.5 else (236, 234, 226))
    paint = skin.solid().image(50, 50, 64)
    # Cross-sections of the hull from stern to bow: half-widths, and how high keel and deck lie.
    t = np.linspace(0, 1, 11)
    half = wide / 2 * np.where(t < 0.45, 0.86 + 0.3 * t, np.sqrt(np.clip(1 - ((t - 0.45) / 0.56) ** 2, 0, 1)))
    keel = deep * 0.9 * np.clip(t - 0.6, 0, 1) ** 1.5
    sheer = deep * (1 + 0.9 * np.clip(t - 0.35, 0, 1) ** 2)
    x = length * (t - 0.5)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    ring = np.stack([np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** 0.7, 1 - np.abs(np.cos(angle)) ** 0.8], -1)
    grid = np.stack(
        [
            np.broadcast_to(x[:, None], (11, 9)),
            -half[:, None] * ring[:, 0],
            keel[:, None] + (sheer - keel)[:, None] * ring[:, 1],
        ],
        -1,
    )
    model.surface(grid_surface(grid[:, ::-1]), skin.image(wide * 1.6, length))
    model.surface(grid_surface(np.stack([grid[0, 4] + 0 * grid[0], grid[0]])[:, ::-1]), paint)
    model.hull(grid[:6].reshape(-1, 3))
    model.hull(grid[5:].reshape(-1, 3))
    model.surface(
        grid_surface(np.stack([grid[:, 8] - [0, 0, 0.1 * deep], grid[:, 0] - [0, 0, 0.1 * deep]], 1)[:, ::-1]), deck
    )
    other = choice(rng, [c for c in (*TOYS, "white") if c != word])
    accent = finish(rng, skin.material, other).image(50, 50, 64)
    rail = np.r_[grid[:, 0], grid[::-1, 8], grid[:1, 0]] + [0, 0, 0.2]
    model.sweep(rail, length * 0.012, accent, segments=6, hull=False)
    top = deep * 0.92
    if form == "sail":
        mast = length * rng.uniform(0.8, 1.1)
        sail = finish(rng, "cloth", other if other != word else "white", weighted("plain 2, striped"), pitch=(8, 16))
        model.lathe([(1.8, 0), (1.5, mast), (0, mast)], plain((176, 130, 84)), 8, 1, at=(0.06 * length, 0, top))
        spin = rotation("z", choice(rng, (-1, 1)) * rng.uniform(20, 60)) @ rotation("x", 90)
        main = np.array([(-0.44, 0.14), (-0.02, 0.12), (-0.02, 0.97)]) * [length, mast]
        jib = np.array([(0.02, 0.1), (0.38, 0.14), (0.02, 0.8)]) * [length, mast]
        for edge, image in ((main, sail), (jib, sail.solid().image(40, 60, 48))):
            model.prism(edge, -0.8, 0.8, image, turn=spin, at=(0.06 * length, 0, top))
    elif form == "speed":
        cabin = np.array([(-0.2, 0), (0.2, 0), (0.06, 0.9), (-0.14, 0.9)]) * [length, deep]
        model.prism(cabin, -wide * 0.32, wide * 0.32, plain((44, 56, 76)), turn=rotation("x", 90), at=(0, 0, top))
        model.box((length * 0.2, wide * 0.66, deep * 0.15), accent, 0.5, at=(-0.04 * length, 0, top + 0.95 * deep))
        model.box(
            (length * 0.1, wide * 0.3, deep * 0.9), plain((50, 50, 54)), 1.0, at=(-0.48 * length, 0, top + 0.2 * deep)
        )
    else:
        layers = 1 if form == "tug" else int(rng.integers(2, 4))
        z = top
        long = length * rng.uniform(0.38, 0.55)
        broad = wide * 0.66
        for n in range(layers):
            high = deep * rng.uniform(0.7, 1.0) * (1.5 if form == "tug" else 1)
            walls = accent if n % 2 == 0 else paint
            model.box((long, broad, high), walls, 0.8, at=(-0.06 * length, 0, z + high / 2))
            for w in np.linspace(-0.36, 0.36, 4):
                size = (long * 0.12, broad + 0.8, high * 0.4)
                model.box(size, plain((50, 64, 86)), 0, at=(w * long - 0.06 * length, 0, z + high * 0.58), hull=False)
            z = z + high
            long = long * 0.72
            broad = broad * 0.8
        tint_word = choice(rng, ("red", "black", "yellow"))
        high = deep * rng.uniform(0.9, 1.5)
        for px in (-0.06,) if form == "tug" else (-0.13, 0.02):
            profile = [(deep * 0.26, 0), (deep * 0.26, high), (0, high)]
            model.lathe(profile, plain(tint(rng, tint_word)), 14, 1, at=(px * length, 0, z))
    words = {
        "sail": "with sails",
        "tug": "with a smokestack",
        "ship": "with two smokestacks",
        "speed": "with an outboard motor",
    }
    return model.instance(skin, "boat-shaped", [words[form]], colors=(word, other), density=350)


TOY_CAR_COLORS = weighted("red 2, blue, yellow, green, orange, white, black, pink, turquoise, purple, grey")
TOY_CAR_GLASS, TOY_CAR_TIRE = (34, 42, 54), (28, 28, 30)
CABINS = {
    "car": (-0.3, 0.16, 0.14),
    "van": (-0.48, 0.3, 0.1),
    "pickup": (-0.02, 0.26, 0.1),
    "sports car": (-0.32, 0.06, 0.2),
}


@generates("toy car")
def toy_car(rng: Rng) -> Instance:
    """Toy cars: cars, vans and pickups with painted bodies, windows, lights and black wheels."""
    model = ModelBuilder()
    form = choice(rng, weighted("car 2, van, pickup, sports car"))
    length = rng.uniform(65, 130)
    width, body = length * rng.uniform(0.4, 0.48), length * rng.uniform(0.15, 0.2)
    cabin = (
        length
        * (rng.uniform(0.15, 0.19) if form != "van" else rng.uniform(0.22, 0.28))
        * (0.75 if form == "sports car" else 1.0)
    )
    skin = finish(
        rng, choice(rng, weighted("plastic 2, metal, wood")), TOY_CAR_COLORS, weighted("plain 3, striped"), pitch=(5, 9)
    )
    wheel = length * rng.uniform(0.085, 0.11)
    low = wheel * 0.7
    model.box((length, width, body), skin, rounding=0.22 * body, at=(0, 0, low + body / 2))
    back, ahead, slope = (length * f for f in CABINS[form])
    bottom = low + body * 0.95
    top = low + body + cabin
    half = width * 0.44
    side = np.array(
        [(back, bottom), (ahead + slope, bottom), (ahead, top), (back + slope * 0.5 * (form != "pickup"), top)]
    )
    model.prism(side, -half, half, skin.solid(), turn=rotation("x", 90))
    middle = side.mean(axis=0)
    panes = (side - middle) * [0.82, 0.68] + middle + [0, 0.03 * cabin]
    model.prism(panes, -half - 0.4, half + 0.4, plain(TOY_CAR_GLASS), turn=rotation("x", 90), hull=False)
    for a, b in ((side[1], side[2]), (side[3], side[0])):
        out = np.array([b[1] - a[1], a[0] - b[0]]) / np.linalg.norm(b - a)
        quad = np.array(
            [a + 0.15 * (b - a), a + 0.15 * (b - a) + out * 0.5, a + 0.88 * (b - a) + out * 0.5, a + 0.88 * (b - a)]
        )
        model.prism(quad, -half * 0.85, half * 0.85, plain(TOY_CAR_GLASS), turn=rotation("x", 90), hull=False)
    for x in (-0.3, 0.3):
        for side_y in (-1, 1):
            hub = finish(rng, "plastic", "grey").painted(TOY_CAR_TIRE)
            rim = [(0, -0.14), (0.9, -0.14), (1, -0.09), (1, 0.09), (0.9, 0.14), (0.55, 0.15), (0, 0.15)]
            at = (x * length, side_y * width * 0.5, wheel)
            turn = rotation("x", -90 * side_y)
            model.lathe(np.array(rim) * [wheel, length * 0.3], hub, segments=18, at=at, turn=turn)
            profile = np.array([(0.55, 0.045), (0.5, 0.056), (0, 0.056)]) * [wheel, length]
            model.lathe(profile, plain((196, 196, 200)), segments=12, at=at, turn=turn, hull=False)
    for y in (-0.32, 0.32):
        size = (3, width * 0.17, body * 0.3)
        model.ball(
            size, plain((250, 240, 190)), rows=7, segments=10, at=(length / 2, y * width, low + body * 0.6), hull=False
        )
        model.ball(
            (3, width * 0.16, body * 0.26),
            plain(tint(rng, "red")),
            rows=7,
            segments=10,
            at=(-length / 2, y * width, low + body * 0.6),
            hull=False,
        )
    words = {"van": "shaped like a van", "pickup": "shaped like a pickup", "sports car": "shaped like a sports car"}
    return model.instance(skin, "car-shaped", ["with four wheels", words.get(form, "")])


def _wing(
    model: ModelBuilder, skin: TextureImage, x: float, z: float, span: float, chord: float, sweep: float, thin: float
) -> None:
    """Add both wings as one plate each, `sweep` mm farther back at their tips."""
    for s in (-1, 1):
        y = np.linspace(0, span, 3) * s
        lead = x + chord / 2 - sweep * np.abs(y) / span
        trail = x - chord / 2 - 0.6 * sweep * np.abs(y) / span
        left, right = (np.c_[lead, y], np.c_[trail, y]) if s < 0 else (np.c_[trail, y], np.c_[lead, y])
        model.plate(left, right, z - thin, z + thin, skin, pieces=1)


@generates("toy plane")
def toy_plane(rng: Rng) -> Instance:
    """Toy planes: airliners, propeller planes, jets and biplanes of plastic, metal or wood."""
    model = ModelBuilder()
    length = rng.uniform(80, 210)
    form = choice(rng, weighted("airliner 2, propeller 2, biplane, jet"))
    material = choice(rng, weighted("plastic 2, metal, wood"))
    natural = material == "wood" and rng.random() < 0.5
    word = "brown" if natural else choice(rng, (*weighted("white 2"), *TOYS) if form == "airliner" else (*TOYS, "grey"))
    skin = finish(rng, material, word, rgb=WOODS if natural else ())
    other = choice(rng, [c for c in TOYS if c != word]) if rng.random() < 0.75 else word
    wing_finish = finish(rng, material, other) if other != word else skin.solid(0.95)
    wing_skin = wing_finish.image(60, 60, 64)
    r = length * (rng.uniform(0.06, 0.08) if form in ("airliner", "jet") else rng.uniform(0.08, 0.11))
    nose = 0.15 if form != "jet" else 0.02
    body = smooth(
        [(0.12, -0.5), (0.5, -0.32), (0.95, -0.05), (1, 0.2), (0.86, 0.4), (nose + 0.4, 0.47), (nose, 0.5)], 17
    )
    image = skin.image(2 * np.pi * r, length).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    # On a body along x, u = 0.25 and 0.75 are its sides.
    if form == "airliner":
        row = (np.abs(np.abs(u - 0.5) - 0.23) < 0.025) & (np.abs(v - 0.55) < 0.27) & ((v * 36) % 1 < 0.55)
        image = tx.lerp_color(image, (40, 48, 66), row * 1.0)
        if other != word:
            image = tx.lerp_color(image, tint(rng, other), (np.abs(np.abs(u - 0.5) - 0.31) < 0.02) * 1.0)
    turn = rotation("y", 90)
    z = r * 1.6
    model.lathe(np.r_[body, [(0, 0.5)]] * [r, length], tx.to_uint8(image), 20, 1, turn=turn, at=(0, 0, z))
    swept = {"airliner": 0.3, "jet": 0.34}.get(form, 0.04) * length
    span = length * rng.uniform(0.42, 0.55) * (0.75 if form == "jet" else 1)
    chord = length * (0.34 if form == "jet" else rng.uniform(0.17, 0.24))
    thin = length * 0.012
    low = z - 0.4 * r if form != "propeller" or rng.random() < 0.5 else z + 0.8 * r
    wing_x = -0.12 * length if form == "jet" else 0.1 * length
    _wing(model, wing_skin, wing_x, low, span, chord, swept, thin)
    if form == "biplane":
        top = z + 1.9 * r
        _wing(model, wing_skin, wing_x, top, span, chord, swept, thin)
        for y in (-0.6, 0.6):
            size = (thin * 2, thin * 2, top - low)
            model.box(size, plain((90, 70, 50)), 0, at=(wing_x, y * span, (top + low) / 2), hull=False)
    _wing(model, wing_skin, -0.42 * length, z + 0.2 * r, span * 0.4, chord * 0.55, swept * 0.35, thin)
    fin = length * rng.uniform(0.13, 0.19)
    edge = [(-0.36 * length, 0), (-0.44 * length, fin), (-0.51 * length, fin), (-0.48 * length, 0)]
    model.prism(edge, -thin, thin, wing_skin, turn=rotation("x", 90), at=(0, 0, z + 0.3 * r))
    glass = plain((40, 56, 84))
    model.ball(
        (length * (0.1 if form == "airliner" else 0.16), r * 1.3, r * 1.1),
        glass,
        rows=9,
        segments=14,
        at=(length * (0.4 if form == "airliner" else 0.2), 0, z + r * (0.45 if form == "airliner" else 0.75)),
        hull=False,
    )
    if form in ("propeller", "biplane"):
        x = length * 0.51
        for a in (0, 90) if rng.random() < 0.4 else (rng.uniform(0, 90),):
            model.box((thin, 4.4 * r, 0.4 * r), plain((50, 48, 50)), 0, at=(x, 0, z), turn=rotation("x", a), hull=False)
        model.ball((0.7 * r, 0.6 * r, 0.6 * r), plain(tint(rng, "red")), rows=7, segments=10, at=(x, 0, z), hull=False)
        model.hull([(x + d, *p) for d in (-1, 1) for p in circle(2.2 * r, 8, (0, z))])
    if form == "airliner":
        for y in (-0.38, 0.38):
            pod = np.array([(0.6, -0.5), (1, 0.1), (0.95, 0.5), (0, 0.42)]) * [r * 0.42, chord * 0.8]
            model.lathe(
                pod,
                skin.solid(0.8),
                12,
                1,
                at=(wing_x + 0.35 * chord - swept * 0.4, y * span, low - 0.4 * r),
                turn=turn,
            )
    wheeled = form != "jet"
    if wheeled:
        for s in (-1, 1):
            add_wheel(model, (0.12 * length, s * r * 0.9, r * 0.42), r * 0.42, r * 0.35, s)
    names = {
        "airliner": "with jet engines",
        "propeller": "with a propeller",
        "biplane": "with double wings",
        "jet": "with swept wings",
    }
    features = [names[form], "with wheels" if wheeled else "without wheels"]
    return model.instance(skin, "plane-shaped", features, colors=(word, other), density=400)


@generates("toy rocket")
def toy_rocket(rng: Rng) -> Instance:
    """Toy rockets: standing pointed bodies with a nose cone, three or four fins, round windows and rings."""
    model = ModelBuilder()
    h = rng.uniform(95, 260)
    r = h * rng.uniform(0.1, 0.19)
    material = choice(rng, weighted("plastic 2, wood, metal"))
    word = choice(rng, weighted("white 5") + TOYS + ("grey",))
    skin = finish(rng, material, word)
    other = choice(rng, [c for c in (*weighted("red 2"), *TOYS) if c != word])
    accent = tint(rng, other)
    slim = rng.uniform(0.0, 1.0)
    low = 0.08 * h
    waist = 0.74 + 0.24 * slim
    form = smooth(
        [(0.6, 0), (waist, 0.08), (1, 0.35), (0.92 + 0.06 * slim, 0.6), (0.6, 0.8), (0.26, 0.93), (0.02, 1)], 22
    )
    rows = form * [r, h - low] + [0, low]
    image = skin.image(2 * np.pi * r, h).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    nose = rng.uniform(0.66, 0.78)
    image = tx.lerp_color(image, accent, tx.smoothstep(v, nose - 0.01, nose + 0.01))
    for n in range(int(rng.integers(0, 3))):
        image = tx.lerp_color(image, accent, 1 - tx.smoothstep(np.abs(v - 0.12 - 0.08 * n), 0.012, 0.022))
    windows = int(rng.integers(1, 3))
    turned = rng.integers(0, 4) * 0.25
    for n in range(windows):
        x = ((u - turned + 0.5) % 1 - 0.5) * 2 * np.pi * r
        y = (v - 0.56 + 0.17 * n) * h
        distance = np.hypot(x, y) / (r * rng.uniform(0.38, 0.5))
        image = tx.lerp_color(image, accent if n % 2 == 0 else (60, 60, 66), 1 - tx.smoothstep(distance, 1.0, 1.12))
        image = tx.lerp_color(image, (96, 168, 206), 1 - tx.smoothstep(distance, 0.66, 0.76))
    if rng.random() < 0.3:
        image[(np.floor(u * 8) % 2 == 0) & (v < 0.2)] = accent
    model.lathe(rows, tx.to_uint8(image), 24, 2)
    model.lathe([(0, low + 0.5), (rows[0, 0], low)], plain((56, 56, 60)), hull=False)
    model.lathe([(0, low * 0.45), (r * 0.5, low * 0.35), (r * 0.42, low * 1.1)], plain((56, 56, 60)), 16, 1)
    count = choice(rng, (3, 3, 4))
    reach = r * rng.uniform(0.7, 1.2)
    paint = plain(accent * 0.95)
    rise = h * rng.uniform(0.26, 0.36)
    fin = [(r * 0.62, low + 0.02 * h), (r + reach, 0), (r + reach, h * 0.1), (r * 0.92, rise)]
    for n in range(count):
        turn = rotation("z", 45 + 360 * n / count) @ rotation("x", 90)
        model.prism(fin, -0.012 * h, 0.012 * h, paint, turn=turn)
    features = [f"with {'three' if count == 3 else 'four'} fins"]
    features += [f"with {'a window' if windows == 1 else 'two windows'}"]
    return model.instance(skin, "rocket-shaped", features, colors=(word, other), density=350)


@generates("toy train")
def toy_train(rng: Rng) -> Instance:
    """Toy trains: steam or modern engines of wood, plastic or metal, some with a wagon."""
    model = ModelBuilder()
    length = rng.uniform(70, 135)
    wide, wheel = length * rng.uniform(0.34, 0.44), length * rng.uniform(0.08, 0.11)
    material = choice(rng, weighted("wood 2, plastic 2, metal"))
    word = choice(rng, (*TOYS, "black"))
    other = choice(rng, [c for c in (*TOYS, "black") if c != word])
    main = finish(rng, material, word)
    accent = finish(rng, material, other).image(60, 60, 64)
    skin = main.image(60, 60, 64)
    base, floor = wheel * 1.1, length * 0.07
    model.box((length, wide * 0.8, floor), accent, 0.6, at=(0, 0, base + floor / 2))
    top = base + floor
    steam = rng.random() < 0.93
    cab, tall = length * rng.uniform(0.28, 0.36), length * rng.uniform(0.38, 0.5)
    glass = plain((50, 60, 76))
    x = -length / 2 + cab / 2
    if steam:
        r = wide * rng.uniform(0.32, 0.4)
        boiler = np.array([(0, 0), (1, 0), (1, 0.93), (0.85, 1), (0, 1)]) * [r, length * 0.97 - cab]
        model.lathe(boiler, skin, 20, 1, at=(-length / 2 + cab, 0, top + r), turn=rotation("y", 90))
        profile = [(r * 0.9, 0), (r * 0.9, 1.2), (0, 1.4)]
        model.lathe(profile, accent, 20, at=(length * 0.47, 0, top + r), turn=rotation("y", 90), hull=False)
        size = (2.0, r * 0.5, r * 0.5)
        model.ball(size, plain((250, 236, 170)), rows=7, segments=10, at=(length * 0.485, 0, top + r), hull=False)
        flare = rng.uniform(1.0, 1.9)
        high = length * rng.uniform(0.12, 0.2)
        stack = np.array([(1, 0), (1, 0.5), (flare, 1), (flare * 0.75, 1), (flare * 0.7, 0.85), (0, 0.85)]) * [
            r * 0.35,
            high,
        ]
        model.lathe(
            stack, plain((36, 36, 40)) if rng.random() < 0.5 else accent, 16, 1, at=(length * 0.34, 0, top + r * 1.9)
        )
        dome = length * 0.07
        size = (dome * 2, dome * 2, dome * 2)
        model.ball(size, plain((214, 176, 60)), rows=9, segments=14, at=(0.08 * length, 0, top + r * 1.95), hull=False)
        model.box((cab, wide, tall), skin, 0.8, at=(x, 0, top + tall / 2))
        roof = (cab * 1.25, wide * 1.15, length * 0.04)
        model.box(roof, accent, 0.8, at=(x, 0, top + tall + roof[2] / 2))
        model.box((cab * 0.5, wide + 0.8, tall * 0.34), glass, 0, at=(x, 0, top + tall * 0.68), hull=False)
    else:
        side = [(-length / 2, top), (length / 2, top), (length * 0.49, top + 0.4 * tall), (length * 0.38, top + tall)]
        side += [(-length / 2, top + tall)]
        model.prism(side, -wide / 2, wide / 2, skin, turn=rotation("x", 90))
        for n in range(4):
            size = (length * 0.12, wide + 0.8, tall * 0.3)
            model.box(size, glass, 0, at=(length * (0.18 * n - 0.36), 0, top + tall * 0.68), hull=False)
        size = (length * 0.98, wide + 0.9, tall * 0.12)
        model.box(size, accent, 0.2, at=(-length * 0.005, 0, top + tall * 0.32), hull=False)
        slope = [(length * 0.482, top + 0.48 * tall), (length * 0.488, top + 0.49 * tall)]
        slope += [(length * 0.408, top + 0.92 * tall), (length * 0.402, top + 0.9 * tall)]
        model.prism(slope, -wide * 0.4, wide * 0.4, glass, turn=rotation("x", 90), hull=False)
    hub = tint(rng, choice(rng, ("red", "grey", "yellow")))
    tire = TIRE if rng.random() < 0.6 else tint(rng, choice(rng, TOYS))
    wagon = rng.random() < 0.35
    ends = [0.0]
    if wagon:
        shift = -length * 1.12
        ends.append(shift)
        third = choice(rng, [c for c in TOYS if c != word])
        car = finish(rng, material, third).image(60, 60, 64)
        model.box((length * 0.94, wide * 0.8, floor), accent, 0.6, at=(shift, 0, base + floor / 2), hull=False)
        model.box((length * 0.9, wide * 0.95, tall * 0.55), car, 1.0, at=(shift, 0, top + tall * 0.275))
        model.box((length * 0.25, 3, 3), plain(TIRE), 0, at=(shift / 2, 0, base + floor / 2))
        model.hull(
            [(shift + a * length * 0.47, b * wide * 0.46, z) for a in (-1, 1) for b in (-1, 1) for z in (0, top)]
        )
    for shift in ends:
        for n, px in enumerate((0.32, 0.0, -0.32) if steam and not shift else (0.3, -0.3)):
            for s in (-1, 1):
                big = wheel * (1.3 if steam and n == 2 else 1)
                add_wheel(model, (px * length + shift, s * wide * 0.42, big), big, wide * 0.1, s, tire, hub, hull=False)
    model.hull([(a * length * 0.45, b * wide * 0.46, z) for a in (-1, 1) for b in (-1, 1) for z in (0, top)])
    features = ["with a chimney" if steam else "without a chimney", "with a wagon" if wagon else "without a wagon"]
    features += ["with wheels"]
    return model.instance(main, "train-shaped", features, colors=(word, other), density=450)


TOY_TRUCK_GLASS = (40, 52, 66)


@generates("toy truck")
def toy_truck(rng: Rng) -> Instance:
    """Toy trucks: a cab in front of a tipper, box, tank, flat bed with logs, or ladder, on four or six wheels."""
    model = ModelBuilder()
    length = rng.uniform(85, 210)
    wide, wheel = length * rng.uniform(0.34, 0.44), length * rng.uniform(0.075, 0.105)
    form = choice(rng, weighted("tipper 2, box 2, tank, logs, fire"))
    material = choice(rng, weighted("plastic 2, metal, wood"))
    cab_word = "red" if form == "fire" else choice(rng, TOYS)
    load_word = choice(rng, [c for c in (*TOYS, "grey") if c != cab_word]) if form != "fire" else "red"
    skin, load = finish(rng, material, cab_word), finish(rng, material, load_word)
    cab_skin, load_skin = skin.image(60, 60, 64), load.image(60, 60, 64)
    low, floor = wheel * 0.9, length * 0.05
    frame = plain((60, 60, 64))
    model.box((length * 0.94, wide * 0.7, floor), frame, 0.5, at=(0, 0, low + floor / 2))
    base = low + floor
    cab, tall = length * rng.uniform(0.22, 0.3), length * rng.uniform(0.27, 0.36)
    x = length / 2
    nose = rng.random() < 0.4
    front = x - (cab * 0.45 if nose else 0)
    side = [(x - cab * (1.3 if nose else 1), base), (front, base), (front - 0.12 * cab, base + tall)]
    side += [(x - cab * (1.3 if nose else 1), base + tall)]
    spin = rotation("x", 90)
    model.prism(side, -wide / 2, wide / 2, cab_skin, turn=spin)
    if nose:
        model.box((cab * 0.5, wide * 0.8, tall * 0.45), cab_skin, 1.5, at=(x - 0.25 * cab, 0, base + 0.22 * tall))
    pane = np.array([(0.98, 0.5), (0.92, 0.9)]) * [cab, tall] + [front - cab, base]
    window = [
        (front - cab * 0.75, base + tall * 0.5),
        *(pane[0] - [0.12 * cab, 0], pane[1] - [0.1 * cab, 0]),
        (front - cab * 0.75, base + tall * 0.9),
    ]
    model.prism(window, -wide / 2 - 0.4, wide / 2 + 0.4, plain(TOY_TRUCK_GLASS), turn=spin, hull=False)
    slope = np.add([pane[0], pane[0] + [0.6, 0.1], pane[1] + [0.6, 0.1], pane[1]], [0.012 * cab, 0])
    model.prism(slope, -wide * 0.42, wide * 0.42, plain(TOY_TRUCK_GLASS), turn=spin, hull=False)
    for y in (-0.34, 0.34):
        extent = (2.5, wide * 0.15, wide * 0.15)
        model.ball(
            extent, plain((250, 240, 190)), rows=7, segments=10, at=(x, y * wide, base + tall * 0.16), hull=False
        )
    back = -x
    start = x - cab * 1.04 if not nose else x - cab * 1.36
    long = start - back
    middle = (start + back) / 2
    if form == "tank":
        r = wide * rng.uniform(0.4, 0.5)
        body = np.array([(0, -0.5), (0.75, -0.48), (1, -0.42), (1, 0.42), (0.75, 0.48), (0, 0.5)]) * [r, long]
        model.lathe(body, load_skin, turn=rotation("y", 90), at=(middle, 0, base + r), pieces=1)
    elif form == "logs":
        load_skin = finish(rng, "wood", "brown", rgb=WOODS).image(40, 60, 64)
        load_word = "brown"
        r = wide * 0.17
        for y, z in ((-2, 0), (0, 0), (2, 0), (-1, 1.75), (1, 1.75)):
            log = np.array([(0, -0.48), (1, -0.48), (1, 0.48), (0, 0.48)]) * [r, long]
            model.lathe(log, load_skin, 12, at=(middle, y * r, base + r + z * r), turn=rotation("y", 90), pieces=1)
    elif form == "tipper":
        tilt = choice(rng, (0, 0, 25))
        high = tall * rng.uniform(0.5, 0.7)
        wall = length * 0.02
        turn = rotation("y", tilt)
        pivot = np.array([back, 0, base])
        parts = [
            ((long, wide, wall), (long / 2, 0, wall / 2)),
            *(((long, wall, high), (long / 2, s * (wide - wall) / 2, high / 2)) for s in (-1, 1)),
            *(((wall, wide, high), (p, 0, high / 2)) for p in (wall / 2, long - wall / 2)),
        ]
        for size, at in parts:
            model.box(
                size, load_skin, 0.5, at=pivot + turn.T @ np.array(at, dtype=float) if tilt else pivot + at, turn=turn.T
            )
    else:
        high = tall * (rng.uniform(1.0, 1.35) if form == "box" else 0.72)
        model.box((long, wide, high), load_skin, 1.2, at=(middle, 0, base + high / 2))
        if form == "fire":
            for y in (-0.12, 0.12):
                extent = (long * 1.25, 2.5, 2.5)
                model.box(
                    extent, plain((214, 214, 216)), 0, at=(middle + 0.1 * long, y * wide, base + tall + 2), hull=False
                )
            for n in np.linspace(-0.48, 0.7, 9):
                extent = (2, wide * 0.24, 2)
                model.box(extent, plain((214, 214, 216)), 0, at=(middle + n * long, 0, base + tall + 2), hull=False)
            extent = (long * 1.25, wide * 0.28, tall * 0.3)
            model.box(extent, plain(tint(rng, "red")), 0, at=(middle + 0.1 * long, 0, base + tall * 0.85))
            model.box(
                (4, wide * 0.6, 4), plain((30, 70, 200)), 0.5, at=(front - cab * 0.5, 0, base + tall + 2), hull=False
            )
    places = (0.33, -0.33) if length < 130 or form == "tipper" else (0.33, -0.16, -0.36)
    for px in places:
        for s in (-1, 1):
            add_wheel(model, (px * length, s * wide * 0.44, wheel), wheel, length * 0.05, s, hull=False)
        model.hull([(px * length + a, b * wide / 2, z) for a in (-wheel, wheel) for b in (-1, 1) for z in (0, base)])
    words = {
        "tipper": "with a dump bed",
        "box": "with a cargo box",
        "tank": "with a tank",
        "logs": "with logs",
        "fire": "with a ladder",
    }
    features = [words[form], f"with {'four' if len(places) == 2 else 'six'} wheels"]
    order = (load_word, cab_word) if form in ("box", "tank", "tipper") else (cab_word, load_word)
    return model.instance(skin, "truck-shaped", features, colors=order, density=400)
