"""Toy trucks: a cab in front of a tipper, box, tank, flat bed with logs, or ladder, on four or six wheels."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.kinds.wheels import add_wheel
from pickclutter_lang.objects.procedural.surfaces import rotation

GLASS = (40, 52, 66)


def sample(rng: Rng) -> Instance:
    """Sample a toy truck that drives towards +x."""
    model = ModelBuilder()
    length = rng.uniform(85, 210)
    wide, wheel = length * rng.uniform(0.34, 0.44), length * rng.uniform(0.075, 0.105)
    form = choice(rng, ("tipper", "tipper", "box", "box", "tank", "logs", "fire"))
    material = choice(rng, ("plastic", "plastic", "metal", "wood"))
    cab_word = "red" if form == "fire" else choice(rng, TOYS)
    load_word = choice(rng, [c for c in (*TOYS, "grey") if c != cab_word]) if form != "fire" else "red"
    skin, load = finish(rng, material, cab_word), finish(rng, material, load_word)
    cab_skin, load_skin = skin.image(60, 60, 64), load.image(60, 60, 64)
    low, floor = wheel * 0.9, length * 0.05
    frame = plain((60, 60, 64))
    model.box((length * 0.94, wide * 0.7, floor), frame, 0.5, at=(0, 0, low + floor / 2))
    base = low + floor
    cab, tall = length * rng.uniform(0.22, 0.3), length * rng.uniform(0.27, 0.36)
    x = length / 2
    nose = rng.random() < 0.4
    front = x - (cab * 0.45 if nose else 0)
    side = [
        (x - cab * (1.3 if nose else 1), base),
        (front, base),
        (front - 0.12 * cab, base + tall),
        (x - cab * (1.3 if nose else 1), base + tall),
    ]
    spin = rotation("x", 90)
    model.prism(side, -wide / 2, wide / 2, cab_skin, turn=spin)
    if nose:
        model.box((cab * 0.5, wide * 0.8, tall * 0.45), cab_skin, 1.5, at=(x - 0.25 * cab, 0, base + 0.22 * tall))
    pane = np.array([(0.98, 0.5), (0.92, 0.9)]) * [cab, tall] + [front - cab, base]
    window = [
        (front - cab * 0.75, base + tall * 0.5),
        *(pane[0] - [0.12 * cab, 0], pane[1] - [0.1 * cab, 0]),
        (front - cab * 0.75, base + tall * 0.9),
    ]
    model.prism(window, -wide / 2 - 0.4, wide / 2 + 0.4, plain(GLASS), turn=spin, hull=False)
    slope = np.add([pane[0], pane[0] + [0.6, 0.1], pane[1] + [0.6, 0.1], pane[1]], [0.012 * cab, 0])
    model.prism(slope, -wide * 0.42, wide * 0.42, plain(GLASS), turn=spin, hull=False)
    for y in (-0.34, 0.34):
        model.ball(
            (2.5, wide * 0.15, wide * 0.15),
            plain((250, 240, 190)),
            rows=7,
            segments=10,
            at=(x, y * wide, base + tall * 0.16),
            hull=False,
        )
    back, start = -x, (x - cab * 1.04 if not nose else x - cab * 1.36)
    long, middle = start - back, (start + back) / 2
    if form == "tank":
        r = wide * rng.uniform(0.4, 0.5)
        body = np.array([(0, -0.5), (0.75, -0.48), (1, -0.42), (1, 0.42), (0.75, 0.48), (0, 0.5)]) * [r, long]
        model.lathe(body, load_skin, turn=rotation("y", 90), at=(middle, 0, base + r), pieces=1)
    elif form == "logs":
        load_skin, load_word = finish(rng, "wood", "brown", rgb=WOODS).image(40, 60, 64), "brown"
        r = wide * 0.17
        for y, z in ((-2, 0), (0, 0), (2, 0), (-1, 1.75), (1, 1.75)):
            log = np.array([(0, -0.48), (1, -0.48), (1, 0.48), (0, 0.48)]) * [r, long]
            model.lathe(log, load_skin, 12, at=(middle, y * r, base + r + z * r), turn=rotation("y", 90), pieces=1)
    elif form == "tipper":
        tilt, high, wall = choice(rng, (0, 0, 25)), tall * rng.uniform(0.5, 0.7), length * 0.02
        turn, pivot = rotation("y", tilt), np.array([back, 0, base])
        parts = [
            ((long, wide, wall), (long / 2, 0, wall / 2)),
            *(((long, wall, high), (long / 2, s * (wide - wall) / 2, high / 2)) for s in (-1, 1)),
            *(((wall, wide, high), (p, 0, high / 2)) for p in (wall / 2, long - wall / 2)),
        ]
        for size, at in parts:
            model.box(
                size, load_skin, 0.5, at=pivot + turn.T @ np.array(at, dtype=float) if tilt else pivot + at, turn=turn.T
            )
    else:
        high = tall * (rng.uniform(1.0, 1.35) if form == "box" else 0.72)
        model.box((long, wide, high), load_skin, 1.2, at=(middle, 0, base + high / 2))
        if form == "fire":
            for y in (-0.12, 0.12):
                model.box(
                    (long * 1.25, 2.5, 2.5),
                    plain((214, 214, 216)),
                    0,
                    at=(middle + 0.1 * long, y * wide, base + tall + 2),
                    hull=False,
                )
            for n in np.linspace(-0.48, 0.7, 9):
                model.box(
                    (2, wide * 0.24, 2),
                    plain((214, 214, 216)),
                    0,
                    at=(middle + n * long, 0, base + tall + 2),
                    hull=False,
                )
            model.box(
                (long * 1.25, wide * 0.28, tall * 0.3),
                plain(tint(rng, "red")),
                0,
                at=(middle + 0.1 * long, 0, base + tall * 0.85),
            )
            model.box(
                (4, wide * 0.6, 4), plain((30, 70, 200)), 0.5, at=(front - cab * 0.5, 0, base + tall + 2), hull=False
            )
    places = (0.33, -0.33) if length < 130 or form == "tipper" else (0.33, -0.16, -0.36)
    for px in places:
        for s in (-1, 1):
            add_wheel(model, (px * length, s * wide * 0.44, wheel), wheel, length * 0.05, s, hull=False)
        model.hull([(px * length + a, b * wide / 2, z) for a in (-wheel, wheel) for b in (-1, 1) for z in (0, base)])
    words = {
        "tipper": "with a dump bed",
        "box": "with a cargo box",
        "tank": "with a tank",
        "logs": "with logs",
        "fire": "with a ladder",
    }
    features = [words[form], f"with {'four' if len(places) == 2 else 'six'} wheels"]
    order = (load_word, cab_word) if form in ("box", "tank", "tipper") else (cab_word, load_word)
    return model.instance(skin, "truck-shaped", features, colors=order, density=400)


KIND = Kind(
    name="toy truck",
    synonyms=("toy lorry", "model truck", "play truck"),
    hypernyms=("vehicle", "toy"),
    function="playing",
    description="a small vehicle with a boxy cab in front and a long load bed, box or tank behind it, on thick "
    "black wheels",
    longest=(0.08, 0.215),
    sample=sample,
)
