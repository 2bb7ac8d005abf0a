"""Wine glasses: thin bowls from flutes to balloons on a stem with a flat round foot, some with wine."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely
from pickclutter_lang.objects.kinds.dishes import glass, pour
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

WINES = {"red": (104, 14, 30), "white": (226, 212, 140), "pink": (232, 140, 130)}
FORMS = {  # widest radius over height of the bowl, where it is widest, radius of the rim over the widest
    "flute": (0.2, 0.5, 0.86),
    "tulip": (0.36, 0.35, 0.8),
    "balloon": (0.5, 0.42, 0.76),
    "cup": (0.62, 0.95, 1.0),
}


def sample(rng: Rng) -> Instance:
    """Sample a wine glass, standing."""
    model = ModelBuilder()
    skin = glass(rng)
    form = choice(rng, likely(flute=2, tulip=4, balloon=4, cup=1))
    wide, at, rim = FORMS[form]
    total = rng.uniform(130, 210)
    bowl = total * rng.uniform(0.44, 0.55)
    r = bowl * wide * rng.uniform(0.9, 1.12)
    up = total - bowl
    outer = smooth([(4.5, 0), (0.72 * r, 0.12 * bowl), (r, at * bowl), (r * rim, bowl)], 11)
    wall = rng.uniform(2.5, 3.2)
    tone = np.asarray(skin.tints[0])
    model.vessel(outer, wall, skin, skin.painted(tone * 0.88), 2.5, at=(0, 0, up), wedges=7)
    foot, thin = r * rng.uniform(0.8, 1.0) + 6, rng.uniform(2.6, 4.2)
    colored = rng.random() < 0.15
    leg = finish(rng, "glass", choice(rng, ("green", "blue", "red", "black"))) if colored else skin
    stem = smooth([(foot, 1.2), (foot * 0.5, 3.5), (thin * 1.3, 9), (thin, 0.5 * up), (thin * 1.2, up - 2)], 14)
    model.lathe([(0, 0), (foot, 0), *stem, (4.5, up + 1), (0, up + 1)], leg, segments=20, pieces=3)
    wine = choice(rng, ("", "", *WINES))
    if wine:
        level = bowl * rng.uniform(0.3, 0.6)
        color = np.array(WINES[wine]) * rng.uniform(0.9, 1.1)
        pour(model, outer, wall, 2.5, level, color, tone, up)
    words = f"with {wine} wine in it".replace("pink", "rose") if wine else "empty"
    features = [words, "with a colored stem" if colored else "with a stem"]
    return model.instance(skin, "goblet", [*features, "tall and narrow" if form == "flute" else ""], density=1200)


KIND = Kind(
    name="wine glass",
    synonyms=("wineglass", "stemmed glass", "glass for wine"),
    hypernyms=("cup", "tableware"),
    function="drinking wine",
    description="a thin, see-through rounded vessel, open at the top, on a long slender stem with a flat round foot",
    longest=(0.125, 0.215),
    sample=sample,
)
