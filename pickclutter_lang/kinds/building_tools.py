"""Tools that build: hammers, saws, drills, brushes and measures."""

from itertools import pairwise

import numpy as np
from PIL import ImageDraw

from pickclutter_lang.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish, ribbed, tint, weighted
from pickclutter_lang.kinds.fittings import (
    ALONG_X,
    ALONG_Y,
    BLACK,
    BRASS,
    DARK_STEELS,
    TOOL_COLORS,
    VIVID,
    banded,
    disc,
    steel,
)
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import Brand, sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface, rotation


@generates("axe")
def axe(rng: Rng) -> Instance:
    """Axes: hatchets with wedge-shaped steel heads, some painted, on curved handles of wood or fiberglass."""
    # Pose: lying along y, its edge towards +x.
    model = ModelBuilder()
    length, thick = rng.uniform(215, 290), rng.uniform(9, 12)
    wooden = rng.random() < 0.7
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS)
        if wooden
        else finish(rng, "plastic", weighted("black 2, yellow, orange, red, green"), wear=0.5)
    )
    y = np.linspace(0, length, 16)
    bow = rng.uniform(2, 9)
    x = bow * np.sin(2 * np.pi * y / length - 0.4) + bow * 0.4
    form = smooth([(1.1,), (1.5,), (1.1,), (1.0,), (1.05,), (1.15,), (1.2,)], 16)[:, 0] * thick
    model.sweep(np.c_[x, y, 0 * y], form, skin, 0.72 * thick, power=2.4, pieces=3)
    grip = not wooden or rng.random() < 0.15
    if grip:
        part = slice(0, 7)
        rubber: Skin = plain(
            tint(rng, "black" if skin.colors[0] != "black" else choice(rng, ("orange", "red", "yellow")))
        )
        model.sweep(np.c_[x, y - 1, 0 * y][part], form[part] * 1.1, rubber, 0.82 * thick, power=2.4, hull=False)
    metal = steel(rng, DARK_STEELS, wear=0.9)
    head, poll = rng.uniform(75, 105), rng.uniform(16, 26)
    at = length - rng.uniform(20, 30)
    t = np.array([0, 0.12, 0.3, 0.55, 0.8, 0.93, 1])
    flare, low = rng.uniform(22, 34), rng.uniform(16, 20)
    up = np.interp(t, [0, 0.3, 1], [low, low * 0.9, flare])
    down = np.interp(t, [0, 0.3, 1], [low, low * 0.95, flare * rng.uniform(1.0, 1.5)])
    spine = -poll + t * head
    high = np.interp(t, [0, 0.3, 0.9, 1], [1.35 * thick, 1.3 * thick, 3.0, 0.5])
    left = np.c_[spine, at + up]
    right = np.c_[spine, at - down]
    left[-1, 0], right[-1, 0] = spine[-1] - 3, spine[-1] - 4
    painted = rng.random() < 0.4
    body: Skin = metal
    word = choice(rng, weighted("red 2, black, blue, green"))
    if painted:
        _, v = tx.uv_grid(96, 48)
        edge = rng.uniform(0.6, 0.78)
        body = tx.to_uint8(tx.lerp_color(tint(rng, word), (186, 188, 192), tx.smoothstep(v, edge, edge + 0.03)))
    else:
        _, v = tx.uv_grid(96, 48)
        noise = 4 * tx.grid_noise(rng, (96, 48), 8, 12)[..., None]
        body = tx.to_uint8(tx.lerp_color(metal.tints[0], (212, 214, 218), tx.smoothstep(v, 0.8, 0.86)) + noise)
    model.plate(left, right, -high, high, body, pieces=1)
    features = ["with a wooden handle" if wooden else "with a plastic handle"]
    features += [f"with a {word} head" if painted else "with a steel head"]
    colors = (*skin.colors, word if painted else metal.colors[0])
    return model.instance(skin, "l-shaped", features, colors=colors, material=skin.material, density=1500)


@generates("chisel")
def chisel(rng: Rng) -> Instance:
    """Chisels: flat steel blades with a beveled edge, on turned wooden or molded plastic handles."""
    # Pose: lying with its edge at +y.
    model = ModelBuilder()
    grip, blade = rng.uniform(95, 130), rng.uniform(75, 125)
    r = grip * rng.uniform(0.115, 0.145)
    wide = rng.uniform(5, 17)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    image: Skin = skin
    colors = (*skin.colors, "grey")
    if not wooden and rng.random() < 0.6:
        second = "black" if skin.colors[0] != "black" else "yellow"
        other = tint(rng, second)
        colors = (skin.colors[0], second, "grey")
        image = banded([(0, other), (rng.uniform(0.15, 0.3), skin.tints[0]), (rng.uniform(0.7, 0.85), other)])
    form = [(0.85, 0), (1.0, 0.08), (0.98, 0.3), (rng.uniform(0.75, 0.95), 0.6), (1.0, 0.78), (0.62, 0.95), (0.58, 1)]
    profile = [(0, 0), *(smooth(form, 18) * [r, grip]), (0, grip)]
    model.lathe(profile, image, segments=20, pieces=2, at=(0, -grip, 0), turn=ALONG_Y)
    metal = steel(rng)
    hoop = plain(BRASS if wooden and rng.random() < 0.6 else (160, 162, 166))
    ferrule = [(0, 0), (0.68 * r, 0), (0.6 * r, 11), (0, 11)]
    model.lathe(ferrule, hoop, segments=16, pieces=1, at=(0, -6, 0), turn=ALONG_Y)
    capped = rng.random() < 0.5
    if capped:
        cap = [(0, 0), (0.8 * r, 0), (1.02 * r, 3), (1.02 * r, 8), (0, 8)]
        model.lathe(cap, hoop, segments=16, pieces=1, at=(0, -grip - 4, 0), turn=ALONG_Y)
    y = np.array([0, 0.12, 0.25, 0.32, 0.9, 0.91, 1]) * blade + 4
    half = np.interp(y / blade, [0, 0.2, 0.34, 1], [0.3 * r, 0.28 * r, wide, wide])
    high = np.array([2.6, 2.5, 2.0, 1.8, 1.5, 1.4, -1.1])
    model.plate(np.c_[-half, y], np.c_[half, y], np.full(7, -1.6), high, metal, pieces=2)
    edge = y[4:] + 0.2
    model.plate(
        np.c_[-half[4:], edge],
        np.c_[half[4:], edge],
        np.full(3, -1.5),
        high[4:] + 0.15,
        plain((214, 216, 220)),
        hull=False,
    )
    features = ["with a wooden handle" if wooden else "with a plastic handle"]
    features += ["with a wide blade" if wide > 12 else "with a narrow blade" if wide < 8 else ""]
    features += ["with a metal cap" if capped else ""]
    return model.instance(skin, "long and thin", features, colors=colors, density=1500)


@generates("hammer")
def hammer(rng: Rng) -> Instance:
    """Hammers: claw or cross-peen heads of steel on handles of wood, plastic or with a rubber grip."""
    # Pose: lying along y with its head at +y.
    model = ModelBuilder()
    length, head = rng.uniform(210, 285), rng.uniform(80, 115)
    steel = finish(rng, "steel", ("grey",), wear=0.8, rgb=((66, 68, 72), (104, 106, 110), (140, 142, 146)))
    grip_type = choice(rng, weighted("wood 2, plastic, rubber"))
    colors = {"wood": ("brown",), "plastic": ("yellow", "red", "blue", "orange", "green")}.get(
        grip_type, ("black", "blue", "red", "orange")
    )
    grip = finish(rng, grip_type, colors, wear=0.6, rgb=WOODS if grip_type == "wood" else ())
    thick = rng.uniform(9, 12)
    y = np.linspace(0, length, 12)
    form = smooth([(1.0,), (1.25,), (1.15,), (0.9,), (0.85,), (0.8,)], 12)[:, 0] * thick
    if grip_type == "rubber":
        shaft = steel if rng.random() < 0.6 else finish(rng, "wood", "brown", rgb=WOODS)
        model.sweep(np.c_[0 * y, y, 0 * y], 0.75 * thick, shaft, 0.55 * thick, power=2.5, pieces=1)
        y = np.linspace(-2, length * rng.uniform(0.42, 0.5), 12)
        form = form * 1.1
    model.sweep(np.c_[0 * y, y, 0 * y], form, grip, form * 0.72, power=2.6, pieces=1)
    at = length - 12
    r = rng.uniform(11, 14.5)
    model.box((r * 2.1, r * 2, r * 1.9), steel, rounding=3, at=(0, at, 0))
    face = [(0.0, 0.0), (r * 1.05, 0.0), (r * 1.15, 2.0), (r * 1.15, 14.0), (r * 0.95, 18.0), (r * 0.75, 21.0)]
    face += [(r * 0.75, head * 0.42)]
    model.lathe(
        [(q, z - head * 0.42 - r * 0.4) for q, z in face], steel, turn=rotation("y", 90), at=(0, at, 0), pieces=2
    )
    claw = rng.random() < 0.75
    if claw:
        drop = rng.uniform(18, 32)
        for side in (-1, 1):
            spine = smooth(
                [
                    (r * 0.6, 2, side * 4),
                    (head * 0.3, 0, side * 5),
                    (head * 0.48, -drop * 0.4, side * 7),
                    (head * 0.62, -drop, side * 9.5),
                ],
                9,
            )
            line = np.add(spine, (0, at, 0))
            model.sweep(line, np.linspace(r * 0.8, 2, 9), steel, np.linspace(7, 4, 9), power=3, segments=10, pieces=2)
    else:
        x = np.linspace(r * 0.6, head * 0.55, 4)
        path = np.c_[x, np.full(4, at), 0 * x]
        model.sweep(path, np.linspace(r * 0.9, 2, 4), steel, np.linspace(r * 0.9, r, 4), power=5, pieces=1)
    words = {"wood": "with a wooden handle", "plastic": "with a plastic handle", "rubber": "with a rubber grip"}
    features = [words[grip_type], "with a claw" if claw else "without a claw"]
    return model.instance(steel, "t-shaped", features, colors=(*grip.colors, "grey"), density=1800)


@generates("hand saw")
def hand_saw(rng: Rng) -> Instance:
    """Hand saws: tapered blades with teeth, and looped handles of wood or plastic."""
    # Pose: lying with its teeth towards +x and its handle at -y.
    model = ModelBuilder()
    length = rng.uniform(150, 205)
    heel, toe = length * rng.uniform(0.28, 0.36), length * rng.uniform(0.1, 0.2)
    metal = steel(rng, (*STEEL, (196, 198, 202)), wear=0.8)
    teeth = int(rng.integers(20, 30))
    y = np.linspace(0, length, 2 * teeth + 1)
    depth = length / teeth * 0.8
    front = np.where(np.arange(2 * teeth + 1) % 2, depth, 0)
    back = np.interp(y / length, [0, 0.75, 1], [heel, heel + (toe - heel) * 0.7, toe])
    model.plate(np.c_[-back, y], np.c_[front, y], -0.8, 0.8, metal, pieces=1)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.5, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    tall = heel * rng.uniform(1.15, 1.4)
    deep = heel * rng.uniform(0.85, 1.05)
    thick = rng.uniform(9, 12)
    loop = [(-0.1, 0), (-0.05, -0.55), (0.08, -0.95), (-0.2, -1.1), (-0.62, -1.0), (-0.95, -0.75), (-1.0, -0.25)]
    loop += [(-0.85, 0.1)]
    corners = np.array([*loop, (-0.45, 0.16), (-0.1, 0)]) * [tall, deep] + [0.1 * tall, -0.1 * deep]
    path = np.c_[smooth(corners, 28), np.zeros(28)]
    path[-1] = path[0]
    model.sweep(path, heel * rng.uniform(0.15, 0.19), skin, thick, power=3, segments=12, closed=True, pieces=6)
    cheek = [(0.05, -0.25), (-0.05, 0.35), (-0.35, 0.5), (-0.8, 0.3), (-0.85, -0.25)]
    model.prism(np.array(cheek) * [tall, deep], -0.8 * thick, 0.8 * thick, skin)
    bolts = plain(tint(rng, "grey", 2) if rng.random() < 0.6 else (190, 150, 70))
    for n in range(int(rng.integers(2, 4))):
        disc(model, 0.07 * heel, -0.9 * thick, 0.9 * thick, bolts, at=(-tall * (0.15 + 0.22 * n), 0.12 * deep, 0))
    features = ["with a wooden handle" if wooden else "with a plastic handle", "with teeth"]
    return model.instance(metal, "long and flat", features, colors=(*skin.colors, *metal.colors), density=900)


BRISTLES = ((40, 36, 34), (212, 188, 140), (150, 110, 66), (236, 228, 206), (84, 62, 44))


@generates("paint brush")
def paint_brush(rng: Rng) -> Instance:
    """Paint brushes: wide flat ones for walls, with a shaped handle, a metal ferrule and bristles, clean or used."""
    # Pose: lying with its bristles at +y.
    model = ModelBuilder()
    wide, thick = rng.uniform(14, 42), rng.uniform(6, 10)
    grip = rng.uniform(80, 120)
    band = rng.uniform(20, 32)
    hair = rng.uniform(0.8, 1.2) * (26 + 0.6 * wide)
    wooden = rng.random() < 0.55
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS)
        if wooden
        else finish(rng, choice(rng, ("plastic", "wood")), VIVID, wear=0.5)
    )
    y = np.linspace(-grip, 0, 16)
    neck = rng.uniform(0.42, 0.62) * 15
    form = smooth([(6,), (9.5,), (neck,), (neck * 0.95,), (0.7 * wide,), (wide,)], 16)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], form, skin, np.linspace(4.5, 0.85 * thick, 16), power=2.8, pieces=3)
    if rng.random() < 0.6:
        disc(model, 2.6, -5, 5, plain((36, 34, 32)), at=(0, -grip + 9, 0))
    metal = steel(rng).painted(BRASS) if rng.random() < 0.25 else steel(rng)
    y = np.linspace(-2, band, 5)
    model.sweep(np.c_[0 * y, y, 0 * y], wide * np.array([1, 1.04, 1, 1.04, 1]), metal, thick, power=4, pieces=1)
    for x in (-0.5, 0, 0.5):
        disc(model, 1.3, -thick - 0.5, thick + 0.5, plain((96, 96, 98)), at=(x * wide, 0.3 * band, 0))
    base = np.array(choice(rng, BRISTLES)) * rng.uniform(0.85, 1.1)
    _, v = tx.uv_grid(96, 112)
    strands = tx.grid_noise(rng, (96, 112), 3, 56)
    color = base * (1 + 0.16 * strands[..., None])
    word = choice(rng, ("white", "blue", "red", "green", "yellow", "orange", "pink"))
    painted = rng.random() < 0.35
    if painted:
        edge = rng.uniform(0.35, 0.7) + 0.08 * tx.grid_noise(rng, (96, 112), 2, 16)
        color = tx.lerp_color(
            color, tint(rng, word) * (1 + 0.06 * strands[..., None]), tx.smoothstep(v - edge, 0, 0.06)
        )
    y = np.linspace(band - 1, band + hair, 7)
    flare = rng.uniform(0.98, 1.1)
    widths = wide * np.array([0.97, 0.98, 1, 1.01, 1.02, 1.02, 1.0]) * np.linspace(1, flare, 7)
    tip = thick * np.array([0.95, 0.97, 0.95, 0.85, 0.65, 0.45, 0.2])
    model.sweep(np.c_[0 * y, y, 0 * y], widths, tx.to_uint8(color), tip, power=3.6, segments=20, pieces=1)
    features = ["with a wooden handle" if skin.material == "wood" else "with a plastic handle"]
    features += [f"with {word} paint on it" if painted else "clean"]
    features += ["wide" if wide > 32 else "narrow" if wide < 20 else ""]
    return model.instance(skin, "long and flat", features, density=600)


FLEECE = ((232, 226, 212), (236, 236, 232), (240, 214, 92), (214, 206, 190), (120, 120, 122), (226, 232, 240))


@generates("paint roller")
def paint_roller(rng: Rng) -> Instance:
    """Paint rollers: fleece or foam sleeves on a bent wire with a plastic or wooden handle."""
    # Pose: lying flat, its sleeve along x at +y.
    model = ModelBuilder()
    wide, r = rng.uniform(75, 165), rng.uniform(12, 24)
    reach, grip = rng.uniform(60, 95), rng.uniform(80, 115)
    base = np.array(choice(rng, FLEECE)) * rng.uniform(0.92, 1.03)
    fuzz = tx.grid_noise(rng, (80, 112), 30, 44) + 0.6 * tx.grid_noise(rng, (80, 112), 60, 80)
    color = base * (1 + 0.055 * fuzz[..., None])
    u, v = tx.uv_grid(80, 112)
    if rng.random() < 0.35:
        pitch = rng.uniform(5, 9)
        line = np.abs((v * pitch + rng.choice((0, 1)) * u) % 1 - 0.5) < 0.06
        color = tx.lerp_color(color, tint(rng, choice(rng, ("blue", "yellow", "green", "red"))), line.astype(float))
    painted = rng.random() < 0.35
    word = choice(rng, ("white", "blue", "red", "green", "yellow", "orange", "pink"))
    if painted:
        mask = tx.smoothstep(tx.grid_noise(rng, (80, 112), 3, 4), -1.2, -0.3)
        color = tx.lerp_color(color, tint(rng, word) * (1 + 0.04 * fuzz[..., None]), mask)
    end = wide / 2
    e = r * 0.2
    sleeve = [(0.45 * r, -end), (r - e, -end), (r, -end + e), (r, end - e), (r - e, end), (0.45 * r, end)]
    model.lathe(sleeve, tx.to_uint8(color), at=(0, 0, 0), turn=ALONG_X, segments=24, pieces=1)
    cap = plain(tint(rng, choice(rng, ("white", "black", "blue", "yellow", "green"))))
    profile = [(0, -end + 1), (0.5 * r, -end - 0.6), (0.5 * r, end + 0.6), (0, end + 1.5)]
    model.lathe(profile, cap, segments=16, turn=ALONG_X, hull=False)
    metal = steel(rng)
    thin = rng.uniform(2.4, 3.6)
    side = end + rng.uniform(8, 16)
    mid = -r - rng.uniform(12, 24)
    line = [(end - 2, 0), (side - 4, 0), (side, -5), (side, mid + 5), (side - 5, mid), (5, mid), (0, mid - 6)]
    line += [(0, -r - reach)]
    dense = np.concatenate([np.linspace(a, b, 3)[:-1] for a, b in pairwise(line)] + [[line[-1]]])
    model.sweep(np.c_[dense, np.zeros(len(dense))], thin, metal, segments=8, pieces=5)
    wooden = rng.random() < 0.25
    skin = (
        finish(rng, "wood", "brown", wear=0.5, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    form = [(0.7, 0), (1.05, 0.06), (1.1, 0.25), (0.9, 0.5), (1.05, 0.75), (0.85, 0.92), (0.55, 1)]
    body = smooth(form, 16) * [rng.uniform(11, 14), grip]
    at = (0, -r - reach - grip + 8, 0)
    model.lathe([(0, 0), *body, (0, grip)], skin, segments=20, pieces=2, at=at, turn=ALONG_Y)
    name = (
        "white"
        if base.min() > 195
        else "yellow"
        if base[2] < 130 < base[0] - 60
        else "grey"
        if base.max() < 180
        else "white"
    )
    colors = (word if painted else name, *skin.colors)
    features = ["with a wooden handle" if wooden else "with a plastic handle"]
    features += [f"with {word} paint on it" if painted else "clean"]
    return model.instance(skin, "t-shaped", features, colors=colors, density=350)


POWER_DRILL_COLORS = weighted("orange 2, yellow 2, red 2, blue 2, green, turquoise, black, grey")


@generates("power drill")
def power_drill(rng: Rng) -> Instance:
    """Power drills: pistols of two colors with a chuck, a trigger, a grip, and a battery foot or a cable."""
    # Pose: standing, with its chuck towards +y.
    model = ModelBuilder()
    scale = rng.uniform(0.75, 1.05)
    skin = finish(rng, "plastic", POWER_DRILL_COLORS, wear=0.4)
    second = "black" if skin.colors[0] != "black" else choice(rng, ("grey", "red", "yellow"))
    dark = np.array(BLACK) if second == "black" else tint(rng, second)
    cordless = rng.random() < 0.75
    r, long = scale * rng.uniform(25, 30), scale * rng.uniform(100, 145)
    brand = sample_brand(rng, ("drill",), skin.colors)
    rear = [(0, 0), (0.7, 0), (0.93, 0.07), (1, 0.2), (1, 0.7), (0.92, 0.86), (0.86, 1), (0, 1)]
    tall = rng.uniform(1.05, 1.25)
    slim = rng.uniform(0.82, 0.95)
    profile = np.array(rear) * [r, long]
    model.lathe(
        profile, _housing(rng, brand, skin.tints[0], dark), pieces=2, bend=lambda q: q * [slim, tall, 1], turn=ALONG_Y
    )
    chuck = scale * rng.uniform(36, 50)
    form = [(0, 0), (0.86, 0), (0.86, 0.2), (0.78, 0.22), (0.78, 0.62), (0.6, 0.7), (0.42, 1), (0.2, 1), (0, 0.9)]
    if rng.random() < 0.4:
        model.lathe(
            np.array([(0.85, 0), (0.94, 0.02), (0.94, 0.2), (0.85, 0.22)]) * [r, chuck],
            plain(tint(rng, skin.colors[0]) if rng.random() < 0.5 else (150, 152, 156)),
            at=(0, long, 0),
            turn=ALONG_Y,
            hull=False,
        )
    profile = np.array(form) * [r * 0.95, chuck]
    model.lathe(profile, ribbed((40, 40, 42), 18, -0.5, 0.4, 0.75), at=(0, long, 0), turn=ALONG_Y, pieces=2)
    down = scale * rng.uniform(98, 125)
    lean = rng.uniform(-14, 18) * scale
    y0 = long * rng.uniform(0.25, 0.42)
    spine = smooth([(0, y0, -0.5 * r), (0, y0 - 0.35 * lean, -0.45 * down), (0, y0 - lean, -down)], 12)
    width = scale * smooth([(23,), (19,), (16.5,), (18,), (22,)], 12)[:, 0] * rng.uniform(0.95, 1.1)
    grip = banded([(0, skin.tints[0]), (0.18, dark), (0.8, skin.tints[0])]) if rng.random() < 0.5 else plain(dark)
    model.sweep(spine, 0.85 * width, grip, width, power=2.4, up=(0, 1, 0), pieces=2)
    trigger = plain(tint(rng, choice(rng, ("black", "red", "black"))))
    model.box((9, 14, 24), trigger, 4, at=(0, y0 + 0.9 * width[2], -1.25 * r - 8))
    foot = y0 - lean
    if cordless:
        size = np.array([rng.uniform(46, 58), rng.uniform(80, 112), rng.uniform(26, 42)]) * scale
        battery = (
            plain(tint(rng, skin.colors[0]))
            if rng.random() < 0.25
            else plain(np.asarray(BLACK) * rng.uniform(0.8, 1.6))
        )
        sides = dict.fromkeys(("top", "bottom", "front", "back"), battery) | {
            name: _battery(rng, brand, battery) for name in ("left", "right")
        }
        model.box(size.tolist(), sides, 5, at=(0, foot + 5, -down - size[2] / 2))
        model.prism(rounded(0.9 * size[0], 0.9 * size[1], 8), -down - 2, -down + 9, skin, at=(0, foot + 4, 0))
    else:
        cable = smooth([(0, foot, -down), (0, foot - 6, -down - 14), (4, foot - 26, -down - 22)], 9)
        model.sweep(cable, np.linspace(6, 3.5, 9), plain(BLACK), up=(1, 0, 0), pieces=2)
    features = ["with a battery" if cordless else "with a cable", "with a trigger", "with lettering"]
    return model.instance(
        skin, "pistol-shaped", features, colors=(*skin.colors, second), pattern="two-coloured", density=900
    )


def _housing(rng: Rng, brand: Brand, color: Floats, dark: Floats) -> TextureImage:
    """Paint the motor's housing: vents at the back, the brand on both sides."""
    image, draw = tx.canvas((160, 96), [*color])
    if rng.random() < 0.6:
        draw.rectangle([0, 0, 160, rng.integers(10, 24)], fill=tuple(int(c) for c in dark))
    for side in (0.0, 0.5, 1.0):
        _vents(draw, 160 * side)
        tx.draw_text(
            image, brand.name, (160 * side, 46), min(14, 64 / len(brand.name)), [*dark], 90 if side != 0.5 else 270
        )
    return np.asarray(image)


def _vents(draw: ImageDraw.ImageDraw, x: float) -> None:
    for n in range(-2, 3):
        draw.rectangle([x + 6 * n - 1, 76, x + 6 * n + 1, 88], fill=(24, 24, 26))


def _battery(rng: Rng, brand: Brand, ground: TextureImage) -> TextureImage:
    image, _ = tx.canvas((96, 40), ground[0, 0].tolist())
    ink = (236, 236, 232) if ground[0, 0].mean() < 120 else (30, 30, 32)
    tx.draw_text(image, choice(rng, ("12 V", "18 V", "20 V MAX", "14.4 V", "LI-ION")), (48, 20), 15, ink)
    return np.asarray(image)


FACING_X = rotation("z", 90) @ rotation("x", 90)
LIQUIDS = ((206, 226, 40), (176, 222, 60), (228, 232, 70), (120, 214, 190))
SPIRIT_LEVEL_WOODEN = ((188, 132, 76), (160, 100, 54))


@generates("spirit level")
def spirit_level(rng: Rng) -> Instance:
    """Spirit levels: long bars of colored metal or plastic with vials of yellow-green liquid and a bubble."""
    model = ModelBuilder()
    length = rng.uniform(120, 280)
    tall = rng.uniform(38, 54) * (0.7 + length / 800)
    thick = rng.uniform(14, 22)
    wooden = rng.random() < 0.1
    material = choice(rng, weighted("metal 2, plastic"))
    skin = finish(rng, material, [*TOOL_COLORS, *weighted("yellow, grey 2")], wear=0.5)
    if wooden:
        skin = finish(rng, "wood", "brown", wear=0.5, rgb=SPIRIT_LEVEL_WOODEN)

    def panel(y: float, z: float, wide: float, high: float, image: Skin, out: float, turn: float = 0) -> None:
        """Add a thin panel to both faces."""
        outline = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * [wide / 2, high / 2]
        for side in (-1, 1):
            near, far = sorted((side * (thick / 2 + out - 0.8), side * (thick / 2 + out)))
            model.prism(outline, near, far, image, at=(0, y, z), turn=rotation("x", turn) @ FACING_X, hull=False)

    model.box((thick, length, tall), skin, 1.2, at=(0, 0, tall / 2))
    web = skin.solid(rng.uniform(0.72, 0.9))
    if not wooden and rng.random() < 0.6:
        panel(0, tall / 2, length - 8, tall * 0.66, web, 0.3)
    caps = rng.random() < 0.5
    for side in (-1, 1) if caps else ():
        model.box((thick + 2, 7, tall + 1.5), plain(BLACK), 1.5, at=(0, side * (length / 2 - 1), tall / 2))
    liquid = np.array(choice(rng, LIQUIDS))
    rims = [c for c in ("black", "white", "red", "yellow") if c != skin.colors[0]]
    frame = plain(tint(rng, choice(rng, rims)) if not wooden else (190, 156, 80))
    window = rng.uniform(14, 20) * (0.6 + length / 500)
    vial = _vial(liquid, float(rng.uniform(0.35, 0.65)))
    panel(0, tall * 0.76, 2.7 * window, tall * 0.52, frame, 0.6)
    panel(0, tall * 0.8, 2 * window, tall * 0.36, vial, 1.1)
    top = dict.fromkeys(("right", "left", "front", "back", "bottom"), frame) | {
        "top": np.ascontiguousarray(np.rot90(vial))
    }
    model.box((thick * 0.7, 2 * window, 1), top, 0.2, at=(0, 0, tall), hull=False)
    ends = int(choice(rng, (1, 2, 2))) if length > 150 else 1
    r = tall * rng.uniform(0.3, 0.38)
    for n in range(ends):
        y = (1 - 2 * n) * length * rng.uniform(0.32, 0.37)
        h = thick / 2
        for side in (-1, 1):
            for size, image, out in ((r, frame, 1.0), (0.8 * r, web, 1.3)):
                near, far = sorted((side * (h - 1), side * (h + out)))
                model.prism(circle(size, 20, (y, tall / 2)), near, far, image, turn=FACING_X, hull=False)
        panel(y, tall / 2, 1.5 * r, 0.55 * r, vial, 1.8, 90 if n == 0 or rng.random() < 0.6 else 45)
    if rng.random() < 0.7 and not wooden:
        brand = sample_brand(rng, ("level",), skin.colors)
        label, _ = tx.canvas((64, 20), skin.tints[0].tolist())
        tx.draw_text(label, brand.name, (32, 9), min(13, 84 / len(brand.name)), brand.ink)
        panel(
            -0.2 * length if ends == 1 else -0.17 * length,
            0.3 * tall,
            0.15 * length,
            0.3 * tall,
            np.asarray(label),
            0.7,
        )
    count = ("one", "two", "three")[ends]
    features = [f"with {count} vials", "with end caps" if caps else ""]
    return model.instance(skin, "long and rectangular", features, density=700)


def _vial(liquid: Floats, place: float) -> TextureImage:
    """Paint a vial with its bubble and two black lines."""
    u, v = tx.uv_grid(24, 72)
    color = tx.lerp_color(liquid * 0.75, liquid * 1.15, np.sin(np.pi * v))
    bubble = 1 - tx.smoothstep(np.hypot((u - place) / 0.13, (v - 0.58) / 0.3), 0.8, 1)
    color = tx.lerp_color(color, (248, 252, 226), 0.85 * bubble)
    return tx.to_uint8(tx.lerp_color(color, (20, 20, 20), (np.abs(np.abs(u - 0.5) - 0.17) < 0.016).astype(float)))


TAPE_MEASURE_UPRIGHT = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z), its height x


@generates("tape measure")
def tape_measure(rng: Rng) -> Instance:
    """Tape measures: rounded cases with a label, a rubber bumper or belt clip, and a yellow tape with a hook."""
    # Pose: standing, its tape towards +y.
    model = ModelBuilder()
    size = rng.uniform(45, 78)
    thick = size * rng.uniform(0.42, 0.6)
    round_by = rng.uniform(0.6, 1.0)
    skin = finish(rng, "plastic", [*TOOL_COLORS, "grey", "turquoise", "pink"], wear=0.5)
    half = size / 2
    cut = round_by * size * 0.45
    corners = [(half, 0), (half, size - cut), (half - 0.3 * cut, size - 0.3 * cut), (half - cut, size)]
    corners += [(-half + cut, size)]
    corners += [
        (-half + 0.3 * cut, size - 0.3 * cut),
        (-half, size - cut),
        (-half, 0.25 * cut),
        (-half + 0.25 * cut, 0),
    ]
    outline = smooth([*corners, corners[0]], 44)[:-1]
    outline[:, 1] = np.maximum(outline[:, 1], 0)
    dark = tint(rng, "black" if skin.colors[0] != "black" else choice(rng, ("yellow", "red", "grey")))
    bumper = rng.random() < 0.6
    model.prism(outline, -thick / 2, thick / 2, skin, plain(dark) if bumper else None, turn=TAPE_MEASURE_UPRIGHT)
    inner = (outline - [0, size / 2]) * 0.86 + [0, size / 2]
    r = size * rng.uniform(0.24, 0.34)
    badge = circle(1, 24) * r * choice(rng, ((1.0, 1.0), (1.0, 1.0), (1.15, 0.7))) + [0, size * 0.52]
    label = _label(rng, skin.colors[0], dark)
    for side in (-1, 1):
        near, middle, far = (side * (thick / 2 + out) for out in (-0.5, 1.5, 2.2))
        model.prism(inner, min(near, middle), max(near, middle), skin, turn=TAPE_MEASURE_UPRIGHT, hull=False)
        model.prism(
            badge, min(middle, far), max(middle, far), label, plain(dark), turn=TAPE_MEASURE_UPRIGHT, hull=False
        )
    out = rng.uniform(4, 14) if rng.random() < 0.6 else rng.uniform(20, 55)
    wide = thick * rng.uniform(0.55, 0.7)
    tape = tint(rng, choice(rng, weighted("yellow 3, white")))
    model.box(
        (wide, out + 6, 1.2),
        {**dict.fromkeys(("left", "right", "front", "back"), plain(tape))}
        | {"top": _ticks(tape, out + 6), "bottom": plain(tape * 0.8)},
        0.2,
        at=(0, half + out / 2 - 2, 4),
    )
    model.box((wide * 0.9, 1.4, 9), plain((176, 178, 182)), 0.3, at=(0, half + out + 1, 0.9))
    model.box((wide + 5, 5, 9), plain(dark), 1, at=(0, half - 0.5, 6))
    clip = rng.random() < 0.4
    if clip:
        model.box((1.5, 0.22 * size, 0.55 * size), plain((150, 152, 156)), 0.5, at=(-thick / 2 - 4, 0, 0.52 * size))
        model.box((4, 0.2 * size, 4), plain((150, 152, 156)), 0.5, at=(-thick / 2 - 2, 0, 0.78 * size), hull=False)
    features = ["with a belt clip" if clip else "", "with the tape pulled out" if out > 20 else "closed"]
    features += ["with a label"]
    return model.instance(skin, "rounded", features, density=1100)


def _label(rng: Rng, word: str, dark: Floats) -> TextureImage:
    ground = tint(rng, choice(rng, [c for c in ("yellow", "white", "black", "red") if c != word]))
    image, draw = tx.canvas((72, 72), ground.tolist())
    ink = (24, 24, 26) if ground.mean() > 110 else (240, 240, 236)
    brand = sample_brand(rng, ("tape",))
    tx.draw_text(image, choice(rng, ("3 m", "5 m", "8 m", "25'", "16'")), (36, 44), 20, ink, 0)
    tx.draw_text(image, brand.name, (36, 22), min(12, 80 / len(brand.name)), ink, 0)
    if rng.random() < 0.5:
        draw.ellipse([1, 1, 70, 70], outline=tuple(int(c) for c in dark), width=5)
    return np.asarray(image)


def _ticks(color: Floats, length: float) -> TextureImage:
    image, draw = tx.canvas((32, int(np.clip(3 * length, 24, 180))), color.tolist())
    for n, y in enumerate(range(2, image.height, 4)):
        draw.line([(0, y), (18 if n % 5 == 0 else 9, y)], fill=(20, 20, 22))
    return np.asarray(image)


@generates("trowel")
def trowel(rng: Rng) -> Instance:
    """Trowels: pointed ones for bricklayers, and hollow garden trowels, with handles of wood or plastic."""
    # Pose: lying with its blade at +y.
    model = ModelBuilder()
    wooden, garden = rng.random() < 0.6, rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    tinted = garden and rng.random() < 0.35
    metal = (
        finish(rng, "metal", ("green", "black", "red", "blue"), wear=0.9) if tinted else steel(rng, DARK_STEELS, 0.9)
    )
    grip, r = rng.uniform(90, 120), rng.uniform(11, 15)
    lift = 0.0 if garden else rng.uniform(18, 28)
    form = [(0.8, 0), (1.05, 0.08), (1.0, 0.3), (0.85, 0.55), (1.05, 0.8), (0.7, 0.95), (0.6, 1)]
    body = smooth(form, 16) * [r, grip]
    model.lathe([(0, 0), *body, (0, grip)], skin, segments=20, pieces=2, at=(0, -grip, lift), turn=ALONG_Y)
    neck = rng.uniform(35, 60)
    line = [(0, -8, lift), (0, 0.5 * neck, lift), (0, 0.9 * neck, lift * 0.4), (0, neck + 6, 0)]
    model.sweep(smooth(line, 10), np.linspace(4.5, 5.5, 10), metal, np.linspace(4.5, 2.5, 10), pieces=2)
    _blade(model, rng, neck, metal, garden)
    features = ["with a wooden handle" if wooden else "with a plastic handle"]
    features += ["with a curved blade" if garden else "with a flat pointed blade"]
    return model.instance(metal, "long and flat", features, colors=(*metal.colors, *skin.colors), density=900)


def _blade(model: ModelBuilder, rng: Rng, start: float, metal: Finish, garden: bool) -> None:
    long = rng.uniform(95, 135)
    t = np.linspace(0, 1, 12)
    y = start + t * long
    if not garden:
        wide = rng.uniform(36, 52)
        rise = rng.uniform(0.08, 0.3)
        half = wide * np.interp(t, [0, 0.03, rise, 0.9, 1], [0.25, 0.75, 1, 0.16, 0.02])
        model.plate(np.c_[-half, y], np.c_[half, y], -0.9, 0.9, metal, pieces=2)
        return
    wide, deep = rng.uniform(26, 38), rng.uniform(8, 14)
    half = wide * np.interp(t, [0, 0.06, 0.2, 0.65, 0.85, 1], [0.4, 0.85, 1, 0.95, 0.65, 0.08])
    s = np.linspace(-1, 1, 9)
    across = np.concatenate([s, s[::-1], s[:1]])
    top = np.repeat([1.0, -1.0, 1.0], [9, 9, 1])
    points = np.stack([half[:, None] * across, np.broadcast_to(y[:, None], (12, 19)), 0 * half[:, None] + across], -1)
    points[..., 2] = deep * across**2 + 0.9 * top
    model.surface(grid_surface(points[:, ::-1]), metal.image(60, 100))
    for a in range(0, 8, 2):
        edges = np.concatenate([points[:, [n, 17 - n]] for n in (a, a + 2)])
        model.hull(edges.reshape(-1, 3))
