"""Coins: round discs of copper, brass or silver color with a raised rim, a number or a head; some in two metals."""

import numpy as np
from PIL import Image, ImageDraw

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, circle, rotation

METALS = {"grey": (186, 188, 190), "yellow": (212, 172, 62), "brown": (150, 88, 50)}
HEAD = (
    (-0.1, -0.62),
    (0.22, -0.55),
    (0.36, -0.3),
    (0.34, -0.1),
    (0.5, 0.08),
    (0.36, 0.14),
    (0.36, 0.34),
    (0.1, 0.4),
    (0.16, 0.7),
    (-0.5, 0.7),
    (-0.3, 0.3),
    (-0.42, -0.05),
    (-0.4, -0.4),
)


def _relief(rng: Rng, color: Floats, core: Floats, share: float) -> TextureImage:
    """Strike a number or a head into a face, and letters and beads around it."""
    n = 96
    raised = Image.new("L", (n, n))
    draw = ImageDraw.Draw(raised)
    middle = n / 2
    if rng.random() < 0.55:
        stamp, _ = tx.canvas((n, n), (0, 0, 0))
        tx.draw_text(
            stamp, choice(rng, ("1", "2", "5", "10", "20", "50", "100")), (middle, middle - 3), 34, (255, 255, 255)
        )
        tx.draw_text(
            stamp,
            choice(rng, ("CENT", "CROWN", "MARK", "ROYAL", "PESO", "LIRA")),
            (middle, middle + 22),
            11,
            (255, 255, 255),
        )
        raised = stamp.convert("L")
        draw = ImageDraw.Draw(raised)
    else:
        size = 0.42 * n
        flip = choice(rng, (-1, 1))
        draw.polygon([(middle + flip * x * size, middle + y * size) for x, y in HEAD], fill=255)
    for k in range(int(rng.integers(10, 26))):
        a = 2 * np.pi * k / 26 + np.pi
        x, y = middle + 0.4 * n * np.cos(a), middle + 0.4 * n * np.sin(a)
        draw.ellipse([x - 1.6, y - 1.6, x + 1.6, y + 1.6], fill=230)
    draw.ellipse([1, 1, n - 2, n - 2], outline=255, width=3)
    relief = np.asarray(raised, dtype=float) / 255
    shade = 0.24 * relief + 0.45 * (np.roll(relief, (1, 1), (0, 1)) - np.roll(relief, (-1, -1), (0, 1))) * -1
    u, v = tx.uv_grid(n, n)
    radius = np.hypot(u - 0.5, v - 0.5) * 2
    base = np.where((radius < share)[..., None], core, color)
    base = base * (1 - 0.3 * (np.abs(radius - share) < 0.02))[..., None]
    tarnish = 1 - 0.12 * np.clip(tx.grid_noise(rng, (n, n), 4, 4), -1, 2)
    return tx.to_uint8(base * (tarnish * (0.92 + shade))[..., None])


def sample(rng: Rng) -> Instance:
    """Sample a coin, lying, or standing on its edge."""
    model = ModelBuilder()
    r, word = rng.uniform(8.5, 19), choice(rng, ("grey", "grey", "yellow", "yellow", "brown"))
    thick = r * rng.uniform(0.13, 0.2)
    two = word != "brown" and rng.random() < 0.25
    other = {"grey": "yellow", "yellow": "grey"}.get(word, word)
    wear = rng.uniform(0.72, 1.08)
    color = np.array(METALS[word]) * wear * rng.normal(1, 0.03, 3)
    core = np.array(METALS[other]) * wear if two else color
    share = rng.uniform(0.5, 0.6) if two else 0.0
    turn = rotation("z", rng.uniform(0, 360))
    standing = rng.random() < 0.2
    if standing:
        turn = rotation("z", rng.uniform(-50, 50)) @ rotation("y", 90) @ turn
    corners = choice(rng, (40, 40, 40, 40, 12, 7))
    edge = circle(r, corners)
    heads, tails = (_relief(rng, color, core, share) for _ in range(2))
    u, _ = tx.uv_grid(8, 256)
    reeds = 1 - 0.35 * (np.sin(2 * np.pi * 100 * u) > 0) * (rng.random() < 0.6)
    side = tx.to_uint8(color * 0.9 * reeds[..., None])
    model.prism(edge, 0, thick, heads, side, turn=turn)
    # The other face is struck so that it is not mirrored when it lies up.
    model.prism(edge * 0.995, -0.2, 0.12, tails, side, turn=turn @ rotation("x", 180), hull=False)
    skin = finish(rng, "metal", word)
    features = ["in two metals" if two else "", "standing on its edge" if standing else "lying"]
    features += ["with a raised rim", "with corners" if corners < 20 else ""]
    return model.instance(skin, "flat and round", features, colors=(word, other) if two else (word,), density=8000)


KIND = Kind(
    name="coin",
    synonyms=("metal coin", "piece of money"),
    hypernyms=("money",),
    function="paying",
    description="a small flat round disc of shiny or tarnished metal with a raised rim and a number or head on it",
    longest=(0.0155, 0.04),
    sample=sample,
)
