"""Salt shakers: small bodies of glass, ceramic, steel or wood with a domed top that has holes."""

import numpy as np

from pickclutter_lang.objects.kinds.bottles import add_label
from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import glass
from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle


def sample(rng: Rng) -> Instance:
    """Sample a salt shaker, standing."""
    model = ModelBuilder()
    material = choice(rng, likely(glass=7, ceramic=4, steel=2, wood=1, plastic=1))
    if material == "glass":
        skin = glass(rng).painted(np.array((224, 226, 226)) * rng.uniform(0.94, 1.04))
        colors: tuple[str, ...] = ("white", "grey")
    else:
        whites = likely(white=6, red=1, blue=1, green=1, black=1)
        skin = {
            "ceramic": finish(rng, "ceramic", whites, ("plain", "plain", "floral")),
            "steel": finish(rng, "steel", "grey", rgb=STEEL),
        }.get(material) or finish(
            rng, material, "brown" if material == "wood" else whites, rgb=WOODS if material == "wood" else ()
        )
        colors = skin.colors
    r = rng.uniform(16, 23)
    h, neck = r * rng.uniform(2.5, 4.0), r * rng.uniform(0.62, 0.95)
    belly = rng.uniform(0.08, 0.5)
    wall = smooth([(r * rng.uniform(0.82, 1), 0), (r, belly * h), (neck * 1.1, 0.68 * h), (neck, 0.76 * h)], 12)
    segments = choice(rng, (28, 28, 28, 8, 10)) if material == "glass" else 28
    grains = peel(rng, skin.tints[0], 0.02, top=((166, 176, 178), rng.uniform(0.05, 0.6)))
    image = grains if material == "glass" else skin
    model.lathe([(0, 0), *wall, (0, 0.76 * h)], image, segments=segments, pieces=2)
    metal = material in ("glass", "steel", "plastic") or rng.random() < 0.4
    top = skin.painted(np.array(choice(rng, STEEL))) if metal else skin.solid()
    rim = neck * 1.06
    dome = smooth([(rim, 0.86 * h), (rim * 0.85, 0.95 * h), (rim * 0.4, h), (0, h)], 9)
    model.lathe([(0, 0.75 * h), (rim, 0.75 * h), *dome], top, segments=24, pieces=1)
    hole = top.painted((26, 26, 28))
    for n, place in enumerate(np.r_[circle(0.42 * rim, int(rng.integers(4, 8))), [[0, 0]]]):
        z = float(np.interp(-np.hypot(*place), -dome[:, 0], dome[:, 1]))
        model.prism(circle(max(1.2, 0.07 * rim), 8) + place, z - 1, z + 0.5, hole, hull=n < 0)
    letter = material != "glass" and rng.random() < 0.4
    if letter:
        add_label(model, wall, _letter(skin.tints[0]), wall[5, 1] - 0.3 * r, wall[5, 1] + 0.5 * r, 0.45)
    features = ["with holes in its top", "with a metal top" if metal else "", "with a letter s" if letter else ""]
    return model.instance(skin, "cylindrical", features, colors=colors, density=900)


def _letter(color: Floats) -> TextureImage:
    image, _ = tx.canvas((40, 40), [*np.clip(color, 0, 255)])
    ink = (30, 30, 32) if float(color.mean()) > 120 else (240, 240, 236)
    tx.draw_text(image, "S", (20, 20), 30, ink)
    return np.asarray(image)


KIND = Kind(
    name="salt shaker",
    synonyms=("salt cellar", "shaker of salt", "salt pot"),
    hypernyms=("tableware", "container"),
    function="sprinkling salt",
    description="a small upright vessel as tall as a thumb, often clear with white grains, with a rounded metal top "
    "that has several small holes",
    longest=(0.035, 0.1),
    sample=sample,
)
