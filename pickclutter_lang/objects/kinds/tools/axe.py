"""Axes: hatchets with wedge-shaped steel heads, some painted, on curved handles of wood or fiberglass."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import WOODS, Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import DARK_STEELS, steel, words
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx


def sample(rng: Rng) -> Instance:
    """Sample an axe, lying along y, its edge towards +x."""
    model = ModelBuilder()
    length, thick = rng.uniform(215, 290), rng.uniform(9, 12)
    wooden = rng.random() < 0.7
    skin = (
        finish(rng, "wood", "brown", wear=0.6, rgb=WOODS)
        if wooden
        else finish(rng, "plastic", words("black black yellow orange red green"), wear=0.5)
    )
    y, bow = np.linspace(0, length, 16), rng.uniform(2, 9)
    x = bow * np.sin(2 * np.pi * y / length - 0.4) + bow * 0.4
    form = smooth([(1.1,), (1.5,), (1.1,), (1.0,), (1.05,), (1.15,), (1.2,)], 16)[:, 0] * thick
    model.sweep(np.c_[x, y, 0 * y], form, skin, 0.72 * thick, power=2.4, pieces=3)
    grip = not wooden or rng.random() < 0.15
    if grip:
        part = slice(0, 7)
        rubber: Skin = plain(
            tint(rng, "black" if skin.colors[0] != "black" else choice(rng, ("orange", "red", "yellow")))
        )
        model.sweep(np.c_[x, y - 1, 0 * y][part], form[part] * 1.1, rubber, 0.82 * thick, power=2.4, hull=False)
    metal = steel(rng, DARK_STEELS, wear=0.9)
    head, poll = rng.uniform(75, 105), rng.uniform(16, 26)
    at, t = length - rng.uniform(20, 30), np.array([0, 0.12, 0.3, 0.55, 0.8, 0.93, 1])
    flare, low = rng.uniform(22, 34), rng.uniform(16, 20)
    up = np.interp(t, [0, 0.3, 1], [low, low * 0.9, flare])
    down = np.interp(t, [0, 0.3, 1], [low, low * 0.95, flare * rng.uniform(1.0, 1.5)])
    spine = -poll + t * head
    high = np.interp(t, [0, 0.3, 0.9, 1], [1.35 * thick, 1.3 * thick, 3.0, 0.5])
    left, right = np.c_[spine, at + up], np.c_[spine, at - down]
    left[-1, 0], right[-1, 0] = spine[-1] - 3, spine[-1] - 4
    painted = rng.random() < 0.4
    body: Skin = metal
    word = choice(rng, ("red", "red", "black", "blue", "green"))
    if painted:
        _, v = tx.uv_grid(96, 48)
        edge = rng.uniform(0.6, 0.78)
        body = tx.to_uint8(tx.lerp_color(tint(rng, word), (186, 188, 192), tx.smoothstep(v, edge, edge + 0.03)))
    else:
        _, v = tx.uv_grid(96, 48)
        noise = 4 * tx.grid_noise(rng, (96, 48), 8, 12)[..., None]
        body = tx.to_uint8(tx.lerp_color(metal.tints[0], (212, 214, 218), tx.smoothstep(v, 0.8, 0.86)) + noise)
    model.plate(left, right, -high, high, body, pieces=1)
    features = [
        "with a wooden handle" if wooden else "with a plastic handle",
        f"with a {word} head" if painted else "with a steel head",
    ]
    colors = (*skin.colors, word if painted else metal.colors[0])
    return model.instance(skin, "l-shaped", features, colors=colors, material=skin.material, density=1500)


KIND = Kind(
    name="axe",
    synonyms=("hatchet", "hand axe", "camping axe"),
    hypernyms=("hand tool", "tool"),
    function="chopping wood",
    description="a heavy wedge-shaped metal head with a wide curved edge, set crosswise on the end of a long, slightly "
    "curved shaft",
    longest=(0.21, 0.32),
    sample=sample,
)
