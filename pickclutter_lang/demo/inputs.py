"""What a person gives the page: names, an image, the number of a pile. All of it is bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import instruction, parse_target_name, read_name
from pickclutter_lang.language.label_names import validate_label_names

MAX_PIXELS = 25_000_000
"""Pixels of an uploaded image; they are counted before it is decoded."""
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
"""Of an upload: what browsers save. Pillow decodes others by programs of the machine, without a limit of time."""
MAX_NAMES = 64
MAX_NAME_BYTES = 200
"""Of a name as UTF-8: its instruction fits into the policy's 256, and texts of the teachers are shorter."""
MAX_PILE = 2**32 - 1
_SIDE = 512  # pixels, of an uploaded image that is shown


def open_upload(path: str) -> NDArray[np.uint8]:
    """Return the center square of an uploaded image, as its camera was turned: uint8 [S, S, 3], S at most 512.

    :raises InvalidArgumentError: when the file is no image, or has too many pixels
    """
    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            side = min(image.size)
            square = (min(side, _SIDE),) * 2
            return np.array(ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), square))
    except Image.DecompressionBombError as error:  # of Pillow, for a far larger one
        megapixels = MAX_PIXELS // 10**6
        raise InvalidArgumentError(f"expected an image of at most {megapixels} megapixels; make it smaller") from error
    except FileNotFoundError as error:
        raise InvalidArgumentError("expected an image, but there is no such file") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidArgumentError("expected an image, but the file cannot be read as one; choose another") from error


def split_names(text: object, known: Sequence[str] = ()) -> list[str]:
    """Return the names in a text with commas between them, each as the policy reads it in an instruction.

    :param known: names that the student knows; as `names` of `parse_target_name`
    :raises InvalidArgumentError: for no text, too many names, or one that is too long or cannot be shown
    """
    longest = MAX_NAMES * (MAX_NAME_BYTES + 1)
    if not isinstance(text, str) or len(text) > longest:
        got = f"{len(text)} characters" if isinstance(text, str) else type(text).__name__
        raise InvalidArgumentError(f"expected names with commas between them, in {longest} characters, but got {got}")
    names = text.split(",")
    if len(names) > MAX_NAMES:
        raise InvalidArgumentError(f"expected at most {MAX_NAMES} names, but got {len(names)}")
    for name in names:
        if not name.strip().isprintable() or len(name.encode()) > MAX_NAME_BYTES:
            raise InvalidArgumentError(
                f"expected names of printable characters, in at most {MAX_NAME_BYTES} bytes, but got {name[:40]!a}"
            )
    return validate_label_names([_read(name, known) for name in validate_label_names(names)])


def _read(name: str, known: Sequence[str]) -> str:
    """Return the part of a name that stays when it is read in its instruction: "lemon" of "the lemon! please"."""
    name = read_name(name, known) or name
    while (read := parse_target_name(instruction(name, 0), known)) != name:
        name = read
    return name


def pile_number(value: object) -> int:
    """Return the number of a pile, which is the seed of an episode.

    :raises InvalidArgumentError: for anything else
    """
    whole = isinstance(value, (int, float)) and math.isfinite(value) and value == int(value)
    if not whole or not 0 <= value <= MAX_PILE:  # type: ignore[operator]
        raise InvalidArgumentError(f"expected the number of a pile, from 0 to {MAX_PILE}, but got {value!a:.40}")
    return int(value)  # type: ignore[call-overload, no-any-return]
