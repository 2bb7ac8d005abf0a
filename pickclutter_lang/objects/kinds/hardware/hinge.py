"""Hinges: two plates with holes round a pin, of steel, brass or painted, open flat or partly folded."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_Y
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

METALS = (
    ("grey", STEEL),
    ("grey", STEEL),
    ("yellow", ((206, 166, 74), (190, 150, 62), (216, 182, 96))),
    ("black", ((40, 40, 43), (54, 54, 58))),
    ("brown", ((110, 76, 48), (92, 66, 46))),
    ("white", ((228, 228, 224),)),
)


def sample(rng: Rng) -> Instance:
    """Sample a hinge, its pin along y."""
    model = ModelBuilder()
    tall, thick = rng.uniform(28, 90), rng.uniform(1.4, 2.6)
    leaf, r = tall * rng.uniform(0.32, 0.65), thick * rng.uniform(1.9, 2.6)
    word, rgb = choice(rng, METALS)
    skin = finish(rng, "metal", word, wear=0.8, rgb=rgb)
    fold = rng.uniform(0, 12) if rng.random() < 0.65 else rng.uniform(35, 100)
    round_by = choice(rng, (1.0, 1.0, 0.2 * leaf, 0.45 * leaf))
    count, rows = int(choice(rng, (2, 3))), int(choice(rng, (1, 1, 2)))
    dark, rim = plain((34, 34, 38)), plain(skin.tints[0] * 0.72)
    hole = min(0.12 * leaf, 0.11 * tall, 3.5)
    for side in (-1, 1):
        turn = rotation("y", side * -0.5 * fold)
        outline = rounded(leaf, tall, round_by) * [side, 1]
        outline = outline if side > 0 else outline[::-1]
        inner = np.sign(outline[:, 0]) != side
        outline[inner, 1] = np.sign(outline[inner, 1]) * tall / 2
        shift = turn @ np.array([side * (leaf / 2 + 0.6 * r), 0, 0])
        model.prism(outline, -thick / 2, thick / 2, skin, at=shift, turn=turn)
        for n in range(count):
            for m in range(rows):
                y = tall * ((n + 0.5) / count - 0.5) * 1.05 + (m - 0.5) * (rows - 1) * 0.1 * tall
                x = side * leaf * (0.12 if rows == 1 else -0.08 + 0.36 * m)
                at = shift + turn @ np.array([x, y, 0])
                model.prism(
                    circle(1.5 * hole, 14),
                    -thick / 2 - 0.06,
                    thick / 2 + 0.06,
                    rim,
                    at=at,
                    turn=turn,
                    hull=False,
                )
                model.prism(
                    circle(hole, 14),
                    -thick / 2 - 0.12,
                    thick / 2 + 0.12,
                    dark,
                    at=at,
                    turn=turn,
                    hull=False,
                )
    knuckles = int(choice(rng, (3, 5)))
    for n in range(knuckles):
        low = tall * (n / knuckles - 0.5)
        high = low + tall / knuckles - 0.6
        model.lathe([(0, low), (r, low), (r, high), (0, high)], skin, segments=14, turn=ALONG_Y, hull=False)
    tips = rng.random() < 0.4
    end = tall / 2 + (1.2 * r if tips else 0.4)
    ends = [
        (0, -end),
        (0.7 * r, -end + 0.3 * r),
        (0.5 * r, -tall / 2),
        (0.5 * r, tall / 2),
        (0.7 * r, end - 0.3 * r),
        (0, end),
    ]
    model.lathe(ends, skin.solid(0.9), segments=12, turn=ALONG_Y, hull=False)
    model.hull([(*p, z) for p in circle(r, 10) for z in (-end, end)], turn=ALONG_Y)
    features = ["partly folded" if fold > 30 else "open", f"with {2 * count * rows} holes", "with tips" if tips else ""]
    return model.instance(skin, "flat rectangular", features, density=5000)


KIND = Kind(
    name="hinge",
    synonyms=("door hinge", "butt hinge", "cabinet hinge"),
    hypernyms=("hardware",),
    function="letting a door swing",
    description="two flat rectangular metal leaves with round holes, joined along one side by a narrow tube",
    longest=(0.027, 0.125),
    sample=sample,
)
