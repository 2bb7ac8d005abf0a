"""A policy folder (`policy.json` and two safetensors files): an exported student, saved and loaded.

`policy.json` is a `PolicyConfig`. `weights.safetensors` contains the student, the aggregation, the learned contexts
(`prompts.`) and, where there is one, the crop classifier with its class embeddings (`closeups.`). `text.safetensors`
contains the text features of its names, `positive` and `negative` [C, D]. New names alone need the teacher.
"""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.config import SCHEMA, PolicyConfig
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.plugins import is_plugin

CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE = "policy.json", "weights.safetensors", "text.safetensors"
PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX = "prompts.", "closeups."
"""How the names of the contexts' and of the crop classifier's weights begin."""


def save_pretrained(folder: Path, config: PolicyConfig, weights: dict[str, Tensor], text: PromptFeatures) -> None:
    """Write a policy folder, its configuration last.

    :raises InvalidArgumentError: for a configuration that is not allowed, or text features without negative ones
    :raises DatasetError: when it cannot be written
    """
    config.validate()
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
    ensure_dir(folder)
    (folder / CONFIG_FILE).unlink(missing_ok=True)
    atomic_write(folder / WEIGHTS_FILE, save({name: value.cpu().contiguous() for name, value in weights.items()}))
    features = {"positive": text.positive.cpu().contiguous(), "negative": text.negative.cpu().contiguous()}
    atomic_write(folder / TEXT_FILE, save(features))
    atomic_write(folder / CONFIG_FILE, (json.dumps(config.to_json(), indent=1) + "\n").encode())


def load_config(folder: str | Path) -> PolicyConfig:
    """Read the configuration of a policy folder.

    :raises CheckpointError: when it is missing, damaged, or of another schema
    """
    root = Path(folder)
    try:
        values = json.loads((root / CONFIG_FILE).read_text())
        if not isinstance(values, dict):
            raise ValueError(f"{CONFIG_FILE} holds no object")
        schema = values.pop("schema", None)
        if schema != SCHEMA:
            remedy = f"run: pickclutter migrate {root}" if schema == 2 else "export it again: pickclutter export-policy"
            raise CheckpointError(f"expected a policy of schema {SCHEMA} in {root}, but got {schema}; {remedy}")
        return PolicyConfig.from_json(values)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"expected a policy in {root}, but {CONFIG_FILE} is not there; make it: "
            "pickclutter export-policy run=... out=..."
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"the policy in {root} is damaged ({error}); export it again") from error


def load_pretrained(
    folder: str | Path, trust_code: bool = False
) -> tuple[PolicyConfig, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder: its configuration, weights, and text features [C, D] of its names.

    :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder names
        the module that is then imported
    :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
    """
    root, config = Path(folder), load_config(folder)
    network = config.student.network.name
    if is_plugin(network) and not trust_code:
        raise CheckpointError(
            f"the policy in {root} names code outside this package, {network}, which opening it would run; if you "
            "trust the folder and that module, open it with trust_code=True (trust_code=true for a command)"
        )
    try:
        weights = load((root / WEIGHTS_FILE).read_bytes())
        text = load((root / TEXT_FILE).read_bytes())
        features = PromptFeatures(text["positive"], text["negative"])
    except (OSError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"the policy in {root} is damaged ({error}); export it again") from error
    shape = features.positive.shape
    if text["negative"].shape != shape or len(shape) != 2 or len(features.positive) != len(config.student.names):
        raise CheckpointError(
            f"the policy in {root} is damaged: expected text features of {len(config.student.names)} names, but got "
            f"{list(shape)} and {list(text['negative'].shape)}; export it again"
        )
    return config, weights, features
