"""Forks: of steel, some with a plastic or wooden handle, three or four tines, plain or curved handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import Floats


def sample(rng: Rng) -> Instance:
    """Sample a fork, lying with its tines at +y."""
    model = ModelBuilder()
    kind = choice(rng, ("steel", "steel", "steel", "plastic", "wood", "colored handle", "wooden handle"))
    length, tines = rng.uniform(150, 210), int(choice(rng, (3, 4, 4)))
    head, width = length * rng.uniform(0.3, 0.36), rng.uniform(21, 27)
    thick = rng.uniform(1.6, 2.4) if "steel" in kind or "handle" in kind else rng.uniform(2.4, 3.2)
    material = {"colored handle": "steel", "wooden handle": "steel"}.get(kind, kind)
    words = {"plastic": ("white", "red", "blue", "green", "black", "yellow", "pink"), "wood": ("brown",)}.get(
        kind, ("grey",)
    )
    skin = finish(rng, material, words, rgb={"steel": STEEL, "wood": WOODS}.get(material, ()))
    bow = rng.uniform(6, 14)

    def rise(y: Floats) -> Floats:
        t = y / length
        return np.asarray(
            bow
            * (
                np.sin(np.pi * np.clip((t - 0.35) / 0.5, 0, 1)) * -0.35
                + np.clip((t - 0.8) / 0.2, 0, 1) ** 2
                + 0.5 * np.clip(0.3 - t, 0, 1)
            )
        )

    neck, end = rng.uniform(2.6, 4), rng.uniform(6, 11)
    y = np.linspace(0, length - head, 9)
    half = smooth([(end * 0.8,), (end,), (end * 0.7,), (neck,), (neck,)], 9)[:, 0]
    model.plate(np.c_[-half, y], np.c_[half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=2)
    root = np.linspace(length - head, length - head * 0.52, 6)
    half = neck + (width / 2 - neck) * np.sin(np.linspace(0, np.pi / 2, 6)) ** rng.uniform(0.8, 1.6)
    model.plate(np.c_[-half, root], np.c_[half, root], rise(root) - thick / 2, rise(root) + thick / 2, skin, pieces=1)
    y = np.linspace(length - head * 0.53, length, 6)
    pitch = width / (tines - 0.45)
    for n in range(tines):
        x, half = (n - (tines - 1) / 2) * pitch, 0.55 * pitch / 2 * np.array([1, 1, 1, 1, 0.9, 0.3])
        model.plate(np.c_[x - half, y], np.c_[x + half, y], rise(y) - thick / 2, rise(y) + thick / 2, skin, pieces=1)
    colors = skin.colors
    if "handle" in kind:
        grip = finish(rng, "plastic", ("red", "blue", "black", "green", "yellow"))
        if kind == "wooden handle":
            grip = finish(rng, "wood", "brown", rgb=WOODS)
        y = np.linspace(-2, (length - head) * 0.72, 8)
        path, thickness = np.c_[np.zeros(8), y, rise(y)], smooth([(0.8,), (1,), (0.9,), (0.6,)], 8)[:, 0]
        model.sweep(path, 8.5 * thickness, grip, 4.5 * thickness, power=3, segments=12, pieces=1)
        colors = (*grip.colors, *skin.colors)
    handle = {"colored handle": "with a plastic handle", "wooden handle": "with a wooden handle"}.get(kind, "")
    features = [f"with {('three', 'four')[tines - 3]} tines", handle]
    return model.instance(skin, "long and thin", features, colors=colors)


KIND = Kind(
    name="fork",
    synonyms=("table fork", "dinner fork"),
    hypernyms=("cutlery", "tableware"),
    function="eating with it",
    description="a long, slim metal utensil with a flat handle that widens to a curved head with four narrow "
    "pointed tines",
    longest=(0.145, 0.22),
    sample=sample,
)
