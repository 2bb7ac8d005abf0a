"""Envelopes: white, brown or colored, with a flap, and some with a window, a stamp, an address or striped edges."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural.appearance import COLORS
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import rotation

KRAFT = ((196, 152, 100), (184, 140, 88), (206, 164, 114))
PAPERS = ("red", "yellow", "green", "blue", "pink", "turquoise", "purple", "orange", "grey", "black")


def sample(rng: Rng) -> Instance:
    """Sample an envelope, lying on one of its sides."""
    model = ModelBuilder()
    long = rng.uniform(105, 225)
    wide, thick = long * choice(rng, (0.5, 0.64, 0.7, 0.72)) * rng.uniform(0.97, 1.03), rng.uniform(1.2, 4.5)
    sort = choice(rng, ("white", "white", "white", "kraft", "kraft", "colored"))
    if sort == "white":
        skin = finish(rng, "paper", "white", wear=0.4)
    elif sort == "kraft":
        skin = finish(rng, "paper", "brown", wear=0.5, rgb=KRAFT)
    else:
        skin = finish(rng, "paper", PAPERS, wear=0.4)
    extras = [w for w, share in (("stamp", 0.55), ("address", 0.6), ("window", 0.25)) if rng.random() < share]
    airmail = sort == "white" and rng.random() < 0.2
    front = _front(rng, skin, wide, long, extras, airmail)
    pointed = rng.random() < 0.6
    back = _back(rng, skin, wide, long, pointed, airmail)
    flap_up = rng.random() < 0.45
    turn = rotation("y", 180) if flap_up else np.eye(3)
    sides = dict.fromkeys(("left", "right", "front", "back"), skin.solid(0.92)) | {"top": front, "bottom": back}
    model.box((wide, long, thick), sides, 0.3, turn=turn)
    words = {"stamp": "with a stamp", "address": "with an address", "window": "with a window"}
    features = [*(words[e] for e in extras), "with a pointed flap" if pointed else "with a straight flap", "closed"]
    features += ["with striped edges"] if airmail else []
    return model.instance(skin, "flat rectangular", features, density=400)


def _canvas(skin: Finish, wide: float, long: float, airmail: bool) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return the paper on its side: x runs along the envelope's long side."""
    image = Image.fromarray(np.ascontiguousarray(np.rot90(skin.image(wide, long, 176))))
    draw = ImageDraw.Draw(image)
    if airmail:
        w, h = image.size
        for n, x in enumerate(range(0, w + h, 8)):
            color = ((196, 40, 44), (236, 236, 232), (40, 70, 160), (236, 236, 232))[n % 4]
            draw.line([(x, 0), (x - 4, 5)], fill=color, width=6)
            draw.line([(x, h - 5), (x - 4, h)], fill=color, width=6)
    return image, draw


def _front(rng: Rng, skin: Finish, wide: float, long: float, extras: list[str], airmail: bool) -> TextureImage:
    image, draw = _canvas(skin, wide, long, airmail)
    w, h = image.size
    ink = (34, 36, 60) if skin.tints[0].mean() > 90 else (232, 230, 220)
    if "window" in extras:
        left, top = 0.1 * w, 0.48 * h
        draw.rounded_rectangle(
            [left, top, left + 0.42 * w, top + 0.32 * h], 4, fill=(206, 212, 214), outline=(170, 176, 180)
        )
        _lines(rng, draw, left + 5, top + 6, 0.34 * w, (60, 62, 68))
    if "address" in extras:
        _lines(rng, draw, (0.55 if "window" in extras else 0.42) * w, 0.5 * h, 0.32 * w, ink)
    if "stamp" in extras:
        x0, y0, x1, y1 = 0.84 * w, 0.08 * h, 0.95 * w, 0.08 * h + 0.14 * w
        draw.rectangle([x0 - 2, y0 - 2, x1 + 2, y1 + 2], fill=(244, 242, 234))
        draw.rectangle([x0, y0, x1, y1], fill=tuple(int(c) for c in tint(rng, choice(rng, list(COLORS)))))
        fill = tuple(int(c) for c in tint(rng, choice(rng, list(COLORS))))
        draw.ellipse([x0 + 4, y0 + 5, x1 - 4, y1 - 5], fill=fill)
        if rng.random() < 0.5:
            for r in (9, 12):
                draw.arc([x0 - 14 - r, y0 + 8 - r, x0 - 14 + r, y0 + 8 + r], 0, 360, fill=(60, 60, 70))
    return np.ascontiguousarray(np.rot90(np.asarray(image), -1))


def _lines(rng: Rng, draw: ImageDraw.ImageDraw, x: float, y: float, long: float, ink: tuple[int, ...]) -> None:
    """Draw four lines of writing."""
    for n in range(4):
        end, at = x, y + 7 * n
        while end < x + long * rng.uniform(0.55, 1):
            step = rng.uniform(3, 12)
            draw.line([(end, at + rng.uniform(-1, 1)), (end + step, at + rng.uniform(-1, 1))], fill=ink, width=2)
            end += step + 2.5


def _back(rng: Rng, skin: Finish, wide: float, long: float, pointed: bool, airmail: bool) -> TextureImage:
    """Paint the back: the seams, and the flap with its shadow."""
    image, draw = _canvas(skin, wide, long, airmail)
    w, h = image.size
    shade, light = (tuple(int(c) for c in (skin.tints[0] * f).clip(0, 255)) for f in (0.72, 0.96))
    for x in (0, w):
        draw.line([(x, h), (w / 2, 0.5 * h)], fill=shade, width=1)
    depth = rng.uniform(0.48, 0.62) * h if pointed else rng.uniform(0.25, 0.4) * h
    middle = [(w / 2 + 6, depth), (w / 2 - 6, depth)] if pointed else [(0.93 * w, depth), (0.07 * w, depth)]
    flap = [(0, 0), (w, 0), *middle]
    draw.polygon([(x, y + 2) for x, y in flap], fill=shade)
    draw.polygon(flap, fill=light)
    if rng.random() < 0.12:
        r, fill = 0.09 * h, tuple(int(c) for c in tint(rng, choice(rng, ("red", "blue", "purple"))))
        draw.ellipse([w / 2 - r, depth - 1.2 * r, w / 2 + r, depth + 0.8 * r], fill=fill)
    return np.ascontiguousarray(np.rot90(np.asarray(image), -1))


KIND = Kind(
    name="envelope",
    synonyms=("letter envelope", "paper envelope", "mailing envelope"),
    hypernyms=("stationery",),
    function="mailing letters",
    description="a very flat rectangular paper pocket with a folded triangular or straight flap on its back",
    longest=(0.1, 0.235),
    sample=sample,
)
