"""Published HDF5 files of odd forms: one line that names the array, or taken, and why."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.paths import ROBUSTNESS_PAGE
from helpers.published_scenes import write_published
from pickclutter_lang.datasets.scenes.importer import ImportConfig, import_published
from pickclutter_lang.errors import PickClutterError

Change = Callable[[h5py.File], object]
CAMERA = "traj_2/dict_str_hand_camera"
RGB, DEPTH, IDS = f"{CAMERA}/dict_str_rgb", f"{CAMERA}/dict_str_depth", "traj_2/model_ids"
RECORDS = np.zeros((4, 4, 3), [("a", "u1"), ("b", "f4")])


def replaced(name: str, data: Any, **options: Any) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=data, **options)

    return change


def declared(name: str, shape: tuple[int, ...], dtype: str) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=True, compression="gzip")

    return change


def of_type(name: str, shape: tuple[int, ...], dtype: Any) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, shape, dtype=dtype)

    return change


def grouped(name: str) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_group(name)

    return change


def linked(name: str, link: object) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = link

    return change


def full(value: Any, dtype: Any = None) -> Any:
    return np.full((4, 4, 3), value, dtype)


REFUSED: dict[str, tuple[Change, str]] = {
    "complex colors": (replaced(RGB, full(0, complex)), "with numbers, but got complex128"),
    "yes and no for colors": (replaced(RGB, full(True)), "with numbers, but got bool"),
    "records for colors": (replaced(RGB, RECORDS), "with numbers, but got"),
    "texts for colors": (replaced(RGB, [["a", "b"]], dtype=h5py.string_dtype()), "with numbers, but got object"),
    "rows of any length": (of_type(RGB, (4,), h5py.vlen_dtype(np.uint8)), "with numbers, but got object"),
    "references": (of_type(RGB, (4, 4, 3), h5py.ref_dtype), "with numbers, but got object"),
    "an empty data space": (replaced(RGB, h5py.Empty("f4")), "with numbers, but got object"),
    "one number": (replaced(RGB, 5), r"with \(3, 4\) channels, but got \(\)"),
    "twenty axes": (replaced(RGB, np.zeros((1,) * 20, "u1")), "with .* channels"),
    "colors of 16 bits": (replaced(RGB, full(4000, ">u2")), "from 0 to 255 .* but got >u2 from 4000 to 4000"),
    "negative colors": (replaced(RGB, full(-5)), "from -5 to -5"),
    "colors beyond any range": (replaced(RGB, full(2**60)), "from 0 to 255"),
    "colors of floats beyond 1": (replaced(RGB, full(200.0)), "fractions from 0 to 1, but got float64 from 200 to 200"),
    "NaN among colors": (replaced(RGB, full(np.nan)), "from nan to nan"),
    "complex depth": (replaced(DEPTH, np.zeros((4, 4), complex)), "with numbers, but got complex128"),
    "texts for depth": (replaced(DEPTH, np.full((4, 4), b"a")), "with numbers, but got |S1"),
    "three channels of depth": (replaced(DEPTH, full(0.5)), r"with \(1,\) channels"),
    "depth without pixels": (replaced(DEPTH, np.zeros((0, 0))), "square images, but .* is 0 x 0"),
    "a group for depth": (grouped(DEPTH), "but got a group"),
    "80 GB of depth": (declared(DEPTH, (100_000, 100_000), "f8"), "but it declares 80000000000"),
    "numbers for ids": (replaced(IDS, [1, 2]), "as ids of at most 64 characters, but got '1'"),
    "records for ids": (replaced(IDS, RECORDS[0, 0]), "as ids of at most 64 characters"),
    "no ids": (replaced(IDS, h5py.Empty("S4")), "as ids of at most 64 characters"),
    "ids of any length": (of_type(IDS, (4,), h5py.vlen_dtype(np.uint8)), "as ids of at most 64 characters"),
    "ids that are no UTF-8": (replaced(IDS, np.array([b"\xff\xfe"])), "no object is named"),
    "ids with a line break": (replaced(IDS, np.array([b"a\nb\x1b[31m"])), r"no object is named 'a\\nb\\x1b\[31m'"),
    "an id of 60,000 characters": (replaced(IDS, np.array([b"x" * 60_000])), "as ids of at most 64 characters"),
    "1 GB of ids": (declared(IDS, (2**28,), "S4"), "but it declares 1073741824"),
    "a number for a camera": (replaced(CAMERA, 1), "expected a group with"),
    "a camera less": (lambda file: file.__delitem__(CAMERA), "but it is not there"),
    "a link to a file": (linked(CAMERA, h5py.ExternalLink("/etc/passwd", "/")), "but got a link to elsewhere"),
    "a scene that links to itself": (linked("traj_2", h5py.SoftLink("/traj_2")), "but got a link to elsewhere"),
    "the file as a scene": (
        lambda file: file.__setitem__("traj_3", file["/"]),
        "traj_3/model_ids, but it is not there",
    ),
    "a type for a scene": (lambda file: file.__setitem__("traj_3", np.dtype("f8")), "expected a group with traj_3"),
    "an empty scene": (lambda file: file.create_group("zzz"), "zzz/model_ids, but it is not there"),
    "20,000 empty scenes": (lambda file: [file.create_group(f"s{n}") for n in range(20_000)], "s0|model_ids"),
}
TAKEN: dict[str, tuple[Change, str]] = {
    "colors of 16-bit floats": (replaced(RGB, full(0.5, "f2")), "fractions of any precision"),
    "colors a little beyond 1": (replaced(RGB, full(1.001)), "interpolation does that; they are clipped"),
    "one pixel": (replaced(RGB, np.zeros((1, 1, 3), "u1")), "images of any size are resized"),
    "depth of NaN": (replaced(DEPTH, np.full((4, 4), np.nan)), "a pixel without depth is 0 mm"),
    "depth of 1e308": (replaced(DEPTH, np.full((4, 4), 1e308)), "clipped to 65.535 m, farther than any table"),
    "depth of 64 bits": (replaced(DEPTH, np.full((4, 4), 2**64 - 1, "u8")), "clipped likewise"),
    "no objects": (replaced(IDS, np.array([], "S3")), "an empty table is a scene"),
    "one id": (replaced(IDS, b"011_banana"), "a list of one"),
    "an object twice": (replaced(IDS, np.array([b"011_banana"] * 2)), "the label says whether it is there"),
    "a group in itself": (
        lambda file: file.__setitem__(f"{CAMERA}/self", file["traj_2"]),
        "it is not read",
    ),
    "a name with a line break": (
        lambda file: file.move("traj_2", "traj_\n\x1b[31m"),
        "names are never shown raw",
    ),
}
"""Changes that are right to take, and why."""


def changed(folder: Path, change: Change) -> ImportConfig:
    with h5py.File(write_published(folder / "test.h5"), "r+") as file:
        change(file)
    return ImportConfig(str(folder / "test.h5"), "ood", str(folder / "store"), 32, 1)


@pytest.mark.parametrize("name", REFUSED)
def test_an_odd_form_is_one_line(name: str, tmp_path: Path) -> None:
    change, words = REFUSED[name]
    config = changed(tmp_path, change)
    with pytest.raises(PickClutterError, match=words) as caught:
        import_published(config)
    message = str(caught.value)
    assert "\n" not in message and "\x1b" not in message and len(message) < 800


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_right_to_take_is_taken_in_silence(name: str, tmp_path: Path) -> None:
    change, reason = TAKEN[name]
    assert f"| {name} | {reason} |" in ROBUSTNESS_PAGE.read_text()
    config = changed(tmp_path, change)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(import_published(config)) == 3


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_one_line_or_the_same(seed: int, tmp_path: Path) -> None:
    config = changed(tmp_path, lambda file: None)
    path, rng = tmp_path / "test.h5", np.random.default_rng(seed)
    data = bytearray(path.read_bytes())
    for place in rng.integers(len(data), size=200):
        data[place] ^= 1 << int(rng.integers(8))
    path.write_bytes(data if seed % 2 else data[: len(data) // 2])
    try:
        import_published(config)
    except PickClutterError as error:
        assert "\n" not in str(error) and len(str(error)) < 800
