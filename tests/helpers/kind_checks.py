"""Measures of procedural models: closed surfaces, volumes, and how much of the area has which color."""

import numpy as np
from matplotlib.colors import rgb_to_hsv

from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface
from pickclutter_lang.objects.procedural.textures import COLORS

_COARSE = ((0.6, 0.2, 0.2), (0.2, 0.6, 0.2), (0.2, 0.2, 0.6))
_FINE = [((i + 0.3) / 7, (j + 0.3) / 7, 1 - (i + j + 0.6) / 7) for i in range(7) for j in range(7 - i)]


def signed_volume(surface: Surface) -> float:
    """Return the volume of a closed surface, negative when its faces point inward."""
    a, b, c = (surface.points[surface.faces[:, n]] for n in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def is_closed(surface: Surface) -> bool:
    """Return whether every edge, of points welded by position, belongs to as many faces in either direction."""
    index = np.unique(np.round(surface.points * 1e6).astype(int), axis=0, return_inverse=True)[1].reshape(-1)
    faces = index[surface.faces]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward, count = np.unique(edges, axis=0, return_counts=True)
    table = {tuple(edge): n for edge, n in zip(forward.tolist(), count.tolist(), strict=True)}
    return all(a == b or table.get((b, a)) == n for (a, b), n in table.items())


def color_shares(geometry: ModelGeometry) -> dict[str, float]:
    """Return the share of the area whose color people call by each word; a shade between two words counts for both."""
    total, shares = 0.0, dict.fromkeys(COLORS, 0.0)
    references = _places(np.array(list(COLORS.values()), dtype=float))
    for part in geometry.parts:
        surface, (height, width) = part.surface, part.image.shape[:2]
        corners = surface.points[surface.faces]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        # Few triangles, such as those of a box's side, show much of the image each; an image of 8 x 8 is plain.
        samples = _FINE if len(area) <= 64 and height * width > 64 else _COARSE
        for weights in samples:
            u, v = np.einsum("fcd,c->df", surface.uv[surface.faces], weights)
            rows, cols = ((1 - v) * (height - 1)).round().astype(int), (u * (width - 1)).round().astype(int)
            colors = _places(part.image[rows, cols].astype(float))
            distance = np.linalg.norm(colors[:, None] - references[None], axis=-1)
            near = distance <= distance.min(axis=1, keepdims=True) + 0.12
            for n, word in enumerate(COLORS):
                shares[word] += float(area[near[:, n]].sum()) / len(samples)
        total += float(area.sum())
    return {word: share / total for word, share in shares.items()}


def _places(rgb: Floats) -> Floats:
    """Return the places [N, 3] of RGB colors [N, 3] in a cone of hue and saturation over brightness."""
    hue, saturation, value = rgb_to_hsv(rgb / 255).T
    radius = saturation * value
    return np.stack([radius * np.cos(2 * np.pi * hue), radius * np.sin(2 * np.pi * hue), value], axis=1)
