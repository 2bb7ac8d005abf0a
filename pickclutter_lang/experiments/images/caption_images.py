"""Image captions for L_cap (Eq. 8) by a captioning model, appended to a JSON lines file batch by batch.

A line is `{"id": ..., "text": ..., "sha256": ...}`; the hash identifies the image, so that no caption is
assigned to another one. A second file, `OUT.card.json`, records the provenance of the captioning model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from pickclutter_lang.datasets.images.dataset import ImageFiles, ImageSource
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.errors import DatasetError, LanguageModelError, MismatchError
from pickclutter_lang.experiments.images.config import CaptionConfig
from pickclutter_lang.language.captioner import Captioner
from pickclutter_lang.utils.images import read_image
from pickclutter_lang.utils.io import check_writable_dir, fsync, write_json
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.reading import read_json, read_json_lines

_REMEDY = "name another out="


class Captioned(NamedTuple):
    """How many images have a caption, how many of them since this call, and what to know of the data set."""

    images: int
    new: int
    report: str


class _Provenance(TypedDict):
    model: str
    weights: str
    max_tokens: int


class _Line(TypedDict):
    id: str
    sha256: str


def caption_images(config: CaptionConfig) -> Captioned:
    """Caption every image that has none in `out`; after an interruption the same call continues.

    :raises PickClutterError: as `Captioner` and `load_image_dataset`; MismatchError for captions of another model or of
        other images, InvalidArgumentError for an unreadable image
    :raises LanguageModelError: after all others are captioned, for images without any caption from the model
    """
    out = Path(config.out)
    check_writable_dir(out.parent)
    captioner = Captioner(config.model, config.revision, config.max_tokens, config.device)
    data, _, report = load_image_dataset(config.data)
    images = data.images
    ids = data.images.ids
    hashes = _hashes(data.images)
    with file_lock(out):
        done = _captioned(out, captioner.provenance, dict(zip(ids, hashes, strict=True)))
        left = [row for row, name in enumerate(ids) if name not in done]
        lacking: list[str] = []
        with ProgressBar("images", len(ids), len(ids) - len(left)) as bar:
            for first in range(0, len(left), config.batch_size):
                rows = left[first : first + config.batch_size]
                # Files are not squeezed to the squares that students see.
                shown = (
                    [read_image(images.paths[n]) for n in rows] if isinstance(images, ImageFiles) else images.load(rows)
                )
                texts = dict(zip(rows, captioner.caption(list(shown)), strict=True))
                _append(out, [{"id": ids[n], "text": text, "sha256": hashes[n]} for n, text in texts.items() if text])
                lacking += [ids[n] for n, text in texts.items() if not text]
                bar.advance(len(rows))
    if lacking:
        raise LanguageModelError(
            f"expected a caption of every image, but {config.model} gave an empty caption for {len(lacking)}, such as "
            f"{lacking[0]}; the others are in {out}; take another model= and out=, or add theirs to a copy"
        )
    return Captioned(len(ids), len(left), report)


def _captioned(out: Path, provenance: Mapping[str, Any], hashes: Mapping[str, str]) -> set[str]:
    """Return the ids that have a caption of this model; a line that was cut by the end of a process is dropped.

    :param hashes: id of each image -> its hash
    """
    card = out.with_name(f"{out.name}.card.json")
    if not out.exists() or out.stat().st_size == 0:
        write_json(card, provenance)
        return set()
    recorded = read_json(card, _Provenance, MismatchError, _REMEDY)
    if any(recorded.get(key) != provenance[key] for key in ("weights", "max_tokens")):
        raise MismatchError(
            f"expected captions of {provenance['model']} with max_tokens={provenance['max_tokens']} in {out}, but they "
            f"are of {recorded['model']} with max_tokens={recorded['max_tokens']}, or of other weights; {_REMEDY}"
        )
    rows = read_json_lines(out, _Line, DatasetError, _REMEDY, may_be_cut=True)
    other = [row["id"] for row in rows if hashes.get(row["id"]) != row["sha256"]]
    if other:
        raise MismatchError(
            f"the captions {out} are of {', '.join(other[:3])} too, which are not among the images or are others now; "
            f"take these lines away, or {_REMEDY}"
        )
    with out.open("r+b") as stream:
        stream.truncate(stream.read().rfind(b"\n") + 1)
    return {row["id"] for row in rows}


def _append(out: Path, rows: list[dict[str, str]]) -> None:
    with out.open("a") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)
    fsync(out)


def _hashes(images: ImageSource) -> list[str]:
    if isinstance(images, ImageFiles):
        return [digest.hex() for digest in images.file_hashes]
    return [hashlib.sha256(images.load([row]).tobytes()).hexdigest() for row in range(len(images.ids))]
