"""Toy trains: steam or modern engines of wood, plastic or metal, some with a wagon."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.kinds.wheels import TIRE, add_wheel
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a toy train that drives towards +x."""
    model = ModelBuilder()
    length = rng.uniform(70, 135)
    wide, wheel = length * rng.uniform(0.34, 0.44), length * rng.uniform(0.08, 0.11)
    material = choice(rng, ("wood", "wood", "plastic", "plastic", "metal"))
    word = choice(rng, (*TOYS, "black"))
    other = choice(rng, [c for c in (*TOYS, "black") if c != word])
    main, accent = finish(rng, material, word), finish(rng, material, other).image(60, 60, 64)
    skin = main.image(60, 60, 64)
    base, floor = wheel * 1.1, length * 0.07
    model.box((length, wide * 0.8, floor), accent, 0.6, at=(0, 0, base + floor / 2))
    top = base + floor
    steam = rng.random() < 0.93
    cab, tall = length * rng.uniform(0.28, 0.36), length * rng.uniform(0.38, 0.5)
    glass = plain((50, 60, 76))
    x = -length / 2 + cab / 2
    if steam:
        r = wide * rng.uniform(0.32, 0.4)
        boiler = np.array([(0, 0), (1, 0), (1, 0.93), (0.85, 1), (0, 1)]) * [r, length * 0.97 - cab]
        model.lathe(boiler, skin, 20, 1, at=(-length / 2 + cab, 0, top + r), turn=rotation("y", 90))
        model.lathe(
            [(r * 0.9, 0), (r * 0.9, 1.2), (0, 1.4)],
            accent,
            20,
            at=(length * 0.47, 0, top + r),
            turn=rotation("y", 90),
            hull=False,
        )
        model.ball(
            (2, r * 0.5, r * 0.5),
            plain((250, 236, 170)),
            rows=7,
            segments=10,
            at=(length * 0.485, 0, top + r),
            hull=False,
        )
        flare, high = rng.uniform(1.0, 1.9), length * rng.uniform(0.12, 0.2)
        stack = np.array([(1, 0), (1, 0.5), (flare, 1), (flare * 0.75, 1), (flare * 0.7, 0.85), (0, 0.85)]) * [
            r * 0.35,
            high,
        ]
        model.lathe(
            stack, plain((36, 36, 40)) if rng.random() < 0.5 else accent, 16, 1, at=(length * 0.34, 0, top + r * 1.9)
        )
        dome = length * 0.07
        model.ball(
            (dome * 2, dome * 2, dome * 2),
            plain((214, 176, 60)),
            rows=9,
            segments=14,
            at=(0.08 * length, 0, top + r * 1.95),
            hull=False,
        )
        model.box((cab, wide, tall), skin, 0.8, at=(x, 0, top + tall / 2))
        roof = (cab * 1.25, wide * 1.15, length * 0.04)
        model.box(roof, accent, 0.8, at=(x, 0, top + tall + roof[2] / 2))
        model.box((cab * 0.5, wide + 0.8, tall * 0.34), glass, 0, at=(x, 0, top + tall * 0.68), hull=False)
    else:
        side = [
            (-length / 2, top),
            (length / 2, top),
            (length * 0.49, top + 0.4 * tall),
            (length * 0.38, top + tall),
            (-length / 2, top + tall),
        ]
        model.prism(side, -wide / 2, wide / 2, skin, turn=rotation("x", 90))
        for n in range(4):
            model.box(
                (length * 0.12, wide + 0.8, tall * 0.3),
                glass,
                0,
                at=(length * (0.18 * n - 0.36), 0, top + tall * 0.68),
                hull=False,
            )
        model.box(
            (length * 0.98, wide + 0.9, tall * 0.12),
            accent,
            0.2,
            at=(-length * 0.005, 0, top + tall * 0.32),
            hull=False,
        )
        slope = [
            (length * 0.482, top + 0.48 * tall),
            (length * 0.488, top + 0.49 * tall),
            (length * 0.408, top + 0.92 * tall),
            (length * 0.402, top + 0.9 * tall),
        ]
        model.prism(slope, -wide * 0.4, wide * 0.4, glass, turn=rotation("x", 90), hull=False)
    hub = tint(rng, choice(rng, ("red", "grey", "yellow")))
    tire = TIRE if rng.random() < 0.6 else tint(rng, choice(rng, TOYS))
    wagon = rng.random() < 0.35
    ends = [0.0]
    if wagon:
        shift = -length * 1.12
        ends.append(shift)
        third = choice(rng, [c for c in TOYS if c != word])
        car = finish(rng, material, third).image(60, 60, 64)
        model.box((length * 0.94, wide * 0.8, floor), accent, 0.6, at=(shift, 0, base + floor / 2), hull=False)
        model.box((length * 0.9, wide * 0.95, tall * 0.55), car, 1.0, at=(shift, 0, top + tall * 0.275))
        model.box((length * 0.25, 3, 3), plain(TIRE), 0, at=(shift / 2, 0, base + floor / 2))
        model.hull(
            [(shift + a * length * 0.47, b * wide * 0.46, z) for a in (-1, 1) for b in (-1, 1) for z in (0, top)]
        )
    for shift in ends:
        for n, px in enumerate((0.32, 0.0, -0.32) if steam and not shift else (0.3, -0.3)):
            for s in (-1, 1):
                big = wheel * (1.3 if steam and n == 2 else 1)
                add_wheel(model, (px * length + shift, s * wide * 0.42, big), big, wide * 0.1, s, tire, hub, hull=False)
    model.hull([(a * length * 0.45, b * wide * 0.46, z) for a in (-1, 1) for b in (-1, 1) for z in (0, top)])
    features = [
        "with a chimney" if steam else "without a chimney",
        "with a wagon" if wagon else "without a wagon",
        "with wheels",
    ]
    return model.instance(main, "train-shaped", features, colors=(word, other), density=450)


KIND = Kind(
    name="toy train",
    synonyms=("toy locomotive", "toy engine", "model train"),
    hypernyms=("vehicle", "toy"),
    function="playing",
    description="a small engine with a round boiler, a chimney, a cab with a flat roof behind, and a row of wheels",
    longest=(0.065, 0.31),
    sample=sample,
)
