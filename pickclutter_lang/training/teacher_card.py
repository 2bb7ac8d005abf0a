"""The pocket teacher's model card; every figure in it comes from the evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pickclutter_lang.scenes import SceneStore
from pickclutter_lang.scenes.views import ViewStore
from pickclutter_lang.teachers.pocket import WEIGHTS_FILE, load_pocket_teacher
from pickclutter_lang.training.monitor import write_json, write_text
from pickclutter_lang.training.teacher_config import TeacherTrainSettings

_WEAK = 0.6
_SCENE_COLUMNS = {
    "map": "mAP",
    "f1": "F1",
    "accuracy": "accuracy",
    "map_always_yes": "mAP of always yes",
    "f1_always_yes": "F1 of always yes",
}

_HEAD = """# The pocket teacher

A small vision-language model of open_clip's `CLIP` class: a residual network of plain convolutions (its map has
stride 16 and is projected before pooling, so that there are features of every place), CLIP's tokenizer and a causal
text transformer. It was trained from scratch on pictures from a simulator, in minutes, on a CPU.

It stands in for CLIP where CLIP's weights cannot be had: for tests, for the quickstart, for machines without network.
It is never a silent fall-back: a run that asks for another teacher and cannot get it ends with an error. It knows the
26 objects of the PickClutter experiment, some hundred words, and the look of one renderer. It is of no use for
photographs, and a student distilled from it says nothing about what distillation from CLIP would give.
"""


def write_model_card(folder: Path, figures: Mapping[str, Any], settings: TeacherTrainSettings, seconds: float) -> None:
    """Write `MODEL_CARD.md` and `figures.json` beside an exported teacher.

    :param figures: of `evaluate_teacher`
    :param seconds: that the training took
    """
    teacher = load_pocket_teacher(folder)
    model: Any = teacher.model
    vision = sum(p.numel() for p in model.visual.parameters())
    size = (folder / WEIGHTS_FILE).stat().st_size
    facts = (
        f"- {vision / 1e6:.1f} M parameters in the image tower, {teacher.image_size} px, embedding width "
        f"{teacher.embed_dim}, context of {teacher.context_length} tokens; {size / 1e6:.1f} MB (float16).\n"
        f"- Only embeddings of tokens that occurred in training are stored; all other words are zero vectors.\n"
        f"- Fingerprint `{teacher.fingerprint}`.\n"
    )
    write_json(folder / "figures.json", dict(figures))
    write_text(
        folder / "MODEL_CARD.md",
        "\n".join([_HEAD, facts, _training(settings, seconds), _figures(figures), _weak(figures), _LICENCE]),
    )


def _training(settings: TeacherTrainSettings, seconds: float) -> str:
    rows = []
    for folder in (*settings.scenes, *settings.held_out_scenes):
        manifest = SceneStore.open(folder).manifest
        use = "training" if folder in settings.scenes else "held out"
        made = (
            f"`scripts/collect_scenes.py split={manifest.split} scenes={manifest.scenes} seed={manifest.seed} "
            f"objects={manifest.object_set} image_size={manifest.settings['image_size']} "
            f"graspable={str(manifest.settings['graspable']).lower()}`"
        )
        rows.append([use, made, f"`{manifest.content_hash[:16]}`"])
    for folder in (*settings.views, *settings.held_out_views):
        store = ViewStore.open(folder)
        use = "training" if folder in settings.views else "held out"
        keys = ("objects", "object_views", "things", "thing_views", "size", "seed")
        made = f"`scripts/collect_views.py {' '.join(f'{key}={store.settings[key]}' for key in keys)}`"
        rows.append([use, made, f"`{store.content_hash[:16]}`"])
    skipped = ("scenes", "views", "held_out_scenes", "held_out_views", "out", "threads", "save_every")
    values = " ".join(f"{k}={v}" for k, v in asdict(settings).items() if k not in skipped)
    return (
        "## Training\n\n"
        f"`scripts/train_teacher.py {values}`, {seconds / 60:.0f} minutes.\n"
        "Every caption says what it asserts, so each pair of a picture and a caption in a batch is known to match or\n"
        "not. The loss is an InfoNCE with many\n"
        "positives and a sigmoid loss over whole scenes (names, lists, counts, absence), over the map averaged over\n"
        "each object's mask, and over crops and views of single things (names, synonyms, attributes, descriptions).\n\n"
        + _table(["use", "data", "content"], rows)
    )


def _figures(figures: Mapping[str, Any]) -> str:
    scenes = [
        [label, row["scenes"], *(_percent(row[key]) for key in _SCENE_COLUMNS)]
        for label, row in figures["scenes"].items()
    ]
    crops = [[label, row["crops"], _percent(row["top1"])] for label, row in figures["crops"].items()]
    views = [
        [label, row["views"], _percent(row["top1"]), _percent(row["top1_by_description"])]
        for label, row in figures["views"].items()
    ]
    words = [[kind, row["words"], row["views"], _percent(row["top1"])] for kind, row in figures["words"].items()]
    objects = [[name, _percent(row["views"]), _percent(row["crops"])] for name, row in figures["objects"].items()]
    return (
        '## Held-out figures\n\nZero-shot, in percent. Whole scenes, label `visible`, "a photo of a table with a ..."\n'
        'against "a photo of a table without a ..." (the split `id` has Y_id objects alone and asks for these alone,\n'
        "`ood` for all 26):\n\n"
        + _table(["scenes", "number", *_SCENE_COLUMNS.values()], scenes)
        + "\nCrops of seen, often half hidden objects of these scenes, top-1 over 26 names:\n\n"
        + _table(["scenes", "crops", "top-1"], crops)
        + "\nViews of single objects from other sides than in training, top-1 over 26 names and 26 descriptions:\n\n"
        + _table(["objects", "views", "by name", "by description"], views)
        + "\nWords of random procedural things that were not in training:\n\n"
        + _table(["kind", "words", "views", "top-1"], words)
        + "\nPer object, both sets together:\n\n"
        + _table(["object", "views", "crops"], objects)
    )


def _weak(figures: Mapping[str, Any]) -> str:
    weak = [
        f"{name} ({_percent(row['crops'])})"
        for name, row in figures["objects"].items()
        if row["crops"] is not None and row["crops"] < _WEAK
    ]
    words = [
        f"{kind} ({_percent(row['top1'])}, chance {_percent(1 / row['words'])})"
        for kind, row in figures["words"].items()
        if row["top1"] < _WEAK
    ]
    return (
        f"## What is weak\n\nObjects recognised in less than {_WEAK:.0%} of their crops: {', '.join(weak) or 'none'}.\n"
        f"Kinds of words of random things that are right less often than that: {', '.join(words) or 'none'}.\n"
    )


_LICENCE = """## Pictures and licence

The training pictures show scans of the YCB object set (CC BY 4.0; B. Calli, A. Singh, A. Walsman, S. Srinivasa,
P. Abbeel, A. M. Dollar, "The YCB object and Model set", 2015) and stand-ins made by this project's code. The weights
come under the project's own licence.
"""


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)
