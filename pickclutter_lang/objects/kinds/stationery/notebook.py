"""Notebooks: covers of cardboard or leather, bound, with an elastic band or a spiral; white pages at the sides."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import circle

COLORS = (
    "red",
    "blue",
    "green",
    "black",
    "black",
    "yellow",
    "purple",
    "pink",
    "turquoise",
    "orange",
    "brown",
    "grey",
    "white",
)
PATTERNS = ("plain", "plain", "plain", "striped", "dotted", "checkered", "floral", "marbled")


def sample(rng: Rng) -> Instance:
    """Sample a closed notebook, lying with its spine at -x."""
    model = ModelBuilder()
    height = rng.uniform(120, 215)
    width, thick = height * rng.uniform(0.66, 0.76), rng.uniform(7, 20)
    leather = rng.random() < 0.25
    skin = (
        finish(rng, "leather", ("black", "brown", "brown", "red"))
        if leather
        else finish(rng, "cardboard", COLORS, PATTERNS, pitch=(10, 22), wear=0.5)
    )
    spiral = not leather and rng.random() < 0.45
    cover = rng.uniform(0.8, 1.8)
    for z in (-1, 1):
        model.box((width, height, cover), skin, rounding=0.3, at=(0, 0, z * (thick / 2 - cover / 2)), hull=False)
    rows = tx.uv_grid(32, 8)[1]
    pages = tx.to_uint8(
        tx.lerp_color((240, 236, 224), (206, 200, 186), tx.smoothstep(np.abs((rows * 9) % 1 - 0.5), 0.25, 0.5))
    )
    inset = 1.5
    model.box((width - 2 * inset, height - 2 * inset, thick - 2 * cover), pages, rounding=0.0, hull=False)
    model.hull(
        [(x, y, z) for x in (-width / 2, width / 2) for y in (-height / 2, height / 2) for z in (-thick / 2, thick / 2)]
    )
    if spiral:
        wire = plain(tint(rng, choice(rng, ("grey", "black", "white"))))
        count = int(height / 11)
        loop = np.r_[circle(1, 10), circle(1, 1)] * [4.5, thick / 2 + 1.6]
        for n in range(count):
            y = height * ((n + 0.5) / count - 0.5)
            path = np.c_[loop[:, 0] - width / 2 + 1, np.full(11, y), loop[:, 1]]
            model.sweep(path, 0.9, wire, segments=5, up=(0, 1, 0), closed=True, hull=False)
    else:
        model.box((1.5, height, thick), skin.solid(0.85), 0.3, at=(-width / 2, 0, 0), hull=False)
    band = not spiral and rng.random() < 0.4
    if band:
        x = width * rng.uniform(0.3, 0.4)
        model.box(
            (5, height + 1.2, thick + 1.2),
            plain(tint(rng, choice(rng, ("black", "red", "grey", "white")))),
            0.4,
            at=(x, 0, 0),
            hull=False,
        )
    label = rng.random() < 0.35
    if label:
        model.box(
            (width * 0.45, height * 0.2, 0.4),
            _label(),
            0,
            at=(0, height * rng.uniform(0.1, 0.25), thick / 2),
            hull=False,
        )
    features = [
        "with a spiral binding" if spiral else "without a spiral",
        "with an elastic band" if band else "",
        "with a label" if label else "",
        "closed",
    ]
    return model.instance(skin, "flat rectangular", features, density=600)


def _label() -> TextureImage:
    image, draw = tx.canvas((64, 40), (244, 242, 234))
    draw.rectangle([2, 2, 61, 37], outline=(60, 60, 64))
    for y in (14, 22, 30):
        draw.line([(8, y), (56, y)], fill=(120, 120, 124))
    return np.asarray(image)


KIND = Kind(
    name="notebook",
    synonyms=("notepad", "writing pad", "exercise book"),
    hypernyms=("stationery",),
    function="writing",
    description="a flat rectangular stack of white pages between two plain covers, joined along one side by a "
    "spine or a wire spiral",
    longest=(0.115, 0.22),
    sample=sample,
)
