"""Descriptions of labels: the package's own in their styles, and the file format."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError, UnknownObjectError
from pickclutter_lang.language.descriptions import (
    BLIND,
    CATALOG,
    INSTRUCTIONS,
    STYLES,
    DescriptionSet,
    attach_descriptions,
    describe,
    load_descriptions,
)
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers.open_clip_teacher import tokenize

NAMES = paper_catalog().names
POCKET_CONTEXT, CONTEXT_VECTORS = 64, 8
BANANA = DescriptionSet(
    "fruit", "standard", "some-model", INSTRUCTIONS["standard"], "2026-01-02", "localhost", "", {"banana": "a long one"}
)


@pytest.mark.parametrize("style", [*STYLES, *BLIND])
def test_every_object_is_described_in_every_style(style: str) -> None:
    found = load_descriptions(style)
    assert list(found.texts) == NAMES
    assert (found.style, found.base_url) == (style, "none")
    assert found.instruction == INSTRUCTIONS[BLIND.get(style, style)]
    assert len(set(found.texts.values())) == len(NAMES)


@pytest.mark.parametrize("style", [*STYLES, CATALOG, *BLIND])
def test_a_style_says_whether_its_writer_saw_the_objects(style: str) -> None:
    found = load_descriptions(style)
    assert found.images_seen is (style not in BLIND)
    if style != CATALOG:
        assert ("pictures of the objects at hand" in found.provenance) is found.images_seen
        assert ("from the names alone" in found.provenance) is not found.images_seen


@pytest.mark.parametrize("style", [*STYLES, *BLIND])
def test_descriptions_fit_behind_learned_contexts_in_the_pocket_teacher(style: str) -> None:
    tokens = tokenize(attach_descriptions(NAMES, style), POCKET_CONTEXT - CONTEXT_VECTORS)
    assert (tokens.argmax(dim=1) > 4).all()


def test_the_styles_differ_in_length_as_asked() -> None:
    words = {style: sum(len(text.split()) for text in load_descriptions(style).texts.values()) for style in STYLES}
    assert words["succinct"] < words["distinct"] < words["standard"] < words["detailed"]


def test_a_label_is_joined_to_its_description_as_in_the_released_program() -> None:
    assert describe("banana", "a long one") == "banana . a long one"
    assert describe("banana", "a long one", "{name}, {description}") == "banana, a long one"


def test_a_label_may_get_the_description_of_another() -> None:
    texts = attach_descriptions(["banana", "dice"], BANANA, ["one", "two"], owners={"dice": "banana", "banana": "dice"})
    assert texts == ["one", "dice . a long one"]


def test_the_catalog_is_a_style_too() -> None:
    assert attach_descriptions(["banana"], CATALOG) == [f"banana . {paper_catalog().find('banana').description}"]


def test_descriptions_follow_the_order_of_the_names() -> None:
    first, second = attach_descriptions(["dice", "banana"], "succinct")
    assert first.startswith("dice . a tiny") and second.startswith("banana . a long")


def test_a_file_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    BANANA.save(tmp_path / "fruit.json")
    assert DescriptionSet.load(tmp_path / "fruit.json") == BANANA
    assert attach_descriptions(["banana"], tmp_path / "fruit.json") == ["banana . a long one"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "expected schema 1 in .*, but got 2"),
        ({"model": None, "date": 3}, "model: expected str, but got null"),
        ({"images_seen": "no"}, "images_seen: expected bool, but got str"),
        ({"texts": ["banana"]}, "texts: expected object, but got array"),
        ({"texts": {"banana": " "}}, "but banana have none"),
    ],
)
def test_damaged_content_is_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "fruit.json"
    BANANA.save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DatasetError, match=message):
        DescriptionSet.load(path)


@pytest.mark.parametrize("content", [b"", b'{"schema": 1, "te', b"[1]", b"\xff\xfe\x00"])
def test_damaged_files_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(DatasetError, match=r"bad\.json"):
        DescriptionSet.load(tmp_path / "bad.json")


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(MissingAssetsError, match="pickclutter describe-labels"):
        attach_descriptions(["banana"], str(tmp_path / "none.json"))


def test_labels_without_a_description_are_named() -> None:
    with pytest.raises(UnknownObjectError, match="'spaceship', 'unicorn'"):
        attach_descriptions(["banana", "spaceship", "unicorn"], "distinct")


def test_another_style_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"standard, succinct, detailed, distinct, blind.*catalog.*'poetic'"):
        attach_descriptions(["banana"], "poetic")


def test_descriptions_do_not_import_torch() -> None:
    code = "import sys, pickclutter_lang.language.descriptions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
