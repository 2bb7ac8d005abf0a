"""Thumbnails of imported meshes, and one sheet of them with their names."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.envs.generation.object_renderer import ObjectRenderer, read_points
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.progress import track

SHEET_FILE = "sheet.png"
_SIZE = 192
_COLUMNS = 6
_LINE = 18
_FLAT = 0.35
"""Height, as a share of the longest side, below which an object is seen from above."""


def write_mesh_sheet(root: Path, names: Mapping[str, str]) -> Path:
    """Write `thumbnails/<id>.png` of objects that have none yet, and `sheet.png` of all, with name and id.

    They lie outside of `models`, whose bytes say whether a store fits an object set: a renderer is no part of it.

    :param root: folder in ManiSkill2's layout
    :param names: id -> name
    :return: path of the sheet
    """
    folder = root / "thumbnails"
    ensure_dir(folder)
    missing = [model_id for model_id in names if not (folder / f"{model_id}.png").is_file()]
    renderer = ObjectRenderer()
    for model_id in track(missing, "thumbnails", transient=True):
        atomic_write(folder / f"{model_id}.png", _png(_thumbnail(renderer, root / "models" / model_id)))
    atomic_write(root / SHEET_FILE, _png(_sheet(folder, names)))
    return root / SHEET_FILE


def _thumbnail(renderer: ObjectRenderer, model_dir: Path) -> Image.Image:
    extent = np.ptp(read_points(model_dir / "textured.obj"), axis=0)
    elevation = 1.0 if extent[2] < _FLAT * extent.max() else 0.5
    view = renderer.view(model_dir, elevation=elevation, size=_SIZE)
    renderer.forget(model_dir)
    return Image.fromarray(view.rgb)


def _sheet(folder: Path, names: Mapping[str, str]) -> Image.Image:
    columns, font = min(_COLUMNS, len(names)), ImageFont.load_default(13)
    height = _SIZE + 2 * _LINE
    sheet = Image.new("RGB", (columns * _SIZE, -(-len(names) // columns) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (model_id, name) in enumerate(sorted(names.items())):
        left, top = number % columns * _SIZE, number // columns * height
        for line, (text, color) in enumerate(((name, "black"), (model_id, "gray"))):
            draw.text((left + _SIZE / 2, top + line * _LINE + 2), text[:28], fill=color, font=font, anchor="ma")
        with Image.open(folder / f"{model_id}.png") as image:
            sheet.paste(image, (left, top + 2 * _LINE))
    return sheet


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
