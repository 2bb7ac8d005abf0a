"""Vegetables."""

import numpy as np

from pickclutter_lang.kinds.finishes import Rng, choice, finish, peel, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, bumps, plain, smooth
from pickclutter_lang.kinds.produce import LYING, UPRIGHT, calyx, leaf_color, lying, scattered, stub, uneven
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

BELL_PEPPER_SKINS = {
    "red": ((186, 24, 24), (168, 20, 26), (204, 40, 28)),
    "yellow": ((238, 190, 36), (232, 178, 30)),
    "green": ((48, 110, 40), (64, 126, 44), (40, 92, 38)),
    "orange": ((232, 118, 24), (238, 132, 36)),
}


@generates("bell pepper")
def bell_pepper(rng: Rng) -> Instance:
    """Bell peppers: blocky with three or four lobes; red, yellow, green or orange, with a thick green stem."""
    model = ModelBuilder()
    word = choice(rng, weighted("red 2, yellow, green, orange"))
    skin = finish(rng, "food", word, rgb=BELL_PEPPER_SKINS[word])
    color = skin.tints[0]
    r = rng.uniform(33, 44)
    tall = rng.uniform(0.9, 1.35)
    low = rng.uniform(0.68, 0.9)
    dent = rng.uniform(0.15, 0.35)
    outline = [(0, -1 + dent), (0.25, -1 + 0.5 * dent), (0.5 * low, -0.98), (0.92 * low, -0.8), (low + 0.06, -0.3)]
    outline += [(0.98, 0.35), (1, 0.68), (0.78, 0.95), (0.4, 0.98), (0.16, 0.84), (0, 0.72)]
    lobes = int(rng.integers(3, 5))
    depth = rng.uniform(0.09, 0.18)
    phase = rng.uniform(0, 6.3)
    lean = rng.normal(0, 0.07, 2)
    odd = rng.uniform(0.0, 0.12)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        z = points[:, 2] / (r * tall)
        valley = (1 - np.abs(np.cos(lobes * (angle - phase) / 2))) ** 1.6
        factor = 1 - depth * valley * (1.15 - 0.35 * z) + odd * np.cos(angle - 2 * phase)
        high = np.where(z > 0.6, 1 - 0.12 * valley, 1 + 0.08 * np.cos(lobes * (angle - phase)) * (z < -0.5))
        shifted = points[:, :2] * factor[:, None] + points[:, 2:] * lean
        return np.concatenate([shifted, points[:, 2:] * high[:, None]], axis=1)

    patchy = rng.random() < 0.2
    other = choice(rng, [w for w in BELL_PEPPER_SKINS if w != word])
    patches = (choice(rng, BELL_PEPPER_SKINS[other]), rng.uniform(0.12, 0.25)) if patchy else (color * 0.85, 0.3)
    image = peel(rng, color, tone=0.05, patches=patches, top=(color * 0.75 + (4, 14, 4), 0.12))
    model.lathe(smooth(outline, 26) * [r, r * tall], image, 36, bend=bend, pieces=1)
    foot = bend(np.array([[0, 0, 0.72 * r * tall]]))[0]
    green = leaf_color(rng)
    profile = [(0.34 * r, -2), (0.3 * r, 2), (0.12 * r, 4), (0, 5)]
    model.lathe(profile, peel(rng, green, texels=(12, 24)), 10, at=foot, hull=False)
    stub(model, rng, foot, rng.uniform(0.45, 0.95) * r, rng.uniform(3.5, 5.5), green, flare=1.25)
    features = ["with a green stem", f"with {('three', 'four')[lobes - 3]} lobes"]
    return model.instance(skin, "irregular", features, colors=(word, other) if patchy else (word,))


BROCCOLI_HEADS = ((58, 100, 44), (46, 88, 44), (74, 116, 50), (64, 104, 66))


@generates("broccoli")
def broccoli(rng: Rng) -> Instance:
    """Broccoli: a head of grainy dark green florets on branches of a thick pale stalk. Pose: standing on its stalk."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=BROCCOLI_HEADS)
    color = skin.tints[0]
    wide = rng.uniform(28, 72)
    trunk, tall = wide * rng.uniform(0.24, 0.36), wide * rng.uniform(0.9, 1.7)
    pale = np.array((150, 176, 92)) * rng.uniform(0.85, 1.08)
    stalk = peel(rng, pale, streaks=(pale * 0.85, 0.3), bottom=((196, 208, 150), 0.04), texels=(56, 56))
    profile = smooth(
        [
            (0, 0),
            (trunk, 0),
            (0.88 * trunk, 0.3 * tall),
            (0.95 * trunk, 0.6 * tall),
            (1.5 * trunk, 0.9 * tall),
            (0, tall),
        ],
        14,
    )
    model.lathe(profile, stalk, 16, pieces=2)
    grains = []
    for factor in (0.86, 1.0, 1.12):
        field = tx.grid_noise(rng, (40, 64), 15, 24)
        dots = tx.lerp_color(color * factor * 0.6, color * factor * 1.2, tx.smoothstep(field, -1.0, 1.0))
        grains.append(tx.to_uint8(dots))
    count = int(rng.integers(10, 14))
    centers = []
    z0 = tall * rng.uniform(0.95, 1.05)
    for n in range(count):
        up = 1 - 0.92 * (n + 0.5) / count + rng.normal(0, 0.03)
        out = np.sqrt(max(1 - up**2, 0))
        a = 2.4 * n + rng.normal(0, 0.15)
        centers.append(np.array([out * np.cos(a), out * np.sin(a), 0.62 * up]) * wide * 0.74 + [0, 0, z0])
    for n, center in enumerate(centers):
        across = wide * rng.uniform(0.72, 0.95)
        size = across, across, across * rng.uniform(0.75, 0.9)
        model.ball(
            size, grains[n % 3], bumps(rng, 0.1, 7.0), rows=9, segments=14, at=center, hull=n < 10 and n % 2 == 0
        )
        branch = [np.array([0, 0, 0.72 * tall]), 0.55 * center + [0, 0, 0.4 * tall], center]
        if center[2] < z0 + 0.3 * wide:
            model.sweep(smooth(branch, 5), 0.11 * wide, stalk, segments=7, up=(0.3, 0.2, 1), hull=False)
    reach = wide * 0.48
    model.hull(np.concatenate([c + reach * np.concatenate([np.eye(3), -np.eye(3)]) for c in centers]))
    return model.instance(skin, "umbrella-shaped", ["with a long stalk" if tall > 1.3 * wide else "with a short stalk"])


CARROT_SKINS = {
    "orange": ((232, 118, 34), (222, 106, 30), (238, 134, 48)),
    "purple": ((96, 40, 76),),
    "yellow": ((228, 184, 76),),
}


@generates("carrot")
def carrot(rng: Rng) -> Instance:
    """Carrots: long tapered roots with fine rings, with green leaves, a green stub or a bare top."""
    # Pose: lying, its tip towards -y.
    model = ModelBuilder()
    word = choice(rng, weighted("orange 8, purple, yellow"))
    skin = finish(rng, "food", word, rgb=CARROT_SKINS[word])
    color = skin.tints[0]
    tops = choice(rng, weighted("leaves 2, stub, bare"))
    length = rng.uniform(110, 185)
    slim = rng.uniform(0.07, 0.13)
    blunt = rng.uniform(0.1, 0.75)
    r = length * slim
    t = np.linspace(0, 1, 15)
    path = np.c_[
        rng.normal(0, 0.02) * length * np.sin(np.pi * t) + rng.normal(0, 0.4, 15), length * (t - 1), np.zeros(15)
    ]
    taper = smooth(
        [(0.05,), (0.12 + 0.3 * blunt,), (0.35 + 0.4 * blunt,), (0.6 + 0.3 * blunt,), (0.86,), (1,), (0.98,), (0.42,)],
        15,
    )
    widths = r * taper[:, 0] * (1 + rng.normal(0, 0.012, 15))
    base = peel(rng, color, top=((120, 124, 52) if word == "orange" else color * 0.7, 0.035), texels=(128, 48)).astype(
        float
    )
    marks = tx.grid_noise(rng, base.shape, 52, 5)
    base *= (1 - 0.2 * tx.smoothstep(marks, 1.1, 2.0) + 0.1 * tx.smoothstep(-marks, 1.0, 2.0))[..., None]
    model.sweep(path, widths, tx.to_uint8(base), segments=16, pieces=3)
    if tops != "bare":
        leafy = tops == "leaves"
        for _ in range(int(rng.integers(6, 9))):
            reach = rng.uniform(0.3, 0.65) * length if leafy else rng.uniform(9, 20)
            aside = rng.normal(0, 0.22, 2)
            green = leaf_color(rng)
            if length + reach > 290:
                reach = 290 - length
            ends = [(0, -3, 0), (aside[0] * 0.3 * reach, 0.5 * reach, aside[1] * 0.2 * reach)]
            ends += [(aside[0] * reach, reach, aside[1] * 0.6 * reach)]
            stalk = smooth(ends, 9)
            wide = np.array([1.5, 1.3, 1.2, 3.5, 5, 7, 8, 6, 1]) * rng.uniform(0.8, 1.3) if leafy else 1.5
            frond = tx.to_uint8(green * (1 + 0.22 * tx.grid_noise(rng, (40, 24), 20, 8)[..., None]))
            model.sweep(stalk, wide, frond if leafy else plain(green), np.full(9, 1.2), segments=6, pieces=1)
    features = [{"leaves": "with green leaves", "stub": "with a cut green top", "bare": "without leaves"}[tops]]
    return model.instance(skin, "tapered", features, colors=(word, "green") if tops == "leaves" else (word,))


CHILI_PEPPER_SKINS = {
    "red": ((192, 22, 22), (170, 16, 22), (206, 40, 26)),
    "green": ((56, 116, 40), (76, 134, 48), (44, 96, 40)),
    "yellow": ((236, 192, 48),),
    "orange": ((230, 112, 30),),
}


@generates("chili pepper")
def chili_pepper(rng: Rng) -> Instance:
    """Chili peppers: slim, pointed and bent; red, green, yellow or orange, with a green stem. Pose: lying."""
    model = ModelBuilder()
    word = choice(rng, weighted("red 5, green 2, yellow, orange"))
    skin = finish(rng, "food", word, rgb=CHILI_PEPPER_SKINS[word])
    color = skin.tints[0]
    length = rng.uniform(50, 160)
    r = min(length * rng.uniform(0.06, 0.13), 16)
    bend = rng.uniform(-0.25, 0.25)
    hook = rng.uniform(-0.16, 0.16)
    t = np.linspace(0, 1, 18)
    path = np.c_[length * (bend * t**2 + hook * t**4), -length * t, np.zeros(18)]
    blunt = rng.uniform(0, 0.3)
    taper = smooth(
        [(0.62,), (1.0,), (1.0,), (0.94,), (0.85 + 0.1 * blunt,), (0.68 + blunt * 0.7,), (0.45 + blunt,), (0.1,)], 18
    )
    widths = r * taper[:, 0] * (1 + 0.05 * np.sin(rng.uniform(3, 9) * t * 3 + rng.uniform(0, 6)))
    turning = rng.random() < 0.15 and word in ("red", "green")
    other = CHILI_PEPPER_SKINS["green" if word == "red" else "red"][0]
    image = peel(
        rng,
        color,
        tone=0.05,
        patches=(other if turning else color * 0.8, 0.25),
        streaks=(color * 1.25, 0.08),
        bottom=(color * 0.7, 0.04),
        texels=(128, 48),
    )
    model.sweep(path[::-1], widths[::-1], image, widths[::-1] * rng.uniform(0.8, 1), segments=14, pieces=4)
    green = leaf_color(rng, 0.95)
    long = rng.uniform(0.22, 0.4) * min(length, 90)
    model.lathe(
        [(0.75 * r, -0.5 * r), (0.78 * r, 0), (0.4 * r, 0.5 * r), (0, 0.6 * r)], plain(green), 12, turn=LYING, pieces=1
    )
    stalk = smooth([(0, -1, 0), (0, 0.5 * long, 0), (rng.normal(0, 0.25) * long, long, rng.uniform(0, 0.2) * long)], 7)
    model.sweep(stalk, 0.17 * r + 1, plain(green * 0.95), segments=8, pieces=2)
    features = ["with a green stem"]
    features += ["bent" if abs(bend + hook) > 0.2 else "nearly straight" if abs(bend + hook) < 0.06 else ""]
    others = ("green" if word == "red" else "red",) if turning else ()
    return model.instance(skin, "pointed", features, colors=(word, *others))


CORN_COB_SKINS = {"yellow": ((240, 200, 64), (236, 188, 48), (244, 212, 96)), "white": ((240, 230, 196),)}


def kernels(rng: Rng, color: Floats, second: Floats, cols: int, rows: int) -> TextureImage:
    """Paint rounded kernels in upright rows, a share of them in a second color."""
    u, v = tx.uv_grid(160, 128)
    column = np.floor(u * cols).astype(int)
    w = v * rows + rng.uniform(-0.2, 0.2, cols)[column] + 0.5 * (column % 2)
    near = np.maximum(np.abs((u * cols) % 1 - 0.5) * 0.95, np.abs(w % 1 - 0.5))
    row = np.clip(np.floor(w).astype(int), 0, rows)
    tone = rng.normal(1, 0.05, (rows + 1, cols))[row, column]
    other = (rng.random((rows + 1, cols)) < rng.uniform(0.15, 0.5))[row, column]
    image = np.where(other[..., None], second, color) * tone[..., None]
    image = tx.lerp_color(image * 1.08, image * 0.5, tx.smoothstep(near, 0.22, 0.52))
    return tx.to_uint8(tx.lerp_color(image, color * 0.6 + 60, tx.smoothstep(v, 0.95, 0.99)))


@generates("corn cob")
def corn_cob(rng: Rng) -> Instance:
    """Corn cobs: rows of yellow or white kernels, bare or with green husk leaves. Pose: lying."""
    model = ModelBuilder()
    word = choice(rng, weighted("yellow 5, white"))
    skin = finish(rng, "food", word, rgb=CORN_COB_SKINS[word])
    color = skin.tints[0]
    mixed = rng.random() < 0.25
    second = np.array(CORN_COB_SKINS["white" if word == "yellow" else "yellow"][0]) if mixed else color * 0.96
    length = rng.uniform(130, 210)
    r = length * rng.uniform(0.105, 0.145)
    outline = [(0, 0), (0.8, 0.0), (0.98, 0.08), (1, 0.3), (0.95, 0.6), (0.74, 0.86), (0.4, 0.97), (0, 1)]
    turn = lying(rng)
    image = kernels(rng, color, second, 2 * int(rng.integers(6, 9)), int(rng.integers(26, 36)))
    model.lathe(smooth(outline, 24) * [r, length], image, 24, bend=uneven(rng, 0.03), turn=turn, pieces=2)
    green = leaf_color(rng, 1.15)
    husk = rng.random() < 0.55
    stub(model, rng, (0, 0, 0), -rng.uniform(10, 28), rng.uniform(5, 7), green * 1.15, turn)
    if husk:
        leaves(model, rng, turn, r, min(length * rng.uniform(0.5, 0.95), length - 5), green)
    features = ["with a green husk" if husk else "without a husk"]
    colors = (word, "white" if word == "yellow" else "yellow") if mixed else (word, "green") if husk else (word,)
    return model.instance(skin, "cylindrical", features, colors=colors)


def leaves(model: ModelBuilder, rng: Rng, turn: Floats, r: float, length: float, green: Floats) -> None:
    """Add husk leaves that lie on the lower part of the cob and splay outward."""
    u, _ = tx.uv_grid(64, 32)
    veins = 1 + 0.13 * np.sin(2 * np.pi * 7 * u) + 0.08 * tx.grid_noise(rng, u.shape, 3, 16)
    pale = np.minimum(green * 1.35 + 24, (206, 214, 140))
    image = tx.to_uint8(tx.lerp_color(pale, green, tx.uv_grid(64, 32)[1]) * veins[..., None])
    t = np.linspace(0, 1, 9)
    start = rng.uniform(0, 360)
    points = []
    for n in range(int(rng.integers(3, 6))):
        reach = length * rng.uniform(0.75, 1.0)
        half = r * rng.uniform(0.75, 1.05) * np.sin(np.pi * (0.25 + 0.75 * t)) ** 0.7 + 0.3
        out = r * (0.62 + 0.45 * np.minimum(4 * t, 1)) + reach * rng.uniform(0.02, 0.3) * t**2.5
        around = rotation("z", start + n * 75 + rng.uniform(-12, 12)) @ rotation("y", -90) @ np.diag([1.0, -1.0, -1.0])
        model.plate(
            np.c_[reach * t, half], np.c_[reach * t, -half], out - 0.4, out + 0.6, image, turn=turn @ around, hull=False
        )
        flat = np.concatenate([np.c_[reach * t, half, out], np.c_[reach * t, -half, out]])
        points.append(flat @ (turn @ around).T)
        model.hull(points[-1] + rng.normal(0, 0.05, points[-1].shape))


CUCUMBER_GREENS = ((44, 88, 38), (60, 104, 44), (46, 86, 42), (84, 126, 56))


@generates("cucumber")
def cucumber(rng: Rng) -> Instance:
    """Cucumbers: long, slightly bent, dark green with paler streaks or bumps; some short for pickling. Pose: lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=CUCUMBER_GREENS)
    color = skin.tints[0]
    short = rng.random() < 0.3
    length = rng.uniform(85, 140) if short else rng.uniform(170, 290)
    r = length * rng.uniform(0.13, 0.19) if short else rng.uniform(18, 25)
    bend = rng.uniform(0, 0.35)
    t = np.linspace(-1, 1, 15)
    path = np.c_[(bend * t**2) * length * 0.3, t * length / 2, np.zeros(15)]
    taper = smooth([(0.3,), (0.78,), (0.95,), (1,), (1.02,), (1.0,), (0.97,), (0.86,), (0.66,), (0.3,)], 15)[:, 0]
    streak = (color * 1.25 + 28, rng.uniform(0.08, 0.3))
    base = peel(
        rng,
        color,
        tone=0.08,
        streaks=streak,
        top=(color * 0.75, 0.06),
        bottom=((170, 176, 90), rng.uniform(0.04, 0.3)),
        texels=(144, 72),
    ).astype(float)
    bumpy = rng.random() < 0.5
    if bumpy:
        warts = scattered(rng, base.shape, int(length / 9), (8, 9, 9, 8), 0.24)
        base = tx.lerp_color(base, (176, 190, 120), 0.6 * warts)
    tips = tx.smoothstep(np.abs(tx.uv_grid(144, 72)[1] - 0.5), 0.485, 0.495)
    base = tx.lerp_color(base, (134, 120, 60), tips)
    model.sweep(path, r * taper, tx.to_uint8(base), power=2.15, segments=18, pieces=3)
    return model.instance(
        skin, "cylindrical", ["with small bumps" if bumpy else "with smooth skin", "short" if short else "long"]
    )


PURPLES = ((78, 26, 92), (70, 22, 88), (92, 36, 104), (108, 46, 128))


@generates("eggplant")
def eggplant(rng: Rng) -> Instance:
    """Eggplants: glossy, dark purple clubs with a green calyx; some slim, striped or white. Pose: lying."""
    model = ModelBuilder()
    sort = choice(rng, weighted("plain 7, striped, white"))
    word = "white" if sort == "white" else "purple"
    skin = finish(
        rng,
        "food",
        word,
        rgb=(PURPLES[3:] if sort == "striped" else PURPLES) if word == "purple" else ((232, 226, 204),),
    )
    color = skin.tints[0]
    slim = rng.uniform(1.25, 2.6)
    r = min(rng.uniform(75, 125) / slim, 55)
    waist = rng.uniform(0.5, 0.75)
    outline = [(0, -1), (0.3, -0.98), (0.74, -0.82), (1, -0.42), (0.94, 0.0), (waist + 0.1, 0.4), (waist, 0.72)]
    outline += [(waist * 0.8, 0.93), (0.2, 1), (0, 1)]
    length = r * slim
    curve = rng.uniform(0, 0.22)

    def bend(points: Floats) -> Floats:
        return np.asarray(points + (points[:, 2:] / length) ** 2 * [curve * length, 0, 0])

    image = peel(
        rng,
        color,
        tone=0.08,
        streaks=((220, 196, 216), 0.3) if sort == "striped" else None,
        top=(color * 0.8 + 40, 0.12),
        spots=(color * 0.8 + 30, rng.uniform(0, 0.006)),
    )
    turn = lying(rng)
    model.lathe(smooth(outline, 26) * [r, length], image, bend=bend, turn=turn, pieces=3)
    foot = np.array([curve * length, 0, length * 1.01])
    green = leaf_color(rng, rng.uniform(0.75, 1.05))
    calyx(
        model,
        rng,
        foot,
        r * waist * rng.uniform(1.1, 1.6),
        int(rng.integers(5, 7)),
        green,
        turn,
        rise=0.35,
        droop=0.75,
        width=0.3,
    )
    stub(model, rng, foot, rng.uniform(0.3, 0.6) * r + 6, 0.07 * r + 2.2, green * 0.95, turn)
    pattern = "striped" if sort == "striped" else "plain"
    colors = ("purple", "white") if sort == "striped" else (word, "green")
    return model.instance(
        skin, "tapered", ["with a green stem", "slim" if slim > 2.1 else "plump"], colors=colors, pattern=pattern
    )


WHITES = ((236, 230, 216), (228, 218, 198), (240, 234, 226))


@generates("garlic")
def garlic(rng: Rng) -> Instance:
    """Garlic: white or purple-streaked bulbs of bulging cloves, with a neck and short roots."""
    model = ModelBuilder()
    skin = finish(rng, "food", "white", rgb=WHITES)
    color = skin.tints[0]
    r = rng.uniform(19, 34)
    tall = rng.uniform(0.72, 0.98)
    neck = rng.uniform(0.12, 0.2)
    top = rng.uniform(1.15, 1.85)
    outline = [(0, -0.72), (0.3, -0.76), (0.72, -0.66), (1, -0.18), (0.94, 0.22), (0.6, 0.66), (0.28, 0.9), (neck, 1.1)]
    outline += [(neck * 0.9, top), (0, top)]
    cloves = int(rng.integers(7, 12))
    phase = rng.uniform(0, 6.3)
    depth = rng.uniform(0.08, 0.2)
    lean = rng.normal(0, 0.09, 2)
    odd = rng.uniform(0, 0.8)

    def valley(angle: Floats) -> Floats:
        uneven = angle + 0.25 * odd * np.sin(angle + phase)
        return np.asarray(1 - np.abs(np.cos(cloves * uneven / 2)) ** 0.8)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        z = points[:, 2] / (r * tall)
        factor = 1 - depth * valley(angle) * np.clip(1.15 - np.abs(z), 0, 1)
        shifted = points[:, :2] * factor[:, None] + np.maximum(points[:, 2:], 0) * lean
        return np.concatenate([shifted, points[:, 2:]], axis=1)

    purple = rng.random() < 0.35
    streaks = ((168, 112, 150), rng.uniform(0.2, 0.4)) if purple else (color * 0.86, rng.uniform(0.1, 0.25))
    base = peel(
        rng,
        color,
        tone=0.03,
        streaks=streaks,
        top=((206, 186, 142), rng.uniform(0.1, 0.3)),
        bottom=((176, 150, 106), 0.12),
        texels=(80, 128),
    )
    u, v = tx.uv_grid(80, 128)
    shade = tx.smoothstep(valley(2 * np.pi * u), 0.4, 1.0) * tx.smoothstep(-np.abs(v - 0.35), -0.4, -0.1)
    model.lathe(
        smooth(outline, 26) * [r, r * tall], tx.to_uint8(tx.lerp_color(base, color * 0.68, 0.6 * shade)), 40, bend=bend
    )
    features = ["with purple streaks" if purple else "with white skin"]
    features += ["with a long neck" if top > 1.7 else "with a short neck"]
    return model.instance(skin, "round", features, colors=("white", "purple") if purple else ("white",))


MUSHROOM_SKINS = {"white": (232, 224, 208), "brown": (150, 104, 64)}


@generates("mushroom")
def mushroom(rng: Rng) -> Instance:
    """Mushrooms: domed caps, white to brown, gills below, on a thick stem. Pose: standing."""
    model = ModelBuilder()
    word = choice(rng, weighted("white 2, brown"))
    r = rng.uniform(20, 42)
    tall = rng.uniform(0.5, 1.0)
    foot, height = r * rng.uniform(0.32, 0.5), r * rng.uniform(0.7, 1.4)
    lean = rng.uniform(-0.12, 0.12, 2)
    dents, phase = rng.uniform(0, 0.05), rng.uniform(0, 6.3)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        wavy = 1 + dents * np.cos(3 * angle + phase)[:, None] * [1, 1, 0]
        return np.asarray(points * wavy + points[:, 2:] * [*lean, 0])

    color = np.array(MUSHROOM_SKINS[word]) * rng.uniform(0.88, 1.06)
    skin = finish(rng, "food", word).painted(color)
    cap = peel(rng, color, spots=(color * 0.72, rng.uniform(0, 0.08)), bottom=(color * 0.8, 0.12), spot_count=26)
    dome = smooth(
        [(r * 0.86, -0.16 * r), (r, 0.0), (r * 0.93, 0.3 * r * tall), (r * 0.6, 0.75 * r * tall), (0, 0.9 * r * tall)],
        14,
    )
    model.lathe(np.add(dome, (0, height)), cap, bend=bend, pieces=1)
    u, _ = tx.uv_grid(32, 128)
    gills = tx.smoothstep(np.abs((u * 44) % 1 - 0.5), 0.1, 0.5)
    gill_color = np.array(choice(rng, ((150, 110, 84), (202, 168, 140), (96, 66, 50))))
    under = [(foot * 0.8, height + 0.02 * r), (r * 0.6, height - 0.06 * r), (r * 0.86, height - 0.16 * r)]
    model.lathe(under, tx.to_uint8(tx.lerp_color(gill_color, gill_color * 0.6, gills)), bend=bend, hull=False)
    stalk = smooth(
        [(foot * 0.9, 0), (foot * rng.uniform(1, 1.3), height * 0.2), (foot * 0.85, height * 0.6), (foot, height)], 9
    )
    model.lathe(
        [(0, 0), *stalk, (0, height)], skin.painted(np.array(MUSHROOM_SKINS["white"]) * 0.96), bend=bend, pieces=1
    )
    return model.instance(skin, "umbrella-shaped", ["with a thick stem" if foot > 0.42 * r else ""])


ONION_SKINS = {
    "brown": ((192, 132, 66), (178, 114, 54), (206, 150, 84)),
    "purple": ((146, 42, 108), (128, 36, 98)),
    "white": ((236, 230, 212),),
}


@generates("onion")
def onion(rng: Rng) -> Instance:
    """Onions: globes of papery skin with a dry neck and a beard of roots; brown, purple or white."""
    model = ModelBuilder()
    word = choice(rng, weighted("brown 3, purple 2, white"))
    skin = finish(rng, "food", word, rgb=ONION_SKINS[word])
    color = skin.tints[0]
    r = rng.uniform(26, 46)
    tall = rng.uniform(0.76, 1.08)
    neck = rng.uniform(0.06, 0.14)
    top = rng.uniform(1.08, 1.32)
    outline = [(0, -0.98), (0.16, -0.98), (0.56, -0.8), (0.95, -0.3), (0.98, 0.15), (0.72, 0.64), (0.3, 0.9)]
    outline += [(neck, 1.04), (neck * 0.8, top - 0.1), (neck * 1.3, top), (0, top - 0.04)]
    base = peel(
        rng,
        color,
        tone=0.06,
        streaks=(color * 0.72, rng.uniform(0.1, 0.3)),
        top=(np.minimum(color * 0.9 + 30, 210), 0.25),
        bottom=(color * 0.8 + 20, 0.08),
        texels=(88, 144),
    )
    u, _ = tx.uv_grid(88, 144)
    veins = np.abs((u * int(rng.integers(16, 26)) + 0.25 * tx.grid_noise(rng, u.shape, 3, 10)) % 1 - 0.5)
    image = tx.lerp_color(base, color * 0.62, 0.4 * (1 - tx.smoothstep(veins, 0.02, 0.16)))
    peeled = rng.random() < 0.35
    if peeled:
        bare = tx.smoothstep(tx.grid_noise(rng, u.shape, 2, 3), 0.9, 1.05)
        image = tx.lerp_color(image, np.minimum(color * 1.1 + 55, (240, 226, 190)), 0.75 * bare)
    model.lathe(smooth(outline, 30) * [r, r * tall], tx.to_uint8(image), 30, bend=uneven(rng, 0.05, lean=0.05))
    beard = rng.random() < 0.7
    roots: list[Floats] = []
    for _ in range(int(rng.integers(9, 15)) if beard else 0):
        a = rng.uniform(0, 6.3)
        d = rng.uniform(0.5, 1.6)
        out = np.array([np.cos(a), np.sin(a), 0])
        foot = -0.96 * r * tall
        root = [out * 0.06 * r + [0, 0, foot], out * 0.14 * r * d + [0, 0, foot - 3]]
        root += [out * 0.3 * r * d + [0, 0, foot - 1]]
        roots += root
        model.sweep(root, 0.5, plain((172, 144, 100)), segments=4, hull=False)
    if beard:
        model.hull(roots)
    features = ["with roots" if beard else "without roots", "with loose skin" if peeled else ""]
    return model.instance(skin, "round", features)


POTATO_SKINS = {
    "brown": ((172, 132, 84), (150, 112, 70), (184, 148, 98)),
    "yellow": ((226, 188, 104), (234, 198, 112)),
    "red": ((182, 64, 62), (170, 56, 60)),
}


@generates("potato")
def potato(rng: Rng) -> Instance:
    """Potatoes: uneven ovals with eyes and specks; pale brown, yellow, red or purple."""
    model = ModelBuilder()
    word = choice(rng, weighted("brown 5, yellow 2, red"))
    skin = finish(rng, "food", word, rgb=POTATO_SKINS[word])
    color = skin.tints[0]
    length = rng.uniform(48, 120)
    size = length * rng.uniform(0.62, 0.85), length, length * rng.uniform(0.52, 0.72)
    eyes = rng.normal(size=(int(rng.integers(5, 10)), 3))
    eyes /= np.linalg.norm(eyes, axis=1, keepdims=True)
    lumpy = bumps(rng, rng.uniform(0.03, 0.07), 2.0)

    def shape(directions: Floats) -> Floats:
        near = np.exp((directions @ eyes.T - 1) * 90).max(axis=-1)
        return np.asarray(lumpy(directions) - 0.045 * near)

    base = peel(
        rng,
        color,
        tone=0.06,
        patches=(color * 0.82, 0.3),
        spots=(color * 0.62, rng.uniform(0.01, 0.06)),
        texels=(88, 128),
        spot_count=60,
    )
    directions = tx.sphere_directions(88, 128)
    dark = np.exp((directions @ eyes.T - 1) * 260).max(axis=-1)
    soil = tx.smoothstep(tx.grid_noise(rng, dark.shape, 14, 20), rng.uniform(0.9, 2.2), 3.0)
    dusty = tx.pixel_noise(tx.lerp_color(base, (92, 66, 42), np.maximum(0.6 * dark, 0.6 * soil)), rng, 4)
    model.ball(size, tx.to_uint8(dusty), shape, rows=17, segments=26)
    shape_word = "oval" if size[0] < 0.8 * length else "irregular"
    return model.instance(skin, shape_word, ["with red skin" if word == "red" else "", "with earthy specks"])


PUMPKIN_SKINS = {
    "orange": ((226, 116, 28), (216, 100, 24), (234, 136, 44)),
    "white": ((236, 228, 206),),
    "green": ((92, 112, 66), (70, 96, 58)),
}


@generates("pumpkin")
def pumpkin(rng: Rng) -> Instance:
    """Pumpkins: ribbed, flat or tall; orange, white or green, with a ridged stem."""
    model = ModelBuilder()
    word = choice(rng, weighted("orange 7, white, green"))
    skin = finish(rng, "food", word, rgb=PUMPKIN_SKINS[word])
    color = skin.tints[0]
    r = rng.uniform(36, 125)
    tall = rng.uniform(0.55, 1.0)
    ribs = int(rng.integers(8, 14))
    depth = rng.uniform(0.06, 0.16)
    outline = [(0, -0.8), (0.25, -0.88), (0.62, -0.9), (0.93, -0.55), (1, 0), (0.93, 0.52), (0.62, 0.88), (0.28, 0.86)]
    outline += [(0.1, 0.72), (0, 0.68)]

    profile = smooth(outline, 19) * [r, r * tall]

    def rib(angle: Floats) -> Floats:
        return np.asarray(1 - np.abs(np.cos(ribs * angle / 2)) ** 0.8)

    def bend(points: Floats) -> Floats:
        factor = 1 - depth * rib(np.arctan2(points[:, 1], points[:, 0]))
        return np.asarray(points * np.stack([factor, factor, 0.4 + 0.6 * factor], -1))

    base = peel(
        rng,
        color,
        tone=0.06,
        patches=(color * 0.88, 0.3),
        spots=(color * 1.15 + 20, rng.uniform(0, 0.04)),
        top=(color * 0.7, 0.1),
        bottom=(color * 0.8 + (20, 10, 0), 0.08),
        texels=(72, 144),
        spot_count=60,
    )
    u, v = tx.uv_grid(72, 144)
    groove = rib(2 * np.pi * u) ** 2 * tx.smoothstep(-np.abs(v - 0.5), -0.48, -0.3)
    image = tx.lerp_color(base, color * 0.62, rng.uniform(0.35, 0.8) * groove)
    model.lathe(profile, tx.to_uint8(image), 4 * ribs, bend=bend, hull=False)
    peaks = np.arange(ribs) * 2 * np.pi / ribs
    model.hull(bend(np.array([[q * np.cos(a), q * np.sin(a), z] for q, z in profile for a in peaks])))
    high = r * rng.uniform(0.28, 0.7)
    lean = rng.normal(0, 0.25, 2) * r
    path = smooth([(0, 0, 0.6 * r * tall), (0, 0, 0.68 * r * tall + 0.4 * high), (*lean, 0.68 * r * tall + high)], 7)
    wood = np.array(choice(rng, ((104, 108, 56), (134, 112, 66), (92, 86, 48)))) * rng.uniform(0.85, 1.1)
    ridges = tx.to_uint8(wood * (0.85 + 0.25 * np.cos(2 * np.pi * 6 * tx.uv_grid(24, 48)[0]))[..., None])
    widths = r * 0.11 * np.array([2.0, 1.5, 1.05, 0.95, 0.9, 0.95, 1.15])
    model.sweep(path, widths, ridges, segments=12, up=(0, 1, 0.1), pieces=2)
    features = ["with a stem", "flat" if tall < 0.68 else ""]
    return model.instance(skin, "round", features)


TOMATO_SKINS = {
    "red": ((200, 34, 24), (214, 52, 30), (180, 28, 26), (206, 66, 40)),
    "yellow": ((234, 188, 48),),
    "orange": ((230, 122, 34),),
    "green": ((134, 160, 66),),
}
TOMATO_SORTS = {  # radius in mm, height over width, depth of the ribs
    "round": ((26, 38), (0.8, 0.94), 0.02),
    "ribbed": ((36, 52), (0.62, 0.76), 0.12),
    "cherry": ((11, 17), (0.92, 1.05), 0.0),
    "oval": ((20, 27), (1.3, 1.7), 0.0),
}


@generates("tomato")
def tomato(rng: Rng) -> Instance:
    """Tomatoes: red, some yellow, orange or greenish; round, ribbed, long or tiny, with or without a green calyx."""
    model = ModelBuilder()
    word = choice(rng, weighted("red 10, yellow, orange, green"))
    sort = choice(rng, weighted("round 3, ribbed, cherry, oval"))
    radii, heights, depth = TOMATO_SORTS[sort]
    skin = finish(rng, "food", word, rgb=TOMATO_SKINS[word])
    r, tall = rng.uniform(*radii), rng.uniform(*heights)
    dent = 0.25 if sort != "oval" else 0.1
    outline = [(0, -0.96), (0.3, -0.96), (0.78, -0.68), (1, -0.02), (0.88, 0.58), (0.5, 0.92), (0.2, 0.92)]
    outline += [(0, 0.95 - dent)]
    unripe = rng.random() < 0.25 and word == "red"
    top = ((208, 130, 50) if unripe else skin.tints[0] * 0.85, rng.uniform(0.12, 0.4))
    image = peel(
        rng,
        skin.tints[0],
        tone=0.04,
        top=top,
        spots=((228, 170, 90), rng.uniform(0, 0.004)),
        bottom=(skin.tints[0] * 0.8, 0.05),
    )
    turn = lying(rng) if sort == "oval" else UPRIGHT
    lobes = int(rng.integers(5, 9))
    profile = smooth(outline, 22) * [r, r * tall]
    model.lathe(profile, image, 32, bend=uneven(rng, 0.05, lobes, depth * rng.uniform(0.4, 1.2)), turn=turn, pieces=1)
    green = rng.random() < 0.8 or word != "red"
    if green:
        color = leaf_color(rng)
        foot = np.array([0, 0, r * tall * (0.97 - dent)])
        calyx(model, rng, foot, r * rng.uniform(0.45, 0.8), int(rng.integers(5, 7)), color, turn, rise=0.45, width=0.14)
        stub(model, rng, foot, rng.uniform(0.15, 0.4) * r, 0.06 * r + 0.6, color, turn)
    features = ["with a green stem" if green else "without a stem", sort if sort in ("cherry", "ribbed") else ""]
    return model.instance(skin, "oval" if sort == "oval" else "round", features)
