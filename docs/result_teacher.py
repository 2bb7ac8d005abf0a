"""Tables of embedded teachers, from the figures beside their model cards, and of others, from the results' data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from result_data import ASSETS, DATA, ResultError, markdown, read, source_of

from pickclutter_lang.evaluation.rollout_metrics import wilson_interval
from pickclutter_lang.objects.extra_objects import select_objects
from pickclutter_lang.objects.kinds import all_kinds
from pickclutter_lang.utils.statistics import NOT_SHOWN, clustered_difference, reached

_NAMES = {"pocket_teacher": "`pocket`", "pocket_teacher_earlier": "earlier", "teacher_trial": "trial"}
_COMMON_WORDS = 5000
_COMPOSED = 0.05
_ATTRIBUTE_AIMS = {"color": 0.92, "shape": 0.75, "pattern": 0.85, "material": 0.65}
_CURVE = {
    "seen_kinds": "Scans of Y_id, whose kinds were shown",
    "unseen_kinds": "Scans of Y_ood, whose kinds were not",
    "unseen_kinds_neighbors": "The same, unknown words taken for known ones",
}


class _Found(NamedTuple):
    """A fraction or a difference with its 95% interval, None where there is none."""

    value: float
    interval: tuple[float, float] | None

    def __str__(self) -> str:
        return self.text()

    def text(self, ends: str = ".0f", sign: str = "") -> str:
        """Return both in percent; `ends` is the format of the interval's ends, and `sign` that of all signs."""
        low_to_high = " to ".join(f"{100 * end:{sign}{ends}}" for end in self.interval or ())
        return f"{100 * self.value:{sign}.1f}" + (f" ({low_to_high})" if low_to_high else "")

    def reached(self, aim: float, at_most: bool) -> str:
        return reached(*self.interval, aim, at_most) if self.interval else NOT_SHOWN


def teacher_names(folder: str) -> str:
    """Return what an embedded teacher names right."""
    figures = _figures(folder)
    views, kinds = figures["views"], _kinds(figures)
    rows = [
        ("views of the paper's 26 scans", "their names", views["ycb, paper, objects"], 26),
        ("those of Y_ood's 12 alone", "their names", views["ycb, paper, Y_ood alone"], 12),
        ("views of 26 further scans, most of them no kind", "their names", views["ycb, further, objects"], 26),
        ("views of 8 more scans", "their names", views["ycb, kept_out, objects"], 8),
        ("views of new instances", f"{kinds['names']} kinds", kinds, kinds["names"]),
        ("crops of scans in piles, often occluded", "26 names", figures["crops"]["ycb, ood, 176 px"], 26),
    ]
    cells = [(what, among, str(_found(row)), f"{100 / names:.1f}") for what, among, row, names in rows]
    return markdown(("Held out", "Among", "Top-1, % (95% interval)", "Chance, %"), cells)


def teacher_aims(*teachers: str) -> str:
    """Return which aims teachers meet, by their intervals.

    :param teachers: each a folder of the assets, or a file of figures in the results' data
    """
    found = [_aims(_figures(teacher)) for teacher in teachers]
    aims = {what: row[:2] for of_one in found for what, row in of_one.items()}
    cells = []
    for what, (aim, at_most) in aims.items():
        shown = [
            (str(one[what][2]), one[what][2].reached(aim, at_most)) if what in one else ("-", "-") for one in found
        ]
        cells.append((what, f"at {'most' if at_most else 'least'} {100 * aim:.0f}", *chain(*shown)))
    header = chain(*((_NAMES[teacher], "met?") for teacher in teachers))
    return markdown(("Top-1, % (95% interval)", "Aim", *header), cells)


def teacher_scan_differences(teacher: str, before: str) -> str:
    """Return what a teacher names more than another one, paired by scan; of the paper's also in piles."""
    objects, others = (_figures(one)["objects"] for one in (teacher, before))
    rows = [
        ("views of the paper's 26 scans", "paper", "views"),
        ("views of 26 further scans, most of them no kind", "further", "views"),
        ("views of 8 more scans", "kept_out", "views"),
        ("crops of the paper's 26 in piles, rendered anew", "paper", "crops"),
    ]
    cells = []
    for text, selection, source in rows:
        names = select_objects(selection).names
        sides = ([[of[name][source]] for name in names] for of in (objects, others))
        cells.append((text, _Found(*clustered_difference(*sides)).text(".1f", sign="+")))
    return markdown(("Top-1", "points (paired 95% interval over scans)"), cells)


def teacher_language(*teachers: str) -> str:
    """Return how teachers take synonyms, categories, pairs of words, negation and order.

    Categories of the trial were scored by other truths.
    """
    figures = [_figures(teacher) for teacher in teachers]
    of_all = [_kinds(one) for one in figures]
    categories = [None if name == "teacher_trial" else _instances(one)["category"]
                  for name, one in zip(teachers, figures, strict=True)]  # fmt: skip
    chance = next(f"{100 * one['chance']:.1f}" for one in categories if one)
    rows = [
        ("a synonym among those of all kinds", *(f"{100 * kinds['by_synonym']:.1f}" for kinds in of_all), ""),
        ('a category ("a fruit") among all', *(str(_found(one)) if one else "-" for one in categories), chance),
    ]
    for attribute, phrase in (("color", "a red mug"), ("material", "a plastic mug")):
        measured = [kinds.get("compositions", {}).get(attribute) for kinds in of_all]
        for side, text in (("trained", "pairs that were trained on"), ("held_out", "pairs that were held out")):
            shown = [f"{100 * one[f'{side}_top1']:.1f}" if one else "-" for one in measured]
            rows += [(f'"{phrase}" among all pairs, {text}', *shown, "")] if any(measured) else []
    told = [kinds["with_without"] for kinds in of_all]
    rows.append(('"with a handle" against "without"', *(str(_found(one)) for one in told), "50"))
    for side in ("with", "without"):
        rows.append((f"the same, where it is {side}", *(f"{100 * one[side]:.1f}" for one in told), "50"))
    bound = [kinds.get("order") for kinds in of_all]
    text = '"a red mug and a blue bowl" against the colors exchanged'
    rows.append((text, *(str(_found(one)) if one else "-" for one in bound), "50"))
    control = (f"{100 * one['control']:.1f}" if one else "-" for one in bound)
    rows.append(("the same against two colors that neither has", *control, "50"))
    return markdown(("Top-1, % (95% interval)", *(_NAMES[teacher] for teacher in teachers), "Chance, %"), rows)


def curve_points(name: str) -> list[dict[str, Any]]:
    """Return the points of a learning curve, as `scripts/profiling/teacher_curve.py` wrote them."""
    source_of(name)
    points: dict[str, dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text())["points"]
    return list(points.values())


def teacher_curve(name: str) -> str:
    """Return how well teachers name scans by the number of kinds and of instances that they saw."""
    points = curve_points(name)
    cells = []
    for point in points:
        known = f"{point['unseen_kinds']['known']} of {len(point['unseen_kinds']['objects'])}"
        shown = [str(_found(point[group])) for group in _CURVE]
        cells.append((str(point["kinds"]), str(point["instances"]), *shown, known))
    chances = (f"{100 * points[0][group]['chance']:.1f}" for group in _CURVE)
    return markdown(
        ("Kinds", "Instances of each", *_CURVE.values(), "Names of these that it has words of"),
        [*cells, ("chance", "", *chances, "")],
    )


def teacher_curve_differences(name: str) -> str:
    """Return what more kinds, and more instances of each, change on the same scans."""
    points = {(point["kinds"], point["instances"]): point for point in curve_points(name)}
    most = max(points)
    few, one = min(points), min(key for key in points if key[0] == most[0])
    rows = [
        (f"{most[0]} kinds instead of {few[0]}, as many instances in all", most, few),
        (f"{most[1]} instances of each of {most[0]} kinds instead of {one[1]}", most, one),
    ]
    cells = []
    for text, more, less in rows:
        shown = []
        for group in _CURVE:
            names = sorted(points[more][group]["objects"])
            difference = clustered_difference(*(_hits(points[key][group], names) for key in (more, less)))
            shown.append(_Found(*difference).text(sign="+"))
        cells.append((text, *shown))
    return markdown(("Points (paired 95% interval over scans)", *_CURVE.values()), cells)


def _hits(group: dict[str, Any], names: Sequence[str]) -> list[list[bool]]:
    """Return for each of the objects as many hits and misses as its views have."""
    counts = [tuple(map(int, group["objects"][name].split("/"))) for name in names]
    return [[n < hits for n in range(views)] for hits, views in counts]


def teacher_compositions(name: str) -> str:
    """Return how well a teacher names pairs of words that were held out, against others, and whether the aim is met."""
    source_of(name)
    kinds = _kinds(json.loads((DATA / f"{name}.json").read_text()))
    cells = []
    for attribute, row in kinds["compositions"].items():
        sides = (f"{100 * row[f'{side}_top1']:.1f} ({row[f'{side}_views']} views)" for side in ("trained", "held_out"))
        found = _Found(*row["trained_minus_held_out"])
        cells.append((f"name and {attribute}", *sides, found.text(".1f"), found.reached(_COMPOSED, at_most=True)))
    aim = f"at most {100 * _COMPOSED:.0f}?"
    return markdown(("Pairs, top-1 in %", "trained", "held out", "difference (95% interval over kinds)", aim), cells)


def kind_readings(name: str) -> str:
    """Return how many kinds each reader of sheets without names gave their name or a synonym of theirs.

    :raises ResultError: when the readings are not those of all kinds
    """
    source_of(name)
    rows = read(name)
    accepted = {kind.name: {kind.name, *kind.synonyms} for kind in all_kinds()}
    if sorted(row["kind"] for row in rows) != sorted(accepted):
        raise ResultError(f"expected a reading of each of the {len(accepted)} kinds in {name}; have them read again")
    cells = []
    for reader in ("first", "second"):
        wrong = [row for row in rows if row[reader].lower() not in accepted[row["kind"]]]
        others = ", ".join(f'{row["kind"]}: "{row[reader]}"' for row in wrong)
        cells.append((reader, str(wilson_interval(len(rows) - len(wrong), len(rows))), others))
    return markdown(("Reader", "named, % (95% interval)", "other words"), cells)


def teacher_words(name: str) -> str:
    """Return how many tokens an embedded teacher has an embedding of, by the weights in the package."""
    import torch

    from pickclutter_lang.language.clip_words import decoder, word_tokens
    from pickclutter_lang.teachers import load_teacher

    known = load_teacher(name).embed_tokens(torch.arange(len(decoder()))).any(dim=1)
    words = list(word_tokens().values())[:_COMMON_WORDS]
    rows = [
        ("all tokens", len(known), int(known.sum())),
        (
            f"the first {_COMMON_WORDS} tokens that end a word, of three letters or more",
            len(words),
            int(known[words].sum()),
        ),
    ]
    cells = [(what, str(count), f"{100 * found / count:.0f}% ({found})") for what, count, found in rows]
    return markdown(("Of CLIP's vocabulary", "number", f"known to `{name}`"), cells)


def _aims(figures: dict[str, Any]) -> dict[str, tuple[float, bool, _Found]]:
    """Return what is aimed at -> the aim, whether it is an upper bound, and what was found."""
    kinds = _kinds(figures)
    instances = _instances(figures)
    rows = {
        "views of the paper's 26 scans, among their names": (figures["views"]["ycb, paper, objects"], 0.75),
        "those of Y_ood's 12, among their names": (figures["views"]["ycb, paper, Y_ood alone"], 0.80),
        "views of all 60 scans, among all their names": (figures["all_names"]["ycb"], 0.50),
        "views of new instances, among all 206 kinds": (kinds, 0.80),
        **{f"the {name} of new instances": (instances[name], aim) for name, aim in _ATTRIBUTE_AIMS.items()},
    }
    found = {what: (aim, False, _found(row)) for what, (row, aim) in rows.items()}
    minus_crops = figures["views_minus_crops"]["ycb"]
    found["views of scans minus their crops in piles of X_id and X_ood"] = (0.12, True, _Found(*minus_crops))
    for attribute, row in kinds.get("compositions", {}).items():
        text = f"trained minus held-out pairs of name and {attribute}"
        found[text] = (_COMPOSED, True, _Found(*row["trained_minus_held_out"]))
    return found


def _figures(teacher: str) -> dict[str, Any]:
    """Read the figures of a folder of the assets, or of a file in the results' data."""
    path = ASSETS / teacher / "figures.json"
    if not path.is_file():
        source_of(teacher)
        path = DATA / f"{teacher}.json"
    figures: dict[str, Any] = json.loads(path.read_text())
    return figures


def _kinds(figures: dict[str, Any]) -> dict[str, Any]:
    (kinds,) = figures["kinds"].values()
    return dict(kinds)


def _instances(figures: dict[str, Any]) -> dict[str, Any]:
    (instances,) = (row for label, row in figures["attributes"].items() if label.endswith(", instances"))
    return dict(instances)


def _found(row: dict[str, Any]) -> _Found:
    return _Found(row.get("top1_shown", row["top1"]), row.get("interval"))
