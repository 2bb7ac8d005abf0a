"""Images: read from files of any origin, as PNG files, and in contact sheets with lines of text under them."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.reading import read_file

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
MAX_IMAGE_BYTES = 256 * 2**20
"""Largest file of an image."""
MAX_PIXELS = 100_000_000
"""Most pixels of an image."""
# What Pillow raises, by the format and by how the file is broken.
_UNREADABLE = (OSError, ValueError, SyntaxError, ArithmeticError, TypeError, KeyError, struct.error)
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # images are bounded here
_MARGIN, _LINE, _TITLE = 12, 16, 60
Words = tuple[str, str]
"""A text and its color."""


def is_image(path: Path) -> bool:
    """Return whether the name of a file is that of an image, and not hidden."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def image_files(place: Path) -> list[Path]:
    """Return the images in a folder in the order of their names; of an image file, itself."""
    found = sorted(place.iterdir()) if place.is_dir() else [place]
    return [one for one in found if is_image(one) and not one.is_dir()]


@dataclass(frozen=True)
class Cell:
    """Images uint8 [H, W, 3] side by side, and the lines under them."""

    images: Sequence[NDArray[np.uint8]]
    lines: Sequence[Words] = ()


def contact_sheet(
    cells: Sequence[Cell], columns: int, side: int, title: str = "", legend: Sequence[Words] = ()
) -> Image.Image:
    """Lay cells out in rows of `columns`, below a title and a legend.

    :param cells: at least one, with as many images each
    :param side: of each image on the sheet, pixels
    """
    columns = min(columns, len(cells))
    width = side * max(len(cell.images) for cell in cells) + _MARGIN
    height = side + _LINE * max(len(cell.lines) for cell in cells) + _MARGIN
    top = _TITLE if title else 0
    size = (max(columns * width, 560 if title else 0) + _MARGIN, -(-len(cells) // columns) * height + top + _MARGIN)
    sheet = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN), title, "black", _font(16))
    across = float(_MARGIN)
    for text, color in legend:
        pen.text((across, 36), text, color, _font(13))
        across += pen.textlength(text, _font(13)) + 2 * _MARGIN
    for number, cell in enumerate(cells):
        left = _MARGIN + number % columns * width
        upper = top + _MARGIN + number // columns * height
        for place, image in enumerate(cell.images):
            shown = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
            sheet.paste(shown, (left + place * side, upper))
        for row, (text, color) in enumerate(cell.lines):
            pen.text((left, upper + side + row * _LINE), _shortened(pen, text, width - _MARGIN), color, _font(11))
    return sheet


def read_image(path: Path, mode: str = "RGB") -> Image.Image:
    """Return an image file in a mode of Pillow, as large as it is, turned as its camera was (EXIF).

    :raises InvalidArgumentError: naming a file that is no image
    """
    try:
        return decode_image(read_file(path, MAX_IMAGE_BYTES), mode)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidArgumentError(
            f"expected an image at {path}, but: {reason}; replace the file or remove it"
        ) from error


def decode_image(data: bytes, mode: str = "RGB") -> Image.Image:
    """Return the content of an image file as `read_image` does.

    :raises ValueError: for what is no image, or has more than `MAX_PIXELS`
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width} x {image.height} pixels are more than {MAX_PIXELS / 1e6:.0f} million")
            try:
                upright = ImageOps.exif_transpose(image)
            except _UNREADABLE:
                upright = image  # its EXIF data cannot be read
            if upright.mode.startswith("I"):  # 16 bits, which Pillow would clip to 8
                upright = Image.fromarray((np.asarray(upright).clip(0, 65535) // 256).astype(np.uint8))
            return upright.convert(mode)
    except UnidentifiedImageError as error:
        raise ValueError("it has none of the known formats") from error
    except (*_UNREADABLE, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def png_bytes(image: Image.Image) -> bytes:
    """Return an image as a PNG file."""
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _shortened(pen: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """Return a text, cut where it is wider than `width` pixels."""
    while len(text) > 1 and pen.textlength(text, _font(11)) > width:
        text = text[:-2] + "…"
    return text


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which comes with matplotlib and has the marks of labels."""
    import matplotlib  # takes some tenths of a second

    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")), size)
