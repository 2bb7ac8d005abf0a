"""Galleries of images and videos, with what they can be filtered by."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Tone = Literal["right", "wrong", "missed", ""]
_QUALITY = 82
_FRAME_MILLISECONDS = 200


@dataclass(frozen=True)
class Media:
    """An encoded image or video."""

    mime: str
    data: bytes

    @property
    def data_uri(self) -> str:
        """The content as the source of an element of HTML."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True)
class Item:
    """A line below the image of a card, with a small image of its own where there is one.

    :param facets: what it can be filtered by, such as `{"object": "banana", "error": "missed"}`
    :param tone: its color
    """

    caption: str
    facets: Mapping[str, str] = field(default_factory=dict)
    media: Media | None = None
    tone: Tone = ""


@dataclass(frozen=True)
class Card:
    """An image or a video with its items; it is shown while a filter leaves one of them. `wide`: over all columns."""

    title: str
    media: Media | None
    items: Sequence[Item]
    wide: bool = False


@dataclass(frozen=True)
class Gallery:
    """Cards that can be filtered by the facets of their items. `small`: more of them beside each other."""

    cards: Sequence[Card]
    small: bool = False

    @property
    def choices(self) -> dict[str, list[str]]:
        """Facet -> its values, sorted."""
        found: dict[str, set[str]] = {}
        for item in (item for card in self.cards for item in card.items):
            for facet, value in item.facets.items():
                found.setdefault(facet, set()).add(value)
        return {facet: sorted(values) for facet, values in found.items()}


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return which of `count` things a gallery shows, at most so many, from the first to the last."""
    return sorted({round(n) for n in np.linspace(0, count - 1, min(most, count)).tolist()})


def jpeg(pixels: NDArray[np.uint8], most: int = 512) -> Media:
    """Return an image uint8 [H, W, 3] as a JPEG whose sides have at most so many pixels."""
    image, stream = Image.fromarray(pixels), io.BytesIO()
    image.thumbnail((most, most))
    image.save(stream, "JPEG", quality=_QUALITY)
    return Media("image/jpeg", stream.getvalue())
