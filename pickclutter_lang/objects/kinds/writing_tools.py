"""Parts of pencils, pens and markers: clips and lettering."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.finishes import Rng
from pickclutter_lang.objects.kinds.labels import sample_brand
from pickclutter_lang.objects.kinds.models import ModelBuilder, Skin
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage


def clip(model: ModelBuilder, radius: float, low: float, high: float, width: float, skin: Skin) -> None:
    """Add a clip above a barrel, from its free end at y = `low` to its root at `high`."""
    gap = radius + 1.3
    path = [
        (0, high, radius * 0.6),
        (0, high, gap + 0.6),
        (0, high - 3, gap + 0.6),
        (0, low + 4, gap),
        (0, low, radius + 0.4),
    ]
    model.sweep(path, width / 2, skin, 0.7, power=4, segments=8, up=(0, -0.4, 1), pieces=1)


def lettered(rng: Rng, color: npt.ArrayLike, ink: Sequence[float], size: float = 12) -> TextureImage:
    """Paint a barrel's skin with a made-up brand along it, seen from above and from both sides."""
    base = np.asarray(color, dtype=float).clip(0, 255)
    image, _ = tx.canvas((64, 128), base.tolist())
    name = sample_brand(rng, ("pen",)).name
    for x in (16, 48):
        tx.draw_text(image, name, (x, rng.uniform(40, 84)), min(size, 100 / len(name)), ink, 90)
    return np.asarray(image)
