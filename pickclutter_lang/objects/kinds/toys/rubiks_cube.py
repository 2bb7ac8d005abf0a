"""Rubik's cubes of 2 to 4 pieces a side, with stickers or of colored plastic, solved or mixed, with a turned layer."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

SIDES = ("top", "bottom", "front", "back", "right", "left")
WORDS = ("white", "yellow", "green", "blue", "red", "orange")


def _side(colors: Floats, body: Floats, gap: float, corner: float) -> TextureImage:
    """Paint stickers of colors [rows, cols, 3] with round corners on a body."""
    rows, cols = colors.shape[:2]
    u, v = tx.uv_grid(22 * rows, 22 * cols)
    x, y = np.abs((u * cols) % 1 - 0.5), np.abs((v * rows) % 1 - 0.5)
    half = 0.5 - gap - corner
    outside = np.hypot(np.maximum(x - half, 0), np.maximum(y - half, 0)) - corner
    stickers = np.repeat(np.repeat(colors, 22, axis=0), 22, axis=1)
    return tx.to_uint8(tx.lerp_color(stickers, body, tx.smoothstep(outside, -0.03, 0.03)))


def sample(rng: Rng) -> Instance:
    """Sample a Rubik's cube."""
    model = ModelBuilder()
    size, n = rng.uniform(46, 66), choice(rng, (3, 3, 3, 3, 3, 3, 2, 4))
    tones = np.array([tint(rng, word, 0.7) for word in WORDS])
    solved = rng.random() < 0.25
    cells = np.repeat(rng.permutation(6), n * n)
    if not solved:
        cells = rng.permutation(cells)
    cells = cells.reshape(6, n, n)
    stickerless = rng.random() < 0.25
    word = "black" if stickerless else choice(rng, ("black", "black", "black", "white"))
    body = tint(rng, word)
    gap, corner = (0.012, rng.uniform(0.02, 0.1)) if stickerless else (rng.uniform(0.065, 0.1), rng.uniform(0.02, 0.14))
    # Rows of a side's image run from the top down; a turned layer takes the uppermost row of the four walls.
    faces = {name: tones[cells[k]] for k, name in enumerate(SIDES)}
    turned = rng.random() < 0.3
    cut = size / n if turned else 0.0
    low = {
        name: _side(f if name in ("top", "bottom") or not turned else f[1:], body, gap, corner)
        for name, f in faces.items()
    }
    edge = 0.03 * size
    if turned:
        upper = {name: _side(f[:1], body, gap, corner) for name, f in faces.items() if name not in ("top", "bottom")}
        upper |= {"top": low["top"], "bottom": plain(body)}
        low["top"] = plain(body)
        angle = choice(rng, (-1, 1)) * rng.uniform(12, 45)
        model.box((size, size, cut), upper, edge, at=(0, 0, size - cut / 2), turn=rotation("z", angle))
    model.box((size, size, size - cut), low, edge, at=(0, 0, (size - cut) / 2))
    colors = WORDS if stickerless else (word, *(w for w in WORDS if w != word))
    features = [
        "solved" if solved else "scrambled",
        "with a turned layer" if turned else "",
        f"with {n} squares a side",
    ]
    return model.instance(
        finish(rng, "plastic", word), "cube-shaped", features, colors=colors, pattern="checkered", density=450
    )


KIND = Kind(
    name="rubik's cube",
    synonyms=("rubik cube", "magic cube", "puzzle cube", "twisty puzzle"),
    hypernyms=("puzzle", "toy"),
    function="solving a puzzle",
    description="a cube whose six faces are grids of square tiles in six bright colors, in order or mixed",
    longest=(0.045, 0.095),
    sample=sample,
)
