"""Pictures by row: decoded once over processes, right after a kill, fast to open, flat in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from killing import run_killed
from PIL import Image
from toy_pictures import paint, settings

from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError, StoreError
from pickclutter_lang.pictures import (
    ArrayPictures,
    FilePictures,
)

SIDE = 16
READER = """
import sys
from pathlib import Path
from pickclutter_lang.pictures import FilePictures

paths = sorted(Path(sys.argv[1]).iterdir())
pictures = FilePictures(paths, [path.name for path in paths], 16, Path(sys.argv[2]))
for first in range(0, len(paths), 4):
    pictures.read(range(first, min(first + 4, len(paths))))
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [paint(tmp_path / "files" / f"{n:02d}.{'jpg' if n % 2 else 'png'}", n, (20 + n, 30)) for n in range(12)]


def opened(paths: list[Path], tmp_path: Path) -> FilePictures:
    return FilePictures(paths, [path.name for path in paths], SIDE, tmp_path / "cache")


def decoded(paths: list[Path]) -> np.ndarray:
    pictures = [Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR) for path in paths]
    return np.stack([np.asarray(picture) for picture in pictures])


def test_files_are_read_by_row_as_squares(paths: list[Path], tmp_path: Path) -> None:
    rows = [3, 0, 3, 11]
    pixels = opened(paths, tmp_path).read(rows)
    assert pixels.dtype == np.uint8 and np.array_equal(pixels, decoded([paths[row] for row in rows]))
    assert np.array_equal(opened(paths, tmp_path).subset([5, 2]).read([1]), decoded([paths[2]]))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK"])
def test_every_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.linear_gradient("L").convert("RGB").convert(mode).save(path)
    pixels = opened([path], tmp_path).read([0])[0]
    assert pixels.shape == (SIDE, SIDE, 3) and pixels[0].mean() < 20 and pixels[-1].mean() > 235


def test_a_picture_is_decoded_once_over_processes(paths: list[Path], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", READER, tmp_path / "files", tmp_path / "cache"], check=True)
    truth, state = decoded(paths), paths[0].stat()
    digest = opened(paths, tmp_path).content
    paths[0].write_bytes(b"x" * state.st_size)  # as large and as old: what tells that nobody reads it again
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    again = opened(paths, tmp_path)
    assert np.array_equal(again.read(range(12)), truth) and again.content == digest
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    changed = opened(paths, tmp_path)
    assert changed.content != digest
    with pytest.raises(InvalidArgumentError, match=r"00\.png"):
        changed.read([0])


@pytest.mark.parametrize(
    ("function", "call"), [("os:fsync", 2), ("pickclutter_lang.pictures.pixels:PixelCache.write", 3)]
)
def test_a_killed_process_leaves_a_cache_that_is_right(
    paths: list[Path], tmp_path: Path, function: str, call: int
) -> None:
    script = tmp_path / "read.py"
    script.write_text(READER)
    run_killed(script, [str(tmp_path / "files"), str(tmp_path / "cache")], function, call, tmp_path)
    pictures, done = opened(paths, tmp_path), 4 * (call - 1)
    assert pictures._pixels.missing(range(12)) == list(range(done, 12))
    assert np.array_equal(pictures.read(range(12)), decoded(paths))


def test_two_processes_at_once_keep_the_same_pictures(paths: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-c", READER, tmp_path / "files", tmp_path / "cache"]
    assert [child.wait() for child in [subprocess.Popen(command) for _ in range(3)]] == [0, 0, 0]
    pictures = opened(paths, tmp_path)
    assert pictures._pixels.missing(range(12)) == [] and np.array_equal(pictures.read(range(12)), decoded(paths))


def test_a_cache_that_was_cut_is_refused(paths: list[Path], tmp_path: Path) -> None:
    pictures = opened(paths, tmp_path)
    pictures.read(range(12))
    (kept,) = (tmp_path / "cache").glob("*.pixels")
    os.truncate(kept, kept.stat().st_size - 1)
    with pytest.raises(StoreError, match=kept.name):
        pictures.read([11])
    with pytest.raises(StoreError, match="delete"):
        opened(paths, tmp_path).read([0])


def test_a_cache_that_cannot_be_written_is_named(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(StoreError, match="cache"):
        opened(paths, tmp_path).read([0])
    with pytest.raises(StoreError, match="cache"):
        _ = opened(paths, tmp_path).content


@pytest.mark.parametrize("kind", ["text", "cut", "gone"])
def test_an_unreadable_picture_is_named(paths: list[Path], tmp_path: Path, kind: str) -> None:
    bad = paths[7]
    if kind == "gone":
        bad.unlink()
        with pytest.raises(MissingAssetsError, match=r"07\.jpg"):
            opened(paths, tmp_path)
        return
    bad.write_bytes(b"no picture" if kind == "text" else bad.read_bytes()[:400])
    pictures = opened(paths, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"07\.jpg"):
        pictures.read(range(12))
    assert len(pictures.read([0, 11])) == 2


def test_content_is_that_of_ids_and_bytes_wherever_the_files_lie(paths: list[Path], tmp_path: Path) -> None:
    first, ids = opened(paths, tmp_path), [path.name for path in paths]
    moved = shutil.copytree(tmp_path / "files", tmp_path / "moved")
    there = [moved / path.name for path in paths]
    assert first.content == FilePictures(there, ids, 32, tmp_path / "cache").content
    assert first.content != FilePictures(there, ids[::-1], SIDE, tmp_path / "cache").content
    paint(there[4], 99)
    assert first.content != FilePictures(there, ids, SIDE, tmp_path / "cache").content


def test_an_id_names_one_picture(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="x is there 2 times"):
        FilePictures(paths[:2], ["x", "x"], SIDE, tmp_path)
    with pytest.raises(InvalidArgumentError, match="an id for each of 2"):
        ArrayPictures(["x"], np.zeros((2, 4, 4, 3), np.uint8), "")
    with pytest.raises(InvalidArgumentError, match="uint8"):
        ArrayPictures(["x"], np.zeros((1, 4, 5, 3), np.uint8), "")


def test_ten_thousand_pictures_are_opened_fast(tmp_path: Path) -> None:
    picture = paint(tmp_path / "picture.jpg").read_bytes()
    for c in range(10):
        (tmp_path / "data" / f"class {c}").mkdir(parents=True)
        for n in range(1000):
            (tmp_path / "data" / f"class {c}" / f"{n}.jpg").write_bytes(picture)
    code = (
        "import sys, time; begin = time.perf_counter()\n"
        "from pickclutter_lang.pictures import PictureSettings, open_pictures\n"
        "data, split, _ = open_pictures(PictureSettings(**eval(sys.argv[1])))\n"
        "data.pictures.read(split.train[:128]); data.pictures.content; print(time.perf_counter() - begin)"
    )
    asked = repr(vars(settings(tmp_path)))
    first, second = (float(subprocess.check_output([sys.executable, "-c", code, asked])) for _ in range(2))
    assert first < 5 and second < 5


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = paint(tmp_path / "x.jpg")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom pickclutter_lang.pictures import FilePictures\n"
        "pictures = FilePictures([Path(sys.argv[1])] * 512, [str(n) for n in range(512)], 256, Path(sys.argv[2]))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "pictures.read(range(32)); before = peak()\n"
        "for first in [*range(0, 512, 32)] * 2: pictures.read(range(first, first + 32))\n"
        "print(peak() - before)"
    )
    grown = float(subprocess.check_output([sys.executable, "-c", code, path, tmp_path / "cache"]))
    assert grown < 25  # MB, of 100 that are decoded
