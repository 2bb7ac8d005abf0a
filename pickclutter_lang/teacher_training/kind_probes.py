"""Zero-shot probes on instances of kinds that were never trained on: names, colors, compositions, negation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.compositions import (
    LEAST_WORDS,
    Composition,
    composition,
    compositions,
)
from pickclutter_lang.teacher_training.encoded_views import EncodedViews, clusters_of, confusions
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.utils.statistics import clustered_difference, clustered_interval
from pickclutter_lang.utils.words import with_article

_SIDES = ("with", "without")


def kind_accuracy(
    teacher: PocketTeacher,
    views: EncodedViews,
    shown: frozenset[Composition] = frozenset(),
    held_out: frozenset[Composition] = frozenset(),
) -> dict[str, Any]:
    """Return the accuracy of naming views of instances of kinds.

    :param shown: compositions in the views that the teacher was trained on, before some were left out
    :param held_out: those that were left out
    :return: `views`; `names`, how many kinds there are; top-1 among their names (`top1`) and among a synonym of each
        that has one (`by_synonym`); `color`, top-1 of "a red mug" among all colors beside the true name; `interval`,
        that of `top1`, with kinds as clusters; `confusions`, see there; what `negation_accuracy` returns; with
        `held_out` `compositions`: attribute -> what `composition_accuracy` returns, where it has both sides
    """
    kinds = list({item.name: item for item in views.objects}.values())
    colors = sorted({color for item in views.objects for color in item.colors})

    def answers(texts: Sequence[str], kinds: Sequence[ObjectAttributes]) -> list[tuple[str, str]]:
        """Return the true and the answered name of each view of these kinds."""
        features = teacher.encode_text([f"a photo of {with_article(text)}" for text in texts])
        known = {item.name for item in kinds}
        rows = [n for n, item in enumerate(views.objects) if item.name in known]
        predicted = (views.features[rows] @ features.T).argmax(dim=1).tolist()
        return [(views.objects[n].name, kinds[b].name) for n, b in zip(rows, predicted, strict=True)]

    with_synonym = [item for item in kinds if item.synonyms]
    by_name = answers([item.name for item in kinds], kinds)
    by_synonym = answers([item.synonyms[0] for item in with_synonym], with_synonym) if with_synonym else []
    hits = [true == answered for true, answered in by_name]
    return {
        "views": len(views.objects),
        "names": len(kinds),
        "top1": float(np.mean(hits)),
        "interval": clustered_interval([*clusters_of((true for true, _ in by_name), hits).values()]),
        "confusions": confusions(by_name),
        "by_synonym": _mean([true == answered for true, answered in by_synonym]),
        "color": _mean(_color_hits(teacher, views, colors)) if colors else None,
        **negation_accuracy(teacher, views),
        **({"compositions": _compositions(teacher, views, shown, held_out)} if held_out else {}),
    }


def composition_accuracy(
    teacher: PocketTeacher,
    views: EncodedViews,
    shown: frozenset[Composition],
    held_out: frozenset[Composition],
    attribute: str,
) -> dict[str, Any]:
    """Return top-1 of "a red mug" among all compositions in the views, of kinds of which some are held out.

    An answer that the material implies is right too: metal of what is of steel. Views of compositions that are neither
    in `shown` nor in `held_out`, the rare ones, count for neither side. Nor do those that show another held-out one.

    :param attribute: `color`, or `material`: "a plastic mug"
    :return: of compositions that were held out `held_out_views` and `held_out_top1`, of others `trained_views` and
        `trained_top1`; `trained_minus_held_out`, the difference and its interval, with kinds as clusters
    """
    of_views = [composition(item, attribute) for item in views.objects]
    pairs = sorted({pair for pair in of_views if pair is not None})
    texts = [f"a photo of {with_article(f'{pair.word} {pair.name}')}" for pair in pairs]
    predicted = (views.features @ teacher.encode_text(texts).T).argmax(dim=1).tolist()
    varied = {pair.name for pair in held_out if pair.attribute == attribute}
    hits: dict[bool, dict[str, list[bool]]] = {side: {name: [] for name in varied} for side in (True, False)}
    for item, pair, best in zip(views.objects, of_views, predicted, strict=True):
        if pair is None or pair.name not in varied or pair not in shown:
            continue
        if pair in held_out or not held_out & compositions(item):
            right = pairs[best] == pair or (attribute == "material" and pairs[best] in compositions(item))
            hits[pair in held_out][pair.name].append(right)
    found: dict[str, Any] = {}
    for side, of_names in (("held_out", hits[True]), ("trained", hits[False])):
        of_side = [hit for of_name in of_names.values() for hit in of_name]
        if of_side:
            found |= {f"{side}_views": len(of_side), f"{side}_top1": float(np.mean(of_side))}
    if len(found) == 4:
        found["trained_minus_held_out"] = clustered_difference([*hits[False].values()], [*hits[True].values()])
    return found


def _compositions(
    teacher: PocketTeacher, views: EncodedViews, shown: frozenset[Composition], held_out: frozenset[Composition]
) -> dict[str, dict[str, Any]]:
    """Return attribute -> `composition_accuracy`, where views are of both sides."""
    found = {name: composition_accuracy(teacher, views, shown, held_out, name) for name in LEAST_WORDS}
    return {name: row for name, row in found.items() if "trained_minus_held_out" in row}


def negation_accuracy(teacher: PocketTeacher, views: EncodedViews) -> dict[str, Any]:
    """Return how often "a mug with a handle" and "a mug without a handle" are told apart, of kinds of both ways.

    :return: `with_without`: `views`, `top1` of two (a view counts once for each such feature), its `interval`, with
        kinds as clusters, and `with` and `without`, top-1 where that is true; nothing where no kind has both ways
    """
    of_views = [
        (n, item.name, side, feature.removeprefix(f"{side} "))
        for n, item in enumerate(views.objects)
        for feature in item.features
        for side in _SIDES
        if feature.startswith(f"{side} ")
    ]
    sides: dict[tuple[str, str], set[str]] = {}
    for _, name, side, part in of_views:
        sides.setdefault((name, part), set()).add(side)
    both = sorted(key for key, found in sides.items() if len(found) == len(_SIDES))
    if not both:
        return {}
    texts = [f"a photo of {with_article(name)} {side} {part}" for name, part in both for side in _SIDES]
    features = teacher.encode_text(texts).reshape(len(both), len(_SIDES), -1)
    answers = [
        (name, side, _SIDES[int((features[both.index((name, part))] @ views.features[n]).argmax())] == side)
        for n, name, side, part in of_views
        if (name, part) in both
    ]
    hits = [hit for *_, hit in answers]
    return {
        "with_without": {
            "views": len(hits),
            "top1": float(np.mean(hits)),
            "interval": clustered_interval([*clusters_of((name for name, *_ in answers), hits).values()]),
            **{side: _mean([hit for _, true, hit in answers if true == side]) for side in _SIDES},
        }
    }


def _color_hits(teacher: PocketTeacher, views: EncodedViews, colors: Sequence[str]) -> list[bool]:
    """Return for each view whether the best of "a photo of a COLOR NAME" has one of its colors."""
    names = sorted({item.name for item in views.objects})
    texts = [f"a photo of {with_article(f'{color} {name}')}" for name in names for color in colors]
    features = teacher.encode_text(texts).reshape(len(names), len(colors), -1)
    own = features[[names.index(item.name) for item in views.objects]]
    predicted = (own @ views.features[:, :, None])[:, :, 0].argmax(dim=1).tolist()
    return [colors[best] in item.colors for best, item in zip(predicted, views.objects, strict=True)]


def _mean(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None
