"""Combs: straight backs with fine or coarse teeth, some with a tail handle; of plastic, wood or metal."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.palettes import ANY


def sample(rng: Rng) -> Instance:
    """Sample a comb, lying along y with its teeth towards +x."""
    model = ModelBuilder()
    length, material = rng.uniform(110, 205), choice(rng, ("plastic", "plastic", "plastic", "plastic", "wood", "metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material, "")
    word = word or choice(rng, ("black", "black", "black", "brown", *ANY))
    tortoise = material == "plastic" and word == "brown" and rng.random() < 0.7
    rgb = WOODS if material == "wood" else STEEL if material == "metal" else ((120, 66, 28),) if tortoise else ()
    pattern = "marbled" if tortoise else "plain"
    skin = finish(rng, material, word, pattern, second=("black",), pitch=(8, 14), rgb=rgb)
    form = choice(rng, ("straight", "straight", "curved", "tail", "handle"))
    toothed = length * {"tail": 0.52, "handle": 0.58}.get(form, 0.93)
    back, thick = length * rng.uniform(0.05, 0.1), rng.uniform(2.2, 4.5)
    y = np.linspace(-length / 2, length / 2, 25)
    start = length / 2 - toothed - 2
    inner = np.full(25, -back)
    if form == "curved":
        inner = -back * (0.55 + 0.75 * np.cos(np.pi * y / length))
    if form == "tail":
        inner = np.where(y < start, -back * 0.35 - 1.5, -back)
    left, right = np.c_[inner, y], np.c_[np.zeros(25), y]
    if form == "handle":
        grip = (y < start) * back * rng.uniform(0.3, 0.7) * np.clip((start - y) / 20, 0, 1)
        left[:, 0] -= grip * 0.5
        right[:, 0] += grip
    if form == "tail":
        right[:, 0] = np.where(y < start, -back * 0.35 + 1.5, 0)
    image = skin.image(24, length, 112)
    model.plate(left, right, -thick / 2, thick / 2, image, pieces=3)
    reach, wide_first = length * rng.uniform(0.1, 0.2), rng.random() < 0.45
    count = int(rng.integers(18, 46)) if form != "handle" else int(rng.integers(12, 30))
    at, teeth = start, []
    fine = toothed / count
    while at < length / 2 - 3:
        pitch = fine * (1.6 if wide_first and at > start + toothed / 2 else 1.0)
        teeth.append((at, pitch))
        at += pitch
    for n, (place, pitch) in enumerate(teeth):
        solid = n in (0, len(teeth) - 1)
        w = pitch * (0.9 if solid else 0.55)
        tip = reach * (0.96 if solid else 1.0)
        edge = np.array(
            [
                (-1, place),
                (tip * 0.9, place + 0.1 * w),
                (tip, place + 0.5 * w),
                (tip * 0.9, place + 0.9 * w),
                (-1, place + w),
            ]
        )
        model.prism(edge, -thick * 0.36, thick * 0.36, image, hull=False)
    model.hull([(x, q, z) for x in (-1, reach) for q in (start, length / 2 - 1) for z in (-thick * 0.36, thick * 0.36)])
    words = {"tail": "with a pointed tail", "handle": "with a handle", "curved": "with a curved back"}
    features = [words.get(form, "with a straight back"), "with fine and coarse teeth" if wide_first else ""]
    return model.instance(skin, "long and flat", features, density=600)


KIND = Kind(
    name="comb",
    synonyms=("hair comb", "pocket comb"),
    hypernyms=("bathroom item",),
    function="combing hair",
    description="a flat thin strip with one straight row of many narrow parallel teeth along its side",
    longest=(0.1, 0.21),
    sample=sample,
)
