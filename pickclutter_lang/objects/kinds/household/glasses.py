"""Glasses: frames with two lenses, round or rectangular, and two temples, open or folded; some sunglasses."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a pair of glasses, standing on its lenses and temples; the front faces +x."""
    model = ModelBuilder()
    wide = rng.uniform(125, 148)
    wire = rng.random() < 0.3
    word = "grey" if wire else choice(rng, ("black", "black", "black", "brown", "brown", *ANY))
    skin = finish(
        rng,
        "metal" if wire else "plastic",
        word,
        ("plain", "plain", "speckled") if word == "brown" else "plain",
        second=("black",),
        pitch=(4, 8),
        rgb=STEEL if wire else (),
    )
    image = skin.image(30, 140, 64)
    thick = rng.uniform(1.0, 1.4) if wire else rng.uniform(1.7, 3.0)
    lens, tall = wide * rng.uniform(0.185, 0.215), wide * rng.uniform(0.13, 0.2)
    form = choice(rng, ("round", "rectangular", "rectangular", "drop"))
    if form == "round":
        tall = lens = wide * rng.uniform(0.17, 0.2)
    power = {"round": 2.0, "rectangular": 4.0, "drop": 2.6}[form]
    dark = rng.random() < 0.4
    glass_word = choice(rng, ("black", "black", "brown", "blue")) if dark else "white"
    glass = plain(tint(rng, glass_word) * (1.15 if dark else 1.0)) if dark else plain((206, 216, 220))
    a = np.linspace(0, 2 * np.pi, 29)
    c, s = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(a), np.sin(a)))
    center = wide / 2 - lens - thick
    for side in (-1, 1):
        y, z = side * (center + lens * c), tall * s * (1 + (0.12 * c if form == "drop" else 0))
        loop = np.c_[-0.0012 * y**2, y, z]
        loop[-1] = loop[0]
        model.sweep(loop, thick, image, thick * 1.1, segments=8, up=(1, 0, 0), closed=True, hull=False)
        pane = np.c_[y, z][:-1] if side > 0 else np.c_[y, z][:-1][::-1]
        spin, at = rotation("z", 90) @ rotation("x", 90), (-0.0012 * center**2, 0, 0)
        model.prism(pane, -0.6, 0.6, glass, at=at, turn=spin, hull=False)
        x = (-0.0012 * (center + lens) ** 2, -0.0012 * (center - lens) ** 2)
        model.hull(
            [
                (q + d, side * (center + k * lens), e * tall)
                for q, k in zip(x, (1, -1), strict=True)
                for d in (-thick, thick)
                for e in (-1, 1)
            ]
        )
    bridge = np.array(
        [(0, -(center - lens) - thick, 0.15 * tall), (1, 0, 0.5 * tall), (0, center - lens + thick, 0.15 * tall)]
    )
    model.sweep(bridge, thick, image, thick, segments=8, up=(1, 0, 0), pieces=1)
    folded = rng.random() < 0.35
    reach, hinge = wide * rng.uniform(0.92, 1.02), np.array([-0.0012 * (wide / 2) ** 2 - 2, wide / 2, 0.4 * tall])
    for n, side in enumerate((-1, 1)):
        t = np.linspace(0, 1, 12)
        drop = -(np.clip(t - 0.74, 0, 1) ** 1.2) * reach * 0.75
        if folded:
            path = np.c_[-4 - 4 * n + 0 * t, -side * t * reach * 0.92, drop * 0.7] + hinge * [1, side, 1]
        else:
            path = np.c_[-t * reach, -side * 6 * t, drop] + hinge * [1, side, 1]
        model.sweep(
            path, thick * 0.8, image, thick * (1 if wire else 1.9) * (1 - 0.2 * t), segments=8, power=3, pieces=2
        )
    words = {"round": "with round lenses", "rectangular": "with rectangular lenses", "drop": "with drop-shaped lenses"}
    features = [words[form], "with dark lenses" if dark else "with clear lenses", "folded" if folded else "unfolded"]
    colors = (word, glass_word) if dark else (word,)
    return model.instance(skin, "wide and thin", features, colors=colors, density=600)


KIND = Kind(
    name="glasses",
    synonyms=("eyeglasses", "spectacles", "pair of glasses"),
    hypernyms=("clothing accessory",),
    function="seeing better",
    description="a frame with two lenses side by side, joined by a bridge, and two long thin arms with bent ends",
    longest=(0.115, 0.17),
    sample=sample,
)
