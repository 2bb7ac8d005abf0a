"""What reports, comparisons and sweeps read of a `result.json`; other keys may be there, and stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from pickclutter_lang.training.checkpoint_state import DescriptionEntry, HistoryRow
from pickclutter_lang.utils.json_files import Text, check_json

_Number = float | None
"""None: JSON has no NaN."""
_Count = Annotated[int, Meta(ge=0)]
_NOT_LOSSES = ("phase", "validation")


class ResultHead(TypedDict):
    """What tells the version of a result."""

    schema: int


class _Teacher(TypedDict):
    name: Text
    fingerprint: Text


class _Result(ResultHead):
    """What the results of all runs have."""

    name: Text
    seed: _Count
    teacher: _Teacher
    git_revision: str | None
    parameters: _Count
    peak_memory_mb: float
    seconds: dict[str, float]


class _Student(TypedDict):
    name: Text


class _GivenConfig(TypedDict):
    student: _Student


class _Config(_GivenConfig, total=False):
    """Groups of settings that are compared key by key; earlier versions lack some."""

    teacher: dict[str, Any]
    objective: dict[str, Any]
    distill: dict[str, Any]
    few_shot: dict[str, Any]
    retrieval: dict[str, Any]
    crop_classifier: dict[str, Any] | None
    crops: dict[str, Any]


class _SceneData(TypedDict):
    target_label: str
    cameras: list[str]
    depth: bool
    image_size: int


class _GivenPrompts(TypedDict):
    descriptions: str | None


class _Prompts(_GivenPrompts, total=False):
    extra_descriptions: list[str]


class _GivenSceneConfig(_Config):
    selection_metric: Literal["map", "f1"]
    data: _SceneData
    prompts: _Prompts


class _SceneConfig(_GivenSceneConfig, total=False):
    method: str | None


class _Validation(TypedDict):
    map: _Number
    f1: _Number
    accuracy: _Number


class _LossRow(HistoryRow):
    loss: _Number


class _ValidatedRow(_LossRow):
    validation: _Validation


class _CropValidation(TypedDict, total=False):
    accuracy: _Number


class _CropRow(_LossRow, total=False):
    validation: _CropValidation


class _SceneHistory(TypedDict):
    distill: Annotated[list[_ValidatedRow], Meta(min_length=1)]
    few_shot: Annotated[list[_LossRow], Meta(min_length=1)]


class _SceneHistories(_SceneHistory, total=False):
    crop_classifier: list[_CropRow]


class _Scores(TypedDict):
    accuracy: _Number
    f1: _Number
    precision: _Number
    recall: _Number
    map: _Number


class _ClassScores(TypedDict):
    average_precision: _Number
    f1: _Number
    precision: _Number
    recall: _Number
    support: _Count


class _Cell(TypedDict):
    model: _Scores
    model_at_half: _Scores
    model_matched_fpr: _Scores
    always_no: _Scores
    always_yes: _Scores
    label_frequency: _Scores
    classes: dict[Text, _ClassScores]


class _Stage(TypedDict):
    id_threshold: float
    id_on_id: _Cell
    id_on_ood: _Cell
    ood_on_ood: _Cell
    all_on_ood: _Cell


class _GivenStages(TypedDict):
    zero_shot: _Stage
    few_shot: _Stage


class _Stages(_GivenStages, total=False):
    retrieval: _Stage


class _Scenes(TypedDict):
    scenes: _Count
    content: str


class _GivenStores(TypedDict):
    train: _Scenes
    id: _Scenes
    ood: _Scenes
    fewshot: _Scenes


class _Stores(_GivenStores, total=False):
    unlabeled: _Scenes


class _GivenSceneResult(_Result):
    config: _SceneConfig
    data: _Stores
    history: _SceneHistories
    metrics: _Stages


class SceneResult(_GivenSceneResult, total=False):
    """A result on scenes."""

    object_split: _Count
    few_shot_draw: _Count
    descriptions: dict[str, DescriptionEntry]


class _Texts(TypedDict):
    descriptions: str | None


class _ImageConfig(_Config):
    data: dict[str, Any]
    text: _Texts


class _ImageData(TypedDict):
    name: Text
    content: str
    seen: list[Text]
    unseen: list[Text]
    train: _Count
    id: _Count
    ood: _Count
    fewshot: _Count


class _ImageValidation(TypedDict):
    accuracy: float


class _ImageRow(_LossRow, total=False):
    validation: _ImageValidation | None


class _Accuracy(TypedDict):
    accuracy: _Number


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
    mse: _Number
    degrees: _Number
    relative_match: _Number
    neighbour_overlap: dict[str, _Number]
    alignment_inversions: dict[str, _Number]


class _FeatureParts(TypedDict):
    train: _Features
    ood: _Features


class _TextSpace(TypedDict):
    cosine: _Number
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


class _GivenImageResult(_Result):
    config: _ImageConfig
    data: _ImageData
    history: Annotated[dict[str, Annotated[list[_ImageRow], Meta(min_length=1)]], Meta(min_length=1)]
    metrics: _Measures
    space_texts: dict[str, str]


class ImageResult(_GivenImageResult, total=False):
    """A result on single images."""

    report: str


def check_result(result: Mapping[str, Any], kind: str) -> None:
    """Check what is read of a result of the current schema.

    :param kind: `scenes` or `images`
    :raises ValueError: saying which key is wrong
    """
    if kind == "scenes":
        _check_classes(check_json(result, SceneResult)["metrics"])
    else:
        check_json(result, ImageResult)
    for phase, rows in result["history"].items():
        _check_losses(f"$.history.{phase}", rows)


def _check_classes(metrics: Mapping[str, Any]) -> None:
    """Raise ValueError unless the cells of all stages are of the same classes."""
    cells = ("id_on_id", "id_on_ood", "ood_on_ood", "all_on_ood")
    first, *others = [[list(stage[cell]["classes"]) for cell in cells] for stage in metrics.values()]
    if any(other != first for other in others):
        raise ValueError("$.metrics: expected the same classes in all stages")


def _check_losses(place: str, rows: list[Any]) -> None:
    """Raise ValueError unless all epochs of a phase have the same numbers."""
    for number, row in enumerate(rows):
        if set(row) != set(rows[0]):
            raise ValueError(f"{place}[{number}]: expected the keys of the first epoch, {', '.join(rows[0])}")
        wrong = [key for key, value in row.items() if key not in _NOT_LOSSES and not _is_number(value)]
        if wrong:
            raise ValueError(f"{place}[{number}].{wrong[0]}: expected a number or null, but got {row[wrong[0]]!r:.50}")


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
