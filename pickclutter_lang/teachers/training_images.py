"""The images that a teacher was trained on, listed by hash in its folder, so that none of them is evaluated on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pickclutter_lang.datasets.images.dataset import ImageDataset, ImageSource
from pickclutter_lang.errors import MismatchError, TeacherError
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES, load_pocket_teacher
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.reading import read_json

_BYTES = 16  # of each hash
_REMEDY = (
    "train the teacher with pickclutter train-teacher teacher_data=image_folder images_half=..., and pretrained= with "
    "such a list"
)


def write_training_images(folder: Path, hashes: Iterable[bytes], pretrained: str | None = None) -> None:
    """Write the first 16 bytes of the hash (sha256) of each image file, in order, as a JSON list of hex digits.

    There is no list where nobody knows the images of `pretrained`; `check_untrained_images` then refuses the teacher.

    :param hashes: of the images; none for a teacher of renders
    :param pretrained: folder of the teacher that the training started from, whose images count too
    :raises TeacherError: when that folder is damaged
    """
    listed = {value[:_BYTES].hex() for value in hashes}
    path = folder / TRAINING_IMAGES
    if pretrained is not None and (Path(pretrained) / TRAINING_IMAGES).is_file():
        listed |= _read(Path(pretrained))
    elif pretrained is not None and load_pocket_teacher(pretrained).fingerprint != load_pocket_teacher().fingerprint:
        path.unlink(missing_ok=True)
        return
    write_text(path, json.dumps(sorted(listed), indent=0) + "\n")


def check_untrained_images(data: ImageDataset, checkpoint: str | None) -> None:
    """Check that a teacher was trained on none of the images of a data set.

    :param checkpoint: folder of the teacher; anything else is a teacher that `train-teacher` did not export
    :raises TeacherError: when the folder does not list the teacher's images
    :raises MismatchError: naming an image that it was trained on
    """
    if checkpoint is None or not Path(checkpoint).is_dir() or not data.images.paths:
        return
    if shared := _shared(data.images, Path(checkpoint)):
        raise MismatchError(
            f"expected images that the teacher was not trained on, but it was on {len(shared)} of {len(data.labels)}, "
            f"such as {shared[0]}; take the other data.half, or another teacher"
        )


def note_of_trained_images(data: ImageDataset, checkpoint: str | None) -> str:
    """Return a sentence on how many images of a data set a teacher was trained on; nothing where its folder lists none.

    :raises TeacherError: when the list is damaged
    """
    shared = [] if checkpoint is None else listed_images(data.images, checkpoint)
    return f"The teacher was trained on {len(shared)} of these {len(data.labels)} images." if shared else ""


def listed_images(images: ImageSource, teacher: str | Path) -> list[str]:
    """Return the ids of images that the folder of a teacher lists as its training images; none where it has no list.

    :raises TeacherError: when the list is damaged
    """
    return _shared(images, Path(teacher)) if (Path(teacher) / TRAINING_IMAGES).is_file() else []


def _shared(images: ImageSource, teacher: Path) -> list[str]:
    """Return the ids of images that a teacher was trained on."""
    trained = _read(teacher)
    hashes = zip(images.ids, images.file_hashes, strict=False)
    return [name for name, value in hashes if value[:_BYTES].hex() in trained]


def _read(teacher: Path) -> set[str]:
    """Read the hashes of a teacher's images."""
    path = teacher / TRAINING_IMAGES
    missing = f"expected the list of the teacher's images at {path}, which data.half is checked against; {_REMEDY}"
    return {*read_json(path, list[str], TeacherError, _REMEDY, missing)}
