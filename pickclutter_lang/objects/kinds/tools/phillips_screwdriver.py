"""Phillips screwdrivers: grips of plastic or wood, fluted or soft, a round shaft and a cross-shaped tip."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice
from pickclutter_lang.objects.kinds.fittings import screwdriver
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain


def sample(rng: Rng) -> Instance:
    """Sample a Phillips screwdriver, lying with its tip at +y."""
    model = ModelBuilder()
    skin, colors, thin, features = screwdriver(model, rng)
    tip = rng.uniform(7, 12)
    y = np.array([-0.5, 0.25 * tip, 0.5 * tip, 0.9 * tip, tip])
    dark = plain(choice(rng, ((44, 44, 46), (70, 70, 72), (150, 152, 156))))
    widths = thin * np.array([1.05, 1.05, 0.95, 0.4, 0.15])
    model.sweep(np.c_[0 * y, y, 0 * y], widths, dark, power=0.85, segments=16, pieces=1)
    return model.instance(skin, "long and thin", [*features, "with a cross-shaped tip"], colors, density=1400)


KIND = Kind(
    name="phillips screwdriver",
    synonyms=("cross-head screwdriver", "crosshead screwdriver", "cross-point screwdriver"),
    hypernyms=("screwdriver", "hand tool", "tool"),
    function="turning screws",
    description="a long, straight tool with a thick rounded grip and a thin round metal shaft that ends in a small "
    "cross-shaped point",
    longest=(0.09, 0.3),
    sample=sample,
)
