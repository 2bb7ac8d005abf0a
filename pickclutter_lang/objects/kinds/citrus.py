"""Citrus fruit: whole, with a pitted peel and a button where the stem was, or cut in half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.plants import leaf
from pickclutter_lang.objects.kinds.produce import UPRIGHT, cut_half, lying, pitted, segments_face, stub, uneven
from pickclutter_lang.objects.kinds.skins import peel


@dataclass(frozen=True)
class Citrus:
    """A sort: `radius` in mm, `slim` is length over width, `tip` how far its end stands out in radii."""

    radius: tuple[float, float]
    slim: tuple[float, float]
    tip: tuple[float, float]
    flesh: Sequence[Sequence[float]]
    tinge: Sequence[float]
    leaves: float = 0.1


def citrus(model: ModelBuilder, rng: Rng, sort: Citrus, skin: Finish) -> list[str]:
    """Add a fruit of a sort, whole or cut in half, and return its features."""
    r, slim, tip = rng.uniform(*sort.radius), rng.uniform(*sort.slim), rng.uniform(*sort.tip)
    pointed = tip > 0.06
    turn = lying(rng, 8) if pointed else UPRIGHT
    low = [(0, -0.97), (0.12 + 0.5 * tip, -0.99), (0.42, -0.9), (0.8, -0.58), (1, 0)]
    high = (
        [(0.82, 0.56), (0.5, 0.85), (0.24, 0.98), (0.12, 1 + tip * 0.8), (0, 1 + tip)]
        if pointed
        else [(0.8, 0.6), (0.46, 0.89), (0.2, 0.97), (0.08, 0.96), (0, 0.95)]
    )
    color = skin.tints[0]
    tinged = rng.random() < 0.3
    ends = (sort.tinge, rng.uniform(0.05, 0.28) if tinged else 0.04)
    base = peel(
        rng,
        color,
        tone=0.035,
        patches=(sort.tinge, rng.uniform(0.08, 0.3)) if tinged and rng.random() < 0.5 else None,
        spots=((120, 90, 50), rng.uniform(0, 0.006)),
        top=ends if pointed else None,
        bottom=ends,
        texels=(100, 160),
    )
    image = pitted(rng, base, int(rng.integers(90, 130)), rng.uniform(0.03, 0.1))
    bend = uneven(rng, 0.05, lean=0.02)
    if rng.random() < 0.1:
        face = segments_face(rng, color, (240, 232, 206), choice(rng, sort.flesh), int(rng.integers(8, 12)))
        cut_half(model, smooth(low, 14) * [r, r * slim], image, face, bend)
        return ["halved", "with a cut face"]
    model.lathe(smooth(low + high, 25 if pointed else 17) * [r, r * slim], image, bend=bend, turn=turn, pieces=1)

    foot = np.array([0, 0, r * slim * 0.96])
    stub(model, rng, foot, r * 0.05, r * 0.09, choice(rng, ((104, 120, 50), (126, 100, 58))), turn, hull=False)
    leafy = not pointed and rng.random() < sort.leaves
    if leafy:
        leaf(model, rng, foot, rng.uniform(0.9, 1.3) * r)
    return ["with a leaf" if leafy else "without a leaf", "whole"]
