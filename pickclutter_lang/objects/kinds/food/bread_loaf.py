"""Bread loaves: from a tin, whole or cut, round and scored, or long with slashes; pale to dark brown."""

import numpy as np

from pickclutter_lang.objects.kinds.baking import CRUMBS, CRUSTS, crumb, crust
from pickclutter_lang.objects.kinds.finishes import Finish, Rng, choice, finish
from pickclutter_lang.objects.kinds.kind import Instance, Kind
from pickclutter_lang.objects.kinds.models import ModelBuilder, smooth
from pickclutter_lang.objects.kinds.produce import uneven
from pickclutter_lang.objects.procedural import textures as tx
from pickclutter_lang.objects.procedural.geometry import TextureImage
from pickclutter_lang.objects.procedural.surfaces import grid_surface

STANDING = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])  # turns a prism to +y, its second axis up
DARK = ((112, 70, 40), (132, 82, 44))


def sample(rng: Rng) -> Instance:
    """Sample a bread loaf."""
    model = ModelBuilder()
    skin = finish(rng, "food", "brown", rgb=(*CRUSTS, *DARK))
    sort = choice(rng, ("tin", "tin", "cut", "round", "long", "long"))
    if sort in ("tin", "cut"):
        return tin_loaf(model, rng, skin, sort == "cut")
    floury = rng.random() < 0.5
    if sort == "round":
        r, tall = rng.uniform(70, 115), rng.uniform(0.62, 0.9)
        outline = [(0, 0), (0.7, 0), (0.92, 0.12), (1, 0.35), (0.92, 0.62), (0.66, 0.86), (0.3, 0.98), (0, 1)]
        image = scored(rng, skin, (88, 144), floury, True)
        model.lathe(smooth(outline, 20) * [r, r * tall], image, 32, bend=uneven(rng, 0.06), pieces=1)
        return model.instance(
            skin, "round", ["with flour on top" if floury else "with a shiny crust", "with cuts on top"]
        )
    length, slim = rng.uniform(170, 300), rng.uniform(0.17, 0.26)
    t = np.sin(np.linspace(-1, 1, 15) * np.pi / 2)
    width = length * slim * np.maximum(1 - np.abs(t) ** rng.uniform(2.2, 4), 0.12) ** 0.6
    path = np.c_[6 * np.sin(2 * t + rng.uniform(0, 6)), t * length / 2, 0.7 * width]
    model.sweep(
        path, width, scored(rng, skin, (160, 80), floury, False), 0.78 * width, power=2.2, segments=20, pieces=3
    )
    return model.instance(
        skin, "oval", ["with flour on top" if floury else "with a shiny crust", "with slashes on top"]
    )


def scored(rng: Rng, skin: Finish, texels: tuple[int, int], floury: bool, cross: bool) -> TextureImage:
    """Paint a crust with pale cuts on the upper side, and flour."""
    image: np.ndarray = crust(rng, skin.tints[0], texels).astype(float)  # type: ignore[type-arg]
    u, v = tx.uv_grid(*texels)
    wobble = 0.03 * tx.grid_noise(rng, texels, 4, 4)
    if cross:
        top = tx.smoothstep(v, 0.5, 0.62)
        lines = np.abs((u * choice(rng, (2, 3, 4)) + wobble) % 1 - 0.5) * 2 * (1.02 - v)
    else:
        top = tx.smoothstep(np.sin(2 * np.pi * u), 0.45, 0.75) * tx.smoothstep(-np.abs(v - 0.5), -0.44, -0.38)
        lines = np.abs((v * int(rng.integers(3, 6)) + 1.6 * (u - 0.25) + wobble) % 1 - 0.5) * 0.5
    cut = top * (1 - tx.smoothstep(lines, 0.02, 0.055))
    if floury:
        dust = top * tx.smoothstep(tx.grid_noise(rng, texels, 12, 12), -0.6, 1.6) * rng.uniform(0.4, 0.8)
        image = tx.lerp_color(image, (236, 226, 206), dust)
    pale = np.minimum(skin.tints[0] * 1.35 + 18, (236, 206, 150))
    return tx.to_uint8(tx.lerp_color(image, pale, 0.85 * cut))


def tin_loaf(model: ModelBuilder, rng: Rng, skin: Finish, cut: bool) -> Instance:
    """Add a loaf with straight sides and a domed top that bulges over them; a cut one shows its crumb."""
    color = skin.tints[0]
    length, half, tall = rng.uniform(130, 290), rng.uniform(42, 60), rng.uniform(75, 115)
    bulge, edge = rng.uniform(1.04, 1.2), rng.uniform(0.46, 0.6)
    side = [
        (0.0, 0.0),
        (0.6, 0.0),
        (0.86, 0.02),
        (0.93, 0.12),
        (0.96, edge - 0.1),
        (bulge - 0.04, edge),
        (bulge, edge + 0.1),
    ]
    right = smooth([*side, (0.9 * bulge, edge + 0.22), (0.62, 0.94), (0.25, 1.0), (0, 1.0)], 19)
    outline = np.concatenate([right, right[-2:0:-1] * [-1, 1], right[:1]]) * [half, tall]
    stations = np.array([0, 0.03, 0.1, 0.5, 0.9, 0.97, 1])
    scale = np.array([0.84, 0.95, 1, 1, 1, 0.95, 0.84])
    if cut:
        stations, scale = stations[:-2], np.r_[scale[:-3], 1.0]
    middle = np.array([0, 0.45 * tall])
    wave = 1 + 0.03 * np.sin(rng.uniform(0, 6) + 9 * stations)[:, None, None] * (outline[:, 1:] > edge * tall)
    rows = middle + (outline - middle) * scale[:, None, None] * wave
    along = np.broadcast_to((length * (stations / stations[-1] - 0.5))[:, None, None], (*rows.shape[:2], 1))
    points = np.concatenate([rows[..., :1], along, rows[..., 1:]], -1)[::-1]
    u = tx.uv_grid(144, 96)[0]
    top = tx.smoothstep(-np.abs(u - 0.5), -0.27, -0.17)
    crack = rng.random() < 0.4
    split = (1 - tx.smoothstep(np.abs(u - 0.5 + 0.01 * tx.grid_noise(rng, u.shape, 9, 2)), 0.012, 0.03)) * crack
    wall = tx.lerp_color(np.minimum(crust(rng, color * 1.25, (144, 96)), (236, 196, 136)), color * 0.85, 0.85 * top)
    wall = tx.lerp_color(wall, np.minimum(color * 1.4, (236, 200, 140)), 0.8 * split)
    model.surface(grid_surface(points), tx.to_uint8(wall))
    model.hull(points[[0, 1, 2, -3, -2, -1]].reshape(-1, 3))
    heel = crust(rng, color * 1.15, (56, 56))
    faces = heel, crumb(rng, choice(rng, CRUMBS), (72, 72), 0.12) if cut else heel
    for row, face, y in zip((rows[0], rows[-1]), faces, (-length / 2, length / 2 - 1), strict=True):
        model.prism(row[-2::-1] * [-1, 1], 0, 1, face, heel, at=(0, y, 0), turn=STANDING, hull=False)
    features = ["with a cut end" if cut else "uncut", "with a domed top", "with a split on top" if crack else ""]
    return model.instance(skin, "rectangular", features)


KIND = Kind(
    name="bread loaf",
    synonyms=("loaf of bread", "loaf", "bread"),
    hypernyms=("baked good", "food"),
    function="eating",
    description="a large piece of baked dough with a firm brown crust, rounded on top and flat below",
    longest=(0.125, 0.32),
    sample=sample,
)
