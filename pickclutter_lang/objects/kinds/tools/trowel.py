"""Trowels: pointed ones for bricklayers, and hollow garden trowels, with handles of wood or plastic."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Finish, Rng, finish
from pickclutter_lang.objects.kinds.fittings import ALONG_Y, DARK_STEELS, TOOL_COLORS, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural.surfaces import grid_surface


def sample(rng: Rng) -> Instance:
    """Sample a trowel, lying with its blade at +y."""
    model = ModelBuilder()
    wooden, garden = rng.random() < 0.6, rng.random() < 0.5
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    tinted = garden and rng.random() < 0.35
    metal = (
        finish(rng, "metal", ("green", "black", "red", "blue"), wear=0.9) if tinted else steel(rng, DARK_STEELS, 0.9)
    )
    grip, r = rng.uniform(90, 120), rng.uniform(11, 15)
    lift = 0.0 if garden else rng.uniform(18, 28)
    form = [(0.8, 0), (1.05, 0.08), (1.0, 0.3), (0.85, 0.55), (1.05, 0.8), (0.7, 0.95), (0.6, 1)]
    body = smooth(form, 16) * [r, grip]
    model.lathe([(0, 0), *body, (0, grip)], skin, segments=20, pieces=2, at=(0, -grip, lift), turn=ALONG_Y)
    neck = rng.uniform(35, 60)
    line = [(0, -8, lift), (0, 0.5 * neck, lift), (0, 0.9 * neck, lift * 0.4), (0, neck + 6, 0)]
    model.sweep(smooth(line, 10), np.linspace(4.5, 5.5, 10), metal, np.linspace(4.5, 2.5, 10), pieces=2)
    _blade(model, rng, neck, metal, garden)
    features = [
        "with a wooden handle" if wooden else "with a plastic handle",
        "with a curved blade" if garden else "with a flat pointed blade",
    ]
    return model.instance(metal, "long and flat", features, colors=(*metal.colors, *skin.colors), density=900)


def _blade(model: ModelBuilder, rng: Rng, start: float, metal: Finish, garden: bool) -> None:
    long = rng.uniform(95, 135)
    t = np.linspace(0, 1, 12)
    y = start + t * long
    if not garden:
        wide, rise = rng.uniform(36, 52), rng.uniform(0.08, 0.3)
        half = wide * np.interp(t, [0, 0.03, rise, 0.9, 1], [0.25, 0.75, 1, 0.16, 0.02])
        model.plate(np.c_[-half, y], np.c_[half, y], -0.9, 0.9, metal, pieces=2)
        return
    wide, deep = rng.uniform(26, 38), rng.uniform(8, 14)
    half = wide * np.interp(t, [0, 0.06, 0.2, 0.65, 0.85, 1], [0.4, 0.85, 1, 0.95, 0.65, 0.08])
    s = np.linspace(-1, 1, 9)
    across = np.concatenate([s, s[::-1], s[:1]])
    top = np.repeat([1.0, -1.0, 1.0], [9, 9, 1])
    points = np.stack([half[:, None] * across, np.broadcast_to(y[:, None], (12, 19)), 0 * half[:, None] + across], -1)
    points[..., 2] = deep * across**2 + 0.9 * top
    model.surface(grid_surface(points[:, ::-1]), metal.image(60, 100))
    for a in range(0, 8, 2):
        edges = np.concatenate([points[:, [n, 17 - n]] for n in (a, a + 2)])
        model.hull(edges.reshape(-1, 3))


KIND = Kind(
    name="trowel",
    synonyms=("hand trowel", "small trowel"),
    hypernyms=("hand tool", "tool"),
    function="spreading mortar or digging in soil",
    description="a small tool with a broad, thin, pointed metal blade on a short bent neck and a rounded straight grip",
    longest=(0.21, 0.33),
    sample=sample,
)
