"""Chisels: flat steel blades with a beveled edge, on turned wooden or molded plastic handles."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, finish, tint
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, BRASS, TOOL_COLORS, banded, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth


def sample(rng: Rng) -> Instance:
    """Sample a chisel, lying with its edge at +y."""
    model = ModelBuilder()
    grip, blade = rng.uniform(95, 130), rng.uniform(75, 125)
    r, wide = grip * rng.uniform(0.115, 0.145), rng.uniform(5, 17)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    image: Skin = skin
    colors = (*skin.colors, "grey")
    if not wooden and rng.random() < 0.6:
        second = "black" if skin.colors[0] != "black" else "yellow"
        other, colors = tint(rng, second), (skin.colors[0], second, "grey")
        image = banded([(0, other), (rng.uniform(0.15, 0.3), skin.tints[0]), (rng.uniform(0.7, 0.85), other)])
    form = [(0.85, 0), (1.0, 0.08), (0.98, 0.3), (rng.uniform(0.75, 0.95), 0.6), (1.0, 0.78), (0.62, 0.95), (0.58, 1)]
    profile = [(0, 0), *(smooth(form, 18) * [r, grip]), (0, grip)]
    model.lathe(profile, image, segments=20, pieces=2, at=(0, -grip, 0), turn=ALONG_Y)
    metal = steel(rng)
    hoop = plain(BRASS if wooden and rng.random() < 0.6 else (160, 162, 166))
    ferrule = [(0, 0), (0.68 * r, 0), (0.6 * r, 11), (0, 11)]
    model.lathe(ferrule, hoop, segments=16, pieces=1, at=(0, -6, 0), turn=ALONG_Y)
    capped = rng.random() < 0.5
    if capped:
        cap = [(0, 0), (0.8 * r, 0), (1.02 * r, 3), (1.02 * r, 8), (0, 8)]
        model.lathe(cap, hoop, segments=16, pieces=1, at=(0, -grip - 4, 0), turn=ALONG_Y)
    y = np.array([0, 0.12, 0.25, 0.32, 0.9, 0.91, 1]) * blade + 4
    half = np.interp(y / blade, [0, 0.2, 0.34, 1], [0.3 * r, 0.28 * r, wide, wide])
    high = np.array([2.6, 2.5, 2.0, 1.8, 1.5, 1.4, -1.1])
    model.plate(np.c_[-half, y], np.c_[half, y], np.full(7, -1.6), high, metal, pieces=2)
    edge = y[4:] + 0.2
    model.plate(
        np.c_[-half[4:], edge],
        np.c_[half[4:], edge],
        np.full(3, -1.5),
        high[4:] + 0.15,
        plain((214, 216, 220)),
        hull=False,
    )
    features = [
        "with a wooden handle" if wooden else "with a plastic handle",
        "with a wide blade" if wide > 12 else "with a narrow blade" if wide < 8 else "",
        "with a metal cap" if capped else "",
    ]
    return model.instance(skin, "long and thin", features, colors=colors, density=1500)


KIND = Kind(
    name="chisel",
    synonyms=("wood chisel", "carpenter's chisel", "bevel-edge chisel"),
    hypernyms=("hand tool", "tool"),
    function="carving wood",
    description="a straight tool with a thick, rounded grip and a long, flat steel blade with a square, "
    "sloping sharp edge",
    longest=(0.16, 0.27),
    sample=sample,
)
