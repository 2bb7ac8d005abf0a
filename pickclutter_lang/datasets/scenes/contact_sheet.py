"""The contact sheet of a scene store: images of some scenes, with the names of their objects."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.constants import LABELS
from pickclutter_lang.utils.io import atomic_write

SHEET_FILE = "contact_sheet.png"
_State = tuple[str, str, str]
# Label -> mark, color and words of the legend, for an object whose furthest label it is.
_STATES = {
    "present": ("○", "#8a8f98", "present, but hidden"),
    "visible": ("◐", "#1f6fb5", "visible, but not graspable"),
    "graspable": ("●", "#1d7a3e", "graspable"),
}
_DISTRACTOR = ("×", "#8a6d3b", "distractor, which has no label")
_THUMBNAIL_SIZE, _MARGIN, _LINE, _HEADER = 272, 14, 17, 62
_NAME_ROWS = 5


def write_contact_sheet(path: str | Path, scenes: int = 12, columns: int = 4) -> Path:
    """Write `contact_sheet.png` into a complete store: scenes at equal distances, names under their images.

    :param scenes: how many at most
    :param columns: images in a row
    """
    if scenes < 1 or columns < 1:
        raise InvalidArgumentError(f"expected scenes and columns of at least 1, but got {scenes} and {columns}")
    store = SceneStore.open(path)
    indices = np.unique(np.linspace(0, len(store) - 1, min(scenes, len(store))).astype(int)).tolist()
    buffer = io.BytesIO()
    draw_scenes(store, indices, columns).save(buffer, "png")
    target = store.path / SHEET_FILE
    atomic_write(target, buffer.getvalue())
    return target


def draw_scenes(store: SceneStore, scenes: Sequence[int], columns: int = 4) -> Image.Image:
    """Draw scenes in a grid; each name carries a mark and a color for the furthest label that holds."""
    columns = min(columns, len(scenes))
    cell = (_THUMBNAIL_SIZE + _MARGIN, _THUMBNAIL_SIZE + _NAME_ROWS * _LINE + 3 * _MARGIN)
    rows = -(-len(scenes) // columns)
    sheet = Image.new("RGB", (max(columns * cell[0], 560) + _MARGIN, rows * cell[1] + _HEADER), "white")
    pen = ImageDraw.Draw(sheet)
    labels = [label for label in LABELS if label in store.manifest.fields]
    _draw_header(pen, store, labels)
    for place, index in enumerate(scenes):
        corner = (_MARGIN + place % columns * cell[0], _HEADER + place // columns * cell[1])
        image = Image.fromarray(store.images(store.cameras[0], "rgb", int(index)))
        sheet.paste(image.resize((_THUMBNAIL_SIZE, _THUMBNAIL_SIZE), Image.Resampling.BICUBIC), corner)
        pen.text((corner[0], corner[1] + _THUMBNAIL_SIZE + 3), f"scene {index}", "black", _font(12, bold=True))
        _draw_names(pen, (corner[0], corner[1] + _THUMBNAIL_SIZE + 4 + _LINE), _states(store, int(index), labels))
    return sheet


def _states(store: SceneStore, index: int, labels: Sequence[str]) -> list[tuple[str, _State]]:
    """Return name and furthest label of each object of a scene, graspable ones first and distractors last."""
    scene = store.scene(index)
    reached = np.sum([scene[label] for label in labels], axis=0)
    order = sorted(np.flatnonzero(scene["present"]).tolist(), key=lambda label_index: -int(reached[label_index]))
    found = [(store.label_names[label_index], _STATES[labels[reached[label_index] - 1]]) for label_index in order]
    kinds = [*store.manifest.distractor_kinds.values()]
    numbers = scene["actors"][scene["actors"] >= len(store.label_names)] - len(store.label_names) if kinds else ()
    return found + [(kinds[number], _DISTRACTOR) for number in numbers]


def _draw_names(pen: ImageDraw.ImageDraw, corner: tuple[int, int], states: Sequence[tuple[str, _State]]) -> None:
    for n, (name, (mark, color, _)) in enumerate(states):
        place = (corner[0] + n // _NAME_ROWS * (_THUMBNAIL_SIZE // 2), corner[1] + n % _NAME_ROWS * _LINE)
        pen.text(place, _fitting(pen, f"{mark} {name}", _THUMBNAIL_SIZE // 2), color, _font(11))


def _fitting(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """Return a text, cut where it is wider than a column of `width` pixels."""
    if pen.textlength(text, _font(11)) <= width:
        return text
    count = next(n for n in range(len(text), 0, -1) if n == 1 or pen.textlength(text[:n] + "…", _font(11)) <= width)
    return text[:count] + "…"


def _draw_header(pen: ImageDraw.ImageDraw, store: SceneStore, labels: Sequence[str]) -> None:
    manifest = store.manifest
    known = {"proxy": "procedural model objects (proxy)", "kinds": "instances of kinds"}
    kind = known.get(manifest.object_set, f"{manifest.object_set} objects")
    title = f"{manifest.split}: {len(store)} scenes, {kind}, {store.cameras[0]} camera"
    pen.text((_MARGIN, 10), title, "black", _font(16, bold=True))
    across, legend = float(_MARGIN), list[_State]()
    for label in labels:
        mark, color, words = _STATES[label]
        # the store says nothing beyond its last label
        legend.append((mark, color, label if label == labels[-1] else words))
    for mark, color, words in legend + ([_DISTRACTOR] if manifest.distractor_kinds else []):
        pen.text((across, 36), f"{mark} {words}", color, _font(13))
        across += pen.textlength(f"{mark} {words}", _font(13)) + 24


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which comes with matplotlib and has the marks."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
