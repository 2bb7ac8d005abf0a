"""Game controllers: two-handled pads with a cross, four colored buttons, and two thumb sticks."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a game controller, lying with its buttons up; its handles point to +x."""
    model = ModelBuilder()
    wide = rng.uniform(118, 162)
    retro = rng.random() < 0.2
    word = choice(rng, ("black", "black", "black", "white", "white", "grey", *BRIGHT))
    skin = finish(rng, "plastic", word)
    image = skin.image(60, 60, 64)
    deep, thick = wide * rng.uniform(0.38, 0.46), wide * rng.uniform(0.15, 0.2)
    dark = float(skin.tints[0].mean()) < 100
    key = plain((200, 200, 204) if dark and rng.random() < 0.4 else (70, 70, 76) if dark else (40, 40, 44))
    turn = rotation("z", 90)
    top = thick / 2
    if retro:
        thick, top = wide * 0.11, wide * 0.055
        model.prism(rounded(wide, deep, choice(rng, (4, deep * 0.49))), -top, top, image, turn=turn)
        stripe = rounded(wide * 0.9, deep * 0.66, 4)
        if rng.random() < 0.6:
            model.prism(
                stripe, 0, top + 0.4, plain((52, 52, 56) if not dark else (150, 150, 154)), turn=turn, hull=False
            )
    else:
        body = [(0, -0.5), (0.22, -0.5), (0.38, -0.45), (0.46, -0.25), (0.46, 0.2), (0.4, 0.42), (0.24, 0.5), (0, 0.46)]
        side = np.array(body) * [wide, deep]
        outline = np.concatenate([side, (side * [-1, 1])[::-1][1:-1]])
        model.prism(outline * 0.98, -top * 0.8, top, image, turn=turn)
        model.prism(outline * [1.0, 1.0], -top * 0.4, top * 0.6, image, turn=turn, hull=False)
        reach, splay = wide * rng.uniform(0.3, 0.42), rng.uniform(8, 26)
        for s in (-1, 1):
            pose = turn @ rotation("z", s * splay) @ rotation("x", 8)
            at = turn @ np.array([s * wide * 0.38, -deep * 0.3, -top * 0.1])
            model.ball((wide * 0.23, reach * 1.9, thick * 1.05), image, rows=13, segments=20, at=at, turn=pose)
            bumper = turn @ np.array([s * wide * 0.32, deep * 0.47, top * 0.2])
            model.box((wide * 0.2, wide * 0.06, thick * 0.5), key, 1.5, at=bumper, turn=turn)
    z = top - 1
    left, right = (
        np.array([-wide * 0.3, deep * (0.14 if not retro else 0)]),
        np.array([wide * 0.3, deep * (0.14 if not retro else 0)]),
    )
    swap = not retro and rng.random() < 0.4
    stick_left = np.array([-wide * 0.15, -deep * 0.2])
    if swap:
        left, stick_left = stick_left, left
    arm = wide * 0.035
    for size in ((arm * 3, arm), (arm, arm * 3)):
        model.prism(np.add(rounded(*size, 0.8), left), z, z + 3.4, key, turn=turn, hull=False)
    colorful = rng.random() < 0.55
    words = ("green", "red", "blue", "yellow")
    for n, (x, y) in enumerate(((0, -1), (1, 0), (-1, 0), (0, 1)) if not retro else ((0.7, 0), (-0.9, -0.3))):
        paint = plain(tint(rng, words[n])) if colorful else plain(tint(rng, "red")) if retro else key
        spot = right + np.array([x, y]) * wide * 0.058
        model.prism(circle(wide * 0.029, 12, spot), z, z + 3.6, paint, turn=turn, hull=False)
    if not retro:
        for spot in (stick_left, np.array([wide * 0.15, -deep * 0.2])):
            rows = np.array([(0.9, 0), (0.5, 0.2), (0.5, 0.6), (0.95, 0.75), (1, 1), (0.8, 1), (0.5, 0.85), (0, 0.82)])
            at = turn @ np.array([*spot, z])
            model.lathe(
                rows * [wide * 0.056, wide * 0.075], plain((46, 46, 50) if not dark else (24, 24, 26)), 16, 1, at=at
            )
            ring = circle(wide * 0.072, 18, spot.tolist())
            model.prism(ring, z, z + 1.5, plain((60, 60, 64)), turn=turn, hull=False)
        if rng.random() < 0.5:
            model.prism(
                np.add(rounded(wide * 0.26, deep * 0.3, 3), [0, deep * 0.24]), z, z + 1.5, key, turn=turn, hull=False
            )
    for s in (-1, 1):
        model.prism(
            np.add(
                rounded(wide * 0.05, wide * 0.02, 1.2),
                [s * wide * (0.06 if retro else 0.17), deep * (0 if retro else 0.32)],
            ),
            z,
            z + 2,
            key,
            turn=turn,
            hull=False,
        )
    corded = rng.random() < 0.3
    if corded:
        f = np.linspace(0, 1, 8)
        path = np.c_[-deep * 0.45 - 40 * f, rng.uniform(-30, 30) * f**2, -top * 0.4 * f]
        model.sweep(path, 1.8, plain((30, 30, 32)), segments=8, pieces=2)
    features = [
        "with a cord" if corded else "without a cord",
        "with two thumb sticks" if not retro else "with a cross-shaped button",
    ]
    features += ["with colored buttons" if colorful else ""]
    return model.instance(skin, "wide and flat", features, density=450)


KIND = Kind(
    name="game controller",
    synonyms=("gamepad", "video game controller", "joypad", "game pad"),
    hypernyms=("electronics", "toy"),
    function="playing video games",
    description="a plastic pad held with both hands, with a cross on the left, four round buttons on the right and "
    "often two short sticks",
    longest=(0.11, 0.175),
    sample=sample,
)
