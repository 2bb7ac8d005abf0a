"""Coffee cans: printed tins or cardboard tubes, most with a plastic lid on top."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import TIN, cap_color, cup_art, likely, printed_colors, tin
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import bowl_art, pile_art, sample_brand, wrap
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.skins import ribbed

PRODUCTS = ("coffee", "ground coffee", "dark roast", "espresso", "house blend", "medium roast", "decaf", "cafe")
COLORS = likely(blue=4, red=3, green=1, yellow=1, brown=1, black=1, white=1, orange=1, turquoise=1, purple=1)


def sample(rng: Rng) -> Instance:
    """Sample a coffee can, standing."""
    model = ModelBuilder()
    r = rng.uniform(34, 51)
    h = r * rng.uniform(2.3, 3.1)
    brand = sample_brand(rng, PRODUCTS, COLORS)
    art = choice(rng, (cup_art, cup_art, bowl_art("white", "brown"), pile_art("brown", 18, 0.65)))
    image = wrap(rng, brand, 2 * np.pi * r, h - 6, art)
    lid = rng.random() < 0.7
    tin(model, rng, r, h, image, np.array(TIN) * rng.uniform(0.75, 1.05))
    if lid:
        _, color = cap_color(rng, ("white", "white", "grey", "black", "brown", "red", "blue", "yellow"))
        edge, deep = r + 2.2, rng.uniform(8, 13)
        profile = [(r, h - deep), (edge, h - deep), (edge, h + 0.4), (edge - 1.5, h + 2)]
        ribs = ribbed(color, 60, rng.uniform(0, 0.2), 0.0, deep / (deep + edge))
        model.lathe([*profile, (r * 0.84, h + 2), (r * 0.82, h + 0.6), (0, h + 0.6)], ribs, pieces=1)
        model.lathe([(r * 0.84, h + 2.1), (r * 0.8, h + 0.9), (0, h + 0.9)], plain(color * 0.9), hull=False)
    skin = finish(rng, "metal", brand.colors[0])
    features = ["with a plastic lid" if lid else "without a plastic lid", "closed", "with lettering"]
    colors = printed_colors(brand, image)
    return model.instance(skin, "cylindrical", features, colors=colors, pattern="printed", density=500)


KIND = Kind(
    name="master chef can",
    synonyms=("coffee can", "coffee tin", "can of coffee", "can of ground coffee"),
    hypernyms=("can", "container", "package"),
    function="keeping ground coffee",
    description="a wide metal cylinder as large as a hand, with a wraparound print of a coffee drink or beans, a "
    "brand name, raised rims, and a flat lid",
    longest=(0.075, 0.165),
    sample=sample,
)
