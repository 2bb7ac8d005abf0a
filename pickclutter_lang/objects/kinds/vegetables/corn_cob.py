"""Corn cobs: rows of yellow or white kernels, bare or with green husk leaves."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import leaf_color, lying, stub, uneven
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

SKINS = {"yellow": ((240, 200, 64), (236, 188, 48), (244, 212, 96)), "white": ((240, 230, 196),)}


def kernels(rng: Rng, color: Floats, second: Floats, cols: int, rows: int) -> TextureImage:
    """Paint rounded kernels in upright rows, a share of them in a second color."""
    u, v = tx.uv_grid(160, 128)
    column = np.floor(u * cols).astype(int)
    w = v * rows + rng.uniform(-0.2, 0.2, cols)[column] + 0.5 * (column % 2)
    near = np.maximum(np.abs((u * cols) % 1 - 0.5) * 0.95, np.abs(w % 1 - 0.5))
    row = np.clip(np.floor(w).astype(int), 0, rows)
    tone = rng.normal(1, 0.05, (rows + 1, cols))[row, column]
    other = (rng.random((rows + 1, cols)) < rng.uniform(0.15, 0.5))[row, column]
    image = np.where(other[..., None], second, color) * tone[..., None]
    image = tx.lerp_color(image * 1.08, image * 0.5, tx.smoothstep(near, 0.22, 0.52))
    return tx.to_uint8(tx.lerp_color(image, color * 0.6 + 60, tx.smoothstep(v, 0.95, 0.99)))


def sample(rng: Rng) -> Instance:
    """Sample a corn cob, lying."""
    model = ModelBuilder()
    word = choice(rng, ("yellow",) * 5 + ("white",))
    skin = finish(rng, "food", word, rgb=SKINS[word])
    color = skin.tints[0]
    mixed = rng.random() < 0.25
    second = np.array(SKINS["white" if word == "yellow" else "yellow"][0]) if mixed else color * 0.96
    length = rng.uniform(130, 210)
    r = length * rng.uniform(0.105, 0.145)
    outline = [(0, 0), (0.8, 0.0), (0.98, 0.08), (1, 0.3), (0.95, 0.6), (0.74, 0.86), (0.4, 0.97), (0, 1)]
    turn = lying(rng)
    image = kernels(rng, color, second, 2 * int(rng.integers(6, 9)), int(rng.integers(26, 36)))
    model.lathe(smooth(outline, 24) * [r, length], image, 24, bend=uneven(rng, 0.03), turn=turn, pieces=2)
    green = leaf_color(rng, 1.15)
    husk = rng.random() < 0.55
    stub(model, rng, (0, 0, 0), -rng.uniform(10, 28), rng.uniform(5, 7), green * 1.15, turn)
    if husk:
        leaves(model, rng, turn, r, min(length * rng.uniform(0.5, 0.95), length - 5), green)
    features = ["with a green husk" if husk else "without a husk"]
    colors = (word, "white" if word == "yellow" else "yellow") if mixed else (word, "green") if husk else (word,)
    return model.instance(skin, "cylindrical", features, colors=colors)


def leaves(model: ModelBuilder, rng: Rng, turn: Floats, r: float, length: float, green: Floats) -> None:
    """Add husk leaves that lie on the lower part of the cob and splay outward."""
    u, _ = tx.uv_grid(64, 32)
    veins = 1 + 0.13 * np.sin(2 * np.pi * 7 * u) + 0.08 * tx.grid_noise(rng, u.shape, 3, 16)
    pale = np.minimum(green * 1.35 + 24, (206, 214, 140))
    image = tx.to_uint8(tx.lerp_color(pale, green, tx.uv_grid(64, 32)[1]) * veins[..., None])
    t, start, points = np.linspace(0, 1, 9), rng.uniform(0, 360), []
    for n in range(int(rng.integers(3, 6))):
        reach = length * rng.uniform(0.75, 1.0)
        half = r * rng.uniform(0.75, 1.05) * np.sin(np.pi * (0.25 + 0.75 * t)) ** 0.7 + 0.3
        out = r * (0.62 + 0.45 * np.minimum(4 * t, 1)) + reach * rng.uniform(0.02, 0.3) * t**2.5
        around = rotation("z", start + n * 75 + rng.uniform(-12, 12)) @ rotation("y", -90) @ np.diag([1.0, -1.0, -1.0])
        model.plate(
            np.c_[reach * t, half], np.c_[reach * t, -half], out - 0.4, out + 0.6, image, turn=turn @ around, hull=False
        )
        flat = np.concatenate([np.c_[reach * t, half, out], np.c_[reach * t, -half, out]])
        points.append(flat @ (turn @ around).T)
        model.hull(points[-1] + rng.normal(0, 0.05, points[-1].shape))


KIND = Kind(
    name="corn cob",
    synonyms=("corn on the cob", "ear of corn", "sweetcorn cob"),
    hypernyms=("vegetable", "food"),
    function="boiling and eating",
    description="a long tapered cob covered in straight rows of small shiny kernels, sometimes in green husk leaves",
    longest=(0.13, 0.25),
    sample=sample,
)
