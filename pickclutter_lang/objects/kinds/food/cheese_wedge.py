"""Cheese wedges: with holes, smooth and firm, soft with a white rind, or blue-veined."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

PASTES = {
    "holes": ("yellow", ((240, 204, 92), (244, 214, 120), (234, 196, 80))),
    "firm": ("yellow", ((236, 196, 84), (242, 208, 116))),
    "orange": ("orange", ((236, 146, 48), (230, 134, 40))),
    "soft": ("white", ((246, 230, 184), (242, 226, 190))),
    "blue": ("white", ((238, 232, 210),)),
}
RINDS = ((214, 164, 72), (190, 130, 60), (190, 40, 36), (236, 200, 80), (60, 50, 44))


def holed(rng: Rng, color: Floats, texels: tuple[int, int], size: tuple[float, float], count: int) -> TextureImage:
    """Paint paste with shaded holes; `size` in mm is that of the rectangle."""
    u, v = tx.uv_grid(*texels)
    image = np.asarray(color * (1 + 0.025 * tx.grid_noise(rng, texels, 5, 5)[..., None]))
    for _ in range(count):
        r, x, y = rng.uniform(2, 7.5), rng.uniform(0, size[0]), rng.uniform(0, size[1])
        dx, dy = (u * size[0] - x) / r, (v * size[1] - y) / r
        inside = 1 - tx.smoothstep(np.hypot(dx, dy), 0.85, 1.05)
        image = tx.lerp_color(image, color * np.clip(0.68 - 0.2 * dy, 0.45, 0.95)[..., None], inside)
    return tx.to_uint8(image)


def sample(rng: Rng) -> Instance:
    """Sample a cheese wedge, lying, its tip towards +x."""
    model = ModelBuilder()
    sort = choice(rng, (*("holes",) * 5, "firm", "firm", "orange", "orange", "soft", "soft", "blue"))
    word, pastes = PASTES[sort]
    skin = finish(rng, "food", word, rgb=pastes)
    color = skin.tints[0]
    length, angle, tall = rng.uniform(75, 140), rng.uniform(24, 58), rng.uniform(26, 60)
    half = np.radians(angle / 2)
    arc = np.linspace(-half, half, 9)[::-1]
    t = np.linspace(0, 1, 10)[:-1, None]
    corners = np.array([np.cos(half), np.sin(half)]), np.array([np.cos(half), -np.sin(half)])
    outline = np.concatenate([t * corners[1], np.c_[np.cos(arc), np.sin(arc)][::-1], (1 - t[:, :]) * corners[0]])
    outline = outline[:-1] if np.allclose(outline[-1], outline[0]) else outline
    outline = np.array([[0.62, 0]]) - outline * [1, -1]
    outline = outline[::-1] * length if _clockwise(outline) else outline * length
    count = int(rng.integers(12, 26)) if sort == "holes" else 0
    cap = holed(rng, color, (80, 72), (length, 2 * half * length), count)
    wall = holed(rng, color, (40, 144), (2.6 * length, tall), round(1.3 * count))
    u, v = tx.uv_grid(40, 144)
    rind = np.array(choice(rng, RINDS)) if sort in ("holes", "firm", "orange") else np.array((238, 232, 218))
    back = tx.smoothstep(-np.abs(u - 0.5), -0.165, -0.155)
    edge = np.maximum(back, tx.smoothstep(np.abs(v - 0.5), 0.42, 0.46) * (sort == "soft"))
    painted = tx.lerp_color(wall, rind * (1 + 0.05 * tx.grid_noise(rng, u.shape, 6, 20)[..., None]), edge)
    if sort == "blue":
        cap = veined(rng, cap)
        painted = tx.lerp_color(veined(rng, tx.to_uint8(painted)), rind, back)
    if sort == "soft":
        cap = tx.to_uint8(tx.pixel_noise(np.full(cap.shape, rind), rng, 4))
    model.prism(outline, 0, tall, cap, tx.to_uint8(painted))
    features = {
        "holes": ["with holes"],
        "firm": ["without holes", "firm"],
        "orange": ["without holes", "firm"],
        "soft": ["soft", "with a white rind"],
        "blue": ["with blue veins"],
    }
    return model.instance(skin, "wedge-shaped", features[sort], pattern="marbled" if sort == "blue" else "")


def veined(rng: Rng, image: TextureImage) -> TextureImage:
    """Add blue-grey mold."""
    field = tx.grid_noise(rng, image.shape, 9, 11)
    return tx.to_uint8(tx.lerp_color(image, (92, 112, 130), 0.8 * tx.smoothstep(field, 0.8, 1.7)))


def _clockwise(outline: Floats) -> bool:
    x, y = outline.T
    return bool(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) < 0)


KIND = Kind(
    name="cheese wedge",
    synonyms=("wedge of cheese", "piece of cheese", "cheese"),
    hypernyms=("dairy product", "food"),
    function="eating on bread",
    description="a flat triangular piece cut from a wheel, mostly yellow, with smooth sides, often with round holes, "
    "and a rind at the back",
    longest=(0.07, 0.15),
    sample=sample,
)
