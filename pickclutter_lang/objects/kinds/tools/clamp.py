"""Clamps: spring clamps, C-shaped screw clamps, and bar clamps with sliding arms."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import (
    ALONG_X,
    ALONG_Y,
    DARK_STEELS,
    TOOL_COLORS,
    disc,
    steel,
    thread,
    words,
)
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth


def sample(rng: Rng) -> Instance:
    """Sample a clamp, lying flat."""
    return choice(rng, (_spring, _spring, _frame, _bar))(rng)


def _spring(rng: Rng) -> Instance:
    """Two crossed levers, jaws at +y."""
    model = ModelBuilder()
    length, wide = rng.uniform(90, 190), rng.uniform(0.07, 0.1)
    w = wide * length
    metal = rng.random() < 0.3
    body = steel(rng, DARK_STEELS) if metal else finish(rng, "plastic", [*TOOL_COLORS, "black", "black"], wear=0.4)
    tip = finish(rng, "rubber", [c for c in ("orange", "red", "black", "yellow", "blue") if c != body.colors[0]])
    spread, gap = length * rng.uniform(0.16, 0.24), rng.uniform(0, 0.09) * length
    thick = w * rng.uniform(0.9, 1.3)
    for side in (-1, 1):
        jaw = [(-side * 0.3 * w, -2), (side * w * 1.3, 0.12 * length), (side * w * 1.7, 0.25 * length)]
        jaw += [(side * (0.55 * w + gap), 0.42 * length)]
        path = np.c_[smooth(jaw, 12), np.zeros(12)]
        model.sweep(path, np.linspace(0.7 * w, 0.42 * w, 12), body, thick, power=4, segments=12, pieces=2)
        arm = [(side * 0.2 * w, 4), (-side * 0.6 * w, -0.15 * length), (-side * spread, -0.55 * length)]
        path = np.c_[smooth(arm, 10), np.zeros(10)]
        model.sweep(path, np.linspace(0.65 * w, 0.5 * w, 10), body, thick, power=4, segments=12, pieces=1)
        model.sweep(
            path[4:] - [0, 2, 0],
            np.linspace(0.62 * w, 0.6 * w, 6),
            tip if metal else body,
            thick * 1.12,
            power=3,
            pieces=1,
        )
        at = np.array([side * (0.42 * w + gap), 0.43 * length, 0])
        model.box((0.8 * w, 0.13 * length, 2.2 * thick), tip, 2, at=at)
    coil = [(0, -1.15 * thick), (0.62 * w, -1.15 * thick), (0.62 * w, 1.15 * thick), (0, 1.15 * thick)]
    model.lathe(coil, plain((156, 158, 162)), segments=16, pieces=1)
    disc(model, 0.3 * w, -1.2 * thick, 1.2 * thick, plain((60, 60, 62)))
    colors = (*body.colors, *tip.colors)
    features = [
        "with rubber grips" if metal else "with plastic grips",
        "with a spring",
        "open" if gap > 0.04 * length else "closed",
    ]
    return model.instance(body, "x-shaped", features, colors=colors, density=1200)


def _frame(rng: Rng) -> Instance:
    """A C-shaped frame that opens to -x, its threaded rod along y."""
    model = ModelBuilder()
    size = rng.uniform(55, 120)
    skin = finish(rng, "metal", words("blue red grey green black orange grey"), wear=0.9)
    w, deep = size * rng.uniform(0.06, 0.08), size * rng.uniform(0.5, 0.75)
    line = [(-deep, size), (-0.4 * deep, size), (0, 0.86 * size), (0, 0.14 * size), (-0.4 * deep, 0), (-deep, 0)]
    path = np.c_[smooth(line, 26), np.zeros(26)]
    model.sweep(path, w, skin, w * 0.8, power=4, segments=12, pieces=6)
    metal = steel(rng)
    model.lathe(
        [(0, -8), (1.6 * w, -8), (1.2 * w, 2), (0, 4)], skin, segments=16, at=(-deep, size, 0), turn=ALONG_Y, pieces=1
    )
    model.lathe(
        [(0, -6), (1.5 * w, -6), (1.5 * w, 8), (0, 8)], skin, segments=16, at=(-deep, 0, 0), turn=ALONG_Y, pieces=1
    )
    end = size * rng.uniform(0.3, 0.75)
    r, low = 0.75 * w, end - size * 1.0
    model.lathe(
        [(0, low), *thread(r, low, end, size / 40), (0, end)],
        metal,
        segments=12,
        at=(-deep, 0, 0),
        turn=ALONG_Y,
        pieces=1,
    )
    pad = [(0, end), (1.1 * w, end), (1.5 * w, end + 5), (0, end + 5)]
    model.lathe(pad, metal, segments=16, at=(-deep, 0, 0), turn=ALONG_Y, pieces=1)
    bar = 0.3 * size
    pin = [
        (0, -bar),
        (0.35 * w, -bar),
        (0.6 * w, -bar + 2),
        (0.35 * w, -bar + 4),
        (0.35 * w, bar),
        (0.6 * w, bar + 2),
        (0, bar + 3),
    ]
    model.lathe(pin, metal, segments=10, at=(-deep, low + 4, 0), turn=ALONG_X, pieces=1)
    return model.instance(skin, "c-shaped", ["with a screw handle"], colors=(*skin.colors, "grey"), density=3500)


def _bar(rng: Rng) -> Instance:
    """A rail along y with a fixed arm, a sliding arm, and a threaded rod with a handle."""
    model = ModelBuilder()
    length = rng.uniform(150, 260)
    w, deep = length * rng.uniform(0.03, 0.04), length * rng.uniform(0.28, 0.38)
    metal = steel(rng)
    skin = finish(rng, choice(rng, ("plastic", "metal")), [*TOOL_COLORS, "grey"], wear=0.6)
    model.box((2 * w, length, 0.9 * w), metal, 0.6, at=(0, length / 2, 0))
    slide = rng.uniform(0.3, 0.62) * length
    for y in (length - 1.3 * w, slide):
        x = np.array([-1.4 * w, 0.5 * deep, deep + w])
        half = np.array([1.6, 1.5, 1.0]) * w
        model.sweep(np.c_[x, np.full(3, y), 0 * x], half, skin, 0.95 * w, power=4, segments=12, pieces=1)
    low, top = slide - 0.3 * length, slide + 0.12 * length
    model.lathe(
        [(0, low), *thread(0.6 * w, low, top, length / 60), (0, top)],
        metal,
        segments=10,
        at=(deep, 0, 0),
        turn=ALONG_Y,
        pieces=1,
    )
    for y in (top, length - 2.4 * w):
        model.lathe(
            [(0, -3), (1.3 * w, -3), (1.3 * w, 3), (0, 3)],
            plain((40, 40, 42)),
            segments=16,
            at=(deep, y, 0),
            turn=ALONG_Y,
            pieces=1,
        )
    wooden = rng.random() < 0.5
    grip: Skin = finish(rng, "wood", "brown", rgb=WOODS) if wooden else plain(tint(rng, "black"))
    form = smooth([(0.9, 0), (1.3, 0.2), (1.1, 0.6), (1.35, 0.85), (0.9, 1)], 10) * [w, 0.32 * length]
    model.lathe(
        [(0, 0), *form, (0, 0.32 * length)],
        grip,
        segments=16,
        at=(deep, low - 0.22 * length, 0),
        turn=ALONG_Y,
        pieces=1,
    )
    features = ["with a sliding arm", "with a wooden handle" if wooden else "with a plastic handle"]
    return model.instance(metal, "f-shaped", features, colors=(*skin.colors, "grey"), density=2500)


KIND = Kind(
    name="clamp",
    synonyms=("workshop clamp", "woodworking clamp", "cramp"),
    hypernyms=("hand tool", "tool"),
    function="holding workpieces together",
    description="a metal or plastic tool with two facing jaws on strong arms that close by a spring or a threaded rod "
    "to press things together",
    longest=(0.08, 0.34),
    sample=sample,
)
