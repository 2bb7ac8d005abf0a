"""American footballs: pointed brown leather or colored foam balls with white laces and stripes."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation

WORDS = ("brown", "brown", "brown", "brown", "brown", "red", "blue", "green", "orange", "black", "yellow")


def sample(rng: Rng) -> Instance:
    """Sample an American football, lying along y, its laces up or to a side."""
    model = ModelBuilder()
    word, length = choice(rng, WORDS), rng.uniform(120, 285)
    r = length * rng.uniform(0.27, 0.32)
    leather = word == "brown"
    base = np.array([128, 66, 36]) * rng.uniform(0.75, 1.2) if leather else tint(rng, word)
    u, v = tx.uv_grid(128, 112)
    color = (
        base * (1 + 0.07 * tx.grid_noise(rng, u.shape, 42, 56) + 0.04 * tx.grid_noise(rng, u.shape, 4, 6))[..., None]
    )
    seams = 1 - tx.smoothstep(np.abs((u * 4 + 0.5) % 1 - 0.5), 0.01, 0.03)
    color = color * (1 - 0.55 * seams)[..., None]
    stripes = rng.random() < 0.6
    if stripes:
        ring = 1 - tx.smoothstep(np.abs(np.abs(v - 0.5) - rng.uniform(0.25, 0.31)), 0.022, 0.03)
        if rng.random() < 0.4:
            ring = ring * (np.cos(2 * np.pi * u) > -0.2)
        color = tx.lerp_color(color, (232, 230, 222), ring)
    two = not leather and rng.random() < 0.5
    other = choice(rng, [c for c in ("white", "yellow", "black", "red") if c != word])
    if two:
        color = np.where(((u * 4).astype(int) % 2 == 1)[..., None], tint(rng, other), color)
    tip = rng.uniform(0.1, 0.22)
    half = [(1, 0), (0.86, 0.36), (0.46, 0.74), (tip, 0.95), (0, 1)]
    form = smooth([*((q, -z) for q, z in half[:0:-1]), *half], 25) * [r, length / 2]
    turn = rotation("y", rng.normal(-90, 45)) @ rotation("x", -90)
    model.lathe(form, tx.to_uint8(color), turn=turn, pieces=3)
    white = plain(np.array([236, 232, 222]) * rng.uniform(0.85, 1.0))
    reach = length * rng.uniform(0.15, 0.2)
    for n in range(8):
        z = reach * (n / 3.5 - 1)
        at = turn @ [np.interp(z, form[:, 1], form[:, 0]) - 0.01 * r, 0, z]
        model.box((r * 0.04, r * 0.26, length * 0.014), white, 0, at=at, turn=turn, hull=False)
    along = np.linspace(-reach, reach, 7)
    path = np.c_[np.interp(along, form[:, 1], form[:, 0]), 0 * along, along]
    model.sweep(path, r * 0.03, white, segments=6, up=(1, 0, 0), turn=turn, hull=False)
    skin = finish(rng, "leather" if leather else choice(rng, ("foam", "rubber")), word)
    features = ["with white laces", "with white stripes" if stripes else "without stripes"]
    colors = (word, other) if two else (word, "white")
    return model.instance(skin, "oval", features, colors=colors, density=250)


KIND = Kind(
    name="american football",
    synonyms=("gridiron ball", "pigskin"),
    hypernyms=("ball", "sports equipment"),
    function="playing american football",
    description="an oval leather ball, pointed at both ends, brown with white laces along the top and often a "
    "white stripe near each end",
    longest=(0.11, 0.29),
    sample=sample,
)
