"""A policy folder (`policy.json` and two safetensors files): an exported student, saved and loaded.

`policy.json` is a `PolicyConfig`. `weights.safetensors` contains the student, the aggregation, the learned contexts
(`prompts.`) and, where there is one, the crop classifier with its class embeddings (`closeups.`). `text.safetensors`
contains the text features of its names, `positive` and `negative` [C, D]. Weights may be in half precision. New names
alone need the teacher. Where the student was trained on objects of one's own, `catalog.yaml` has their words, licenses
and sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.policy.config import PolicyConfig
from pickclutter_lang.policy.manifest import (
    TEXT_FILE,
    WEIGHTS_FILE,
    check_has_weights,
    policy_folder,
    read_manifest,
    write_folder,
)
from pickclutter_lang.utils.plugins import is_plugin
from pickclutter_lang.utils.tensor_files import check_finite, read_tensors, to_float, to_half

PROMPTS_PREFIX, CROP_CLASSIFIER_PREFIX = "prompts.", "closeups."
"""How the names of the contexts' and of the crop classifier's weights begin."""


def save_pretrained(
    folder: Path,
    config: PolicyConfig,
    weights: dict[str, Tensor],
    text: PromptFeatures,
    catalog: Sequence[CatalogEntry] = (),
    half: bool = False,
) -> None:
    """Write a policy folder, its configuration last.

    :param catalog: of one's own objects that the student was trained on
    :param half: write the weights in half precision; text features stay in single
    :raises InvalidArgumentError: for a configuration that is not allowed, text features without negative ones, or
        weights that half precision cannot hold
    :raises DatasetError: when it cannot be written
    """
    if text.negative is None:
        raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
    if half:
        weights = _halved(weights)
    tensors = {WEIGHTS_FILE: weights, TEXT_FILE: {"positive": text.positive, "negative": text.negative}}
    files = {
        name: save({key: value.cpu().contiguous() for key, value in part.items()}) for name, part in tensors.items()
    }
    write_folder(folder, config, files, catalog)


def _halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    halved = to_half(weights)
    try:
        check_finite(halved)
    except ValueError as error:
        raise InvalidArgumentError(
            f"expected weights below 65504, as half precision holds, but: {error}; export them with half=false"
        ) from error
    return halved


def load_pretrained(
    folder: str | Path, trust_code: bool = False
) -> tuple[PolicyConfig, dict[str, Tensor], PromptFeatures]:
    """Read a policy folder, or an embedded policy: its configuration, weights, and text features [C, D] of its names.

    :param trust_code: take a student whose network is a function from outside, `module:attribute`: the folder names
        the module that is then imported
    :raises CheckpointError: when it is missing, damaged, or of another schema, or names code that is not trusted
    """
    root = policy_folder(folder)
    content = read_manifest(root)
    check_has_weights(root, content)
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
    return config, to_float(weights), features
