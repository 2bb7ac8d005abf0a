"""Juice boxes: small drink bricks with a fruit on the front and a bent straw on top or on the back."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import fruit_art, likely
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import carton, front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth

FRUITS = {"orange": "orange", "apple": "green", "grape": "purple", "cherry": "red", "mango": "yellow", "peach": "pink"}
COLORS = likely(orange=2, green=2, yellow=1, red=1, purple=1, pink=1, blue=1, turquoise=1, white=1)


def sample(rng: Rng) -> Instance:
    """Sample a juice box, standing."""
    model = ModelBuilder()
    height = rng.uniform(85, 130)
    size = (height * rng.uniform(0.32, 0.42), height * rng.uniform(0.45, 0.6), height)
    fruit = choice(rng, tuple(FRUITS))
    brand = sample_brand(rng, (f"{fruit} juice", f"{fruit} drink", fruit), COLORS, "ml")
    art = fruit_art(FRUITS[fruit], int(rng.integers(1, 4)), rng.random() < 0.7)
    faces = carton(rng, brand, size, art) | {"back": front(rng, brand, size[0], height, art)}
    silver = rng.random() < 0.4
    model.box(size, faces | {"top": plain((196, 198, 202))} if silver else faces, rounding=1.5)
    top, straw = height / 2, choice(rng, ("stuck in", "stuck in", "on the back", "none"))
    color = plain(tint(rng, choice(rng, ("white", "white", "yellow", "red", "green", "blue"))))
    x, y = size[0] * rng.uniform(-0.2, 0.2), size[1] * rng.uniform(0.2, 0.36) * choice(rng, (-1, 1))
    foil = np.array([(-4, -4), (4, -4), (4, 4), (-4, 4)]) + np.array([x, y])
    model.prism(foil, top, top + 0.3, plain((208, 210, 214)), hull=False)
    if straw == "stuck in":
        tall, bend = rng.uniform(22, 42), np.sign(y) * -rng.uniform(8, 20)
        lean = rng.uniform(-3, 3)
        bent = [(x + lean, y + 0.2 * bend, top + tall), (x + lean, y + bend, top + tall * 1.1)]
        path = smooth([(x, y, top - 2), (x + lean, y, top + 0.7 * tall), *bent], 9)
        model.sweep(path, 2.2, color, segments=8, up=(1, 0, 0), pieces=2)
    elif straw == "on the back":
        z = height * rng.uniform(0.3, 0.4)
        path = np.array([(-size[0] / 2 - 1.5, -0.2 * size[1], -z), (-size[0] / 2 - 1.5, 0.15 * size[1], z)])
        model.sweep(path, 2.0, color, segments=8, up=(1, 0, 0), pieces=1)
    words = {"stuck in": "with a bent straw", "on the back": "with a straw on the back", "none": "without a straw"}
    skin = finish(rng, "cardboard", brand.colors[0])
    features = [words[straw], "with lettering"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=900)


KIND = Kind(
    name="juice box",
    synonyms=("juice carton", "drink box", "box of juice", "juice pack"),
    hypernyms=("drink", "container", "package"),
    function="drinking juice",
    description="a small cardboard pack that fits in a child's hand, printed with bright fruit, with a thin bent "
    "tube to drink from at its top or back",
    longest=(0.08, 0.19),
    sample=sample,
)
