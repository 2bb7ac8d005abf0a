"""Eggplants: glossy, dark purple clubs with a green calyx; some slim, striped or white."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import calyx, leaf_color, lying, stub
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.surfaces import Floats

PURPLES = ((78, 26, 92), (70, 22, 88), (92, 36, 104), (108, 46, 128))


def sample(rng: Rng) -> Instance:
    """Sample an eggplant, lying."""
    model = ModelBuilder()
    sort = choice(rng, (*("plain",) * 7, "striped", "white"))
    word = "white" if sort == "white" else "purple"
    skin = finish(
        rng,
        "food",
        word,
        rgb=(PURPLES[3:] if sort == "striped" else PURPLES) if word == "purple" else ((232, 226, 204),),
    )
    color = skin.tints[0]
    slim = rng.uniform(1.25, 2.6)
    r = min(rng.uniform(75, 125) / slim, 55)
    waist = rng.uniform(0.5, 0.75)
    outline = [
        (0, -1),
        (0.3, -0.98),
        (0.74, -0.82),
        (1, -0.42),
        (0.94, 0.0),
        (waist + 0.1, 0.4),
        (waist, 0.72),
        (waist * 0.8, 0.93),
        (0.2, 1),
        (0, 1),
    ]
    length, curve = r * slim, rng.uniform(0, 0.22)

    def bend(points: Floats) -> Floats:
        return np.asarray(points + (points[:, 2:] / length) ** 2 * [curve * length, 0, 0])

    image = peel(
        rng,
        color,
        tone=0.08,
        streaks=((220, 196, 216), 0.3) if sort == "striped" else None,
        top=(color * 0.8 + 40, 0.12),
        spots=(color * 0.8 + 30, rng.uniform(0, 0.006)),
    )
    turn = lying(rng)
    model.lathe(smooth(outline, 26) * [r, length], image, bend=bend, turn=turn, pieces=3)
    foot, green = np.array([curve * length, 0, length * 1.01]), leaf_color(rng, rng.uniform(0.75, 1.05))
    calyx(
        model,
        rng,
        foot,
        r * waist * rng.uniform(1.1, 1.6),
        int(rng.integers(5, 7)),
        green,
        turn,
        rise=0.35,
        droop=0.75,
        width=0.3,
    )
    stub(model, rng, foot, rng.uniform(0.3, 0.6) * r + 6, 0.07 * r + 2.2, green * 0.95, turn)
    pattern = "striped" if sort == "striped" else "plain"
    colors = ("purple", "white") if sort == "striped" else (word, "green")
    return model.instance(
        skin, "tapered", ["with a green stem", "slim" if slim > 2.1 else "plump"], colors=colors, pattern=pattern
    )


KIND = Kind(
    name="eggplant",
    synonyms=("aubergine", "brinjal"),
    hypernyms=("vegetable", "food"),
    function="cooking",
    description="a large glossy vegetable, mostly dark purple, thicker at one end, with a green pointed cap",
    longest=(0.12, 0.3),
    sample=sample,
)
