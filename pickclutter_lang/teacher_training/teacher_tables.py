"""The tables of a teacher's model card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pickclutter_lang.utils.markdown import markdown_table, percent

_WEAK = 0.6
_SCENE_COLUMNS = {
    "map": "mAP",
    "f1": "F1",
    "accuracy": "accuracy",
    "map_always_yes": "mAP of always yes",
    "f1_always_yes": "F1 of always yes",
}


def metric_sections(figures: Mapping[str, Any]) -> str:
    """Return the sections `Held-out figures` and `What is weak`, in Markdown.

    :param figures: of `evaluate_teacher`
    """
    parts = [_scenes(figures), _crops(figures), _views(figures), _attributes(figures), _objects(figures)]
    return f"{_HEAD}\n" + "\n\n".join([*parts, _weak(figures)])


_HEAD = "## Held-out figures\n\nZero-shot, in percent; a dash where nothing was measured."


def _scenes(figures: Mapping[str, Any]) -> str:
    rows = [
        [label, row["scenes"], *(_percent(row[key]) for key in _SCENE_COLUMNS)]
        for label, row in figures["scenes"].items()
    ]
    return (
        'Whole scenes, label `visible`, "a photo of a table with a ..." against "a photo of a table without a ..."\n'
        "(the split `id` has Y_id objects alone and asks for these alone, `ood` for all 26):\n\n"
        + markdown_table(["scenes", "number", *_SCENE_COLUMNS.values()], rows)
    )


def _crops(figures: Mapping[str, Any]) -> str:
    rows = [[label, row["crops"], _percent(row["top1"])] for label, row in figures["crops"].items()]
    return "Crops of seen, often half hidden objects of these scenes, top-1 over 26 names:\n\n" + markdown_table(
        ["scenes", "crops", "top-1"], rows
    )


def _views(figures: Mapping[str, Any]) -> str:
    keys = ("top1_shown", "top1", "top1_all", "by_description")
    rows = [
        [label, row["views"], row["names"], *(_percent(row[key]) for key in keys)]
        for label, row in figures["views"].items()
    ]
    return (
        "Views of single objects from other sides than in training: top-1 among the names of the objects shown, among\n"
        "those of their set (`paper`: the 26; `further`: 26 others; `kept_out`: 8), among all 60, and among the\n"
        "descriptions of the set:\n\n"
        + markdown_table(
            ["objects", "views", "objects shown", "of those shown", "of the set", "of all", "by description"], rows
        )
    )


def _attributes(figures: Mapping[str, Any]) -> str:
    rows = [
        [label, kind, row["words"], row["views"], _percent(row["top1"]), _percent(row["chance"])]
        for label, kinds in figures["attributes"].items()
        for kind, row in kinds.items()
    ]
    return (
        "Questions about the same views: one word out of all of its kind (of objects: those true of any of the 60).\n"
        "Some words are true of kept-out objects alone, and no caption ever had them:\n\n"
        + markdown_table(["views of", "kind", "words", "views", "top-1", "chance"], rows)
    )


def _objects(figures: Mapping[str, Any]) -> str:
    rows = [[name, _percent(row["views"]), _percent(row["crops"])] for name, row in figures["objects"].items()]
    return "Per object, all sets together, among the names of its set:\n\n" + markdown_table(
        ["object", "views", "crops"], rows
    )


def _weak(figures: Mapping[str, Any]) -> str:
    weak = [
        f"{name} ({_percent(row['crops'])})"
        for name, row in figures["objects"].items()
        if row["crops"] is not None and row["crops"] < _WEAK
    ]
    words = [
        f"{kind} of {label} ({_percent(row['top1'])}, chance {_percent(row['chance'])})"
        for label, kinds in figures["attributes"].items()
        for kind, row in kinds.items()
        if row["top1"] < _WEAK
    ]
    return (
        f"## What is weak\n\nObjects recognized in less than {_WEAK:.0%} of their crops: "
        f"{', '.join(weak) or 'none'}.\n\n"
        f"Kinds of words that are right less often than that: {', '.join(words) or 'none'}.\n"
    )


def _percent(value: float | None) -> str:
    return percent(value, "-")
