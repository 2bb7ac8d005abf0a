"""Toy bricks: plastic building bricks and plates with rows of round studs, of many sizes."""

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.palettes import TOYS
from pickclutter_lang.objects.procedural.surfaces import rotation

COUNTS = {1: "one", 2: "two", 3: "three", 4: "four", 6: "six", 8: "eight"}


def sample(rng: Rng) -> Instance:
    """Sample a toy brick, its studs up or to a side."""
    model = ModelBuilder()
    word = choice(rng, (*TOYS, "black", "grey", "brown"))
    skin = finish(rng, "plastic", word, wear=0.4)
    columns, rows = choice(rng, ((2, 4), (2, 4), (2, 2), (2, 3), (1, 2), (1, 4), (2, 6), (1, 1), (2, 8), (4, 4)))
    unit = rng.uniform(10, 20) if columns * rows < 12 else rng.uniform(8, 14)
    high = unit * choice(rng, (1.2, 1.2, 1.2, 0.4, 0.7))
    turn = rotation("y", choice(rng, (0, 0, 0, 90))) @ rotation("z", 90 * rng.integers(2))
    size = (columns * unit - 0.2, rows * unit - 0.2, high)
    model.box(size, skin, 0.035 * unit, turn=turn)
    stud, tall = unit * rng.uniform(0.29, 0.32), unit * rng.uniform(0.2, 0.24)
    profile = [(stud, 0), (stud, tall * 0.88), (stud * 0.92, tall), (0, tall)]
    bright = skin.solid(1.06)
    for a in range(columns):
        for b in range(rows):
            at = turn @ [(a - (columns - 1) / 2) * unit, (b - (rows - 1) / 2) * unit, high / 2]
            model.lathe(profile, bright, 14, at=at, turn=turn, hull=False)
    edge = [s / 2 - 0.2 * unit for s in size[:2]]
    model.hull(
        [(sx * edge[0], sy * edge[1], z) for sx in (-1, 1) for sy in (-1, 1) for z in (0, high / 2 + tall)], turn=turn
    )
    features = [
        f"with {COUNTS.get(columns * rows, 'many')} stud{'s' if columns * rows > 1 else ''}",
        "flat" if high < unit else "",
    ]
    return model.instance(skin, "rectangular", features, density=400)


KIND = Kind(
    name="toy brick",
    synonyms=("building brick", "plastic brick", "toy building block", "interlocking brick"),
    hypernyms=("building toy", "toy"),
    function="building",
    description="a small plastic block in one bright color with straight sides and rows of short round studs on top",
    longest=(0.01, 0.17),
    sample=sample,
)
