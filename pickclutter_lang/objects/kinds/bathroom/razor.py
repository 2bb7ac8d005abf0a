"""Razors: disposable or cartridge razors with a handle and a crosswise head with blades; and safety razors of steel."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.palettes import BRIGHT
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a razor, lying along y with its head at +y."""
    model = ModelBuilder()
    length = rng.uniform(105, 150)
    form = choice(rng, ("disposable", "disposable", "cartridge", "cartridge", "safety"))
    word = "grey" if form == "safety" else choice(rng, (*BRIGHT, "blue", "pink", "orange", "black", "white", "grey"))
    skin = finish(rng, "steel" if form == "safety" else "plastic", word, rgb=STEEL if form == "safety" else ())
    wide, t = rng.uniform(36, 44), np.linspace(0, 1, 16)
    bow = 0 if form == "safety" else rng.uniform(3, 11)
    path = np.c_[0 * t, (t - 0.5) * length, bow * np.sin(np.pi * t) + 4]
    thick = rng.uniform(4.5, 7.5)
    form_of = {
        "disposable": [(0.8,), (1.1,), (1.0,), (0.8,), (0.6,), (0.5,)],
        "cartridge": [(0.7,), (1.2,), (1.3,), (1.0,), (0.65,), (0.6,)],
        "safety": [(0.9,), (0.9,), (0.9,), (0.9,), (0.7,), (0.7,)],
    }[form]
    width = thick * smooth(form_of, 16)[:, 0]
    model.sweep(path, width, skin, width * (1 if form == "safety" else 0.75), power=2.4, pieces=3)
    dark, steel = plain((40, 42, 46)), plain((196, 198, 204))
    if form == "safety":
        for k in range(int(rng.integers(5, 9))):
            at = path[2 + k] if 2 + k < 14 else path[13]
            model.lathe([(thick * 0.96, -1), (thick * 0.96, 1)], dark, 14, at=at, turn=rotation("x", 90), hull=False)
    elif form == "cartridge" or rng.random() < 0.4:
        grip = slice(2, 9)
        other = plain(
            tint(rng, choice(rng, ("black", "grey", "white") if word != "black" else ("grey", "red", "green")))
        )
        model.sweep(path[grip] + [0, 0, 0.22 * thick], 0.78 * width[grip], other, 0.66 * width[grip], hull=False)
    end, tilt = path[-1], rotation("x", -rng.uniform(25, 65))
    if form == "safety":
        size = (wide, 24, 5)
        model.box(size, skin, 2, at=end + tilt @ [0, 2, 2], turn=tilt)
        model.box((wide + 0.6, 21, 1), steel, 0, at=end + tilt @ [0, 2, 1], turn=tilt, hull=False)
    else:
        deep = rng.uniform(9, 16)
        shell = skin.painted(tint(rng, choice(rng, (word, "black", "grey")))).image(40, 12, 32)
        at = end + tilt @ [0, deep * 0.3, -1]
        model.box((wide, deep, 5), shell, 1.2, at=at, turn=tilt)
        blades = int(rng.integers(2, 6)) if form == "cartridge" else 2
        for side in (-1, 1):
            for n in range(blades):
                y = deep * (0.62 * (n + 0.5) / blades - 0.36)
                model.box((wide * 0.86, 1.1, 0.7), steel, 0, at=at + tilt @ [0, y, side * 2.6], turn=tilt, hull=False)
            strip = tint(rng, choice(rng, ("green", "blue", "white", "pink")))
            model.box(
                (wide * 0.9, 2, 0.8),
                plain(strip),
                0,
                at=at + tilt @ [0, deep * 0.38, side * 2.5],
                turn=tilt,
                hull=False,
            )
    words = {"disposable": "disposable", "cartridge": "with a rubber grip", "safety": "with a steel handle"}
    return model.instance(skin, "t-shaped", [words[form], "with blades"], density=700)


KIND = Kind(
    name="razor",
    synonyms=("shaving razor", "wet razor"),
    hypernyms=("bathroom item",),
    function="shaving",
    description="a slim curved handle with a short head set across its end that holds thin parallel steel blades",
    longest=(0.1, 0.17),
    sample=sample,
)
