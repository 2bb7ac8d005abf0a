"""Printed labels: made-up brands, product words, weights, bar codes, and simple art, in several layouts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.kinds.finishes import Rng, choice, tint
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats
from pickclutter_lang.objects.procedural.textures import COLORS

_STARTS = (
    "ba",
    "co",
    "del",
    "fa",
    "gri",
    "hol",
    "ju",
    "ka",
    "lu",
    "mon",
    "nor",
    "ori",
    "pe",
    "ro",
    "sa",
    "ti",
    "vi",
    "za",
)
_MIDDLES = ("", "", "la", "ne", "ri", "so", "ta", "vo", "mi", "lo")
_ENDS = ("co", "da", "field", "lle", "mo", "na", "nie", "ra", "ry", "sa", "ta", "tti", "va", "x")
_CLAIMS = ("NEW", "BIO", "EXTRA", "FRESH", "100%", "ORIGINAL", "CLASSIC", "LIGHT", "XL", "FAMILY", "NATURAL", "SUPER")
_DARK, _LIGHT = (24, 22, 28), (246, 244, 238)
Art = Callable[[ImageDraw.ImageDraw, float, float, float, Rng], None]


@dataclass(frozen=True)
class Brand:
    """A made-up brand: its `name`, what is in the package, and the colors (word and RGB) that all its sides share."""

    name: str
    product: str
    colors: tuple[str, str]
    background: Floats
    accent: Floats
    weight: str
    layout: int

    @property
    def ink(self) -> tuple[int, int, int]:
        """Color of letters on the background."""
        return _DARK if float(self.background @ [0.3, 0.59, 0.11]) > 140 else _LIGHT


def sample_brand(rng: Rng, products: Sequence[str], colors: Sequence[str] = (), unit: str = "g") -> Brand:
    """Sample a brand.

    :param products: words for what is in the package ("corn flakes")
    :param colors: words for the background, by default all
    :param unit: `g` or `ml`
    """
    first = choice(rng, list(colors) or list(COLORS))
    second = choice(rng, [c for c in COLORS if c not in (first, "grey", "brown")])
    name = choice(rng, _STARTS) + choice(rng, _MIDDLES) + choice(rng, _ENDS)
    weight = f"{choice(rng, (125, 200, 250, 330, 375, 500, 750))} {unit}"
    cased = name.upper() if rng.random() < 0.5 else name.capitalize()
    return Brand(
        cased, choice(rng, products), (first, second), tint(rng, first), tint(rng, second), weight, int(rng.integers(4))
    )


def front(
    rng: Rng, brand: Brand, width: float, height: float, art: Art | None = None, texels: int = 160
) -> TextureImage:
    """Paint the front of a package of a width and height in mm."""
    size = _pixels(width, height, texels)
    image, draw = tx.canvas(size, [*brand.background])
    w, h = size
    _ground(draw, brand, w, h)
    upper = 0.2 if brand.layout != 3 else 0.32
    _fit(image, brand.name, (w / 2, h * upper), 0.86 * w, 0.22 * h, brand.ink)
    _fit(image, brand.product.upper(), (w / 2, h * (upper + 0.19)), 0.8 * w, 0.11 * h, _contrast(brand))
    if art:
        art(draw, w / 2, h * 0.68, 0.5 * min(w, h), rng)
    else:
        _logo(draw, w / 2, h * 0.68, 0.2 * min(w, h), brand)
    x = w * choice(rng, (0.16, 0.84))
    y = h * 0.88
    draw.ellipse([x - 0.12 * w, y - 0.08 * w, x + 0.12 * w, y + 0.08 * w], fill=_rgb(_contrast(brand)))
    _fit(image, choice(rng, _CLAIMS), (x, y), 0.2 * w, 0.07 * h, _rgb(brand.background))
    _fit(image, brand.weight, (w - x, h * 0.94), 0.3 * w, 0.06 * h, brand.ink)
    return np.asarray(image)


def facts(rng: Rng, brand: Brand, width: float, height: float, texels: int = 128) -> TextureImage:
    """Paint a side with the brand, a table of facts and a bar code."""
    size = _pixels(width, height, texels)
    image, draw = tx.canvas(size, [*brand.background])
    w, h = size
    _fit(image, brand.name, (w / 2, h * 0.1), 0.84 * w, 0.12 * h, brand.ink)
    draw.rectangle([0.1 * w, 0.2 * h, 0.9 * w, 0.68 * h], fill=_LIGHT)
    for y in np.arange(0.25, 0.65, max(0.05, 4 / h)):
        draw.line([(0.15 * w, y * h), (rng.uniform(0.45, 0.85) * w, y * h)], fill=(70, 70, 74), width=1)
    bar_code(draw, 0.2 * w, 0.74 * h, 0.6 * w, max(5, 0.18 * h), rng)
    return np.asarray(image)


def wrap(rng: Rng, brand: Brand, around: float, height: float, art: Art | None = None) -> TextureImage:
    """Paint a label that runs round a bottle or can: fronts towards +x and -x, facts between; u = 0 is +x."""
    first = front(rng, brand, around * 0.34, height, art, round(224 * max(0.34, min(1, height / around))))
    rows = first.shape[0]
    back = facts(rng, brand, around * 0.16, height, rows)
    width = round(rows * around / height)
    image = np.broadcast_to(brand.background.round().clip(0, 255).astype(np.uint8), (rows, width, 3)).copy()
    for side, u in ((first, 0.5), (first, 0.0), (back, 0.25), (back, 0.75)):
        columns = (np.arange(side.shape[1]) + round(u * width) - side.shape[1] // 2) % width
        cut = min(rows, side.shape[0])
        image[:cut, columns] = side[:cut]
    return image


def carton(rng: Rng, brand: Brand, size: Sequence[float], art: Art | None) -> dict[str, TextureImage]:
    """Paint the six sides of a box of a size (x, y, z) in mm for `ModelBuilder.box`; fronts face +x and -x."""
    depth, width, height = size
    main = front(rng, brand, width, height, art)
    side = facts(rng, brand, depth, height)
    w, h = _pixels(depth, width, 96)
    image, _ = tx.canvas((w, h), [*brand.background])
    _fit(image, brand.name, (w / 2, h / 2), 0.8 * h, 0.6 * w, brand.ink, 90)
    top = np.asarray(image)
    return {"right": main, "left": main, "front": side, "back": side, "top": top, "bottom": top}


def bar_code(draw: ImageDraw.ImageDraw, x: float, y: float, width: float, height: float, rng: Rng) -> None:
    """Draw a bar code with its upper left corner at (x, y), in pixels."""
    draw.rectangle([x, y, x + width, y + height], fill=(250, 250, 250))
    position = round(x) + 2
    while position < x + width - 2:
        bar = int(rng.integers(1, 3))
        draw.rectangle([position, y + 1, position + bar - 1, y + height - 2], fill=(16, 16, 16))
        position += bar + int(rng.integers(1, 4))


def pile_art(color: str, count: int, oval: float = 0.6) -> Art:
    """Return art of many small pieces of a color, such as flakes or berries."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        for _ in range(count):
            a, b = x + rng.normal(0, 0.28) * size, y + rng.normal(0, 0.16) * size
            r = rng.uniform(0.08, 0.13) * size
            fill = _rgb(tint(rng, color, 1.6))
            draw.ellipse([a - r, b - r * oval, a + r, b + r * oval], fill=fill, outline=_rgb(np.asarray(fill) * 0.6))

    return paint


def bowl_art(color: str, content: str) -> Art:
    """Return art of a bowl full of something; words of `COLORS`."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        draw.pieslice(
            [x - 0.55 * size, y - 0.5 * size, x + 0.55 * size, y + 0.5 * size], 0, 180, fill=_rgb(tint(rng, color))
        )
        pile_art(content, 16)(draw, x, y - 0.04 * size, size, rng)

    return paint


def shape_art(color: str, points: Sequence[tuple[float, float]]) -> Art:
    """Return art of one filled outline, given within -1..1 (y down), in a color."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, rng: Rng) -> None:
        draw.polygon([(x + 0.5 * size * a, y + 0.5 * size * b) for a, b in points], fill=_rgb(tint(rng, color)))

    return paint


def _ground(draw: ImageDraw.ImageDraw, brand: Brand, w: int, h: int) -> None:
    """Draw the large shapes under the lettering."""
    accent = _rgb(brand.accent)
    if brand.layout == 0:
        draw.rectangle([0, 0.9 * h, w, h], fill=accent)
        draw.rectangle([0, 0, w, 0.05 * h], fill=accent)
    elif brand.layout == 1:
        draw.polygon([(0, 0.5 * h), (w, 0.38 * h), (w, 0.8 * h), (0, 0.92 * h)], fill=accent)
    elif brand.layout == 2:
        draw.ellipse([-0.2 * w, 0.42 * h, 1.2 * w, 1.3 * h], fill=accent)
    else:
        draw.rounded_rectangle(
            [0.05 * w, 0.14 * h, 0.95 * w, 0.96 * h], 0.06 * w, outline=accent, width=max(2, w // 40)
        )


def _logo(draw: ImageDraw.ImageDraw, x: float, y: float, r: float, brand: Brand) -> None:
    fill = _rgb(_contrast(brand))
    inner = _rgb(brand.background)
    if len(brand.name) % 3 == 0:
        draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)
        draw.ellipse([x - r / 2, y - r / 2, x + r / 2, y + r / 2], fill=inner)
    elif len(brand.name) % 3 == 1:
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        radii = np.where(np.arange(10) % 2, 0.45, 1.0) * r
        draw.polygon([(x + q * np.cos(a), y + q * np.sin(a)) for q, a in zip(radii, angles, strict=True)], fill=fill)
    else:
        draw.polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], fill=fill)


def _contrast(brand: Brand) -> Floats:
    """Return the accent, or the ink where the accent could not be read."""
    readable = np.abs(brand.accent - brand.background).sum() > 200 and brand.layout in (0, 3)
    return brand.accent if readable else np.asarray(brand.ink, dtype=float)


def _fit(
    image: Image.Image,
    text: str,
    center: tuple[float, float],
    width: float,
    height: float,
    color: Sequence[float] | Floats,
    degrees: float = 0.0,
) -> None:
    """Write a line as large as fits into a width and height in pixels; nothing where it could not be read."""
    size = min(height / 0.8, width / (0.64 * max(len(text), 1)))
    if size >= 4:
        tx.draw_text(image, text, center, round(size * 2) / 2, [*color], degrees)


def _pixels(width: float, height: float, texels: int) -> tuple[int, int]:
    texel = max(width, height) / texels
    return max(8, round(width / texel)), max(8, round(height / texel))


def _rgb(color: Sequence[float] | Floats) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(c, 0, 255)) for c in color)
    return r, g, b
