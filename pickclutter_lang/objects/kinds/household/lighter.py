"""Lighters: slim colored gas lighters with a steel head, red button and wheel, and steel flip lighters."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a lighter, standing or lying."""
    model = ModelBuilder()
    flip = rng.random() < 0.3
    h = rng.uniform(54, 62) if flip else rng.uniform(62, 86)
    wide = h * (0.66 if flip else rng.uniform(0.29, 0.34))
    deep = wide * (0.36 if flip else rng.uniform(0.5, 0.72))
    turn = rotation("y", 90) @ rotation("z", choice(rng, (0, 180))) if rng.random() < 0.6 else rotation("z", 0)
    steel = finish(rng, "steel", "grey", rgb=STEEL)
    if flip:
        brass = rng.random() < 0.3
        word = choice(rng, ("grey", "grey", "black", "red", "blue")) if not brass else "yellow"
        skin = finish(rng, "metal", word, rgb=STEEL if word == "grey" else ((206, 168, 84),) if brass else ())
        cut, image = h * 0.64, skin.image(wide, h, 80)
        opened = rng.random() < 0.5
        model.box((deep, wide, cut), image, 1.6, at=turn @ [0, 0, cut / 2], turn=turn)
        lid = (deep, wide, h * 0.35)
        if opened:
            swing = rotation("x", -rng.uniform(90, 140))
            hinge = np.array([0, wide / 2, cut])
            at = hinge + swing @ [0, -wide / 2, lid[2] / 2]
            model.box(lid, image, 1.6, at=turn @ at, turn=turn @ swing)
            chimney = (deep * 0.7, wide * 0.5, h * 0.22)
            model.box(
                chimney, steel.image(20, 20, 32), 0.6, at=turn @ [0, -wide * 0.1, cut + chimney[2] / 2], turn=turn
            )
            for n in range(3):
                model.box(
                    (deep * 0.74, 2.4, 2.4),
                    plain((24, 24, 26)),
                    0,
                    at=turn @ [0, wide * (0.11 * n - 0.21), cut + h * 0.13],
                    turn=turn,
                    hull=False,
                )
            wheel = np.array([(0, -2.5), (4.5, -2.5), (4.5, 2.5), (0, 2.5)])
            model.lathe(
                wheel,
                plain((90, 90, 94)),
                12,
                1,
                at=turn @ [0, wide * 0.26, cut + h * 0.15],
                turn=turn @ rotation("y", 90),
            )
        else:
            model.box(lid, image, 1.6, at=turn @ [0, 0, cut + 0.6 + lid[2] / 2], turn=turn)
        features = ["open" if opened else "closed", "with a lid"]
        return model.instance(skin, "rectangular", features, density=2000)
    word = choice(rng, (*BRIGHT, "red", "blue", "yellow", "green", "white", "black"))
    skin = finish(rng, "plastic", word)
    bend, body, r = squarish(rng.uniform(2.2, 4), deep / wide), h * rng.uniform(0.74, 0.8), wide / 2
    rows = [(r * 0.9, 0), (r, 2), (r, body - 2), (r * 0.96, body)]
    model.lathe(rows, skin, bend=bend, turn=turn, pieces=1)
    model.lathe([(0, 0.2), (r * 0.9, 0)], skin.solid(), bend=bend, turn=turn, hull=False)
    model.lathe([(r * 0.96, body), (0, body)], skin.solid(0.8), bend=bend, turn=turn, hull=False)
    head = h - body
    model.box(
        (deep * 0.82, wide * 0.46, head * 0.92),
        steel.image(20, 20, 40),
        0.5,
        at=turn @ [0, -wide * 0.2, body + head * 0.46],
        turn=turn,
    )
    model.box(
        (deep * 0.4, wide * 0.2, 1),
        plain((20, 20, 22)),
        0,
        at=turn @ [0, -wide * 0.2, body + head * 0.93],
        turn=turn,
        hull=False,
    )
    turning = head * 0.36
    pose = turn @ rotation("y", 90)
    for x, color in ((-1, (150, 150, 154)), (0, (84, 84, 88)), (1, (150, 150, 154))):
        ring = np.array([(0, -0.5), (1, -0.5), (1, 0.5), (0, 0.5)]) * [turning, deep * 0.22]
        model.lathe(ring, plain(color), 14, 1, at=turn @ [x * deep * 0.22, wide * 0.12, body + head * 0.6], turn=pose)
    button = plain(tint(rng, choice(rng, ("red", "red", "black", "white"))))
    model.box(
        (deep * 0.5, wide * 0.32, head * 0.4), button, 0.8, at=turn @ [0, wide * 0.33, body + head * 0.22], turn=turn
    )
    sticker = rng.random() < 0.4
    if sticker:
        paint = plain(tint(rng, choice(rng, ("white", "yellow", "black"))))
        model.lathe(
            [(r * 1.01, body * 0.2), (r * 1.01, body * rng.uniform(0.35, 0.6))], paint, bend=bend, turn=turn, hull=False
        )
    features = ["with a sparking wheel", "with a printed band" if sticker else "", "with a steel head"]
    return model.instance(skin, "rectangular", features, colors=(word, "grey") if word != "grey" else (), density=700)


KIND = Kind(
    name="lighter",
    synonyms=("cigarette lighter", "pocket lighter", "gas lighter"),
    hypernyms=("household item",),
    function="lighting fire",
    description="a small slim upright case in one color with a steel head that has a rough wheel and a button",
    longest=(0.05, 0.1),
    sample=sample,
)
