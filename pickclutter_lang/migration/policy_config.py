"""The `policy.json` of a policy folder: schema 2 of version 0.1.0 as schema 3."""

from __future__ import annotations

from typing import Any

from pickclutter_lang.migration.renames import PHASES

_NETWORK = ("name", "output_stride", "dropout", "temperature")
_TEACHER = ("name", "checkpoint", "fingerprint")


def policy_config(old: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `policy.json` in schema 3; the tensors of the folder stay as they are.

    :param old: values in schema 2
    :raises KeyError: when one is missing
    """
    run, crops = old["settings"], old.get("closeups")
    data, prompts, size = run["data"], run["prompts"], old["camera_size"]
    return {
        "schema": 3,
        "student": {
            "phase": PHASES.get(old["phase"], old["phase"]),
            "target_label": old["label"],
            "network": {key: run["student"][key] for key in _NETWORK},
            "precision": run["precision"],
            "cameras": data["cameras"],
            "depth": data["depth"],
            "camera_size": size,
            "crop_size": data["view"] or size,
            "image_size": data["image_size"],
            "prompts": {
                "n_ctx": prompts["tokens"],
                "truncate": prompts["truncate"],
                "closed_set": prompts["closed_set"],
            },
            "names": old["names"],
            "teacher": {key: old["teacher"][key] for key in _TEACHER},
            "object_crop_size": crops and crops["size"],
        },
        "thresholds": {
            "default": old["threshold"],
            "names": old["thresholds"],
            "crop_classifier": crops and crops["thresholds"],
        },
    }
