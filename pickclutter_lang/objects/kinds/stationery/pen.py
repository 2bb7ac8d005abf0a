"""Pens: capped and push-button ballpoint pens and fountain pens with clips and metal or plastic barrels."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import banded, barrel, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.kinds.writing_tools import clip, lettered

COLORS = words("blue blue black black red green white purple pink orange turquoise yellow grey")
SHINY = ((190, 192, 196), (196, 160, 84), (52, 52, 54))


def sample(rng: Rng) -> Instance:
    """Sample a pen, lying with its point at +y."""
    model = ModelBuilder()
    length, r = rng.uniform(118, 138), rng.uniform(3.8, 5.6)
    metal = rng.random() < 0.3
    skin = finish(rng, "metal" if metal else "plastic", COLORS, wear=0.3)
    shiny = plain(
        choice(rng, SHINY)
        if metal or rng.random() < 0.5
        else tint(rng, choice(rng, ("white", "black", skin.colors[0])))
    )
    form = choice(rng, ("button", "button", "capped", "fountain"))
    ink = (245, 245, 240) if skin.tints[0].mean() < 150 else (40, 40, 60)
    body: Skin = lettered(rng, skin.tints[0], ink, 9) if rng.random() < 0.5 else skin
    if rng.random() < 0.2:
        other = tint(rng, "white" if skin.colors[0] != "white" else "blue")
        body = banded([(0, skin.tints[0]), (0.45, other), (0.52, skin.tints[0])])
    features = {
        "button": ["with a push button", "open"],
        "capped": ["with a cap", "closed"],
        "fountain": ["with a metal nib", "open"],
    }[form]
    if form == "capped":
        back = rng.uniform(0.52, 0.62) * length
        barrel(model, [(0.8 * r, 0), (r, 1.5), (r, back)], body, 0)
        cap: Skin = skin if rng.random() < 0.6 else shiny
        barrel(
            model, [(1.12 * r, 0), (1.16 * r, 1), (1.1 * r, length - back - 3), (0.75 * r, length - back)], cap, back
        )
        clip(model, 1.14 * r, back + 6, length - 6, 3.4, shiny)
    else:
        top = 8.0 if form == "button" else 0.0
        nose = rng.uniform(14, 20)
        barrel(model, [(0.85 * r, 0), (r, 3), (1.04 * r, 0.5 * length), (r, length - nose - top)], body, top)
        clip(model, r, top + rng.uniform(34, 42), top + 3, 3.4, shiny)
        if form == "button":
            barrel(model, [(0.5 * r, 0), (0.55 * r, 1), (0.55 * r, top + 1)], shiny, 0)
            grip = rng.random() < 0.4
            if grip:
                rubber = plain(tint(rng, "black" if skin.colors[0] != "black" else "grey"))
                barrel(model, [(1.1 * r, 0), (1.14 * r, 14), (1.06 * r, 28)], rubber, length - nose - 30, hull=False)
            features += ["with a rubber grip" if grip else ""]
            cone: Skin = shiny if rng.random() < 0.6 else skin
            barrel(
                model,
                [(r, 0), (0.85 * r, 0.4 * nose), (0.35 * r, nose - 3), (0.3 * r, nose - 2.9), (0.18 * r, nose)],
                cone,
                length - nose,
            )
        else:
            barrel(model, [(r, 0), (0.8 * r, 12), (0.85 * r, 14)], plain((34, 34, 36)), length - nose)
            steel = finish(rng, "steel", "grey", rgb=STEEL).painted(choice(rng, SHINY[:2]))
            y = length - nose + np.array([12, 16, 22, 28, 34])
            half = r * np.array([0.75, 0.8, 0.65, 0.3, 0.06])
            model.plate(np.c_[-half, y], np.c_[half, y], 0.1 * r, 0.1 * r + 1, steel, pieces=1)
    return model.instance(skin, "long and thin", [*features, "with a clip"], density=900)


KIND = Kind(
    name="pen",
    synonyms=("writing pen", "ink pen"),
    hypernyms=("writing tool", "stationery"),
    function="writing",
    description="a long, slim tube of plastic or metal with a small clip along one end and a narrow writing tip",
    longest=(0.11, 0.16),
    sample=sample,
)
