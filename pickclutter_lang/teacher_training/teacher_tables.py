"""Tables of the evaluation in a pocket teacher's model card, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pickclutter_lang.utils.markdown import markdown_table, percent

_WEAK_ACCURACY, _MOST_CONFUSIONS = 0.6, 20
_SCENE_COLUMNS = {
    "map": "mAP",
    "f1": "F1",
    "accuracy": "accuracy",
    "map_always_yes": "mAP of all-positive",
    "f1_always_yes": "F1 of all-positive",
}


def metric_sections(metrics: Mapping[str, Any]) -> str:
    """Return the sections `Held-out metrics` and `What is weak`, in Markdown.

    :param metrics: of `evaluate_teacher`
    """
    parts = [_scenes(metrics), _crops(metrics), _views(metrics)]
    parts += [*_of_sets(metrics), *_kinds(metrics.get("kinds", {}))]
    parts += [_attributes(metrics), _objects(metrics), *_confusions(metrics)]
    return f"{_HEAD}\n" + "\n\n".join([*parts, _weak(metrics)])


_HEAD = "## Held-out metrics\n\nZero-shot, in percent; a dash where nothing was measured."


def _scenes(metrics: Mapping[str, Any]) -> str:
    rows = [
        [label, row["scenes"], *(_percent(row[key]) for key in _SCENE_COLUMNS)]
        for label, row in metrics["scenes"].items()
    ]
    return (
        'Whole scenes, label `visible`, "a photo of a table with a ..." against "a photo of a table without a ..."\n'
        "(the split `id` has Y_id objects alone and is evaluated on these, `ood` on all 26):\n\n"
        + markdown_table(["scenes", "number", *_SCENE_COLUMNS.values()], rows)
    )


def _crops(metrics: Mapping[str, Any]) -> str:
    rows = [[label, row["crops"], _interval(row, "top1")] for label, row in metrics["crops"].items()]
    text = (
        "Crops of visible, often half occluded objects of these scenes, top-1 over 26 names (95% interval over\n"
        "objects):\n\n"
    )
    return text + markdown_table(["scenes", "crops", "top-1"], rows)


def _views(metrics: Mapping[str, Any]) -> str:
    keys = ("top1", "top1_all", "by_description")
    rows = [
        [label, row["views"], row["names"], _interval(row, "top1_shown"), *(_percent(row[key]) for key in keys)]
        for label, row in metrics["views"].items()
    ]
    return (
        "Views of single objects from other sides than in training: top-1 among the names in the views (95%\n"
        "interval over objects), among those of their set (`paper`: the 26; `further`: 26 others; `kept_out`: 8),\n"
        "among all 60, and among the descriptions of the set:\n\n"
        + markdown_table(["objects", "views", "names", "among these", "of the set", "of all", "by description"], rows)
    )


def _of_sets(metrics: Mapping[str, Any]) -> list[str]:
    """Return what is measured over all folders of an object set."""
    rows = [
        [object_set, f"views of {row['objects']} objects among all names", _interval(row, "top1")]
        for object_set, row in metrics.get("all_names", {}).items()
    ]
    rows += [
        [object_set, "views minus crops, of objects in both", _difference(*found)]
        for object_set, found in metrics.get("views_minus_crops", {}).items()
    ]
    head = "Over all folders of an object set, in percent and points (95% interval over objects):\n\n"
    return [head + markdown_table(["objects", "what", "top-1"], rows)] if rows else []


def _kinds(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not kinds:
        return []
    rows = [
        [label, row["views"], row["names"], _interval(row, "top1"), _percent(row["by_synonym"]), _percent(row["color"])]
        for label, row in kinds.items()
    ]
    named = (
        "Instances of kinds that were never trained on: top-1 among the names of the kinds shown (95% interval over\n"
        'kinds), among a synonym of each, and among all colors beside the true name ("a red mug", "a blue mug"):\n\n'
        + markdown_table(["views of", "views", "kinds", "by name", "by synonym", "color beside the name"], rows)
    )
    return [named, *_compositions(kinds), *_negations(kinds), *_order(kinds)]


def _compositions(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    groups = ("trained", "held_out")
    rows = [
        [
            label,
            attribute,
            *(cell for of in groups for cell in (row[f"{of}_views"], _percent(row[f"{of}_top1"]))),
            _difference(*row["trained_minus_held_out"]),
        ]
        for label, of_label in kinds.items()
        for attribute, row in of_label.get("compositions", {}).items()
    ]
    if not rows:
        return []
    header = ["views of", "word", "trained compositions: views", "top-1", "held-out: views", "top-1", "difference"]
    text = (
        'Name with main color ("a red mug") or with material ("a plastic mug"), top-1 among all such compositions in\n'
        "these views, of kinds of which some are held out. No training image shows a held-out one, and no training\n"
        "text joins the two words:\n\n" + markdown_table(header, rows)
    )
    return [text]


def _negations(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = {label: row["with_without"] for label, row in kinds.items() if "with_without" in row}
    rows = [
        [label, row["views"], _interval(row, "top1"), _percent(row["with"]), _percent(row["without"])]
        for label, row in found.items()
    ]
    if not rows:
        return []
    text = '"A mug with a handle" against "a mug without a handle", of kinds that come both ways (chance: 50):\n\n'
    return [text + markdown_table(["views of", "views", "right", "where it is with", "where it is without"], rows)]


def _order(kinds: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = {label: row["order"] for label, row in kinds.items() if "order" in row}
    rows = [[label, row["images"], _interval(row, "top1"), _percent(row["control"])] for label, row in found.items()]
    if not rows:
        return []
    text = (
        'Two instances side by side: "a red mug and a blue bowl" against "a blue mug and a red bowl" (chance: 50).\n'
        "The control is against two colors that neither has:\n\n"
    )
    return [text + markdown_table(["views of", "images", "right", "control"], rows)]


def _attributes(metrics: Mapping[str, Any]) -> str:
    rows = [
        [label, attribute_type, row["words"], row["views"], _interval(row, "top1"), _percent(row["chance"])]
        for label, by_type in metrics["attributes"].items()
        for attribute_type, row in by_type.items()
    ]
    text = (
        "Attributes in the same views: one word out of all of its type (of objects: those true of any of the 60),\n"
        "with 95% intervals over objects or kinds. Some words are true of objects of `kept_out` alone, and no\n"
        "training caption has them:\n\n"
    )
    return text + markdown_table(["views of", "attribute", "words", "views", "top-1", "chance"], rows)


def _objects(metrics: Mapping[str, Any]) -> str:
    rows = [[name, _percent(row["views"]), _percent(row["crops"])] for name, row in metrics["objects"].items()]
    return "Per object, all sets together, among the names of its set:\n\n" + markdown_table(
        ["object", "views", "crops"], rows
    )


def _confusions(metrics: Mapping[str, Any]) -> list[str]:
    of_kinds = {label: row["confusions"] for label, row in metrics.get("kinds", {}).items()}
    rows = [
        [label, true, answered, _percent(fraction)]
        for label, found in (metrics.get("confusions", {}) | of_kinds).items()
        for true, answered, fraction in found[:_MOST_CONFUSIONS]
    ]
    if not rows:
        return []
    text = (
        f"What is taken for what: at most {_MOST_CONFUSIONS} of each, with the fraction of the views that get this\n"
        "wrong name among those of the set:\n\n"
    )
    return [text + markdown_table(["views of", "object", "taken for", "views, %"], rows)]


def _weak(metrics: Mapping[str, Any]) -> str:
    weak_objects = [
        f"{name} ({_percent(row['crops'])})"
        for name, row in metrics["objects"].items()
        if row["crops"] is not None and row["crops"] < _WEAK_ACCURACY
    ]
    weak_attributes = [
        f"{attribute_type} of {label} ({_percent(row['top1'])}, chance {_percent(row['chance'])})"
        for label, by_type in metrics["attributes"].items()
        for attribute_type, row in by_type.items()
        if row["top1"] < _WEAK_ACCURACY
    ]
    return (
        f"## What is weak\n\nObjects recognized in less than {_WEAK_ACCURACY:.0%} of their crops: "
        f"{', '.join(weak_objects) or 'none'}.\n\n"
        f"Attributes that are correct less often than that: {', '.join(weak_attributes) or 'none'}.\n"
    )


def _interval(row: Mapping[str, Any], key: str) -> str:
    """Return an accuracy with its interval, where the figures have one."""
    interval = row.get("interval")
    return _percent(row[key]) + (f" ({_percent(interval[0])} to {_percent(interval[1])})" if interval else "")


def _difference(difference: float, interval: Sequence[float] | None) -> str:
    """Return a difference in points with its interval, if there is one."""
    ends = f" ({100 * interval[0]:+.1f} to {100 * interval[1]:+.1f})" if interval else ""
    return f"{100 * difference:+.1f}{ends}"


def _percent(value: float | None) -> str:
    return percent(value, "-")
