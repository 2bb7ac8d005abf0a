"""Hairbrushes: oval, square or round heads full of bristles on a handle; of plastic or wood, with a cushion."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a hairbrush, lying along y with its bristles up or to +x."""
    model = ModelBuilder()
    length, form = rng.uniform(165, 250), choice(rng, ("paddle", "oval", "oval", "round"))
    wooden = rng.random() < 0.35
    word = "brown" if wooden else choice(rng, ("black", "black", *ANY))
    skin = finish(rng, "wood" if wooden else "plastic", word, rgb=WOODS if wooden else ())
    head = length * rng.uniform(0.42, 0.52)
    wide = length * {"paddle": rng.uniform(0.28, 0.34), "oval": rng.uniform(0.18, 0.26), "round": 0.09}[form]
    turn = rotation("y", choice(rng, (0, 0, 0, 75, 90)))
    y = np.linspace(-length / 2, length / 2, 26)
    grip = length * rng.uniform(0.045, 0.06)
    t = np.clip((y - (length / 2 - head)) / head, 0, 1)
    power = 5 if form == "paddle" else 2.2
    blade = wide / 2 * np.clip(1 - np.abs(2 * t - 1) ** power, 0, 1) ** (1 / power)
    handle = grip * smooth([(0.55,), (0.95,), (0.9,), (0.7,), (0.55,), (0.5,), (0.5,)], 26)[:, 0]
    half = np.where(y > length / 2 - head, np.maximum(blade, handle * 0.8 * (t < 0.5)), handle)
    half[-1], half[0] = max(half[-1], 2), handle[0]
    deep = np.where(y > length / 2 - head * 0.9, length * 0.028, handle * 0.7)
    tuft = plain(tint(rng, choice(rng, ("black", "black", "white", "brown", "grey"))) * 0.9)
    tip = plain(tint(rng, choice(rng, ("white", "black", word))))
    middle = length / 2 - head / 2
    if form == "round":
        model.sweep(
            np.c_[0 * y, y, 0 * y], np.maximum(handle, np.where(t > 0, length * 0.05, 0)), skin, pieces=3, turn=turn
        )
        rows, ring = 10, 10
        reach, base = length * rng.uniform(0.035, 0.06), length * 0.048
        for n in range(rows):
            for k in range(ring):
                a = 2 * np.pi * (k + 0.5 * (n % 2)) / ring
                out = np.array([np.cos(a), 0, np.sin(a)])
                at = out * base + [0, middle + head * 0.84 * ((n + 0.5) / rows - 0.5), 0]
                model.sweep(
                    [at, at + out * reach / 2, at + out * reach],
                    1.0,
                    tuft,
                    segments=3,
                    up=(0, 1, 0),
                    turn=turn,
                    hull=False,
                )
        around = np.linspace(0, 2 * np.pi, 13)
        model.hull(
            [
                ((base + reach) * np.cos(q), middle + s * head * 0.44, (base + reach) * np.sin(q))
                for q in around
                for s in (-1, 1)
            ],
            turn=turn,
        )
    else:
        model.sweep(np.c_[0 * y, y, 0 * y], half, skin, deep, power=2.6, pieces=3, turn=turn)
        z = length * 0.024
        pad = plain(tint(rng, choice(rng, ("black", "red", "grey", "pink", word))))
        model.ball(
            (wide * 0.8, head * 0.84, length * 0.034),
            pad,
            rows=7,
            segments=20,
            at=turn @ [0, middle, z],
            turn=turn,
            hull=False,
        )
        reach = length * rng.uniform(0.05, 0.08)
        across, along = (7, 11) if form == "paddle" else (5, 11)
        for i in range(across):
            for j in range(along):
                u, v = (i + 0.5) / across * 2 - 1, (j + 0.5) / along * 2 - 1
                if np.hypot(u, v) > 1.1 if form == "paddle" else np.hypot(u, v) > 0.98:
                    continue
                foot = np.array([u * wide * 0.38, middle + v * head * 0.4, z])
                top = np.add(foot, [u * 1.5, v * 2, reach])
                model.sweep([foot, (foot + top) / 2, top], 0.9, tuft, segments=3, up=(0, 1, 0), turn=turn, hull=False)
                model.box((2.4, 2.4, 2.4), tip, 0, at=turn @ top, turn=turn, hull=False)
        around = np.linspace(0, 2 * np.pi, 17)
        model.hull(
            [
                (wide * 0.42 * np.cos(q), middle + head * 0.44 * np.sin(q), s)
                for q in around
                for s in (0, z + reach + 1)
            ],
            turn=turn,
        )
    words = {"paddle": "with a wide square head", "oval": "with an oval head", "round": "with a round head"}
    features = [words[form], "with a wooden handle" if wooden else "with a plastic handle"]
    return model.instance(skin, "long and thin", features, density=350)


KIND = Kind(
    name="hairbrush",
    synonyms=("hair brush", "brush for hair"),
    hypernyms=("brush", "bathroom item"),
    function="brushing hair",
    description="a handle with a broad head that is covered with many separate stiff bristles",
    longest=(0.16, 0.26),
    sample=sample,
)
