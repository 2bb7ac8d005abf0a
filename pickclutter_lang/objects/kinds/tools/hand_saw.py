"""Hand saws: tapered blades with teeth, and looped handles of wood or plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, finish, tint
from pickclutter_lang.objects.kinds.fittings import TOOL_COLORS, disc, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth


def sample(rng: Rng) -> Instance:
    """Sample a hand saw, lying with its teeth towards +x and its handle at -y."""
    model = ModelBuilder()
    length = rng.uniform(150, 205)
    heel, toe = length * rng.uniform(0.28, 0.36), length * rng.uniform(0.1, 0.2)
    metal = steel(rng, (*STEEL, (196, 198, 202)), wear=0.8)
    teeth = int(rng.integers(20, 30))
    y = np.linspace(0, length, 2 * teeth + 1)
    depth = length / teeth * 0.8
    front = np.where(np.arange(2 * teeth + 1) % 2, depth, 0)
    back = np.interp(y / length, [0, 0.75, 1], [heel, heel + (toe - heel) * 0.7, toe])
    model.plate(np.c_[-back, y], np.c_[front, y], -0.8, 0.8, metal, pieces=1)
    wooden = rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.5, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    tall, deep, thick = heel * rng.uniform(1.15, 1.4), heel * rng.uniform(0.85, 1.05), rng.uniform(9, 12)
    loop = [
        (-0.1, 0),
        (-0.05, -0.55),
        (0.08, -0.95),
        (-0.2, -1.1),
        (-0.62, -1.0),
        (-0.95, -0.75),
        (-1.0, -0.25),
        (-0.85, 0.1),
    ]
    corners = np.array([*loop, (-0.45, 0.16), (-0.1, 0)]) * [tall, deep] + [0.1 * tall, -0.1 * deep]
    path = np.c_[smooth(corners, 28), np.zeros(28)]
    path[-1] = path[0]
    model.sweep(path, heel * rng.uniform(0.15, 0.19), skin, thick, power=3, segments=12, closed=True, pieces=6)
    cheek = [(0.05, -0.25), (-0.05, 0.35), (-0.35, 0.5), (-0.8, 0.3), (-0.85, -0.25)]
    model.prism(np.array(cheek) * [tall, deep], -0.8 * thick, 0.8 * thick, skin)
    bolts = plain(tint(rng, "grey", 2) if rng.random() < 0.6 else (190, 150, 70))
    for n in range(int(rng.integers(2, 4))):
        disc(model, 0.07 * heel, -0.9 * thick, 0.9 * thick, bolts, at=(-tall * (0.15 + 0.22 * n), 0.12 * deep, 0))
    features = ["with a wooden handle" if wooden else "with a plastic handle", "with teeth"]
    return model.instance(metal, "long and flat", features, colors=(*skin.colors, *metal.colors), density=900)


KIND = Kind(
    name="hand saw",
    synonyms=("handsaw", "wood saw", "carpenter's saw"),
    hypernyms=("saw", "hand tool", "tool"),
    function="sawing wood",
    description="a long, thin, tapered metal blade with a row of sharp teeth along one edge and a large looped grip at "
    "the wider end",
    longest=(0.19, 0.32),
    sample=sample,
)
