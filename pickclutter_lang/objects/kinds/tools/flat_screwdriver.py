"""Flat screwdrivers: grips of plastic or wood, fluted or soft, a round shaft and a flat, widened tip."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.fittings import screwdriver, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain


def sample(rng: Rng) -> Instance:
    """Sample a flat screwdriver, lying with its tip at +y."""
    model = ModelBuilder()
    skin, colors, thin, features = screwdriver(model, rng)
    tip, wide = rng.uniform(10, 18), rng.uniform(1.15, 1.9)
    y = np.array([-0.5, 0.2, 0.45, 0.75, 1]) * tip
    tip_skin: Skin = plain((52, 52, 54)) if rng.random() < 0.5 else steel(rng)
    widths, heights = np.array([1, 1, wide, wide, 0.95 * wide]), np.array([1, 0.9, 0.6, 0.35, 0.2])
    model.sweep(np.c_[0 * y, y, 0 * y], thin * widths, tip_skin, thin * heights, power=4, segments=16, pieces=1)
    blade = choice(rng, ("with a flat tip", "with a flat blade"))
    return model.instance(skin, "long and thin", [*features, blade], colors, density=1400)


KIND = Kind(
    name="flat screwdriver",
    synonyms=("slotted screwdriver", "flathead screwdriver", "flat-blade screwdriver"),
    hypernyms=("screwdriver", "hand tool", "tool"),
    function="turning screws",
    description="a long, straight tool with a thick rounded grip and a thin round metal shaft that ends in a flat, "
    "widened blade",
    longest=(0.09, 0.32),
    sample=sample,
)
