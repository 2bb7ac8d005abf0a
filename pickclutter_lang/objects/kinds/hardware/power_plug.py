"""Power plugs: bodies of black, white or colored plastic with two or three metal pins and the end of a cable."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

COLORS = words("black black black white white white grey orange red blue yellow green brown")
PINS = ((196, 198, 202), (196, 160, 84), (206, 188, 140))


def sample(rng: Rng) -> Instance:
    """Sample a power plug, lying with its pins at +y."""
    model = ModelBuilder()
    skin = finish(rng, "plastic", COLORS, wear=0.5)
    pin = plain(np.array(choice(rng, PINS)) * rng.uniform(0.9, 1.05))
    sort = choice(rng, ("flat", "round", "round", "blades", "square"))
    front, feature = {"flat": _flat, "round": _round, "blades": _blades, "square": _square}[sort](model, rng, skin, pin)
    thin, long = rng.uniform(2.6, 3.8), rng.uniform(18, 60)
    ribs = int(rng.integers(3, 6))
    relief = np.array(
        [(0, 0), *[(thin * (1.9 - 0.12 * n - 0.35 * (n % 2)), 2.4 * n) for n in range(2 * ribs)], (0, 4.8 * ribs)]
    )
    back = -front
    model.lathe(relief, skin.solid(0.92), segments=14, pieces=1, at=(0, back + 1, 0), turn=rotation("x", 90))
    bend = rng.uniform(-0.5, 0.5) * long
    path = smooth([(0, back - 4 * ribs, 0), (0, back - 4 * ribs - 0.5 * long, 0), (bend, back - 4 * ribs - long, 0)], 9)
    model.sweep(path, thin, skin.solid(0.95), segments=12, pieces=3)
    end = path[-1] + (path[-1] - path[-2]) * 0.15
    model.sweep([path[-1], end], 0.5 * thin, plain((200, 124, 70)), segments=8, hull=False)
    return model.instance(skin, "irregular", [feature, "with a piece of cable"], density=1300)


def _flat(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a slim body with two round pins."""
    long, wide = rng.uniform(32, 38), rng.uniform(13, 16)
    y = np.linspace(-long / 2, long / 2, 8)
    half = wide * smooth([(0.42,), (0.8,), (0.72,), (1.0,), (1.05,)], 8)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, np.linspace(5.2, 6.4, 8), power=3, segments=18, pieces=1)
    for side in (-1, 1):
        _pin(model, skin.painted((40, 40, 42)), pin, side * 8.7, 0, long / 2, 2.1, 19)
    return long / 2, "with two round pins"


def _round(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a thick round body with two thick pins."""
    long, r = rng.uniform(32, 44), rng.uniform(16.5, 19)
    form = smooth([(0.4, 0), (0.66, 0.2), (0.72, 0.5), (0.95, 0.72), (1, 0.8), (1, 1)], 14) * [r, long]
    model.lathe([(0, 0), *form, (0, long)], skin, segments=24, pieces=2, at=(0, -long / 2, 0), turn=ALONG_Y)
    for side in (-1, 1):
        model.box((2.5, 8, 6), pin, 0.5, at=(0, long / 2 - 6, side * r), hull=False)
        _pin(model, skin, pin, side * 9.5, 0, long / 2, 2.4, 19)
    return long / 2, "with two round pins"


def _blades(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a body with two flat blades and sometimes a round pin below."""
    long, grounded = rng.uniform(28, 36), rng.random() < 0.6
    y = np.linspace(-long / 2, long / 2, 8)
    half = smooth([(6.5,), (10,), (10.5,), (13.5,), (13,)], 8)[:, 0]
    tall = 0.85 * half if grounded else np.linspace(6, 8, 8)
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, tall, power=3, segments=18, pieces=2)
    for side in (-1, 1):
        model.box((1.6, 18, 6.3), pin, 0.5, at=(side * 6.3, long / 2 + 8, 2.5 if grounded else 0))
    if grounded:
        _pin(model, skin, pin, 0, -6.5, long / 2, 2.4, 20)
    return long / 2, "with two flat blades and a round pin" if grounded else "with two flat blades"


def _square(model: ModelBuilder, rng: Rng, skin: Finish, pin: Skin) -> tuple[float, str]:
    """Add a broad body with three rectangular pins."""
    long, wide = rng.uniform(26, 32), rng.uniform(23, 26)
    y = np.linspace(-long / 2, long / 2, 8)
    half = wide * smooth([(0.3,), (0.75,), (0.85,), (0.98,), (1.0,)], 8)[:, 0]
    model.sweep(np.c_[0 * y, y, 0 * y], half, skin, half * np.linspace(0.7, 0.95, 8), power=3.6, segments=20, pieces=1)
    model.box((6.4, 19, 4), pin, 0.5, at=(0, long / 2 + 8, 11))
    for side in (-1, 1):
        model.box((4, 15, 6.4), pin, 0.5, at=(side * 11, long / 2 + 6, -9))
        model.box((4.1, 8, 6.5), skin.solid(0.7), 0.3, at=(side * 11, long / 2 + 3, -9), hull=False)
    return long / 2, "with three rectangular pins"


def _pin(model: ModelBuilder, sleeve: Skin, pin: Skin, x: float, z: float, y: float, r: float, long: float) -> None:
    """Add a round pin, whose first half has a plastic sleeve."""
    rows: Floats = np.array([(0, -1), (r, -1), (r, long - 2), (0.7 * r, long), (0, long)])
    model.lathe(rows, pin, segments=12, pieces=1, at=(x, y, z), turn=ALONG_Y)
    model.lathe([(r * 1.04, 0), (r * 1.04, 0.45 * long)], sleeve, segments=12, at=(x, y, z), turn=ALONG_Y, hull=False)


KIND = Kind(
    name="power plug",
    synonyms=("mains plug", "electric plug", "electrical plug"),
    hypernyms=("electronics", "household item"),
    function="connecting a device to a socket",
    description="a small rounded plastic body with two or three short metal pins in front and a piece of cable behind",
    longest=(0.06, 0.165),
    sample=sample,
)
