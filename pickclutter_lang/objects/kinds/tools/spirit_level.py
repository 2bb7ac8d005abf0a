"""Spirit levels: long bars of colored metal or plastic with vials of yellow-green liquid and a bubble."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import BLACK, TOOL_COLORS
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin, plain
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

FACING_X = rotation("z", 90) @ rotation("x", 90)
LIQUIDS = ((206, 226, 40), (176, 222, 60), (228, 232, 70), (120, 214, 190))
WOODEN = ((188, 132, 76), (160, 100, 54))


def sample(rng: Rng) -> Instance:
    """Sample a spirit level, standing on its long edge along y."""
    model = ModelBuilder()
    length = rng.uniform(120, 280)
    tall, thick = rng.uniform(38, 54) * (0.7 + length / 800), rng.uniform(14, 22)
    wooden = rng.random() < 0.1
    material = choice(rng, ("metal", "metal", "plastic"))
    skin = finish(rng, material, [*TOOL_COLORS, "yellow", "grey", "grey"], wear=0.5)
    if wooden:
        skin = finish(rng, "wood", "brown", wear=0.5, rgb=WOODEN)

    def panel(y: float, z: float, wide: float, high: float, image: Skin, out: float, turn: float = 0) -> None:
        """Add a thin panel to both faces."""
        outline = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * [wide / 2, high / 2]
        for side in (-1, 1):
            near, far = sorted((side * (thick / 2 + out - 0.8), side * (thick / 2 + out)))
            model.prism(outline, near, far, image, at=(0, y, z), turn=rotation("x", turn) @ FACING_X, hull=False)

    model.box((thick, length, tall), skin, 1.2, at=(0, 0, tall / 2))
    web = skin.solid(rng.uniform(0.72, 0.9))
    if not wooden and rng.random() < 0.6:
        panel(0, tall / 2, length - 8, tall * 0.66, web, 0.3)
    caps = rng.random() < 0.5
    for side in (-1, 1) if caps else ():
        model.box((thick + 2, 7, tall + 1.5), plain(BLACK), 1.5, at=(0, side * (length / 2 - 1), tall / 2))
    liquid = np.array(choice(rng, LIQUIDS))
    rims = [c for c in ("black", "white", "red", "yellow") if c != skin.colors[0]]
    frame = plain(tint(rng, choice(rng, rims)) if not wooden else (190, 156, 80))
    window, vial = rng.uniform(14, 20) * (0.6 + length / 500), _vial(liquid, float(rng.uniform(0.35, 0.65)))
    panel(0, tall * 0.76, 2.7 * window, tall * 0.52, frame, 0.6)
    panel(0, tall * 0.8, 2 * window, tall * 0.36, vial, 1.1)
    top = dict.fromkeys(("right", "left", "front", "back", "bottom"), frame) | {
        "top": np.ascontiguousarray(np.rot90(vial))
    }
    model.box((thick * 0.7, 2 * window, 1), top, 0.2, at=(0, 0, tall), hull=False)
    ends = int(choice(rng, (1, 2, 2))) if length > 150 else 1
    r = tall * rng.uniform(0.3, 0.38)
    for n in range(ends):
        y, h = (1 - 2 * n) * length * rng.uniform(0.32, 0.37), thick / 2
        for side in (-1, 1):
            for size, image, out in ((r, frame, 1.0), (0.8 * r, web, 1.3)):
                near, far = sorted((side * (h - 1), side * (h + out)))
                model.prism(circle(size, 20, (y, tall / 2)), near, far, image, turn=FACING_X, hull=False)
        panel(y, tall / 2, 1.5 * r, 0.55 * r, vial, 1.8, 90 if n == 0 or rng.random() < 0.6 else 45)
    if rng.random() < 0.7 and not wooden:
        brand = sample_brand(rng, ("level",), skin.colors)
        label, _ = tx.canvas((64, 20), skin.tints[0].tolist())
        tx.draw_text(label, brand.name, (32, 9), min(13, 84 / len(brand.name)), brand.ink)
        panel(
            -0.2 * length if ends == 1 else -0.17 * length,
            0.3 * tall,
            0.15 * length,
            0.3 * tall,
            np.asarray(label),
            0.7,
        )
    count = ("one", "two", "three")[ends]
    features = [f"with {count} vials", "with end caps" if caps else ""]
    return model.instance(skin, "long and rectangular", features, density=700)


def _vial(liquid: Floats, place: float) -> TextureImage:
    """Paint a vial with its bubble and two black lines."""
    u, v = tx.uv_grid(24, 72)
    color = tx.lerp_color(liquid * 0.75, liquid * 1.15, np.sin(np.pi * v))
    bubble = 1 - tx.smoothstep(np.hypot((u - place) / 0.13, (v - 0.58) / 0.3), 0.8, 1)
    color = tx.lerp_color(color, (248, 252, 226), 0.85 * bubble)
    return tx.to_uint8(tx.lerp_color(color, (20, 20, 20), (np.abs(np.abs(u - 0.5) - 0.17) < 0.016).astype(float)))


KIND = Kind(
    name="spirit level",
    synonyms=("bubble level", "builder's level", "level tool"),
    hypernyms=("measuring tool", "hand tool", "tool"),
    function="checking that a surface is level",
    description="a long, straight rectangular bar with small windows that show yellow-green liquid tubes with a bubble "
    "between two lines",
    longest=(0.115, 0.3),
    sample=sample,
)
