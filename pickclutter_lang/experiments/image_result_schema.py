"""What reports and sweeps read of the `result.json` of a run on single images; other keys may be there, and stay."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from pickclutter_lang.experiments.result_schema import Count, LossRow, Number, RunConfig, RunResult
from pickclutter_lang.utils.json_files import Text


class _Texts(TypedDict):
    descriptions: str | None


class _ImageConfig(RunConfig):
    data: dict[str, Any]
    text: _Texts


class _ImageData(TypedDict):
    name: Text
    content: str
    seen: list[Text]
    unseen: list[Text]
    train: Count
    id: Count
    ood: Count
    fewshot: Count


class _ImageValidation(TypedDict):
    accuracy: float


class _ImageRow(LossRow, total=False):
    validation: _ImageValidation | None


class _Accuracy(TypedDict):
    accuracy: Number


class _TeacherAccuracies(TypedDict):
    id: _Accuracy
    ood: _Accuracy


class _StageAccuracies(TypedDict):
    id: _Accuracy
    ood: _Accuracy | None
    all: _Accuracy | None


class _Retrieved(TypedDict):
    ood: _Accuracy


class _Features(TypedDict):
    mse: Number
    degrees: Number
    relative_match: Number
    neighbour_overlap: dict[str, Number]
    alignment_inversions: dict[str, Number]


class _FeatureParts(TypedDict):
    train: _Features
    ood: _Features


class _TextSpace(TypedDict):
    cosine: Number
    eigenvalues: list[float]


class _GivenMeasures(TypedDict):
    teacher: _TeacherAccuracies
    zero_shot: _StageAccuracies
    few_shot: _StageAccuracies
    features: _FeatureParts


class _Measures(_GivenMeasures, total=False):
    retrieval: _Retrieved | None
    continual: dict[str, _Accuracy]
    text: dict[str, _TextSpace] | None


class _GivenImageResult(RunResult):
    config: _ImageConfig
    data: _ImageData
    history: Annotated[dict[str, Annotated[list[_ImageRow], Meta(min_length=1)]], Meta(min_length=1)]
    metrics: _Measures
    space_texts: dict[str, str]


class ImageResult(_GivenImageResult, total=False):
    """A result on single images."""

    report: str
    precision: Text
