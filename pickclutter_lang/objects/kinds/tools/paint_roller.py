"""Paint rollers: fleece or foam sleeves on a bent wire with a plastic or wooden handle."""

from itertools import pairwise

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import ALONG_X, ALONG_Y, TOOL_COLORS, steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx

FLEECE = ((232, 226, 212), (236, 236, 232), (240, 214, 92), (214, 206, 190), (120, 120, 122), (226, 232, 240))


def sample(rng: Rng) -> Instance:
    """Sample a paint roller, lying flat, its sleeve along x at +y."""
    model = ModelBuilder()
    wide, r = rng.uniform(75, 165), rng.uniform(12, 24)
    reach, grip = rng.uniform(60, 95), rng.uniform(80, 115)
    base = np.array(choice(rng, FLEECE)) * rng.uniform(0.92, 1.03)
    fuzz = tx.grid_noise(rng, (80, 112), 30, 44) + 0.6 * tx.grid_noise(rng, (80, 112), 60, 80)
    color = base * (1 + 0.055 * fuzz[..., None])
    u, v = tx.uv_grid(80, 112)
    if rng.random() < 0.35:
        pitch = rng.uniform(5, 9)
        line = np.abs((v * pitch + rng.choice((0, 1)) * u) % 1 - 0.5) < 0.06
        color = tx.lerp_color(color, tint(rng, choice(rng, ("blue", "yellow", "green", "red"))), line.astype(float))
    painted, word = rng.random() < 0.35, choice(rng, ("white", "blue", "red", "green", "yellow", "orange", "pink"))
    if painted:
        mask = tx.smoothstep(tx.grid_noise(rng, (80, 112), 3, 4), -1.2, -0.3)
        color = tx.lerp_color(color, tint(rng, word) * (1 + 0.04 * fuzz[..., None]), mask)
    end, e = wide / 2, r * 0.2
    sleeve = [(0.45 * r, -end), (r - e, -end), (r, -end + e), (r, end - e), (r - e, end), (0.45 * r, end)]
    model.lathe(sleeve, tx.to_uint8(color), at=(0, 0, 0), turn=ALONG_X, segments=24, pieces=1)
    cap = plain(tint(rng, choice(rng, ("white", "black", "blue", "yellow", "green"))))
    model.lathe(
        [(0, -end + 1), (0.5 * r, -end - 0.6), (0.5 * r, end + 0.6), (0, end + 1.5)],
        cap,
        segments=16,
        turn=ALONG_X,
        hull=False,
    )
    metal, thin = steel(rng), rng.uniform(2.4, 3.6)
    side = end + rng.uniform(8, 16)
    mid = -r - rng.uniform(12, 24)
    line = [
        (end - 2, 0),
        (side - 4, 0),
        (side, -5),
        (side, mid + 5),
        (side - 5, mid),
        (5, mid),
        (0, mid - 6),
        (0, -r - reach),
    ]
    dense = np.concatenate([np.linspace(a, b, 3)[:-1] for a, b in pairwise(line)] + [[line[-1]]])
    model.sweep(np.c_[dense, np.zeros(len(dense))], thin, metal, segments=8, pieces=5)
    wooden = rng.random() < 0.25
    skin = (
        finish(rng, "wood", "brown", wear=0.5, rgb=WOODS) if wooden else finish(rng, "plastic", TOOL_COLORS, wear=0.4)
    )
    form = [(0.7, 0), (1.05, 0.06), (1.1, 0.25), (0.9, 0.5), (1.05, 0.75), (0.85, 0.92), (0.55, 1)]
    body = smooth(form, 16) * [rng.uniform(11, 14), grip]
    at = (0, -r - reach - grip + 8, 0)
    model.lathe([(0, 0), *body, (0, grip)], skin, segments=20, pieces=2, at=at, turn=ALONG_Y)
    name = (
        "white"
        if base.min() > 195
        else "yellow"
        if base[2] < 130 < base[0] - 60
        else "grey"
        if base.max() < 180
        else "white"
    )
    colors = (word if painted else name, *skin.colors)
    features = [
        "with a wooden handle" if wooden else "with a plastic handle",
        f"with {word} paint on it" if painted else "clean",
    ]
    return model.instance(skin, "t-shaped", features, colors=colors, density=350)


KIND = Kind(
    name="paint roller",
    synonyms=("wall roller", "painting roller", "roller brush"),
    hypernyms=("hand tool", "tool"),
    function="painting walls",
    description="a soft, fuzzy cylinder that turns on a bent metal wire, that leads back to a straight grip",
    longest=(0.15, 0.32),
    sample=sample,
)
