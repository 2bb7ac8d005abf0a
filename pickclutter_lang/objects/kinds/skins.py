"""Skins that kinds share: of what grew (tone, streaks, spots, other colors at both ends), and ribs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pickclutter_lang.objects.kinds.finishes import Rng
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats

Layer = tuple[npt.ArrayLike, float]


def peel(
    rng: Rng,
    color: npt.ArrayLike,
    tone: float = 0.05,
    patches: Layer | None = None,
    streaks: Layer | None = None,
    spots: Layer | None = None,
    top: Layer | None = None,
    bottom: Layer | None = None,
    texels: tuple[int, int] = (72, 128),
    spot_count: int = 40,
) -> TextureImage:
    """Paint a skin for `ModelBuilder.lathe`, `ball` or `sweep`, whose ends are at v = 0 and v = 1.

    :param color: RGB of the ground
    :param tone: how much its brightness varies
    :param patches: RGB and share of the area (0 to 1) of large soft patches, as of ripe sides
    :param streaks: RGB and share of lines from end to end
    :param spots: RGB and share of small spots, `spot_count` of them around
    :param top: RGB at v = 1, and how far down it reaches as a share of the length
    :param bottom: RGB at v = 0, and how far up it reaches
    """
    _, v = tx.uv_grid(*texels)
    image = np.asarray(color, dtype=float) * (1 + tone * tx.grid_noise(rng, texels, 5, 8)[..., None])
    if patches:
        field = tx.grid_noise(rng, texels, 2, 3) + 0.25 * tx.grid_noise(rng, texels, 3, 44)
        image = tx.lerp_color(image, patches[0], 0.9 * _share(field, patches[1], 1.6))
    if streaks:
        image = tx.lerp_color(image, streaks[0], 0.75 * _share(tx.grid_noise(rng, texels, 3, 36), streaks[1], 0.8))
    if spots:
        field = tx.grid_noise(rng, texels, max(2, spot_count * 9 // 16), spot_count)
        image = tx.lerp_color(image, spots[0], 0.8 * _share(field, spots[1], 0.5))
    for end, distance in ((top, 1 - v), (bottom, v)):
        if end:
            ragged = distance * (1 + 0.15 * tx.grid_noise(rng, texels, 3, 12))
            image = tx.lerp_color(image, end[0], 1 - tx.smoothstep(ragged, 0.35 * end[1], end[1]))
    return tx.to_uint8(image)


def ribbed(color: npt.ArrayLike, count: int, depth: float = 0.3, low: float = 0.0, high: float = 1.0) -> TextureImage:
    """Paint `count` upright ribs round a lathe, between two heights of v.

    :param color: RGB of the ribs
    :param depth: how much darker the grooves are, as a share; negative: lighter
    """
    u, v = tx.uv_grid(24, 128)
    groove = 1 - tx.smoothstep(np.abs((u * count) % 1 - 0.5), 0.08, 0.3)
    groove[(v < low) | (v > high)] = 0
    base = np.asarray(color, dtype=float)
    return tx.to_uint8(tx.lerp_color(base, base * (1 - depth), groove))


def _share(field: Floats, share: float, softness: float) -> Floats:
    """Return a mask that is about 1 on a share of the area, soft at its edges."""
    level = float(np.quantile(field, 1 - min(max(share, 0.0), 1.0)))
    return tx.smoothstep(field, level - softness / 2, level + softness / 2)
