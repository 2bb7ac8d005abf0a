"""Devices: clocks, cameras, phones, controls and lamps."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import (
    ANY,
    BRIGHT,
    SOBER,
    STEEL,
    Finish,
    Rng,
    choice,
    finish,
    ribbed,
    tint,
    weighted,
)
from pickclutter_lang.kinds.fittings import ALONG_Y, barrel
from pickclutter_lang.kinds.kind import Instance, generates
from pickclutter_lang.kinds.labels import sample_brand
from pickclutter_lang.kinds.models import ModelBuilder, Skin, plain, rounded, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, grid_surface, rotation


def dial(rng: Rng, ground: tuple[int, int, int], ink: tuple[int, int, int], texels: int = 112) -> TextureImage:
    """Paint a clock face with marks or numbers, and hands."""
    image, draw = tx.canvas((texels, texels), ground)
    c = texels / 2
    numbers = rng.random() < 0.65
    for n in range(12):
        a = 2 * np.pi * n / 12
        x = np.sin(a)
        y = -np.cos(a)
        if numbers:
            tx.draw_text(image, str(n or 12), (c + 0.76 * c * x, c + 0.76 * c * y), texels * 0.1, ink)
        else:
            draw.line([(c + 0.72 * c * x, c + 0.72 * c * y), (c + 0.88 * c * x, c + 0.88 * c * y)], fill=ink, width=3)
    hour = rng.uniform(0, 12)
    for angle, reach, width, color in (
        (hour / 12, 0.42, 6, ink),
        (hour % 1, 0.66, 4, ink),
        (rng.uniform(), 0.5, 2, (210, 40, 40)),
    ):
        x = np.sin(2 * np.pi * angle)
        y = -np.cos(2 * np.pi * angle)
        draw.line([(c - 0.1 * c * x, c - 0.1 * c * y), (c + reach * c * x, c + reach * c * y)], fill=color, width=width)
    draw.ellipse([c - 4, c - 4, c + 4, c + 4], fill=ink)
    return np.asarray(image)


def _alarm_clock_digits(rng: Rng) -> TextureImage:
    glow = choice(rng, ((240, 40, 30), (60, 220, 90), (70, 160, 255), (240, 240, 240)))
    image, draw = tx.canvas((128, 56), (16, 16, 20))
    tx.draw_text(image, f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}", (64, 28), 36, glow)
    draw.ellipse([6, 6, 10, 10], fill=glow)
    return np.asarray(image)


@generates("alarm clock")
def alarm_clock(rng: Rng) -> Instance:
    """Alarm clocks: round ones with two bells and feet, square ones, and digital ones with glowing numbers."""
    # Pose: standing; its dial faces +x.
    model = ModelBuilder()
    form = choice(rng, weighted("bells 3, square, digital"))
    word = choice(rng, (*ANY, "red", "black", "white"))
    skin = finish(rng, "metal" if form == "bells" else "plastic", word)
    dark = rng.random() < 0.2
    ground, ink = ((28, 28, 32), (236, 236, 232)) if dark else ((244, 243, 236), (24, 24, 28))
    spin = rotation("z", 90) @ rotation("x", 90)
    if form == "bells":
        r = rng.uniform(34, 58)
        deep = r * rng.uniform(0.75, 1.0)
        z = r * 1.12
        rows = [(0, 0), (r * 0.9, 0), (r, deep * 0.15), (r, deep * 0.9), (r * 0.97, deep), (r * 0.9, deep)]
        model.lathe(rows, skin, 30, 1, at=(-deep / 2, 0, z), turn=rotation("y", 90))
        outline = circle(r * 0.93, 30)
        model.prism(
            outline, deep / 2 - 1.6, deep / 2 - 0.4, dial(rng, ground, ink), turn=spin, at=(0, 0, z), hull=False
        )
        steel = finish(rng, "steel", "grey", rgb=STEEL).image(40, 40, 48)
        for s in (-1, 1):
            lean = rotation("x", -32 * s)
            at = np.add((0, 0, z), lean @ [0, 0, r * 1.12])
            bell = np.array([(1, 0), (0.98, 0.25), (0.8, 0.6), (0.4, 0.85), (0, 0.92)]) * r * 0.42
            model.lathe(bell, steel if rng.random() < 0.7 else skin.solid(), 18, 1, at=at, turn=lean)
            model.lathe([(r * 0.05, -r * 0.2), (r * 0.05, 0.05 * r)], steel, 8, at=at, turn=lean, hull=False)
            foot = rotation("x", 150 * s)
            model.lathe(
                np.array([(0.09, 0.9), (0.07, 1.2), (0.12, 1.3), (0, 1.32)]) * r, steel, 10, 1, at=(0, 0, z), turn=foot
            )
        model.box((r * 0.12, r * 0.12, r * 0.34), steel, 1, at=(0, 0, z + 1.22 * r))
        arch = np.linspace(0.25 * np.pi, 0.75 * np.pi, 9)
        path = np.c_[0 * arch, np.cos(arch) * r * 0.8, z + r * 0.85 + np.sin(arch) * r * 0.85]
        model.sweep(path, r * 0.035, steel, segments=6, up=(1, 0, 0), pieces=1)
    elif form == "square":
        size = rng.uniform(60, 95)
        deep = size * rng.uniform(0.4, 0.55)
        outline = np.add(rounded(size, size, size * rng.uniform(0.08, 0.3)), [0, size / 2])
        model.prism(outline, -deep / 2, deep / 2, skin.image(size, size), turn=spin)
        outline = circle(size * 0.42, 30)
        model.prism(
            outline, deep / 2, deep / 2 + 0.6, dial(rng, ground, ink), turn=spin, at=(0, 0, size / 2), hull=False
        )
        extent = (deep * 0.4, size * 0.34, size * 0.06)
        model.box(extent, plain(tint(rng, choice(rng, ("grey", "red", "white", "black")))), 1, at=(0, 0, size * 1.02))
    else:
        wide = rng.uniform(90, 150)
        high, deep = wide * rng.uniform(0.4, 0.55), wide * rng.uniform(0.3, 0.5)
        side = [(-deep / 2, 0), (deep / 2, 0), (deep * 0.38, high), (-deep * 0.4, high)]
        model.prism(
            side, -wide / 2, wide / 2, skin.image(deep, high, 64), skin.image(wide, high, 80), turn=rotation("x", 90)
        )
        lean = rotation("y", -np.degrees(np.arctan(0.12 * deep / high)))
        face = {n: plain((16, 16, 20)) for n in ("left", "front", "back", "top", "bottom")} | {
            "right": _alarm_clock_digits(rng)
        }
        model.box((1.6, wide * 0.84, high * 0.62), face, 0, at=(deep * 0.44, 0, high * 0.52), turn=lean, hull=False)
        model.box((deep * 0.35, wide * 0.4, high * 0.08), plain(tint(rng, "grey") * 0.8), 1, at=(0, 0, high * 1.02))
    features = [{"bells": "with two bells on top", "square": "with a square case", "digital": "digital"}[form]]
    features += ["with hands" if form != "digital" else "with glowing numbers"]
    second = "black" if form == "digital" or dark else "white"
    return model.instance(
        skin, {"bells": "round"}.get(form, "box-shaped"), features, colors=(word, second), density=500
    )


CALCULATOR_CASES = weighted("black 3, grey 2, white 2, blue, pink, red, turquoise, green, purple, yellow")
DISPLAY = ((164, 178, 152), (178, 188, 172), (150, 166, 150), (190, 196, 184))


@generates("calculator")
def calculator(rng: Rng) -> Instance:
    """Calculators: flat cases with a grey-green display, rows of buttons in several colors, and a solar cell."""
    # Pose: lying with its display at +y.
    model = ModelBuilder()
    height = rng.uniform(85, 165)
    width = height * rng.uniform(0.5, 0.78)
    thick = rng.uniform(7, 15)
    skin = finish(rng, "plastic", CALCULATOR_CASES, wear=0.4)
    scientific = rng.random() < 0.35
    rows, cols = (int(rng.integers(7, 9)), int(rng.integers(5, 7))) if scientific else (5, int(rng.integers(4, 6)))
    faces: dict[str, Skin] = dict.fromkeys(("left", "right", "front", "back"), skin)
    keys = rng.uniform(0.56, 0.66) if not scientific else rng.uniform(0.66, 0.72)
    solar = rng.random() < 0.6
    top = _front(rng, skin.tints[0], width, height, keys, solar)
    model.box(
        (width, height, thick),
        {**faces, "top": top, "bottom": _back(rng, skin, width, height)},
        rng.uniform(1, 3.5),
        at=(0, 0, thick / 2),
    )
    dark = skin.tints[0].mean() > 100 or skin.colors[0] == "black"
    base = tint(rng, choice(rng, ("black", "grey"))) if dark and rng.random() < 0.6 else tint(rng, "white")
    if skin.colors[0] == "black":
        base = tint(rng, choice(rng, ("grey", "white", "grey")))
    accents = [tint(rng, choice(rng, ("red", "orange", "blue", "green")))]
    accents += [tint(rng, choice(rng, ("grey", "blue", "black")))]
    pitch = np.array([0.9 * width / cols, keys * height / rows])
    images: dict[tuple[int, str], TextureImage] = {}
    labels = ["0", ".", "=", "+", "1", "2", "3", "-", "4", "5", "6", "x", "7", "8", "9", "/"]
    for n in range(rows):
        for m in range(cols):
            digit = n < 4 and m < 4
            color = accents[0] if (n == rows - 1 and m == 0) else accents[1] if m >= 3 or n >= 4 else base
            text = labels[4 * n + m] if digit else ""
            key = (id(color), text)
            if key not in images:
                images[key] = _button(color, text)
            x = -0.45 * width + (m + 0.5) * pitch[0]
            y = -0.47 * height + (n + 0.5) * pitch[1]
            outline = rounded(0.76 * pitch[0], (0.7 if digit else 0.6) * pitch[1], 1, 1)
            side = images.setdefault((id(color), "side"), plain(color * 0.8))
            model.prism(outline, thick - 0.5, thick + 2, images[key], side, at=(x, y, 0), hull=False)
    features = ["scientific" if scientific else "", "with a solar cell" if solar else "", "with a display"]
    features += [f"with {rows * cols} buttons"]
    return model.instance(skin, "flat rectangular", features, density=750)


def _button(color: Floats, text: str) -> TextureImage:
    image, _ = tx.canvas((14, 11), color.clip(0, 255).tolist())
    if text:
        tx.draw_text(image, text, (7, 5.5), 9, (20, 20, 22) if color.mean() > 120 else (244, 244, 240))
    return np.asarray(image)


def _back(rng: Rng, skin: Finish, width: float, height: float) -> TextureImage:
    """Paint the back: the lid over the cell, four screws, and often a label."""
    image = Image.fromarray(skin.image(width, height))
    draw, (w, h) = ImageDraw.Draw(image), image.size
    dark = tuple(int(c) for c in skin.tints[0] * 0.6 + 12)
    top = rng.uniform(0.55, 0.75) * h
    draw.rounded_rectangle([0.25 * w, top, 0.75 * w, top + 0.16 * h], 3, outline=dark)
    for x in (0.08 * w, 0.92 * w):
        for y in (0.06 * h, 0.94 * h):
            draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=(70, 70, 74))
    if rng.random() < 0.6:
        draw.rectangle([0.2 * w, 0.2 * h, 0.8 * w, 0.42 * h], fill=(226, 226, 222))
        for n in range(4):
            y = (0.24 + 0.045 * n) * h
            draw.line([(0.25 * w, y), (rng.uniform(0.5, 0.75) * w, y)], fill=(90, 90, 96))
    return np.asarray(image)


def _front(rng: Rng, color: Floats, width: float, height: float, keys: float, solar: bool) -> TextureImage:
    """Paint the face: a frame, the display with a number, the brand, and a solar cell."""
    w = 96
    h = round(96 * height / width)
    image, draw = tx.canvas((w, h), color.clip(0, 255).tolist())
    free = (1 - keys - 0.05) * h
    frame = tuple(int(c) for c in (color * 0.45 if color.mean() > 90 else color + 40).clip(0, 255))
    brand = sample_brand(rng, ("calculator",)).name
    ink = (30, 30, 32) if color.mean() > 120 else (236, 236, 232)
    tx.draw_text(image, brand, (26, 0.14 * free), min(9, 44 / (0.6 * len(brand))), ink)
    if solar:
        draw.rectangle([54, 0.06 * free, 90, 0.24 * free], fill=(52, 36, 34))
        for x in (63, 72, 81):
            draw.line([(x, 0.06 * free), (x, 0.24 * free)], fill=(96, 70, 66))
    draw.rounded_rectangle([4, 0.32 * free, 92, 0.94 * free], 3, fill=frame)
    screen = tuple(int(c) for c in np.array(choice(rng, DISPLAY)) * rng.uniform(0.92, 1.05))
    draw.rectangle([9, 0.4 * free, 87, 0.86 * free], fill=screen)
    _calculator_digits(draw, rng, 85, 0.44 * free, 0.38 * free)
    return np.asarray(image)


def _calculator_digits(draw: ImageDraw.ImageDraw, rng: Rng, right: float, top: float, size: float) -> None:
    """Draw a number of seven-segment digits that ends at `right`."""
    shapes = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgcde", "abc", "abcdefg", "abcdfg")
    for n in range(int(rng.integers(1, 7))):
        x1 = right - 0.75 * size * n
        x0 = x1 - 0.45 * size
        middle = top + size / 2
        bottom = top + size
        lines = {
            "a": (x0, top, x1, top),
            "b": (x1, top, x1, middle),
            "c": (x1, middle, x1, bottom),
            "d": (x0, bottom, x1, bottom),
            "e": (x0, middle, x0, bottom),
            "f": (x0, top, x0, middle),
            "g": (x0, middle, x1, middle),
        }
        if x0 > 10:
            for segment in choice(rng, shapes):
                draw.line(lines[segment], fill=(34, 38, 34))


CAMERA_DARK, SILVER = (30, 30, 33), (188, 188, 192)


@generates("camera")
def camera(rng: Rng) -> Instance:
    """Cameras: box-shaped bodies with a round lens, viewfinder hump, grip, flash and buttons; compact or reflex."""
    # Pose: standing; its lens faces +x.
    model = ModelBuilder()
    form = choice(rng, weighted("reflex 2, retro 2, compact, instant"))
    wide = rng.uniform(88, 145)
    high = wide * (rng.uniform(0.56, 0.72) if form != "instant" else rng.uniform(0.85, 1.0))
    deep = wide * (rng.uniform(0.26, 0.36) if form != "instant" else 0.5)
    word = choice(rng, weighted("black 3, grey") if form != "instant" else ("white", *BRIGHT))
    if form == "compact":
        word = choice(rng, weighted("grey 2, black, red, pink, blue, purple"))
    skin = finish(rng, "plastic" if form != "retro" else "leather", word)
    if form == "retro":
        word = choice(rng, weighted("black 2, brown"))
        skin = finish(rng, "leather", word)
    body = skin.image(wide, high, 96)
    spin = rotation("z", 90) @ rotation("x", 90)
    outline = np.add(rounded(wide, high, high * (0.08 if form != "compact" else 0.14)), [0, high / 2])
    model.prism(outline, -deep / 2, deep / 2, body, turn=spin)
    cap = plain(np.array(SILVER) * rng.uniform(0.85, 1.1) if form == "retro" else skin.tints[0] * 0.9 + 6)
    if form == "retro":
        for z, tall in ((high * 0.88, high * 0.26), (high * 0.05, high * 0.1)):
            model.box((deep * 1.03, wide * 1.005, tall), cap, 1.0, at=(0, 0, z))
    hump = form in ("reflex", "retro") and rng.random() < 0.85
    if hump:
        roof = [(-wide * 0.2, high * 0.94), (wide * 0.2, high * 0.94), (wide * 0.12, high * 1.25)]
        roof += [(-wide * 0.12, high * 1.25)]
        model.prism(roof, -deep * 0.42, deep * 0.5, cap, turn=spin)
    if form == "reflex":
        model.box(
            (deep * 0.6, wide * 0.2, high * 0.92),
            skin.painted((24, 24, 26)).image(20, 60, 64),
            deep * 0.2,
            at=(deep * 0.45, -wide * 0.4, high * 0.47),
        )
    y = wide * rng.uniform(-0.05, 0.08) * (form != "reflex")
    r = (
        high
        * {
            "reflex": rng.uniform(0.36, 0.44),
            "retro": rng.uniform(0.3, 0.38),
            "compact": rng.uniform(0.28, 0.36),
            "instant": 0.24,
        }[form]
    )
    reach = (
        {"reflex": rng.uniform(0.5, 1.1), "retro": rng.uniform(0.5, 0.9), "compact": 0.3, "instant": 0.3}[form]
        * wide
        * 0.5
    )
    barrel = plain(CAMERA_DARK if form in ("reflex", "instant") or rng.random() < 0.5 else SILVER)
    at = np.array([deep / 2 - 1, y, high * 0.46])
    ahead = rotation("y", 90)
    steps = [(1.06, 0), (1.06, 0.3), (0.94, 0.32), (0.94, 0.7), (1, 0.72), (1, 0.98), (0.92, 1), (0.8, 1), (0.74, 0.84)]
    model.lathe(np.array(steps) * [r, reach], barrel, 26, 1, at=at, turn=ahead)
    for level, color in ((0.5, (120, 120, 124)), (0.86, (150, 36, 36) if rng.random() < 0.3 else (70, 70, 74))):
        ring = np.array(
            [(0.952 if level < 0.7 else 1.012, level - 0.04), (0.952 if level < 0.7 else 1.012, level + 0.02)]
        ) * [r, reach]
        model.lathe(ring, plain(color), 26, at=at, turn=ahead, hull=False)
    glass = np.array([(0.76, 0.84), (0.5, 0.9), (0.25, 0.93), (0, 0.94)]) * [r, reach]
    model.lathe(glass, plain((36, 40, 70) if rng.random() < 0.6 else (50, 36, 60)), 22, at=at, turn=ahead, hull=False)
    model.ball(
        (2, r * 0.3, r * 0.3),
        plain((190, 200, 224)),
        rows=7,
        segments=10,
        at=at + np.array([reach * 0.92, r * 0.22, r * 0.25]),
        hull=False,
    )
    flash = form in ("compact", "instant") or rng.random() < 0.4
    if flash:
        size = (1.5, wide * 0.15, high * 0.11)
        model.box(size, plain((232, 234, 226)), 0, at=(deep * 0.505, wide * 0.33, high * 0.84), hull=False)
    size = (1.5, wide * 0.09, high * 0.08)
    model.box(size, plain((40, 46, 60)), 0, at=(deep * 0.51, wide * (0.14 if flash else 0.3), high * 0.86), hull=False)
    knob = deep * 0.26
    for place, paint in (
        (-0.36, tint(rng, "red") if form == "instant" else np.array(SILVER) * 0.9),
        (0.34, np.array(CAMERA_DARK) + 30),
    ):
        rows = [(knob, 0), (knob, knob * 0.5), (0, knob * 0.5)]
        model.lathe(rows, plain(paint), 14, 1, at=(0, place * wide, high * (1.0 if form != "retro" else 1.01)))
    words = {"reflex": "with a grip", "retro": "old-fashioned", "compact": "compact", "instant": "instant"}
    features = [words[form], "with a lens", "with a flash" if flash else "without a flash"]
    colors = (word, "grey") if form == "retro" else (word, "black") if word != "black" else (word,)
    return model.instance(skin, "rectangular", features, colors=colors, density=700)


@generates("computer mouse")
def computer_mouse(rng: Rng) -> Instance:
    """Computer mice: arched shells with two buttons and a wheel, with or without a cord."""
    # Pose: its buttons are at +x.
    model = ModelBuilder()
    long = rng.uniform(88, 130)
    wide, high = long * rng.uniform(0.52, 0.64), long * rng.uniform(0.26, 0.4)
    word = choice(rng, (*SOBER, "black", *BRIGHT[:2]))
    skin = finish(rng, "plastic", word)
    hump, waist, power = rng.uniform(0.3, 0.5), rng.uniform(0.0, 0.14), rng.uniform(2.2, 3.4)
    # Rows from the rear (-x) to the front, columns from one side over the back to the other.
    t = np.linspace(0, 1, 15)
    a = np.linspace(0, np.pi, 17)
    half = (
        wide
        / 2
        * np.clip(1 - np.abs(2 * t - 1) ** (power + 0.8), 0, 1) ** (1 / (power + 0.8))
        * (1 - waist * np.sin(np.pi * t) ** 2)
    )
    arch = high * np.clip(1 - np.abs((t - hump) / np.where(t < hump, hump, 1 - hump + 0.12)) ** 2.3, 0, 1) ** 0.6
    c, s = (np.sign(f) * np.abs(f) ** (2 / 2.6) for f in (np.cos(a), np.sin(a)))
    grid = np.stack([np.broadcast_to((t[:, None] - 0.5) * long, (15, 17)), half[:, None] * c, arch[:, None] * s], -1)
    image = skin.image(wide * 1.5, long, 128).astype(float)
    u, v = tx.uv_grid(*image.shape[:2])
    two = rng.random() < 0.35
    other = choice(rng, [q for q in ("grey", "black", "red", "blue") if q != word])
    if two:
        sides = np.abs(u - 0.5) > rng.uniform(0.26, 0.34) + 0.05 * np.cos(3 * v)
        image = tx.lerp_color(image, tint(rng, other), sides * 1.0)
    split = rng.uniform(0.52, 0.62)
    groove = (np.abs(u - 0.5) < 0.012) & (v > split) | (np.abs(v - split) < 0.008) & (np.abs(u - 0.5) < 0.3)
    image = image * (1 - 0.6 * groove)[..., None]
    model.surface(grid_surface(grid), tx.to_uint8(image))
    flat = np.stack([grid[:, 0], grid[:, -1]], 1)
    model.surface(grid_surface(flat[:, ::-1]), plain((40, 40, 44)))
    model.hull(grid[:9, ::2].reshape(-1, 3))
    model.hull(grid[8:, ::2].reshape(-1, 3))
    x = 0.76
    top = float(np.interp(x, t, arch))
    wheel = long * rng.uniform(0.07, 0.09)
    model.ball(
        (wheel * 2, wheel * 0.75, wheel * 2),
        plain((44, 44, 48) if word != "black" else (110, 110, 116)),
        rows=9,
        segments=14,
        at=((x - 0.5) * long, 0, top - wheel * 0.75),
        hull=False,
    )
    corded = rng.random() < 0.45
    if corded:
        bend = rng.uniform(-40, 40)
        reach = rng.uniform(30, 80)
        f = np.linspace(0, 1, 9)
        path = np.c_[long * 0.49 + reach * f, bend * f**2, 6 - 4 * f]
        model.sweep(path, 1.9, plain((30, 30, 32) if word != "white" else (220, 220, 218)), segments=8, pieces=3)
    glow = rng.random() < 0.25
    if glow:
        at = ((hump - 0.6) * long, 0, float(np.interp(hump - 0.1, t, arch)) - 1)
        model.ball((8, 8, 3.5), plain(tint(rng, choice(rng, BRIGHT))), rows=7, segments=12, at=at, hull=False)
    features = ["with a cord" if corded else "without a cord", "with a scroll wheel", "with two buttons"]
    return model.instance(skin, "oval", features, colors=(word, other) if two else (word,), density=500)


FLASHLIGHT_COLORS = weighted("black 3, grey, red, blue, yellow 2, orange, green, purple")


@generates("flashlight")
def flashlight(rng: Rng) -> Instance:
    """Flashlights: tubes of metal or plastic with a wider head, a lens, a switch, and sometimes a wrist strap."""
    # Pose: lying with its lens towards +y.
    model = ModelBuilder()
    length, r = rng.uniform(85, 215), rng.uniform(11, 17)
    head = length * rng.uniform(0.2, 0.32)
    skin = finish(rng, choice(rng, ("metal", "plastic")), FLASHLIGHT_COLORS, wear=0.4)
    body = length - head
    cap = rng.uniform(0.08, 0.14) * body
    tail = r * rng.uniform(0.92, 1.12)
    barrel(model, [(0.85 * tail, 0), (tail, 2), (tail, cap)], skin, 0, 20)
    grip: Skin = ribbed(skin.tints[0], int(rng.integers(14, 26)), 0.35, 0.3, 0.85) if rng.random() < 0.5 else skin
    barrel(model, [(r * 0.94, 0), (r * 0.94, 3), (r, 4), (r, body - cap + 3)], grip, cap, 20)
    _head(model, rng, skin, r, head, body)
    side_switch, strap = rng.random() < 0.6, rng.random() < 0.25
    button = plain(tint(rng, choice(rng, ("red", "black", "green", "grey", "black"))))
    if side_switch:
        model.box((8, rng.uniform(10, 22), 4), button, 1.8, at=(0, body * rng.uniform(0.72, 0.85), r))
    else:
        barrel(model, [(0.6 * tail, -2), (0.6 * tail, 0), (0.5 * tail, 3)], button, 0, 14, hull=False)
    if strap:
        half = np.array([(2, 1, 0), (10, -16, -0.6 * r), (16, -42, -0.9 * r), (0, -54, -0.9 * r)])
        path = smooth(np.concatenate([half, half[-2::-1] * [-1, 1, 1]]), 22)
        path[-1] = path[0]
        model.sweep(path, 1.4, plain(tint(rng, "black")), segments=6, closed=True, pieces=6)
    features = ["with a wrist strap" if strap else "without a strap"]
    features += ["with a button on its side" if side_switch else "with a button at its end"]
    return model.instance(skin, "cylindrical", features, density=900)


def _head(model: ModelBuilder, rng: Rng, skin: Finish, r: float, head: float, start: float) -> None:
    """Add the head: a cone, a step or a slope, a rim round it, and the lens."""
    wide = r * rng.uniform(1.15, 1.9)
    slope = choice(rng, (0.35, 0.6, 0.9))
    cone = smooth([(r, 0), (r + 0.35 * (wide - r), 0.4 * slope), (wide, slope)], 8) * [1, head]
    rows = [*cone.tolist(), (wide, head), (0.86 * wide, head), (0.8 * wide, head - 4)]
    second: Skin = plain(tint(rng, choice(rng, ("black", "grey", "red")))) if rng.random() < 0.3 else skin
    model.lathe([(0, 0), *rows], second, segments=24, pieces=2, at=(0, start, 0), turn=ALONG_Y)
    rim = plain(tint(rng, choice(rng, ("black", "grey", skin.colors[0]))))
    bezel = np.array([(0.98, 0), (1.05, 1), (1.05, 6), (0.98, 7), (0.85, 7.2), (0.85, 0), (0.98, 0)]) * [wide, 1]
    model.lathe(bezel, rim, segments=24, at=(0, start + head - 6.5, 0), turn=ALONG_Y, hull=False)
    lens = [(0.84 * wide, 0), (0.6 * wide, 0.4), (0, 0.5)]
    model.lathe(lens, _lens(rng), segments=24, at=(0, start + head - 1.5, 0), turn=ALONG_Y, hull=False)


def _lens(rng: Rng) -> TextureImage:
    """Paint a reflector behind glass, from its rim (v = 0) to the bulb (v = 1); or a group of diodes."""
    u, v = tx.uv_grid(64, 96)
    color = tx.lerp_color(
        (150, 154, 160), (236, 238, 240), 0.5 + 0.5 * np.sin(4 * np.pi * u + rng.uniform(0, 6)) * (1 - v)
    )
    if rng.random() < 0.5:
        color = tx.lerp_color(color, (250, 232, 130), tx.smoothstep(v, 0.72, 0.8))
    else:
        dots = 1 - tx.smoothstep(np.hypot(((u * 6) % 1 - 0.5) * 1.1, (v - 0.5) * 3), 0.3, 0.4)
        color = tx.lerp_color(color * 0.8, (252, 246, 190), np.maximum(dots, tx.smoothstep(v, 0.86, 0.9)))
    return tx.to_uint8(color)


@generates("game controller")
def game_controller(rng: Rng) -> Instance:
    """Game controllers: two-handled pads with a cross, four colored buttons, and two thumb sticks."""
    # Pose: lying with its buttons up; its handles point to +x.
    model = ModelBuilder()
    wide = rng.uniform(118, 162)
    retro = rng.random() < 0.2
    word = choice(rng, (*weighted("black 3, white 2, grey"), *BRIGHT))
    skin = finish(rng, "plastic", word)
    image = skin.image(60, 60, 64)
    deep, thick = wide * rng.uniform(0.38, 0.46), wide * rng.uniform(0.15, 0.2)
    dark = float(skin.tints[0].mean()) < 100
    key = plain((200, 200, 204) if dark and rng.random() < 0.4 else (70, 70, 76) if dark else (40, 40, 44))
    turn = rotation("z", 90)
    top = thick / 2
    if retro:
        thick, top = wide * 0.11, wide * 0.055
        model.prism(rounded(wide, deep, choice(rng, (4, deep * 0.49))), -top, top, image, turn=turn)
        stripe = rounded(wide * 0.9, deep * 0.66, 4)
        if rng.random() < 0.6:
            model.prism(
                stripe, 0, top + 0.4, plain((52, 52, 56) if not dark else (150, 150, 154)), turn=turn, hull=False
            )
    else:
        body = [(0, -0.5), (0.22, -0.5), (0.38, -0.45), (0.46, -0.25), (0.46, 0.2), (0.4, 0.42), (0.24, 0.5), (0, 0.46)]
        side = np.array(body) * [wide, deep]
        outline = np.concatenate([side, (side * [-1, 1])[::-1][1:-1]])
        model.prism(outline * 0.98, -top * 0.8, top, image, turn=turn)
        model.prism(outline * [1.0, 1.0], -top * 0.4, top * 0.6, image, turn=turn, hull=False)
        reach = wide * rng.uniform(0.3, 0.42)
        splay = rng.uniform(8, 26)
        for s in (-1, 1):
            pose = turn @ rotation("z", s * splay) @ rotation("x", 8)
            at = turn @ np.array([s * wide * 0.38, -deep * 0.3, -top * 0.1])
            model.ball((wide * 0.23, reach * 1.9, thick * 1.05), image, rows=13, segments=20, at=at, turn=pose)
            bumper = turn @ np.array([s * wide * 0.32, deep * 0.47, top * 0.2])
            model.box((wide * 0.2, wide * 0.06, thick * 0.5), key, 1.5, at=bumper, turn=turn)
    z = top - 1
    left = np.array([-wide * 0.3, deep * (0.14 if not retro else 0)])
    right = np.array([wide * 0.3, deep * (0.14 if not retro else 0)])
    swap = not retro and rng.random() < 0.4
    stick_left = np.array([-wide * 0.15, -deep * 0.2])
    if swap:
        left, stick_left = stick_left, left
    arm = wide * 0.035
    for size in ((arm * 3, arm), (arm, arm * 3)):
        model.prism(np.add(rounded(*size, 0.8), left), z, z + 3.4, key, turn=turn, hull=False)
    colorful = rng.random() < 0.55
    words = ("green", "red", "blue", "yellow")
    for n, (x, y) in enumerate(((0, -1), (1, 0), (-1, 0), (0, 1)) if not retro else ((0.7, 0), (-0.9, -0.3))):
        paint = plain(tint(rng, words[n])) if colorful else plain(tint(rng, "red")) if retro else key
        spot = right + np.array([x, y]) * wide * 0.058
        model.prism(circle(wide * 0.029, 12, spot), z, z + 3.6, paint, turn=turn, hull=False)
    if not retro:
        for spot in (stick_left, np.array([wide * 0.15, -deep * 0.2])):
            rows = np.array([(0.9, 0), (0.5, 0.2), (0.5, 0.6), (0.95, 0.75), (1, 1), (0.8, 1), (0.5, 0.85), (0, 0.82)])
            at = turn @ np.array([*spot, z])
            model.lathe(
                rows * [wide * 0.056, wide * 0.075], plain((46, 46, 50) if not dark else (24, 24, 26)), 16, 1, at=at
            )
            ring = circle(wide * 0.072, 18, spot.tolist())
            model.prism(ring, z, z + 1.5, plain((60, 60, 64)), turn=turn, hull=False)
        if rng.random() < 0.5:
            model.prism(
                np.add(rounded(wide * 0.26, deep * 0.3, 3), [0, deep * 0.24]), z, z + 1.5, key, turn=turn, hull=False
            )
    for s in (-1, 1):
        model.prism(
            np.add(
                rounded(wide * 0.05, wide * 0.02, 1.2),
                [s * wide * (0.06 if retro else 0.17), deep * (0 if retro else 0.32)],
            ),
            z,
            z + 2,
            key,
            turn=turn,
            hull=False,
        )
    corded = rng.random() < 0.3
    if corded:
        f = np.linspace(0, 1, 8)
        path = np.c_[-deep * 0.45 - 40 * f, rng.uniform(-30, 30) * f**2, -top * 0.4 * f]
        model.sweep(path, 1.8, plain((30, 30, 32)), segments=8, pieces=2)
    features = ["with a cord" if corded else "without a cord"]
    features += ["with two thumb sticks" if not retro else "with a cross-shaped button"]
    features += ["with colored buttons" if colorful else ""]
    return model.instance(skin, "wide and flat", features, density=450)


def _screen(rng: Rng, lit: bool, notch: bool) -> TextureImage:
    image, draw = tx.canvas((64, 128), (14, 14, 18))
    if lit:
        a, b = (tint(rng, choice(rng, (*BRIGHT, "black", "white"))) for _ in range(2))
        _, v = tx.uv_grid(128, 64)
        paint = tx.to_uint8(tx.lerp_color(a, b, tx.smoothstep(v + 0.3 * tx.grid_noise(rng, (128, 64), 2, 2), 0, 1)))
        image.paste(Image.fromarray(paint), (0, 0))
        for row in range(int(rng.integers(3, 6))):
            for col in range(4):
                fill = tuple(int(c) for c in np.clip(tint(rng, choice(rng, (*BRIGHT, "white"))), 0, 255))
                draw.rounded_rectangle([5 + 15 * col, 22 + 17 * row, 14 + 15 * col, 31 + 17 * row], 2, fill=fill)
        tx.draw_text(image, f"{rng.integers(10, 24)}:{rng.integers(10, 60)}", (32, 12), 12, (250, 250, 250))
    else:
        draw.polygon([(0, 30), (64, 0), (64, 40), (0, 90)], fill=(30, 31, 37))
    if notch:
        draw.rounded_rectangle([22, 1, 42, 5], 2, fill=(4, 4, 6))
    return np.asarray(image)


@generates("phone")
def phone(rng: Rng) -> Instance:
    """Phones: smartphones with a dark or lit screen, or face down with cameras; some in a case; old ones with keys."""
    model = ModelBuilder()
    old = rng.random() < 0.15
    long = rng.uniform(98, 125) if old else rng.uniform(125, 170)
    wide = long * (0.42 if old else rng.uniform(0.46, 0.51))
    thick = rng.uniform(13, 19) if old else rng.uniform(7, 11)
    word = choice(rng, (*SOBER, "black", "blue", "turquoise"))
    cased = not old and rng.random() < 0.35
    case_word = choice(rng, (*BRIGHT, "black", "white"))
    word = case_word if cased else word
    skin = finish(rng, "rubber" if cased else choice(rng, ("plastic", "metal", "glass")), word)
    outline = rounded(wide, long, choice(rng, (4, 8, 12)))
    down = not old and rng.random() < 0.3
    turn = rotation("z", 90) @ rotation("y", 180 * down)
    model.prism(
        outline, -thick / 2, thick / 2, skin.image(wide, long), plain(np.clip(skin.tints[0] * 0.8, 0, 255)), turn=turn
    )
    lit = rng.random() < 0.5
    if old:
        shape = np.add(rounded(wide * 0.78, long * 0.34, 3), [0, long * 0.24])
        model.prism(shape, 0, thick / 2 + 0.4, plain((120, 150, 120) if lit else (50, 60, 56)), turn=turn, hull=False)
        key = plain((225, 225, 220) if word in ("black", "blue", "grey") else (60, 60, 64))
        for row in range(5):
            for col in (-1, 0, 1):
                spot = np.add(rounded(wide * 0.22, long * 0.055, 2), [col * wide * 0.27, long * (-0.04 - 0.085 * row)])
                model.prism(spot, 0, thick / 2 + 1, key, turn=turn, hull=False)
    else:
        gap = rng.uniform(0.01, 0.03) if not cased else 0.04
        shape = rounded(wide * (1 - 2 * gap), long * (1 - 2.2 * gap), 7)
        model.prism(
            shape, 0, thick / 2 + 0.3, _screen(rng, lit, rng.random() < 0.6), plain((14, 14, 18)), turn=turn, hull=False
        )
        island = rng.random() < 0.6
        lenses = int(rng.integers(1, 4))
        z = -thick / 2
        corner = np.array([wide * 0.28, long * 0.37])
        if island:
            shape = rounded(wide * 0.3, wide * (0.34 + 0.12 * (lenses > 2)), 5) + corner
            model.prism(shape, z - 1, 0, plain(np.clip(skin.tints[0] * 0.72, 0, 255)), turn=turn, hull=False)
        for n in range(lenses):
            spot = np.add(corner, [(-1) ** n * wide * 0.06, (n - (lenses - 1) / 2) * wide * 0.13])
            model.prism(circle(wide * 0.065, 12, spot.tolist()), z - 2, 0, plain((16, 16, 22)), turn=turn, hull=False)
    features = [("with a lit screen" if lit else "with a dark screen") if not down else "face down"]
    features += ["with keys" if old else ""]
    features += [f"in a {word} case" if cased and word != "orange" else "in an orange case" if cased else ""]
    order = (word, "black") if down or old else ("black", word) if not lit else (word,)
    return model.instance(skin, "flat rectangular", features, colors=order, density=1600)


REMOTE_CONTROL_COLORS = weighted("black 8, grey 3, white 2")


def _face(rng: Rng, base: Floats, wide: float, long: float, few: bool) -> TextureImage:
    """Paint buttons: power on top, a pad of numbers, a ring of arrows, and colored keys."""
    h = 192
    w = max(24, round(h * wide / long))
    image, draw = tx.canvas((w, h), [int(c) for c in np.clip(base, 0, 255)])
    dark = float(base.mean()) < 110
    key = tuple(
        int(c)
        for c in np.clip(
            np.full(3, 190 if dark and rng.random() < 0.4 else 84 if dark else 96 if rng.random() < 0.6 else 245),
            0,
            255,
        )
    )
    ink = (30, 30, 32) if key[0] > 140 else (225, 225, 225)
    draw.ellipse([0.12 * w, 0.03 * h, 0.12 * w + 0.18 * w, 0.03 * h + 0.18 * w], fill=(206, 40, 40))
    y = 0.13 * h
    round_keys = rng.random() < 0.4

    def button(x: float, top: float, width: float, height: float, fill: tuple[int, ...]) -> None:
        place = [x - width / 2, top, x + width / 2, top + height]
        draw.ellipse(place, fill=fill) if round_keys else draw.rounded_rectangle(place, 2, fill=fill)

    def ring(top: float) -> float:
        size = 0.66 * w
        draw.ellipse([w / 2 - size / 2, top, w / 2 + size / 2, top + size], fill=key)
        draw.ellipse(
            [w / 2 - 0.2 * w, top + size / 2 - 0.2 * w, w / 2 + 0.2 * w, top + size / 2 + 0.2 * w],
            fill=tuple(int(c) for c in np.clip(base * 0.9 + 12, 0, 255)),
        )
        return top + size + 0.03 * h

    def pad(top: float, rows: int) -> float:
        for _ in range(rows):
            for c in range(3):
                button(w * (0.22 + 0.28 * c), top, 0.2 * w, 0.15 * w, key)
                draw.point((w * (0.22 + 0.28 * c), top + 0.075 * w), fill=ink)
                draw.line(
                    [(w * (0.22 + 0.28 * c) - 1, top + 0.075 * w), (w * (0.22 + 0.28 * c) + 1, top + 0.075 * w)],
                    fill=ink,
                )
            top += 0.25 * w
        return top + 0.02 * h

    parts = ["ring"] if few else ["pad", "ring"]
    if rng.random() < 0.5:
        parts.reverse()
    for part in parts:
        y = ring(y) if part == "ring" else pad(y, 4)
    if rng.random() < 0.6 and y < 0.8 * h:
        for n, fill in enumerate(((200, 40, 40), (40, 150, 60), (230, 200, 50), (40, 80, 190))):
            button(w * (0.17 + 0.22 * n), y, 0.15 * w, 0.09 * w, fill)
        y += 0.2 * w
    while y < (0.55 if few else 0.8) * h:
        y = pad(y, 1)
    tx.draw_text(
        image,
        choice(rng, ("TVX", "SONIC", "LUMA", "VIEW", "ORION")),
        (w / 2, 0.95 * h),
        9,
        ink if dark else (90, 90, 96),
    )
    return np.asarray(image)


@generates("remote control")
def remote_control(rng: Rng) -> Instance:
    """Remote controls: long flat cases with rows of rubber buttons, number pads, a ring, colored keys."""
    # Pose: lying with its buttons up.
    model = ModelBuilder()
    long = rng.uniform(110, 230)
    few = long < 150
    wide = rng.uniform(36, 54) if not few else rng.uniform(32, 42)
    thick = rng.uniform(12, 24)
    word = choice(rng, REMOTE_CONTROL_COLORS)
    skin = finish(rng, "plastic", word)
    outline = rounded(wide, long, choice(rng, (3, 8, wide * 0.3, wide * 0.48)))
    taper = rng.uniform(-0.12, 0.12)
    outline[:, 0] *= 1 + taper * outline[:, 1] / (long / 2)
    turn = rotation("z", 90)
    two = rng.random() < 0.3
    lower = plain(tint(rng, "grey" if word != "grey" else "black")) if two else skin.image(wide, long, 80)
    model.prism(outline * 0.94, 0, thick * 0.5, lower, turn=turn)
    model.prism(outline, thick * 0.3, thick * 0.9, skin.image(wide, long, 80), turn=turn)
    face = _face(rng, skin.tints[0], wide, long, few)
    model.prism(outline * [0.94, 0.97], thick * 0.8, thick, face, plain(skin.tints[0] * 0.9), turn=turn)
    if rng.random() < 0.5:
        for x in np.linspace(-0.25, 0.25, 3):
            model.prism(
                circle(wide * 0.06, 10, (x * wide, -long * 0.3)),
                thick,
                thick + 1.2,
                plain(tint(rng, choice(rng, ("grey", "red", "white")))),
                turn=turn,
                hull=False,
            )
    features = ["with few buttons" if few else "with many buttons"]
    features += ["with rounded ends" if outline[0, 1] < long * 0.42 else ""]
    return model.instance(skin, "long and flat", features, colors=(word, "grey") if two and word != "grey" else (word,))


DIALS = (
    (((244, 243, 236), (24, 24, 28)),) * 3
    + (((24, 24, 28), (236, 236, 230)),) * 3
    + (((28, 50, 110), (240, 240, 240)),)
)


@generates("wrist watch")
def wrist_watch(rng: Rng) -> Instance:
    """Wrist watches: round or square cases with a dial on a closed strap of leather, rubber or steel links."""
    model = ModelBuilder()
    size = rng.uniform(28, 46)
    form = choice(rng, weighted("leather 2, rubber, steel"))
    word = {
        "leather": choice(rng, weighted("brown 2, black 2, red, blue")),
        "rubber": choice(rng, (*weighted("black 2"), *BRIGHT)),
    }.get(form, "grey")
    strap = finish(rng, form, word, rgb=STEEL if form == "steel" else ())
    gold = rng.random() < 0.25
    case = finish(rng, "steel", "grey", rgb=((206, 168, 84),) if gold else STEEL)
    if form == "rubber":
        case = strap
    square, flat = rng.random() < 0.25, rng.random() < 0.35
    half = size * rng.uniform(0.26, 0.34)
    thin = rng.uniform(1.2, 2)
    thick = rng.uniform(8, 12)
    image = strap.image(20, 150).astype(float)
    _, v = tx.uv_grid(*image.shape[:2])
    if form == "steel":
        image = image * (0.55 + 0.45 * tx.smoothstep(np.abs((v * 26) % 1 - 0.5), 0.02, 0.14))[..., None]
    elif form == "leather":
        u = tx.uv_grid(*image.shape[:2])[0]
        stitch = (np.abs(np.abs(u % 0.5 - 0.25) - 0.19) < 0.02) & ((v * 40) % 1 < 0.6)
        image = tx.lerp_color(image, (226, 214, 190), 0.8 * stitch * (rng.random() < 0.5))
    skin = tx.to_uint8(image)
    if flat:
        turn, middle = np.eye(3), np.zeros(3)
        reach = size / 2 + rng.uniform(68, 90)
        for s in (-1, 1):
            t = np.linspace(0, 1, 8)
            path = np.c_[0 * t, s * (size * 0.45 + t * (reach - size * 0.45)), 0 * t]
            model.sweep(path, half * (1 - 0.22 * t), skin, thin, power=5, pieces=1)
    else:
        a = np.linspace(0, 2 * np.pi, 29)
        wide, deep = rng.uniform(29, 34), rng.uniform(23, 28)
        path = np.c_[0 * a, np.sin(a) * wide, -np.cos(a) * deep]
        lying = rng.random() < 0.6
        turn = rotation("y", 90) if lying else rotation("y", choice(rng, (0, 60)))
        width = half * (1 - 0.2 * (1 + np.cos(a)) / 2)
        model.sweep(path, thin, skin, width, power=5, up=(1, 0, 0), closed=True, turn=turn, pieces=6)
        middle = np.array([0, 0, deep])
    edge = rounded(size, size * 1.15, size * 0.2) if square else circle(size / 2, 28)
    model.prism(edge, -thick / 2, thick / 2, case.image(size, size, 48), at=turn @ middle, turn=turn)
    ground, ink = choice(rng, DIALS)
    spin = turn @ rotation("z", 90)
    face = edge * 0.86 if not square else edge[:, ::-1][::-1] * 0.86
    digital = form == "rubber" and rng.random() < 0.5
    picture = dial(rng, ground, ink, 80)
    if digital:
        screen, _ = tx.canvas((80, 80), (150, 164, 140))
        tx.draw_text(screen, f"{rng.integers(10, 24)}:{rng.integers(10, 60)}", (40, 40), 26, (24, 26, 24))
        picture = np.asarray(screen)
    model.prism(
        face, thick / 2 - 1, thick / 2 + 0.4, picture, plain((40, 40, 44)), at=turn @ middle, turn=spin, hull=False
    )
    crown = turn @ (middle + np.array([size * 0.53, 0, 0]))
    model.ball((4, 4, 4), case.image(20, 20, 32), rows=7, segments=10, at=crown, hull=False)
    if flat:
        model.box((half * 2, 4, 4), case.image(20, 20, 32), 1, at=(0, reach - 2, 0.5), hull=False)
    words = {"leather": "with a leather strap", "rubber": "with a rubber strap", "steel": "with a steel bracelet"}
    features = [words[form], "digital" if digital else "with hands"]
    features += ["with a square case" if square else "with a round case"]
    second = () if form == "rubber" else ("yellow",) if gold else ("grey",)
    return model.instance(strap, "round", features, colors=(word, *second), density=1500)
