"""Whether a run may take over the distillation of another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.stages import DISTILL
from pickclutter_lang.results.comparability import comparable_config
from pickclutter_lang.results.record import as_json
from pickclutter_lang.training.checkpoint import describe_differences, description_differences, saved_epochs
from pickclutter_lang.training.experiment import CONFIG_FILE, read_run

_AFTER_DISTILLATION = ("method", "few_shot", "crop_classifier", "retrieval")
_STORES = ("train", "id", "unlabeled")


def check_distilled_run(source: Path, folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that the finished distillation of another run is the one that this run would train.

    A run with checkpoints of a distillation in its folder needs no other one.

    :param source: folder of the other run
    :param folder: of this run
    :param identity: `settings`, `data`, `teacher` and `descriptions` of this run, as in its `settings.json`
    :raises CheckpointError: when there is no run at `source`, or its distillation is not finished
    :raises MismatchError: naming each setting, store or text on which a distillation depends and that differs
    """
    if saved_epochs(folder / DISTILL):
        return
    missing = f"expected distilled_run to be the folder of a run, but there is no {CONFIG_FILE} in {source}"
    try:
        record = read_run(source, missing)
        saved = _distillation(record)
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{source / CONFIG_FILE} is damaged or of another version: {error!r}") from error
    differences = describe_differences(saved, _distillation(as_json(identity)))
    differences += description_differences(record, identity)
    if differences:
        raise MismatchError(
            f"expected distilled_run={source} with the settings and scenes of this distillation, but they differ "
            f"(there / here): {'; '.join(differences)}; choose another run, or leave distilled_run out"
        )
    epochs, found = identity["settings"]["distill"]["epochs"], saved_epochs(source / DISTILL)
    if not found or found[-1] < epochs:
        raise CheckpointError(
            f"expected {epochs} finished epochs in {source / DISTILL}, but there are {found[-1] if found else 0}; "
            "finish that run first, or leave distilled_run out"
        )


def _distillation(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a distillation depends on."""
    settings = comparable_config(identity["settings"])
    return {
        "settings": {key: value for key, value in settings.items() if key not in _AFTER_DISTILLATION},
        "data": {name: identity["data"][name] for name in _STORES if name in identity["data"]},
        "teacher": {"fingerprint": identity["teacher"]["fingerprint"]},
    }
