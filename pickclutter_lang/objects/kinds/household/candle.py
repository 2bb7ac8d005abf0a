"""Candles: pillars, tapers and tea lights of wax with a wick, some burnt down, dripping, or in a glass."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import Floats

PATTERNS = ("plain", "plain", "plain", "plain", "striped", "two-coloured", "marbled")


def sample(rng: Rng) -> Instance:
    """Sample a candle, standing."""
    model = ModelBuilder()
    form = choice(rng, ("pillar", "pillar", "pillar", "taper", "taper", "tea light", "jar"))
    word = choice(rng, ("white",) * 5 + BRIGHT + ("red", "brown"))
    rgb = ((238, 230, 208), (242, 240, 232), (228, 210, 170)) if word == "white" else ()
    skin = finish(rng, "wax", word, PATTERNS if form in ("pillar", "taper") else "plain", pitch=(8, 20), rgb=rgb)
    r, h = {
        "pillar": (rng.uniform(20, 40), rng.uniform(50, 150)),
        "taper": (rng.uniform(9, 13), rng.uniform(120, 250)),
        "tea light": (rng.uniform(18, 21), rng.uniform(13, 17)),
        "jar": (rng.uniform(28, 42), rng.uniform(45, 85)),
    }[form]
    hollow = h * (0.02 if form == "taper" else 0.06 if form == "pillar" else 0.12) * rng.uniform(0.5, 1.6)
    lumpy, phase = rng.uniform(0, 0.06) * (form == "pillar"), rng.uniform(0, 6)

    def melt(points: Floats) -> Floats:
        """Let the rim sink here and there."""
        angle = np.arctan2(points[:, 1], points[:, 0])
        upper = np.clip((points[:, 2] / h - 0.7) / 0.3, 0, 1) * np.hypot(points[:, 0], points[:, 1]) / r
        wave = 0.5 + 0.5 * np.sin(2 * angle + phase)
        return np.asarray(points - np.c_[0 * angle, 0 * angle, lumpy * h * upper * wave])

    tip = r * (0.6 if form == "taper" else 0.93)
    wall = [
        (r * 0.98, 0),
        (r, h * 0.03),
        (r * 0.98 if form != "taper" else r * 0.9, h * 0.7),
        (tip * 1.02, h * 0.97),
        (tip, h),
    ]
    model.lathe(wall, skin, bend=melt, pieces=1)
    bowl = [(tip, h), (tip * 0.85, h - hollow), (0, h - hollow * 1.3)]
    model.lathe(bowl, skin.solid(1.04), bend=melt, hull=False)
    model.lathe([(0, 0.3), (r * 0.98, 0)], skin.solid(), hull=False)
    if form == "tea light":
        tin = finish(rng, "metal", "grey", rgb=STEEL)
        model.lathe([(0, -0.5), (r + 0.5, -0.5), (r + 0.8, h + 1), (r, h + 1.4), (r, h - 1)], tin, pieces=1)
    elif form == "jar":
        glass = finish(rng, "glass", "white").painted((206, 218, 220))
        outer = smooth([(r + 2, -4), (r + 3, h * 0.1), (r + 3, h * 0.7), (r + 3, h * 0.84)], 7)
        model.lathe([(0, -4), *outer], glass, pieces=1)
    burnt = rng.random() < 0.5
    base, reach = h - hollow * 1.3 - 1, rng.uniform(6, 12)
    lean = rng.normal(0, 1.5, 2)
    wick = smooth([(0, 0, base), (*(0.3 * lean), base + 0.6 * reach), (*lean, base + reach + 2)], 6)
    model.sweep(wick, 0.9, plain((36, 30, 26) if burnt else (232, 226, 210)), segments=6, up=(0, 1, 0), pieces=1)
    if form in ("pillar", "taper"):
        for _ in range(int(rng.integers(0, 5)) * burnt):
            a, drop = rng.uniform(0, 2 * np.pi), h * rng.uniform(0.12, 0.5)
            top = h * (0.97 - lumpy)
            line = np.array([(r * 0.97 * np.cos(a), r * 0.97 * np.sin(a), top - f * drop) for f in (0, 0.4, 0.8, 1)])
            model.sweep(
                line,
                r * np.array([0.06, 0.05, 0.08, 0.05]),
                plain(skin.tints[0] * 1.03),
                segments=6,
                up=(np.cos(a), np.sin(a), 0.01),
                hull=False,
            )
    words = {"pillar": "with a broad body", "taper": "slim", "tea light": "in a tin cup", "jar": "in a glass"}
    features = [words[form], "with a burnt wick" if burnt else "with a white wick"]
    return model.instance(
        skin,
        "cylindrical" if form != "taper" else "long and thin",
        features,
        colors=(*skin.colors, "grey") if form == "tea light" and word != "grey" else (),
    )


KIND = Kind(
    name="candle",
    synonyms=("wax candle", "wax light"),
    hypernyms=("household item", "decoration"),
    function="giving light",
    description="a smooth cylinder of wax, white or colored, with a short thin wick in the middle of its top",
    longest=(0.02, 0.27),
    sample=sample,
)
