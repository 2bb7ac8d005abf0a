"""A student as one folder: what a robot needs of a finished run, and nothing else.

`policy.json` says what it is (see `PolicyCard`), `weights.safetensors` holds the student, the aggregation and the
learned contexts, `text.safetensors` the features of its names, `positive` and `negative` [C, D]. The teacher is not in
it: only names that are new need it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pickclutter_lang.command import typed
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.evaluation.finished import FinishedSettings, open_finished
from pickclutter_lang.evaluation.predictions import load_predictions
from pickclutter_lang.evaluation.protocol import STAGES
from pickclutter_lang.evaluation.report import load_result
from pickclutter_lang.evaluation.thresholds import alarm_thresholds
from pickclutter_lang.files import write_whole
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.training import TrainSettings

SCHEMA = 1
CARD_FILE, WEIGHTS_FILE, TEXT_FILE = "policy.json", "weights.safetensors", "text.safetensors"


@dataclass
class PolicySettings(FinishedSettings):
    """`out`: the folder of the policy; files of a policy that is there are replaced."""

    out: str


@dataclass(frozen=True)
class PolicyCard:
    """What a policy folder says of itself.

    `camera_size` is the side in pixels of the pictures it was trained on, of which it sees the middle. `thresholds` has
    one for each of `names` (`alarm_thresholds`); other names take `threshold`. `label` is what scores are of.
    """

    schema: int
    settings: dict[str, Any]
    phase: str
    label: str
    names: list[str]
    threshold: float
    thresholds: dict[str, float]
    camera_size: int
    teacher: dict[str, Any]


def export_policy(settings: PolicySettings) -> Path:
    """Write the student of a finished run as a folder that `GraspabilityStudent.load` opens; return the folder.

    :raises PickClutterError: what `open_finished` and `load_result` raise; StoreError when it cannot be written
    """
    run = open_finished(settings)
    stage = next(name for name, phase in reversed(STAGES.items()) if phase == settings.phase and name != "retrieval")
    result = load_result(run.folder)
    predictions = load_predictions(run.folder / "predictions" / f"{stage}_id.npz")
    threshold = float(result["metrics"][stage]["id_threshold"])
    names = run.names(("id", "ood"))
    each = alarm_thresholds(predictions, threshold)
    card = PolicyCard(
        schema=SCHEMA,
        settings=_without_places(run.settings.as_dict()),
        phase=settings.phase,
        label=run.settings.data.label,
        names=names,
        threshold=threshold,
        thresholds={name: float(each[predictions.names.index(name)]) for name in names},
        camera_size=run.scenes["train"].store.image_size,
        teacher=run.teacher_card | {"checkpoint": run.settings.teacher.checkpoint},
    )
    with torch.no_grad():
        text = run.model.prompts.encode(names)
    write_policy(Path(settings.out), card, run.model.state_dict(), text)
    return Path(settings.out)


def write_policy(folder: Path, card: PolicyCard, weights: dict[str, Tensor], text: PromptFeatures) -> None:
    """Write a policy folder, its card last."""
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CARD_FILE).unlink(missing_ok=True)
    write_whole(folder / WEIGHTS_FILE, save({name: value.cpu().contiguous() for name, value in weights.items()}))
    features = {"positive": text.positive.cpu().contiguous(), "negative": text.negative.cpu().contiguous()}
    write_whole(folder / TEXT_FILE, save(features))
    write_whole(folder / CARD_FILE, (json.dumps(asdict(card), indent=1) + "\n").encode())


def read_policy(folder: str | Path) -> tuple[PolicyCard, TrainSettings, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder: its card, the settings of its run, weights, and text features [C, D] of its names.

    :raises CheckpointError: when it is not there, damaged, or of another schema
    """
    root = Path(folder)
    try:
        values = json.loads((root / CARD_FILE).read_text())
        if values.get("schema") != SCHEMA:
            raise CheckpointError(
                f"expected a policy of schema {SCHEMA} in {root}, but got {values.get('schema')}; export it again: "
                "python scripts/export_policy.py"
            )
        card = PolicyCard(**values)
        settings = typed(TrainSettings, OmegaConf.create(card.settings))
        weights = load((root / WEIGHTS_FILE).read_bytes())
        text = load((root / TEXT_FILE).read_bytes())
        features = PromptFeatures(text["positive"], text["negative"])
    except FileNotFoundError as error:
        raise CheckpointError(
            f"expected a policy in {root}, but {Path(str(error.filename)).name} is not there; make it: "
            "python scripts/export_policy.py run=... out=..."
        ) from error
    except (ValueError, TypeError, KeyError, SafetensorError, InvalidArgumentError) as error:
        raise CheckpointError(f"the policy in {root} is damaged ({error}); export it again") from error
    if features.positive.shape != features.negative.shape or len(features.positive) != len(card.names):  # type: ignore[union-attr]
        raise CheckpointError(f"the policy in {root} is damaged: its texts are not those of its names; export it again")
    return card, settings, weights, features


def _without_places(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a run that do not say where things lie on the machine that trained it."""
    nowhere: dict[str, Any] = {"train": "", "id": "", "ood": "", "fewshot": "", "splits": {}}
    return settings | {
        "scenes": "",
        "out": "",
        "data": settings["data"] | nowhere,
        "teacher": settings["teacher"] | {"cache": ""},
    }
