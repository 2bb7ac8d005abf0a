"""A policy that is shown objects: what of an image is taken, and what it then finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from numpy.typing import NDArray

from helpers.grasping import BASE
from helpers.photos import photo
from helpers.policies import random_policy
from pickclutter_lang.errors import InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.instructions import (
    INSTRUCTION_TEMPLATES,
    encode_instruction,
    instruction,
    parse_target_name,
)
from pickclutter_lang.policy.detectors import Detection, RandomDetector, StudentDetector
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.teaching import find_example

VIEW = {"rgb": "rgb", "depth": "depth", "intrinsic": "intrinsic", "pose": "cam2world"}
SIDE = 128
NAMES = ("lemon", "dice", "banana", "mug")


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


ONE, TWO, SMALL = (0.4, 0.6, 0.2), (0.75, 0.25, 0.16), (0.8, 0.8, 0.05)


@pytest.mark.parametrize("side", [48, 300, 1200])
def test_what_stands_out_of_a_plain_ground_is_the_example(side: int) -> None:
    for objects in ((ONE,), (ONE, SMALL)):
        image, masks = photo(side, *objects)
        found = find_example(image)
        assert found.mask.shape == (side, side) and overlap(found.mask, masks[0]) > 0.85 and list(found.others) == []


def test_of_several_objects_one_is_named() -> None:
    image, masks = photo(320, ONE, TWO)
    with pytest.raises(InvalidArgumentError, match=r"point=.*box="):
        find_example(image)
    for n, (x, y, radius) in enumerate((ONE, TWO)):
        around = [320 * value for value in (x - radius - 0.03, y - radius - 0.03, x + radius + 0.03, y + radius + 0.03)]
        places: list[dict[str, Any]] = [{"point": (320 * x, 320 * y)}, {"box": around}, {"mask": masks[n]}]
        for given in places:
            assert overlap(find_example(image, **given).mask, masks[n]) > 0.9, given


GIVEN: list[tuple[dict[str, Any], str]] = [
    ({"point": (float("nan"), 3)}, "point"),
    ({"point": (3,)}, "point"),
    ({"point": (320, 3)}, "point"),
    ({"point": (2, 2)}, "ground"),
    ({"box": (0, 0, 400, 30)}, "box"),
    ({"box": (30, 30, 20, 40)}, "box"),
    ({"box": (0, 0, float("inf"), 30)}, "box"),
    ({"box": (250, 5, 310, 60)}, "object"),
    ({"mask": np.zeros((320, 320), bool)}, "mask"),
    ({"mask": np.ones((32, 320), bool)}, "mask"),
    ({"mask": np.full((320, 320), 0.3)}, "mask"),
    ({"mask": [[True]]}, "mask"),
    *(({"point": value}, "point") for value in (5, "ab", "12", {1: 2, 3: 4}, [1j, 2], [None, None], [1e308, 5])),
    *(({"point": value}, "point") for value in (["1", "2"], {1, 2}, (n for n in (1, 2)), np.array(5.0))),
    *(({"box": value}, "box") for value in (5, "1234", [[1, 2], [3]], [0, 0, 10**400, 5])),
    ({"point": (3, 3), "box": (0, 0, 9, 9)}, "one of"),
]


@pytest.mark.parametrize(("given", "named"), GIVEN, ids=[str(n) for n in range(len(GIVEN))])
def test_what_is_no_place_in_an_image_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        find_example(photo(320, ONE)[0], **given)


def test_an_image_without_an_object_is_refused() -> None:
    for image in (np.full((90, 90, 3), 70, np.uint8), photo(200)[0], np.zeros((1, 1, 3), np.uint8)):
        with pytest.raises(InvalidArgumentError, match="object"):
            find_example(image)
    look = painted_observation(SIDE)
    others: list[Any] = [np.zeros((9, 9)), np.zeros((9, 9, 4), np.uint8), np.zeros((0, 9, 3), np.uint8)]
    others += [np.zeros((9, 9, 3)), {"hand_rgb": look["hand_rgb"]}, {**look, "hand_depth": look["hand_depth"][:9]}]
    for image in others:
        with pytest.raises(InvalidArgumentError):
            find_example(image)
    bare = {**look, "hand_depth": np.full((SIDE, SIDE), 0.38, np.float32)}
    with pytest.raises(InvalidArgumentError, match="object"):
        find_example(bare)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_policy(tmp_path_factory.mktemp("toy") / "p", camera_size=SIDE, crop_size=SIDE, names=NAMES)


@pytest.fixture
def policy(folder: Path) -> LanguagePickPolicy:
    return LanguagePickPolicy.load(folder)


def center(look: dict[str, Any], number: int) -> tuple[float, float]:
    """Return a pixel of a segment as (u, v)."""
    v, u = np.argwhere(segment_observation(look) == number)[10]
    return float(u), float(v)


def detect(policy: LanguagePickPolicy, look: dict[str, Any], *names: str) -> list[Detection]:
    return policy.detector.detect(look, names)  # type: ignore[attr-defined, no-any-return]


def test_an_object_that_was_shown_in_a_pile_is_found_again(policy: LanguagePickPolicy) -> None:
    look = painted_observation(SIDE)
    masks = {name: policy.teach(look, name, point=center(look, n)) for name, n in (("my mug", 2), ("a nut", 5))}
    assert policy.taught == {"my mug": 1, "nut": 1}
    examples = policy.detector.student.examples  # type: ignore[attr-defined]
    assert set(examples.rival_names) == {"my mug", "nut"}  # what lay beside them
    found = detect(policy, look, "nut", "my mug", "the nut")
    for one, name in zip(found, ("a nut", "my mug", "a nut"), strict=True):
        assert one.score > one.threshold == 0.5 and overlap(one.mask, masks[name]) == 1
        assert one.heatmap.sum() == pytest.approx(1)
    without = {**look, "hand_depth": look["hand_depth"].copy()}
    without["hand_depth"][masks["my mug"]] = 0.38  # it is gone: the table is seen
    without["hand_rgb"] = np.where(masks["my mug"][..., None], np.uint8(150), look["hand_rgb"])
    gone, nut = detect(policy, without, "my mug", "nut")
    assert gone.score < found[1].score and not (gone.mask & masks["my mug"]).any()
    assert nut.margin > 0 and overlap(nut.mask, masks["a nut"]) > 0.95
    with pytest.raises(InvalidArgumentError, match="point"):
        policy.teach(look, "bolt")
    policy.forget("the nut")
    with pytest.raises(UnknownObjectError, match="nut"):
        policy.forget("nut")
    assert list(policy.taught) == ["my mug"]


def test_images_of_twice_the_size_have_the_same_object(policy: LanguagePickPolicy) -> None:
    small = painted_observation(SIDE)
    twofold = {key: small[key].repeat(2, axis=0).repeat(2, axis=1) for key in ("hand_rgb", "hand_depth")}
    large = {**small, **twofold, "hand_intrinsic": small["hand_intrinsic"] * [[2], [2], [1]]}
    mask = policy.teach(small, "my mug", point=center(small, 5))
    found, lemon = detect(policy, large, "my mug", "lemon")
    twice = mask.repeat(2, axis=0).repeat(2, axis=1)
    assert found.margin > 0 and overlap(found.mask, twice) > 0.8 and found.mask.shape == (2 * SIDE, 2 * SIDE)
    assert lemon.mask.shape == lemon.heatmap.shape == (2 * SIDE, 2 * SIDE)
    assert lemon.heatmap.sum() == pytest.approx(1)
    assert policy.teach(large, "big mug", point=(2 * center(small, 5)[0], 2 * center(small, 5)[1])).shape[0] == 2 * SIDE
    for side in (SIDE + 1, 2 * SIDE + 1):  # of no multiple: the student sees the square around all segments
        assert detect(policy, painted_observation(side), "lemon")[0].mask.shape == (side, side)


def test_words_that_say_which_one_are_refused_unless_they_were_taught(policy: LanguagePickPolicy) -> None:
    look = painted_observation(SIDE)
    robot = {"qpos": np.zeros(9), "base_pose": BASE, "goal_pos": np.zeros(3)}
    for words in ("the left mug", "no mug", "the object that is not a lemon"):
        with pytest.raises(InvalidArgumentError, match="understood"):
            policy.locate(look, words)
        with pytest.raises(InvalidArgumentError, match="understood"):
            policy.predict({**look, **robot, "instruction": encode_instruction(f"pick up {words}")})
    policy.teach(look, "left mug", point=center(look, 2))
    assert policy.locate(look, "the left mug").present


def test_what_was_shown_is_found_in_a_photo_on_a_plain_ground(policy: LanguagePickPolicy) -> None:
    policy.teach(photo(200, ONE)[0], "lemon")
    detector, (image, masks) = policy.detector, photo(320, ONE, TWO)
    assert isinstance(detector, StudentDetector)
    lemon, mug = detector.detect_without_depth(image, ["the lemon", "mug"])
    assert lemon.margin > 0 and lemon.threshold == 0.5 and overlap(lemon.mask, masks[0]) > 0.85
    assert max(overlap(mug.mask, one) for one in masks) > 0.85  # by its text, of what is cut out
    policy.teach(photo(200, ONE)[0], "zorb")  # no name of the folder: only examples tell it
    gone, zorb = detector.detect_without_depth(photo(320)[0], ["lemon", "zorb"])
    assert zorb.margin < 0 and not zorb.mask.any()
    for wrong in (image[:200], image.astype(float), image[..., 0]):
        with pytest.raises(InvalidArgumentError):
            detector.detect_without_depth(wrong, ["lemon"])
    policy.forget("zorb")
    assert gone.margin < 0 and not gone.mask.any()
    assert detector.note_on_photo(image, ["lemon", "mug"]) is None
    busy = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    by_text = detector.detect_without_depth(busy, ["lemon"])[0]
    assert not by_text.mask.any() and by_text.threshold == 0.5 and by_text.heatmap.sum() == pytest.approx(1)
    note = detector.note_on_photo(busy, ["mug", "lemon"])
    assert note is not None and "lemon" in note and "mug" not in note


def test_a_look_without_objects_is_without_what_was_taught(policy: LanguagePickPolicy) -> None:
    look = painted_observation(SIDE)
    policy.teach(look, "nut", point=center(look, 2))
    look["hand_depth"] = np.full((SIDE, SIDE), 0.38, np.float32)
    (found,) = detect(policy, look, "nut")
    assert found.score == 0 and found.margin < 0 and not found.mask.any() and not found.heatmap.any()


def test_other_names_are_answered_to_the_bit_as_before(policy: LanguagePickPolicy) -> None:
    look = painted_observation(SIDE)
    before = detect(policy, look, *NAMES)
    policy.teach(look, "my mug", point=center(look, 5))
    for mine, other in zip(before, detect(policy, look, "my mug", *NAMES)[1:], strict=True):
        assert mine[:2] == other[:2]
        np.testing.assert_array_equal(mine.mask, other.mask)
        np.testing.assert_array_equal(mine.heatmap, other.heatmap)
    policy.teach(look, "mug", point=center(look, 5))  # one of the folder, too
    assert detect(policy, look, "mug")[0].threshold == 0.5
    policy.forget("mug")
    assert detect(policy, look, "mug")[0][:2] == before[3][:2]


def test_a_policy_is_saved_as_it_was_taught(policy: LanguagePickPolicy, folder: Path, tmp_path: Path) -> None:
    look = painted_observation(SIDE)
    policy.teach(look, "nut", point=center(look, 2))
    with pytest.raises(InvalidArgumentError, match="save_pretrained"):
        policy.push_to_hub("me/picker", endpoint="http://127.0.0.1:9")
    policy.save_pretrained(tmp_path / "one")
    opened = LanguagePickPolicy.load(tmp_path / "one")
    assert opened.taught == {"nut": 1} and detect(opened, look, "nut")[0].score == detect(policy, look, "nut")[0].score
    opened.save_pretrained(tmp_path / "one")  # where it is
    assert LanguagePickPolicy.load(tmp_path / "one").taught == {"nut": 1}
    opened.forget("nut")
    opened.save_pretrained(tmp_path / "two")
    assert load_examples(tmp_path / "two").taught == () == load_examples(folder).taught
    with pytest.raises(InvalidArgumentError, match="student"):
        LanguagePickPolicy(RandomDetector()).teach(look, "nut", point=center(look, 2))


SPELLINGS = [
    ("bob's mug", "bob\u2019s mug"),
    ("tooth-brush", "tooth\u2010brush"),
    ("my mug", "my\xa0 mug"),
    ("caf\xe9", "cafe\u0301"),
    ("mug", "the the mug."),
    ("mug", "\uff2d\uff35\uff27"),
    ("mug", "mu\u200bg"),
    ("mug", "\ufeffMug?"),
]


@pytest.mark.parametrize(("name", "other"), SPELLINGS)
def test_a_name_has_one_spelling(policy: LanguagePickPolicy, name: str, other: str) -> None:
    look = painted_observation(SIDE)
    for said in (name, other):
        policy.teach(look, said, point=center(look, 2))
    assert policy.taught == {name: 1}  # the same example
    for n in range(len(INSTRUCTION_TEMPLATES)):
        assert parse_target_name(instruction(other, n), policy.detector.names) == name
    policy.forget(other)
    assert policy.taught == {}


def test_a_name_has_letters_to_be_asked_for(policy: LanguagePickPolicy) -> None:
    look = painted_observation(SIDE)
    for name in (5, None, "", " ", '"', '""""', "'", "\u201c\u201d", "\u200b", "a\nb", "\ud800"):
        with pytest.raises(InvalidArgumentError, match="name"):
            policy.teach(look, name, point=center(look, 1))  # type: ignore[arg-type]
        with pytest.raises(InvalidArgumentError, match="name"):
            policy.locate(look, name)  # type: ignore[arg-type]


def test_phrases_and_instructions_name_what_was_taught() -> None:
    policy = LanguagePickPolicy.load("open")
    look = painted_observation(256)
    taught = {"my mug": 1, "mug": 2, "lemon": 3, "the red nut": 4}
    masks = {name: policy.teach(look, name, point=center(look, n)) for name, n in taught.items()}
    for said, name in {
        "pick up my mug": "my mug",
        "MY MUG": "my mug",
        "get me the red nut, please": "red nut",
        "the lemon": "lemon",
    }.items():
        assert parse_target_name(said, policy.detector.names) == name
    names = ["the red mug", "lemon", "red nut", "the red nut", "my mug", "citrus fruit"]
    red, lemon, nut, same, mug, citrus = detect(policy, look, *names)
    assert overlap(nut.mask, masks["the red nut"]) == 1 and nut.score == same.score > 0.5
    assert {one.threshold for one in (lemon, nut, mug)} == {0.5}
    assert all(one.mask.any() for one in (red, lemon, mug, citrus))
