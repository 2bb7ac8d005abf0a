"""The protocol of Tables 1-11: a student after distillation (zero-shot), by retrieval, after fine-tuning (few-shot).

Of a finished run it writes `result.json`, `scores.npz` (the answer for each image), `space.npz` (features for Figure
2b), small images of some right and wrong answers, and `report.html`.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation.tip_adapter import CacheParameters, cache_logits, tune_cache
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.images.class_texts import digest, space_texts
from pickclutter_lang.experiments.images.image_run import ImageRun, nearest_class, student_features
from pickclutter_lang.experiments.stages import CONTINUAL, DISTILL, FEW_SHOT, STAGE_TITLES
from pickclutter_lang.metrics import (
    alignment_inversions,
    feature_distance,
    mean_class_accuracy,
    neighbour_overlap,
    relative_match,
)
from pickclutter_lang.results.charts import Interval, draw_bars, draw_curves
from pickclutter_lang.results.comparison import TITLES
from pickclutter_lang.results.intervals import Bootstrap
from pickclutter_lang.results.page import (
    PAGE_FILE,
    Card,
    Gallery,
    Item,
    Media,
    evenly_spaced,
    jpeg,
    run_details,
    write_page,
)
from pickclutter_lang.results.record import Record, number_at, read_record, write_trained
from pickclutter_lang.results.runs import TEACHER
from pickclutter_lang.results.scores import Cell, Place, Scores
from pickclutter_lang.results.tables import estimate_cell
from pickclutter_lang.training.config import RetrievalConfig
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table

SPACE_FILE, EXAMPLES = "space.npz", "examples"
"""`students` [n, D] of X_ood, `texts` [C, D] of Y_ood, `labels` [n] as rows of the latter; the folder of images."""
MOST_CLASSES, MOST_IMAGES = 10, 100
"""So many classes, and images of each, are in the former."""
EIGENVALUES = 10
"""So many are in Figure 4."""
_NEIGHBORS, _TEXTS = (3, 5, 10), (2, 3, 5)
_MOST_EXAMPLES, _SIDE = {"id": 6, "ood": 12}, 160
_STAGES = STAGE_TITLES | {TEACHER: "teacher"}
_CELLS = ("id", "ood", "all")

Accuracy = dict[str, float]


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
    choice: Mapping[str, float] = MappingProxyType({})

    @property
    def accuracy(self) -> Accuracy:
        """Mean accuracy of the classes, share of images that are right, number of images, the choice."""
        right = float((self.predicted == self.labels).double().mean())
        accuracy = mean_class_accuracy(self.predicted, self.labels)
        return {"accuracy": accuracy, "top1": right, "images": len(self.labels), **self.choice}


def evaluate_images(run: ImageRun) -> Record:
    """Evaluate every stage of a finished run, and write all of its files but the report; return the record.

    :raises CheckpointError: when a phase is not finished
    :raises LockedError: when another process is at work in its folder
    """
    with run.locked():
        return _evaluate(run)


def _evaluate(run: ImageRun) -> Record:
    start = time.perf_counter()
    closed_set = run.config.text.closed_set
    answers = {TEACHER: _teacher_answers(run)}
    metrics: dict[str, Any] = {TEACHER: {part: one.accuracy for part, one in answers[TEACHER].items()}}
    zero_shot, answers["zero_shot"] = _over_last_epochs(run, DISTILL, _answers)
    few_shot, answers["few_shot"] = _over_last_epochs(run, FEW_SHOT, _answers)
    if run.config.continual_split:
        metrics["continual"] = _continual(run)
    if not closed_set:
        metrics["retrieval"], answers["retrieval"] = _over_last_epochs(run, DISTILL, _retrieval)
    histories = {phase: run.load_weights(phase) for phase in run.phases}
    run.load_weights(DISTILL)
    students = {part: student_features(run.model, run.crops, getattr(run.split, part)) for part in ("train", "ood")}
    if closed_set:  # no output of it was trained on Y_ood
        answers["zero_shot"] = {"id": answers["zero_shot"]["id"]}
    texts = space_texts(run.config.text, run.data, run.split)
    metrics |= {
        "zero_shot": {part: None if closed_set and part != "id" else one for part, one in zero_shot.items()},
        "few_shot": few_shot,
        "features": {part: _features(run, part, students[part]) for part in ("train", "ood")},
        "text": _text_spaces(run, texts),
    }
    _save_space(run, students["ood"])
    _save_scores(run, answers)
    _save_examples(run, answers[FEW_SHOT])
    parameters = (p.numel() for name, p in run.model.student.named_parameters() if "local_head" not in name)
    values = {
        "report": run.report,
        "space_texts": {kind: digest(of) for kind, of in texts.items()},
        "parameters": sum(parameters),
        "metrics": metrics,
    }
    return write_trained(run, histories, time.perf_counter() - start, values)


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
    rows = {part: [one[part].accuracy for one in found] for part in found[0]}
    means = {part: {key: sum(row[key] for row in of) / len(of) for key in of[0]} for part, of in rows.items()}
    return means, found[0]


def _answers(run: ImageRun) -> dict[str, Answers]:
    """Return the student's answers for X_id, for X_ood, and for X_ood among the classes of both halves."""
    split, found = run.split, {}
    features = {part: student_features(run.model, run.crops, getattr(split, part)) for part in ("id", "ood")}
    for part, classes in (("id", split.seen), ("ood", split.unseen), ("all", (*split.seen, *split.unseen))):
        rows = "id" if part == "id" else "ood"
        text = run.model.text(classes).detach().cpu()
        found[part] = answers_of(features[rows], text, classes, run.labels[list(getattr(split, rows))])
    return found


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


def _teacher_answers(run: ImageRun) -> dict[str, Answers]:
    text, found = run.teacher_texts(), {}
    for part, classes in (("id", run.split.seen), ("ood", run.split.unseen)):
        rows = list(getattr(run.split, part))
        found[part] = answers_of(run.teacher_image_features[rows], text[list(classes)], classes, run.labels[rows])
    return found


def _continual(run: ImageRun) -> dict[str, Accuracy]:
    """Return the accuracies on the halves of Y_ood, before and after fine-tuning on the first (Table 11)."""
    found: dict[str, Accuracy] = {}
    for when, phase in (("before", DISTILL), ("after", CONTINUAL)):
        halves, _ = _over_last_epochs(run, phase, _half_answers)
        found |= {f"{half}_{when}": value for half, value in halves.items()}
    return found


def _half_answers(run: ImageRun) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    for half, classes in enumerate(run.unseen_halves, start=1):
        rows = [row for row in run.split.ood if int(run.labels[row]) in classes]
        if rows:
            features, text = student_features(run.model, run.crops, rows), run.model.text(classes).detach().cpu()
            found[f"ood{half}"] = Answers(run.labels[rows], nearest_class(features, text, classes))
    return found


def _retrieval(run: ImageRun) -> dict[str, Answers]:
    split, config = run.split, run.config
    queries, examples = (student_features(run.model, run.crops, rows) for rows in (split.ood, split.fewshot))
    keys = run.teacher_keys if config.retrieval.keys == "teacher" else examples[:, None]
    text = run.model.text(split.unseen).detach().cpu()
    labels = _places(run.labels[list(split.fewshot)], split.unseen)
    places, choice = retrieve(config.retrieval, queries, examples, keys, labels, text, config.objective.temperature)
    tuned = {"alpha": choice.alpha, "beta": choice.beta, "leave_one_out_accuracy": choice.score}
    return {"ood": Answers(run.labels[list(split.ood)], torch.tensor(split.unseen)[places], choice=tuned)}


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
    views, cached = keys.shape[1], keys.flatten(0, 1)
    one_hot = functional.one_hot(labels, len(text)).to(keys.dtype)
    values = one_hot.repeat_interleave(views, dim=0)
    owners = torch.arange(len(labels)).repeat_interleave(views)
    scale = 1 / (config.temperature or temperature)

    def leave_one_out(beta: float) -> Tensor:
        own = owners == torch.arange(len(labels))[:, None]
        others = cache_logits(examples, cached, values, beta=beta, excluded=own)
        return others * (1 + one_hot / (one_hot.sum(dim=0) - 1).clamp(min=1))  # its class has one fewer to vote

    choice = tune_cache(
        config.alpha,
        config.beta,
        scale * functional.normalize(examples, dim=1) @ text.T,
        leave_one_out,
        lambda logits: mean_class_accuracy(logits.argmax(dim=1), labels),
    )
    logits = scale * functional.normalize(queries, dim=1) @ text.T
    logits = logits + choice.alpha * cache_logits(queries, cached, values, beta=choice.beta)
    return logits.argmax(dim=1), choice


def _places(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return the index of each label [M] in `classes`."""
    index_of = {number: n for n, number in enumerate(classes)}
    return torch.tensor([index_of[int(label)] for label in labels])


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


class TextSpace(TypedDict):
    """Mean cosine of all pairs of texts (Table 6), and the largest eigenvalues in descending order (Figure 4)."""

    cosine: float
    eigenvalues: list[float]


def text_statistics(features: NDArray[np.floating[Any]]) -> TextSpace:
    """Return how near texts are to each other and in how many directions they differ.

    What the paper calls eigenvalues are singular values: of the features after their mean is taken away.

    :param features: [C, D], C at least 2: L2-normalized features of a text for each class, or for captions the mean of
        a class's, which is not normalized again
    :return: `eigenvalues` has 10 or min(C, D) values
    :raises InvalidArgumentError: on other shapes, and for a feature that is zero or not finite
    """
    if features.ndim != 2 or len(features) < 2:
        raise InvalidArgumentError(f"expected features [C, D] of at least two classes, but got {list(features.shape)}")
    rows = features.astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(rows).all() or not lengths.all():
        raise InvalidArgumentError("expected finite features of a length above 0, but some are not")
    total = (rows / lengths).sum(axis=0)
    count = len(rows)
    cosine = (total @ total - count) / (count * (count - 1))  # all ordered pairs but those of a text with itself
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    return {"cosine": float(cosine), "eigenvalues": [float(value) for value in values[:EIGENVALUES]]}


def _text_spaces(run: ImageRun, texts: Mapping[str, list[str]]) -> dict[str, TextSpace]:
    """Return the statistics of Table 6 and Figure 4 for names, descriptions and captions of Y_ood, if there are any.

    Texts that are too long for the teacher are cut: a run that does not use the descriptions need not fail for one.
    """
    spaces = {}
    for kind, of_kind in texts.items():
        features = run.teacher.encode_text(of_kind, truncate=True).cpu()
        if kind == "captions":
            labels = run.labels[list(run.split.ood)]
            features = torch.stack([features[labels == n].mean(dim=0) for n in run.split.unseen])
        spaces[kind] = text_statistics(features.numpy())
    return spaces


def _save_space(run: ImageRun, students: Tensor) -> None:
    """Save some of the zero-shot student's features of X_ood, and the texts of Y_ood, for Figure 2b."""
    text = run.model.text(run.split.unseen).detach().cpu()
    labels = _places(run.labels[list(run.split.ood)], run.split.unseen)
    rows = torch.cat([(labels == n).nonzero()[:MOST_IMAGES, 0] for n in range(min(len(text), MOST_CLASSES))])
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
    names, ids = [item.name for item in run.data.classes], run.data.images.ids
    cells: dict[Place, Cell] = {}
    for stage, parts in answers.items():
        for part, one in parts.items():
            rows = run.split.id if part == "id" else run.split.ood
            cells[stage, part] = Cell.of_answers(
                [ids[row] for row in rows],
                names,
                one.labels.tolist(),
                one.predicted.tolist(),
                own=None if one.own is None else one.own.numpy(),
                others=None if one.others is None else one.others.numpy(),
                nearest=None if one.nearest is None else one.nearest.tolist(),
                source=run.data.images.content_hash,
            )
    Scores.of_cells(cells, [names[n] for n in run.split.unseen]).save(run.folder)


def _save_examples(run: ImageRun, answers: Mapping[str, Answers]) -> None:
    """Save small images of some answers of the few-shot student, right and wrong ones."""
    ensure_dir(run.folder / EXAMPLES)
    for part, most in _MOST_EXAMPLES.items():
        rows, right = getattr(run.split, part), answers[part].predicted == answers[part].labels
        groups = [mask.nonzero()[:, 0].tolist() for mask in (right, ~right)]
        chosen = [group[n] for group in groups for n in evenly_spaced(len(group), most)]
        for number, pixels in zip(chosen, run.data.images.load([rows[n] for n in chosen]), strict=True):
            atomic_write(run.folder / EXAMPLES / f"{part}_{number}.jpg", jpeg(pixels, _SIDE).data)


def write_report(run: str | Path) -> Path:
    """Write `report.html` into the folder of a run, from its record, scores and examples; return its path.

    :raises CheckpointError: when one of them is missing or damaged
    :raises LockedError: when another process is at work in the folder
    """
    folder = Path(run)
    record, scores = read_record(folder, "images"), Scores.load(folder)
    accuracies = class_accuracies(scores, FEW_SHOT)
    bars = {"few-shot": {name: Interval(value, value, value) for name, value in accuracies.items()}}
    shown: dict[str, Figure | Gallery] = {
        "curves.png": draw_curves({record["name"]: record["history"]}),
        "classes.png": draw_bars(bars, {"few-shot": scores.unseen}, "accuracy, %"),
        "images.png": _gallery(scores, folder),
    }
    with dir_lock(folder):
        return write_page(folder / PAGE_FILE, "\n\n".join(_sections(record, scores)), shown, run_details(record))


def class_accuracies(scores: Scores, stage: str) -> dict[str, float]:
    """Return the accuracy of each class among the classes of its half: first those of Y_id, best first."""
    found: dict[str, float] = {}
    for part in ("id", "ood"):
        if (stage, part) in scores.places:
            accuracies = scores.cell(stage, part).by_label("recall")
            found |= dict(sorted(accuracies.items(), key=lambda item: -item[1]))
    return found


def student_name(record: Record) -> str:
    """Return the name of the student, and whether it was trained before."""
    student = record["config"]["student"]
    return f"{student['name']}, pretrained" if student.get("pretrained") else str(student["name"])


def _sections(record: Record, scores: Scores) -> Iterator[str]:
    data, notes = record["data"], record.get("report", "").splitlines()[1:]
    seen, unseen = len(data["seen"]), len(data["unseen"])
    yield f"# A student of {data['name']}"
    yield (
        f"Run `{record['name']}`: student {student_name(record)} with {record['parameters'] / 1e6:.1f} million "
        f"parameters, teacher `{record['teacher']['name']}`. {data['train']} training, {data['id']} X_id, "
        f"{data['ood']} X_ood and {data['fewshot']} few-shot images. Seed {record['seed']}, revision "
        f"{record['git_revision']}."
    )
    yield "\n".join(notes)
    yield "![Training curves](curves.png)\n\n## Results"
    yield (
        "Mean accuracy of the classes, in percent, ± half of the 95% interval over images and classes (bootstrap). "
        "Other seeds are not covered. `chance` is a guess without an image."
    )
    rows = [
        [title, *(_accuracy_cell(record, scores, stage, part) for part in _CELLS)] for stage, title in _STAGES.items()
    ]
    rows.append(["chance", *(f"{100 / n:.1f}" if n else "NA" for n in (seen, unseen, seen + unseen))])
    yield markdown_table(["", *(TITLES[part] for part in _CELLS)], rows)
    yield "## Each class\n\nFew-shot; a star marks classes of Y_ood.\n\n![Accuracy of each class](classes.png)"
    yield (
        "## Images\n\nSome images that the few-shot student names rightly, and some that it does not: up to 6 of each "
        "of X_id, and 12 of X_ood. They do not show how often it is right.\n\n![Images](images.png)"
    )


def _accuracy_cell(record: Record, scores: Scores, stage: str, part: str) -> str:
    """Return the accuracy of a stage for a part, in percent, with its interval."""
    value = number_at(record, f"{stage}.{part}.accuracy")
    if value is None or (stage, part) not in scores.places:
        return ""
    cell = scores.cell(stage, part).with_positives()
    found = Bootstrap.of_runs(cell.targets, {"": cell.run_scores}).estimate("", "recall")
    return estimate_cell(found and found._replace(mean=value))


def _gallery(scores: Scores, folder: Path) -> Gallery:
    """Return a card for each example image, with what each stage answers."""
    cells = {place: scores.cell(*place) for place in scores.places}
    cards = []
    for path in sorted((folder / EXAMPLES).glob("*.jpg")):
        rows, _, number = path.stem.partition("_")
        items = [
            _item(cell, int(number), stage, part)
            for (stage, part), cell in cells.items()
            if (part == "id") == (rows == "id")
        ]
        title = cells[FEW_SHOT, rows].items[int(number)]
        cards.append(Card(title, Media("image/jpeg", path.read_bytes()), items))
    return Gallery(cards, small=True)


def _item(cell: Cell, number: int, stage: str, part: str) -> Item:
    name, answer = (cell.labels[int(of[number].argmax())] for of in (cell.targets, cell.predicted))
    right = name == answer
    facets = {"class": name, "asked": TITLES[part], "answer": "right" if right else "wrong", "stage": _STAGES[stage]}
    return Item(f"{_STAGES[stage]}, {TITLES[part]}: {answer}", facets, tone="right" if right else "wrong")
