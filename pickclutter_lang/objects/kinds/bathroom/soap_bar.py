"""Soap bars: rounded blocks, ovals and pebbles in pale colors, stamped, marbled, some used or with herbs."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import grid_surface, rotation

COLORS = (*("white",) * 4, "pink", "yellow", "green", "blue", "brown", "orange", "purple", "turquoise")
RGB = {"green": (150, 200, 130), "blue": (130, 170, 220), "yellow": (240, 222, 130), "brown": (160, 112, 70)}
RGB |= {"orange": (236, 150, 80), "purple": (176, 140, 206), "pink": (238, 176, 190), "turquoise": (120, 206, 196)}
WORDS = ("SOAP", "LUX", "PURE", "OLIVE", "ROSE", "SAVON", "MILD", "HONEY", "BABY")


def _stamp(rng: Rng, skin: Finish, length: float, width: float) -> TextureImage:
    """Press letters into the upper side, lighter at one edge and darker at the other."""
    image, _ = tx.canvas((128, 80), (128, 128, 128))
    tx.draw_text(image, choice(rng, WORDS), (65, 41), 26, (200, 200, 200))
    relief = np.asarray(image, dtype=float)[..., 0]
    base = skin.image(length, width).astype(float)
    mask = (relief > 140).astype(float)
    shade = 0.16 * mask - 0.22 * np.roll(np.roll(mask, 1, 0), 1, 1) * (1 - mask)
    rows = np.linspace(0, 79, base.shape[0]).round().astype(int)
    cols = np.linspace(0, 127, base.shape[1]).round().astype(int)
    return tx.to_uint8(base * (1 - shade[np.ix_(rows, cols)])[..., None])


def sample(rng: Rng) -> Instance:
    """Sample a soap bar, lying."""
    model = ModelBuilder()
    length = rng.uniform(62, 100)
    width, thick = length * rng.uniform(0.55, 0.75), length * rng.uniform(0.2, 0.34)
    word = choice(rng, COLORS)
    pattern = choice(rng, ("plain", "plain", "plain", "plain", "marbled", "speckled"))
    rgb = (RGB[word],) if word in RGB else ((240, 236, 224), (244, 244, 240), (236, 226, 204))
    skin = finish(rng, "wax", word, pattern, second=("white", "brown", "green", "purple"), pitch=(12, 26), rgb=rgb)
    form = choice(rng, ("block", "block", "oval", "pillow", "pillow"))
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
    features = [
        "with stamped letters" if stamped else "without letters",
        "with rounded corners" if form != "oval" else "",
    ]
    return model.instance(skin, shape_word, features, density=1050, material="wax")


KIND = Kind(
    name="soap bar",
    synonyms=("bar of soap", "soap", "toilet soap", "hand soap"),
    hypernyms=("bathroom item", "cleaning product"),
    function="washing hands",
    description="a smooth solid block with rounded corners and edges, pale or white, about as large as a palm",
    longest=(0.055, 0.105),
    sample=sample,
)
