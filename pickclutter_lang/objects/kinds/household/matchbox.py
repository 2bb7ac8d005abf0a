"""Matchboxes: small printed sleeves with dark striking sides and a drawer, closed or partly open with matches."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand, shape_art
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation

FLAME = ((0, -1), (0.45, -0.2), (0.55, 0.4), (0.2, 0.9), (-0.2, 0.9), (-0.55, 0.4), (-0.3, -0.1))


def sample(rng: Rng) -> Instance:
    """Sample a matchbox, lying with its print up, or standing."""
    model = ModelBuilder()
    long = rng.uniform(48, 112)
    wide, thick = long * rng.uniform(0.58, 0.7), long * rng.uniform(0.2, 0.34)
    brand = sample_brand(
        rng,
        ("matches", "safety matches", "match", "50 matches"),
        ("red", "red", "blue", "yellow", "white", "green", "black", "orange"),
        "pcs",
    )
    upright = rng.random() < 0.4
    label = (
        front(rng, brand, long, wide, shape_art("orange", FLAME))
        if not upright
        else np.rot90(front(rng, brand, wide, long, shape_art("orange", FLAME)))
    )
    strike_color = np.array(choice(rng, ((74, 46, 40), (60, 44, 44), (96, 56, 44))))
    striker = tx.to_uint8(
        tx.pixel_noise(strike_color * (1 + 0.08 * tx.grid_noise(rng, (20, 80), 10, 40))[..., None], rng, 12)
    )
    card = finish(rng, "cardboard", "brown", rgb=((206, 184, 150), (232, 226, 212)))
    skin = finish(rng, "cardboard", brand.colors[0])
    opened = rng.random() < 0.45
    pull = long * rng.uniform(0.25, 0.6) if opened else 0.0
    turn = rotation("z", 90) if rng.random() < 0.75 else rotation("z", choice(rng, (0, 90))) @ rotation("x", 90)
    paper = card.image(wide, thick, 48)
    sides = {"top": label, "bottom": label, "front": striker, "back": striker, "left": paper, "right": paper}
    model.box((long, wide, thick), sides, 0.4, turn=turn)
    if opened:
        rim, inner = 1.2, wide * 0.94
        x = long / 2 + pull / 2
        for size, at in (
            ((pull, inner, rim), (x, 0, -thick * 0.44)),
            ((pull, rim, thick * 0.86), (x, inner / 2, 0)),
            ((pull, rim, thick * 0.86), (x, -inner / 2, 0)),
            ((rim, inner, thick * 0.86), (long / 2 + pull, 0, 0)),
        ):
            model.box(size, paper, 0, at=turn @ np.array(at), turn=turn, hull=False)
        tip = plain(tint(rng, choice(rng, ("red", "red", "brown", "green", "blue"))))
        wood = plain((214, 180, 130))
        count, stick = int(wide / 4.2), min(2.0, thick * 0.12)
        for n in range(count):
            y, reach = inner * ((n + 0.5) / count - 0.5) * 0.92, pull * rng.uniform(0.84, 0.95)
            z = thick * rng.uniform(-0.12, 0.1)
            model.box((reach, stick, stick), wood, 0, at=turn @ [long / 2 + reach / 2 - 2, y, z], turn=turn, hull=False)
            model.ball(
                (5, 3.2, 3.2), tip, rows=5, segments=8, at=turn @ [long / 2 + reach - 3, y, z], turn=turn, hull=False
            )
        model.hull(
            [
                (q, a * inner / 2, b * thick * 0.43)
                for q in (long / 2, long / 2 + pull)
                for a in (-1, 1)
                for b in (-1, 1)
            ],
            turn=turn,
        )
    features = ["open" if opened else "closed", "with matches" if opened else "", "with lettering"]
    return model.instance(skin, "rectangular", features, colors=brand.colors, pattern="printed", density=300)


KIND = Kind(
    name="matchbox",
    synonyms=("box of matches", "match box", "matches"),
    hypernyms=("box", "household item"),
    function="lighting fire",
    description="a small flat box of thin card with a printed sleeve, rough dark stripes along its sides and a drawer "
    "with short sticks",
    longest=(0.045, 0.19),
    sample=sample,
)
