"""Image captions for L_cap (Eq. 8) by a captioning model, appended to a JSON lines file batch by batch.

A line is `{"id": ..., "text": ..., "sha256": ...}`; the hash identifies the image, so that no caption is
assigned to another one. A second file, `OUT.card.json`, records the provenance of the captioning model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.datasets.images import ImageFiles, ImageSource, load_image_dataset
from pickclutter_lang.datasets.images.dataset import decode
from pickclutter_lang.errors import DatasetError, LanguageModelError, MismatchError
from pickclutter_lang.experiments.images.config import CaptionConfig
from pickclutter_lang.language.captioner import Captioner
from pickclutter_lang.utils.io import atomic_write, check_writable_dir
from pickclutter_lang.utils.json_files import MAX_LINES_BYTES, parse_json, read_json
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar

_PROVENANCE_SUFFIX = ".card.json"


@dataclass(frozen=True)
class Captioned:
    """How many images have a caption, how many of them since this call, and what to know of the data set."""

    images: int
    new: int
    report: str


def caption_images(config: CaptionConfig) -> Captioned:
    """Caption every image that has none in `out`; after an interruption the same call continues.

    :raises PickClutterError: as `Captioner` and `load_image_dataset`; MismatchError for captions of another model or of
        other images, DatasetError for a file that cannot be written, InvalidArgumentError for an unreadable image
    :raises LanguageModelError: after all others are captioned, for images without any caption from the model
    """
    out = Path(config.out)
    check_writable_dir(out.parent)
    captioner = Captioner(config.model, config.revision, config.max_tokens, config.device)
    data, _, report = load_image_dataset(config.data)
    hashes = dict(zip(data.images.ids, _hashes(data.images), strict=True))
    with file_lock(out), _open(out) as stream:
        _check_provenance(out, stream, captioner.provenance)
        done = _kept(out, stream, hashes)
        left = [row for row, name in enumerate(hashes) if name not in done]
        uncaptioned = [] if not left else _caption(captioner, data.images, left, hashes, stream, config)
    if uncaptioned:
        raise LanguageModelError(
            f"expected a caption of every image, but {config.model} gave an empty caption for {len(uncaptioned)}, "
            f"such as {uncaptioned[0]}; the others are in {out}; take another model= and out=, or add theirs to a copy"
        )
    return Captioned(len(hashes), len(left), report)


def _caption(
    captioner: Captioner,
    images: ImageSource,
    rows: Sequence[int],
    hashes: Mapping[str, str],
    stream: BinaryIO,
    config: CaptionConfig,
) -> list[str]:
    """Append the captions of some images; return the ids of those without a caption from the model."""
    uncaptioned, ids = [], images.ids
    with ProgressBar("images", len(ids), len(ids) - len(rows)) as bar:
        for first in range(0, len(rows), config.batch_size):
            batch = rows[first : first + config.batch_size]
            texts = captioner.caption(_originals(images, batch))
            captions = {ids[row]: text for row, text in zip(batch, texts, strict=True)}
            uncaptioned += [name for name, text in captions.items() if not text]
            lines = [{"id": name, "text": text, "sha256": hashes[name]} for name, text in captions.items() if text]
            _append(Path(config.out), stream, lines)
            bar.advance(len(batch))
    return uncaptioned


def _originals(images: ImageSource, rows: Sequence[int]) -> list[Image.Image | NDArray[np.uint8]]:
    """Return images as large as they are: files are not squeezed to the squares that students see."""
    if isinstance(images, ImageFiles):
        return [decode(images.paths[row]) for row in rows]
    return list(images.load(rows))


def _hashes(images: ImageSource) -> list[str]:
    if isinstance(images, ImageFiles):
        return [digest.hex() for digest in images.file_hashes]
    return [hashlib.sha256(images.load([row]).tobytes()).hexdigest() for row in range(len(images.ids))]


def _open(out: Path) -> BinaryIO:
    """Open a file to read and append."""
    if out.exists() and (not out.is_file() or out.stat().st_size > MAX_LINES_BYTES):
        raise DatasetError(f"expected {out} to be a file of captions, but it is none, or too large; name another out=")
    try:
        return out.open("a+b")
    except OSError as error:
        raise DatasetError(f"cannot write {out}: {error.strerror}") from error


class _Provenance(TypedDict):
    model: str
    weights: str
    max_tokens: int


class _Kept(TypedDict):
    id: str
    sha256: str


def _check_provenance(out: Path, stream: BinaryIO, provenance: Mapping[str, Any]) -> None:
    """Check that existing captions are of this model; before the first caption, record the model."""
    path = out.with_name(out.name + _PROVENANCE_SUFFIX)
    if stream.seek(0, os.SEEK_END) == 0:
        atomic_write(path, (json.dumps(provenance, indent=1) + "\n").encode())
        return
    missing = f"expected {path} to name the model of the captions in {out}, but it is not there; name another out="
    recorded = read_json(path, _Provenance, MismatchError, "name another out=", missing)
    differ = [key for key in ("weights", "max_tokens") if recorded.get(key) != provenance[key]]
    if differ:
        raise MismatchError(
            f"the captions in {out} are of {recorded['model']} with max_tokens={recorded['max_tokens']}, but now it is "
            f"{provenance['model']} with max_tokens={provenance['max_tokens']} "
            f"(other {' and '.join(differ)}); name another out="
        )


def _kept(out: Path, stream: BinaryIO, hashes: Mapping[str, str]) -> set[str]:
    """Return the ids that have a caption; a last line that was cut by the end of a process is dropped."""
    stream.seek(0)
    content = stream.read()
    complete_end = content.rfind(b"\n") + 1
    stream.truncate(complete_end)
    done: set[str] = set()
    for number, line in enumerate(content[:complete_end].splitlines(), 1):
        try:
            row = parse_json(line, _Kept)
        except ValueError as error:
            raise DatasetError(
                f"expected a caption in line {number} of {out}, but: {error}; name another out="
            ) from error
        name = row["id"]
        if hashes.get(name) != row["sha256"]:
            raise MismatchError(
                f"line {number} of {out} is a caption of {name}, which is not among the images or is another image "
                "now; take that line away, or name another out="
            )
        done.add(name)
    return done


def _append(out: Path, stream: BinaryIO, rows: Sequence[Mapping[str, str]]) -> None:
    try:
        stream.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        stream.flush()
        os.fsync(stream.fileno())
    except OSError as error:
        raise DatasetError(f"cannot write {out}: {error.strerror}; mend that and run the same command again") from error
