"""What lies in a bathroom."""

import numpy as np

from pickclutter_lang.kinds.finishes import (
    ANY,
    BRIGHT,
    STEEL,
    WOODS,
    Finish,
    Rng,
    choice,
    finish,
    ribbed,
    tint,
    weighted,
)
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import front, sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, grid_surface, rotation


@generates("comb")
def comb(rng: Rng) -> Instance:
    """Combs: straight backs with fine or coarse teeth, some with a tail handle; of plastic, wood or metal."""
    # Pose: lying along y with its teeth towards +x.
    model = ModelBuilder()
    length = rng.uniform(110, 205)
    material = choice(rng, weighted("plastic 4, wood, metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material, "")
    word = word or choice(rng, (*weighted("black 3, brown"), *ANY))
    tortoise = material == "plastic" and word == "brown" and rng.random() < 0.7
    rgb = WOODS if material == "wood" else STEEL if material == "metal" else ((120, 66, 28),) if tortoise else ()
    pattern = "marbled" if tortoise else "plain"
    skin = finish(rng, material, word, pattern, second=("black",), pitch=(8, 14), rgb=rgb)
    form = choice(rng, weighted("straight 2, curved, tail, handle"))
    toothed = length * {"tail": 0.52, "handle": 0.58}.get(form, 0.93)
    back = length * rng.uniform(0.05, 0.1)
    thick = rng.uniform(2.2, 4.5)
    y = np.linspace(-length / 2, length / 2, 25)
    start = length / 2 - toothed - 2
    inner = np.full(25, -back)
    if form == "curved":
        inner = -back * (0.55 + 0.75 * np.cos(np.pi * y / length))
    if form == "tail":
        inner = np.where(y < start, -back * 0.35 - 1.5, -back)
    left = np.c_[inner, y]
    right = np.c_[np.zeros(25), y]
    if form == "handle":
        grip = (y < start) * back * rng.uniform(0.3, 0.7) * np.clip((start - y) / 20, 0, 1)
        left[:, 0] -= grip * 0.5
        right[:, 0] += grip
    if form == "tail":
        right[:, 0] = np.where(y < start, -back * 0.35 + 1.5, 0)
    image = skin.image(24, length, 112)
    model.plate(left, right, -thick / 2, thick / 2, image, pieces=3)
    reach = length * rng.uniform(0.1, 0.2)
    wide_first = rng.random() < 0.45
    count = int(rng.integers(18, 46)) if form != "handle" else int(rng.integers(12, 30))
    at = start
    teeth = []
    fine = toothed / count
    while at < length / 2 - 3:
        pitch = fine * (1.6 if wide_first and at > start + toothed / 2 else 1.0)
        teeth.append((at, pitch))
        at += pitch
    for n, (place, pitch) in enumerate(teeth):
        solid = n in (0, len(teeth) - 1)
        w = pitch * (0.9 if solid else 0.55)
        tip = reach * (0.96 if solid else 1.0)
        edge = np.array(
            [
                (-1, place),
                (tip * 0.9, place + 0.1 * w),
                (tip, place + 0.5 * w),
                (tip * 0.9, place + 0.9 * w),
                (-1, place + w),
            ]
        )
        model.prism(edge, -thick * 0.36, thick * 0.36, image, hull=False)
    model.hull([(x, q, z) for x in (-1, reach) for q in (start, length / 2 - 1) for z in (-thick * 0.36, thick * 0.36)])
    words = {"tail": "with a pointed tail", "handle": "with a handle", "curved": "with a curved back"}
    features = [words.get(form, "with a straight back"), "with fine and coarse teeth" if wide_first else ""]
    return model.instance(skin, "long and flat", features, density=600)


@generates("hairbrush")
def hairbrush(rng: Rng) -> Instance:
    """Hairbrushes: oval, square or round heads full of bristles on a handle; of plastic or wood, with a cushion."""
    # Pose: lying along y with its bristles up or to +x.
    model = ModelBuilder()
    length = rng.uniform(165, 250)
    form = choice(rng, weighted("paddle, oval 2, round"))
    wooden = rng.random() < 0.35
    word = "brown" if wooden else choice(rng, (*weighted("black 2"), *ANY))
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if wooden else ())
    head = length * rng.uniform(0.42, 0.52)
    wide = length * {"paddle": rng.uniform(0.28, 0.34), "oval": rng.uniform(0.18, 0.26), "round": 0.09}[form]
    turn = rotation("y", choice(rng, (0, 0, 0, 75, 90)))
    y = np.linspace(-length / 2, length / 2, 26)
    grip = length * rng.uniform(0.045, 0.06)
    t = np.clip((y - (length / 2 - head)) / head, 0, 1)
    power = 5 if form == "paddle" else 2.2
    blade = wide / 2 * np.clip(1 - np.abs(2 * t - 1) ** power, 0, 1) ** (1 / power)
    handle = grip * smooth([(0.55,), (0.95,), (0.9,), (0.7,), (0.55,), (0.5,), (0.5,)], 26)[:, 0]
    half = np.where(y > length / 2 - head, np.maximum(blade, handle * 0.8 * (t < 0.5)), handle)
    half[-1], half[0] = max(half[-1], 2), handle[0]
    deep = np.where(y > length / 2 - head * 0.9, length * 0.028, handle * 0.7)
    tuft = plain(tint(rng, choice(rng, weighted("black 2, white, brown, grey"))) * 0.9)
    tip = plain(tint(rng, choice(rng, ("white", "black", word))))
    middle = length / 2 - head / 2
    if form == "round":
        model.sweep(
            np.c_[0 * y, y, 0 * y], np.maximum(handle, np.where(t > 0, length * 0.05, 0)), skin, pieces=3, turn=turn
        )
        rows, ring = 10, 10
        reach = length * rng.uniform(0.035, 0.06)
        base = length * 0.048
        for n in range(rows):
            for k in range(ring):
                a = 2 * np.pi * (k + 0.5 * (n % 2)) / ring
                out = np.array([np.cos(a), 0, np.sin(a)])
                at = out * base + [0, middle + head * 0.84 * ((n + 0.5) / rows - 0.5), 0]
                path = [at, at + out * reach / 2, at + out * reach]
                model.sweep(path, 1.0, tuft, segments=3, up=(0, 1, 0), turn=turn, hull=False)
        around = np.linspace(0, 2 * np.pi, 13)
        model.hull(
            [
                ((base + reach) * np.cos(q), middle + s * head * 0.44, (base + reach) * np.sin(q))
                for q in around
                for s in (-1, 1)
            ],
            turn=turn,
        )
    else:
        model.sweep(np.c_[0 * y, y, 0 * y], half, skin, deep, power=2.6, pieces=3, turn=turn)
        z = length * 0.024
        pad = plain(tint(rng, choice(rng, ("black", "red", "grey", "pink", word))))
        size = (wide * 0.8, head * 0.84, length * 0.034)
        model.ball(size, pad, rows=7, segments=20, at=turn @ [0, middle, z], turn=turn, hull=False)
        reach = length * rng.uniform(0.05, 0.08)
        across, along = (7, 11) if form == "paddle" else (5, 11)
        for i in range(across):
            for j in range(along):
                u, v = (i + 0.5) / across * 2 - 1, (j + 0.5) / along * 2 - 1
                if np.hypot(u, v) > 1.1 if form == "paddle" else np.hypot(u, v) > 0.98:
                    continue
                foot = np.array([u * wide * 0.38, middle + v * head * 0.4, z])
                top = np.add(foot, [u * 1.5, v * 2, reach])
                model.sweep([foot, (foot + top) / 2, top], 0.9, tuft, segments=3, up=(0, 1, 0), turn=turn, hull=False)
                model.box((2.4, 2.4, 2.4), tip, 0, at=turn @ top, turn=turn, hull=False)
        around = np.linspace(0, 2 * np.pi, 17)
        model.hull(
            [
                (wide * 0.42 * np.cos(q), middle + head * 0.44 * np.sin(q), s)
                for q in around
                for s in (0, z + reach + 1)
            ],
            turn=turn,
        )
    words = {"paddle": "with a wide square head", "oval": "with an oval head", "round": "with a round head"}
    features = [words[form], "with a wooden handle" if wooden else "with a plastic handle"]
    return model.instance(skin, "long and thin", features, density=350)


@generates("hand mirror")
def hand_mirror(rng: Rng) -> Instance:
    """Hand mirrors: round, oval or square glass in a frame with a handle, reflecting sky or room."""
    # Pose: lying along y, its glass up, or leaning towards +x.
    model = ModelBuilder()
    length = rng.uniform(170, 275)
    form = choice(rng, weighted("round 2, oval 2, square"))
    material = choice(rng, weighted("plastic 3, wood, metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material) or choice(rng, (*ANY, "pink", "white", "black"))
    skin = finish(rng, material, word, rgb=WOODS if material == "wood" else STEEL if material == "metal" else ())
    head = length * rng.uniform(0.46, 0.58)
    wide = head * {"round": 1.0, "oval": rng.uniform(0.68, 0.85), "square": rng.uniform(0.75, 0.95)}[form]
    thick = rng.uniform(7, 13)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.c_[np.cos(angle), np.sin(angle)] / 2 * [wide, head]
    edge = ring if form != "square" else rounded(wide, head, 0.2 * wide, 6)
    middle = np.array([0, length / 2 - head / 2])
    turn = rotation("y", choice(rng, (0, 0, 0, 55)))
    model.prism(edge + middle, -thick / 2, thick / 2, skin, turn=turn)
    # The glass reflects a gradient with soft bright shapes.
    u, v = tx.uv_grid(72, 64)
    sky = tx.lerp_color(
        np.array([150, 166, 182]) * rng.uniform(0.8, 1.1), (226, 234, 240), tx.smoothstep(v + 0.4 * (u - 0.5), 0.1, 0.9)
    )
    bar = tx.smoothstep(
        np.abs(((u + rng.uniform(0.4, 0.8) * v) * rng.uniform(0.8, 1.5) + rng.uniform()) % 1 - 0.5), 0.2, 0.34
    )
    glass = tx.to_uint8(
        sky * (1 - rng.uniform(0.1, 0.3) * bar)[..., None] + 4 * tx.grid_noise(rng, u.shape, 3, 3)[..., None]
    )
    inner = edge * (1 - 2 * rng.uniform(0.05, 0.1)) + middle
    model.prism(inner, thick / 2 - 0.4, thick / 2 + 0.4, glass, turn=turn, hull=False)
    t = np.linspace(0, 1, 14)
    y = middle[1] - head * 0.49 - t * (length - head * 0.99)
    grip = (
        length
        * rng.uniform(0.035, 0.05)
        * smooth([(0.8,), (0.6,), (0.85,), (1.1,), (0.7 if rng.random() < 0.5 else 1.1,)], 14)[:, 0]
    )
    model.sweep(np.c_[0 * t, y, 0 * t], grip, skin, np.minimum(grip, thick * 0.55), power=2.6, pieces=2, turn=turn)
    colors = (word, "grey") if word != "grey" else ("grey",)
    return model.instance(
        skin,
        "flat and round" if form != "square" else "flat rectangular",
        [f"with {'an oval' if form == 'oval' else f'a {form}'} glass", "with a handle"],
        colors=colors,
    )


@generates("razor")
def razor(rng: Rng) -> Instance:
    """Razors: disposable or cartridge razors with a handle and a crosswise head with blades; safety razors."""
    # Pose: lying along y with its head at +y.
    model = ModelBuilder()
    length = rng.uniform(105, 150)
    form = choice(rng, weighted("disposable 2, cartridge 2, safety"))
    word = "grey" if form == "safety" else choice(rng, (*BRIGHT, "blue", "pink", "orange", "black", "white", "grey"))
    skin = finish(rng, "steel" if form == "safety" else "plastic", word, rgb=STEEL if form == "safety" else ())
    wide = rng.uniform(36, 44)
    t = np.linspace(0, 1, 16)
    bow = 0 if form == "safety" else rng.uniform(3, 11)
    path = np.c_[0 * t, (t - 0.5) * length, bow * np.sin(np.pi * t) + 4]
    thick = rng.uniform(4.5, 7.5)
    form_of = {
        "disposable": [(0.8,), (1.1,), (1.0,), (0.8,), (0.6,), (0.5,)],
        "cartridge": [(0.7,), (1.2,), (1.3,), (1.0,), (0.65,), (0.6,)],
        "safety": [(0.9,), (0.9,), (0.9,), (0.9,), (0.7,), (0.7,)],
    }[form]
    width = thick * smooth(form_of, 16)[:, 0]
    model.sweep(path, width, skin, width * (1 if form == "safety" else 0.75), power=2.4, pieces=3)
    dark, steel = plain((40, 42, 46)), plain((196, 198, 204))
    if form == "safety":
        for k in range(int(rng.integers(5, 9))):
            at = path[2 + k] if 2 + k < 14 else path[13]
            model.lathe([(thick * 0.96, -1), (thick * 0.96, 1)], dark, 14, at=at, turn=rotation("x", 90), hull=False)
    elif form == "cartridge" or rng.random() < 0.4:
        grip = slice(2, 9)
        other = plain(
            tint(rng, choice(rng, ("black", "grey", "white") if word != "black" else ("grey", "red", "green")))
        )
        model.sweep(path[grip] + [0, 0, 0.22 * thick], 0.78 * width[grip], other, 0.66 * width[grip], hull=False)
    end = path[-1]
    tilt = rotation("x", -rng.uniform(25, 65))
    if form == "safety":
        size = (wide, 24, 5)
        model.box(size, skin, 2, at=end + tilt @ [0, 2, 2], turn=tilt)
        model.box((wide + 0.6, 21, 1), steel, 0, at=end + tilt @ [0, 2, 1], turn=tilt, hull=False)
    else:
        deep = rng.uniform(9, 16)
        shell = skin.painted(tint(rng, choice(rng, (word, "black", "grey")))).image(40, 12, 32)
        at = end + tilt @ [0, deep * 0.3, -1]
        model.box((wide, deep, 5), shell, 1.2, at=at, turn=tilt)
        blades = int(rng.integers(2, 6)) if form == "cartridge" else 2
        for side in (-1, 1):
            for n in range(blades):
                y = deep * (0.62 * (n + 0.5) / blades - 0.36)
                model.box((wide * 0.86, 1.1, 0.7), steel, 0, at=at + tilt @ [0, y, side * 2.6], turn=tilt, hull=False)
            strip = tint(rng, choice(rng, ("green", "blue", "white", "pink")))
            extent = (wide * 0.9, 2, 0.8)
            model.box(extent, plain(strip), 0, at=at + tilt @ [0, deep * 0.38, side * 2.5], turn=tilt, hull=False)
    words = {"disposable": "disposable", "cartridge": "with a rubber grip", "safety": "with a steel handle"}
    return model.instance(skin, "t-shaped", [words[form], "with blades"], density=700)


SOAP_BAR_COLORS = weighted("white 4, pink, yellow, green, blue, brown, orange, purple, turquoise")
SOAP_BAR_RGB = {"green": (150, 200, 130), "blue": (130, 170, 220), "yellow": (240, 222, 130), "brown": (160, 112, 70)}
SOAP_BAR_RGB |= {
    "orange": (236, 150, 80),
    "purple": (176, 140, 206),
    "pink": (238, 176, 190),
    "turquoise": (120, 206, 196),
}
SOAP_BAR_WORDS = ("SOAP", "LUX", "PURE", "OLIVE", "ROSE", "SAVON", "MILD", "HONEY", "BABY")


def _stamp(rng: Rng, skin: Finish, length: float, width: float) -> TextureImage:
    """Press letters into the upper side, lighter at one edge and darker at the other."""
    image, _ = tx.canvas((128, 80), (128, 128, 128))
    tx.draw_text(image, choice(rng, SOAP_BAR_WORDS), (65, 41), 26, (200, 200, 200))
    relief = np.asarray(image, dtype=float)[..., 0]
    base = skin.image(length, width).astype(float)
    mask = (relief > 140).astype(float)
    shade = 0.16 * mask - 0.22 * np.roll(np.roll(mask, 1, 0), 1, 1) * (1 - mask)
    rows = np.linspace(0, 79, base.shape[0]).round().astype(int)
    cols = np.linspace(0, 127, base.shape[1]).round().astype(int)
    return tx.to_uint8(base * (1 - shade[np.ix_(rows, cols)])[..., None])


@generates("soap bar")
def soap_bar(rng: Rng) -> Instance:
    """Soap bars: rounded blocks, ovals and pebbles in pale colors, stamped, marbled, some used or with herbs."""
    model = ModelBuilder()
    length = rng.uniform(62, 100)
    width, thick = length * rng.uniform(0.55, 0.75), length * rng.uniform(0.2, 0.34)
    word = choice(rng, SOAP_BAR_COLORS)
    pattern = choice(rng, weighted("plain 4, marbled, speckled"))
    rgb = (SOAP_BAR_RGB[word],) if word in SOAP_BAR_RGB else ((240, 236, 224), (244, 244, 240), (236, 226, 204))
    skin = finish(rng, "wax", word, pattern, second=("white", "brown", "green", "purple"), pitch=(12, 26), rgb=rgb)
    form = choice(rng, weighted("block 2, oval, pillow 2"))
    stamped = pattern == "plain" and rng.random() < 0.6
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    outline = rounded(length, width, width * rng.uniform(0.1, 0.42), 7)
    if form == "oval":
        outline = np.c_[np.cos(angle) * length / 2, np.sin(angle) * width / 2]
    edge = thick * (rng.uniform(0.12, 0.25) if form == "block" else rng.uniform(0.36, 0.5))
    slope = np.linspace(-np.pi / 2, np.pi / 2, 9)
    inset = 1 - edge * (1 - np.cos(slope)) * (1.0 if form == "block" else 1.5) / (width / 2)
    z = np.sin(slope) * edge + np.sign(slope) * (thick / 2 - edge)
    loop = np.concatenate([outline, outline[:1]])
    grid = np.stack([np.c_[loop * f, np.full(len(loop), h)] for f, h in zip(inset, z, strict=True)])
    turn = rotation("z", 90)
    model.surface(grid_surface(grid).transformed((0, 0, 0), turn), skin.image(2.6 * length, thick, 160))
    model.prism(outline * inset[0], -thick / 2, thick / 2, skin.image(length, width), turn=turn, hull=False)
    model.hull(grid[::2].reshape(-1, 3), turn=turn)
    if stamped:
        patch = rounded(length * 0.6, width * 0.46, width * 0.15)
        model.prism(
            patch, thick / 2 - 1, thick / 2 + 0.35, _stamp(rng, skin, length * 0.6, width * 0.46), turn=turn, hull=False
        )
    shape_word = {"block": "rectangular", "oval": "oval", "pillow": "rectangular"}[form]
    features = ["with stamped letters" if stamped else "without letters"]
    features += ["with rounded corners" if form != "oval" else ""]
    return model.instance(skin, shape_word, features, density=1050, material="wax")


SPONGE_COLORS = weighted("yellow 4, blue, pink, green, orange, turquoise, purple")
SCOURERS = weighted("green 3, black, blue, red")


def _pores(rng: Rng, color: Floats, rows: int, cols: int, coarse: float) -> TextureImage:
    """Paint the cut through foam: fine pores, and some large ones."""
    fine = tx.grid_noise(rng, (rows, cols), rows // 3, cols // 3)
    large = tx.grid_noise(rng, (rows, cols), max(3, rows // 9), max(3, cols // 9))
    depth = 0.4 * tx.smoothstep(fine, 0.6, 1.6) + 0.45 * coarse * tx.smoothstep(large, 1.0, 1.6)
    tone = 1 + 0.05 * tx.grid_noise(rng, (rows, cols), 3, 4)
    return tx.to_uint8(color * (tone * (1 - depth))[..., None])


@generates("sponge")
def sponge(rng: Rng) -> Instance:
    """Sponges: porous blocks, many with a scouring layer, straight, rounded or waisted. Pose: lying."""
    model = ModelBuilder()
    length = rng.uniform(75, 125)
    width, thick = length * rng.uniform(0.55, 0.8), length * rng.uniform(0.2, 0.38)
    word = choice(rng, SPONGE_COLORS)
    color = tint(rng, word) * (1.0, 1.0, rng.uniform(0.9, 1.2))
    coarse = float(rng.random() < 0.4)
    top = _pores(rng, color, 72, 110, coarse)
    side = _pores(rng, color * 0.97, 27, 256, coarse)
    outline = rounded(length, width, choice(rng, (1.5, 4, 10, 0.5 * width)) * rng.uniform(0.7, 1.0), 6)
    waisted = rng.random() < 0.2
    if waisted:
        dense = np.concatenate(
            [np.linspace(a, b, 5)[:-1] for a, b in zip(outline, np.roll(outline, -1, 0), strict=True)]
        )
        outline = dense * np.c_[np.ones(len(dense)), 1 - 0.2 * np.cos(np.pi * np.clip(dense[:, 0] / length, -0.5, 0.5))]
    scourer = rng.random() < 0.65
    layer = thick * rng.uniform(0.15, 0.28) if scourer else 0.0
    # The scouring layer is on top, or at the bottom.
    turn = rotation("z", 90) @ rotation("y", choice(rng, (0, 180, 180)))
    model.prism(outline, 0, thick - layer, top, side, turn=turn)
    rough = choice(rng, [c for c in SCOURERS if c != word])
    if scourer:
        dark = tint(rng, rough) * rng.uniform(0.6, 0.9)
        felt = tx.to_uint8(tx.pixel_noise(dark * (1 + 0.1 * tx.grid_noise(rng, (64, 96), 24, 36))[..., None], rng, 9))
        model.prism(outline, thick - layer, thick, felt, turn=turn)
    skin = finish(rng, "foam", word)
    features = ["with a scouring pad" if scourer else "without a scouring pad", "waisted" if waisted else ""]
    colors = (word, rough) if scourer else (word,)
    return model.instance(skin, "rectangular", features, colors=colors, pattern="two-coloured" if scourer else "plain")


@generates("toilet paper roll")
def toilet_paper_roll(rng: Rng) -> Instance:
    """Toilet paper rolls: white cylinders of paper round a cardboard tube, full or half used, standing or lying."""
    model = ModelBuilder()
    h, r, hole = rng.uniform(88, 112), rng.uniform(32, 62), rng.uniform(18, 23)
    word = choice(rng, weighted("white 9, pink, brown"))
    rgb = {"white": ((240, 239, 235), (232, 230, 224)), "pink": ((240, 196, 202),), "brown": ((196, 164, 124),)}[word]
    skin = finish(rng, "paper", word, rgb=rgb, wear=0)
    color = skin.tints[0]
    u, v = tx.uv_grid(80, 200)
    wall = np.broadcast_to(color, (80, 200, 3)) * (1 + 0.015 * tx.grid_noise(rng, (80, 200), 3, 5))[..., None]
    quilted = rng.random() < 0.55
    if quilted:
        a = u * 16 + v * 7
        b = u * 16 - v * 7
        emboss = np.maximum(np.cos(2 * np.pi * a), np.cos(2 * np.pi * b))
        wall = wall * (1 - 0.09 * tx.smoothstep(emboss, 0.75, 1.0))[..., None]
    perforation = np.minimum(np.abs(u - 0.3), np.abs(u - 0.88))
    wall = wall * (1 - 0.12 * (1 - tx.smoothstep(perforation, 0.002, 0.006)) * ((v * 40) % 1 > 0.4))[..., None]
    lying = rng.random() < 0.5
    turn = rotation("z", rng.uniform(-90, 90)) @ rotation("x", 90) if lying else rotation("z", rng.uniform(-40, 40))
    angle = np.linspace(0, 2 * np.pi, 33)
    dent = 1 + rng.uniform(0, 0.03) * np.cos(2 * angle + rng.uniform(0, 6))
    ring = np.stack([np.cos(angle), np.sin(angle)], -1) * dent[:, None]
    ring[-1] = ring[0]

    def tube(radius: float, low: float, high: float, end: float | None = None) -> Floats:
        return np.stack([np.c_[ring * radius, np.full(33, low)], np.c_[ring * (end or radius), np.full(33, high)]])

    model.surface(grid_surface(tube(r, 0, h)).transformed((0, 0, 0), turn), tx.to_uint8(wall))
    layers = np.sin(2 * np.pi * (v * (r - hole) / 2.2 + u))
    end = tx.to_uint8(color * (0.93 + 0.05 * layers + 0.02 * tx.grid_noise(rng, (80, 200), 20, 12))[..., None])
    model.surface(grid_surface(tube(r, h, h, hole)).transformed((0, 0, 0), turn), end)
    model.surface(grid_surface(tube(hole, 0, 0, r)).transformed((0, 0, 0), turn), end)
    card = tx.to_uint8(tx.pixel_noise(np.full((24, 48, 3), (158, 126, 92)) * rng.uniform(0.85, 1.15), rng, 6))
    model.surface(grid_surface(tube(hole, h, 0)).transformed((0, 0, 0), turn), card)
    for k in range(8):
        a = np.linspace(k, k + 1, 3) * np.pi / 4
        points = [(q * np.cos(t), q * np.sin(t), z) for t in a for q in (hole, r * 1.01) for z in (0, h)]
        model.hull(points, turn=turn)
    loose = rng.random() < 0.45
    if loose:
        start = rng.uniform(-20, 40)
        reach = rng.uniform(15, 50)
        at = np.radians(start)
        out = np.array([np.cos(at), np.sin(at)])
        along = np.array([-np.sin(at), np.cos(at)])
        f = np.linspace(0, 1, 6)[:, None]
        path = out * (r + 0.6) + reach * f * along + 8 * f**2 * out
        left = path + 0.7 * out
        model.plate(path, left, 0, h, skin.image(h, reach, 48), pieces=2, turn=turn)
    features = ["with a loose sheet" if loose else "", "lying" if lying else "standing", "quilted" if quilted else ""]
    features += ["almost used up" if r < 38 else "with a cardboard tube"]
    return model.instance(skin, "cylindrical", features, density=150)


TOOTHBRUSH_COLORS = ("red", "blue", "green", "pink", "purple", "orange", "yellow", "turquoise", "white", "black")


@generates("toothbrush")
def toothbrush(rng: Rng) -> Instance:
    """Toothbrushes: bent plastic handles, some with a rubber strip, and bristles in two colors."""
    # Pose: lying with its head at +y and bristles up.
    model = ModelBuilder()
    length = rng.uniform(155, 200)
    thick = rng.uniform(4.5, 6.5)
    wooden = rng.random() < 0.15
    skin = finish(rng, "wood", "brown", rgb=WOODS[:3]) if wooden else finish(rng, "plastic", TOOTHBRUSH_COLORS)
    t = np.linspace(0, 1, 18)
    bow = rng.uniform(-6, 10)
    height = bow * np.sin(np.pi * np.clip(t / 0.85, 0, 1)) * (0 if wooden else 1)
    path = np.c_[0 * t, t * length, height]
    form = smooth([(0.7,), (1.0,), (0.85,), (1.05,), (0.8,), (0.5,), (0.45,), (0.95,), (0.9,)], 18)[:, 0]
    model.sweep(
        path,
        thick * 1.15 * form,
        skin,
        thick * smooth([(0.7,), (0.9,), (0.8,), (0.9,), (0.6,), (0.45,), (0.4,)], 18)[:, 0],
        power=2.5,
        pieces=3,
    )
    strip = not wooden and rng.random() < 0.5
    if strip:
        part = slice(1, 9)
        model.sweep(
            path[part] + [0, 0, 0.35 * thick],
            0.62 * thick * form[part],
            plain(tint(rng, "white" if skin.colors[0] != "white" else "blue")),
            0.7 * thick,
            hull=False,
        )
    head = rng.uniform(24, 32)
    tall = rng.uniform(9, 12)
    wide = thick * rng.uniform(0.85, 1.05)
    rows = int(rng.integers(7, 10))
    other = tint(rng, skin.colors[0]) if not wooden else tint(rng, "white")
    y0 = length * 0.985 - head
    gap = head / rows
    u, _ = tx.uv_grid(24, 32)
    tufts = tx.smoothstep(np.abs((u * 12) % 1 - 0.5), 0.2, 0.5)
    for n in range(rows):
        color = other if (n < 2 or n >= rows - 2) and rng.random() < 0.9 else np.array((240, 240, 238))
        image = tx.to_uint8(tx.lerp_color(color, color * 0.72, tufts))
        size = (2 * wide, gap * 0.72, tall + rng.uniform(0, 1.5))
        model.box(size, image, 0.6, at=(0, y0 + (n + 0.5) * gap, height[-1] + tall / 2 + 1), hull=False)
    z = height[-1]
    model.hull([(x, y, z + h) for x in (-wide, wide) for y in (y0, y0 + head) for h in (0, tall + 2)])
    features = ["with a rubber grip" if strip else "", "with bristles"]
    return model.instance(skin, "long and thin", features)


TOOTHPASTE_TUBE_PRODUCTS = weighted(
    "toothpaste, dental cream, fresh mint, whitening, fluoride, herbal, gum care, kids mint"
)
TOOTHPASTE_TUBE_GROUNDS = weighted("white 6, blue, red, green, turquoise, pink, purple")


@generates("toothpaste tube")
def toothpaste_tube(rng: Rng) -> Instance:
    """Toothpaste tubes: round at the cap, flat at the crimped end, printed, full or squeezed, lying or on the cap."""
    # Pose: lying along y with its print up, or standing on its cap.
    model = ModelBuilder()
    length, wide = rng.uniform(115, 200), rng.uniform(38, 58)
    r = wide / np.pi * rng.uniform(1.0, 1.12)
    cap = rng.uniform(14, 24)
    brand = sample_brand(rng, TOOTHPASTE_TUBE_PRODUCTS, TOOTHPASTE_TUBE_GROUNDS, "ml")
    label = np.rot90(front(rng, brand, length * 0.86, wide, texels=200), int(choice(rng, (1, 3))))
    rows, cols = label.shape[:2]
    image = np.broadcast_to(np.clip(brand.background, 0, 255).astype(np.uint8), (rows, 2 * cols, 3)).copy()
    # u = 0.25 faces +y before the tube is turned; the print is on both sides.
    for u in (0.25, 0.75):
        start = round((u - 0.25) * 2 * cols)
        image[:, start : start + cols] = label
    used = rng.beta(1, 1.6)
    squeeze = rng.uniform(0.3, 0.7)

    def flatten(points: Floats) -> Floats:
        t = np.clip(points[:, 2] / length, 0, 1)
        flat = t ** (1.2 - 0.7 * used)
        across = 1 + (wide / 2 / r - 1) * t
        deep = np.maximum(1 - flat, 0.035) * (1 - 0.5 * used * np.exp(-(((t - squeeze) / 0.2) ** 2)))
        return np.asarray(points * np.stack([across, deep, np.ones(len(points))], -1))

    neck = r * rng.uniform(0.4, 0.6)
    turn = rotation("z", 180) @ rotation("x", 90)
    standing = rng.random() < 0.2
    if standing:
        turn = rotation("x", 180) @ rotation("z", 90)
    body = [(r, 0), *((r, length * f) for f in np.linspace(0.1, 0.94, 9)), (r, length)]
    model.lathe(body, image, 28, bend=flatten, turn=turn, hull=False)
    ring = np.linspace(0, 2 * np.pi, 13)[:-1]
    for low, high in ((0.0, 0.3), (0.3, 0.65), (0.65, 1.0)):
        points = [(r * np.cos(a), r * np.sin(a), length * z) for z in (low, high) for a in ring]
        model.hull(flatten(np.array(points)), turn=turn)
    skin = finish(rng, "plastic", brand.colors[0])
    model.lathe([(neck, -5), (r * 0.9, -2.5), (r, 0)], skin.solid(0.96), turn=turn, pieces=1)
    cap_word = choice(rng, (*weighted("white 2"), *brand.colors))
    color = tint(rng, cap_word)
    outer = neck * rng.uniform(1.05, 1.6)
    edge = smooth([(outer * 0.86, -4 - cap), (outer * 0.92, -4 - 0.5 * cap), (outer, -4.5)], 4)
    model.lathe([(0, -4 - cap), *edge], ribbed(color, 18), 20, 1, turn=turn)
    model.lathe([(outer, -4.5), (neck * 0.9, -4.4)], plain(color), 20, turn=turn, hull=False)
    features = ["squeezed" if used > 0.5 else "", "standing on its cap" if standing else "lying", "closed"]
    features += ["with lettering"]
    return model.instance(skin, "long and flat", features, colors=brand.colors, pattern="printed", density=900)
