"""A student as one folder: what a robot needs of a finished run, and nothing else.

`policy.json` says what it is (see `PolicyConfig`), `weights.safetensors` holds the student, the aggregation, the
learned contexts and, where there is one, the student of object crops with its texts (`closeups.`), `text.safetensors`
the features of its names, `positive` and `negative` [C, D]. The teacher is not in it: only names that are new need it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.teachers import Teacher, load_teacher
from pickclutter_lang.utils.cli import parse_config
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.plugins import is_plugin

SCHEMA = 2
CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE = "policy.json", "weights.safetensors", "text.safetensors"
PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX = "prompts.", "closeups."
"""How the names of the weights of the contexts, and of the student of object crops, begin."""


@dataclass
class CropClassifierConfig:
    """Of the student of object crops: the side of its object crops, and thresholds of the folder's names for the score
    of both students together.
    """

    crop_size: int
    thresholds: dict[str, float]


@dataclass(frozen=True)
class PolicyConfig:
    """What a policy folder says of itself.

    `camera_size` is the side in pixels of the images it was trained on, of which it sees the middle. `thresholds` has
    that of each of `names` (`per_split_fpr_thresholds`); other names take `threshold`, that of Y_ood. `label` is what
    scores are of.
    """

    schema: int
    train_config: dict[str, Any]
    phase: str
    label: str
    names: list[str]
    threshold: float
    thresholds: dict[str, float]
    camera_size: int
    teacher: dict[str, Any]
    crop_classifier: CropClassifierConfig | None = None  # of a student of scenes alone


def save_pretrained(folder: Path, card: PolicyConfig, weights: dict[str, Tensor], text: PromptFeatures) -> None:
    """Write a policy folder, its card last."""
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
    ensure_dir(folder)
    (folder / CONFIG_FILE).unlink(missing_ok=True)
    atomic_write(folder / WEIGHTS_FILE, save({name: value.cpu().contiguous() for name, value in weights.items()}))
    features = {"positive": text.positive.cpu().contiguous(), "negative": text.negative.cpu().contiguous()}
    atomic_write(folder / TEXT_FILE, save(features))
    atomic_write(folder / CONFIG_FILE, (json.dumps(asdict(card), indent=1) + "\n").encode())


def load_pretrained(
    folder: str | Path, trust_code: bool = False
) -> tuple[PolicyConfig, TrainConfig, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder: its card, the settings of its run, weights, and text features [C, D] of its names.

    :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder names
        the module that is then imported
    :raises CheckpointError: when it is not there, damaged, or of another schema, or names code that is not trusted
    """
    root = Path(folder)
    try:
        values = json.loads((root / CONFIG_FILE).read_text())
        if not isinstance(values, dict):
            raise ValueError(f"{CONFIG_FILE} holds no object")
        if values.get("schema") != SCHEMA:
            raise CheckpointError(
                f"expected a policy of schema {SCHEMA} in {root}, but got {values.get('schema')}; export it again: "
                "pickclutter export-policy"
            )
        card = parse_config(PolicyConfig, OmegaConf.create(values))
        if not {"name", "checkpoint", "fingerprint"} <= card.teacher.keys():
            raise ValueError("its teacher is not named")
        if card.crop_classifier is not None and not card.crop_classifier.thresholds.keys() >= set(card.names):
            raise ValueError("object crops lack the threshold of a name")
        config = parse_config(TrainConfig, OmegaConf.create(card.train_config))
        weights = load((root / WEIGHTS_FILE).read_bytes())
        text = load((root / TEXT_FILE).read_bytes())
        features = PromptFeatures(text["positive"], text["negative"])
    except FileNotFoundError as error:
        raise CheckpointError(
            f"expected a policy in {root}, but {Path(str(error.filename)).name} is not there; make it: "
            "pickclutter export-policy run=... out=..."
        ) from error
    except (OSError, ValueError, TypeError, KeyError, SafetensorError, InvalidArgumentError) as error:
        raise CheckpointError(f"the policy in {root} is damaged ({error}); export it again") from error
    if features.positive.shape != features.negative.shape or len(features.positive) != len(card.names):  # type: ignore[union-attr]
        raise CheckpointError(f"the policy in {root} is damaged: its texts are not those of its names; export it again")
    if is_plugin(config.student.name) and not trust_code:
        raise CheckpointError(
            f"the policy in {root} names code outside this package, student.name={config.student.name}, which opening "
            "it would run; if you trust the folder and that module, open it with trust_code=True "
            "(trust_code=true for a command)"
        )
    return card, config, weights, features


def load_teacher_for(card: PolicyConfig) -> Teacher:
    """Load the teacher that a student was distilled from.

    :raises TeacherError: when it is another one
    :raises MissingAssetsError: when it is not there
    """
    teacher = load_teacher(card.teacher["name"], card.teacher["checkpoint"])
    if teacher.fingerprint != card.teacher["fingerprint"]:
        raise TeacherError(
            f"expected the teacher {card.teacher['name']} that this student was distilled from, but the one here has "
            f"other weights; names that are known without it: {', '.join(card.names)}"
        )
    return teacher
