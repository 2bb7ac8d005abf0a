"""Pumpkins: ribbed, flat or tall; orange, white or green, with a ridged stem."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import Floats

SKINS = {
    "orange": ((226, 116, 28), (216, 100, 24), (234, 136, 44)),
    "white": ((236, 228, 206),),
    "green": ((92, 112, 66), (70, 96, 58)),
}


def sample(rng: Rng) -> Instance:
    """Sample a pumpkin."""
    model = ModelBuilder()
    word = choice(rng, (*("orange",) * 7, "white", "green"))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    r, tall = rng.uniform(36, 125), rng.uniform(0.55, 1.0)
    ribs, depth = int(rng.integers(8, 14)), rng.uniform(0.06, 0.16)
    outline = [
        (0, -0.8),
        (0.25, -0.88),
        (0.62, -0.9),
        (0.93, -0.55),
        (1, 0),
        (0.93, 0.52),
        (0.62, 0.88),
        (0.28, 0.86),
        (0.1, 0.72),
        (0, 0.68),
    ]

    profile = smooth(outline, 19) * [r, r * tall]

    def rib(angle: Floats) -> Floats:
        return np.asarray(1 - np.abs(np.cos(ribs * angle / 2)) ** 0.8)

    def bend(points: Floats) -> Floats:
        factor = 1 - depth * rib(np.arctan2(points[:, 1], points[:, 0]))
        return np.asarray(points * np.stack([factor, factor, 0.4 + 0.6 * factor], -1))

    base = peel(
        rng,
        color,
        tone=0.06,
        patches=(color * 0.88, 0.3),
        spots=(color * 1.15 + 20, rng.uniform(0, 0.04)),
        top=(color * 0.7, 0.1),
        bottom=(color * 0.8 + (20, 10, 0), 0.08),
        texels=(72, 144),
        spot_count=60,
    )
    u, v = tx.uv_grid(72, 144)
    groove = rib(2 * np.pi * u) ** 2 * tx.smoothstep(-np.abs(v - 0.5), -0.48, -0.3)
    image = tx.lerp_color(base, color * 0.62, rng.uniform(0.35, 0.8) * groove)
    model.lathe(profile, tx.to_uint8(image), 4 * ribs, bend=bend, hull=False)
    peaks = np.arange(ribs) * 2 * np.pi / ribs
    model.hull(bend(np.array([[q * np.cos(a), q * np.sin(a), z] for q, z in profile for a in peaks])))
    high, lean = r * rng.uniform(0.28, 0.7), rng.normal(0, 0.25, 2) * r
    path = smooth([(0, 0, 0.6 * r * tall), (0, 0, 0.68 * r * tall + 0.4 * high), (*lean, 0.68 * r * tall + high)], 7)
    wood = np.array(choice(rng, ((104, 108, 56), (134, 112, 66), (92, 86, 48)))) * rng.uniform(0.85, 1.1)
    ridges = tx.to_uint8(wood * (0.85 + 0.25 * np.cos(2 * np.pi * 6 * tx.uv_grid(24, 48)[0]))[..., None])
    widths = r * 0.11 * np.array([2.0, 1.5, 1.05, 0.95, 0.9, 0.95, 1.15])
    model.sweep(path, widths, ridges, segments=12, up=(0, 1, 0.1), pieces=2)
    features = ["with a stem", "flat" if tall < 0.68 else ""]
    return model.instance(skin, "round", features)


KIND = Kind(
    name="pumpkin",
    synonyms=("round pumpkin", "ribbed pumpkin"),
    hypernyms=("vegetable", "food"),
    function="cooking and decorating",
    description="a large round heavy gourd with deep upright ribs all around and a thick ridged stem on top",
    longest=(0.065, 0.27),
    sample=sample,
)
