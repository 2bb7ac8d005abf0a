"""Words of commands that need no key: the phrase of `pick`, the image and the names of `look`."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pickclutter_lang.commands.first_word import first_word_as
from pickclutter_lang.commands.look import names_argument
from pickclutter_lang.errors import InvalidArgumentError


@pytest.mark.parametrize("text", ["the red mug", "rubik's cube", "back\\slash", "piles/the first.png"])
def test_the_first_word_needs_no_key(text: str) -> None:
    first, second = first_word_as("phrase", [text, "out=x.mp4"])
    parsed = OverridesParser.create().parse_override(first)
    assert (parsed.key_or_group, parsed.value(), second) == ("phrase", text, "out=x.mp4")


def test_it_may_come_later_and_be_one_alone() -> None:
    assert first_word_as("phrase", ["out=x.mp4", "the mug"]) == ["phrase='the mug'", "out=x.mp4"]
    with pytest.raises(InvalidArgumentError, match="but got the words 'the red mug'; put it in quotes"):
        first_word_as("phrase", ["the", "red", "mug", "out=x.mp4"])


@pytest.mark.parametrize("words", [[], ["--help"], ["--cfg", "job"], ["~key", "out=x is no phrase"], ["phrase=a", "b"]])
def test_options_and_keys_stay_as_they_are(words: list[str]) -> None:
    assert first_word_as("phrase", words) == words


@pytest.mark.parametrize(
    "words", [["--names", "mug, yellow fruit,rubik's cube"], ["--names=mug,yellow fruit,rubik's cube"]]
)
def test_names_are_an_option_too(words: list[str]) -> None:
    image, out, names = names_argument(["pile.png", *words, "out=x.png"])
    assert names_argument([*words, "pile.png", "out=x.png"]) == [image, out, names]  # the image may come later
    value: Any = OverridesParser.create().parse_override(names).value()
    assert (image, out) == ("pile.png", "out=x.png") and [str(name) for name in value] == [
        "mug",
        "yellow fruit",
        "rubik's cube",
    ]
    assert names_argument(["--names"]) == ["--names"] and names_argument(["names=[mug]"]) == ["names=[mug]"]
