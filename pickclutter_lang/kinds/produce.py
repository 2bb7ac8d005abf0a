"""What fruit and vegetables share: uneven bodies, pitted skins, stubs of stems, sepals, and cut faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pickclutter_lang.kinds.finishes import Rng, tint
from pickclutter_lang.kinds.models import ModelBuilder, Profile, plain, smooth
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import Floats, rotation

LYING = rotation("x", -90)  # lays the axis of a lathe along +y
LENGTHWISE = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # lays the axis of a lathe along +y, its +x side up
UPRIGHT = np.eye(3)
GREENS = ((92, 140, 50), (70, 116, 44), (112, 150, 66))


def lying(rng: Rng, spread: float = 6.0) -> Floats:
    """Return a turn that lays a body of revolution on its side, its top towards +y."""
    return np.asarray(rotation("z", rng.normal(0, 2 * spread)) @ rotation("x", -90 + rng.normal(0, spread)))


def uneven(
    rng: Rng, amount: float, lobes: int = 0, depth: float = 0.0, crease: float = 0.0, lean: float = 0.03
) -> Callable[[Floats], Floats]:
    """Return a `bend` for `ModelBuilder.lathe`: what grew is never quite round.

    :param amount: how much wide lobes change the radius
    :param lobes: number of regular ribs, of a relative `depth`
    :param crease: relative depth of one groove from end to end, on the side towards +x
    :param lean: how far the upper end shifts per mm of height, as a deviation
    """
    phase, second = rng.uniform(0, 2 * np.pi, 2)
    a, b = rng.normal(0, amount / 2, 2)
    shift = rng.normal(0, lean, 2)

    def bend(points: Floats) -> Floats:
        angle = np.arctan2(points[:, 1], points[:, 0])
        factor = 1 + a * np.cos(2 * angle + phase) + b * np.cos(3 * angle + second)
        if lobes:
            factor = factor - depth * (1 - np.abs(np.cos(lobes * angle / 2 + phase)) ** 0.7)
        if crease:
            factor = factor - crease * np.exp(-((angle / 0.22) ** 2))
        return np.asarray(points * np.stack([factor, factor, np.ones(len(points))], -1) + points[:, 2:] * [*shift, 0])

    return bend


def pitted(rng: Rng, image: npt.ArrayLike, cols: int, depth: float) -> TextureImage:
    """Darken small pits, as those of the peel of citrus fruit."""
    base = np.asarray(image, dtype=float)
    rows = max(4, round(cols * base.shape[0] / base.shape[1]))
    pits = tx.smoothstep(tx.grid_noise(rng, base.shape, rows, cols), 0.1, 1.6)
    return tx.to_uint8(base * (1 + 0.25 * depth - depth * pits[..., None]))


def stub(
    model: ModelBuilder,
    rng: Rng,
    foot: npt.ArrayLike,
    length: float,
    thick: float,
    color: npt.ArrayLike,
    turn: Floats = UPRIGHT,
    flare: float = 1.3,
    hull: bool = True,
) -> None:
    """Add a short bent stem that grows up from `foot`; `turn` turns both, and `flare` is the width of its end."""
    lean = rng.normal(0, 0.18, 2) * length
    points = [(0, 0, -0.15 * length), (*(0.3 * lean), 0.5 * length), (*lean, length)]
    path = np.asarray(foot, dtype=float) + smooth(points, 5)
    widths = thick * np.interp(np.linspace(0, 1, 5), [0, 0.25, 0.7, 1], [1.25, 1, 0.95, flare])
    model.sweep(path @ turn.T, widths, plain(color), segments=8, up=(turn @ (0.1, 1, 0)).tolist(), pieces=1, hull=hull)


def calyx(
    model: ModelBuilder,
    rng: Rng,
    foot: Floats,
    length: float,
    count: int,
    color: npt.ArrayLike,
    turn: Floats,
    rise: float,
    droop: float = 0.3,
    width: float = 0.22,
) -> None:
    """Add pointed sepals around `foot` that rise a little and droop, in shares of their length."""
    v = tx.uv_grid(16, 8)[1]
    middle = 1 - tx.smoothstep(np.abs(tx.uv_grid(16, 8)[0] - 0.5), 0.0, 0.2)
    green = np.asarray(color, dtype=float)
    image = tx.to_uint8(green * (0.8 + 0.3 * v + 0.15 * middle)[..., None])
    t = np.linspace(0, 1, 6)
    start = rng.uniform(0, 360)
    tips = []
    for n in range(count):
        reach = length * rng.uniform(0.8, 1.15)
        half = reach * width * rng.uniform(0.85, 1.2) * np.sin(np.pi * np.clip(0.16 + 0.84 * t, 0, 1)) ** 0.8 + 0.2
        height = reach * (rise * np.sin(np.pi * 0.7 * t) * rng.uniform(0.6, 1.3) - droop * t**2)
        left = np.c_[t * reach, half]
        right = np.c_[t * reach, -half]
        around = rotation("z", start + 360 * (n + rng.uniform(-0.2, 0.2)) / count)
        model.plate(left, right, height - 0.4, height + 0.5, image, at=turn @ foot, turn=turn @ around, hull=False)
        tips.append(np.c_[np.concatenate([left, right]), np.tile(height, 2)] @ around.T)
    model.hull(np.concatenate(tips), turn @ foot, turn)


def cut_half(
    model: ModelBuilder,
    outline: Profile,
    skin: TextureImage,
    face: TextureImage,
    bend: Callable[[Floats], Floats] | None,
) -> None:
    """Add a body of revolution that ends in a flat cut at its top; v of `face` goes from the rim to the center."""
    rim = np.asarray(outline, dtype=float)[-1]
    model.lathe(outline, skin, bend=bend, pieces=1)
    radii = np.linspace(rim[0], 0, 6)
    model.lathe(np.c_[radii, np.full(6, rim[1])], face, bend=bend, hull=False)


def segments_face(rng: Rng, rind: npt.ArrayLike, pith: npt.ArrayLike, flesh: npt.ArrayLike, count: int) -> TextureImage:
    """Paint the cut face of a citrus fruit: rind, pith, and juicy segments around the middle."""
    u, v = tx.uv_grid(48, 128)
    edges = np.abs((u * count + 0.12 * tx.grid_noise(rng, u.shape, 2, count)) % 1 - 0.5) * (1 - v)
    juicy = (
        tx.smoothstep(0.5 * (1 - v) - edges, 0.02, 0.05) * tx.smoothstep(v, 0.12, 0.16) * tx.smoothstep(-v, -0.9, -0.85)
    )
    pulp = np.asarray(flesh, dtype=float) * (1 + 0.09 * tx.grid_noise(rng, u.shape, 4, 60)[..., None])
    color = tx.lerp_color(rind, pith, tx.smoothstep(v, 0.03, 0.06))
    return tx.to_uint8(tx.lerp_color(color, pulp, juicy))


def scattered(rng: Rng, shape: Sequence[int], rows: int, cols: npt.ArrayLike, size: float) -> Floats:
    """Return a mask [H, W] of spots in staggered rows, as of seeds; `cols` is how many each row holds, bottom first.

    :param size: radius of a spot as a share of the distance between two
    """
    u, v = tx.uv_grid(shape[0], shape[1])
    held = np.asarray(cols, dtype=float)
    row = np.clip((v * rows).astype(int), 0, rows - 1)
    counts = np.maximum(np.rint(np.interp(np.arange(rows), np.linspace(0, rows - 1, len(held)), held)), 3)
    phase = rng.uniform(-0.15, 0.15, rows) + 0.5 * (np.arange(rows) % 2)
    x = (u * counts[row] + phase[row]) % 1 - 0.5
    return np.asarray(1 - tx.smoothstep(np.hypot(x, (v * rows) % 1 - 0.5), size * 0.7, size))


def leaf_color(rng: Rng, factor: float = 1.0) -> Floats:
    """Return a green of sepals and stems."""
    return np.asarray(tint(rng, "green", 0.6) * 0.35 + 0.65 * np.asarray(GREENS[int(rng.integers(3))])) * factor
