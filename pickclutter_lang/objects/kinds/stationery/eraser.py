"""Erasers: white, pink or two-colored blocks, rectangular or slanted, some in a cardboard sleeve, some worn."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample an eraser, lying along y."""
    model = ModelBuilder()
    length = rng.uniform(28, 66)
    wide, tall = length * rng.uniform(0.36, 0.5), length * rng.uniform(0.17, 0.28)
    form = choice(rng, ("sleeve", "sleeve", "slanted", "halves", "block"))
    if form == "halves":
        skin = finish(rng, "rubber", "red", wear=0.7, rgb=((206, 96, 84), (190, 84, 76)))
    elif form == "slanted":
        skin = finish(rng, "rubber", words("pink pink pink blue green purple"), wear=0.7)
    else:
        skin = finish(rng, "rubber", words("white white white pink green yellow blue turquoise"), wear=0.7)
    if form in ("slanted", "halves"):
        lean, cut = rng.uniform(0.4, 0.9) * tall, rng.uniform(0.05, 0.15) * length
        ends = [(-length / 2, 0), (length / 2 - lean, 0), (length / 2, tall), (-length / 2 + lean, tall)]
        parts = [(ends, skin)]
        if form == "halves":
            blue = skin.painted(np.array((72, 96, 150)) * rng.uniform(0.85, 1.1))
            parts = [([ends[0], (cut, 0), (cut, tall), ends[3]], skin), ([(cut, 0), *ends[1:3], (cut, tall)], blue)]
        for outline, part in parts:
            model.prism(outline, -wide / 2, wide / 2, part, turn=rotation("z", 90) @ rotation("x", 90))
    else:
        rounding, share = min(rng.uniform(0.5, 4), 0.45 * tall), rng.uniform(0.55, 0.72) if form == "sleeve" else 0.0
        bare = length * (1 - 0.95 * share)
        model.box((wide, bare, tall), skin, rounding, at=(0, (length - bare) / 2, tall / 2), hull=False)
        model.hull([(x, y, z) for x in (-wide / 2, wide / 2) for y in (-length / 2, length / 2) for z in (0, tall)])
    features = [
        {"halves": "with two halves", "slanted": "slanted", "sleeve": "with a cardboard sleeve", "block": ""}[form]
    ]
    colors = ("red", "blue") if form == "halves" else skin.colors
    if form == "sleeve":
        brand = sample_brand(rng, ("eraser",), words("blue blue black green red orange purple"))
        front, draw = tx.canvas((48, 96), [*brand.background])
        accent = tuple(int(c) for c in brand.accent.clip(0, 255))
        for n in range(int(rng.integers(1, 3))):
            draw.rectangle([0, 6 + 14 * n, 48, 14 + 14 * n], fill=accent)
        tx.draw_text(front, brand.name, (24, 60), min(17, 78 / len(brand.name)), brand.ink, 90)
        sides = dict.fromkeys(("right", "left", "back"), plain(brand.background)) | {"front": skin}
        faces: dict[str, Skin] = {**sides, "top": np.asarray(front), "bottom": np.asarray(front)}
        model.box(
            (wide + 0.8, share * length, tall + 0.8),
            faces,
            0.3,
            at=(0, -0.5 * (1 - share) * length + 0.5, tall / 2),
            hull=False,
        )
        colors = (brand.colors[0], *skin.colors)
    elif form != "halves" and rng.random() < 0.6:
        name = sample_brand(rng, ("eraser",)).name
        front, _ = tx.canvas((72, 24), skin.tints[0].clip(0, 255).tolist())
        ink = choice(rng, [c for c in ("blue", "black", "green") if c != skin.colors[0]])
        tx.draw_text(front, name, (36, 12), min(16, 90 / len(name)), [*tint(rng, ink)])
        label = np.ascontiguousarray(np.rot90(np.asarray(front)))
        model.box((0.2 * length, 0.5 * length, 0.3), label, 0, at=(0, 0, tall), hull=False)
        features.append("with lettering")
    return model.instance(skin, "rectangular", features, colors=colors, density=1300)


KIND = Kind(
    name="eraser",
    synonyms=("rubber eraser", "pencil eraser", "pencil rubber"),
    hypernyms=("office supply", "stationery"),
    function="removing lines of graphite",
    description="a small, soft rubber block with slanted ends, rounded edges or a printed cardboard sleeve",
    longest=(0.026, 0.075),
    sample=sample,
)
