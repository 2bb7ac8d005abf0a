"""Pizza slices: triangles of flat dough with a raised crust, melted cheese, sauce and toppings."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.baking import CRUSTS, crust
from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.kinds.skins import peel
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

CHEESES = ((236, 196, 104), (240, 206, 128), (230, 180, 84))
SAUCE, TOPPINGS = (184, 56, 30), ("salami", "salami", "salami", "olives", "peppers", "basil", "mushrooms", "")


def melted(rng: Rng, cheese: Floats) -> TextureImage:
    """Paint the top: sauce, melted cheese, browned spots."""
    shape = (96, 96)
    field = tx.grid_noise(rng, shape, 7, 7) + 0.4 * tx.grid_noise(rng, shape, 20, 20)
    image = tx.lerp_color(np.asarray(SAUCE, dtype=float), cheese, tx.smoothstep(field, -1.6, -0.4) * 0.92)
    burnt = tx.smoothstep(tx.grid_noise(rng, shape, 10, 10), 1.1, 2.2)
    image = tx.lerp_color(image, (156, 84, 36), burnt * rng.uniform(0.2, 0.8))
    return tx.to_uint8(image * (1 + 0.05 * tx.grid_noise(rng, shape, 24, 24)[..., None]))


def strips(rng: Rng, image: TextureImage, topping: str) -> TextureImage:
    """Draw thin toppings."""
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    colors = {
        "peppers": ((70, 140, 50), (196, 40, 30), (236, 190, 50)),
        "basil": ((46, 104, 40), (60, 120, 46)),
        "mushrooms": ((206, 188, 160), (186, 162, 130)),
    }
    for _ in range(int(rng.integers(9, 17))):
        x, y, s, a = rng.uniform(4, 92), rng.uniform(4, 92), rng.uniform(4, 8), rng.uniform(0, 360)
        r, g, b = choice(rng, colors[topping])
        if topping == "peppers":
            draw.arc([x - s, y - s, x + s, y + s], a, a + 170, fill=(r, g, b), width=3)
        elif topping == "basil":
            draw.ellipse([x - s, y - 0.6 * s, x + s, y + 0.6 * s], fill=(r, g, b))
        else:
            draw.pieslice([x - s, y - s, x + s, y + s], a, a + 200, fill=(r, g, b), outline=(120, 96, 70))
    return np.asarray(canvas)


def sample(rng: Rng) -> Instance:
    """Sample a pizza slice, lying, its tip towards +x."""
    model = ModelBuilder()
    skin = finish(rng, "food", "yellow", rgb=CHEESES)
    length, half, thin = rng.uniform(105, 190), np.radians(rng.uniform(17, 30)), rng.uniform(5, 12)
    arc = np.linspace(-half, half, 11)
    t = np.linspace(0, 1, 8)[1:, None]
    edge = np.c_[np.cos(arc), np.sin(arc)]
    sector = np.concatenate([[[0, 0]], t[:-1] * edge[0], edge, t[:-1][::-1] * edge[-1]]) * length
    sector[1:7] += rng.normal(0, 0.9, (6, 2))
    topping = choice(rng, TOPPINGS)
    top = melted(rng, skin.tints[0])
    if topping in ("peppers", "basil", "mushrooms"):
        top = strips(rng, top, topping)
    dough = np.array(choice(rng, CRUSTS)) * rng.uniform(0.95, 1.2)
    side = tx.to_uint8(np.minimum(crust(rng, dough * 1.2, (16, 96)).astype(float), 240))
    model.prism(sector * [-1, 1] @ np.diag([1, -1]) + [0.6 * length, 0], 0, thin, top, side)
    rim = np.c_[0.6 * length - length * np.cos(arc), length * np.sin(arc), np.full(11, 0.8 * thin)]
    model.sweep(
        rim, rng.uniform(8, 13), crust(rng, dough, (96, 48)), thin * rng.uniform(0.8, 1.1) + 2, segments=12, pieces=2
    )
    scatter(model, rng, length, half, thin, topping)
    colors = ("yellow", "brown", "red") if topping == "salami" else ("yellow", "brown")
    return model.instance(
        skin,
        "triangular",
        [f"with {topping}" if topping else "with cheese only", "with a thick crust" if thin > 9 else "thin"],
        colors=colors,
    )


def scatter(model: ModelBuilder, rng: Rng, length: float, half: float, thin: float, topping: str) -> None:
    """Lay slices of salami or olive rings on the top."""
    if topping not in ("salami", "olives"):
        return
    salami = topping == "salami"
    color = np.array((176, 44, 34) if salami else (44, 40, 44)) * rng.uniform(0.85, 1.15)
    spots = ((224, 130, 100), 0.06) if salami else None
    disc = peel(rng, color, tone=0.08, patches=(color * 0.75, 0.3), spots=spots, texels=(24, 64), spot_count=14)
    if not salami:
        disc[:8] = (204, 160, 84)
    placed: list[Floats] = []
    for _ in range(40):
        r = rng.uniform(0.075, 0.1) * length if salami else rng.uniform(4, 6)
        d, a = rng.uniform(0.3, 0.84) * length, rng.uniform(-1, 1) * half
        inside = abs(a) < half - np.arcsin(min(0.9 * r / d, 1)) and all(
            np.hypot(*(p - (d * np.cos(a), d * np.sin(a)))) > 2 * r for p in placed
        )
        if inside and len(placed) < 7:
            placed.append(np.array([d * np.cos(a), d * np.sin(a)]))
            at = (0.6 * length - placed[-1][0], placed[-1][1], thin)
            model.lathe([(r, -1), (r * 0.98, 1.2), (0.6 * r, 0.9), (0, 0.8)], disc, 18, at=at, hull=False)


KIND = Kind(
    name="pizza slice",
    synonyms=("slice of pizza", "piece of pizza", "pizza"),
    hypernyms=("fast food", "food"),
    function="eating",
    description="a flat triangular piece of baked dough covered with melted cheese and red sauce, with a raised brown "
    "crust at its wide end",
    longest=(0.1, 0.21),
    sample=sample,
)
