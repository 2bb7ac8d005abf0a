"""What a student and its teacher answer for each image, saved beside a result, from which its report is made."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.images.image_task import nearest_class_features
from pickclutter_lang.experiments.stages import FEW_SHOT
from pickclutter_lang.reports.gallery import evenly_spaced, jpeg
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.json_files import Text, read_json

if TYPE_CHECKING:
    from pickclutter_lang.experiments.images.image_run import ImageRun

ANSWERS_FILE, EXAMPLES = "answers.json.gz", "examples"
PARTS = {"id": "Y_id on X_id", "ood": "Y_ood on X_ood", "all": "all on X_ood"}
"""Part -> its title; `all`: images of X_ood among the classes of both halves."""
_MOST = {"id": 6, "ood": 12}
"""Of X_id and X_ood: so many images of right and of wrong answers are kept as examples."""
_SIDE = 160


class Answers(NamedTuple):
    """Classes [N] of images and classes [N] that are answered, as indices of the data set.

    `own` and `others` [N]: cosines to the text of the own class, and to the nearest of the others. `choice`: what was
    tuned.
    """

    labels: Tensor
    predicted: Tensor
    own: Tensor | None = None
    others: Tensor | None = None
    choice: Mapping[str, float] = MappingProxyType({})


class Answer(TypedDict):
    """The answers of a stage for a part, with 4 digits; see `Answers`."""

    predicted: list[int]
    own: list[float] | None
    others: list[float] | None


class _Images(TypedDict):
    images: list[str]
    labels: list[int]
    examples: list[int]


class _Content(TypedDict):
    classes: list[Text]
    unseen: list[int]
    images: dict[str, _Images]
    stages: dict[str, dict[str, Answer]]


@dataclass(frozen=True)
class SavedAnswers:
    """Answers of a run: names of classes, and which are unseen; images of `id` and `ood`; stage -> part -> answers."""

    classes: list[str]
    unseen: list[int]
    images: dict[str, _Images]
    stages: dict[str, dict[str, Answer]]

    @property
    def unseen_names(self) -> set[str]:
        """Names of the classes of Y_ood."""
        return {self.classes[n] for n in self.unseen}

    def of(self, part: str) -> _Images:
        """Return the images of a part."""
        return self.images["id" if part == "id" else "ood"]

    def right(self, stage: str, part: str) -> list[bool]:
        """Return for each image whether its answer is right."""
        pairs = zip(self.stages[stage][part]["predicted"], self.of(part)["labels"], strict=True)
        return [predicted == label for predicted, label in pairs]

    def class_counts(self, stage: str, part: str) -> dict[str, tuple[int, int]]:
        """Return class -> right answers and images of it."""
        found: dict[str, tuple[int, int]] = {}
        for label, hit in zip(self.of(part)["labels"], self.right(stage, part), strict=True):
            hits, count = found.get(self.classes[label], (0, 0))
            found[self.classes[label]] = hits + hit, count + 1
        return found


def answers_of(features: Tensor, text: Tensor, classes: Sequence[int], labels: Tensor) -> Answers:
    """Return the classes whose text is nearest to each feature.

    :param features: [N, D]
    :param text: [C, D] unit features of `classes`
    :param labels: [N] classes of the images, each out of `classes`
    """
    cosines = functional.normalize(features.float(), dim=1) @ text.float().T
    true = labels[:, None] == torch.tensor(list(classes))
    others = cosines.masked_fill(true, -1.0).amax(dim=1)
    return Answers(labels, nearest_class_features(features, text, classes), cosines[true], others)


def save_answers(run: ImageRun, stages: Mapping[str, Mapping[str, Answers]]) -> None:
    """Write the answers into the folder of a run, and small images of some that are right and wrong after few shots.

    :param stages: stage (or the teacher) -> part -> answers
    """
    images: dict[str, _Images] = {}
    ensure_dir(run.folder / EXAMPLES)
    for part, most in _MOST.items():
        rows, found = getattr(run.split, part), stages[FEW_SHOT][part]
        right = found.predicted == found.labels
        chosen = [some[n] for some in map(_rows, (right, ~right)) for n in evenly_spaced(len(some), most)]
        for number, pixels in zip(chosen, run.data.images.load([rows[n] for n in chosen]), strict=True):
            atomic_write(example_path(run.folder, part, number), jpeg(pixels, _SIDE).data)
        ids = [run.data.images.ids[row] for row in rows]
        images[part] = {"images": ids, "labels": found.labels.tolist(), "examples": chosen}
    saved = {stage: {part: _plain(one) for part, one in parts.items()} for stage, parts in stages.items()}
    content: _Content = {
        "classes": [item.name for item in run.data.classes],
        "unseen": [*run.split.unseen],
        "images": images,
        "stages": saved,
    }
    atomic_write(run.folder / ANSWERS_FILE, gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0))


def example_path(folder: Path, part: str, number: int) -> Path:
    """Return where an example of a run lies: image `number` of `id` or `ood`."""
    return folder / EXAMPLES / f"{part}_{number}.jpg"


def load_answers(folder: Path) -> SavedAnswers | None:
    """Read the answers of a run; None for one from before they were saved.

    :raises CheckpointError: when they are damaged
    """
    path = folder / ANSWERS_FILE
    if not path.exists():
        return None
    remedy = "delete it and result.json, and run the same command again: a finished run is only evaluated"
    found = read_json(path, _Content, CheckpointError, remedy, limit=2**30)
    saved = SavedAnswers(found["classes"], found["unseen"], found["images"], found["stages"])
    try:
        _check(saved)
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}); {remedy}") from error
    return saved


def _check(saved: SavedAnswers) -> None:
    """Raise ValueError where numbers of images, or indices of classes and images, do not fit."""
    if set(saved.images) != set(_MOST) or set(saved.stages.get(FEW_SHOT, ())) != set(PARTS):
        raise ValueError(f"expected images of {', '.join(_MOST)}, and answers of {FEW_SHOT} for {', '.join(PARTS)}")
    indices = [*saved.unseen, *(n for of in saved.images.values() for n in of["labels"])]
    for part, answer in ((part, one) for parts in saved.stages.values() for part, one in parts.items()):
        if part not in PARTS:
            raise ValueError(f"expected parts of {', '.join(PARTS)}, but got {part!r}")
        _check_answer(part, answer, saved.of(part))
        indices += answer["predicted"]
    if any(not 0 <= n < len(saved.classes) for n in indices):
        raise ValueError(f"expected indices of {len(saved.classes)} classes")
    if any(not 0 <= n < len(of["labels"]) for of in saved.images.values() for n in of["examples"]):
        raise ValueError("expected examples out of the images")


def _check_answer(part: str, answer: Answer, images: _Images) -> None:
    scores = [values for values in (answer["own"], answer["others"]) if values is not None]
    if len(scores) == 1 or any(not -2 < value < 2 for values in scores for value in values):
        raise ValueError(f"expected own and others of {part} to be cosines, or both null")
    count = len(images["images"])
    rows: list[Sequence[float]] = [images["labels"], answer["predicted"], *scores]
    if not count or any(len(of) != count for of in rows):
        raise ValueError(f"expected as many answers as images of {part}, and some")


def _rows(mask: Tensor) -> list[int]:
    found: list[int] = mask.nonzero()[:, 0].tolist()
    return found


def _plain(answers: Answers) -> Answer:
    own, others = (
        None if values is None else [float(f"{value:.4g}") for value in values.tolist()]
        for values in (answers.own, answers.others)
    )
    return {"predicted": answers.predicted.tolist(), "own": own, "others": others}
