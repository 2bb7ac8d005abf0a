"""Handles of cutlery and kitchen tools; scoops, which are the heads of spoons and ladles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, smooth
from pickclutter_lang.objects.procedural.surfaces import Floats, circle

GRIPS = likely(red=3, black=3, blue=2, green=1, yellow=1, white=1, orange=1, turquoise=1, pink=1, purple=1)
STYLES = likely(steel=8, riveted=4, molded=3, plastic=2, wood=1)
Rise = Callable[[Floats], Floats]


def cutlery_finish(rng: Rng, style: str) -> Finish:
    """Return the finish of the head of cutlery whose handle has one of `STYLES`; it is steel unless all is one."""
    if style == "plastic":
        return finish(rng, "plastic", GRIPS + ("white",) * 4)
    if style == "wood":
        return finish(rng, "wood", "brown", rgb=WOODS)
    dark = ((96, 98, 102), (70, 72, 76)) if rng.random() < 0.25 else ()
    gold = rng.random() < 0.08
    return finish(rng, "steel", "yellow" if gold else "grey", rgb=((206, 166, 82),) if gold else (*STEEL, *dark))


def cutlery_handle(
    model: ModelBuilder, rng: Rng, skin: Finish, style: str, length: float, rise: Rise
) -> tuple[Finish, str]:
    """Add a handle along y from 0 to `length` in mm, at the height `rise(y)`; return its finish and words for it."""
    neck, end, thick = rng.uniform(2.6, 4.2), rng.uniform(6, 11), rng.uniform(1.8, 2.8)
    if style in ("plastic", "wood"):
        neck, thick = rng.uniform(4, 5.5), rng.uniform(2.6, 4.5)
    y = np.linspace(0, length, 11)
    half = smooth([(end * rng.uniform(0.5, 0.95),), (end,), (end * rng.uniform(0.6, 0.8),), (neck,), (neck,)], 11)[:, 0]
    if style in ("steel", "plastic", "wood"):
        tip = np.array([0.45, *[1.0] * 10])
        y = np.r_[-0.3 * end, y[1:]]
        model.plate(
            np.c_[-half * tip, y], np.c_[half * tip, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2
        )
        return skin, ""
    grip = finish(rng, "wood", "brown", rgb=WOODS) if rng.random() < 0.25 else finish(rng, "plastic", GRIPS)
    share = rng.uniform(0.68, 0.85)
    if style == "riveted":
        model.plate(np.c_[-half * 0.96, y], np.c_[half * 0.96, y], rise(y) - 1, rise(y) + 1, skin, hull=False)
        y = np.linspace(-1, length * share, 9)
        half = np.interp(y, np.linspace(0, length, 11), half)
        for side in (-1, 1):
            low, high = sorted((side * 1.0, side * rng.uniform(3.6, 4.4)))
            model.plate(np.c_[-half, y], np.c_[half, y], rise(y) + low, rise(y) + high, grip, hull=False)
        ends = np.linspace(-1, length, 9)
        wide = np.interp(ends, np.linspace(0, length, 11), smooth([(end,), (end,), (neck,)], 11)[:, 0])
        thin = np.where(ends > length * share, 1.5, 4.2)
        _hulls(model, ends, wide, rise(ends), thin)
        for n in range(int(rng.integers(2, 4))):
            at = length * share * (0.18 + 0.34 * n)
            z = float(rise(np.array([at]))[0])
            model.prism(
                circle(2.1, 10) + np.array([0, at]), z - 4.7, z + 4.7, skin.painted((178, 178, 176)), hull=False
            )
        return grip, "with a riveted handle"
    model.plate(np.c_[-half, y], np.c_[half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2)
    y = np.linspace(-3, length * share, 10)
    form = smooth([(0.72,), (1.0,), (0.9,), (0.75,), (0.62,)], 10)[:, 0]
    model.sweep(np.c_[0 * y, y, rise(y)], 8.6 * form, grip, 5.2 * form, power=2.6, segments=12, pieces=2)
    return grip, f"with a {'wooden' if grip.material == 'wood' else grip.material} handle"


def _hulls(model: ModelBuilder, y: Floats, half: Floats, z: Floats, thick: Floats) -> None:
    middle = len(y) // 2
    for part in (slice(0, middle + 1), slice(middle, None)):
        rows = zip(y[part], half[part], z[part], thick[part], strict=True)
        model.hull([(s * w, a, h + q * t) for a, w, h, t in rows for s in (-1, 1) for q in (-1, 1)])


def scoop(
    model: ModelBuilder,
    skin: Skin,
    size: Sequence[float],
    wall: float,
    at: npt.ArrayLike,
    pointed: float = 0.0,
    inside: Skin | None = None,
) -> None:
    """Add a shallow oval bowl of a size (x, y, z) in mm, open upward; `at` is the middle of its rim.

    :param pointed: how much narrower it is towards +y
    """
    half = np.asarray(size, dtype=float) / [2, 2, 1]
    t = np.linspace(0, np.pi / 2, 8)
    outer, inner = np.c_[np.sin(t), -np.cos(t)], np.c_[np.sin(t), -np.cos(t)][::-1]
    factor = 1 - wall / half[:2].min()

    def oval(p: Floats) -> Floats:
        q = p * half
        return np.asarray(q * np.stack([1 - pointed * p[:, 1], np.ones(len(p)), np.ones(len(p))], -1))

    model.lathe(outer, skin, bend=oval, at=at, pieces=1)
    model.lathe(inner * [factor, 1 - wall / half[2]], inside or skin, bend=oval, at=at, hull=False)
    model.lathe([(1, 0), (factor, 0)], skin, bend=oval, at=at, hull=False)


def tool_handle(
    model: ModelBuilder, rng: Rng, skin: Finish, length: float, thick: float = 8.0, end: float = 0.0, z: float = 0.0
) -> tuple[Finish, str]:
    """Add the handle of a kitchen tool along y from 0 to `length` in mm; return its finish and words for it.

    :param skin: of the head, for handles of one piece with it
    :param end: where the shaft ends that goes on from the handle to the head, at the height z
    """
    kind = choice(rng, ("same", "plastic", "plastic", "wood", "steel", "rubber"))
    grip = {
        "same": skin,
        "wood": finish(rng, "wood", "brown", rgb=WOODS),
        "steel": finish(rng, "steel", "grey", rgb=STEEL),
    }.get(kind) or finish(rng, kind, GRIPS + ("black",) * 4)
    y = np.linspace(0, length, 12)
    flat = rng.uniform(0.5, 0.95)
    shape = rng.uniform(0.6, 1.15, 5) * [1.0, 1.15, 1.05, 1.0, 0.8]
    form = thick * np.clip(smooth(shape[:, None], 12)[:, 0], 0.5, 1.25)
    form[0] *= 0.7
    model.sweep(np.c_[0 * y, y, 0 * y + z], form, grip, form * flat, power=rng.uniform(2, 3), segments=14, pieces=1)
    if end > length:
        rod = np.array([(0, length - 4, z), (0, end, z)])
        model.sweep(rod, rng.uniform(2.4, 4), skin, rng.uniform(1.6, 3), segments=10, pieces=1)
    if rng.random() < 0.5:
        model.prism(
            circle(0.42 * thick, 12) + np.array([0, thick]),
            z - form[1] * flat - 0.3,
            z + form[1] * flat + 0.3,
            skin.painted((52, 52, 54)),
            hull=False,
        )
        return grip, "with a hole in its handle"
    material = {"wood": "wooden"}.get(grip.material, grip.material)
    return grip, f"with a {material} handle"
