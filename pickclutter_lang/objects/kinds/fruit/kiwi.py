"""Kiwis: brown hairy ovals, or halves that show green or golden flesh with black seeds."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import cut_half, lying, uneven
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

BROWNS = ((124, 94, 50), (108, 80, 44), (142, 110, 62), (130, 102, 58))
FLESH = {"green": (130, 164, 44), "yellow": (222, 190, 66)}


def face(rng: Rng, flesh: Floats) -> TextureImage:
    """Paint the cut face: a thin skin, rays, a ring of seeds, and a pale middle."""
    u, v = tx.uv_grid(56, 128)
    color = flesh * (1 + 0.12 * tx.grid_noise(rng, u.shape, 2, 40)[..., None])
    color = tx.lerp_color(
        color, flesh * 0.5 + 120, tx.smoothstep(v + 0.04 * tx.grid_noise(rng, u.shape, 1, 12), 0.66, 0.78)
    )
    count = int(rng.integers(22, 34))
    near = np.hypot((u * count) % 1 - 0.5, (v - 0.55 + 0.05 * np.sin(np.floor(u * count) * 2.4)) * 7)
    color = tx.lerp_color(color, (28, 24, 18), 1 - tx.smoothstep(near, 0.24, 0.42))
    return tx.to_uint8(tx.lerp_color((110, 84, 46), color, tx.smoothstep(v, 0.02, 0.05)))


def sample(rng: Rng) -> Instance:
    """Sample a kiwi, lying on its side, or half of one with the cut up."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=BROWNS)
    color = skin.tints[0]
    r, slim = rng.uniform(21, 28), rng.uniform(1.12, 1.5)
    hairs = peel(
        rng,
        color,
        patches=(color * 0.9, 0.3),
        streaks=(color * 1.06, 0.15),
        top=(color * 0.5, 0.07),
        bottom=(color * 0.55, 0.06),
        spots=(color * 0.8, 0.06),
        spot_count=62,
    )
    fuzz = tx.to_uint8(tx.pixel_noise(hairs, rng, 12))
    low, bend = [(0, -0.98), (0.2, -0.97), (0.6, -0.78), (0.92, -0.4), (1, 0)], uneven(rng, 0.1, lean=0.02)
    if rng.random() < 0.3:
        word = choice(rng, ("green", "green", "green", "yellow"))
        cut_half(
            model,
            smooth(low, 13) * [r, r * slim],
            fuzz,
            face(rng, np.array(FLESH[word]) * rng.uniform(0.88, 1.1)),
            bend,
        )
        return model.instance(skin, "hemispherical", ["halved", f"with {word} flesh"], colors=("brown", word))
    high = [(0.92, 0.42), (0.62, 0.78), (0.24, 0.96), (0.16, 1.02), (0.1, 0.99), (0, 0.98)]
    model.lathe(smooth(low + high, 24) * [r, r * slim], fuzz, bend=bend, turn=lying(rng), pieces=1)
    return model.instance(skin, "oval", ["whole", "with hairy skin"])


KIND = Kind(
    name="kiwi",
    synonyms=("kiwi fruit", "kiwifruit", "chinese gooseberry"),
    hypernyms=("fruit", "food"),
    function="eating",
    description="a small oval fruit with fuzzy brown skin, and juicy flesh with tiny black seeds around a pale middle",
    longest=(0.036, 0.09),
    sample=sample,
)
