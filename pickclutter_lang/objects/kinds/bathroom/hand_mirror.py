"""Hand mirrors: round, oval or square glass in a frame with a handle, reflecting sky or room."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import STEEL, WOODS, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.outlines import rounded
from pickclutter_lang.objects.kinds.palettes import ANY
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.surfaces import rotation


def sample(rng: Rng) -> Instance:
    """Sample a hand mirror, lying along y, its glass up, or leaning towards +x."""
    model = ModelBuilder()
    length, form = rng.uniform(170, 275), choice(rng, ("round", "round", "oval", "oval", "square"))
    material = choice(rng, ("plastic", "plastic", "plastic", "wood", "metal"))
    word = {"wood": "brown", "metal": "grey"}.get(material) or choice(rng, (*ANY, "pink", "white", "black"))
    skin = finish(rng, material, word, rgb=WOODS if material == "wood" else STEEL if material == "metal" else ())
    head = length * rng.uniform(0.46, 0.58)
    wide, thick = (
        head * {"round": 1.0, "oval": rng.uniform(0.68, 0.85), "square": rng.uniform(0.75, 0.95)}[form],
        rng.uniform(7, 13),
    )
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.c_[np.cos(angle), np.sin(angle)] / 2 * [wide, head]
    edge = ring if form != "square" else rounded(wide, head, 0.2 * wide, 6)
    middle = np.array([0, length / 2 - head / 2])
    turn = rotation("y", choice(rng, (0, 0, 0, 55)))
    model.prism(edge + middle, -thick / 2, thick / 2, skin, turn=turn)
    # The glass reflects a gradient with soft bright shapes.
    u, v = tx.uv_grid(72, 64)
    sky = tx.lerp_color(
        np.array([150, 166, 182]) * rng.uniform(0.8, 1.1), (226, 234, 240), tx.smoothstep(v + 0.4 * (u - 0.5), 0.1, 0.9)
    )
    bar = tx.smoothstep(
        np.abs(((u + rng.uniform(0.4, 0.8) * v) * rng.uniform(0.8, 1.5) + rng.uniform()) % 1 - 0.5), 0.2, 0.34
    )
    glass = tx.to_uint8(
        sky * (1 - rng.uniform(0.1, 0.3) * bar)[..., None] + 4 * tx.grid_noise(rng, u.shape, 3, 3)[..., None]
    )
    inner = edge * (1 - 2 * rng.uniform(0.05, 0.1)) + middle
    model.prism(inner, thick / 2 - 0.4, thick / 2 + 0.4, glass, turn=turn, hull=False)
    t = np.linspace(0, 1, 14)
    y = middle[1] - head * 0.49 - t * (length - head * 0.99)
    grip = (
        length
        * rng.uniform(0.035, 0.05)
        * smooth([(0.8,), (0.6,), (0.85,), (1.1,), (0.7 if rng.random() < 0.5 else 1.1,)], 14)[:, 0]
    )
    model.sweep(np.c_[0 * t, y, 0 * t], grip, skin, np.minimum(grip, thick * 0.55), power=2.6, pieces=2, turn=turn)
    colors = (word, "grey") if word != "grey" else ("grey",)
    return model.instance(
        skin,
        "flat and round" if form != "square" else "flat rectangular",
        [f"with {'an oval' if form == 'oval' else f'a {form}'} glass", "with a handle"],
        colors=colors,
    )


KIND = Kind(
    name="hand mirror",
    synonyms=("hand-held mirror", "handheld mirror", "vanity mirror"),
    hypernyms=("bathroom item",),
    function="looking at oneself",
    description="a flat shiny reflecting glass in a frame of round, oval or square form, with a handle below",
    longest=(0.16, 0.28),
    sample=sample,
)
