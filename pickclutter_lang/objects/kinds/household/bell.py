"""Bells: hand bells with a handle, desk bells with a button, and cow bells with a loop; of brass, steel or painted."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.outlines import squarish
from pickclutter_lang.objects.kinds.palettes import BRIGHT

BRASS = ((206, 164, 70), (186, 142, 58), (220, 182, 96))


def sample(rng: Rng) -> Instance:
    """Sample a bell, standing on its mouth."""
    model = ModelBuilder()
    form = choice(rng, ("hand bell", "hand bell", "hand bell", "desk bell", "cow bell"))
    word = choice(rng, ("yellow", "yellow", "yellow", "grey", "grey", *BRIGHT[:4]))
    rgb = BRASS if word == "yellow" else STEEL if word == "grey" else ()
    skin = finish(rng, "metal", word, wear=0.5, rgb=rgb)
    r = rng.uniform(20, 48)
    words = [word]
    if form == "hand bell":
        h = r * rng.uniform(1.2, 1.7)
        flare = rng.uniform(0.72, 0.86)
        body = smooth([(1, 0), (flare, 0.2), (0.62, 0.55), (0.54, 0.78), (0.4, 0.94), (0.14, 1)], 16) * [r, h]
        model.lathe(body, skin, pieces=2)
        material = choice(rng, ("wood", "wood", "metal", "plastic"))
        grip_word = "brown" if material == "wood" else word if material == "metal" else "black"
        grip = finish(rng, material, grip_word, rgb=WOODS if material == "wood" else rgb if material == "metal" else ())
        reach = r * rng.uniform(1.3, 2.2)
        thick = r * rng.uniform(0.18, 0.24)
        rows = smooth([(0.6, 0), (0.75, 0.06), (0.6, 0.2), (1, 0.55), (0.95, 0.8), (0.6, 0.95), (0, 1)], 14)
        model.lathe(rows * [thick, reach] + [0, h - 2], grip, 16, 2)
        words.append(grip_word)
        feature = f"with a {'wooden' if material == 'wood' else material} handle"
    elif form == "desk bell":
        foot = r * 1.08
        base = finish(rng, "plastic", "black").painted((34, 34, 38)) if rng.random() < 0.7 else skin.solid(0.8)
        model.lathe([(0, 0), (foot, 0), (foot, r * 0.12), (foot * 0.9, r * 0.22), (0, r * 0.22)], base, pieces=1)
        a = np.linspace(0.04, np.pi / 2, 10)
        h = r * rng.uniform(0.62, 0.8)
        dome = np.c_[r * np.cos(a) ** 0.9, h * np.sin(a) + 0.3 * r]
        model.lathe([(r * 0.97, 0.3 * r), *dome], skin, pieces=1)
        z = float(dome[-1, 1])
        button = [(r * 0.1, -2), (r * 0.1, r * 0.12), (r * 0.2, r * 0.14), (r * 0.18, r * 0.24), (0, r * 0.26)]
        model.lathe(np.add(button, [0, z]), skin.solid(0.92), 16, 1)
        feature = "with a button on top"
    else:
        h = r * rng.uniform(1.5, 2.1)
        bend = squarish(rng.uniform(2.6, 4), rng.uniform(0.55, 0.75))
        shell = [(r, 0), (r * 0.97, h * 0.08), (r * 0.72, h * 0.85), (r * 0.6, h * 0.97), (r * 0.4, h)]
        model.lathe(shell, skin, bend=bend, pieces=1)
        model.lathe([(r * 0.4, h), (0, h)], skin.solid(), bend=bend, hull=False)
        a = np.linspace(0, np.pi, 11)
        loop = np.c_[0 * a, r * 0.42 * np.cos(a), h - 2 + r * 0.55 * np.sin(a)]
        strap = finish(rng, "leather", "brown").solid() if rng.random() < 0.5 else skin.solid(0.9)
        model.sweep(loop, 2.2, strap, r * 0.16, power=4, segments=10, up=(1, 0, 0), pieces=2)
        feature = "with a loop"
    if form != "desk bell":
        section = squarish(2.0) if form == "hand bell" else bend
        model.lathe([(0, 5), (r * 0.86, 4)], plain(skin.tints[0] * 0.4), bend=section, hull=False)
        model.lathe([(r * 0.86, 4), (r * 0.97, 0)], plain(skin.tints[0] * 0.6), bend=section, hull=False)
    shape = "conical" if form != "desk bell" else "hemispherical"
    features = [feature, "painted" if word not in ("yellow", "grey") else "shiny"]
    return model.instance(skin, shape, features, colors=tuple(dict.fromkeys(words)), density=1500)


KIND = Kind(
    name="bell",
    synonyms=("ringing bell",),
    hypernyms=("household item", "musical instrument"),
    function="ringing",
    description="a round body of shiny brass or steel, wide and open at the bottom, with a handle or button on top",
    longest=(0.035, 0.2),
    sample=sample,
)
