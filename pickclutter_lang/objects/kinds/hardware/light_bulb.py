"""Light bulbs: clear or frosted glass, pear, candle and globe forms, and LED lamps with a plastic collar."""

import numpy as np

from pickclutter_lang.objects.kinds.finishes import Rng, choice, finish, tint
from pickclutter_lang.objects.kinds.fittings import thread
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage

FORMS = {
    "pear-shaped": [
        (0.42, 0),
        (0.45, 0.12),
        (0.66, 0.36),
        (0.95, 0.58),
        (1.0, 0.74),
        (0.78, 0.93),
        (0.35, 1.0),
        (0, 1.01),
    ],
    "candle-shaped": [(0.6, 0), (0.85, 0.14), (1.0, 0.32), (0.85, 0.58), (0.45, 0.82), (0.16, 0.95), (0, 1.0)],
    "round": [(0.36, 0), (0.4, 0.1), (0.8, 0.28), (1.0, 0.55), (0.84, 0.82), (0.45, 0.97), (0, 1.0)],
}


def sample(rng: Rng) -> Instance:
    """Sample a light bulb, standing on its base."""
    model = ModelBuilder()
    form = choice(rng, ("pear-shaped", "pear-shaped", "pear-shaped", "candle-shaped", "round"))
    base = rng.uniform(11.5, 13.5) if form != "candle-shaped" else rng.uniform(7, 11)
    r = {"pear-shaped": rng.uniform(27, 33), "candle-shaped": rng.uniform(16, 19), "round": rng.uniform(28, 42)}[form]
    tall = r * {"pear-shaped": 2.5, "candle-shaped": 4.0, "round": 2.05}[form] * rng.uniform(0.92, 1.08)
    led = form != "round" and rng.random() < 0.4
    clear = not led and rng.random() < 0.4
    color = choice(rng, ("white",) * 16 + ("yellow", "orange", "red", "blue", "green")) if not clear else "white"
    glass = finish(rng, "glass" if not led else "plastic", color, wear=0.1)
    foot = base * 1.9
    screw = [
        (0, 0),
        (0.3 * base, 0),
        (0.34 * base, 1.5),
        (0.75 * base, 3.5),
        *thread(base, 4, foot, base * 0.32, 0.1),
        (base, foot + 2),
    ]
    metal = tint(rng, "grey") * 1.25 if rng.random() < 0.7 else np.array((196, 164, 92))
    _, v = tx.uv_grid(64, 8)
    model.lathe(
        screw, tx.to_uint8(tx.lerp_color((50, 50, 52), metal, tx.smoothstep(v, 0.22, 0.28))), segments=20, pieces=1
    )
    start = foot + 1.5
    if led:
        collar = tall * rng.uniform(0.3, 0.42)
        side = tint(rng, choice(rng, ("white", "white", "grey")))
        wide = r * rng.uniform(0.88, 0.97)
        rows = smooth([(base * 1.02, 0), (base * 1.25, 0.25), (wide * 0.9, 0.8), (wide, 1)], 8) * [1, collar]
        fins = rng.random() < 0.3
        u, _ = tx.uv_grid(32, 112)
        ribs = tx.smoothstep(np.abs((u * 18) % 1 - 0.5), 0.2, 0.35) * (0.5 if fins else 0)
        model.lathe(np.add(rows, (0, start)), tx.to_uint8(tx.lerp_color(side, side * 0.5, ribs)), segments=24, pieces=1)
        dome = smooth([(wide, 0), (r, 0.25), (0.93 * r, 0.55), (0.6 * r, 0.86), (0, 1)], 14) * [1, tall - collar]
        model.lathe(np.add(dome, (0, start + collar)), glass, segments=28, pieces=1)
    else:
        outline = smooth(FORMS[form], 24) * [r, tall]
        image = _clear(rng, tall) if clear else glass
        outline[0, 0] = max(outline[0, 0], base * 1.01)
        model.lathe(np.add(outline, (0, start)), image, segments=28, pieces=3)
    features = [
        form,
        "clear" if clear else "" if led else "frosted",
        "with a plastic collar" if led else "with a metal base",
    ]
    return model.instance(glass, form, features, density=350, colors=("grey",) if clear else ())


def _clear(rng: Rng, tall: float) -> TextureImage:
    """Paint clear glass, through which a filament on its stem is seen."""
    u, v = tx.uv_grid(112, 128)
    color = tx.lerp_color((172, 182, 188), (120, 130, 138), 0.5 + 0.5 * np.cos(2 * np.pi * (2 * u + rng.uniform())))
    across = np.abs((u * 2) % 1 - 0.5)
    stem = 1 - tx.smoothstep(across + 0.05 * v, 0.08, 0.11)
    color = tx.lerp_color(color, (206, 212, 214), 0.7 * stem * (v < 0.42))
    zigzag = np.abs(v - 0.5 - 0.025 * np.sin(u * 190)) < 0.014
    color = tx.lerp_color(color, (246, 196, 90), (zigzag & (across < 0.22)).astype(float))
    glint = np.exp(-(((u - rng.uniform(0.1, 0.9)) / 0.025) ** 2))
    return tx.to_uint8(tx.lerp_color(color, (250, 253, 255), 0.8 * glint))


KIND = Kind(
    name="light bulb",
    synonyms=("lightbulb", "electric bulb", "lamp bulb"),
    hypernyms=("lamp", "household item"),
    function="lighting a room",
    description="a smooth, rounded glass or white globe that narrows to a short metal base with a spiral thread",
    longest=(0.07, 0.14),
    sample=sample,
)
