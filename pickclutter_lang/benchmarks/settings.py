"""The settings of a run on single pictures. Their values live in `configs/`; here are their types."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pickclutter_lang.distillation import PICTURE_TERMS
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.pictures import PictureSettings
from pickclutter_lang.training.config import FewShotSettings, PhaseSettings, StudentSettings, TeacherSettings
from pickclutter_lang.training.ranges import above, at_least, one_of, within

_PLACES = ("out", "threads", "device", "num_workers", "seed")
_FILES = ("root", "cache", "views", "lists", "captions", "classes", "descriptions")


@dataclass
class ViewSettings:
    """How a picture is shown in training, drawn for each picture and epoch.

    A crop has between `smallest` and all of the picture's area (torchvision's RandomResizedCrop); `flip` mirrors half
    of them; `rand_augment` is torchvision's RandAugment(2, 9). With `crops` above 0 a picture has so many fixed crops,
    and the teacher's feature is of the very crop; with 0 every crop is new and the teacher sees the whole picture, as
    in the paper's program.
    """

    smallest: float
    flip: bool
    rand_augment: bool
    crops: int

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        within("views.smallest", self.smallest, 0.01, 1.0)
        at_least("views.crops", self.crops, 0)


@dataclass
class TextSettings:
    """What stands for a class (section 5).

    `template` takes `{name}`; `described` takes `{description}` too and is used where there are `descriptions`: null
    for none, `own` for those of the data set or of the file `data.descriptions`, the path of a file, or a style, which
    is the file `<style>.json` in the folder `styles`, or without one the package's own of its 26 objects (see
    `language.descriptions.read_descriptions`).
    With `tokens` above 0 so many context vectors are learned in the template's place (CoOp), from the words `context`
    on; behind them stands `{name} . {description}`. A text that is too long for the teacher is an error unless it may
    be cut (`truncate`). With `closed_set` a class is a learned vector and no text at all.
    """

    template: str
    described: str
    descriptions: str | None
    styles: str | None
    tokens: int
    context: str | None
    truncate: bool
    closed_set: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for key, parts in (("template", ("{name}",)), ("described", ("{name}", "{description}"))):
            text = getattr(self, key)
            try:
                text.format(name="", **({} if key == "template" else {"description": ""}))
                fits = all(part in text for part in parts)
            except (KeyError, IndexError, ValueError):
                fits = False
            if not fits:
                raise InvalidArgumentError(
                    f"expected text.{key} with {' and '.join(parts)} in it and no other braces, but got {text!r}"
                )
        at_least("text.tokens", self.tokens, 0)
        if self.closed_set and (self.tokens or self.descriptions):
            raise InvalidArgumentError(
                "expected a closed set without text.tokens and text.descriptions: it has no text"
            )


@dataclass
class PictureObjectiveSettings:
    """Weights of the terms and their parameters; see `pickclutter_lang.distillation.PictureObjective`."""

    cls: float
    mse: float
    im_cst: float
    vlprox: float
    cap: float
    temperature: float
    similarity: str
    top_k: int
    filter_vlprox: bool
    filter_im_cst: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for name in PICTURE_TERMS:
            at_least(f"objective.{name}", getattr(self, name), 0.0)
        if not any(getattr(self, name) for name in PICTURE_TERMS):
            raise InvalidArgumentError(
                "expected a loss with a weight, such as objective.cls=1 objective.im_cst=1; "
                f"there are {', '.join(PICTURE_TERMS)}"
            )
        above("objective.temperature", self.temperature, 0.0)
        one_of("objective.similarity", self.similarity, ("squared_distance", "cosine"))
        at_least("objective.top_k", self.top_k, 1)


@dataclass
class BenchmarkSettings:
    """A run: distillation on X_train (`distill`), then fine-tuning on the few-shot pictures of Y_ood (`fewshot`).

    `name` is the row of a table that the settings make. An epoch goes `repeats` times over X_train. `image_size` is
    the side of the pictures that the student sees; evaluation shows the middle `centre` pixels of what is kept (null:
    all). Accuracies are means of those of the `last_epochs` of a phase.
    `continual` adds a phase that is fine-tuned on half of Y_ood alone (Table 11). `precision`, `threads` and `device`
    are as in `TrainSettings`; `num_workers` processes cut and change pictures ahead of the training (0: none), which
    changes no result.
    """

    name: str
    data: PictureSettings
    image_size: int
    centre: int | None
    views: ViewSettings
    teacher: TeacherSettings
    student: StudentSettings
    text: TextSettings
    objective: PictureObjectiveSettings
    distill: PhaseSettings
    fewshot: FewShotSettings
    repeats: int
    last_epochs: int
    continual: bool
    precision: str
    seed: int
    threads: int | None
    num_workers: int
    device: str
    out: str

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        for part in (self.data, self.views, self.student, self.text, self.objective):
            part.validate()
        self.distill.validate("distill")
        self.fewshot.validate("fewshot")
        at_least("image_size", self.image_size, 16)
        at_least("repeats", self.repeats, 1)
        within("last_epochs", self.last_epochs, 1, min(self.distill.epochs, self.fewshot.epochs))
        one_of("precision", self.precision, ("auto", "float32", "bfloat16"))
        at_least("seed", self.seed, 0)
        at_least("num_workers", self.num_workers, 0)
        if self.centre is not None:
            within("centre", self.centre, 16, self.data.side)
        if self.threads is not None:
            at_least("threads", self.threads, 1)
        if self.text.closed_set and [name for name in PICTURE_TERMS if getattr(self.objective, name)] != ["cls"]:
            raise InvalidArgumentError("expected objective.cls alone with text.closed_set=true: nothing is distilled")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as nested JSON values."""
        return asdict(self)


def own_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a run apart from its seed, from where things lie, and from on what it is computed.

    :param config: `BenchmarkSettings.as_dict()`; the content of the data and of the teacher is compared by its hash
    """
    own: dict[str, Any] = copy.deepcopy({key: value for key, value in config.items() if key not in _PLACES})
    for key in _FILES:
        own["data"].pop(key, None)
    for key in ("cache", "checkpoint"):
        own["teacher"].pop(key, None)
    own["student"].pop("recompute", None)
    for key in ("styles", "truncate"):  # a text that must be cut is an error without the latter, so no result differs
        own["text"].pop(key, None)
    return own
