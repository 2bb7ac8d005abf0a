"""The protocol of Tables 1-11: a student after distillation (zero-shot), by retrieval, after fine-tuning (few-shot)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.experiments.images.image_cache import cache_rows, retrieve
from pickclutter_lang.experiments.images.image_provenance import describe_spaces, space_texts
from pickclutter_lang.experiments.images.image_results import MOST_CLASSES, MOST_IMAGES, SPACE_FILE
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.images.image_task import nearest_class, nearest_class_features, student_features
from pickclutter_lang.experiments.images.text_geometry import text_statistics
from pickclutter_lang.experiments.result import write_result
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT
from pickclutter_lang.metrics import (
    alignment_inversions,
    feature_distance,
    mean_class_accuracy,
    neighbour_overlap,
    relative_match,
)
from pickclutter_lang.utils.io import atomic_write

_NEIGHBOURS, _TEXTS = (3, 5, 10), (2, 3, 5)

Accuracy = dict[str, float]


def evaluate_images(run: ImageRun) -> dict[str, Any]:
    """Evaluate every stage of a finished run; write `result.json` and `space.npz`, and return the result.

    :raises CheckpointError: when a phase is not finished
    :raises LockedError: when another process is at work in its folder
    """
    with run.locked():
        return _evaluate(run)


def _evaluate(run: ImageRun) -> dict[str, Any]:
    start = time.perf_counter()
    metrics: dict[str, Any] = {"teacher": _teacher(run)}
    zero_shot: dict[str, Accuracy | None] = {**_over_last_epochs(run, DISTILL, _accuracies)}
    few_shot = _over_last_epochs(run, FEW_SHOT, _accuracies)
    if run.config.continual_split:
        metrics["continual"] = _continual(run)
    retrieval = None if run.config.text.closed_set else _over_last_epochs(run, DISTILL, _retrieval)
    histories = {phase: run.load_weights(phase) for phase in run.phases}
    run.load_weights(DISTILL)
    seen = {part: student_features(run.model, run.crops, getattr(run.split, part)) for part in ("train", "ood")}
    if run.config.text.closed_set:
        zero_shot |= {"ood": None, "all": None}  # no output of it was trained
    else:
        metrics["retrieval"] = retrieval
    metrics |= {
        "zero_shot": zero_shot,
        "few_shot": few_shot,
        "features": {part: _features(run, part, seen[part]) for part in ("train", "ood")},
        "text": text_spaces(run),
    }
    _save_space(run, seen["ood"])
    parameters = (p.numel() for name, p in run.model.student.named_parameters() if "local_head" not in name)
    values = {
        "report": run.report,
        "space_texts": describe_spaces(run.config.text, run.data, run.split),
        "parameters": sum(parameters),
        "metrics": metrics,
    }
    return write_result(run, histories, time.perf_counter() - start, values)


def accuracy(predictions: Tensor, labels: Tensor) -> Accuracy:
    """Return the mean accuracy of the classes, the share of images that are right, and the number of images."""
    right = float((predictions == labels).double().mean())
    return {"accuracy": mean_class_accuracy(predictions, labels), "top1": right, "images": len(labels)}


def text_spaces(run: ImageRun) -> dict[str, Any]:
    """Return the statistics of Table 6 and Figure 4 for names, descriptions and captions of Y_ood, if there are any.

    Texts that are too long for the teacher are cut: a run that does not use the descriptions need not fail for one.
    """
    spaces = {}
    for kind, texts in space_texts(run.config.text, run.data, run.split).items():
        features = run.teacher.encode_text(texts, truncate=True).cpu()
        if kind == "captions":
            labels = run.labels[list(run.split.ood)]
            features = torch.stack([features[labels == n].mean(dim=0) for n in run.split.unseen])
        spaces[kind] = text_statistics(features.numpy())
    return spaces


def _over_last_epochs(
    run: ImageRun, phase: str, measure: Callable[[ImageRun], dict[str, Accuracy]]
) -> dict[str, Accuracy]:
    """Return what is measured after a phase, means over its last epochs; the weights of the earliest stay loaded."""
    found = []
    for back in range(run.config.average_last_epochs):
        run.load_weights(phase, back)
        found.append(measure(run))
    return {part: _mean([one[part] for one in found]) for part in found[0]}


def _accuracies(run: ImageRun) -> dict[str, Accuracy]:
    split, model = run.split, run.model
    known, unseen = (student_features(model, run.crops, rows) for rows in (split.id, split.ood))
    labels, other = run.labels[list(split.id)], run.labels[list(split.ood)]
    both = (*split.seen, *split.unseen)
    return {
        "id": accuracy(nearest_class(model, known, split.seen), labels),
        "ood": accuracy(nearest_class(model, unseen, split.unseen), other),
        "all": accuracy(nearest_class(model, unseen, both), other),
    }


def _mean(rows: Sequence[Accuracy]) -> Accuracy:
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def _teacher(run: ImageRun) -> dict[str, Accuracy]:
    text, found = run.teacher_texts(), {}
    for part, classes in (("id", run.split.seen), ("ood", run.split.unseen)):
        rows = list(getattr(run.split, part))
        predictions = nearest_class_features(run.teacher_image_features[rows], text[list(classes)], classes)
        found[part] = accuracy(predictions, run.labels[rows])
    return found


def _continual(run: ImageRun) -> dict[str, Accuracy]:
    """Return the accuracies on the halves of Y_ood, before and after fine-tuning on the first (Table 11)."""
    found: dict[str, Accuracy] = {}
    for when, phase in (("before", DISTILL), ("after", CONTINUAL)):
        halves = _over_last_epochs(run, phase, _halves)
        found |= {f"{half}_{when}": value for half, value in halves.items()}
    return found


def _halves(run: ImageRun) -> dict[str, Accuracy]:
    found: dict[str, Accuracy] = {}
    for half, classes in enumerate(run.unseen_halves, start=1):
        rows = [row for row in run.split.ood if int(run.labels[row]) in classes]
        if rows:
            features = student_features(run.model, run.crops, rows)
            found[f"ood{half}"] = accuracy(nearest_class(run.model, features, classes), run.labels[rows])
    return found


def _retrieval(run: ImageRun) -> dict[str, Accuracy]:
    split, config = run.split, run.config
    queries, examples = (student_features(run.model, run.crops, rows) for rows in (split.ood, split.fewshot))
    keys = run.teacher_keys if config.retrieval.keys == "teacher" else examples[:, None]
    text = run.model.text(split.unseen).detach().cpu()
    labels = cache_rows(run.labels[list(split.fewshot)], split.unseen)
    places, choice = retrieve(config.retrieval, queries, examples, keys, labels, text, config.objective.temperature)
    found = accuracy(torch.tensor(split.unseen)[places], run.labels[list(split.ood)])
    return {"ood": found | {"alpha": choice.alpha, "beta": choice.beta, "leave_one_out_accuracy": choice.score}}


def _features(run: ImageRun, part: str, student: Tensor) -> dict[str, Any]:
    """Return the metrics of Tables 2 to 4 on a part of the data; they grow with its square."""
    rows, device = list(getattr(run.split, part)), run.config.device
    classes = run.split.seen if part == "train" else run.split.unseen
    text = run.teacher_texts()[list(classes)].to(device)
    student, teacher = student.to(device), run.teacher_image_features[rows].to(device)
    distance = feature_distance(student, teacher)
    return {
        "mse": distance.squared,
        "degrees": distance.degrees,
        "relative_match": relative_match(student, teacher),
        "neighbour_overlap": {str(k): neighbour_overlap(student, teacher, k) for k in _NEIGHBOURS if k < len(rows)},
        "alignment_inversions": {
            str(k): alignment_inversions(student, teacher, text, k) for k in _TEXTS if k <= len(classes)
        },
    }


def _save_space(run: ImageRun, students: Tensor) -> None:
    """Save some of the zero-shot student's features of X_ood, and the texts of Y_ood, for Figure 2b."""
    text = run.model.text(run.split.unseen).detach().cpu()
    labels = cache_rows(run.labels[list(run.split.ood)], run.split.unseen)
    rows = torch.cat([(labels == n).nonzero()[:MOST_IMAGES, 0] for n in range(min(len(text), MOST_CLASSES))])
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        students=functional.normalize(students[rows], dim=1).numpy().astype(np.float32),
        texts=text.numpy().astype(np.float32),
        labels=labels[rows].numpy(),
    )
    atomic_write(run.folder / SPACE_FILE, stream.getvalue())
