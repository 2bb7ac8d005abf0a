"""Cameras: box-shaped bodies with a round lens, viewfinder hump, grip, flash and buttons; compact or reflex."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import rotation

DARK, SILVER = (30, 30, 33), (188, 188, 192)


def sample(rng: Rng) -> Instance:
    """Sample a camera, standing; its lens faces +x."""
    model = ModelBuilder()
    form = choice(rng, ("reflex", "reflex", "retro", "retro", "compact", "instant"))
    wide = rng.uniform(88, 145)
    high = wide * (rng.uniform(0.56, 0.72) if form != "instant" else rng.uniform(0.85, 1.0))
    deep = wide * (rng.uniform(0.26, 0.36) if form != "instant" else 0.5)
    word = choice(rng, ("black", "black", "black", "grey") if form != "instant" else ("white", *BRIGHT))
    if form == "compact":
        word = choice(rng, ("grey", "grey", "black", "red", "pink", "blue", "purple"))
    skin = finish(rng, "plastic" if form != "retro" else "leather", word)
    if form == "retro":
        word = choice(rng, ("black", "black", "brown"))
        skin = finish(rng, "leather", word)
    body = skin.image(wide, high, 96)
    spin = rotation("z", 90) @ rotation("x", 90)
    model.prism(
        np.add(rounded(wide, high, high * (0.08 if form != "compact" else 0.14)), [0, high / 2]),
        -deep / 2,
        deep / 2,
        body,
        turn=spin,
    )
    cap = plain(np.array(SILVER) * rng.uniform(0.85, 1.1) if form == "retro" else skin.tints[0] * 0.9 + 6)
    if form == "retro":
        for z, tall in ((high * 0.88, high * 0.26), (high * 0.05, high * 0.1)):
            model.box((deep * 1.03, wide * 1.005, tall), cap, 1.0, at=(0, 0, z))
    hump = form in ("reflex", "retro") and rng.random() < 0.85
    if hump:
        roof = [
            (-wide * 0.2, high * 0.94),
            (wide * 0.2, high * 0.94),
            (wide * 0.12, high * 1.25),
            (-wide * 0.12, high * 1.25),
        ]
        model.prism(roof, -deep * 0.42, deep * 0.5, cap, turn=spin)
    if form == "reflex":
        model.box(
            (deep * 0.6, wide * 0.2, high * 0.92),
            skin.painted((24, 24, 26)).image(20, 60, 64),
            deep * 0.2,
            at=(deep * 0.45, -wide * 0.4, high * 0.47),
        )
    y = wide * rng.uniform(-0.05, 0.08) * (form != "reflex")
    r = (
        high
        * {
            "reflex": rng.uniform(0.36, 0.44),
            "retro": rng.uniform(0.3, 0.38),
            "compact": rng.uniform(0.28, 0.36),
            "instant": 0.24,
        }[form]
    )
    reach = (
        {"reflex": rng.uniform(0.5, 1.1), "retro": rng.uniform(0.5, 0.9), "compact": 0.3, "instant": 0.3}[form]
        * wide
        * 0.5
    )
    barrel = plain(DARK if form in ("reflex", "instant") or rng.random() < 0.5 else SILVER)
    at, ahead = np.array([deep / 2 - 1, y, high * 0.46]), rotation("y", 90)
    steps = [(1.06, 0), (1.06, 0.3), (0.94, 0.32), (0.94, 0.7), (1, 0.72), (1, 0.98), (0.92, 1), (0.8, 1), (0.74, 0.84)]
    model.lathe(np.array(steps) * [r, reach], barrel, 26, 1, at=at, turn=ahead)
    for level, color in ((0.5, (120, 120, 124)), (0.86, (150, 36, 36) if rng.random() < 0.3 else (70, 70, 74))):
        ring = np.array(
            [(0.952 if level < 0.7 else 1.012, level - 0.04), (0.952 if level < 0.7 else 1.012, level + 0.02)]
        ) * [r, reach]
        model.lathe(ring, plain(color), 26, at=at, turn=ahead, hull=False)
    glass = np.array([(0.76, 0.84), (0.5, 0.9), (0.25, 0.93), (0, 0.94)]) * [r, reach]
    model.lathe(glass, plain((36, 40, 70) if rng.random() < 0.6 else (50, 36, 60)), 22, at=at, turn=ahead, hull=False)
    model.ball(
        (2, r * 0.3, r * 0.3),
        plain((190, 200, 224)),
        rows=7,
        segments=10,
        at=at + np.array([reach * 0.92, r * 0.22, r * 0.25]),
        hull=False,
    )
    flash = form in ("compact", "instant") or rng.random() < 0.4
    if flash:
        model.box(
            (1.5, wide * 0.15, high * 0.11),
            plain((232, 234, 226)),
            0,
            at=(deep * 0.505, wide * 0.33, high * 0.84),
            hull=False,
        )
    model.box(
        (1.5, wide * 0.09, high * 0.08),
        plain((40, 46, 60)),
        0,
        at=(deep * 0.51, wide * (0.14 if flash else 0.3), high * 0.86),
        hull=False,
    )
    knob = deep * 0.26
    for place, paint in (
        (-0.36, tint(rng, "red") if form == "instant" else np.array(SILVER) * 0.9),
        (0.34, np.array(DARK) + 30),
    ):
        rows = [(knob, 0), (knob, knob * 0.5), (0, knob * 0.5)]
        model.lathe(rows, plain(paint), 14, 1, at=(0, place * wide, high * (1.0 if form != "retro" else 1.01)))
    words = {"reflex": "with a grip", "retro": "old-fashioned", "compact": "compact", "instant": "instant"}
    features = [words[form], "with a lens", "with a flash" if flash else "without a flash"]
    colors = (word, "grey") if form == "retro" else (word, "black") if word != "black" else (word,)
    return model.instance(skin, "rectangular", features, colors=colors, density=700)


KIND = Kind(
    name="camera",
    synonyms=("photo camera", "photographic camera"),
    hypernyms=("electronics",),
    function="taking photos",
    description="a box-shaped body with a large round glass lens that sticks out in front, and buttons on top",
    longest=(0.08, 0.16),
    sample=sample,
)
