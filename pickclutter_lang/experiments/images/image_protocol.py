"""The protocol of Tables 1-11: a student after distillation (zero-shot), by retrieval, after fine-tuning (few-shot).

Of a finished run it writes `result.json`, `scores.npz` (the answer for each image), `space.npz` (features for Figure
2b), and small images of some right and wrong answers.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.experiments.few_shot_cache import CacheParameters, cache_logits, tune_cache
from pickclutter_lang.experiments.images.class_texts import digest, space_texts
from pickclutter_lang.experiments.images.image_parts import nearest_class, student_features
from pickclutter_lang.experiments.images.image_run import ImageRun
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT
from pickclutter_lang.metrics import (
    alignment_inversions,
    feature_distance,
    mean_class_accuracy,
    neighbour_overlap,
    relative_match,
)
from pickclutter_lang.results.page import jpeg
from pickclutter_lang.results.record import Record, write_trained
from pickclutter_lang.results.runs import TEACHER
from pickclutter_lang.results.scores import Cell, Scores
from pickclutter_lang.training.config import RetrievalConfig
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.sampling import evenly_spaced
from pickclutter_lang.utils.typing import Float32Array

SPACE_FILE, EXAMPLES = "space.npz", "examples"
"""`students` [n, D] of X_ood, `texts` [C, D] of Y_ood, `labels` [n] as rows of the latter; the folder of images."""
MOST_CLASSES, _MOST_IMAGES = 10, 100
"""So many classes, and images of each, are in the former."""
_EIGENVALUES = 10  # of Figure 4
_NEIGHBORS, _TEXTS = (3, 5, 10), (2, 3, 5)
_MOST_EXAMPLES = {"id": 6, "ood": 12}
_SIDE = 160

Accuracy = dict[str, float]
Questions = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""Name -> rows of images, and the classes among which they are classified."""


class Answers(NamedTuple):
    """Classes [N] of images and classes [N] that are answered, as indices of the data set.

    `own` and `others` [N]: cosines to the text of the own class, and to the `nearest` [N] of the others. `choice`: what
    was tuned.
    """

    labels: Tensor
    predicted: Tensor
    own: Tensor | None = None
    others: Tensor | None = None
    nearest: Tensor | None = None
    choice: Mapping[str, float] | None = None

    @property
    def accuracy(self) -> Accuracy:
        """Mean accuracy of the classes, share of images that are right, number of images, the choice."""
        right = float((self.predicted == self.labels).double().mean())
        accuracy = mean_class_accuracy(self.predicted, self.labels)
        return {"accuracy": accuracy, "top1": right, "images": len(self.labels), **(self.choice or {})}


def evaluate_images(run: ImageRun) -> Record:
    """Evaluate every stage of a finished run, and write all of its files but the report; return the record.

    :raises CheckpointError: when a phase is not finished
    :raises LockedError: when another process is at work in its folder
    """
    with run.locked():
        start = time.perf_counter()
        split = run.parts.split
        questions: Questions = {
            "id": (split.id, split.seen),
            "ood": (split.ood, split.unseen),
            "all": (split.ood, (*split.seen, *split.unseen)),
        }
        answers = {TEACHER: _teacher_answers(run, questions)}
        metrics = dict[str, Any]()
        metrics[TEACHER] = {part: one.accuracy for part, one in answers[TEACHER].items()}
        for stage, phase in (("zero_shot", DISTILL), ("few_shot", FEW_SHOT)):
            metrics[stage], answers[stage] = _over_last_epochs(run, phase, lambda: _answers(run, questions))
        if run.config.text.closed_set:  # no output of it was trained on Y_ood
            answers["zero_shot"] = {"id": answers["zero_shot"]["id"]}
            metrics["zero_shot"] |= {"ood": None, "all": None}
        else:
            metrics["retrieval"], answers["retrieval"] = _over_last_epochs(run, DISTILL, lambda: _retrieval(run))
        if run.config.continual_split:
            metrics["continual"] = _continual(run)
        histories = {phase: run.load_weights(phase) for phase in run.phases}
        run.load_weights(DISTILL)
        students = {
            part: student_features(run.model, run.parts.crops, getattr(split, part)) for part in ("train", "ood")
        }
        texts = space_texts(run.config.text, run.parts.data, split)
        metrics["features"] = {part: _features(run, part, features) for part, features in students.items()}
        metrics["text"] = _text_spaces(run, texts)
        _save_space(run, students["ood"])
        _save_scores(run, answers)
        _save_examples(run, answers["few_shot"])
        parameters = (p.numel() for name, p in run.model.student.named_parameters() if "local_head" not in name)
        values = {
            "report": run.report,
            "space_texts": {kind: digest(of) for kind, of in texts.items()},
            "parameters": sum(parameters),
            "metrics": metrics,
        }
        return write_trained(run, histories, time.perf_counter() - start, values)


def _over_last_epochs(
    run: ImageRun, phase: str, measure: Callable[[], dict[str, Answers]]
) -> tuple[dict[str, Accuracy], dict[str, Answers]]:
    """Return accuracies after a phase, means over its last epochs, and the answers after the last.

    The weights of the earliest stay loaded.
    """
    found = []
    for back in range(run.config.average_last_epochs):
        run.load_weights(phase, back)
        found.append(measure())
    rows = {part: [one[part].accuracy for one in found] for part in found[0]}
    means = {part: {key: sum(row[key] for row in of) / len(of) for key in of[0]} for part, of in rows.items()}
    return means, found[0]


def _answers(run: ImageRun, questions: Questions) -> dict[str, Answers]:
    """Return the student's answers."""
    features = {
        rows: student_features(run.model, run.parts.crops, rows) for rows in {rows for rows, _ in questions.values()}
    }
    return {
        part: answers_of(features[rows], run.model.text(classes).detach().cpu(), classes, run.parts.labels[list(rows)])
        for part, (rows, classes) in questions.items()
    }


def _teacher_answers(run: ImageRun, questions: Questions) -> dict[str, Answers]:
    text = run.parts.teacher_texts()
    features = run.parts.teacher_image_features
    return {
        part: answers_of(features[list(rows)], text[list(classes)], classes, run.parts.labels[list(rows)])
        for part, (rows, classes) in questions.items()
        if part != "all"
    }


def answers_of(features: Tensor, text: Tensor, classes: Sequence[int], labels: Tensor) -> Answers:
    """Return the classes whose text is nearest to each feature.

    :param features: [N, D]
    :param text: [C, D] unit features of `classes`
    :param labels: [N] classes of the images, each out of `classes`
    """
    cosines = functional.normalize(features.float(), dim=1) @ text.float().T
    true = labels[:, None] == torch.tensor(list(classes))
    predicted = nearest_class(features, text, classes)
    others, place = cosines.masked_fill(true, -1.0).max(dim=1)
    nearest = torch.where(predicted == labels, torch.tensor(list(classes))[place], predicted)
    return Answers(labels, predicted, cosines[true], others, nearest)


def _continual(run: ImageRun) -> dict[str, Accuracy]:
    """Return the accuracies on the halves of Y_ood, before and after fine-tuning on the first (Table 11)."""
    questions: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for half, classes in enumerate(run.parts.unseen_halves, start=1):
        rows = tuple(row for row in run.parts.split.ood if int(run.parts.labels[row]) in classes)
        questions |= {f"ood{half}": (rows, classes)} if rows else {}
    found: dict[str, Accuracy] = {}
    for when, phase in (("before", DISTILL), ("after", CONTINUAL)):
        halves, _ = _over_last_epochs(run, phase, lambda: _answers(run, questions))
        found |= {f"{half}_{when}": value for half, value in halves.items()}
    return found


def _retrieval(run: ImageRun) -> dict[str, Answers]:
    split = run.parts.split
    config = run.config
    queries, examples = (student_features(run.model, run.parts.crops, rows) for rows in (split.ood, split.fewshot))
    keys = run.teacher_keys if config.retrieval.keys == "teacher" else examples[:, None]
    text = run.model.text(split.unseen).detach().cpu()
    labels = _places(run.parts.labels[list(split.fewshot)], split.unseen)
    places, choice = retrieve(config.retrieval, queries, examples, keys, labels, text, config.objective.temperature)
    tuned = {"alpha": choice.alpha, "beta": choice.beta, "leave_one_out_accuracy": choice.score}
    return {"ood": Answers(run.parts.labels[list(split.ood)], torch.tensor(split.unseen)[places], choice=tuned)}


def retrieve(
    config: RetrievalConfig,
    queries: Tensor,
    examples: Tensor,
    keys: Tensor,
    labels: Tensor,
    text: Tensor,
    temperature: float,
) -> tuple[Tensor, CacheParameters]:
    """Return the class [N] of images by text and cache together (Table 10, after Tip-Adapter), and the cache's weight.

    Tuned weight and sharpness are those with the best accuracy on the few-shot images, each left out of the cache.

    :param queries: [N, D] student features
    :param examples: [M, D] those of the few-shot images, of the classes `labels` [M], rows of `text`
    :param keys: [M, V, D] features of the few-shot images in the cache
    :param text: [C, D] unit features of the classes
    :param temperature: of the zero-shot logits, where the configuration has none
    """
    unit = (functional.normalize(features, dim=1).numpy() for features in (queries, examples, keys.flatten(0, 1)))
    asked, shown, cached = unit
    one_hot = np.eye(len(text), dtype=np.float32)[labels.numpy()]
    values = one_hot.repeat(keys.shape[1], axis=0)
    own = np.eye(len(labels), dtype=bool).repeat(keys.shape[1], axis=1)
    scale = 1 / (config.temperature or temperature)

    def leave_one_out(beta: float) -> Float32Array:
        others = cache_logits(shown, cached, values, beta=beta, excluded=own)
        # its class has one fewer to vote
        return np.asarray(others * (1 + one_hot / np.maximum(one_hot.sum(axis=0) - 1, 1)))

    choice = tune_cache(
        config.alpha,
        config.beta,
        scale * shown @ text.numpy().T,
        leave_one_out,
        lambda logits: mean_class_accuracy(torch.from_numpy(logits.argmax(axis=1)), labels),
    )
    logits = scale * asked @ text.numpy().T + choice.alpha * cache_logits(asked, cached, values, beta=choice.beta)
    return torch.from_numpy(logits.argmax(axis=1)), choice


def _places(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the index of each label [M] in `classes`."""
    index_of = {number: n for n, number in enumerate(classes)}
    return torch.tensor([index_of[int(label)] for label in labels])


def _features(run: ImageRun, part: str, student: Tensor) -> dict[str, Any]:
    """Return the metrics of Tables 2 to 4 on a part of the data; they grow with its square."""
    rows = list(getattr(run.parts.split, part))
    device = run.config.device
    classes = run.parts.split.seen if part == "train" else run.parts.split.unseen
    text = run.parts.teacher_texts()[list(classes)].to(device)
    student = student.to(device)
    teacher = run.parts.teacher_image_features[rows].to(device)
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


def _text_spaces(run: ImageRun, texts: Mapping[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Return the statistics of Table 6 and Figure 4 for names, descriptions and captions of Y_ood, if there are any.

    Texts that are too long for the teacher are cut: a run that does not use the descriptions need not fail for one.
    """
    spaces = {}
    for kind, of_kind in texts.items():
        features = run.teacher.encode_text(of_kind, truncate=True).cpu()
        if kind == "captions":
            labels = run.parts.labels[list(run.parts.split.ood)]
            features = torch.stack([features[labels == n].mean(dim=0) for n in run.parts.split.unseen])
        spaces[kind] = text_statistics(features.numpy())
    return spaces


def text_statistics(features: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Return how near texts are to each other and in how many directions they differ.

    What the paper calls eigenvalues are singular values: of the features after their mean is taken away.

    :param features: [C, D], C at least 2: L2-normalized features of a text for each class, or for captions the mean of
        a class's, which is not normalized again
    :return: `cosine`, the mean of all pairs (Table 6), and the 10 largest `eigenvalues`, largest first (Figure 4)
    """
    rows = features.astype(np.float64)
    count = len(features)
    total = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).sum(axis=0)
    cosine = (total @ total - count) / (count * (count - 1))  # all ordered pairs but those of a text with itself
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    return {"cosine": float(cosine), "eigenvalues": values[:_EIGENVALUES].tolist()}


def _save_space(run: ImageRun, students: Tensor) -> None:
    """Save some of the zero-shot student's features of X_ood, and the texts of their classes, for Figure 2b."""
    text = run.model.text(run.parts.split.unseen[:MOST_CLASSES]).detach().cpu()
    labels = _places(run.parts.labels[list(run.parts.split.ood)], run.parts.split.unseen)
    rows = torch.cat([(labels == n).nonzero()[:_MOST_IMAGES, 0] for n in range(len(text))])
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        students=functional.normalize(students[rows], dim=1).numpy().astype(np.float32),
        texts=text.numpy().astype(np.float32),
        labels=labels[rows].numpy(),
    )
    atomic_write(run.folder / SPACE_FILE, stream.getvalue())


def _save_scores(run: ImageRun, answers: Mapping[str, Mapping[str, Answers]]) -> None:
    """Save the answers of every stage, and those of the teacher, per image."""
    names = [item.name for item in run.parts.data.classes]
    ids = run.parts.data.images.ids

    def cell(part: str, one: Answers) -> Cell:
        return Cell.of_answers(
            [ids[row] for row in (run.parts.split.id if part == "id" else run.parts.split.ood)],
            names,
            one.labels.tolist(),
            one.predicted.tolist(),
            own=None if one.own is None else one.own.numpy(),
            others=None if one.others is None else one.others.numpy(),
            nearest=None if one.nearest is None else one.nearest.tolist(),
            source=run.parts.data.images.content_hash,
        )

    cells = (((stage, part), cell(part, one)) for stage, parts in answers.items() for part, one in parts.items())
    Scores.of_cells(cells, [names[n] for n in run.parts.split.unseen]).save(run.folder)


def _save_examples(run: ImageRun, answers: Mapping[str, Answers]) -> None:
    """Save small images of some answers of the few-shot student, right and wrong ones."""
    for part, most in _MOST_EXAMPLES.items():
        rows = getattr(run.parts.split, part)
        right = answers[part].predicted == answers[part].labels
        groups = [mask.nonzero()[:, 0].tolist() for mask in (right, ~right)]
        chosen = [group[n] for group in groups for n in evenly_spaced(len(group), most)]
        for number, pixels in zip(chosen, run.parts.data.images.load([rows[n] for n in chosen]), strict=True):
            atomic_write(run.folder / EXAMPLES / f"{part}_{number}.jpg", jpeg(pixels, _SIDE).data)
