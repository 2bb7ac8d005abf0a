"""Baked goods, and what they share: crusts, crumbs, rings of dough, icing and what is strewn on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import Finish, Rng, choice, finish, peel, weighted
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.kinds.produce import uneven
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface, grid_surface, revolve

CRUSTS = ((186, 124, 66), (170, 106, 52), (198, 142, 82), (152, 92, 46))
CRUMBS = ((236, 216, 176), (228, 206, 160), (206, 176, 128), (178, 140, 96))
ICINGS = {
    "pink": ((238, 150, 184), (244, 176, 200)),
    "white": ((244, 238, 226),),
    "brown": ((84, 48, 30), (104, 62, 40), (66, 38, 26)),
    "yellow": ((246, 218, 104),),
    "blue": ((96, 160, 220),),
    "green": ((136, 196, 120),),
    "purple": ((150, 100, 190),),
    "red": ((196, 40, 50),),
}
STREWN = (
    (224, 50, 60),
    (60, 120, 210),
    (250, 214, 60),
    (70, 170, 90),
    (244, 244, 240),
    (240, 130, 40),
    (230, 120, 180),
)


def crust(rng: Rng, color: npt.ArrayLike, texels: tuple[int, int], tone: float = 0.09) -> TextureImage:
    """Paint a baked crust: darker and paler patches, small specks, a grainy surface."""
    base = np.asarray(color, dtype=float)
    image = peel(
        rng, base, tone=tone, patches=(base * 0.72, rng.uniform(0.15, 0.4)), spots=(base * 1.22, 0.05), texels=texels
    )
    return tx.to_uint8(tx.pixel_noise(image, rng, 4))


def crumb(rng: Rng, color: npt.ArrayLike, texels: tuple[int, int], pores: float = 0.22) -> TextureImage:
    """Paint cut bread or cake, with pores."""
    rows, cols = texels
    field = tx.grid_noise(rng, texels, max(2, rows // 4), max(2, cols // 4))
    holes = tx.smoothstep(field, 0.7, 1.8) + 0.6 * tx.smoothstep(tx.grid_noise(rng, texels, 5, 5), 1.4, 2.2)
    return tx.to_uint8(tx.pixel_noise(np.asarray(color, dtype=float) * (1 - pores * holes[..., None]), rng, 4))


def strewn(
    rng: Rng, image: TextureImage, count: int, colors: Sequence[npt.ArrayLike], length: float, width: int
) -> TextureImage:
    """Draw short lines of some colors in random directions, lengths in texels; round grains for a length of 0."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    for _ in range(count):
        x = rng.uniform(0, image.shape[1])
        y = rng.uniform(0, image.shape[0])
        angle = rng.uniform(0, np.pi)
        dx, dy = 0.5 * length * np.cos(angle), 0.5 * length * np.sin(angle)
        r, g, b = (int(c) for c in np.clip(np.asarray(choice(rng, colors)) * rng.uniform(0.88, 1.08), 0, 255))
        if length:
            draw.line([(x - dx, y - dy), (x + dx, y + dy)], fill=(r, g, b), width=width)
        else:
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=(r, g, b))
    return np.asarray(canvas)


def dough_ring(model: ModelBuilder, rng: Rng, radius: float, thick: float, tall: float, image: TextureImage) -> None:
    """Add a ring of dough that lies on the ground: `radius` of its middle line, half its thickness and height.

    u of the image runs round the section from the hole over the top, v along the ring.
    """
    angle = np.linspace(0, 2 * np.pi, 33)
    wobble = 1 + 0.5 * rng.uniform(0.01, 0.05) * np.cos(2 * angle + rng.uniform(0, 6.3))
    path = np.c_[radius * wobble * np.cos(angle), radius * wobble * np.sin(angle), np.full(33, tall)]
    uneven = 1 + rng.uniform(0, 0.05) * np.cos(3 * angle + rng.uniform(0, 6.3))
    path[-1], uneven[-1] = path[0], uneven[0]
    half = image[: image.shape[0] // 2]  # mirrored, so that the two ends of the image meet
    model.sweep(
        path, thick * uneven, np.concatenate([half, half[::-1]]), tall * uneven, segments=18, closed=True, pieces=8
    )


def ring_icing(
    model: ModelBuilder, rng: Rng, radius: float, thick: float, tall: float, image: TextureImage, drips: float
) -> None:
    """Lay icing with a wavy edge over the upper half of a `dough_ring` of the same measures."""
    around = np.linspace(0, 2 * np.pi, 41)
    across = np.linspace(0, 1, 9)
    around[-1] = 0
    edges = [wavy(rng, around, drips) for _ in range(2)]
    low = np.pi * (0.05 - edges[0])
    high = np.pi * (0.98 + edges[1])
    section = high[None] + (low - high)[None] * across[:, None]
    out = radius + (thick + 0.9) * 1.04 * np.cos(section)
    z = tall + (tall + 0.9) * 1.05 * np.sin(section)
    points = np.stack([out * np.cos(around), out * np.sin(around), z], -1)
    model.surface(grid_surface(points[::-1]), image)


def flat_body(
    model: ModelBuilder, profile: Floats, bend: Callable[[Floats], Floats], image: TextureImage, segments: int = 30
) -> None:
    """Add a convex body of revolution with an image projected from above, as for cookies: no pole in its middle."""
    shape = revolve([(float(r), float(z)) for r, z in profile], segments).deformed(bend)
    low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    uv = (shape.points - low)[:, :2] / (high - low)[:2]
    model.surface(Surface(shape.points, np.clip(uv, 0, 1), shape.faces), image)
    model.hull(shape.points[:: max(1, len(shape.points) // 240)])


def wavy(rng: Rng, angle: Floats, amount: float) -> Floats:
    """Return a random smooth edge over angles, from -amount to amount."""
    waves: Sequence[Callable[[Floats], Floats]] = (np.sin, np.cos)
    total = sum(wave(n * angle + rng.uniform(0, 6.3)) * rng.uniform(0.2, 1) for n in (3, 5, 8) for wave in waves)
    return np.asarray(amount * total / 4)


BAGEL_SEEDS = {
    "sesame seeds": ((240, 226, 186),),
    "poppy seeds": ((38, 36, 42),),
    "mixed seeds": ((240, 226, 186), (38, 36, 42)),
}


@generates("bagel")
def bagel(rng: Rng) -> Instance:
    """Bagels: plump shiny rings of bread with a small hole; plain or with sesame, poppy or mixed seeds. Pose: lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=(*CRUSTS, (128, 78, 42)))
    color = skin.tints[0]
    thick = rng.uniform(20, 28)
    radius, tall = thick * rng.uniform(1.2, 1.5), thick * rng.uniform(0.66, 0.9)
    u, _ = tx.uv_grid(160, 112)
    up = np.sin(2 * np.pi * u)
    baked = crust(rng, color, (160, 112))
    pale = np.minimum(color * 1.28 + 14, (236, 202, 146))
    image = tx.to_uint8(tx.lerp_color(baked, pale, 0.7 * tx.smoothstep(-up, -0.1, 0.5)))
    seeds = choice(rng, ("", "", *BAGEL_SEEDS))
    if seeds:
        strewn_on = strewn(
            rng, image, int(rng.integers(300, 900)), BAGEL_SEEDS[seeds], 0 if seeds == "poppy seeds" else 2, 1
        )
        image = np.where((up > 0.05)[..., None], strewn_on, image)
    dough_ring(model, rng, radius, thick, tall, image)
    return model.instance(skin, "ring-shaped", [f"with {seeds}" if seeds else "without seeds", "with a small hole"])


STANDING = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])  # turns a prism to +y, its second axis up
BREAD_LOAF_DARK = ((112, 70, 40), (132, 82, 44))


@generates("bread loaf")
def bread_loaf(rng: Rng) -> Instance:
    """Bread loaves: from a tin, whole or cut, round and scored, or long with slashes; pale to dark brown."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=(*CRUSTS, *BREAD_LOAF_DARK))
    sort = choice(rng, weighted("tin 2, cut, round, long 2"))
    if sort in ("tin", "cut"):
        return tin_loaf(model, rng, skin, sort == "cut")
    floury = rng.random() < 0.5
    if sort == "round":
        r = rng.uniform(70, 115)
        tall = rng.uniform(0.62, 0.9)
        outline = [(0, 0), (0.7, 0), (0.92, 0.12), (1, 0.35), (0.92, 0.62), (0.66, 0.86), (0.3, 0.98), (0, 1)]
        image = scored(rng, skin, (88, 144), floury, True)
        model.lathe(smooth(outline, 20) * [r, r * tall], image, 32, bend=uneven(rng, 0.06), pieces=1)
        return model.instance(
            skin, "round", ["with flour on top" if floury else "with a shiny crust", "with cuts on top"]
        )
    length = rng.uniform(170, 300)
    slim = rng.uniform(0.17, 0.26)
    t = np.sin(np.linspace(-1, 1, 15) * np.pi / 2)
    width = length * slim * np.maximum(1 - np.abs(t) ** rng.uniform(2.2, 4), 0.12) ** 0.6
    path = np.c_[6 * np.sin(2 * t + rng.uniform(0, 6)), t * length / 2, 0.7 * width]
    model.sweep(
        path, width, scored(rng, skin, (160, 80), floury, False), 0.78 * width, power=2.2, segments=20, pieces=3
    )
    return model.instance(
        skin, "oval", ["with flour on top" if floury else "with a shiny crust", "with slashes on top"]
    )


def scored(rng: Rng, skin: Finish, texels: tuple[int, int], floury: bool, cross: bool) -> TextureImage:
    """Paint a crust with pale cuts on the upper side, and flour."""
    image: np.ndarray = crust(rng, skin.tints[0], texels).astype(float)  # type: ignore[type-arg]
    u, v = tx.uv_grid(*texels)
    wobble = 0.03 * tx.grid_noise(rng, texels, 4, 4)
    if cross:
        top = tx.smoothstep(v, 0.5, 0.62)
        lines = np.abs((u * choice(rng, (2, 3, 4)) + wobble) % 1 - 0.5) * 2 * (1.02 - v)
    else:
        top = tx.smoothstep(np.sin(2 * np.pi * u), 0.45, 0.75) * tx.smoothstep(-np.abs(v - 0.5), -0.44, -0.38)
        lines = np.abs((v * int(rng.integers(3, 6)) + 1.6 * (u - 0.25) + wobble) % 1 - 0.5) * 0.5
    cut = top * (1 - tx.smoothstep(lines, 0.02, 0.055))
    if floury:
        dust = top * tx.smoothstep(tx.grid_noise(rng, texels, 12, 12), -0.6, 1.6) * rng.uniform(0.4, 0.8)
        image = tx.lerp_color(image, (236, 226, 206), dust)
    pale = np.minimum(skin.tints[0] * 1.35 + 18, (236, 206, 150))
    return tx.to_uint8(tx.lerp_color(image, pale, 0.85 * cut))


def tin_loaf(model: ModelBuilder, rng: Rng, skin: Finish, cut: bool) -> Instance:
    """Add a loaf with straight sides and a domed top that bulges over them; a cut one shows its crumb."""
    color = skin.tints[0]
    length, half, tall = rng.uniform(130, 290), rng.uniform(42, 60), rng.uniform(75, 115)
    bulge, edge = rng.uniform(1.04, 1.2), rng.uniform(0.46, 0.6)
    side = [(0.0, 0.0), (0.6, 0.0), (0.86, 0.02), (0.93, 0.12), (0.96, edge - 0.1), (bulge - 0.04, edge)]
    side += [(bulge, edge + 0.1)]
    right = smooth([*side, (0.9 * bulge, edge + 0.22), (0.62, 0.94), (0.25, 1.0), (0, 1.0)], 19)
    outline = np.concatenate([right, right[-2:0:-1] * [-1, 1], right[:1]]) * [half, tall]
    stations = np.array([0, 0.03, 0.1, 0.5, 0.9, 0.97, 1])
    scale = np.array([0.84, 0.95, 1, 1, 1, 0.95, 0.84])
    if cut:
        stations = stations[:-2]
        scale = np.r_[scale[:-3], 1.0]
    middle = np.array([0, 0.45 * tall])
    wave = 1 + 0.03 * np.sin(rng.uniform(0, 6) + 9 * stations)[:, None, None] * (outline[:, 1:] > edge * tall)
    rows = middle + (outline - middle) * scale[:, None, None] * wave
    along = np.broadcast_to((length * (stations / stations[-1] - 0.5))[:, None, None], (*rows.shape[:2], 1))
    points = np.concatenate([rows[..., :1], along, rows[..., 1:]], -1)[::-1]
    u = tx.uv_grid(144, 96)[0]
    top = tx.smoothstep(-np.abs(u - 0.5), -0.27, -0.17)
    crack = rng.random() < 0.4
    split = (1 - tx.smoothstep(np.abs(u - 0.5 + 0.01 * tx.grid_noise(rng, u.shape, 9, 2)), 0.012, 0.03)) * crack
    wall = tx.lerp_color(np.minimum(crust(rng, color * 1.25, (144, 96)), (236, 196, 136)), color * 0.85, 0.85 * top)
    wall = tx.lerp_color(wall, np.minimum(color * 1.4, (236, 200, 140)), 0.8 * split)
    model.surface(grid_surface(points), tx.to_uint8(wall))
    model.hull(points[[0, 1, 2, -3, -2, -1]].reshape(-1, 3))
    heel = crust(rng, color * 1.15, (56, 56))
    faces = heel, crumb(rng, choice(rng, CRUMBS), (72, 72), 0.12) if cut else heel
    for row, face, y in zip((rows[0], rows[-1]), faces, (-length / 2, length / 2 - 1), strict=True):
        model.prism(row[-2::-1] * [-1, 1], 0, 1, face, heel, at=(0, y, 0), turn=STANDING, hull=False)
    features = ["with a cut end" if cut else "uncut", "with a domed top", "with a split on top" if crack else ""]
    return model.instance(skin, "rectangular", features)


DOUGHS = ((196, 140, 80), (176, 118, 62), (208, 160, 100), (160, 104, 56))
COOKIE_DARK = ((96, 60, 38), (84, 52, 36))


@generates("cookie")
def cookie(rng: Rng) -> Instance:
    """Cookies: flat round baked discs; with chips, plain, dark, with jam, or two with cream between. Pose: lying."""
    model = ModelBuilder()
    sort = choice(rng, weighted("chips 4, plain, dark chips, cream"))
    skin = finish(rng, "food", "brown", rgb=COOKIE_DARK if sort in ("dark chips", "cream") else DOUGHS)
    color = skin.tints[0]
    r = rng.uniform(24, 46)
    if sort == "cream":
        sandwich(model, rng, min(r, 30), color)
        return model.instance(
            skin, "disc-shaped", ["with cream filling", "with a dark wafer"], colors=("brown", "white")
        )
    tall = rng.uniform(8, 15)
    phase = wavy(rng, np.linspace(0, 2 * np.pi, 64, endpoint=False), rng.uniform(0.02, 0.08))

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
        factor = 1 + np.interp(angle, np.linspace(0, 2 * np.pi, 65), np.r_[phase, phase[:1]])
        return np.asarray(points * np.stack([factor, factor, 0.6 + 0.4 * factor], -1))

    outline = [(0, 0), (0.8 * r, 0), (0.97 * r, 0.2 * tall), (r, 0.45 * tall), (0.9 * r, 0.75 * tall)]
    outline += [(0.6 * r, 0.95 * tall), (0.3 * r, tall), (0, tall)]
    baked = crust(rng, color, (96, 96))
    cracks = np.abs(tx.grid_noise(rng, (96, 96), 11, 11))
    image = tx.lerp_color(baked, color * 0.6, 0.5 * (1 - tx.smoothstep(cracks, 0.02, 0.16)))
    flat_body(model, smooth(outline, 16), bend, tx.to_uint8(image))
    if sort == "plain":
        return model.instance(skin, "disc-shaped", ["without chips"])
    chip = np.array((62, 36, 24)) if sort == "chips" else np.array((232, 220, 190))
    piece = peel(rng, chip * rng.uniform(0.85, 1.1), tone=0.1, texels=(16, 24))
    for _ in range(int(rng.integers(9, 19))):
        a = rng.uniform(0, 6.3)
        d = 0.82 * r * np.sqrt(rng.random())
        s = rng.uniform(4, 7.5)
        z = float(np.interp(d, [0, 0.6 * r, 0.9 * r], [tall, 0.95 * tall, 0.75 * tall]))
        size = (s, s * rng.uniform(0.7, 1.2), 0.75 * s)
        model.ball(size, piece, rows=7, segments=9, at=(d * np.cos(a), d * np.sin(a), z), hull=False)
    features = ["with chocolate chips"] if sort == "chips" else ["with white chocolate chips", "dark"]
    return model.instance(skin, "disc-shaped", features)


def sandwich(model: ModelBuilder, rng: Rng, r: float, color: Floats) -> None:
    """Add two embossed wafers with cream between."""
    u, v = tx.uv_grid(48, 144)
    teeth = tx.smoothstep(np.abs((u * int(rng.integers(24, 40))) % 1 - 0.5), 0.1, 0.3) * (v < 0.45)
    relief = tx.smoothstep(np.abs((u * int(rng.integers(6, 13))) % 1 - 0.5) * (1 - v), 0.03, 0.08) * (v > 0.62)
    image = tx.to_uint8(tx.pixel_noise(color * (0.8 + 0.28 * np.maximum(teeth, relief))[..., None], rng, 4))
    thick, cream = rng.uniform(3.5, 5), rng.uniform(2.5, 5)
    for base in (0.0, thick + cream):
        disc = [(0, base), (0.96 * r, base), (r, base + 0.3 * thick), (r, base + 0.7 * thick), (0.93 * r, base + thick)]
        disc += [(0, base + thick)]
        model.lathe(disc, image, 30, pieces=1)
    profile = [(0, thick), (0.93 * r, thick), (0.93 * r, thick + cream), (0, thick + cream)]
    model.lathe(profile, plain((240, 236, 224)), 24, pieces=1)


GOLDS = ((184, 122, 60), (168, 104, 50), (194, 138, 78), (154, 94, 46))


@generates("croissant")
def croissant(rng: Rng) -> Instance:
    """Croissants: golden crescents of rolled dough in steps, thick in the middle. Pose: lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=GOLDS)
    color = skin.tints[0]
    count = rng.uniform(2.4, 3.9)
    length = rng.uniform(110, 190)
    bend = rng.uniform(0.35, 1.7)
    t = np.linspace(-1, 1, 45)
    angle = bend * t
    path = np.c_[np.cos(angle), np.sin(angle), np.zeros(45)] * length / (2 * bend)
    step = (np.abs(t) * (count - 0.5) + 0.5) % 1  # each roll ends in a step towards the tips
    envelope = 0.22 + 0.78 * np.cos(0.5 * np.pi * np.abs(t) ** 1.15) ** 0.9
    widths = length * rng.uniform(0.15, 0.2) * envelope * (1.08 - 0.2 * step**2.5)
    widths[[0, -1]] *= 0.6
    u, v = tx.uv_grid(176, 48)
    along = (np.abs(2 * v - 1) * (count - 0.5) + 0.5 + 0.03 * np.sin(2 * np.pi * u + 1)) % 1
    layers = 0.5 + 0.5 * np.sin(2 * np.pi * (2.5 * along + 0.2 * tx.grid_noise(rng, u.shape, 20, 3)))
    brown = tx.smoothstep(np.sin(2 * np.pi * u), -0.5, 0.9) * rng.uniform(0.4, 0.95)
    shade = tx.lerp_color(
        np.minimum(color * 1.22, (226, 184, 120)), color * 0.72, brown * (1 - 0.5 * layers * (along > 0.25))
    )
    shade = tx.lerp_color(shade, (236, 198, 128), 0.65 * tx.smoothstep(along, 0.86, 0.98))
    shade = tx.lerp_color(shade, color * 0.5, 0.7 * (1 - tx.smoothstep(np.abs(along - 0.02), 0.0, 0.035)))
    image = tx.to_uint8(tx.pixel_noise(shade * (1 + 0.06 * tx.grid_noise(rng, u.shape, 12, 5)[..., None]), rng, 4))
    model.sweep(path, widths, image, widths * rng.uniform(0.72, 0.95), segments=18, pieces=7)
    return model.instance(
        skin, "crescent-shaped", ["strongly curved" if bend > 1.2 else "straight" if bend < 0.6 else ""]
    )


LINERS = ("white", "brown", "pink", "red", "blue", "turquoise", "yellow", "green", "black", "purple")


@generates("cupcake")
def cupcake(rng: Rng) -> Instance:
    """Cupcakes: cake in a pleated paper liner under swirled frosting, with sprinkles, a berry or nothing on top."""
    model = ModelBuilder()
    word = choice(rng, (*weighted("pink 2, white 2, brown 2"), *ICINGS))
    frosting = finish(rng, "food", word, rgb=ICINGS[word])
    liner = finish(rng, "paper", LINERS, weighted("plain 2, striped, dotted"), pitch=(6, 12), wear=0.05)
    foot, rim, low = rng.uniform(20, 27), rng.uniform(29, 36), rng.uniform(28, 42)
    pleats = int(rng.integers(14, 22))

    def pleated(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        factor = 1 + 0.035 * np.cos(pleats * angle)
        return np.asarray(points * np.stack([factor, factor, np.ones(len(points))], -1))

    flat = liner.image(2 * np.pi * rim, low + foot)
    folds = 0.85 + 0.15 * np.cos(2 * np.pi * pleats * tx.uv_grid(*flat.shape[:2])[0])
    paper = tx.to_uint8(flat * folds[..., None])
    model.lathe([(0, 0), (foot, 0), (rim, low)], paper, pleats * 3, bend=pleated, pieces=1)
    model.lathe(
        [(rim, low), (0.9 * rim, low + 5), (0, low + 6)], crumb(rng, choice(rng, CRUMBS), (24, 64)), 24, hull=False
    )
    tall = rng.uniform(24, 46)
    tiers = int(rng.integers(2, 5))
    lobes = int(rng.integers(6, 12))
    swirl, depth = rng.uniform(0.4, 1.5), rng.uniform(0.04, 0.14)
    t = np.linspace(0, 1, 8 * tiers + 1)
    radius = (
        rim * rng.uniform(0.88, 1.06) * (1 - t**1.4) ** 0.75 * (1 + 0.14 * np.abs(np.sin(np.pi * tiers * t)) - 0.07)
    )
    profile = [(0.6 * rim, low + 2), *np.c_[radius, low + 3 + tall * t]]

    def swirled(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        up = (points[:, 2] - low) / tall
        factor = 1 + depth * np.cos(lobes * (angle + swirl * 2 * up))
        lift = 2.5 * np.cos(angle - 6.3 * tiers * up) * (up > 0.1)
        return np.stack([points[:, 0] * factor, points[:, 1] * factor, points[:, 2] + lift], -1)

    color = frosting.tints[0]
    image = peel(rng, color, tone=0.03, streaks=(color * 0.9, 0.15), texels=(56, 128))
    topping = choice(rng, ("sprinkles", "sprinkles", "cherry", "", ""))
    if topping == "sprinkles":
        image = strewn(rng, image, int(rng.integers(30, 80)), STREWN, 5, 2)
    model.lathe(profile, image, 36, bend=swirled, pieces=1)
    if topping == "cherry":
        red = peel(rng, np.array((178, 20, 36)) * rng.uniform(0.85, 1.1), texels=(24, 32))
        model.ball((17, 17, 16), red, rows=11, segments=16, at=(0, 0, low + tall + 6))
    features = ["with sprinkles" if topping == "sprinkles" else ""]
    features += ["with a cherry on top" if topping == "cherry" else "without a cherry"]
    features += [f"with a {liner.colors[0]} paper liner"]
    return model.instance(frosting, "cup-shaped", features, colors=(word, liner.colors[0]))


@generates("donut")
def donut(rng: Rng) -> Instance:
    """Donuts: rings of fried dough; plain, sugared, glazed or iced, with or without sprinkles. Pose: lying."""
    model = ModelBuilder()
    dough = finish(rng, "food", "brown", rgb=CRUSTS)
    iced = rng.random() < 0.82
    thick = rng.uniform(13, 19)
    radius, tall = thick * rng.uniform(1.5, 2.0), thick * rng.uniform(0.7, 0.95)
    u, _ = tx.uv_grid(112, 72)
    belt = np.exp(-((np.minimum(np.abs(u - 0.5), np.minimum(u, 1 - u)) / 0.05) ** 2))
    image = tx.to_uint8(tx.lerp_color(crust(rng, dough.tints[0], (112, 72)), (228, 190, 130), 0.7 * belt))
    if not iced:
        sugar = rng.random() < 0.5
        if sugar:
            image = strewn(rng, image, 900, ((246, 242, 234),), 0, 2)
        dough_ring(model, rng, radius, thick, tall, image)
        return model.instance(dough, "ring-shaped", ["with sugar" if sugar else "without icing", "with a hole"])
    dough_ring(model, rng, radius, thick, tall, image)
    word = choice(rng, (*weighted("pink 3, brown 3, white 2"), *ICINGS))
    color = np.array(choice(rng, ICINGS[word])) * rng.uniform(0.92, 1.04)
    icing = peel(rng, color, tone=0.03, texels=(56, 176))
    topping = choice(rng, ("sprinkles", "sprinkles", "drizzle", "", ""))
    if topping == "sprinkles":
        icing = strewn(
            rng,
            icing,
            int(rng.integers(50, 130)),
            STREWN if rng.random() < 0.7 else STREWN[4:5] if word == "brown" else ((84, 48, 30),),
            6,
            2,
        )
    elif topping == "drizzle":
        a, b = tx.uv_grid(56, 176)
        line = tx.smoothstep(-np.abs((a * int(rng.integers(14, 24)) + 0.5 * b) % 1 - 0.5), -0.22, -0.12)
        stripe = np.array(choice(rng, ICINGS["white" if word != "white" else "brown"]))
        icing = tx.to_uint8(tx.lerp_color(icing, stripe, line * (b > 0.12) * (b < 0.9)))
    ring_icing(model, rng, radius, thick, tall, icing, rng.uniform(0.04, 0.2))
    features = [f"with {word} icing" if word != "brown" else "with chocolate icing"]
    features += [f"with {topping}" if topping else "without sprinkles", "with a hole"]
    return model.instance(dough, "ring-shaped", features, colors=(word, "brown"))


SAUSAGES = ((164, 72, 44), (182, 88, 58), (140, 58, 38), (196, 104, 76))
SAUCES = {"mustard": (228, 178, 34), "ketchup": (186, 28, 22)}


@generates("hot dog")
def hot_dog(rng: Rng) -> Instance:
    """Hot dogs: a sausage in a split bun, with mustard, ketchup or neither. Pose: lying."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=CRUSTS)
    length, wide = rng.uniform(125, 175), rng.uniform(15, 20)
    t = np.sin(np.linspace(-1, 1, 17) * np.pi / 2)  # closer together at the round ends
    curve = rng.uniform(0, 10)
    bend = curve * (1 - t**2) - curve / 2
    cap = np.sqrt(np.maximum(1 - np.abs(t) ** 5, 0.08))
    u, _ = tx.uv_grid(96, 64)
    baked = crust(rng, skin.tints[0] * 1.06, (96, 64))
    pale = np.array((240, 216, 168)) * rng.uniform(0.93, 1.03)
    for side in (-1, 1):
        inward = 0.85 * side * np.cos(2 * np.pi * u) + 0.5 * np.sin(2 * np.pi * u)
        white = tx.smoothstep(inward, 0.55, 0.8)
        image = tx.to_uint8(tx.lerp_color(baked, pale, white))
        path = np.c_[bend + side * wide * 0.74, t * length / 2, np.full(17, wide)]
        model.sweep(path, wide * 0.92 * cap, image, wide * 1.0 * cap, power=2.2, segments=18, pieces=2)
    r = wide * rng.uniform(0.62, 0.8)
    out = length * rng.uniform(0.98, 1.16)
    sausage = np.array(choice(rng, SAUSAGES)) * rng.uniform(0.9, 1.08)
    meat = peel(
        rng,
        sausage,
        tone=0.06,
        streaks=(sausage * 0.75, rng.uniform(0, 0.2)),
        spots=(sausage * 0.7, 0.02),
        texels=(80, 48),
    )
    high = wide * rng.uniform(1.5, 1.75)
    round_ends = np.sqrt(np.maximum(1 - np.abs(t) ** 9, 0.1))
    model.sweep(np.c_[bend, t * out / 2, np.full(17, high)], r * round_ends, meat, segments=16, pieces=2)
    sauces = choice(rng, (("mustard",), ("mustard",), ("ketchup",), ("mustard", "ketchup"), ()))
    for n, sauce in enumerate(sauces):
        s = np.linspace(-0.9, 0.9, 41)
        wave = 0.5 * r * np.sin(rng.uniform(16, 26) * s + n * 3) if rng.random() < 0.8 else 0 * s
        x = np.interp(s, t, bend) + wave + (n - 0.5 * (len(sauces) - 1)) * 0.4 * r
        top = high + np.sqrt(np.maximum(r**2 - (x - np.interp(s, t, bend)) ** 2, 1)) + 0.3
        color = np.array(SAUCES[sauce]) * rng.uniform(0.92, 1.06)
        model.sweep(np.c_[x, s * out / 2, top], rng.uniform(2, 3), plain(color), 2.0, segments=7, hull=False)
    features = [f"with {sauce}" for sauce in sauces] or ["without sauce"]
    return model.instance(
        skin, "long and thin", features, colors=("brown", "yellow") if "mustard" in sauces else ("brown",)
    )


CHEESES = ((236, 196, 104), (240, 206, 128), (230, 180, 84))
SAUCE = (184, 56, 30)
TOPPINGS = ("salami", "salami", "salami", "olives", "peppers", "basil", "mushrooms", "")


def melted(rng: Rng, cheese: Floats) -> TextureImage:
    """Paint the top: sauce, melted cheese, browned spots."""
    shape = (96, 96)
    field = tx.grid_noise(rng, shape, 7, 7) + 0.4 * tx.grid_noise(rng, shape, 20, 20)
    image = tx.lerp_color(np.asarray(SAUCE, dtype=float), cheese, tx.smoothstep(field, -1.6, -0.4) * 0.92)
    burnt = tx.smoothstep(tx.grid_noise(rng, shape, 10, 10), 1.1, 2.2)
    image = tx.lerp_color(image, (156, 84, 36), burnt * rng.uniform(0.2, 0.8))
    return tx.to_uint8(image * (1 + 0.05 * tx.grid_noise(rng, shape, 24, 24)[..., None]))


def strips(rng: Rng, image: TextureImage, topping: str) -> TextureImage:
    """Draw thin toppings."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    colors = {
        "peppers": ((70, 140, 50), (196, 40, 30), (236, 190, 50)),
        "basil": ((46, 104, 40), (60, 120, 46)),
        "mushrooms": ((206, 188, 160), (186, 162, 130)),
    }
    for _ in range(int(rng.integers(9, 17))):
        x, y, s, a = rng.uniform(4, 92), rng.uniform(4, 92), rng.uniform(4, 8), rng.uniform(0, 360)
        r, g, b = choice(rng, colors[topping])
        if topping == "peppers":
            draw.arc([x - s, y - s, x + s, y + s], a, a + 170, fill=(r, g, b), width=3)
        elif topping == "basil":
            draw.ellipse([x - s, y - 0.6 * s, x + s, y + 0.6 * s], fill=(r, g, b))
        else:
            draw.pieslice([x - s, y - s, x + s, y + s], a, a + 200, fill=(r, g, b), outline=(120, 96, 70))
    return np.asarray(canvas)


@generates("pizza slice")
def pizza_slice(rng: Rng) -> Instance:
    """Pizza slices: triangles of flat dough with a raised crust, melted cheese, sauce and toppings."""
    # Pose: lying, its tip towards +x.
    model = ModelBuilder()
    skin = finish(rng, "food", "yellow", rgb=CHEESES)
    length = rng.uniform(105, 190)
    half = np.radians(rng.uniform(17, 30))
    thin = rng.uniform(5, 12)
    arc = np.linspace(-half, half, 11)
    t = np.linspace(0, 1, 8)[1:, None]
    edge = np.c_[np.cos(arc), np.sin(arc)]
    sector = np.concatenate([[[0, 0]], t[:-1] * edge[0], edge, t[:-1][::-1] * edge[-1]]) * length
    sector[1:7] += rng.normal(0, 0.9, (6, 2))
    topping = choice(rng, TOPPINGS)
    top = melted(rng, skin.tints[0])
    if topping in ("peppers", "basil", "mushrooms"):
        top = strips(rng, top, topping)
    dough = np.array(choice(rng, CRUSTS)) * rng.uniform(0.95, 1.2)
    side = tx.to_uint8(np.minimum(crust(rng, dough * 1.2, (16, 96)).astype(float), 240))
    model.prism(sector * [-1, 1] @ np.diag([1, -1]) + [0.6 * length, 0], 0, thin, top, side)
    rim = np.c_[0.6 * length - length * np.cos(arc), length * np.sin(arc), np.full(11, 0.8 * thin)]
    model.sweep(
        rim, rng.uniform(8, 13), crust(rng, dough, (96, 48)), thin * rng.uniform(0.8, 1.1) + 2, segments=12, pieces=2
    )
    scatter(model, rng, length, half, thin, topping)
    colors = ("yellow", "brown", "red") if topping == "salami" else ("yellow", "brown")
    return model.instance(
        skin,
        "triangular",
        [f"with {topping}" if topping else "with cheese only", "with a thick crust" if thin > 9 else "thin"],
        colors=colors,
    )


def scatter(model: ModelBuilder, rng: Rng, length: float, half: float, thin: float, topping: str) -> None:
    """Lay slices of salami or olive rings on the top."""
    if topping not in ("salami", "olives"):
        return
    salami = topping == "salami"
    color = np.array((176, 44, 34) if salami else (44, 40, 44)) * rng.uniform(0.85, 1.15)
    spots = ((224, 130, 100), 0.06) if salami else None
    disc = peel(rng, color, tone=0.08, patches=(color * 0.75, 0.3), spots=spots, texels=(24, 64), spot_count=14)
    if not salami:
        disc[:8] = (204, 160, 84)
    placed: list[Floats] = []
    for _ in range(40):
        r = rng.uniform(0.075, 0.1) * length if salami else rng.uniform(4, 6)
        d = rng.uniform(0.3, 0.84) * length
        a = rng.uniform(-1, 1) * half
        inside = abs(a) < half - np.arcsin(min(0.9 * r / d, 1)) and all(
            np.hypot(*(p - (d * np.cos(a), d * np.sin(a)))) > 2 * r for p in placed
        )
        if inside and len(placed) < 7:
            placed.append(np.array([d * np.cos(a), d * np.sin(a)]))
            at = (0.6 * length - placed[-1][0], placed[-1][1], thin)
            model.lathe([(r, -1), (r * 0.98, 1.2), (0.6 * r, 0.9), (0, 0.8)], disc, 18, at=at, hull=False)


PRETZEL_BROWNS = ((136, 76, 36), (118, 64, 30), (154, 92, 44), (172, 110, 58))


@generates("pretzel")
def pretzel(rng: Rng) -> Instance:
    """Pretzels: a knot of shiny brown dough with three holes and coarse salt. Pose: lying, its thick arc towards +x."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=PRETZEL_BROWNS)
    color = skin.tints[0]
    crisp = rng.random() < 0.3
    half = rng.uniform(24, 36) if crisp else rng.uniform(56, 80)
    thick = half * (rng.uniform(0.1, 0.13) if crisp else rng.uniform(0.145, 0.19))
    tall = rng.uniform(0.72, 0.95)
    strand = [(-0.44, -0.7, 0.7), (-0.2, -0.3, 0.55), (0.08, 0.12, 0.5), (0.3, 0.52, 0), (0.62, 0.72, 0)]
    strand += [(0.93, 0.42, 0), (0.88, -0.2, 0), (0.5, -0.64, 0)]
    other = [(-x, y, -z if n in (1, 2) else z) for n, (x, y, z) in enumerate(strand)][::-1]
    path = smooth([*strand, (0, -0.8, 0), *other], 64) * [half, half * tall, 1.1 * thick]
    path = np.c_[-path[:, 1], path[:, 0], path[:, 2]]
    t = np.linspace(-1, 1, 64)
    widths = thick * (0.72 + 0.4 * np.exp(-((t / 0.22) ** 2))) * (1 - 0.65 * np.abs(t) ** 30)
    baked = crust(rng, color, (176, 40), 0.06)
    u, v = tx.uv_grid(176, 40)
    split = (
        (1 - tx.smoothstep(np.abs(u - 0.25 + 0.02 * np.sin(40 * v)), 0.05, 0.12))
        * (np.abs(v - 0.5) < 0.09)
        * (rng.random() < 0.5)
    )
    image = tx.to_uint8(tx.lerp_color(baked, (232, 204, 150), 0.85 * split))
    salted = rng.random() < 0.75
    if salted:
        grains = strewn(rng, image, int(rng.integers(60, 170)), ((246, 244, 238),), 0, 2)
        image = np.where((np.abs(u - 0.25) < 0.24)[..., None], grains, image)
    model.sweep(path, widths, image, segments=12, pieces=12)
    return model.instance(
        skin, "knot-shaped", ["with salt" if salted else "without salt", "thin" if crisp else "thick"]
    )
