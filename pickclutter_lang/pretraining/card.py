"""The pocket teacher's model card; every figure in it comes from the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pickclutter_lang.objects.catalogue import paper_catalogue
from pickclutter_lang.objects.further import select_objects
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.folder_data import FolderPictures
from pickclutter_lang.pretraining.folder_report import folder_sections
from pickclutter_lang.pretraining.tables import figure_sections, table
from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.scenes.views import ViewStore
from pickclutter_lang.students import build_student
from pickclutter_lang.teachers.pocket import WEIGHTS_FILE, PocketTeacher, load_pocket_teacher
from pickclutter_lang.training.monitor import write_json, write_text

_STUDENTS, _STUDENT_SIDE = {"efficientnet_b0": 16, "small_resnet": 8}, 128  # name -> output stride

_HEAD = """# The pocket teacher{title}

A small vision-language model of open_clip's `CLIP` class: a residual network of plain convolutions (its map has
stride 16 and is projected before pooling, so that there are features of every place), CLIP's tokenizer and a causal
text transformer. It was trained from scratch on {pictures}, on a CPU.

It stands in for CLIP where CLIP's weights cannot be had: for tests, for the quickstart, for machines without network.
It is never a silent fall-back: a run that asks for another teacher and cannot get it ends with an error. {limits}
"""

_RENDER_LIMITS = """It knows
some objects, some hundred words, and the look of one renderer. It is of no use for photographs, and a student
distilled from it says nothing about what distillation from CLIP would give."""

_FOLDER_LIMITS = """It knows
the classes and the words below and pictures such as it was trained on, nothing else; a student distilled from it says
nothing about what distillation from CLIP would give."""


def write_model_card(folder: Path, figures: Mapping[str, Any], settings: TeacherTrainSettings, seconds: float) -> None:
    """Write `MODEL_CARD.md` and `figures.json` beside an exported teacher.

    :param figures: of `evaluate_teacher`
    :param seconds: that the training took
    """
    teacher = load_pocket_teacher(folder)
    write_json(folder / "figures.json", dict(figures))
    if settings.images:
        head = _HEAD.format(title=" of a folder of pictures", pictures="a folder of pictures", limits=_FOLDER_LIMITS)
        parts = [head, _facts(folder, teacher), _folder_training(settings, seconds), folder_sections(figures)]
    else:
        title = " that never saw Y_ood" if settings.exclude == "ood" else ""
        head = _HEAD.format(title=title, pictures="pictures from a simulator", limits=_RENDER_LIMITS)
        parts = [head, _facts(folder, teacher), _unseen(settings), _training(settings, seconds)]
        parts += [figure_sections(figures), _LICENCE]
    write_text(folder / "MODEL_CARD.md", "\n".join(parts))


def multiply_adds(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Return the multiply-adds of the convolutions and matrix products of a pass over a batch of a shape."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.eval()(torch.zeros(shape))
    return int(counter.get_total_flops()) // 2


def _facts(folder: Path, teacher: PocketTeacher) -> str:
    model: Any = teacher.model
    vision = sum(p.numel() for p in model.visual.parameters())
    size = (folder / WEIGHTS_FILE).stat().st_size
    own = multiply_adds(model.visual, (1, 3, teacher.image_size, teacher.image_size))
    students = {
        name: multiply_adds(
            build_student(name, channels=3, embed_dim=teacher.embed_dim, output_stride=stride),
            (1, 3, _STUDENT_SIDE, _STUDENT_SIDE),
        )
        for name, stride in _STUDENTS.items()
    }
    shown = ", ".join(f"`{name}` (stride {_STUDENTS[name]}) {n / 1e9:.2f} G" for name, n in students.items())
    return (
        f"- {vision / 1e6:.1f} M parameters in the image tower, {teacher.image_size} px, embedding width "
        f"{teacher.embed_dim}, context of {teacher.context_length} tokens; {size / 1e6:.1f} MB (float16).\n"
        f"- {own / 1e9:.2f} G multiply-adds for a picture; students at {_STUDENT_SIDE} px: {shown}.\n"
        f"- Only embeddings of tokens that occurred in training are stored; all other words are zero vectors.\n"
        f"- Fingerprint `{teacher.fingerprint}`.\n"
    )


def _unseen(settings: TeacherTrainSettings) -> str:
    kept_out = ", ".join(select_objects("kept_out").names)
    text = f"## What it never saw\n\nEight YCB objects that no teacher of this project is trained on: {kept_out}.\n"
    if settings.exclude == "ood":
        names = ", ".join(item.name for item in paper_catalogue() if item.split == "ood")
        text += (
            f"Nor the 12 objects of Y_ood: {names}. Neither their scans nor their stand-ins are in any training\n"
            "picture, and no caption names them, not even to say that they are absent. The figures below on Y_ood are\n"
            "zero-shot.\n"
        )
    if settings.language_weight:
        text += (
            "\nThe text tower alone also learned from a sentence-embedding model (all-MiniLM-L6-v2) how near\n"
            "some 1800 common words and phrases are to those of the captions; names of unseen objects may be among\n"
            "them, but never with a picture.\n"
        )
    return text


def _training(settings: TeacherTrainSettings, seconds: float) -> str:
    return (
        "## Training\n\n"
        f"`pickclutter train-teacher {_values(settings)}`, {seconds / 60:.0f} minutes.\n"
        "Every caption says what it asserts, so each pair of a picture and a caption in a batch is known to match or\n"
        "not. The loss is an InfoNCE with many positives and a sigmoid loss over whole scenes (names, lists, counts,\n"
        "absence), over the map averaged over each object's mask, and over crops and views of single things (names,\n"
        "synonyms, descriptions), and an InfoNCE within each kind of word (names, colours, shapes, patterns,\n"
        "materials, categories, uses).\n\n" + table(["use", "data", "content"], _data_rows(settings))
    )


def _folder_training(settings: TeacherTrainSettings, seconds: float) -> str:
    pictures = FolderPictures.open(str(settings.images), settings.classes)
    classes = [
        [item.thing.name, item.thing.category or "-", pictures.owner.count(n), len(item.sentences)]
        for n, item in enumerate(pictures.classes)
    ]
    return (
        "## Training\n\n"
        f"`pickclutter train-teacher data=image_folder {_values(settings)}`, {seconds / 60:.0f} minutes, on "
        f"{len(pictures.paths)} pictures (content `{pictures.content_hash[:16]}`).\n"
        "Every caption says what it asserts (a name, a category, a sentence of the description), so each pair of a\n"
        "picture and a caption in a batch is known to match or not. The loss is an InfoNCE with many positives, a\n"
        "sigmoid loss, and an InfoNCE within each kind of word.\n\n"
        + table(["class", "category", "pictures", "sentences"], classes)
    )


def _values(settings: TeacherTrainSettings) -> str:
    """Return the settings that decide the weights as arguments, without the folders, which differ from user to user."""
    return " ".join(f"{k}={v}".replace(", ", ",") for k, v in settings.choices().items())


def _data_rows(settings: TeacherTrainSettings) -> list[list[str]]:
    rows = []
    for folder in (*settings.scenes, *settings.held_out_scenes):
        manifest = SceneStore.open(folder).manifest
        use = "training" if folder in settings.scenes else "held out"
        made = (
            f"`pickclutter collect-scenes split={manifest.split} scenes={manifest.scenes} seed={manifest.seed} "
            f"objects={manifest.object_set} image_size={manifest.settings['image_size']} "
            f"graspable={str(manifest.settings['graspable']).lower()}`"
        )
        rows.append([use, made, f"`{manifest.content_hash[:16]}`"])
    for folder in (*settings.views, *settings.held_out_views):
        store = ViewStore.open(folder)
        use = "training" if folder in settings.views else "held out"
        keys = ("objects", "selection", "object_views", "things", "thing_views", "size", "seed")
        made = " ".join(f"{key}={store.settings[key]}" for key in keys if key in store.settings)
        rows.append([use, f"`pickclutter render-object-views {made}`", f"`{store.content_hash[:16]}`"])
    return rows


_LICENCE = """## Pictures and licence

The training pictures show scans of the YCB object set (CC BY 4.0; B. Calli, A. Singh, A. Walsman, S. Srinivasa,
P. Abbeel, A. M. Dollar, "The YCB object and Model set", 2015) and stand-ins made by this project's code. The weights
come under the project's own licence.
"""
