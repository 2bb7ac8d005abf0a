"""Screws: wood and machine screws of steel, brass or black, with countersunk, round or six-sided heads."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, fastener_metal, thread
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural.surfaces import circle, rotation


def sample(rng: Rng) -> Instance:
    """Sample a screw, lying with its point at +y."""
    model = ModelBuilder()
    r = rng.uniform(1.8, 4.2)
    length = 12 + r * rng.uniform(7, 15)
    skin = fastener_metal(rng)
    pointed, head = rng.random() < 0.65, choice(rng, ("flat", "flat", "round", "hexagonal"))
    core = rng.uniform(0, 0.35) * length
    tip = 2.6 * r if pointed else 0.4 * r
    rows = [
        (0.8 * r, 0),
        (0.8 * r, core),
        *thread(r, core, length - tip, rng.uniform(0.55, 0.8) * r, 0.26),
        (0.5 * r, length - 0.5 * tip),
    ]
    rows += [(0, length)] if pointed else [(0.7 * r, length), (0, length)]
    model.lathe(rows, skin, segments=12, pieces=2, turn=ALONG_Y)
    wide = r * rng.uniform(1.8, 2.2)
    top = -wide * (0.25 if head == "flat" else 0.65)
    if head == "hexagonal":
        model.prism(circle(wide, 6), top, 0.2, skin, turn=ALONG_Y)
        disc = [(0, 0), (1.25 * wide, 0), (1.25 * wide, 0.5 * r), (0, 0.5 * r)]
        if rng.random() < 0.5:
            model.lathe(disc, skin, segments=18, pieces=1, turn=ALONG_Y)
    else:
        curves = {
            "flat": [(0, 0), (1, 0), (1, 0.12), (0.45, 0.85), (0, 0.85)],
            "round": [(0, 0), (0.45, 0.05), (0.8, 0.25), (0.98, 0.5), (1, 0.7), (0, 0.7)],
        }
        model.lathe(np.array(curves[head]) * wide + [0, top], skin, segments=18, pieces=1, turn=ALONG_Y)
    drive = "" if head == "hexagonal" else choice(rng, ("cross", "cross", "slot"))
    dark = plain(skin.tints[0] * 0.22)
    for n in range({"cross": 2, "slot": 1}.get(drive, 0)):
        size = (1.1, 0.3) if drive == "cross" else (1.75 if head == "flat" else 1.2, 0.3)
        arm = (wide * size[0], 0.25 * wide, wide * size[1])
        shape = arm if n == 0 else (arm[2], arm[1], arm[0])
        model.box(shape, dark, 0, at=(0, top + 0.08 * wide, 0), turn=rotation("y", 0), hull=False)
    words = {"flat": "with a flat head", "round": "with a round head", "hexagonal": "with a hexagonal head"}
    features = [words[head], "pointed" if pointed else "blunt", f"with a {drive} in its head" if drive else ""]
    return model.instance(skin, "long and thin", features, density=6500)


KIND = Kind(
    name="screw",
    synonyms=("metal screw", "threaded screw"),
    hypernyms=("fastener", "hardware"),
    function="fastening parts together",
    description="a small metal rod with a spiral thread along it and a wider head with a cross, a slot or six sides",
    longest=(0.02, 0.085),
    sample=sample,
)
