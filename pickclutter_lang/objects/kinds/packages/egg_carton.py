"""Egg cartons: trays of pulp with a cup for each egg; closed with a label, or open with eggs in them."""

import numpy as np

from pickclutter_lang.objects.kinds.containers import likely, loft
from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import front, sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural.surfaces import Floats, circle

PULP = {"grey": ((150, 150, 146), (136, 138, 138), (164, 162, 156)), "brown": ((140, 106, 74), (126, 92, 62))}
COUNTS = {6: "six", 8: "eight", 10: "ten", 12: "twelve"}
LABELS = likely(white=2, yellow=3, green=3, red=2, blue=2, orange=1)


def sample(rng: Rng) -> Instance:
    """Sample an egg carton, standing; its rows run along y."""
    model = ModelBuilder()
    rows = choice(rng, (3, 3, 4, 5, 6))
    word = choice(rng, likely(grey=5, brown=3, green=1, blue=1, pink=1, yellow=1, white=1))
    skin = finish(rng, "cardboard", word, wear=0.4, rgb=PULP.get(word, ()))
    pitch, deep = rng.uniform(35, 42) if rows < 5 else rng.uniform(31, 36), rng.uniform(24, 30)
    centers = np.array([(a * pitch / 2, (b - (rows - 1) / 2) * pitch) for a in (-1, 1) for b in range(rows)])
    cup = [(0, 0), (pitch * 0.27, 0), (pitch * 0.34, 0.2 * deep), (pitch * 0.5, deep)]
    for x, y in centers:
        model.lathe(cup, skin, segments=10, at=(x, y, 0), hull=False)
    edge = np.array([2 * pitch + 8.0, rows * pitch + 8.0], dtype=np.float64)
    model.box((*edge, 3), skin, 1.0, at=(0, 0, deep), hull=False)
    _block(model, edge - 0.4 * pitch, edge, 0, deep + 2)
    opened = rng.random() < 0.45
    if opened:
        _eggs(model, rng, centers, pitch, deep)
        tall = edge[0] * rng.uniform(0.8, 0.95)
        at = (-edge[0] / 2 - 2, 0, deep + tall / 2)
        model.box((3, edge[1], tall), skin, 1.0, at=at)
        for s in (-1, 1):
            model.box((16, 3, tall * 0.96), skin, 0.8, at=(at[0] - 8, s * (edge[1] / 2 - 3), at[2]))
        model.box((16, edge[1] * 0.98, 3), skin, 0.8, at=(at[0] - 8, 0, deep + tall - 2))
    else:
        _lid(model, rng, skin, edge, deep + 1, rng.uniform(24, 32))
    features = ["open" if opened else "closed", f"with {COUNTS[2 * rows]} cups", "with eggs in it" if opened else ""]
    return model.instance(skin, "rectangular", features, density=300)


def _block(model: ModelBuilder, low: Floats, high: Floats, bottom: float, top: float) -> None:
    ends = ((low / 2, bottom), (high / 2, top))
    model.hull([(i * half[0], j * half[1], z) for half, z in ends for i in (-1, 1) for j in (-1, 1)])


def _lid(model: ModelBuilder, rng: Rng, skin: Finish, edge: Floats, low: float, rise: float) -> None:
    base, top = rounded(edge[0], edge[1], 6), rounded(edge[0] * rng.uniform(0.74, 0.88), edge[1] * 0.95, 6)
    loft(model, [(base, low), (0.15 * base + 0.85 * top, low + 0.85 * rise), (top * 0.97, low + rise)], skin)
    model.prism(top * 0.97, low + rise - 1, low + rise, skin, hull=False)
    model.hull([(*p, z) for o, z in ((base, low), (top, low + rise)) for p in o])
    brand = sample_brand(rng, ("eggs", "fresh eggs", "farm eggs", "large eggs", "brown eggs"), LABELS)
    label = np.rot90(front(rng, brand, edge[1] * 0.8, edge[0] * 0.6))
    skins = dict.fromkeys(("right", "left", "back", "front", "bottom"), plain(brand.background)) | {"top": label}
    model.box((edge[0] * 0.62, edge[1] * 0.82, 0.8), skins, 0.0, at=(0, 0, low + rise + 0.3), hull=False)
    if rng.random() < 0.6:
        model.box((3, edge[1] * 0.12, 14), skin.solid(1.06), 1.0, at=(edge[0] / 2 + 1, 0, low - 1), hull=False)


def _eggs(model: ModelBuilder, rng: Rng, centers: Floats, pitch: float, deep: float) -> None:
    base = np.array((204, 152, 108) if rng.random() < 0.5 else (238, 234, 226))
    shells = [peel(rng, base * f, 0.03, spots=(base * 0.85, 0.03), texels=(24, 32)) for f in (0.94, 1.0, 1.05)]
    size = (0.94 * pitch, 0.94 * pitch, 1.26 * pitch)
    for n, (x, y) in enumerate(centers):
        if rng.random() < 0.93:
            model.ball(size, shells[n % 3], rows=9, segments=12, at=(x, y, deep + 4), hull=False)
    rings = [(0.36 * pitch, 0.32), (0.47 * pitch, 0.0), (0.2 * pitch, 0.48)]
    for s in (-1, 1):
        side = centers[centers[:, 0] * s > 0]
        model.hull([(x + i, y + j, deep + 4 + t * size[2]) for x, y in side for q, t in rings for i, j in circle(q, 8)])


KIND = Kind(
    name="egg carton",
    synonyms=("egg box", "carton of eggs", "box of eggs"),
    hypernyms=("box", "container", "package"),
    function="keeping eggs",
    description="a long pulp package, grey or pastel, with rows of rounded hollows below and a hinged, sloping top",
    longest=(0.08, 0.25),
    sample=sample,
)
