"""Texts of classes, and what is said where one is missing."""

import re

import pytest

from pickclutter_lang.commands import COMMANDS
from pickclutter_lang.datasets.images import ImageClass
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import class_texts
from pickclutter_lang.experiments.images.config import ClassTextConfig


def test_a_missing_description_names_the_command_that_makes_it() -> None:
    classes = [ImageClass(folder="mug", name="mug"), ImageClass(folder="bolt", name="bolt", description="of steel")]
    with pytest.raises(InvalidArgumentError, match="none of mug; name a file") as error:
        class_texts(ClassTextConfig(descriptions="own"), classes)
    found = re.search(r"make it: pickclutter ([a-z-]+) ", str(error.value))
    assert found is not None and any(found[1] in group for group in COMMANDS.values())
