"""Texts of the labels of a run on scenes: those of Y_ood are checked with those of Y_id, before any training."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.scene_runs import config, make_toys, names_of_objects
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.descriptions import DescriptionSet

SEEN, UNSEEN = names_of_objects("id"), names_of_objects("ood")


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_toys(tmp_path_factory.mktemp("toys"), size=32)


def write_texts(path: Path, texts: dict[str, str]) -> Path:
    DescriptionSet("mine", "standard", "none", "", "", "none", "a test", texts).save(path)
    return path


def test_a_label_of_y_ood_without_a_description_is_named(toys: list[str], tmp_path: Path) -> None:
    texts = write_texts(tmp_path / "mine.json", dict.fromkeys((*SEEN, *UNSEEN[1:]), "a thing"))
    with pytest.raises(UnknownObjectError, match=UNSEEN[0]):
        _ = SceneRun.open(config(*toys, f"prompts.descriptions={texts}", f"out={tmp_path / 'run'}")).model


@pytest.mark.parametrize("setting", ["prompts.descriptions={}", "prompts.extra_descriptions=[{}]"])
def test_a_text_of_y_ood_that_is_too_long_is_named(toys: list[str], tmp_path: Path, setting: str) -> None:
    described = dict.fromkeys((*SEEN, *UNSEEN), "a thing") | {UNSEEN[0]: "a thing " * 40}
    texts = write_texts(tmp_path / "mine.json", described)
    overrides = [*toys, setting.format(texts), f"out={tmp_path / 'run'}"]
    with pytest.raises(InvalidArgumentError, match=UNSEEN[0]):
        _ = SceneRun.open(config(*overrides)).model
    assert SceneRun.open(config(*overrides, "prompts.truncate=true")).model
