"""What a person gives the page is bounded before it is used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pickclutter_lang.demo.inputs import MAX_NAME_BYTES, MAX_PILE, open_upload, pile_number, split_names
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import (
    decode_instruction,
    encode_instruction,
    instruction,
    parse_target_name,
)


def test_names_are_split_at_commas() -> None:
    assert split_names(" lemon,the <b>red</b> one ") == ["lemon", "<b>red</b> one"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one name or more"),
        ("a,,b", "one name or more"),
        ("a, a", "a more than once"),
        (",".join(map(str, range(65))), "at most 64 names, but got 65"),
        ("x" * 201, "in at most 200 bytes"),
        ("ä" * 101, "in at most 200 bytes"),
        ("a\ud800b", "printable characters"),
        ("a\0", "printable characters"),
        ("x" * 100_000, "but got 100000 characters"),
        (None, "but got NoneType"),
        (["a"], "but got list"),
    ],
)
def test_names_are_bounded(text: object, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        split_names(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lemon!, mug please, LEMON tree", ["lemon", "mug", "LEMON tree"]),
        ("Lemon?!.", ["lemon"]),
        ("lemon! please now.", ["lemon"]),
        ("the lemon and put it away", ["lemon"]),
        ("pick up the mug, the red  one", ["mug", "red one"]),
        ("?, please", ["?", "please"]),
    ],
)
def test_names_are_those_that_the_policy_reads(text: str, names: list[str]) -> None:
    assert split_names(text, ["pear", "lemon"]) == names
    assert [parse_target_name(instruction(name, 0), ["pear", "lemon"]) for name in names] == names


def test_names_that_are_read_alike_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="lemon more than once"):
        split_names("lemon, lemon!")


def test_the_longest_name_fits_into_an_instruction() -> None:
    for name in ("x" * MAX_NAME_BYTES, "ä" * (MAX_NAME_BYTES // 2)):
        assert split_names(name) == [name]
        assert decode_instruction(encode_instruction(instruction(name, 0))) == f"pick up the {name}"


def test_piles_have_the_numbers_of_seeds() -> None:
    assert [pile_number(value) for value in (0, 7.0, MAX_PILE)] == [0, 7, MAX_PILE]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 0.5, 2**32, None, "1", [1], "x" * 10**6])
def test_other_numbers_are_refused_in_a_line(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="expected the number of a pile") as caught:
        pile_number(value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("size", "mode", "side"), [((640, 480), "RGB", 480), ((17, 31), "RGBA", 17), ((3000, 1000), "L", 512)]
)
def test_the_center_square_of_an_upload_is_taken(tmp_path: Path, size: tuple[int, int], mode: str, side: int) -> None:
    image = Image.new(mode, size, 0 if mode == "L" else "black")
    square, (left, top) = min(size), ((n - min(size)) // 2 for n in size)
    image.paste(Image.new(mode, (square, square), "white"), (left, top))
    image.save(tmp_path / "a.png")
    found = open_upload(str(tmp_path / "a.png"))
    assert found.shape == (side, side, 3) and found.dtype == np.uint8
    assert (found[1:-1, 1:-1] == 255).all()


def test_an_upload_is_turned_as_its_camera_was(tmp_path: Path) -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert (open_upload(str(tmp_path / "a.png"))[10:] == 255).all()


@pytest.mark.parametrize("side", [6000, 20000])
def test_pixels_are_counted_before_they_are_decoded(tmp_path: Path, side: int) -> None:
    Image.new("1", (side, side)).save(tmp_path / "a.png")
    with pytest.raises(InvalidArgumentError, match="at most 25 megapixels"):
        open_upload(str(tmp_path / "a.png"))


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.eps")  # Pillow would decode it by Ghostscript
    for name in ("a.png", "a.eps", "nowhere.png"):
        with pytest.raises(InvalidArgumentError, match="expected an image"):
            open_upload(str(tmp_path / name))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="no such file"):
        open_upload(str(tmp_path / "nofile.png"))
