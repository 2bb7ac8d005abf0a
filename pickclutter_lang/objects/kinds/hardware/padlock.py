"""Padlocks: bodies of brass, steel or colored metal, round or square, with a steel shackle, some open."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import BRIGHT, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import circle, rotation

UPRIGHT = rotation("z", 90) @ rotation("x", 90)
BRASSES = ((206, 166, 74), (190, 150, 62), (216, 182, 96), (176, 140, 70))


def sample(rng: Rng) -> Instance:
    """Sample a padlock, standing, its front towards +x."""
    model = ModelBuilder()
    wide = rng.uniform(24, 54)
    tall, thick = wide * rng.uniform(0.72, 1.1), wide * rng.uniform(0.3, 0.45)
    metal = choice(rng, ("brass", "brass", "steel", "painted", "layered"))
    if metal == "painted":
        skin = finish(rng, "metal", [*BRIGHT[:6], "blue", "black"], wear=0.6)
    elif metal == "brass":
        skin = finish(rng, "metal", "yellow", wear=0.7, rgb=BRASSES)
    else:
        skin = steel(rng, wear=0.7)
    form = choice(rng, ("square", "square", "rounded", "round"))
    outline = (
        circle(wide / 2, 32) if form == "round" else rounded(wide, tall, wide * (0.08 if form == "square" else 0.3))
    )
    tall = wide if form == "round" else tall
    side: Skin = skin
    if metal == "layered":
        _, v = tx.uv_grid(96, 8)
        layers = tx.smoothstep(np.abs((v * 9) % 1 - 0.5), 0.35, 0.45)
        side = tx.to_uint8(tx.lerp_color(skin.tints[0], skin.tints[0] * 0.5, layers))
    front = side if metal == "layered" else skin
    model.prism(outline, -thick / 2, thick / 2, front, skin, turn=UPRIGHT)
    dial = metal != "layered" and rng.random() < 0.25
    if dial:
        wheels = int(rng.integers(3, 5))
        for n in range(wheels):
            z = tall * (0.28 - 0.56 * n / (wheels - 1))
            image, _ = tx.canvas((24, 14), (28, 28, 30))
            tx.draw_text(image, str(rng.integers(10)), (12, 7), 11, (240, 240, 236))
            model.box(
                (thick + 2, 0.4 * wide, 0.15 * tall),
                {"right": np.asarray(image), "left": np.asarray(image)}
                | dict.fromkeys(("front", "back", "top", "bottom"), plain((28, 28, 30))),
                0.6,
                at=(0, 0.1 * wide, z),
                hull=False,
            )
    else:
        label, _ = tx.canvas((64, 28), (skin.tints[0] * 1.04).clip(0, 255).tolist())
        brand = sample_brand(rng, ("lock",), skin.colors)
        ink = (skin.tints[0] * 0.35).tolist()
        tx.draw_text(label, brand.name, (32, 14), min(15, 84 / len(brand.name)), ink)
        if metal != "layered":
            panel = rounded(0.62 * wide, 0.28 * wide, 1, 1)
            model.prism(panel, thick / 2, thick / 2 + 0.3, np.asarray(label), turn=UPRIGHT, hull=False)
        hole = plain((26, 26, 28))
        model.prism(circle(0.1 * wide, 12), -0.3, 0.3, hole, at=(0, 0, -tall / 2), hull=False)
    r, reach, high = wide * rng.uniform(0.07, 0.1), wide * rng.uniform(0.28, 0.34), wide * rng.uniform(0.15, 0.75)
    opened = rng.random() < 0.25
    lift = 0.28 * wide if opened else 0.0
    t = np.radians(np.linspace(0, 180, 11))
    top = tall / 2 * (0.8 if form == "round" else 1) + high + lift
    arch = np.c_[0 * t, reach * np.cos(t), top + reach * np.sin(t)]
    end = tall / 2 - 2 if not opened else tall / 2 + lift * 0.5
    feet = np.array([(0, reach, tall * 0.3), (0, -reach, end if opened else tall * 0.3)])
    path = np.concatenate([feet[:1], (feet[:1] + arch[:1]) / 2, arch, (feet[1:] + arch[-1:]) / 2, feet[1:]])
    turn = rotation("z", rng.uniform(40, 150)) if opened else np.eye(3)
    pivot = np.array([0, reach, 0])
    shackle = steel(rng, ((196, 198, 202), (180, 182, 186), (160, 162, 168)))
    model.sweep(path - pivot, r, shackle, up=(1, 0, 0), segments=12, pieces=5, at=pivot, turn=turn)
    shape = "round" if form == "round" else "rectangular"
    features = ["open" if opened else "closed", "with number wheels" if dial else "", "with a steel shackle"]
    return model.instance(skin, shape, features, density=4000)


KIND = Kind(
    name="padlock",
    synonyms=("pad lock", "shackle lock", "hanging lock"),
    hypernyms=("lock", "hardware"),
    function="locking doors and lockers",
    description="a thick metal block, square or round, with a shiny u-shaped metal bar that loops out of its top",
    longest=(0.03, 0.13),
    sample=sample,
)
