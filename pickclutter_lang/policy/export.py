"""A finished run's student as a policy folder, with the thresholds at which it says that an object is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track

from pickclutter_lang.evaluation.finished import FinishedSettings, open_finished
from pickclutter_lang.evaluation.predictions import Predictions
from pickclutter_lang.evaluation.protocol import predict_store
from pickclutter_lang.evaluation.thresholds import split_thresholds
from pickclutter_lang.policy.folder import CLOSE_UPS_PREFIX, SCHEMA, CloseUpCard, PolicyCard, write_policy
from pickclutter_lang.policy.judges import StudentJudge
from pickclutter_lang.policy.stored import observation_of
from pickclutter_lang.policy.student import GraspabilityStudent
from pickclutter_lang.training import Run
from pickclutter_lang.training.ranges import within
from pickclutter_lang.training.run import FEW

_JUDGED = 300
"""Scenes of a store, spread evenly, that thresholds of close-ups come from: some third of a second each."""


@dataclass
class PolicySettings(FinishedSettings):
    """`out`: the folder of the policy; files of a policy that is there are replaced.

    Thresholds are such that objects are said to be there in a share `false_alarms` of the cases in which they are not,
    on the scenes that `export_policy` takes for them.
    """

    out: str
    false_alarms: float = 0.07

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        super().validate()
        within("false_alarms", self.false_alarms, 0.0, 1.0)


def export_policy(settings: PolicySettings) -> Path:
    """Write the student of a finished run as a folder that `GraspabilityStudent.load` opens; return the folder.

    Its thresholds come from X_id. After fine-tuning those of Y_ood come from the few-shot scenes, and for Y_id the
    higher one of both stores counts: X_id lacks the objects of Y_ood, and these raise false alarms; the few-shot scenes
    hold them, but the student was trained on these very scenes. After fine-tuning the student of close-ups goes with
    it, where the run has one.

    :raises PickClutterError: what `open_finished` raises; StoreError when it cannot be written, or
        no table is seen in a scene that thresholds of close-ups come from
    """
    run = open_finished(settings)
    few = settings.phase == FEW
    closeups = run.load_closeups() if few else None
    on_id, on_few = predict_store(run, "id"), predict_store(run, "fewshot") if few else None
    thresholds = policy_thresholds(settings.false_alarms, on_id, on_few)
    card = PolicyCard(
        schema=SCHEMA,
        settings=_without_places(run.settings.as_dict()),
        phase=settings.phase,
        label=run.settings.data.label,
        names=on_id.names,
        threshold=thresholds[on_id.of_splits(("ood",)).names[0]],
        thresholds=thresholds,
        camera_size=run.scenes["train"].store.image_size,
        teacher=run.teacher_card | {"checkpoint": run.settings.teacher.checkpoint},
    )
    weights = run.model.state_dict()
    with torch.no_grad():
        text = run.model.prompts.encode(card.names)
    if closeups is not None and run.settings.closeups is not None and on_few is not None:
        weights |= {f"{CLOSE_UPS_PREFIX}{name}": value for name, value in closeups.state_dict().items()}
        card = replace(card, closeups=CloseUpCard(run.settings.closeups.size, thresholds))
        judge = StudentJudge(GraspabilityStudent(card, run.settings, weights, text))
        known = on_id.of_splits(("id",))
        judged = _judged(run, "id", known, judge), _judged(run, "fewshot", on_few, judge)
        own = policy_thresholds(settings.false_alarms, *judged)
        card = replace(card, closeups=CloseUpCard(run.settings.closeups.size, own))
    write_policy(Path(settings.out), card, weights, text)
    return Path(settings.out)


def policy_thresholds(share: float, on_id: Predictions, on_few: Predictions | None) -> dict[str, float]:
    """Return the threshold of each name: that of X_id without few-shot scenes; with them theirs, and for Y_id the
    higher one of both.
    """
    found = dict(zip(on_id.names, split_thresholds(on_id, share).tolist(), strict=True))
    if on_few is None:
        return found
    few = zip(on_few.names, on_few.held_out.tolist(), split_thresholds(on_few, share).tolist(), strict=True)
    return {name: own if held_out else max(own, found[name]) for name, held_out, own in few}


def _judged(run: Run, store: str, predictions: Predictions, judge: StudentJudge) -> Predictions:
    """Return predictions with the scores of both students together instead, on 300 of the scenes at most."""
    scenes = run.scenes[store]
    rows = np.unique(np.linspace(0, len(scenes) - 1, min(len(scenes), _JUDGED)).round().astype(int)).tolist()
    shown = track(rows, f"close-ups of {store}")
    scores = [[one.score for one in judge.judge(observation_of(scenes, row), predictions.names)] for row in shown]
    return replace(
        predictions,
        probabilities=torch.tensor(scores),
        targets=predictions.targets[rows],
        scenes=[predictions.scenes[row] for row in rows],
    )


def _without_places(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a run that do not say where things lie on the machine that trained it."""
    nowhere: dict[str, Any] = {"train": "", "id": "", "ood": "", "fewshot": "", "splits": {}}
    told = settings["prompts"]
    return settings | {
        "prompts": told
        | {
            "descriptions": told["descriptions"] and Path(told["descriptions"]).name,
            "variants": [Path(source).name for source in told["variants"]],
        },
        "scenes": "",
        "out": "",
        "data": settings["data"] | nowhere,
        "teacher": settings["teacher"] | {"cache": ""},
    }
