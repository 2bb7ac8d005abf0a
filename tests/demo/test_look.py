"""`pickclutter look`: scores, thresholds and maps of names in an image, for teacher and student."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.photos import photo
from pickclutter_lang.demo.config import LookConfig
from pickclutter_lang.demo.look import center_square, look, look_table, split_names
from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.language.instructions import instruction, parse_target_name
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_making.config import TeachConfig
from pickclutter_lang.policy_making.taught_folder import teach
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.zero_shot import ABSENT_TEMPLATE, PRESENT_TEMPLATE

NAMES = ["banana", "red teapot"]


@pytest.fixture
def config(exported: Path, tmp_path: Path) -> LookConfig:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    policy, out = str(exported / "few_shot"), str(tmp_path / "out.png")
    return LookConfig(str(tmp_path / "image.png"), NAMES, "pocket", str(exported / "teacher"), policy=policy, out=out)


def test_teacher_and_student_are_asked_in_one_picture(config: LookConfig) -> None:
    seen = look(config)
    assert list(seen.found) == ["teacher pocket", "student"] and seen.image.shape == (60, 60, 3)
    assert any("80 x 60 pixels the central square" in note for note in seen.notes)
    assert not any("maps" in note for note in seen.notes)
    teacher = load_teacher("pocket", config.checkpoint)
    feature = teacher.encode_image(teacher.preprocess(seen.image[None])).numpy()[0]
    for name, detection in zip(NAMES, seen.found["teacher pocket"], strict=True):
        texts = teacher.encode_text([t.format(label=name) for t in (PRESENT_TEMPLATE, ABSENT_TEMPLATE)]).numpy()
        odds = np.exp(teacher.logit_scale * texts @ feature)
        assert detection.score == pytest.approx(odds[0] / odds.sum(), abs=1e-5) and detection.threshold == 0.3
        assert detection.heatmap.shape == (60, 60) and detection.heatmap.min() >= 0 and np.ptp(detection.heatmap) > 0
    student = StudentRuntime.load(str(config.policy))
    student.networks.encode_names(NAMES)
    expected = [found.score for found in StudentDetector(student).detect_without_depth(seen.image, NAMES)]
    assert [found.score for found in seen.found["student"]] == pytest.approx(expected)
    with Image.open(config.out) as picture:
        assert picture.size == (3 * 240, 2 * 280) and np.ptp(np.asarray(picture)[:240, :240]) > 100
    spelled = look(replace(config, names=[NAMES[0].upper()]))
    assert spelled.names == NAMES[:1] and spelled.found["student"][0].score == pytest.approx(expected[0])
    rows = look_table(seen).splitlines()
    assert len(rows) == 2 + 4 and rows[2].startswith("| banana | teacher pocket | 0.")


def test_what_was_taught_is_drawn_beside_what_was_shown(config: LookConfig, tmp_path: Path) -> None:
    for name, objects in (("one", [(0.4, 0.6, 0.2)]), ("two", [(0.4, 0.6, 0.2), (0.75, 0.25, 0.16)])):
        Image.fromarray(photo(300, *objects)[0]).save(tmp_path / f"{name}.png")
    mine = str(tmp_path / "mine")
    teach(TeachConfig(policy=str(config.policy), images=str(tmp_path / "one.png"), names=["my mug"], out=mine))
    config = replace(config, policy=mine, names=["banana", "my mug"])
    seen = look(replace(config, image=str(tmp_path / "two.png")))
    banana, mug = seen.found["student"]
    assert mug.margin > 0 and mug.mask[180, 120] and not mug.mask[75, 225] and banana.mask.any()
    assert list(seen.shown) == ["my mug"] and len(seen.shown["my mug"]) == 1
    with Image.open(config.out) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[:2] == (2 * 280 + 160, 3 * 240)
    assert [np.ptp(pixels[560:680, x : x + 120]) > 100 for x in (0, 240, 480, 600)] == [False, False, True, True]
    assert "my mug" in " ".join(look(config).notes)  # in noise


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"image": "no.png"}, InvalidArgumentError, "no.png"),
        ({"names": ["mug", "mug"]}, InvalidArgumentError, "mug"),
        ({"names": ["a\0b"]}, InvalidArgumentError, "name"),
        ({"checkpoint": "nowhere"}, TeacherError, "nowhere"),
    ],
)
def test_what_cannot_be_looked_at_is_named(
    config: LookConfig, change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        look(replace(config, **change))  # type: ignore[arg-type]
    assert not Path(config.out).exists()


def test_the_image_is_not_overwritten(config: LookConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(config.image).parent)
    with pytest.raises(InvalidArgumentError, match=r"expected out to be another file than image, but both are image"):
        replace(config, out="image.png").validate()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (" lemon,the <b>red</b> one ", ["lemon", "<b>red</b> one"]),
        ("lemon!, mug please, LEMON tree", ["lemon", "mug", "LEMON tree"]),
        ("lemon! please now.", ["lemon"]),
        ("the lemon and put it away", ["lemon"]),
        ("pick up the mug, the red  one", ["mug", "red one"]),
    ],
)
def test_names_are_those_that_the_policy_reads(text: str, names: list[str]) -> None:
    assert split_names(text, ["pear", "lemon"]) == names
    assert [parse_target_name(instruction(name, 0), ["pear", "lemon"]) for name in names] == names


@pytest.mark.parametrize("text", ["", "a,,b", "a, a", "lemon, lemon!", "a\0"])
def test_wrong_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="name"):
        split_names(text)


@pytest.mark.parametrize(
    ("size", "mode", "side"), [((640, 480), "RGB", 480), ((17, 31), "RGBA", 17), ((3000, 1000), "L", 512)]
)
def test_the_center_square_of_an_image_is_taken(size: tuple[int, int], mode: str, side: int) -> None:
    image = Image.new(mode, size, 0 if mode == "L" else "black")
    square, (left, top) = min(size), ((n - min(size)) // 2 for n in size)
    image.paste(Image.new(mode, (square, square), "white"), (left, top))
    found = center_square(image)
    assert found.shape == (side, side, 3) and found.dtype == np.uint8 and (found[1:-1, 1:-1] == 255).all()
