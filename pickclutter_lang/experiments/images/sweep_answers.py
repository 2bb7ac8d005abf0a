"""Answers of a sweep over single images in one small file, from which the intervals of its accuracies are computed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.images.image_answers import ANSWERS_FILE, SavedAnswers, load_answers
from pickclutter_lang.experiments.sweeps.intervals import Scores
from pickclutter_lang.experiments.sweeps.sweep_results import TEACHER, Replicate
from pickclutter_lang.metrics.bootstrap import RunScores, SplitScores
from pickclutter_lang.metrics.weighted import Bools
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.json_files import Text, read_json

SWEEP_ANSWERS_FILE = "sweep_answers.json.gz"
_AGAIN = "run the command that wrote it again"


class _Part(TypedDict):
    images: list[str]
    labels: list[int]


class _Split(TypedDict):
    classes: list[Text]
    parts: dict[str, _Part]


class _Run(TypedDict):
    method: str
    object_split: int
    seed: int
    stages: dict[str, dict[str, list[int]]]


class SweepAnswers(TypedDict):
    """Split of the classes -> their names, and images and labels of `id` and `ood`; of each run what it answers.

    A label, or an answer, is an index of the classes. An answer for the part `all` is one for the images of `ood`. The
    teacher is a run too.
    """

    splits: dict[str, _Split]
    runs: list[_Run]


class Decisions(NamedTuple):
    """Names [C] of the classes that images show, which image shows which, [N, C], and the scores of a run.

    Its decisions [N, 1] say which answers are right. That is all that a recall counts, in any number of classes.
    """

    classes: list[str]
    targets: Bools
    scores: RunScores


def collect_answers(
    folders: Mapping[tuple[str, Replicate], Path], teacher: Iterable[tuple[str, Replicate]]
) -> SweepAnswers | None:
    """Return the answers of all runs of a sweep; None where one has none.

    :param folders: name and replicate of each run -> its folder
    :param teacher: runs whose answers of the teacher count
    :raises CheckpointError: when answers are damaged
    :raises MismatchError: when runs of one split of the classes were evaluated on other images
    """
    splits: dict[str, _Split] = {}
    runs, of_teacher = list[_Run](), list[_Run]()
    shown = set(teacher)
    for (name, replicate), folder in folders.items():
        saved = load_answers(folder)
        if saved is None:
            return None
        split = _split_of(saved)
        if splits.setdefault(str(replicate.object_split), split) != split:
            raise MismatchError(
                f"expected runs of class split {replicate.object_split} on the same images, but {folder} has others; "
                "delete its result.json, and run the command again: it is only evaluated"
            )
        runs.append(_run_of(name, replicate, saved, teacher=False))
        if (name, replicate) in shown:
            of_teacher.append(_run_of(TEACHER, replicate, saved, teacher=True))
    return {"splits": splits, "runs": [*runs, *of_teacher]} if runs else None


def lack_answers(folders: Iterable[Path]) -> list[Path]:
    """Return those of some runs that are of a version which saved no answers."""
    return [folder for folder in folders if not (folder / ANSWERS_FILE).is_file()]


def write_answers(path: Path, answers: SweepAnswers) -> None:
    """Write answers, compressed."""
    content = json.dumps(answers, separators=(",", ":")).encode()
    atomic_write(path, gzip.compress(content, mtime=0))


def read_answers(path: Path) -> SweepAnswers:
    """Read what `write_answers` wrote.

    :raises CheckpointError: when the file is missing or damaged
    """
    return read_json(path, SweepAnswers, CheckpointError, _AGAIN, limit=2**30)


def scores_of(answers: SweepAnswers, where: Path) -> Scores:
    """Return the decisions of all runs for each image, by stage and part.

    :param where: file or folder that an error names
    :raises CheckpointError: when numbers of images, or indices of classes, do not fit
    """
    runs: dict[str, dict[int, dict[str, dict[tuple[int, int], RunScores]]]] = {}
    shared: dict[str, dict[int, SplitScores]] = {}
    try:
        for run in answers["runs"]:
            number = run["object_split"]
            split = answers["splits"][str(number)]
            for place, part, predicted in _answers_of(run):
                images = split["parts"]["id" if part == "id" else "ood"]
                found = decisions(split["classes"], images["labels"], predicted)
                own = runs.setdefault(place, {}).setdefault(number, {}).setdefault(run["method"], {})
                own[run["seed"], 0] = found.scores
                shared.setdefault(place, {}).setdefault(
                    number, SplitScores(found.targets, {}, tuple(images["images"]), tuple(found.classes))
                )
                if len(images["images"]) != len(predicted):
                    raise ValueError(f"expected ids of {len(predicted)} images, but got {len(images['images'])}")
    except KeyError as error:
        raise CheckpointError(f"{where} is damaged (it lacks the images of {error}); {_AGAIN}") from error
    except ValueError as error:
        raise CheckpointError(f"{where} is damaged ({error}); {_AGAIN}") from error
    return {
        place: {
            number: SplitScores(one.targets, runs[place][number], one.scenes, one.classes)
            for number, one in splits.items()
        }
        for place, splits in shared.items()
    }


def decisions(classes: Sequence[str], labels: Sequence[int], predicted: Sequence[int]) -> Decisions:
    """Return which images show each class, and which answers are right.

    A class without an image is left out: it has no accuracy.

    :param classes: names
    :param labels: indices [N] of the classes that images show
    :param predicted: indices [N] of the classes that are answered
    :raises ValueError: when lengths differ, or an index is that of no class
    """
    if len(labels) != len(predicted):
        raise ValueError(f"expected an answer for each of {len(labels)} images, but got {len(predicted)}")
    if any(not 0 <= n < len(classes) for n in (*labels, *predicted)):
        raise ValueError(f"expected indices of {len(classes)} classes")
    shown = sorted(set(labels))
    names = [classes[n] for n in shown]
    true, answered = np.array(labels), np.array(predicted)
    return Decisions(names, true[:, None] == shown, RunScores(np.zeros((1, 1)), (true == answered)[:, None]))


def _answers_of(run: _Run) -> Iterable[tuple[str, str, list[int]]]:
    """Yield stage and part, joined as in a measure, the part, and the answers."""
    for stage, parts in run["stages"].items():
        for part, predicted in parts.items():
            yield f"{stage}.{part}", part, predicted


def _split_of(saved: SavedAnswers) -> _Split:
    parts: dict[str, _Part] = {
        part: {"images": list(of["images"]), "labels": list(of["labels"])} for part, of in saved.images.items()
    }
    return {"classes": list(saved.classes), "parts": parts}


def _run_of(name: str, replicate: Replicate, saved: SavedAnswers, teacher: bool) -> _Run:
    """Return the answers of a run: those of its student, or those of its teacher."""
    stages = {
        stage: {part: answer["predicted"] for part, answer in parts.items()}
        for stage, parts in saved.stages.items()
        if (stage == TEACHER) == teacher
    }
    return {"method": name, "object_split": replicate.object_split, "seed": replicate.seed, "stages": stages}
