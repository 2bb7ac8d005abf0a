"""Table tennis bats: round blades with red, black or other rubbers, and a short wooden handle."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth

RUBBERS = ("red", "red", "red", "red", "black", "black", "blue", "green", "pink", "orange")


def sample(rng: Rng) -> Instance:
    """Sample a table tennis bat, lying with its blade at +y."""
    model = ModelBuilder()
    wide, long = rng.uniform(118, 155), rng.uniform(0.98, 1.12)
    upper = choice(rng, RUBBERS)
    lower = "black" if upper != "black" else choice(rng, ("red", "red", "blue", "green"))
    upper_skin, lower_skin = (finish(rng, "rubber", word, wear=0.6) for word in (upper, lower))
    wood = finish(rng, "wood", "brown", rgb=(WOODS[2], WOODS[0]))
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    r = wide / 2
    edge = np.c_[np.cos(angle) * r, np.sin(angle) * r * long]
    neck = np.clip((-edge[:, 1] / (r * long) - 0.75) / 0.25, 0, 1)
    edge[:, 0] *= 1 + 0.25 * neck
    model.prism(edge, -3, 3, wood)
    cut = edge[:, 1] > -r * long * rng.uniform(0.7, 0.8)
    rubber = edge[cut] * 0.985
    model.prism(rubber, 3, 5.5, upper_skin, hull=False)
    model.prism(rubber, -5.5, -3, lower_skin, hull=False)
    model.hull([(x, y, z) for x, y in rubber for z in (-5.5, 5.5)])
    reach = rng.uniform(88, 104)
    t = np.linspace(0, 1, 10)
    start = -r * long * 0.86
    form = smooth([(0.8,), (0.82,), (0.9,), (choice(rng, (0.9, 1.15)),), (1.1,)], 10)[:, 0]
    word = choice(rng, ("brown", "brown", "brown", "black", "red", "blue"))
    grip = finish(rng, "wood", word, rgb=WOODS if word == "brown" else (), wear=0.5)
    model.sweep(np.c_[0 * t, start - t * reach, 0 * t], 14.5 * form, grip, 11.5 * form, power=2.8, pieces=1)
    if rng.random() < 0.5:
        model.sweep(
            [(0, start - reach * 0.08, 0), (0, start - reach * 0.2, 0)],
            12.6,
            wood.painted(tint(rng, upper)),
            10.4,
            hull=False,
        )
    model_turned = [f"with a {word} handle", "with two different sides"]
    return model.instance(
        upper_skin, "flat and round", model_turned, colors=(upper, lower, word), density=450, material="rubber"
    )


KIND = Kind(
    name="table tennis bat",
    synonyms=("ping pong paddle", "table tennis paddle", "table tennis racket", "ping pong bat"),
    hypernyms=("sports equipment",),
    function="playing table tennis",
    description="a flat round wooden blade covered with red rubber on one side and black on the other, with a "
    "short straight handle",
    longest=(0.2, 0.29),
    sample=sample,
)
