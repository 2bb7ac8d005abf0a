"""What reports, comparisons and sweeps read of the `result.json` of a run on scenes; other keys may be there, and stay.

What all runs share is public here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from pickclutter_lang.training.checkpoint import DescriptionEntry, HistoryRow
from pickclutter_lang.utils.json_files import Text

Number = float | None
"""None: JSON has no NaN."""
Count = Annotated[int, Meta(ge=0)]


class ResultHead(TypedDict):
    """What tells the version of a result."""

    schema: int


class _Teacher(TypedDict):
    name: Text
    fingerprint: Text


class RunResult(ResultHead):
    """What the results of all runs have."""

    name: Text
    seed: Count
    teacher: _Teacher
    git_revision: str | None
    parameters: Count
    peak_memory_mb: float
    seconds: dict[str, float]


class _Student(TypedDict):
    name: Text


class _GivenConfig(TypedDict):
    student: _Student


class RunConfig(_GivenConfig, total=False):
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


class _GivenSceneConfig(RunConfig):
    selection_metric: Literal["map", "f1"]
    data: _SceneData
    prompts: _Prompts


class _SceneConfig(_GivenSceneConfig, total=False):
    method: str | None


class _Validation(TypedDict):
    map: Number
    f1: Number
    accuracy: Number


class LossRow(HistoryRow):
    """An epoch; it has the terms of the loss too, as numbers."""

    loss: Number


class _ValidatedRow(LossRow):
    validation: _Validation


class _CropValidation(TypedDict, total=False):
    accuracy: Number


class _CropRow(LossRow, total=False):
    validation: _CropValidation


class _SceneHistory(TypedDict):
    distill: Annotated[list[_ValidatedRow], Meta(min_length=1)]
    few_shot: Annotated[list[LossRow], Meta(min_length=1)]


class _SceneHistories(_SceneHistory, total=False):
    crop_classifier: list[_CropRow]


class _Scores(TypedDict):
    accuracy: Number
    f1: Number
    precision: Number
    recall: Number
    map: Number


class _ClassScores(TypedDict):
    average_precision: Number
    f1: Number
    precision: Number
    recall: Number
    support: Count


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
    scenes: Count
    content: str


class _GivenStores(TypedDict):
    train: _Scenes
    id: _Scenes
    ood: _Scenes
    fewshot: _Scenes


class _Stores(_GivenStores, total=False):
    unlabeled: _Scenes


class _GivenSceneResult(RunResult):
    config: _SceneConfig
    data: _Stores
    history: _SceneHistories
    metrics: _Stages


class SceneResult(_GivenSceneResult, total=False):
    """A result on scenes."""

    object_split: Count
    few_shot_draw: Count
    precision: Text
    descriptions: dict[str, DescriptionEntry]
