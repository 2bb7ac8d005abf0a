"""What a teacher and a student see in one image: scores, thresholds and maps of names, as one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from pickclutter_lang import teachers
from pickclutter_lang.datasets.transforms.resampling import object_crop
from pickclutter_lang.demo.config import LookConfig
from pickclutter_lang.evaluation.drawing import draw_detection
from pickclutter_lang.language.instructions import instruction, parse_target_name, read_name
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.policy.detectors import Detection, StudentDetector
from pickclutter_lang.policy.observations import upsample_to_image
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import picture_files
from pickclutter_lang.teachers.known_words import unknown_words_note, with_neighbors
from pickclutter_lang.teachers.zero_shot import (
    ABSENT_TEMPLATE,
    PHOTO_TEMPLATE,
    PRESENT_TEMPLATE,
    encode_images,
    prompt_pair_probabilities,
)
from pickclutter_lang.utils.images import png_bytes, read_image
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.markdown import markdown_table

THRESHOLD_NOTE = (
    "The teacher's threshold is not calibrated, and its low scores may be of objects that are there: compare names. "
    "Those of a policy, such as policy=open, are calibrated, for piles."
)
POCKET_NOTE = (
    "The pocket teacher was trained on renders of household objects. For photographs take CLIP: "
    "teacher_name=vit_l14_openai."
)
MAX_SIDE = 512
"""Pixels of a person's own image that are used."""
_MAP_SIDE, _SHOWN = 320, 240  # pixels: the image of which a pocket teacher gives a map, and a panel
_FOOT, _CROP = 40, 120


class Look(NamedTuple):
    """The image, uint8 [S, S, 3], the names, and what the teacher and the student found for each.

    `notes` are sentences on what does not count: words that the teacher does not know, what was taught but cannot be
    cut out, and what lies outside of the square; and on who gives no map. `shown` are pictures of what the student was
    taught, by name, for the names that it found by them.
    """

    image: NDArray[np.uint8]
    names: list[str]
    found: dict[str, list[Detection]]
    notes: tuple[str, ...] = ()
    shown: Mapping[str, Sequence[NDArray[np.uint8]]] = {}


def look(config: LookConfig) -> Look:
    """Ask for names in an image, and write `config.out`.

    :raises InvalidArgumentError: for a file that is no image, or wrong names
    :raises TeacherError, CheckpointError: when the teacher or the policy cannot be loaded
    """
    given = read_image(Path(config.image))
    image, (width, height) = center_square(given), given.size
    student = (
        None if config.policy is None else StudentRuntime.load(config.policy, config.trust_code, device=config.device)
    )
    detector = None if student is None else StudentDetector(student)
    names = split_names(",".join(config.names), () if detector is None else detector.names)
    teacher = with_neighbors(teachers.load_teacher(config.teacher_name, config.checkpoint, device=config.device))
    found = {f"teacher {config.teacher_name}": detect_by_teacher(teacher, image, names, config.threshold)}
    notes = [unknown_words_note(teacher, names)]
    shown = dict[str, list[NDArray[np.uint8]]]()
    if detector is not None:
        found["student"] = detector.detect_without_depth(image, names)
        notes.append(detector.note_on_photo(image, names))
        found_by = {name: detector.query(name).taught for name in names}
        shown = {
            name: _pictures(detector.student, found_by[name])
            for name, one in zip(names, found["student"], strict=True)
            if found_by[name] and one.mask.any()
        }
    if width != height:
        notes.append(f"Of the {width} x {height} pixels the central square is used: cut out what you ask for.")
    if not isinstance(teacher, teachers.PocketTeacher):
        notes.append(f"The teacher {config.teacher_name} gives only scores, no maps.")
    drawn = Look(image, names, found, tuple(note for note in notes if note is not None), shown)
    atomic_write(Path(config.out), png_bytes(draw_look(drawn)))
    return drawn


def _pictures(student: StudentRuntime, names: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Return pictures of what a student was taught, those of each name in turn; none where its folder has none."""
    if student.folder is None:
        return []
    of_names = [picture_files(student.folder, name) for name in names]
    return [np.asarray(read_image(path)) for turn in zip_longest(*of_names) for path in turn if path is not None]


def center_square(image: Image.Image) -> NDArray[np.uint8]:
    """Return the center square of an image, as its camera was turned: uint8 [S, S, 3], S at most 512."""
    side = min(*image.size, MAX_SIDE)
    return np.array(ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (side, side)))


def split_names(text: str, known: Sequence[str] = ()) -> list[str]:
    """Return the names in a text with commas between them, each as the policy reads it in an instruction.

    :param known: names that the student knows; as `names` of `parse_target_name`
    :raises InvalidArgumentError: for no text, or a name that is no line of text or there twice
    """
    return validate_label_names([_read(name, known) for name in validate_label_names(text.split(","))])


def _read(name: str, known: Sequence[str]) -> str:
    """Return the part of a name that stays when it is read in its instruction: "lemon" of "the lemon! please"."""
    name = read_name(name, known) or name
    while (read := parse_target_name(instruction(name, 0), known)) != name:
        name = read
    return name


def detect_by_teacher(
    teacher: teachers.Teacher, image: NDArray[np.uint8], names: Sequence[str], threshold: float
) -> list[Detection]:
    """Return the probability of each name by prompt pairs; a pocket teacher also gives its map."""
    present, absent = (
        teacher.encode_text([template.format(label=name) for name in names])
        for template in (PRESENT_TEMPLATE, ABSENT_TEMPLATE)
    )
    features = encode_images(teacher, image[None])
    scores = prompt_pair_probabilities(features, present, absent, teacher.logit_scale)[0].tolist()
    nowhere = np.zeros(image.shape[:2], bool)
    maps = np.zeros((len(names), *nowhere.shape))
    if isinstance(teacher, teachers.PocketTeacher):
        maps = _maps(teacher, image, names)
    return [Detection(score, threshold, nowhere, heatmap) for score, heatmap in zip(scores, maps, strict=True)]


def _maps(teacher: teachers.PocketTeacher, image: NDArray[np.uint8], names: Sequence[str]) -> NDArray[np.float64]:
    """Return where each name fits better than its mean over the image, [C, S, S], 0 or more."""
    preprocess = type(teacher.preprocess)(replace(teacher.preprocess.config, size=_MAP_SIDE))
    dense = teacher.encode_dense(preprocess(image[None]))[0]
    texts = teacher.encode_text([PHOTO_TEMPLATE.format(label=name) for name in names])
    cosines = torch.einsum("cd,dhw->chw", texts, dense)
    above = (cosines - cosines.mean(dim=(1, 2), keepdim=True)).clamp(min=0)
    return upsample_to_image(above.numpy(), len(image), len(image))


def look_table(found: Look) -> str:
    """Return scores and thresholds as a Markdown table."""
    rows = [
        [name, who, f"{row.score:.2f}", f"{row.threshold:.2f}", "present" if row.margin >= 0 else "absent"]
        for n, name in enumerate(found.names)
        for who, row in ((who, rows[n]) for who, rows in found.found.items())
    ]
    return markdown_table(["name", "by", "score", "threshold", "predicted"], rows)


def verdict(found: Detection) -> str:
    """Return score, threshold and what follows, such as "0.93 of 0.50: present"."""
    return f"{found.score:.2f} of {found.threshold:.2f}: {'present' if found.margin >= 0 else 'absent'}"


def draw_look(found: Look) -> Image.Image:
    """Draw the image, then a row for each who looked, with the map, score and threshold of each name.

    Under a name that was found by examples are the crop that decided, and what it was compared with.
    """
    height = _SHOWN + _FOOT
    crops = (_CROP + _FOOT) * bool(found.shown)
    canvas = Image.new("RGB", ((1 + len(found.names)) * _SHOWN, len(found.found) * height + crops), (24, 26, 30))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(13)
    for row, (who, detections) in enumerate(found.found.items()):
        top = row * height
        panels = [(found.image, who, "", (235, 235, 235))]
        for name, detection in zip(found.names, detections, strict=True):
            shown = draw_detection(found.image, detection) if np.ptp(detection.heatmap) > 0 else found.image
            color = (120, 220, 140) if detection.margin >= 0 else (180, 185, 195)
            panels.append((shown, name, verdict(detection), color))
        for column, (pixels, title, text, color) in enumerate(panels):
            panel = Image.fromarray(pixels).resize((_SHOWN, _SHOWN), Image.Resampling.BILINEAR)
            canvas.paste(panel, (column * _SHOWN, top))
            draw.text((column * _SHOWN + 6, top + _SHOWN + 3), title[:34], color, font)
            draw.text((column * _SHOWN + 6, top + _SHOWN + 20), text, color, font)
    for column, name in enumerate(found.names, 1):
        if name in found.shown:
            place = (column * _SHOWN, len(found.found) * height)
            one = found.found["student"][column - 1]
            canvas.paste(_compared(found.image, one.mask, found.shown[name]), place)
            text = "its crop" if one.margin >= 0 else "the likeliest crop"
            text += ", and what was shown" if found.shown[name] else ""
            draw.text((place[0] + 6, place[1] + _CROP + 3), text, (235, 235, 235), font)
    return canvas


def _compared(image: NDArray[np.uint8], mask: NDArray[np.bool_], shown: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """Return the crop of an object beside one picture, or up to four smaller ones, of what was shown."""
    crop = (object_crop(image, mask) * 255).round().astype(np.uint8)
    out = Image.new("RGB", (2 * _CROP, _CROP), (24, 26, 30))
    side = _CROP if len(shown) == 1 else _CROP // 2
    out.paste(Image.fromarray(crop).resize((_CROP - 4,) * 2, Image.Resampling.BICUBIC), (2, 2))
    for n, picture in enumerate(shown[: (_CROP // side) ** 2]):
        small = Image.fromarray(picture).resize((side - 4,) * 2, Image.Resampling.BICUBIC)
        out.paste(small, (_CROP + n % 2 * side + 2, n // 2 * side + 2))
    return out
