"""Images by row: decoded once over processes, right after a kill, fast to open, flat in memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from helpers.image_data import config, paint
from helpers.process_kill import run_killed
from pickclutter_lang.datasets.images import ArrayImages, ImageFiles
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MissingAssetsError

SIDE = 16
READER = """
import sys
from pathlib import Path
from pickclutter_lang.datasets.images import ImageFiles

paths = sorted(Path(sys.argv[1]).iterdir())
images = ImageFiles(paths, [path.name for path in paths], 16, Path(sys.argv[2]))
for first in range(0, len(paths), 4):
    images.load(range(first, min(first + 4, len(paths))))
"""


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [paint(tmp_path / "files" / f"{n:02d}.{'jpg' if n % 2 else 'png'}", n, (20 + n, 30)) for n in range(12)]


def opened(paths: list[Path], tmp_path: Path) -> ImageFiles:
    return ImageFiles(paths, [path.name for path in paths], SIDE, tmp_path / "cache")


def decoded(paths: list[Path]) -> NDArray[Any]:
    images = [Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR) for path in paths]
    return np.stack([np.asarray(image) for image in images])


def test_files_are_read_by_row_as_squares(paths: list[Path], tmp_path: Path) -> None:
    rows = [3, 0, 3, 11]
    pixels = opened(paths, tmp_path).load(rows)
    assert pixels.dtype == np.uint8 and np.array_equal(pixels, decoded([paths[row] for row in rows]))
    assert np.array_equal(opened(paths, tmp_path).subset([5, 2]).load([1]), decoded([paths[2]]))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.linear_gradient("L").convert("RGB").convert(mode).save(path)
    pixels = opened([path], tmp_path).load([0])[0]
    assert pixels.shape == (SIDE, SIDE, 3) and pixels[0].mean() < 20 and pixels[-1].mean() > 235


@pytest.mark.parametrize("orientation", [1, 3, 6, 8, 9999])
def test_a_photo_is_turned_as_its_camera_was(tmp_path: Path, orientation: int) -> None:
    image = Image.linear_gradient("L").convert("RGB")  # dark above
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x.jpg", exif=exif)
    pixels = opened([tmp_path / "x.jpg"], tmp_path).load([0])[0].astype(float)
    first = {1: pixels[0], 9999: pixels[0], 3: pixels[-1], 6: pixels[:, -1], 8: pixels[:, 0]}[orientation]
    assert first.mean() < 20


def test_a_photo_with_damaged_camera_data_stays_as_it_is(tmp_path: Path) -> None:
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "x.jpg", exif=b"Exif\0\0garbage!")
    assert opened([tmp_path / "x.jpg"], tmp_path).load([0])[0][0].mean() < 20


def test_a_image_is_decoded_once_over_processes(paths: list[Path], tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", READER, str(tmp_path / "files"), str(tmp_path / "cache")], check=True)
    truth, state = decoded(paths), paths[0].stat()
    digest = opened(paths, tmp_path).content_hash
    paths[0].write_bytes(b"x" * state.st_size)  # as large and as old: what tells that nobody reads it again
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    again = opened(paths, tmp_path)
    assert np.array_equal(again.load(range(12)), truth) and again.content_hash == digest
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    changed = opened(paths, tmp_path)
    assert changed.content_hash != digest
    with pytest.raises(InvalidArgumentError, match=r"00\.png"):
        changed.load([0])


@pytest.mark.parametrize(
    ("function", "call"), [("os:fsync", 2), ("pickclutter_lang.datasets.images.pixel_cache:PixelCache.write", 3)]
)
def test_a_killed_process_leaves_a_cache_that_is_right(
    paths: list[Path], tmp_path: Path, function: str, call: int
) -> None:
    script = tmp_path / "read.py"
    script.write_text(READER)
    run_killed(script, [str(tmp_path / "files"), str(tmp_path / "cache")], function, call, tmp_path)
    images, done = opened(paths, tmp_path), 4 * (call - 1)
    assert images._pixels.missing(range(12)) == list(range(done, 12))
    assert np.array_equal(images.load(range(12)), decoded(paths))


def test_two_processes_at_once_keep_the_same_images(paths: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-c", READER, str(tmp_path / "files"), str(tmp_path / "cache")]
    assert [child.wait() for child in [subprocess.Popen(command) for _ in range(3)]] == [0, 0, 0]
    images = opened(paths, tmp_path)
    assert images._pixels.missing(range(12)) == [] and np.array_equal(images.load(range(12)), decoded(paths))


def test_a_cache_that_was_cut_is_refused(paths: list[Path], tmp_path: Path) -> None:
    images = opened(paths, tmp_path)
    images.load(range(12))
    (kept,) = (tmp_path / "cache").glob("*.pixels")
    os.truncate(kept, kept.stat().st_size - 1)
    with pytest.raises(DatasetError, match=kept.name):
        images.load([11])
    with pytest.raises(DatasetError, match="delete"):
        opened(paths, tmp_path).load([0])


def test_a_cache_that_cannot_be_written_is_named(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(DatasetError, match="cache"):
        opened(paths, tmp_path).load([0])
    with pytest.raises(DatasetError, match="cache"):
        _ = opened(paths, tmp_path).content_hash


@pytest.mark.parametrize("kind", ["text", "cut", "gone"])
def test_an_unreadable_image_is_named(paths: list[Path], tmp_path: Path, kind: str) -> None:
    bad = paths[7]
    if kind == "gone":
        bad.unlink()
        with pytest.raises(MissingAssetsError, match=r"07\.jpg"):
            opened(paths, tmp_path)
        return
    bad.write_bytes(b"no image" if kind == "text" else bad.read_bytes()[:400])
    images = opened(paths, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"07\.jpg"):
        images.load(range(12))
    assert len(images.load([0, 11])) == 2


def test_content_is_that_of_ids_and_bytes_wherever_the_files_lie(paths: list[Path], tmp_path: Path) -> None:
    first, ids = opened(paths, tmp_path), [path.name for path in paths]
    moved = shutil.copytree(tmp_path / "files", tmp_path / "moved")
    there = [moved / path.name for path in paths]
    assert first.content_hash == ImageFiles(there, ids, 32, tmp_path / "cache").content_hash
    assert first.content_hash != ImageFiles(there, ids[::-1], SIDE, tmp_path / "cache").content_hash
    paint(there[4], 99)
    assert first.content_hash != ImageFiles(there, ids, SIDE, tmp_path / "cache").content_hash


def test_an_id_names_one_image(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="x occurs 2 times"):
        ImageFiles(paths[:2], ["x", "x"], SIDE, tmp_path)
    with pytest.raises(InvalidArgumentError, match="an id for each of 2"):
        ArrayImages(["x"], np.zeros((2, 4, 4, 3), np.uint8), "")
    with pytest.raises(InvalidArgumentError, match="uint8"):
        ArrayImages(["x"], np.zeros((1, 4, 5, 3), np.uint8), "")


def test_of_ten_thousand_images_those_that_are_asked_for_are_decoded(tmp_path: Path) -> None:
    image = paint(tmp_path / "image.jpg").read_bytes()
    for c in range(10):
        (tmp_path / "data" / f"class {c}").mkdir(parents=True)
        for n in range(1000):
            (tmp_path / "data" / f"class {c}" / f"{n}.jpg").write_bytes(image)
    code = (
        "import sys\nfrom PIL import Image\nopened, count = Image.open, []\n"
        "Image.open = lambda *a, **k: count.append(1) or opened(*a, **k)\n"
        "from pickclutter_lang.datasets.images import ImageDataConfig, load_image_dataset\n"
        "data, split, _ = load_image_dataset(ImageDataConfig(**eval(sys.argv[1])))\n"
        "data.images.load(split.train[:128]); data.images.content_hash; print(len(count))"
    )
    asked = repr(vars(config(tmp_path)))
    decoded = [int(subprocess.check_output([sys.executable, "-c", code, asked])) for _ in range(2)]
    assert decoded == [128, 0]  # the second process finds their pixels in the cache


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = paint(tmp_path / "x.jpg")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom pickclutter_lang.datasets.images import ImageFiles\n"
        "images = ImageFiles([Path(sys.argv[1])] * 512, [str(n) for n in range(512)], 256, Path(sys.argv[2]))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "images.load(range(32)); before = peak()\n"
        "for first in [*range(0, 512, 32)] * 2: images.load(range(first, first + 32))\n"
        "print(peak() - before)"
    )
    grown = float(subprocess.check_output([sys.executable, "-c", code, path, tmp_path / "cache"]))
    assert grown < 25  # MB, of 100 that are decoded


def test_what_is_no_regular_file_is_refused_and_never_read(paths: list[Path], tmp_path: Path) -> None:
    makers: list[Callable[[Path], None]] = [os.mkfifo, partial(os.symlink, "/dev/zero")]
    for number, make in enumerate(makers):
        path = paths[0].with_name(f"odd{number}.png")
        make(path)
        with pytest.raises(InvalidArgumentError, match=rf"odd{number}\.png, but it is no regular file"):
            opened([*paths, path], tmp_path)


def test_a_file_that_no_image_fills_is_refused_before_it_is_read(paths: list[Path], tmp_path: Path) -> None:
    with paths[0].open("ab") as stream:
        stream.truncate(10**9)  # no block of the disk is written
    with pytest.raises(InvalidArgumentError, match=r"at most 100 MB at .*, but got 1000 MB"):
        opened(paths, tmp_path)


def test_a_name_that_is_no_text_is_refused(paths: list[Path], tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(paths[0].parent) + b"/caf\xe9.png"))
    shutil.copy(paths[0], path)
    with pytest.raises(InvalidArgumentError, match=r"file names in UTF-8, but got 'caf\\udce9\.png'"):
        opened([*paths, path], tmp_path)
