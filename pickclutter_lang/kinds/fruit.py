"""Fruit, whole, cut in half or in slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pickclutter_lang.kinds.finishes import Finish, Rng, choice, finish, peel, tint, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.kinds.produce import (
    LENGTHWISE,
    UPRIGHT,
    calyx,
    cut_half,
    leaf_color,
    lying,
    pitted,
    scattered,
    segments_face,
    stub,
    uneven,
)
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def stem(model: ModelBuilder, rng: Rng, foot: Floats, length: float, thick: float = 1.6) -> None:
    """Add a bent stem in mm that grows up from `foot`."""
    lean = rng.normal(0, 0.2, 2) * length
    path = smooth(
        [foot - np.array([0, 0, 3]), foot + np.array([*(0.3 * lean), 0.55 * length]), foot + np.array([*lean, length])],
        7,
    )
    widths = thick * np.array([1, 0.9, 0.85, 0.85, 0.95, 1.1, 1.3])
    model.sweep(path, widths, plain(tint(rng, "brown") * 0.75), segments=7, up=(0, 1, 0), pieces=1)


def leaf(model: ModelBuilder, rng: Rng, foot: Floats, length: float) -> None:
    """Add a pointed leaf in mm that grows outward from `foot`, in a random direction, and droops."""
    t = np.linspace(0, 1, 9)
    half = length * rng.uniform(0.18, 0.28) * np.sin(np.pi * t**0.8) + 0.3
    u, v = tx.uv_grid(40, 24)
    veins = tx.smoothstep(np.abs((v * 6 - 3 * np.abs(u - 0.5)) % 1 - 0.5), 0.0, 0.12)
    middle = tx.smoothstep(np.abs(u - 0.5), 0.02, 0.07)
    green = tint(rng, "green") * 0.85
    image = tx.to_uint8(tx.lerp_color(green * 1.45, green, np.minimum(veins, middle)))
    height = length * (0.25 * np.sin(np.pi * 0.8 * t) - 0.15 * t)
    left = np.c_[t * length, half]
    right = np.c_[t * length, -half]
    model.plate(
        left, right, height - 0.4, height + 0.4, image, at=foot, turn=rotation("z", rng.uniform(0, 360)), pieces=1
    )


@dataclass(frozen=True)
class Citrus:
    """A sort: `radius` in mm, `slim` is length over width, `tip` how far its end stands out in radii."""

    radius: tuple[float, float]
    slim: tuple[float, float]
    tip: tuple[float, float]
    flesh: Sequence[Sequence[float]]
    tinge: Sequence[float]
    leaves: float = 0.1


def citrus(model: ModelBuilder, rng: Rng, sort: Citrus, skin: Finish) -> list[str]:
    """Add a fruit of a sort, whole or cut in half, and return its features."""
    r, slim, tip = rng.uniform(*sort.radius), rng.uniform(*sort.slim), rng.uniform(*sort.tip)
    pointed = tip > 0.06
    turn = lying(rng, 8) if pointed else UPRIGHT
    low = [(0, -0.97), (0.12 + 0.5 * tip, -0.99), (0.42, -0.9), (0.8, -0.58), (1, 0)]
    high = (
        [(0.82, 0.56), (0.5, 0.85), (0.24, 0.98), (0.12, 1 + tip * 0.8), (0, 1 + tip)]
        if pointed
        else [(0.8, 0.6), (0.46, 0.89), (0.2, 0.97), (0.08, 0.96), (0, 0.95)]
    )
    color = skin.tints[0]
    tinged = rng.random() < 0.3
    ends = (sort.tinge, rng.uniform(0.05, 0.28) if tinged else 0.04)
    base = peel(
        rng,
        color,
        tone=0.035,
        patches=(sort.tinge, rng.uniform(0.08, 0.3)) if tinged and rng.random() < 0.5 else None,
        spots=((120, 90, 50), rng.uniform(0, 0.006)),
        top=ends if pointed else None,
        bottom=ends,
        texels=(100, 160),
    )
    image = pitted(rng, base, int(rng.integers(90, 130)), rng.uniform(0.03, 0.1))
    bend = uneven(rng, 0.05, lean=0.02)
    if rng.random() < 0.1:
        face = segments_face(rng, color, (240, 232, 206), choice(rng, sort.flesh), int(rng.integers(8, 12)))
        cut_half(model, smooth(low, 14) * [r, r * slim], image, face, bend)
        return ["halved", "with a cut face"]
    model.lathe(smooth(low + high, 25 if pointed else 17) * [r, r * slim], image, bend=bend, turn=turn, pieces=1)

    foot = np.array([0, 0, r * slim * 0.96])
    stub(model, rng, foot, r * 0.05, r * 0.09, choice(rng, ((104, 120, 50), (126, 100, 58))), turn, hull=False)
    leafy = not pointed and rng.random() < sort.leaves
    if leafy:
        leaf(model, rng, foot, rng.uniform(0.9, 1.3) * r)
    return ["with a leaf" if leafy else "without a leaf", "whole"]


@generates("apple")
def apple(rng: Rng) -> Instance:
    """Apples: red, green or yellow, streaked and blushed, with a stem and sometimes a leaf."""
    model = ModelBuilder()
    word = choice(rng, weighted("red 3, green 2, yellow"))
    blushed = word != "red" and rng.random() < 0.4
    ground = (
        tint(rng, word)
        if word != "green"
        else np.array([150, 190, 60]) * rng.uniform(0.8, 1.1) * [rng.uniform(0.7, 1.05), 1, 1]
    )
    blush = (
        tint(rng, "red") if blushed else ground * rng.uniform(0.75, 0.92) if word != "red" else tint(rng, "red") * 0.75
    )
    r = rng.uniform(32, 42)
    h = rng.uniform(0.84, 1.06)
    wide = rng.uniform(-0.12, 0.2)
    dent = rng.uniform(0.08, 0.2)
    outline = [(0, -0.8 + dent), (0.2, -0.9), (0.42, -0.95), (0.78, -0.7), (0.97, -0.2 + wide), (0.97, 0.25 + wide)]
    outline += [(0.74, 0.8), (0.42, 0.92), (0.2, 0.85), (0, 0.85 - 1.4 * dent)]
    lobes = rng.uniform(0, 0.05)
    lean = rng.uniform(-0.1, 0.1, 2)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        z = points[:, 2:]
        return np.asarray(points * (1 + lobes * np.cos(5 * angle)[:, None] * np.clip(-z / r, 0, 1)) + z * [*lean, 0])

    skin_image = peel(
        rng,
        ground,
        patches=(blush, rng.uniform(0.25, 0.5) if blushed else 0.4),
        streaks=(blush, rng.uniform(0, 0.25)),
        spots=((236, 216, 160), rng.uniform(0, 0.012)),
        top=((124, 104, 44), 0.12),
        bottom=((96, 76, 40), 0.06),
        spot_count=56,
    )
    model.lathe(smooth(outline, 24) * [r, r * h], skin_image, bend=bend)
    top = np.array([*(lean * 0.7 * r), r * h * (0.85 - 1.4 * dent)])
    stalk = rng.random() < 0.85
    if stalk:
        stem(model, rng, top, rng.uniform(12, 22))
    leafy = stalk and rng.random() < 0.3
    if leafy:
        leaf(model, rng, top + np.array([0, 0, 12]), rng.uniform(24, 36))
    skin = finish(rng, "food", word)
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "round", features, colors=(word, "red") if blushed else (word,))


AVOCADO_SKINS = {"green": ((58, 84, 36), (74, 104, 42), (90, 122, 50)), "black": ((40, 34, 30), (46, 40, 34))}


@generates("avocado")
def avocado(rng: Rng) -> Instance:
    """Avocados: dark green or nearly black and pebbled, or halves with pale flesh, with or without the pit."""
    # Pose: lying on its side, or half of one with the cut up.
    model = ModelBuilder()
    word = choice(rng, weighted("green 3, black 2"))
    skin = finish(rng, "food", word, rgb=AVOCADO_SKINS[word])
    color = skin.tints[0]
    r = rng.uniform(29, 40)
    slim = rng.uniform(1.1, 1.42)
    neck = rng.uniform(0.36, 0.6)
    outline = [(0, -0.95), (0.3, -0.93), (0.76, -0.66), (1, -0.12), (0.9, 0.34), (neck + 0.08, 0.78)]
    profile = smooth([*outline, (neck * 0.7, 1.08), (0.12, 1.2), (0, 1.18)], 24) * [r, r * slim]
    dots = (color * 1.3 + 14, rng.uniform(0.01, 0.1))
    base = peel(rng, color, tone=0.1, patches=(color * 0.72, 0.35), spots=dots, spot_count=62)
    pebbled = pitted(rng, base, 48, rng.uniform(0.15, 0.4))
    if rng.random() < 0.7:
        turn = lying(rng)
        model.lathe(profile, pebbled, turn=turn, pieces=2)
        stub(model, rng, (0, 0, 1.16 * r * slim), 4, 2.6, (122, 92, 56), turn)
        return model.instance(skin, "pear-shaped", ["whole", "with pebbled skin"])
    flat = lambda points: np.c_[np.minimum(points[:, 0], 0), points[:, 1:]]  # noqa: E731
    model.lathe(profile, pebbled, bend=flat, turn=LENGTHWISE, pieces=2)
    pit = rng.random() < 0.5
    flesh(model, rng, profile[1:-1], pit)
    return model.instance(
        skin, "pear-shaped", ["halved", "with a pit" if pit else "without a pit"], colors=(word, "green")
    )


def flesh(model: ModelBuilder, rng: Rng, profile: Floats, pit: bool) -> None:
    """Add the cut face over the flat side of a half, and the pit or the hollow where it was."""
    radii, along = profile.T
    u, v = tx.uv_grid(112, 80)
    z = along[0] + v * (along[-1] - along[0])
    width = np.interp(z, along, radii)
    margin = (0.5 - np.abs(u - 0.5)) * 2 * width
    middle = -0.12 * radii.max()
    radius = radii.max() * rng.uniform(0.4, 0.5)
    away = np.hypot((u - 0.5) * 2 * width, z - middle)
    cream = np.array([212, 206, 116]) * rng.uniform(0.92, 1.06)
    color = tx.lerp_color(
        (124, 150, 58), cream, tx.smoothstep(margin, 1.5, 10) + 0.06 * tx.grid_noise(rng, u.shape, 4, 4)
    )
    color = tx.lerp_color((52, 66, 34), color, tx.smoothstep(margin, 0.8, 1.8))
    hollow = cream * 0.72 + np.stack([(z - middle) / radius * 26] * 3, -1)
    color = tx.lerp_color(hollow, color, tx.smoothstep(away, radius - 1, radius + 0.5))
    left = np.c_[-radii, along]
    right = np.c_[radii, along]
    model.plate(left, right, -0.2, 0.5, tx.to_uint8(color), hull=False)
    if pit:
        brown = peel(rng, np.array([120, 74, 40]) * rng.uniform(0.8, 1.2), tone=0.12, texels=(32, 48))
        model.ball((1.9 * radius,) * 3, brown, rows=13, segments=20, at=(0, middle, 0.1 * radius))


@generates("banana")
def banana(rng: Rng) -> Instance:
    """Bananas: yellow, greenish or spotted, more or less bent, with ridges, a stem and a dark tip. Pose: lying flat."""
    model = ModelBuilder()
    length = rng.uniform(150, 215)
    bend = rng.uniform(0.5, 1.25)
    thick = rng.uniform(15, 20)
    t = np.linspace(-1, 1, 24)
    angle = bend * t
    path = np.c_[-np.cos(angle), np.sin(angle), np.zeros(24)] * length / (2 * bend)
    path[:, 0] += 8 * np.clip(t - 0.75, 0, 1) * rng.uniform(-1, 4)
    widths = thick * smooth([(0.25,), (0.62,), (0.9,), (1,), (1,), (1,), (0.88,), (0.55,), (0.24,), (0.26,)], 24)[:, 0]
    stage = choice(rng, weighted("ripe 3, unripe, spotted"))
    u, v = tx.uv_grid(128, 64)
    base = tint(rng, "yellow") if stage != "unripe" else np.array([170, 186, 54]) * rng.uniform(0.85, 1.05)
    ridges = tx.smoothstep(np.abs((u * 5 + 0.25) % 1 - 0.5), 0.0, 0.1)
    color = tx.lerp_color(base * 0.82, base, ridges)
    ends = np.maximum(tx.smoothstep(v, 0.75, 0.95), tx.smoothstep(-v, -0.2, -0.05))
    color = tx.lerp_color(color, (120, 150, 48), ends * rng.uniform(0.3, 0.9))
    spots = tx.smoothstep(tx.grid_noise(rng, (128, 64), 28, 9), *((0.9, 1.3) if stage == "spotted" else (2.0, 2.5)))
    tips = np.maximum(tx.smoothstep(v, 0.95, 0.985), tx.smoothstep(-v, -0.07, -0.02))
    color = tx.lerp_color(color, (78, 52, 26), np.maximum(0.75 * spots, tips))
    model.sweep(path, widths, tx.to_uint8(color), power=2.3, segments=15, pieces=6)
    word = "green" if stage == "unripe" else "yellow"
    skin = finish(rng, "food", word)
    features = ["unripe"] if stage == "unripe" else ["ripe", "with brown spots" if stage == "spotted" else ""]
    return model.instance(skin, "curved", features, colors=("yellow", "brown") if stage == "spotted" else (word,))


GRAPES_SKINS = {
    "green": ((160, 184, 76), (176, 192, 92), (140, 168, 70)),
    "purple": ((102, 36, 102), (90, 34, 102), (114, 46, 112)),
    "red": ((172, 40, 62), (184, 56, 70)),
    "black": ((40, 26, 46),),
}


def bunch(rng: Rng, length: float, wide: float, radius: float) -> Floats:
    """Return the centers [N, 3] of berries that touch but hardly overlap, along y, lying on the ground."""
    placed: list[Floats] = []
    for _ in range(700):
        t = rng.random()
        reach = wide * np.sin(np.pi * (0.16 + 0.8 * t)) ** 0.6 * (1.05 - 0.55 * t)
        a = rng.uniform(0, 2 * np.pi)
        d = np.sqrt(rng.uniform(0.3, 1))
        point = np.array([reach * d * np.cos(a), -length * t, 0.8 * reach * d * np.sin(a)])
        if all(np.linalg.norm(point - other) > 1.46 * radius for other in placed):
            placed.append(point)
        if len(placed) >= 50:
            break
    return np.array(placed)


@generates("grapes")
def grapes(rng: Rng) -> Instance:
    """Grapes: bunches of round or oval berries on a branched stem; green, purple, red or nearly black. Pose: lying."""
    model = ModelBuilder()
    word = choice(rng, weighted("green 2, purple 2, red, black"))
    skin = finish(rng, "food", word, rgb=GRAPES_SKINS[word])
    color = skin.tints[0]
    radius = rng.uniform(6.5, 10)
    slim = choice(rng, (1.0, 1.0, 1.25))
    centers = bunch(rng, rng.uniform(8, 12.5) * radius, rng.uniform(2.9, 3.8) * radius, radius)
    bloom = color * 0.85 + np.array((28, 26, 40))
    images = [
        peel(
            rng,
            color * f,
            tone=0.06,
            patches=(bloom, rng.uniform(0.1, 0.4)),
            top=((120, 104, 60), 0.1),
            texels=(24, 36),
        )
        for f in (0.85, 1.0, 1.12)
    ]
    size = 2 * radius * np.array([1, 1, slim]) * 0.98
    for center in centers:
        model.ball(
            (size * rng.uniform(0.88, 1.06)).tolist(), choice(rng, images), rows=6, segments=9, at=center, hull=False
        )
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.32 * size
    for part in np.array_split(centers[np.argsort(centers[:, 1])], 5):
        extremes = np.concatenate([np.eye(3), -np.eye(3)]) * size / 2
        model.hull((part[:, None] + np.concatenate([corners, extremes])[None]).reshape(-1, 3))
    twig = plain(np.array(choice(rng, ((122, 116, 58), (112, 84, 50)))) * rng.uniform(0.85, 1.1))
    high = rng.uniform(6, 18)
    path = smooth([(0, -3 * radius, 0), (0, 0.3 * radius, 2), (rng.normal(0, 5), radius + high, 4)], 7)
    model.sweep(path, 1.7, twig, segments=7, pieces=1)
    bar = smooth([(-9, radius + high, 3), (0, radius + high, 4), (9, radius + high + 2, 3)], 4)
    model.sweep(bar, 1.5, twig, segments=6, up=(0, 0, 1), pieces=1)
    return model.instance(
        skin, "irregular", ["with a stem", "with oval berries" if slim > 1.1 else "with round berries"]
    )


KIWI_BROWNS = ((124, 94, 50), (108, 80, 44), (142, 110, 62), (130, 102, 58))
KIWI_FLESH = {"green": (130, 164, 44), "yellow": (222, 190, 66)}


def face(rng: Rng, flesh: Floats) -> TextureImage:
    """Paint the cut face: a thin skin, rays, a ring of seeds, and a pale middle."""
    u, v = tx.uv_grid(56, 128)
    color = flesh * (1 + 0.12 * tx.grid_noise(rng, u.shape, 2, 40)[..., None])
    color = tx.lerp_color(
        color, flesh * 0.5 + 120, tx.smoothstep(v + 0.04 * tx.grid_noise(rng, u.shape, 1, 12), 0.66, 0.78)
    )
    count = int(rng.integers(22, 34))
    near = np.hypot((u * count) % 1 - 0.5, (v - 0.55 + 0.05 * np.sin(np.floor(u * count) * 2.4)) * 7)
    color = tx.lerp_color(color, (28, 24, 18), 1 - tx.smoothstep(near, 0.24, 0.42))
    return tx.to_uint8(tx.lerp_color((110, 84, 46), color, tx.smoothstep(v, 0.02, 0.05)))


@generates("kiwi")
def kiwi(rng: Rng) -> Instance:
    """Kiwis: brown hairy ovals, or halves that show green or golden flesh with black seeds."""
    # Pose: lying on its side, or half of one with the cut up.
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=KIWI_BROWNS)
    color = skin.tints[0]
    r = rng.uniform(21, 28)
    slim = rng.uniform(1.12, 1.5)
    hairs = peel(
        rng,
        color,
        patches=(color * 0.9, 0.3),
        streaks=(color * 1.06, 0.15),
        top=(color * 0.5, 0.07),
        bottom=(color * 0.55, 0.06),
        spots=(color * 0.8, 0.06),
        spot_count=62,
    )
    fuzz = tx.to_uint8(tx.pixel_noise(hairs, rng, 12))
    low = [(0, -0.98), (0.2, -0.97), (0.6, -0.78), (0.92, -0.4), (1, 0)]
    bend = uneven(rng, 0.1, lean=0.02)
    if rng.random() < 0.3:
        word = choice(rng, weighted("green 3, yellow"))
        cut_half(
            model,
            smooth(low, 13) * [r, r * slim],
            fuzz,
            face(rng, np.array(KIWI_FLESH[word]) * rng.uniform(0.88, 1.1)),
            bend,
        )
        return model.instance(skin, "hemispherical", ["halved", f"with {word} flesh"], colors=("brown", word))
    high = [(0.92, 0.42), (0.62, 0.78), (0.24, 0.96), (0.16, 1.02), (0.1, 0.99), (0, 0.98)]
    model.lathe(smooth(low + high, 24) * [r, r * slim], fuzz, bend=bend, turn=lying(rng), pieces=1)
    return model.instance(skin, "oval", ["whole", "with hairy skin"])


LEMON_SORT = Citrus((24, 33), (1.08, 1.5), (0.1, 0.32), ((238, 220, 120), (244, 230, 150)), (176, 184, 60))
LEMON_YELLOWS = ((244, 208, 44), (238, 216, 70), (248, 196, 30), (232, 206, 40))


@generates("lemon")
def lemon(rng: Rng) -> Instance:
    """Lemons: yellow ovals with a pitted peel and a tip at the end, some still greenish, some cut in half."""
    model = ModelBuilder()
    skin = finish(rng, "food", "yellow", rgb=LEMON_YELLOWS)
    return model.instance(skin, "oval", citrus(model, rng, LEMON_SORT, skin))


LIME_SORT = Citrus((19, 27), (1.0, 1.22), (0.062, 0.16), ((186, 204, 110), (204, 216, 140)), (166, 176, 60))
LIME_GREENS = ((86, 140, 40), (64, 118, 36), (110, 156, 48), (52, 100, 34))


@generates("lime")
def lime(rng: Rng) -> Instance:
    """Limes: small green citrus fruit with thin peel, some yellowish, some cut in half. Pose: lying on its side."""
    model = ModelBuilder()
    skin = finish(rng, "food", "green", rgb=LIME_GREENS)
    return model.instance(skin, "oval", citrus(model, rng, LIME_SORT, skin))


MANGO_SKINS = {
    "yellow": ((232, 184, 58), (236, 168, 50)),
    "green": ((104, 148, 56), (122, 158, 60), (84, 132, 52)),
    "red": ((176, 52, 46), (160, 44, 50)),
}


@generates("mango")
def mango(rng: Rng) -> Instance:
    """Mangos: plump, flattened ovals with a bent tip; green, yellow or red, mostly blending."""
    model = ModelBuilder()
    word = choice(rng, weighted("yellow 2, green 2, red"))
    other = choice(rng, [w for w in MANGO_SKINS if w != word])
    skin = finish(rng, "food", word, rgb=MANGO_SKINS[word])
    blended = rng.random() < (0.85 if word != "yellow" else 0.4)
    second = np.array(choice(rng, MANGO_SKINS[other])) if blended else skin.tints[0] * 0.88
    r = rng.uniform(33, 46)
    slim = rng.uniform(1.15, 1.65)
    flat = rng.uniform(0.74, 0.92)
    outline = [(0, -1), (0.25, -0.97), (0.62, -0.72), (0.94, -0.2), (1, 0.25), (0.84, 0.66), (0.5, 0.9), (0.16, 0.96)]
    outline += [(0, 0.9)]
    beak = rng.uniform(0.1, 0.3)

    def bend(points: Floats) -> Floats:
        z = points[:, 2] / (r * slim)
        side = points[:, 0] * (1 + 0.12 * z * (points[:, 0] > 0)) + r * beak * (0.5 - z**2)
        return np.stack([side, points[:, 1] * flat, points[:, 2]], -1)

    field = tx.grid_noise(rng, (72, 128), 2, 2) + 1.5 * np.cos(2 * np.pi * (tx.uv_grid(72, 128)[0] - rng.uniform()))
    share = rng.uniform(0.2, 0.45)
    level = float(np.quantile(field, 1 - share))
    specks = ((214, 190, 120), rng.uniform(0.005, 0.05)) if rng.random() < 0.6 else ((70, 54, 30), 0.02)
    base = peel(rng, skin.tints[0], spots=specks, top=((110, 96, 50), 0.07), spot_count=60)
    color = tx.lerp_color(base, second, 0.9 * tx.smoothstep(field, level - 1.2, level + 1.2))
    turn = lying(rng, 5)
    model.lathe(smooth(outline, 24) * [r, r * slim], tx.to_uint8(color), bend=bend, turn=turn, pieces=1)
    foot = bend(np.array([[0, 0, 0.9 * r * slim]]))[0]
    stub(model, rng, foot, rng.uniform(4, 9), 2.2, (96, 76, 44), turn)
    return model.instance(skin, "oval", ["with a short stem"], colors=(word, other) if blended else (word,))


ORANGE_SORT = Citrus(
    (31, 44),
    (0.9, 1.08),
    (0, 0.02),
    ((246, 160, 50), (240, 140, 40), (248, 172, 70), (196, 60, 40)),
    (222, 164, 40),
    0.25,
)
ORANGE_ORANGES = ((240, 128, 16), (232, 112, 18), (246, 146, 32), (226, 100, 20))


@generates("orange")
def orange(rng: Rng) -> Instance:
    """Oranges: round, with a pitted peel and a green button, sometimes a leaf, sometimes cut in half."""
    model = ModelBuilder()
    skin = finish(rng, "food", "orange", rgb=ORANGE_ORANGES)
    return model.instance(skin, "round", citrus(model, rng, ORANGE_SORT, skin))


PEACH_GROUNDS = {"yellow": ((232, 184, 70), (238, 196, 96)), "orange": ((230, 142, 60), (224, 124, 52), (236, 156, 80))}
BLUSHES = ((190, 44, 40), (168, 30, 40), (206, 70, 48))


@generates("peach")
def peach(rng: Rng) -> Instance:
    """Peaches: round and velvety with a groove, yellow to orange with a red blush."""
    model = ModelBuilder()
    word = choice(rng, weighted("yellow, orange 2"))
    skin = finish(rng, "food", word, rgb=PEACH_GROUNDS[word])
    blush = np.array(choice(rng, BLUSHES)) * rng.uniform(0.9, 1.1)
    share = rng.uniform(0.15, 0.75)
    r = rng.uniform(28, 41)
    tall = rng.uniform(0.86, 1.02)
    point = rng.uniform(0, 0.12)
    outline = [(0, -0.94 - point), (0.2, -0.96 - point * 0.4), (0.72, -0.72), (1, -0.05), (0.9, 0.5), (0.5, 0.86)]
    outline += [(0.18, 0.86), (0, 0.66)]
    field = tx.grid_noise(rng, (80, 128), 2, 2) + 0.2 * tx.grid_noise(rng, (80, 128), 5, 40)
    level = float(np.quantile(field, 1 - share))
    soft = rng.uniform(0.8, 2.2)
    base = tx.lerp_color(skin.tints[0], blush, 0.92 * tx.smoothstep(field, level - soft, level + soft))
    spotted = peel(rng, (255, 255, 255), spots=(blush, rng.uniform(-0.02, 0.012)), texels=(80, 128), spot_count=64)
    hollow = tx.smoothstep(tx.uv_grid(80, 128)[1], 0.84, 0.97) * rng.uniform(0, 1)
    base = tx.lerp_color(base * spotted / 255, (222, 176, 90), hollow)
    velvet = tx.pixel_noise(tx.lerp_color(base, (236, 208, 190), np.full((80, 128), rng.uniform(0.02, 0.14))), rng, 4)
    crease = rng.uniform(0.05, 0.13)
    model.lathe(smooth(outline, 24) * [r, r * tall], tx.to_uint8(velvet), 32, bend=uneven(rng, 0.05, crease=crease))
    foot = np.array([0, 0, r * tall * 0.66])
    stalk = rng.random() < 0.4
    if stalk:
        stub(model, rng, foot, rng.uniform(0.2, 0.34) * r, 1.7, (108, 82, 48))
    leafy = stalk and rng.random() < 0.5
    if leafy:
        leaf(model, rng, np.add(foot, (0, 0, 5)), rng.uniform(1.0, 1.6) * r)
    words = ("red", word) if share > 0.5 else (word, "red")
    return model.instance(skin, "round", ["with a leaf" if leafy else "without a leaf", "with a groove"], colors=words)


PEAR_SKINS = {
    "green": ((158, 176, 66), (134, 170, 62), (174, 184, 80)),
    "yellow": ((214, 190, 72), (226, 200, 84), (204, 180, 60)),
    "brown": ((150, 112, 58), (132, 98, 52)),
    "red": ((178, 42, 42), (186, 56, 46)),
}


@generates("pear")
def pear(rng: Rng) -> Instance:
    """Pears: round below with a neck and a stem; green, yellow, brown or red. Pose: standing."""
    model = ModelBuilder()
    word = choice(rng, weighted("green 3, yellow 2, brown, red"))
    skin = finish(rng, "food", word, rgb=PEAR_SKINS[word])
    r = rng.uniform(28, 40)
    tall = rng.uniform(0.9, 1.25)
    neck, waist = rng.uniform(0.26, 0.46), rng.uniform(0.5, 0.74)
    outline = [(0, -0.86), (0.2, -0.95), (0.5, -0.94), (0.88, -0.62), (1, -0.15), (0.86, 0.3), (waist, 0.68)]
    outline += [(0.5 * waist + 0.5 * neck, 1.0), (neck, 1.25), (neck * 0.55, 1.42), (0.08, 1.42), (0, 1.38)]
    blushed = word in ("green", "yellow") and rng.random() < 0.3
    other = (188, 70, 44) if blushed else skin.tints[0] * rng.uniform(0.8, 0.95)
    image = peel(
        rng,
        skin.tints[0],
        patches=(other, rng.uniform(0.15, 0.35)),
        spots=((122, 94, 46), rng.uniform(0.005, 0.05)),
        top=((132, 106, 54), rng.uniform(0.03, 0.16)),
        bottom=((112, 88, 48), 0.06),
        texels=(88, 128),
        spot_count=60,
    )
    bend = uneven(rng, 0.05, lean=0.06)
    model.lathe(smooth(outline, 28) * [r, r * tall], image, bend=bend)
    top = bend(np.array([[0, 0, 1.38 * r * tall]]))[0]
    stalk = rng.random() < 0.88
    if stalk:
        stem(model, rng, top, rng.uniform(12, 26), rng.uniform(1.5, 2.1))
    leafy = stalk and rng.random() < 0.2
    if leafy:
        leaf(model, rng, np.add(top, (0, 0, 10)), rng.uniform(26, 44))
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "pear-shaped", features, colors=(word, "red") if blushed else (word,))


PINEAPPLE_SKINS = {
    "yellow": ((236, 190, 58), (228, 176, 54)),
    "brown": ((160, 108, 48), (142, 96, 48)),
    "green": ((112, 124, 52), (94, 110, 50)),
}


@generates("pineapple")
def pineapple(rng: Rng) -> Instance:
    """Pineapples: barrels of diamond-shaped eyes, golden, brown or green, under a crown of stiff leaves."""
    model = ModelBuilder()
    word = choice(rng, weighted("yellow 2, brown 2, green"))
    skin = finish(rng, "food", word, rgb=PINEAPPLE_SKINS[word])
    color = skin.tints[0]
    tall = rng.uniform(105, 165)
    r = tall * rng.uniform(0.3, 0.4)
    outline = smooth([(0, 0), (0.6, 0.0), (0.88, 0.1), (1, 0.4), (0.97, 0.68), (0.76, 0.93), (0.4, 1), (0, 1)], 32)
    rows, cols = int(rng.integers(8, 11)), int(rng.integers(9, 13))

    def eye(u: Floats, v: Floats) -> Floats:
        """Return how near a place is to the middle of its eye, 0 to 1."""
        a = u * cols + 0.5 * v * rows
        b = u * cols - 0.5 * v * rows
        return np.asarray(1 - np.maximum(np.abs(a % 1 - 0.5), np.abs(b % 1 - 0.5)) * 2)

    def bend(points: Floats) -> Floats:
        u = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi)
        v = points[:, 2] / tall
        bulge = 1 + 0.07 * (eye(u, v * 1.15) - 0.5) * (v > 0.03) * (v < 0.97)
        return np.asarray(points * np.stack([bulge, bulge, np.ones(len(points))], -1))

    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(outline * [r, tall], axis=0), axis=1))]
    u, v = tx.uv_grid(128, 160)
    near = eye(u, np.interp(v * along[-1], along, outline[:, 1]) * 1.15)
    image = tx.lerp_color(color * 0.42, color, tx.smoothstep(near, 0.03, 0.3))
    image = tx.lerp_color(image, leaf_color(rng, 0.8), rng.uniform(0, 0.3) * tx.smoothstep(near, 0.35, 0.6))
    image = tx.lerp_color(image, (96, 66, 36), 0.8 * tx.smoothstep(near, 0.72, 0.85))
    image = tx.lerp_color(image, (110, 122, 54), rng.uniform(0, 0.45) * tx.smoothstep(v, 0.55, 1.0))
    ground = tx.to_uint8(tx.pixel_noise(image, rng, 5))
    model.lathe(outline * [r, tall], ground, 36, bend=bend, pieces=1)
    leaves(model, rng, tall, rng.uniform(0.5, 0.8) * tall)
    return model.instance(
        skin, "oval", ["with a crown of leaves"], colors=(word, "green") if word != "green" else ("green",)
    )


def leaves(model: ModelBuilder, rng: Rng, foot: float, length: float) -> None:
    """Add the crown: narrow leaves, the outer ones short and bent outward."""
    image = tx.to_uint8(
        leaf_color(rng, 0.85)
        * (0.7 + 0.5 * tx.uv_grid(24, 12)[1] + 0.2 * np.cos(12 * tx.uv_grid(24, 12)[0]))[..., None]
    )
    t = np.linspace(0, 1, 6)
    points = []
    count = int(rng.integers(22, 30))
    length = min(length, 285 - foot)
    for n in range(count):
        inner = n / count
        reach = length * (0.55 + 0.45 * inner) * rng.uniform(0.88, 1.0)
        lift = np.radians(22 + 60 * inner + rng.normal(0, 5))
        half = rng.uniform(5, 8) * (1 - t**1.6) + 0.4
        along = reach * t * (1 - 0.08 * t)
        curl = reach * 0.3 * (1 - inner) * t**2
        turn = rotation("z", 137.5 * n + rng.normal(0, 8)) @ rotation("y", -np.degrees(lift))
        at = np.array([0, 0, foot - 3 + 6 * inner])
        model.plate(
            np.c_[along, half], np.c_[along, -half], -0.5 - curl, 0.5 - curl, image, at=at, turn=turn, hull=False
        )
        points.append(np.stack([along, half * 0, -curl], -1) @ turn.T + at)
    model.hull(np.concatenate(points))


PLUM_SKINS = {
    "purple": ((98, 34, 96), (88, 30, 98), (112, 40, 102), (82, 44, 122)),
    "red": ((168, 32, 46), (182, 48, 50)),
    "yellow": ((222, 178, 60), (230, 196, 84)),
    "black": ((42, 22, 42), (36, 24, 48)),
}


@generates("plum")
def plum(rng: Rng) -> Instance:
    """Plums: smooth ovals with a groove and a pale bloom; purple, nearly black, red or yellow."""
    model = ModelBuilder()
    word = choice(rng, weighted("purple 4, red 2, black, yellow"))
    skin = finish(rng, "food", word, rgb=PLUM_SKINS[word])
    color = skin.tints[0]
    r = rng.uniform(18, 30)
    tall = rng.uniform(0.92, 1.35)
    outline = [(0, -0.98), (0.25, -0.95), (0.74, -0.68), (1, -0.04), (0.86, 0.54), (0.45, 0.88), (0.14, 0.93)]
    outline += [(0, 0.84)]
    bloom = color * 0.72 + np.array((160, 150, 200)) * 0.28
    bloomy = rng.random() < 0.55
    image = peel(
        rng,
        color,
        tone=0.07,
        patches=(bloom if bloomy else color * 0.8, rng.uniform(0.2, 0.5)),
        spots=(color * 0.5 + 90, rng.uniform(0, 0.02)),
        top=(color * 0.6 + (50, 40, 10), 0.1),
        spot_count=56,
    )
    model.lathe(smooth(outline, 22) * [r, r * tall], image, bend=uneven(rng, 0.05, crease=rng.uniform(0.03, 0.08)))
    foot = np.array([0, 0, r * tall * 0.84])
    stalk = rng.random() < 0.6
    if stalk:
        stub(model, rng, foot, rng.uniform(7, 18), 1.0, (116, 96, 50))
    leafy = stalk and rng.random() < 0.25
    if leafy:
        leaf(model, rng, np.add(foot, (0, 0, 6)), rng.uniform(26, 40))
    features = ["with a stem" if stalk else "without a stem", "with a leaf" if leafy else "without a leaf"]
    return model.instance(skin, "oval" if tall > 1.12 else "round", features)


STRAWBERRY_SEEDS = ((232, 196, 92), (214, 164, 74), (236, 210, 130), (150, 80, 44))
REDS = ((200, 26, 30), (176, 18, 28), (214, 46, 34), (156, 14, 26))


@generates("strawberry")
def strawberry(rng: Rng) -> Instance:
    """Strawberries: red cones with pale seeds in pits and green sepals, sometimes pale at the top."""
    model = ModelBuilder()
    skin = finish(rng, "food", "red", rgb=REDS)
    r = rng.uniform(13, 23)
    slim = rng.uniform(1.0, 1.5)
    blunt = rng.uniform(0.25, 0.5)
    outline = [(0, -1), (blunt * 0.6, -0.95), (blunt + 0.3, -0.55), (0.97, 0.15), (1, 0.5), (0.7, 0.78), (0.25, 0.72)]
    outline += [(0, 0.66)]
    profile = smooth(outline, 20) * [r, r * slim]
    turn = lying(rng, 12)
    pale = rng.random() < 0.3
    top = ((236, 196, 150), rng.uniform(0.2, 0.38)) if pale else ((196, 70, 50), 0.16)
    base = peel(rng, skin.tints[0], patches=(skin.tints[0] * 0.82, 0.4), top=top, texels=(96, 144))
    rows = int(rng.integers(13, 19))
    cols = np.array([6, 13, 18, 22, 24, 23, 18, 8]) * rng.uniform(0.85, 1.1)
    seed = scattered(rng, (96, 144), rows, cols, rng.uniform(0.17, 0.26))
    color = tx.lerp_color(base, base * 0.72, np.clip(np.roll(seed, 1, axis=0) - seed, 0, 1))
    color = tx.lerp_color(color, choice(rng, STRAWBERRY_SEEDS), rng.uniform(0.5, 0.9) * seed)
    model.lathe(profile, tx.to_uint8(color), bend=uneven(rng, 0.12, lean=0.06), turn=turn, pieces=1)
    leafy = rng.random() < 0.93
    if leafy:
        foot = np.array([0, 0, r * slim * 0.8])
        green = leaf_color(rng)
        calyx(
            model,
            rng,
            foot,
            r * rng.uniform(0.75, 1.2),
            int(rng.integers(7, 12)),
            green,
            turn,
            rise=rng.uniform(0.12, 0.5),
        )
        if rng.random() < 0.6:
            stub(model, rng, foot, rng.uniform(5, 16), 1.1, green * 1.1, turn)
    return model.instance(skin, "conical", ["with green leaves" if leafy else "without leaves"])


WATERMELON_SLICE_FLESH = {"red": ((222, 60, 56), (206, 44, 50), (226, 78, 72)), "yellow": ((240, 204, 70),)}


def cut_face(rng: Rng, flesh: Floats, outline: Floats, r: float, rind: float, seeds: int) -> TextureImage:
    """Paint the flat side: flesh, seeds, a pale ring and green skin; the arc's center is the origin."""
    u, v = tx.uv_grid(112, 112)
    low = outline.min(axis=0)
    extent = np.ptp(outline, axis=0)
    x, y = low[0] + u * extent[0], low[1] + v * extent[1]
    depth = r - np.hypot(x, y) + 0.5 * tx.grid_noise(rng, u.shape, 6, 6)
    image = (
        flesh * (1 + 0.06 * tx.grid_noise(rng, u.shape, 9, 9) + 0.05 * tx.grid_noise(rng, u.shape, 30, 30))[..., None]
    )
    for _ in range(seeds):
        d = r * rng.uniform(0.4, 0.8)
        a = rng.uniform(0, 2 * np.pi)
        p, q = x - d * np.cos(a), y - d * np.sin(a)
        near = np.hypot((p * np.cos(a) + q * np.sin(a)) / 3.4, (q * np.cos(a) - p * np.sin(a)) / 2.0)
        image = tx.lerp_color(image, (40, 26, 22), 1 - tx.smoothstep(near, 0.8, 1.15))
    image = tx.lerp_color((226, 232, 190), image, tx.smoothstep(depth, 0.9 * rind, 1.5 * rind))
    return tx.to_uint8(tx.lerp_color((62, 112, 52), image, tx.smoothstep(depth, 0.25 * rind, 0.5 * rind)))


@generates("watermelon slice")
def watermelon_slice(rng: Rng) -> Instance:
    """Watermelon slices: wedges or half discs of red flesh with dark seeds and a green rind."""
    model = ModelBuilder()
    word = choice(rng, weighted("red 8, yellow"))
    skin = finish(rng, "food", word, rgb=WATERMELON_SLICE_FLESH[word])
    sort = choice(rng, weighted("wedge 2, half"))
    r = rng.uniform(70, 130) if sort == "half" else rng.uniform(90, 180)
    half = np.pi / 2 if sort == "half" else np.radians(rng.uniform(16, 34))
    arc = np.linspace(-half, half, 25)
    t = np.linspace(0, 1, 9)[1:-1, None]
    edge = np.c_[np.cos(arc), np.sin(arc)]
    outline = np.concatenate([[[0, 0]], t * edge[0], edge, t[::-1] * edge[-1]]) * r
    rind = r * rng.uniform(0.05, 0.1)
    seeds = int(rng.integers(0, 60)) if sort == "half" else int(rng.integers(20, 160))
    flesh = skin.tints[0]
    face = cut_face(rng, flesh, outline, r, rind, seeds)
    u = tx.uv_grid(24, 160)[0]
    stripes = tx.smoothstep(tx.grid_noise(rng, u.shape, 2, 44) + 0.3 * tx.grid_noise(rng, u.shape, 8, 60), -0.2, 0.6)
    green = tx.lerp_color((46, 96, 44), np.array((132, 168, 84)) * rng.uniform(0.8, 1.1), stripes)
    place = np.abs(u - 0.5) * len(outline)
    wall = tx.lerp_color(green, np.array((226, 232, 190)), tx.smoothstep(place, 12.0, 12.2))
    wall = tx.lerp_color(
        wall, flesh * (1 + 0.05 * tx.grid_noise(rng, u.shape, 4, 40))[..., None], tx.smoothstep(place, 12.4, 13.6)
    )
    thick = rng.uniform(14, 38)
    shifted = np.add((outline * [-1, 1])[::-1], (0.6 * r, 0))
    model.prism(shifted, 0, thick, face[:, ::-1], tx.to_uint8(wall[:, ::-1]))
    features = ["without seeds" if seeds < 4 else "with dark seeds", "with a green rind"]
    return model.instance(skin, "triangular" if sort == "wedge" else "semicircular", features, colors=(word, "green"))
