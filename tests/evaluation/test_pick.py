"""`pickclutter pick`: what a phrase means, a pile that has it, and a pick with its video."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import imageio_ffmpeg
import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.config import PickConfig
from pickclutter_lang.evaluation.pick import find_pile, kinds_of_pile, pick
from pickclutter_lang.language.phrases import COLORS, color_alone, known_phrase, read_phrase
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.kinds.kind_set import KindSet
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, load_object_set
from pickclutter_lang.objects.procedural import appearance
from pickclutter_lang.policy.rivals import rivals_of

pytest.importorskip("sapien")


@pytest.mark.parametrize(
    ("text", "labels", "modifiers"),
    [
        ("the lemon", {"lemon"}, ()),
        ("A  Tennis ball", {"tennis ball"}, ()),
        ("yellow fruit", {"banana", "lemon"}, ("yellow",)),
        ("the phillips screwdriver", {"phillips screwdriver"}, ()),
        ("a piece of cutlery", {"fork", "knife", "spoon"}, ()),
    ],
)
def test_phrases_mean_labels(text: str, labels: set[str], modifiers: tuple[str, ...]) -> None:
    phrase = read_phrase(text, paper_catalog())
    assert labels <= set(phrase.labels) and phrase.modifiers == modifiers
    fitting = {item.name for item in paper_catalog() if phrase.fits(item)}
    assert labels <= fitting and "hammer" not in fitting and "strawberry" not in fitting


def test_modifiers_must_be_true_of_the_instance() -> None:
    kinds = load_object_set("kinds")
    phrase = read_phrase("the red mug", kinds.catalog)
    assert phrase == read_phrase("a red mug", kinds.catalog) and phrase.labels == ("mug",)
    found = {phrase.fits(kinds.model(f"mug-{seed}")) for seed in range(40)}
    reds = ["red" in kinds.model(f"mug-{seed}").colors for seed in range(40)]
    assert found == {True, False} and reds == [phrase.fits(kinds.model(f"mug-{seed}")) for seed in range(40)]


def test_what_a_new_name_means_does_not_count_against_it() -> None:
    names = ("lemon", "dice", "banana", "mug", "our gadget")
    assert set(known_phrase("fruit", names).labels) == {"lemon", "banana"}
    assert known_phrase("a yellow fruit", names).modifiers == ("yellow",)
    assert not known_phrase("gadget", names).labels and not known_phrase("fruit", ("our gadget",)).labels
    assert rivals_of("mug", names) == (["mug"], ["lemon", "dice", "banana", "our gadget"], False)
    own, others, color = rivals_of("fruit", names)
    assert (own[0], set(own[1:]), others) == ("fruit", {"lemon", "banana"}, ["dice", "mug", "our gadget"]) and not color
    handle = ["mug with a handle"]
    assert rivals_of(handle[0], names) == (handle, ["lemon", "dice", "banana", "our gadget"], False)
    assert rivals_of("yellow fruit", names) == (["yellow fruit"], ["dice", "mug", "our gadget"], False)
    assert rivals_of("gizmo", names) == (["gizmo"], list(names), False)
    own, others, color = rivals_of("the gray one", names)
    assert own == ["grey object"] and len(others) == len(COLORS) - 1 and "red object" in others and color
    assert rivals_of("red one", ("red one", "mug")) == (["red one"], ["mug"], False)  # a label is no phrase


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("the red one", "red"),
        ("Gray thing", "grey"),
        ("the blue ones", "blue"),
        ("an  orange object", "orange"),
        ("orange", None),
        ("the big one", None),
        ("the red mug", None),
        ("red one mug", None),
    ],
)
def test_a_color_alone(text: str, color: str | None) -> None:
    assert color_alone(text) == color
    catalog = paper_catalog()
    if color is not None:
        phrase = read_phrase(text, catalog)
        assert {item.name for item in catalog if phrase.fits(item)} == {i.name for i in catalog if color in i.colors}


def test_a_pile_for_a_color_alone_has_other_kinds_too() -> None:
    kinds = load_object_set("kinds")
    assert isinstance(kinds, KindSet)
    named, meant = (kinds_of_pile(read_phrase(text, kinds.catalog), kinds, 0) for text in ("the mug", "the red one"))
    assert len(set(meant)) == len(meant) > len(named) > 2
    with pytest.raises(InvalidArgumentError, match=r"true of an object, but got 'pink'; such are .*black"):
        pick(PickConfig("the pink one", objects="proxy", out="nowhere.mp4"))


def test_colors_are_those_of_the_objects() -> None:
    assert set(COLORS) == set(appearance.COLORS)
    kinds = load_object_set("kinds")
    assert {color for kind in kinds.catalog for color in kinds.model(f"{kind.model_id}-0").colors} <= set(COLORS)


@pytest.mark.parametrize(
    ("text", "meant", "not_meant"),
    [
        ("a screwdriver", {"phillips screwdriver", "flat screwdriver"}, {"hammer"}),
        ("the citrus fruit", {"lemon", "orange", "lime"}, {"apple"}),
        ("the berry", {"strawberry"}, {"apple"}),
        ("flat-blade screwdriver", {"flat screwdriver"}, {"phillips screwdriver"}),
        ("the magic cube", {"rubik's cube"}, {"dice"}),
        ("claw hammer", {"hammer"}, set()),  # what the scan alone is called
        ("cleaning tool", {"sponge"}, set()),
    ],
)
def test_names_of_kinds_mean_what_their_kind_says(text: str, meant: set[str], not_meant: set[str]) -> None:
    labels = set(known_phrase(text, tuple(load_object_set("kinds").catalog.names)).labels)
    assert meant <= labels and not not_meant & labels


def test_an_attribute_may_have_several_words() -> None:
    phrase = read_phrase("the long and thin black spoon", paper_catalog())
    spoon = paper_catalog().find("spoon")
    assert phrase.labels == ("spoon",) and phrase.fits(spoon) == ("black" in spoon.colors)
    assert read_phrase("the long and thin spoon", paper_catalog()).fits(spoon)
    assert not read_phrase("the long and round spoon", paper_catalog()).fits(spoon)
    assert not read_phrase("the and spoon", paper_catalog()).fits(spoon)
    assert read_phrase(f"{spoon.colors[0]} and long spoon", paper_catalog()).fits(spoon)
    assert not read_phrase(f"and {spoon.colors[0]} spoon", paper_catalog()).fits(spoon)


def test_the_teacher_cannot_be_asked_to_declare() -> None:
    with pytest.raises(InvalidArgumentError, match="expected declare=false with policy=null"):
        PickConfig("the lemon", policy=None, declare=True).validate()


class _Piles:
    """Piles with some objects, all visible and graspable."""

    def __init__(self, *names: str) -> None:
        self.objects = [paper_catalog().find(name) for name in names]

    def observe(self, number: int) -> tuple[None, SimpleNamespace]:
        return None, SimpleNamespace(objects=self.objects, visible=self.objects)

    def is_graspable(self, number: int, name: str) -> bool:
        return True


def test_why_no_pile_was_found_is_said() -> None:
    fruit = read_phrase("the fruit", paper_catalog())
    assert find_pile(_Piles("lemon", "dice"), fruit, 3) == (600, "lemon", ("lemon", "dice"))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="several fit 'fruit' in each of 200 piles; say its name"):
        find_pile(_Piles("lemon", "pear"), fruit, 0)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgumentError, match="none of 200 piles had 'fruit' alone"):
        find_pile(_Piles("dice"), fruit, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "the", "the gizmo", "lemmon"])
def test_a_phrase_without_a_label_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="expected a name, synonym or category"):
        read_phrase(text, paper_catalog())
    with pytest.raises(InvalidArgumentError, match="did you mean rubik's cube"):
        read_phrase("rubix cube", paper_catalog())


@pytest.mark.parametrize(
    ("phrase", "objects"),
    [
        ("the purple banana", "proxy"),
        ("pick up the purple banana, please", "proxy"),
        ("the blurgh mug", "kinds"),
        ("a striped mug", "kinds"),
    ],
)
def test_what_no_object_can_be_is_refused_before_a_pile(phrase: str, objects: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="expected colors, materials or shapes that are true of"):
        pick(PickConfig(phrase, objects=objects, out=str(tmp_path / "o.mp4")))
    gray = read_phrase("the gray mug", load_object_set("kinds").catalog)
    assert gray.modifiers == ("grey",) and gray.text == "grey mug"


@pytest.mark.slow
def test_a_rare_color_takes_a_longer_look() -> None:
    kinds = load_object_set("kinds")
    assert isinstance(kinds, KindSet)
    phrase = read_phrase("the black vehicle", kinds.catalog)
    assert "toy train" in kinds_of_pile(phrase, kinds, 0)  # the only one, and none of its first instances


@pytest.mark.slow
def test_the_kinds_of_a_pile_can_be_what_is_said() -> None:
    kinds = load_object_set(["kinds"])
    assert isinstance(kinds, KindSet)
    phrase = read_phrase("the purple fruit", kinds.catalog)
    assert len(phrase.labels) > 5  # of most no instance is purple
    for seed in range(3):
        meant = [name for name in kinds_of_pile(phrase, kinds, seed) if name in phrase.labels]
        assert meant
        for name in meant:
            model = kinds.catalog.find(name).model_id
            assert any(phrase.fits(kinds.model(f"{model}-{MAX_INSTANCES + number}")) for number in range(12)), name


@pytest.mark.sim
@pytest.mark.slow
def test_a_student_picks_out_of_a_pile_that_has_the_object(exported: Path, tmp_path: Path) -> None:
    pytest.importorskip("rerun")
    out, record = tmp_path / "pick.mp4", tmp_path / "pick.rrd"
    config = PickConfig("the yellow fruit", str(exported / "few_shot"), objects="proxy", out=str(out))
    found = pick(replace(config, record=str(record)))
    assert record.read_bytes()[:3] == b"RRF"
    assert found.target in ("banana", "lemon", "pear", "peach", "apple") and found.target in found.pile
    assert found.episode["present"] and found.episode["graspable"] and found.episode["expected"] == [found.target]
    assert found.episode["instruction"] == "pick up the yellow fruit" and found.outcome.endswith(".")
    assert not found.episode["declared_absent"] and found.episode["threshold"] == 0
    phrase = read_phrase("the yellow fruit", paper_catalog())
    assert [name for name in found.pile if phrase.fits(paper_catalog().find(name))] == [found.target]
    frames = imageio_ffmpeg.count_frames_and_secs(str(out))
    assert frames[0] >= 2 and io.BytesIO(out.read_bytes()).read(8)[4:] == b"ftyp"


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["open", None])
def test_what_lies_in_the_package_picks_out_of_a_pile_of_kinds(policy: str | None, tmp_path: Path) -> None:
    out = tmp_path / "pick.mp4"
    found = pick(PickConfig("pick up the tennis ball, please", policy, seed=1, out=str(out)))
    episode = found.episode
    assert found.target == "tennis ball" in found.pile and len(set(found.pile)) >= 4 and out.stat().st_size > 1000
    assert episode["instruction"] == "pick up the tennis ball" and not episode["declared_absent"]
    assert episode["success"], found.outcome
