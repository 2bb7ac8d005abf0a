"""Toy robots: boxy figures with a square head, round eyes, antenna, dials, arms and legs."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import BRIGHT, TOYS
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation


def _panel(rng: Rng, ground: Floats) -> TextureImage:
    """Paint dials, buttons and a grille."""
    image, draw = tx.canvas((48, 48), [int(c) for c in np.clip(ground, 0, 255)])
    for y in (6, 28):
        for x in (6, 28):
            fill = tuple(int(c) for c in np.clip(tint(rng, choice(rng, (*BRIGHT, "white"))), 0, 255))
            style = rng.integers(3)
            if style == 0:
                draw.ellipse([x, y, x + 14, y + 14], fill=fill, outline=(30, 30, 34))
                draw.line([(x + 7, y + 7), (x + 7 + int(rng.integers(-5, 6)), y + 2)], fill=(30, 30, 34), width=2)
            elif style == 1:
                for k in range(0, 15, 4):
                    draw.rectangle([x, y + k, x + 14, y + k + 1], fill=(30, 30, 34))
            else:
                draw.rectangle([x, y, x + 5, y + 5], fill=fill)
                draw.rectangle([x + 9, y + 8, x + 14, y + 13], fill=(220, 40, 40))
    return np.asarray(image)


def sample(rng: Rng) -> Instance:
    """Sample a toy robot that stands and faces +x."""
    model = ModelBuilder()
    h = rng.uniform(85, 210)
    word = choice(rng, ("grey", "grey", "grey", *TOYS, "black"))
    skin = finish(
        rng,
        "metal" if word == "grey" else choice(rng, ("plastic", "plastic", "metal")),
        word,
        rgb=STEEL if word == "grey" else (),
    )
    other = choice(rng, [c for c in (*TOYS, "grey") if c != word])
    paint, accent = skin.image(60, 60, 64), plain(tint(rng, other))
    leg, trunk, head = h * rng.uniform(0.24, 0.32), h * rng.uniform(0.32, 0.38), h * rng.uniform(0.2, 0.26)
    wide, deep = h * rng.uniform(0.3, 0.42), h * rng.uniform(0.18, 0.26)
    for s in (-1, 1):
        y = s * wide * 0.27
        model.box((deep * 0.55, wide * 0.3, leg), paint, 0.06 * leg, at=(0, y, leg / 2 + 0.02 * h))
        foot = (deep * 1.15, wide * 0.4, h * 0.07)
        model.box(foot, accent, 1.0, at=(deep * 0.14, y, foot[2] / 2))
    z = leg + 0.02 * h
    round_body = rng.random() < 0.25
    if round_body:
        model.lathe(
            np.array([(0.42, 0), (0.5, 0.12), (0.5, 0.88), (0.36, 1), (0, 1)]) * [wide, trunk],
            paint,
            at=(0, 0, z),
            pieces=1,
        )
        face = wide * 0.49
    else:
        model.box((deep, wide, trunk), paint, 1.5, at=(0, 0, z + trunk / 2))
        face = deep / 2
    panel = _panel(rng, np.array(choice(rng, ((40, 44, 50), (210, 210, 206), (60, 90, 140)))))
    sides = dict.fromkeys(("left", "front", "back", "top", "bottom"), accent) | {"right": panel}
    model.box((2.4, wide * 0.6, trunk * 0.5), sides, 0, at=(face, 0, z + trunk * 0.56), hull=False)
    swing = rng.uniform(-70, 40, 2)
    for s, angle in zip((-1, 1), swing, strict=True):
        turn, arm = rotation("y", float(angle)), trunk * rng.uniform(0.85, 1.0)
        shoulder = np.array([0, s * (wide * 0.5 + h * 0.04), z + trunk * 0.82])
        model.box((h * 0.065, h * 0.065, arm), paint, 1, at=shoulder + turn @ [0, 0, -arm * 0.42], turn=turn)
        hand = shoulder + turn @ [0, 0, -arm * 0.95]
        model.ball((h * 0.09, h * 0.08, h * 0.09), accent, rows=7, segments=12, at=hand)
    z += trunk + h * 0.02
    model.box((deep * 0.4, wide * 0.3, h * 0.06), plain((50, 50, 54)), 0, at=(0, 0, z - 0.01 * h), hull=False)
    broad = wide * rng.uniform(0.6, 0.85)
    model.box((deep * 0.9, broad, head), paint if rng.random() < 0.6 else accent, 1.5, at=(0, 0, z + head / 2))
    glow, eye = plain(tint(rng, choice(rng, ("yellow", "red", "white", "turquoise")))), head * rng.uniform(0.2, 0.3)
    for s in (-1, 1):
        model.ball(
            (eye * 0.6, eye, eye),
            glow,
            rows=7,
            segments=12,
            at=(deep * 0.45, s * broad * 0.22, z + head * 0.64),
            hull=False,
        )
        model.ball(
            (eye * 0.3, eye * 0.4, eye * 0.4),
            plain((20, 20, 24)),
            rows=7,
            segments=10,
            at=(deep * 0.45 + eye * 0.24, s * broad * 0.22, z + head * 0.64),
            hull=False,
        )
        model.box(
            (h * 0.04, h * 0.04, h * 0.06), accent, 0.4, at=(0, s * (broad / 2 + h * 0.012), z + head * 0.5), hull=False
        )
    for n in range(5):
        model.box(
            (1.6, broad * 0.07, head * 0.16),
            plain((34, 34, 38)),
            0,
            at=(deep * 0.45, broad * 0.11 * (n - 2), z + head * 0.24),
            hull=False,
        )
    antenna = rng.random() < 0.75
    if antenna:
        reach = h * rng.uniform(0.06, 0.1)
        model.lathe([(h * 0.012, 0), (h * 0.008, reach), (0, reach)], plain((90, 90, 94)), 8, 1, at=(0, 0, z + head))
        model.ball((h * 0.045,) * 3, accent, rows=7, segments=10, at=(0, 0, z + head + reach), hull=False)
    features = ["with an antenna" if antenna else "without an antenna", "with buttons", "with two arms"]
    return model.instance(skin, "robot-shaped", features, colors=(word, other), density=400)


KIND = Kind(
    name="toy robot",
    synonyms=("robot toy", "robot figure", "toy android"),
    hypernyms=("action figure", "toy"),
    function="playing",
    description="a boxy figure that stands on two legs, with a square head, round glowing eyes, straight arms and "
    "dials on its chest",
    longest=(0.08, 0.25),
    sample=sample,
)
