"""From settings to images, texts, captions and a split; images by row, decoded once over processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from helpers.image_data import config, labelled, paint, paint_classes
from helpers.process_kill import run_killed
from pickclutter_lang.datasets.images.dataset import ImageDataset, ImageFiles
from pickclutter_lang.datasets.images.loading import load_image_dataset, with_captions, with_texts
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError

SIDE = 16
READER = """
import sys
from pathlib import Path
from pickclutter_lang.datasets.images.dataset import ImageFiles

paths = sorted(Path(sys.argv[1]).iterdir())
images = ImageFiles(paths, [path.name for path in paths], 16, Path(sys.argv[2]))
for first in range(0, len(paths), 4):
    images.load(range(first, min(first + 4, len(paths))))
"""


def test_a_data_set_is_opened_with_lists_texts_and_captions(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["001.Tern_a", "002.Gull", "003.Wren"], 6)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "train_data.txt").write_text("".join(f"train/001.Tern_a/p{n}.png\n" for n in range(4)))
    (lists / "val_on_train_data.txt").write_text("".join(f"val/001.Tern_a/p{n}.png\n" for n in (4, 5)))
    (lists / "val_data.txt").write_text("".join(f"val/002.Gull/p{n}.png\n" for n in range(6)))
    (lists / "label2text.txt").write_text("001.Tern_a 1 Arctic_Tern\n002.Gull 2 Gull\n")
    (lists / "chatgpt.txt").write_text("White.\nGrey.\n")
    (tmp_path / "c.jsonl").write_text('{"id": "002.Gull/p1.png", "text": "a gull"}')
    asked = config(tmp_path, name="caltech_birds", author_lists=str(lists), captions=str(tmp_path / "c.jsonl"))
    data, split, report = load_image_dataset(asked)
    texts = [(item.name, item.description) for item in data.classes[:2]]
    assert texts == [("Arctic Tern", "White."), ("Gull", "Grey.")]
    assert (split.seen, split.unseen) == ((0,), (1,)) and data.captions == {"002.Gull/p1.png": "a gull"}
    assert [len(rows) for rows in (split.train, split.id, split.ood, split.fewshot)] == [4, 2, 4, 2]
    assert "003.Wren" in report


@pytest.fixture
def birds(tmp_path: Path) -> ImageDataset:
    return labelled(tmp_path, ["001.Tern_a", "002.Tern_b", "003.Gull", "004.Wren"], 6)


def write_texts(folder: Path, labels: str, descriptions: str | None) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "label2text.txt").write_text(labels)
    if descriptions is not None:
        (folder / "chatgpt.txt").write_text(descriptions)
    return folder


def test_texts_name_and_describe_classes(tmp_path: Path, birds: ImageDataset) -> None:
    labels = "001.Tern_a 1 Tern_a\nGULL 2 Great_Gull\nheron 3 heron\n"
    data = with_texts(birds, write_texts(tmp_path / "t", labels, "A bird.\n A big one.\nGrey."))
    assert [(item.folder, item.name, item.description) for item in data.classes[:3]] == [
        ("001.Tern_a", "Tern a", "A bird."),
        ("002.Tern_b", "002.Tern b", ""),
        ("003.Gull", "Great Gull", "A big one."),
    ]
    assert len(data.notes) == 2 and "heron" in data.notes[1]
    assert with_texts(birds, write_texts(tmp_path / "u", labels, None)).classes[2].name == "Great Gull"
    for wrong in ("001.Tern_a 1 a_gull\n003.Gull 2 A_gull", "001.Tern_a 1 a\nTern_a 2 b", "heron 1 heron", "heron 1"):
        with pytest.raises(InvalidArgumentError):
            with_texts(birds, write_texts(tmp_path / "u", wrong, None))


def test_captions_go_by_id_and_by_the_bytes_of_the_file(tmp_path: Path, birds: ImageDataset) -> None:
    path = tmp_path / "captions.jsonl"
    name = "003.Gull/p1.png"
    assert isinstance(birds.images, ImageFiles)
    own = birds.images.file_hashes[list(birds.images.ids).index(name)].hex()
    rows = [{"id": name, "text": " a gray gull ", "sha256": own}, {"id": "x/y.png", "text": "nobody"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = with_captions(birds, path)
    assert data.captions == {name: "a gray gull"}
    assert "x/y.png" in data.notes[1]
    for wrong in (
        json.dumps({"id": name, "text": "a gull", "sha256": "0" * 64}),
        f'{{"id": "{name}", "text": "a"}}\n' * 2,
        "a gull",
    ):
        path.write_text(wrong)
        with pytest.raises(InvalidArgumentError, match=r"captions\.jsonl"):
            with_captions(birds, path)


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
    assert type(pixels) is np.ndarray and np.array_equal(pixels, decoded([paths[row] for row in rows]))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.linear_gradient("L").convert("RGB").convert(mode).save(path)
    pixels = opened([path], tmp_path).load([0])[0]
    assert pixels.shape == (SIDE, SIDE, 3) and pixels[0].mean() < 20 and pixels[-1].mean() > 235


@pytest.mark.parametrize("orientation", [6, 9999])
def test_a_photo_is_turned_as_its_camera_was(tmp_path: Path, orientation: int) -> None:
    image = Image.linear_gradient("L").convert("RGB")  # dark above
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x.jpg", exif=exif)
    pixels = opened([tmp_path / "x.jpg"], tmp_path).load([0])[0].astype(float)
    first = {9999: pixels[0], 6: pixels[:, -1]}[orientation]
    assert first.mean() < 20


def test_an_image_is_decoded_once_over_processes(paths: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-c", READER, str(tmp_path / "files"), str(tmp_path / "cache")]
    assert [child.wait() for child in [subprocess.Popen(command) for _ in range(2)]] == [0, 0]
    expected = decoded(paths)
    state = paths[0].stat()
    digest = opened(paths, tmp_path).content_hash
    paths[0].write_bytes(b"x" * state.st_size)  # as large and as old: what tells that nobody reads it again
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    again = opened(paths, tmp_path)
    assert np.array_equal(again.load(range(12)), expected) and again.content_hash == digest
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    changed = opened(paths, tmp_path)
    assert changed.content_hash != digest
    with pytest.raises(InvalidArgumentError, match=r"00\.png"):
        changed.load([0])


def test_a_killed_process_leaves_a_cache_that_is_right(paths: list[Path], tmp_path: Path) -> None:
    script = tmp_path / "read.py"
    script.write_text(READER)
    function = "pickclutter_lang.datasets.images.dataset:read_image"
    run_killed([str(script), str(tmp_path / "files"), str(tmp_path / "cache")], function, 7, tmp_path)
    assert np.array_equal(opened(paths, tmp_path).load(range(12)), decoded(paths))


@pytest.mark.parametrize("kind", ["text", "cut", "gone"])
def test_an_unreadable_image_is_named(paths: list[Path], tmp_path: Path, kind: str) -> None:
    bad = paths[7]
    content = paths[7].read_bytes()
    bad.unlink()
    if kind == "gone":
        with pytest.raises(MissingAssetsError, match=r"07\.jpg"):
            opened(paths, tmp_path)
        return
    bad.write_bytes(b"no image" if kind == "text" else content[:400])
    images = opened(paths, tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"07\.jpg"):
        images.load(range(12))
    assert len(images.load([0, 11])) == 2


def test_content_is_that_of_ids_and_bytes_wherever_the_files_lie(paths: list[Path], tmp_path: Path) -> None:
    first = opened(paths, tmp_path)
    ids = [path.name for path in paths]
    moved = shutil.copytree(tmp_path / "files", tmp_path / "moved")
    there = [moved / path.name for path in paths]
    assert first.content_hash == ImageFiles(there, ids, 32, tmp_path / "cache").content_hash
    assert first.content_hash != ImageFiles(there, ids[::-1], SIDE, tmp_path / "cache").content_hash
    paint(there[4], 99)
    assert first.content_hash != ImageFiles(there, ids, SIDE, tmp_path / "cache").content_hash
