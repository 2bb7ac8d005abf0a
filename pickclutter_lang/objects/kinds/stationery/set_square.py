"""Set squares: flat triangles of clear or colored plastic, wood or steel with an open middle and scales."""

import numpy as np
from PIL import Image

from pickclutter_lang.objects.kinds.finishes import WOODS, Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.fittings import steel
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage

CLEARS = {
    "white": ((206, 216, 220), (214, 220, 220)),
    "orange": ((236, 150, 60),),
    "green": ((90, 176, 96),),
    "blue": ((70, 130, 206),),
    "pink": ((236, 134, 172),),
    "yellow": ((238, 204, 60),),
}


def sample(rng: Rng) -> Instance:
    """Sample a set square, lying flat, its right angle at -y."""
    model = ModelBuilder()
    long = rng.uniform(95, 230)
    angle = choice(rng, (45, 45, 30, 60))
    tall = long * float(np.tan(np.radians(angle)))
    if tall > long:
        long, tall = long * long / tall, long
    material = choice(rng, ("plastic", "plastic", "plastic", "wood", "steel"))
    if material == "wood":
        skin = finish(rng, "wood", "brown", wear=0.5, rgb=WOODS)
    elif material == "steel":
        skin = steel(rng)
    else:
        word = choice(rng, ("white", "white", "white", *CLEARS))
        skin = finish(rng, "plastic", word, wear=0.3, rgb=CLEARS[word])
    corners = np.array([(0, 0), (long, 0), (0, tall)])
    center = corners[0] + np.array([1, 1]) * (long + tall - np.hypot(long, tall)) / 2
    share, thick = rng.uniform(0.34, 0.55), rng.uniform(1.6, 3)
    inner = center + (corners - center) * share
    marked = rng.random() < 0.85
    for n in range(3):
        a, b, c, d = corners[n], corners[(n + 1) % 3], inner[(n + 1) % 3], inner[n]
        t = np.linspace(0, 1, 4)[:, None]
        image = _bar(skin, float(np.linalg.norm(b - a)), float(np.linalg.norm(center - inner[n])), marked and n != 1)
        model.plate(d + (c - d) * t, a + (b - a) * t, 0, thick, image, pieces=1)
    features = [
        "with two equal sides" if angle == 45 else "with a long and a short side",
        "with a scale" if marked else "without a scale",
        "with a triangular hole",
        {"wood": "wooden", "steel": "metal", "plastic": ""}[material],
    ]
    return model.instance(skin, "triangular", features, density=1200)


def _bar(skin: Finish, long: float, wide: float, marked: bool) -> TextureImage:
    """Paint one side; lines every half centimeter at its outer edge (u = 1), numbers beside them."""
    base = skin.image(max(wide * 0.6, 0.2 * long), long, 150)
    if not marked:
        return base
    rows, cols = base.shape[:2]
    image, draw = tx.canvas((cols, rows), (0, 0, 0))
    image.paste(Image.fromarray(base), (0, 0))
    ink = (24, 24, 28)
    pitch = rows * 5 / long
    for n in range(2, int(rows / pitch) - 1):
        y = rows - n * pitch
        draw.line([(cols, y), (cols * (0.72 if n % 2 == 0 else 0.86), y)], fill=ink)
        if n % 2 == 0 and 5 < y < rows - 5:
            tx.draw_text(image, str(n // 2 - 1), (0.55 * cols, y), min(8, 1.6 * pitch), ink, 270)
    return np.asarray(image)


KIND = Kind(
    name="set square",
    synonyms=("drawing triangle", "drafting triangle", "triangle ruler"),
    hypernyms=("measuring tool", "office supply", "stationery"),
    function="drawing right angles",
    description="a flat triangle with one right angle, a triangular hole in the middle and a scale along its edges",
    longest=(0.09, 0.34),
    sample=sample,
)
