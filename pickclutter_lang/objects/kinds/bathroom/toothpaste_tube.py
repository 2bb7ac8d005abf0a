"""Toothpaste tubes: round at the cap, flat at the crimped end, printed, full or squeezed, lying or on the cap."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.kinds.skins import ribbed
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

PRODUCTS = ("toothpaste", "dental cream", "fresh mint", "whitening", "fluoride", "herbal", "gum care", "kids mint")
GROUNDS = ("white",) * 6 + ("blue", "red", "green", "turquoise", "pink", "purple")


def sample(rng: Rng) -> Instance:
    """Sample a toothpaste tube, lying along y with its print up, or standing on its cap."""
    model = ModelBuilder()
    length, wide = rng.uniform(115, 200), rng.uniform(38, 58)
    r, cap = wide / np.pi * rng.uniform(1.0, 1.12), rng.uniform(14, 24)
    brand = sample_brand(rng, PRODUCTS, GROUNDS, "ml")
    label = np.rot90(front(rng, brand, length * 0.86, wide, texels=200), int(choice(rng, (1, 3))))
    rows, cols = label.shape[:2]
    image = np.broadcast_to(np.clip(brand.background, 0, 255).astype(np.uint8), (rows, 2 * cols, 3)).copy()
    # u = 0.25 faces +y before the tube is turned; the print is on both sides.
    for u in (0.25, 0.75):
        start = round((u - 0.25) * 2 * cols)
        image[:, start : start + cols] = label
    used = rng.beta(1, 1.6)
    squeeze = rng.uniform(0.3, 0.7)

    def flatten(points: Floats) -> Floats:
        t = np.clip(points[:, 2] / length, 0, 1)
        flat = t ** (1.2 - 0.7 * used)
        across = 1 + (wide / 2 / r - 1) * t
        deep = np.maximum(1 - flat, 0.035) * (1 - 0.5 * used * np.exp(-(((t - squeeze) / 0.2) ** 2)))
        return np.asarray(points * np.stack([across, deep, np.ones(len(points))], -1))

    neck = r * rng.uniform(0.4, 0.6)
    turn = rotation("z", 180) @ rotation("x", 90)
    standing = rng.random() < 0.2
    if standing:
        turn = rotation("x", 180) @ rotation("z", 90)
    body = [(r, 0), *((r, length * f) for f in np.linspace(0.1, 0.94, 9)), (r, length)]
    model.lathe(body, image, 28, bend=flatten, turn=turn, hull=False)
    ring = np.linspace(0, 2 * np.pi, 13)[:-1]
    for low, high in ((0.0, 0.3), (0.3, 0.65), (0.65, 1.0)):
        points = [(r * np.cos(a), r * np.sin(a), length * z) for z in (low, high) for a in ring]
        model.hull(flatten(np.array(points)), turn=turn)
    skin = finish(rng, "plastic", brand.colors[0])
    model.lathe([(neck, -5), (r * 0.9, -2.5), (r, 0)], skin.solid(0.96), turn=turn, pieces=1)
    cap_word = choice(rng, ("white", "white", *brand.colors))
    color = tint(rng, cap_word)
    outer = neck * rng.uniform(1.05, 1.6)
    edge = smooth([(outer * 0.86, -4 - cap), (outer * 0.92, -4 - 0.5 * cap), (outer, -4.5)], 4)
    model.lathe([(0, -4 - cap), *edge], ribbed(color, 18), 20, 1, turn=turn)
    model.lathe([(outer, -4.5), (neck * 0.9, -4.4)], plain(color), 20, turn=turn, hull=False)
    features = [
        "squeezed" if used > 0.5 else "",
        "standing on its cap" if standing else "lying",
        "closed",
        "with lettering",
    ]
    return model.instance(skin, "long and flat", features, colors=brand.colors, pattern="printed", density=900)


KIND = Kind(
    name="toothpaste tube",
    synonyms=("toothpaste", "tube of toothpaste", "dentifrice"),
    hypernyms=("bathroom item", "package"),
    function="brushing teeth",
    description="a soft printed plastic tube that is round at its cap and flat and wide at its sealed end",
    longest=(0.125, 0.23),
    sample=sample,
)
