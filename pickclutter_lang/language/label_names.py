"""Names of labels as a user gives them, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import check_line

MAX_NEW_NAMES = 1024
"""Names beyond the stored ones whose features are kept."""


def validate_label_names(names: Sequence[str]) -> list[str]:
    """Return names of labels without space around them.

    :raises InvalidArgumentError: when there is none, one is empty or no line of text, or one is there twice
    """
    cleaned = [name.strip() if isinstance(name, str) else "" for name in names]
    if not cleaned or not all(cleaned):
        raise InvalidArgumentError(f"expected one name or more, all of them texts, but got {list(names)}")
    for name in cleaned:
        check_line("a name", name)
    twice = sorted(name for name, count in Counter(cleaned).items() if count > 1)
    if twice:
        raise InvalidArgumentError(f"expected each name once, but got {', '.join(twice)} more than once")
    return cleaned
