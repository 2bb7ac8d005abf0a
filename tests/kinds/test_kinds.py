"""Every kind: its words, and the geometry, texture and collision hulls of some instances."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv
from scipy.spatial import ConvexHull

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.kinds import Instance, Kind, all_kinds
from pickclutter_lang.kinds.kind import FAMILIES, check_unique_names
from pickclutter_lang.kinds.materials import MATERIALS
from pickclutter_lang.objects.procedural.geometry import ModelGeometry
from pickclutter_lang.objects.procedural.surfaces import Floats, Surface
from pickclutter_lang.objects.procedural.textures import COLORS
from pickclutter_lang.objects.procedural.writer import pack_atlas

KINDS = {kind.name: kind for kind in all_kinds()}
SEEDS = range(2)
_COARSE = ((0.6, 0.2, 0.2), (0.2, 0.6, 0.2), (0.2, 0.2, 0.6))
_FINE = [((i + 0.3) / 7, (j + 0.3) / 7, 1 - (i + j + 0.6) / 7) for i in range(7) for j in range(7 - i)]


@pytest.mark.parametrize("family", FAMILIES)
def test_kinds_of_a_family(family: str) -> None:
    faults = []
    for kind in (kind for kind in KINDS.values() if kind.sample.__module__.endswith(f".{family}")):
        items = [kind.instance(seed) for seed in SEEDS]
        textures = {b"".join(part.image.tobytes() for part in item.geometry.parts) for item in items}
        if len(textures) < len(items) or len({item.size for item in items}) < len(items):
            faults.append(f"{kind.name}: equal instances")
        for item in items:
            checks = (*geometry_faults(kind, item), *hull_faults(item))
            faults += [f"{kind.name}: {fault}" for fault in checks]
    assert not faults


def geometry_faults(kind: Kind, item: Instance) -> Iterator[str]:
    low, high = kind.longest
    if not 0.01 <= low <= max(item.size) <= high <= 0.35:
        yield f"size {item.size}"
    if np.abs(item.geometry.bounds.sum(axis=0)).max() > 1e-6:
        yield "not centered"
    parts = item.geometry.parts
    if sum(len(part.surface.faces) for part in parts) > 5000:
        yield "too many triangles"
    for surface in (part.surface for part in parts):
        if not np.isfinite(surface.points).all() or surface.uv.min() < 0 or surface.uv.max() > 1:
            yield "a surface with wrong numbers"
        if is_closed(surface) and signed_volume(surface) <= 0:
            yield "faces point inward"
    if not all(uv.min() >= 0 and uv.max() <= 1 for uv in pack_atlas(parts, 256)[1]):
        yield "texture coordinates outside the atlas"
    if color_shares(item.geometry)[item.colors[0]] <= 0.1:
        yield f"no {item.colors[0]} on it"


def hull_faults(item: Instance) -> Iterator[str]:
    hulls = [ConvexHull(np.round(points, 6)) for points in item.geometry.hulls]
    points = np.concatenate([part.surface.points for part in item.geometry.parts])
    margin = 0.002 + 0.02 * max(item.size)
    inside = np.any([(points @ h.equations[:, :3].T + h.equations[:, 3] < margin).all(axis=1) for h in hulls], axis=0)
    ratio = sum(hull.volume for hull in hulls) / sum(signed_volume(part.surface) for part in item.geometry.parts)
    if not 1 <= len(hulls) <= 12 or inside.mean() <= 0.97 or not 0.6 < ratio < 4:  # a cage of wires is filled
        yield f"{len(hulls)} hulls, {inside.mean():.3f} of the mesh in them, {ratio:.2f} times its volume"
    if not 20 <= item.density <= 8000:
        yield f"density {item.density}"
    if not set(item.colors) <= set(COLORS) or item.material not in MATERIALS:
        yield f"{item.colors}, {item.material}"


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
    total = 0.0
    shares = dict.fromkeys(COLORS, 0.0)
    references = _places(np.array(list(COLORS.values()), dtype=float))
    for part in geometry.parts:
        surface, (height, width) = part.surface, part.image.shape[:2]
        corners = surface.points[surface.faces]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        # Few triangles, such as those of a box's side, show much of the image each; an image of 8 x 8 is plain.
        samples = _FINE if len(area) <= 64 and height * width > 64 else _COARSE
        for weights in samples:
            u, v = np.einsum("fcd,c->df", surface.uv[surface.faces], weights)
            rows = ((1 - v) * (height - 1)).round().astype(int)
            cols = (u * (width - 1)).round().astype(int)
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


def test_words_mean_one_kind() -> None:
    check_unique_names(all_kinds())
    mug = KINDS["mug"]
    other = Kind("cup", (mug.synonyms[0],), ("tableware",), "drinking", "a cup", (0.05, 0.1), mug.sample)
    child = replace(other, name="espresso cup", synonyms=(), hypernyms=("mug", "tableware"))
    for kinds in ([mug, other], [child, mug]):
        with pytest.raises(InvalidArgumentError, match="mug"):
            check_unique_names(kinds)


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pickclutter_lang.kinds.kind_set import load_kind_set as load\n"
        "for model_id in sys.argv[2:]: load(sys.argv[1]).model(model_id)"
    )
    ids = ["mug-3", "soda_can-1"]
    for name, ordered in (("one", ids), ("two", ids[::-1])):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name), *ordered], check=True)
    written = sorted(path for path in (tmp_path / "one").rglob("*.*") if path.is_file())
    assert len(written) > 8
    for path in written:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
