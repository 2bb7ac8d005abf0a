"""A policy folder (`policy.json` and two safetensors files): an exported student, saved and loaded.

`policy.json` is a `PolicyConfig`. `weights.safetensors` contains the student, the aggregation, the learned contexts
(`prompts.`) and, where there is one, the crop classifier with its class embeddings (`closeups.`). `text.safetensors`
contains the text features of its names, `positive` and `negative` [C, D]. New names alone need the teacher. Where the
student was trained on objects of one's own, `catalog.yaml` has their words, licenses and sources.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypedDict

from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, MAX_BYTES, CatalogEntry, catalog_bytes, parse_catalog
from pickclutter_lang.policy.config import SCHEMA, PolicyConfig, StudentSpec, Thresholds
from pickclutter_lang.utils.io import atomic_write, ensure_dir
from pickclutter_lang.utils.json_files import Sha256, check_json, read_file, read_json
from pickclutter_lang.utils.plugins import is_plugin
from pickclutter_lang.utils.tensor_files import check_finite, read_tensors

CONFIG_FILE, WEIGHTS_FILE, TEXT_FILE = "policy.json", "weights.safetensors", "text.safetensors"
PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX = "prompts.", "closeups."
"""How the names of the contexts' and of the crop classifier's weights begin."""


class _Head(TypedDict):
    schema: int


@dataclass(frozen=True)
class _Content:
    """Content of `policy.json`; version 0.2.0 lacks `sha256`, of each other file, and `metrics`."""

    schema: int
    student: StudentSpec
    thresholds: Thresholds
    sha256: dict[str, Sha256] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def config(self) -> PolicyConfig:
        return PolicyConfig(self.student, self.thresholds, self.metrics)


def save_pretrained(
    folder: Path,
    config: PolicyConfig,
    weights: dict[str, Tensor],
    text: PromptFeatures,
    catalog: Sequence[CatalogEntry] = (),
) -> None:
    """Write a policy folder, its configuration last.

    :param catalog: of one's own objects that the student was trained on
    :raises InvalidArgumentError: for a configuration that is not allowed, or text features without negative ones
    :raises DatasetError: when it cannot be written
    """
    config.validate()
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
    ensure_dir(folder)
    (folder / CONFIG_FILE).unlink(missing_ok=True)
    (folder / CATALOG_FILE).unlink(missing_ok=True)
    hashes = {}
    if catalog:
        data = catalog_bytes(catalog)
        hashes[CATALOG_FILE] = hashlib.sha256(data).hexdigest()
        atomic_write(folder / CATALOG_FILE, data)
    tensors = {WEIGHTS_FILE: weights, TEXT_FILE: {"positive": text.positive, "negative": text.negative}}
    for name, part in tensors.items():
        data = save({key: value.cpu().contiguous() for key, value in part.items()})
        hashes[name] = hashlib.sha256(data).hexdigest()
        atomic_write(folder / name, data)
    content = _Content(SCHEMA, config.student, config.thresholds, hashes, config.metrics)
    atomic_write(folder / CONFIG_FILE, (json.dumps(asdict(content), indent=1) + "\n").encode())


def load_config(folder: str | Path) -> PolicyConfig:
    """Read the configuration of a policy folder.

    :raises CheckpointError: when it is missing, damaged, or of another schema
    """
    return _read(Path(folder)).config


def load_catalog(folder: str | Path) -> tuple[CatalogEntry, ...]:
    """Read the catalog of one's own objects in a policy folder; nothing where there is none.

    :raises CheckpointError: when the folder or the file is missing or damaged
    """
    path = Path(folder) / CATALOG_FILE
    expected = _read(path.parent).sha256.get(CATALOG_FILE)
    if expected is None:
        return ()
    try:
        data = read_file(path, MAX_BYTES)
        if hashlib.sha256(data).hexdigest() != expected:
            raise DatasetError("it is not the one that was exported")
        return parse_catalog(data, path)
    except (OSError, DatasetError) as error:
        raise CheckpointError(f"cannot read {path} ({error}); export it again") from error


def _read(root: Path) -> _Content:
    again = "export it again: pickclutter export-policy run=... out=..."
    missing = f"expected a policy in {root}, but {CONFIG_FILE} is not there; make it: pickclutter export-policy"
    values = read_json(root / CONFIG_FILE, _Head, CheckpointError, again, missing)
    if values["schema"] != SCHEMA:
        remedy = f"run: pickclutter migrate {root}" if values["schema"] == 2 else again
        raise CheckpointError(f"expected a policy of schema {SCHEMA} in {root}, but got {values['schema']}; {remedy}")
    try:
        content = check_json(values, _Content)
        content.config.validate()
    except ValueError as error:
        raise CheckpointError(f"{root / CONFIG_FILE} is damaged ({error}); {again}") from error
    return content


def load_pretrained(
    folder: str | Path, trust_code: bool = False
) -> tuple[PolicyConfig, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder: its configuration, weights, and text features [C, D] of its names.

    :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder names
        the module that is then imported
    :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
    """
    root = Path(folder)
    content = _read(root)
    config = content.config
    network = config.student.network.name
    if is_plugin(network) and not trust_code:
        raise CheckpointError(
            f"the policy in {root} names code outside this package, {network}, which opening it would run; if you "
            "trust the folder and that module, open it with trust_code=True (trust_code=true for a command)"
        )
    again = "export it again"
    weights, text = (
        read_tensors(root / name, content.sha256.get(name), CheckpointError, again)
        for name in (WEIGHTS_FILE, TEXT_FILE)
    )
    try:
        check_finite(weights)
        check_finite(text)
        features = PromptFeatures(text["positive"], text["negative"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"the policy in {root} is damaged ({error}); {again}") from error
    shape = features.positive.shape
    if (
        text["negative"].shape != shape
        or len(shape) != 2
        or not text["positive"].is_floating_point()
        or len(features.positive) != len(config.student.names)
    ):
        raise CheckpointError(
            f"the policy in {root} is damaged: expected text features of {len(config.student.names)} names, but got "
            f"{list(shape)} and {list(text['negative'].shape)}; export it again"
        )
    return config, weights, features
