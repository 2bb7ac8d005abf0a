from __future__ import annotations

from itertools import chain

import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.parts import Part


@pytest.mark.parametrize(("items", "count"), [(0, 1), (6, 1), (6, 4), (7, 3), (3, 8), (1000, 64)])
def test_parts_are_disjoint_in_order_and_equally_large(items: int, count: int) -> None:
    parts = [Part(number, count).of(range(items)) for number in range(1, count + 1)]
    assert [*chain(*parts)] == [*range(items)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_part_is_read_as_it_is_written() -> None:
    part = Part.parse("3/8")
    assert part == Part(3, 8) == Part.of_folder(part.folder_name)
    assert Part.of_folder("train") is None


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "-1/8", "3/8/2", "a/b", "1/0", "1/9999999"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="expected part to be K/N with K from 1 to N"):
        Part.parse(text)
