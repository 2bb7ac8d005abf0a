"""The protocol of Tables 1-11: a student after distillation (zero-shot), by retrieval, after fine-tuning (few-shot)."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.experiments.images.image_answers import Answers, answers_of, save_answers
from pickclutter_lang.experiments.images.image_cache import cache_rows, retrieve
from pickclutter_lang.experiments.images.image_provenance import describe_spaces, space_texts
from pickclutter_lang.experiments.images.image_results import MOST_CLASSES, MOST_IMAGES, SPACE_FILE
from pickclutter_lang.experiments.images.image_task import nearest_class, student_features
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

if TYPE_CHECKING:
    from pickclutter_lang.experiments.images.image_run import ImageRun

_NEIGHBORS, _TEXTS = (3, 5, 10), (2, 3, 5)

Accuracy = dict[str, float]


def evaluate_images(run: ImageRun) -> dict[str, Any]:
    """Evaluate every stage of a finished run; write `result.json`, answers and `space.npz`; return the result.

    :raises CheckpointError: when a phase is not finished
    :raises LockedError: when another process is at work in its folder
    """
    with run.locked():
        return _evaluate(run)


def _evaluate(run: ImageRun) -> dict[str, Any]:
    start = time.perf_counter()
    answers = {"teacher": _teacher(run)}
    metrics: dict[str, Any] = {"teacher": {part: accuracy(one) for part, one in answers["teacher"].items()}}
    distilled, answers["zero_shot"] = _over_last_epochs(run, DISTILL, _answers)
    few_shot, answers["few_shot"] = _over_last_epochs(run, FEW_SHOT, _answers)
    zero_shot: dict[str, Accuracy | None] = {**distilled}
    if run.config.continual_split:
        metrics["continual"] = _continual(run)
    if not run.config.text.closed_set:
        retrieval, answers["retrieval"] = _over_last_epochs(run, DISTILL, _retrieval)
    histories = {phase: run.load_weights(phase) for phase in run.phases}
    run.load_weights(DISTILL)
    seen = {part: student_features(run.model, run.crops, getattr(run.split, part)) for part in ("train", "ood")}
    if run.config.text.closed_set:
        zero_shot |= {"ood": None, "all": None}  # no output of it was trained
        del answers["zero_shot"]["ood"], answers["zero_shot"]["all"]
    else:
        metrics["retrieval"] = retrieval
    metrics |= {
        "zero_shot": zero_shot,
        "few_shot": few_shot,
        "features": {part: _features(run, part, seen[part]) for part in ("train", "ood")},
        "text": text_spaces(run),
    }
    _save_space(run, seen["ood"])
    save_answers(run, answers)
    parameters = (p.numel() for name, p in run.model.student.named_parameters() if "local_head" not in name)
    values = {
        "report": run.report,
        "space_texts": describe_spaces(run.config.text, run.data, run.split),
        "parameters": sum(parameters),
        "metrics": metrics,
    }
    return write_result(run, histories, time.perf_counter() - start, values)


def accuracy(answers: Answers) -> Accuracy:
    """Return the mean accuracy of the classes, the share of images that are right, the number of images, the choice."""
    predicted, labels = answers.predicted, answers.labels
    right = float((predicted == labels).double().mean())
    found = {"accuracy": mean_class_accuracy(predicted, labels), "top1": right, "images": len(labels)}
    return found | dict(answers.choice)


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
    run: ImageRun, phase: str, measure: Callable[[ImageRun], dict[str, Answers]]
) -> tuple[dict[str, Accuracy], dict[str, Answers]]:
    """Return accuracies after a phase, means over its last epochs, and the answers after the last.

    The weights of the earliest stay loaded.
    """
    found = []
    for back in range(run.config.average_last_epochs):
        run.load_weights(phase, back)
        found.append(measure(run))
    return {part: _mean([accuracy(one[part]) for one in found]) for part in found[0]}, found[0]


def _answers(run: ImageRun) -> dict[str, Answers]:
    split = run.split
    both = (*split.seen, *split.unseen)
    return _of_parts(run, {"id": ("id", split.seen), "ood": ("ood", split.unseen), "all": ("ood", both)})


def _of_parts(run: ImageRun, parts: Mapping[str, tuple[str, Sequence[int]]]) -> dict[str, Answers]:
    """Return the student's answers; part -> its images (`id` or `ood`) and classes."""
    features = {rows: student_features(run.model, run.crops, getattr(run.split, rows)) for rows in ("id", "ood")}
    found = {}
    for part, (rows, classes) in parts.items():
        text = run.model.text(classes).detach().cpu()
        found[part] = answers_of(features[rows], text, classes, run.labels[list(getattr(run.split, rows))])
    return found


def _mean(rows: Sequence[Accuracy]) -> Accuracy:
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def _teacher(run: ImageRun) -> dict[str, Answers]:
    text, found = run.teacher_texts(), {}
    for part, classes in (("id", run.split.seen), ("ood", run.split.unseen)):
        rows = list(getattr(run.split, part))
        found[part] = answers_of(run.teacher_image_features[rows], text[list(classes)], classes, run.labels[rows])
    return found


def _continual(run: ImageRun) -> dict[str, Accuracy]:
    """Return the accuracies on the halves of Y_ood, before and after fine-tuning on the first (Table 11)."""
    found: dict[str, Accuracy] = {}
    for when, phase in (("before", DISTILL), ("after", CONTINUAL)):
        halves, _ = _over_last_epochs(run, phase, _halves)
        found |= {f"{half}_{when}": value for half, value in halves.items()}
    return found


def _halves(run: ImageRun) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    for half, classes in enumerate(run.unseen_halves, start=1):
        rows = [row for row in run.split.ood if int(run.labels[row]) in classes]
        if rows:
            features = student_features(run.model, run.crops, rows)
            found[f"ood{half}"] = Answers(run.labels[rows], nearest_class(run.model, features, classes))
    return found


def _retrieval(run: ImageRun) -> dict[str, Answers]:
    split, config = run.split, run.config
    queries, examples = (student_features(run.model, run.crops, rows) for rows in (split.ood, split.fewshot))
    keys = run.teacher_keys if config.retrieval.keys == "teacher" else examples[:, None]
    text = run.model.text(split.unseen).detach().cpu()
    labels = cache_rows(run.labels[list(split.fewshot)], split.unseen)
    places, choice = retrieve(config.retrieval, queries, examples, keys, labels, text, config.objective.temperature)
    tuned = {"alpha": choice.alpha, "beta": choice.beta, "leave_one_out_accuracy": choice.score}
    return {"ood": Answers(run.labels[list(split.ood)], torch.tensor(split.unseen)[places], choice=tuned)}


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
        "neighbour_overlap": {str(k): neighbour_overlap(student, teacher, k) for k in _NEIGHBORS if k < len(rows)},
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
