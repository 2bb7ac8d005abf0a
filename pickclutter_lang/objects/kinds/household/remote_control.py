"""Remote controls: long flat cases with rows of rubber buttons, number pads, a ring, colored keys."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

COLORS = ("black",) * 8 + ("grey", "grey", "grey", "white", "white")


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
    y, round_keys = 0.13 * h, rng.random() < 0.4

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


def sample(rng: Rng) -> Instance:
    """Sample a remote control, lying with its buttons up."""
    model = ModelBuilder()
    long = rng.uniform(110, 230)
    few = long < 150
    wide, thick = rng.uniform(36, 54) if not few else rng.uniform(32, 42), rng.uniform(12, 24)
    word = choice(rng, COLORS)
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
    features = [
        "with few buttons" if few else "with many buttons",
        "with rounded ends" if outline[0, 1] < long * 0.42 else "",
    ]
    return model.instance(skin, "long and flat", features, colors=(word, "grey") if two and word != "grey" else (word,))


KIND = Kind(
    name="remote control",
    synonyms=("remote", "tv remote", "remote controller", "television remote"),
    hypernyms=("electronics", "household item"),
    function="switching a television",
    description="a long flat plastic case, mostly black, with rows of small rubber buttons on its upper side",
    longest=(0.105, 0.235),
    sample=sample,
)
