"""Comparison of label texts for a teacher: names, descriptions, and controls without meaning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.command_configs import TextAblationConfig
from pickclutter_lang.language.descriptions import BLIND, STYLES
from pickclutter_lang.language.ensembles import (
    Descriptors,
    catalog_descriptors,
    ensemble_features,
    label_texts,
    shuffled_descriptors,
    style_descriptors,
    waffle_descriptors,
    words_of,
)
from pickclutter_lang.metrics.multilabel import mean_average_precision, multilabel_row
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers import Teacher, load_teacher
from pickclutter_lang.teachers.zero_shot import (
    ABSENT_TEMPLATE,
    PHOTO_TEMPLATE,
    PRESENT_TEMPLATE,
    encode_images,
    evaluable_labels,
    prompt_pair_probabilities,
    scene_features,
)
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.statistics import estimate

Rows = Mapping[str, Sequence[Mapping[str, float]]]
_SCENE_COLUMNS = ("map", "map_id", "map_ood", "f1", "accuracy")
_HEADS = {
    "map": "mAP",
    "map_id": "mAP Y_id",
    "map_ood": "mAP Y_ood",
    "f1": "F1",
    "accuracy": "accuracy",
    "top1": "top-1",
}


class Method(NamedTuple):
    """A way to describe labels: its name in the table, and its texts [C][n] for each of some seeds."""

    name: str
    texts: Sequence[Sequence[Sequence[str]]]


def text_methods(names: Sequence[str], descriptions: Sequence[str], seeds: int) -> list[Method]:
    """Return the ways to describe labels that are compared: names, descriptions, ensembles, controls.

    :param descriptions: styles or paths, as `read_descriptions` takes them
    :param seeds: how often each control is sampled, from the seeds 0, 1, ...
    :raises UnknownObjectError: naming the labels without a description
    """

    def plain(name: str, phrases: Descriptors) -> Method:
        return Method(name, [label_texts(names, phrases)])

    def sampled(name: str, draw: Callable[[np.random.Generator], Descriptors]) -> Method:
        return Method(name, [label_texts(names, draw(np.random.default_rng(seed))) for seed in range(seeds)])

    blind = style_descriptors(names, ["blind"])
    parts, known = catalog_descriptors(names), words_of(catalog_descriptors(paper_catalog().names))
    return [
        Method("name", [[[name] for name in names]]),
        *(plain(f"{source} description", style_descriptors(names, [source])) for source in descriptions),
        plain(f"mean of {len(BLIND)} blind styles", style_descriptors(names, list(BLIND))),
        plain(f"mean of {len(STYLES)} styles", style_descriptors(names)),
        sampled("blind description of another object", lambda rng: shuffled_descriptors(blind, rng)),
        plain("mean of descriptors", parts),
        sampled("descriptors of another object", lambda rng: shuffled_descriptors(parts, rng)),
        sampled("random words of the descriptors", lambda rng: waffle_descriptors(parts, rng, "words", known)),
        sampled("random words", lambda rng: waffle_descriptors(parts, rng, "words")),
        sampled("random characters", lambda rng: waffle_descriptors(parts, rng, "characters")),
    ]


def compare_on_scenes(
    teacher: Teacher, store: SceneStore, methods: Iterable[Method], share: float = 1.0, truncate: bool = False
) -> dict[str, list[dict[str, float]]]:
    """Classify full scenes with each way to describe the store's labels; a row for each seed.

    :param methods: of `text_methods` for the labels of the store
    :return: name of the method -> rows with `map`, `map_id`, `map_ood`, `f1`, `accuracy`; NaN where not evaluated
    """
    features, evaluable = scene_features(teacher, store, share), evaluable_labels(store)
    truth = torch.from_numpy(store.labels("visible"))

    def row(texts: Descriptors) -> dict[str, float]:
        present, absent = (
            ensemble_features(teacher, texts, form, truncate) for form in (PRESENT_TEMPLATE, ABSENT_TEMPLATE)
        )
        probabilities = prompt_pair_probabilities(features, present, absent, teacher.logit_scale).cpu()
        found = multilabel_row(probabilities[:, evaluable], truth[:, evaluable])
        for split in ("id", "ood"):
            columns = [n for n in store.split_label_indices(split) if n in evaluable]
            found[f"map_{split}"] = _map(probabilities[:, columns], truth[:, columns])
        return {key: found[key] for key in _SCENE_COLUMNS}

    return {method.name: [row(texts) for texts in method.texts] for method in methods}


def ablate_on_views(
    teacher: Teacher, store: ObjectViewDataset, methods: Iterable[Method], truncate: bool = False
) -> dict[str, list[dict[str, float]]]:
    """Name single objects of the catalog with each way to describe all 26; a row for each seed.

    :param methods: of `text_methods(paper_catalog().names, ...)`
    :return: name of the method -> rows with `top1`
    :raises InvalidArgumentError: when the views show no object of the catalog
    """
    known = [n for n, index in enumerate(store.object_index) if "model_id" in store.objects[index]]
    index = {model_id: n for n, model_id in enumerate(paper_catalog().model_ids)}
    known = [n for n in known if store.objects[store.object_index[n]]["model_id"] in index]
    if not known:
        raise InvalidArgumentError("expected views of objects of the catalog, but these show none")
    features = encode_images(teacher, store.rgb[known])
    owners = torch.tensor([index[store.objects[store.object_index[n]]["model_id"]] for n in known])

    def row(texts: Descriptors) -> dict[str, float]:
        best = (features @ ensemble_features(teacher, texts, PHOTO_TEMPLATE, truncate).T).argmax(dim=1).cpu()
        return {"top1": float((best == owners).double().mean())}

    return {method.name: [row(texts) for texts in method.texts] for method in methods}


def ablate_texts(config: TextAblationConfig) -> str:
    """Compare on every store of the settings and return the tables as Markdown."""
    teacher = load_teacher(config.teacher_name, config.checkpoint, device=config.device)
    parts = []
    for folder in config.scenes:
        store = SceneStore.open(folder)
        methods = text_methods(store.label_names, config.descriptions, config.seeds)
        rows = compare_on_scenes(teacher, store, methods, config.crop_fraction, config.truncate)
        head = store.manifest
        title = f"{len(store)} scenes ({head.object_set}, {head.split}, {store.image_size} px)"
        parts.append(f"## {title}\n\n{table(rows)}")
    for folder in config.views:
        views = ObjectViewDataset.open(folder)
        methods = text_methods(paper_catalog().names, config.descriptions, config.seeds)
        rows = ablate_on_views(teacher, views, methods, config.truncate)
        parts.append(f"## {len(views)} views ({views.config['objects']})\n\n{table(rows)}")
    head_line = (
        f"# Texts for the teacher `{config.teacher_name}`\n\nPercent; zero-shot. Controls: mean and 95% interval over "
        f"{config.seeds} seeds of their noise, on the same images.\n"
    )
    return "\n\n".join([head_line.rstrip(), *parts]) + "\n"


def table(rows: Rows) -> str:
    """Return rows as a Markdown table in percent, with the 95% interval where a method has several seeds."""
    columns = [key for key in next(iter(rows.values()))[0] if not _never(rows, key)]
    cells = ([name, *(_cell([100 * row[key] for row in found]) for key in columns)] for name, found in rows.items())
    return markdown_table(["texts", *(_HEADS[key] for key in columns)], cells, align_right=True)


def _cell(values: Sequence[float]) -> str:
    found = estimate(values)
    return f"{found.mean:.1f}" + (f" ± {found.half_width:.1f}" if found.half_width is not None else "")


def _never(rows: Rows, key: str) -> bool:
    return all(math.isnan(row[key]) for found in rows.values() for row in found)


def _map(probabilities: Tensor, truth: Tensor) -> float:
    return mean_average_precision(probabilities, truth) if probabilities.shape[1] else math.nan
