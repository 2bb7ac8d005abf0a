"""Tape measures: rounded cases with a label, a rubber bumper or belt clip, and a yellow tape with a hook."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import TOOL_COLORS
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

UPRIGHT = rotation("z", 90) @ rotation("x", 90)  # a prism's outline (x, y) becomes (y, z), its height x


def sample(rng: Rng) -> Instance:
    """Sample a tape measure, standing, its tape towards +y."""
    model = ModelBuilder()
    size = rng.uniform(45, 78)
    thick, round_by = size * rng.uniform(0.42, 0.6), rng.uniform(0.6, 1.0)
    skin = finish(rng, "plastic", [*TOOL_COLORS, "grey", "turquoise", "pink"], wear=0.5)
    half, cut = size / 2, round_by * size * 0.45
    corners = [
        (half, 0),
        (half, size - cut),
        (half - 0.3 * cut, size - 0.3 * cut),
        (half - cut, size),
        (-half + cut, size),
    ]
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
    model.prism(outline, -thick / 2, thick / 2, skin, plain(dark) if bumper else None, turn=UPRIGHT)
    inner = (outline - [0, size / 2]) * 0.86 + [0, size / 2]
    r = size * rng.uniform(0.24, 0.34)
    badge = circle(1, 24) * r * choice(rng, ((1.0, 1.0), (1.0, 1.0), (1.15, 0.7))) + [0, size * 0.52]
    label = _label(rng, skin.colors[0], dark)
    for side in (-1, 1):
        near, middle, far = (side * (thick / 2 + out) for out in (-0.5, 1.5, 2.2))
        model.prism(inner, min(near, middle), max(near, middle), skin, turn=UPRIGHT, hull=False)
        model.prism(badge, min(middle, far), max(middle, far), label, plain(dark), turn=UPRIGHT, hull=False)
    out, wide = rng.uniform(4, 14) if rng.random() < 0.6 else rng.uniform(20, 55), thick * rng.uniform(0.55, 0.7)
    tape = tint(rng, choice(rng, ("yellow", "yellow", "yellow", "white")))
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
        model.box(
            (1.5, 0.22 * size, 0.55 * size),
            plain((150, 152, 156)),
            0.5,
            at=(-thick / 2 - 4, 0, 0.52 * size),
        )
        model.box((4, 0.2 * size, 4), plain((150, 152, 156)), 0.5, at=(-thick / 2 - 2, 0, 0.78 * size), hull=False)
    features = [
        "with a belt clip" if clip else "",
        "with the tape pulled out" if out > 20 else "closed",
        "with a label",
    ]
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


KIND = Kind(
    name="tape measure",
    synonyms=("measuring tape", "retractable tape measure", "tape rule"),
    hypernyms=("measuring tool", "hand tool", "tool"),
    function="measuring lengths",
    description="a thick, palm-sized case with rounded top and flat base, a round label, and a narrow metal strip "
    "with a small hook coming out at the bottom",
    longest=(0.045, 0.145),
    sample=sample,
)
