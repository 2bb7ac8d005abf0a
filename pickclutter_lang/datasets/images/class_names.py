"""Matching of class names that are spelled in different ways on disk, in lists and by a dataset's authors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from pickclutter_lang.datasets.images.dataset import ImageClass

_INDEX, _LETTER = re.compile(r"^\d+\.(?=\D)"), re.compile(r"^/?[a-z]/")


@lru_cache(maxsize=4096)
def normalize_name(name: str) -> str:
    """Return a name without what spellings differ in.

    Case, a number in front (`001.`), a letter's folder in front (`a/`), and which signs stand between the words.
    """
    return re.sub(r"[\W_]+", " ", _LETTER.sub("", _INDEX.sub("", name))).strip().lower()


def humanize(folder: str) -> str:
    """Return the name of a class as a prompt has it, from its folder: `001.Black_footed_Albatross` has three words."""
    return re.sub(r"[_\s]+", " ", _INDEX.sub("", folder)).strip()


class ClassMatcher:
    """Finds a class by its folder, or else by its name; a spelling that fits two classes finds neither."""

    def __init__(self, classes: Sequence[ImageClass]) -> None:
        self._exact = {item.folder: n for n, item in enumerate(classes)}
        self._spelled = [
            _unique([normalize_name(text) for text in texts]) for texts in zip(*map(_texts, classes), strict=True)
        ]

    def find(self, name: str) -> int | None:
        """Return the index of a class, None where there is none of that name."""
        for known, key in ((self._exact, name), *((spelled, normalize_name(name)) for spelled in self._spelled)):
            if key in known:
                return known[key]
        return None


def _texts(item: ImageClass) -> tuple[str, str]:
    return item.folder, item.name


def _unique(keys: Sequence[str]) -> dict[str, int]:
    times = Counter(keys)
    return {key: n for n, key in enumerate(keys) if times[key] == 1}
