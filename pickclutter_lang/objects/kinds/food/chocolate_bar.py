"""Chocolate bars: bare, with a grid of pieces, in a printed wrapper, or half unwrapped."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import facts, front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.geometry import box_corners
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

SORTS = {"brown": ((100, 60, 36), (118, 70, 42), (82, 50, 34)), "white": ((240, 226, 186),)}
PRODUCTS = ("chocolate", "milk chocolate", "dark chocolate", "choco", "cocoa", "hazelnut", "caramel", "nut chocolate")
SILVER = ((196, 198, 204), (208, 176, 90))


def sample(rng: Rng) -> Instance:
    """Sample a chocolate bar, lying, its length along y."""
    model = ModelBuilder()
    word = choice(rng, ("brown", "brown", "brown", "brown", "white"))
    skin = finish(rng, "food", word, rgb=SORTS[word])
    length, thin = rng.uniform(95, 175), rng.uniform(7, 12)
    wide = length * rng.uniform(0.28, 0.5)
    state = choice(rng, ("bare", "bare", "wrapped", "half"))
    bare = {"bare": 1.0, "wrapped": 0.0, "half": rng.uniform(0.25, 0.45)}[state]
    if state != "wrapped":
        blocks(model, rng, skin.tints[0], (wide, bare * length, thin), 0.5 * (1 - bare) * length)
    if state == "bare":
        return model.instance(skin, "flat rectangular", ["without a wrapper", "with square pieces"])
    brand = sample_brand(rng, PRODUCTS)
    part = length * (1 - bare)
    across = [image.swapaxes(0, 1)[::-1] for image in (front(rng, brand, part, wide), facts(rng, brand, part, wide))]
    paper = finish(rng, "paper", brand.colors[0], wear=0).painted(brand.background)
    sides: dict[str, Skin] = {"top": across[0], "bottom": across[1]}
    sides |= dict.fromkeys(("left", "right", "front", "back"), paper)
    high = thin + 1.6
    model.box((wide + 1.6, part, high), sides, 1.5, at=(0, (part - length) / 2, high / 2 - 0.5))
    foil = plain(choice(rng, SILVER))
    if state == "half":
        t = np.linspace(0, 1, 9)
        torn = np.c_[(t - 0.5) * (wide + 1.4), np.full(9, 0.0)]
        ragged = torn + np.c_[np.zeros(9), rng.uniform(3, 9, 9)]
        at = (0, part - length / 2, 0)
        model.plate(ragged, torn, -0.4, high - 0.3, foil, at=at, hull=False)
    shown = (brand.colors[0], word) if state == "half" else brand.colors
    features = ["half unwrapped", "with square pieces"] if state == "half" else ["with a printed wrapper"]
    return model.instance(paper, "flat rectangular", features, colors=shown, pattern="printed", density=1000)


def blocks(model: ModelBuilder, rng: Rng, color: Floats, size: tuple[float, float, float], middle: float) -> None:
    """Add a slab and a grid of pieces with slanting sides on it; `middle` is the place of its center along y."""
    wide, length, thin = size
    base = 0.45 * thin
    image = peel(rng, color, tone=0.04, patches=(color * 0.93, 0.3), texels=(40, 40))
    dark = peel(rng, color * 0.86, tone=0.04, texels=(40, 40))
    model.box((wide, length, base), dark, 1.0, at=(0, middle, base / 2), hull=False)
    model.hull(box_corners((-wide / 2, middle - length / 2, 0), (wide / 2, middle + length / 2, thin)))
    cols = int(rng.integers(2, 5))
    rows = max(2, round(length / wide * cols * rng.uniform(0.7, 1.1)))
    half = np.array([wide / cols, length / rows]) * 0.46 * np.sqrt(2)
    stretch = lambda points: points @ rotation("z", 45).T * [*half, 1]  # noqa: E731
    for x in (np.arange(cols) + 0.5) * wide / cols - wide / 2:
        for y in (np.arange(rows) + 0.5) * length / rows - length / 2 + middle:
            model.lathe(
                [(1, -0.2), (0.78, thin - base), (0, thin - base)], image, 4, bend=stretch, at=(x, y, base), hull=False
            )


KIND = Kind(
    name="chocolate bar",
    synonyms=("bar of chocolate", "chocolate", "chocolate tablet"),
    hypernyms=("candy", "sweet", "food"),
    function="eating as a treat",
    description="a flat rectangular brown slab marked into small square pieces, often in a colorful printed wrapper",
    longest=(0.09, 0.18),
    sample=sample,
)
