"""Configuration keys of version 0.1.0 and their names in this version."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

_PHASE = {"image_sizes": "image_size_schedule", "warmup": "warmup_fraction", "passes": "repeats"}
_STUDENT = {"recompute": "activation_checkpointing"}
_RENAMED_METHODS = {
    "best_no_local": "best_no_region",
    "best_objects_once": "best_region_weight_1",
    "best_one_text": "best_single_description",
    "best_pairwise": "best_scene_proximity",
}
LOSSES = {
    "local_cls": "region_cls",
    "local_cst": "region_contrastive",
    "local_prox": "region_proximity",
    "pairwise": "scene_proximity",
}
"""Names of losses, which are also the keys of logs."""
PHASES = {"fewshot": "few_shot", "closeups": "crop_classifier"}
"""Names of the phases of a run, which are also its folders."""

# Group ("" for the top level) -> old key -> new key.
_SCENES = {
    "": {"select": "selection_metric", "threads": "num_threads"},
    "data": {
        "view": "crop_size",
        "label": "target_label",
        "splits": "scene_subsets",
        "memory_limit": "max_cache_bytes",
    },
    "student": _STUDENT,
    "prompts": {
        "tokens": "n_ctx",
        "positive": "positive_init",
        "negative": "negative_init",
        "variants": "extra_descriptions",
    },
    "objective": {
        **LOSSES,
        "bank": "negative_bank_size",
        "words": "vocabulary_batch_size",
        "top_words": "vocabulary_top_k",
        "word_temperature": "vocabulary_temperature",
    },
    "distill": _PHASE,
    "fewshot": _PHASE,
    "closeups": {**_PHASE, "size": "crop_size"},
}
_IMAGES = {
    "": {
        "centre": "center_crop",
        "views": "crops",
        "repeats": "epoch_repeats",
        "last_epochs": "average_last_epochs",
        "continual": "continual_split",
        "threads": "num_threads",
    },
    "data": {"lists": "author_lists", "views": "extra_views", "side": "image_size", "train_share": "train_fraction"},
    "views": {"smallest": "min_crop_area", "crops": "fixed_crops"},
    "student": _STUDENT,
    "text": {"described": "description_template", "styles": "style_dir", "tokens": "n_ctx", "context": "context_init"},
    "distill": _PHASE,
    "fewshot": _PHASE,
}
_TEACHER = {
    "": {
        "view": "min_crop_size",
        "scene_batch": "scene_batch_size",
        "view_batch": "view_batch_size",
        "object_sizes": "crop_sizes",
        "language_weight": "sentence_weight",
        "exclude": "exclude_split",
        "warmup": "warmup_fraction",
    }
}
_ARCHITECTURE = {"view": "crop_size", "context_tokens": "n_ctx", "variants": "extra_descriptions"}


def rename(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return values with other names for keys, in their order."""
    return {names.get(key, key): value for key, value in values.items()}


def scene_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a run on scenes with today's keys; what early runs lack has its default."""
    old = copy.deepcopy(dict(config))
    old.setdefault("num_workers", 0)
    old.setdefault("closeups", None)
    old["objective"].setdefault("local_cls", 0.0)
    old["student"].setdefault("recompute", False)
    new = _renamed(old, _SCENES)
    new["method"] = _RENAMED_METHODS.get(new["method"], new["method"])
    _rename_values(new)
    return new


def image_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a run on single images with today's keys."""
    old = copy.deepcopy(dict(config))
    old.setdefault("num_workers", 0)
    old["student"].setdefault("recompute", False)
    new = _renamed(old, _IMAGES)
    _rename_values(new)
    return new


def teacher_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration in a teacher's checkpoint, with today's keys."""
    return _renamed(dict(config), _TEACHER)


def architecture(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the architecture in a checkpoint, with today's keys."""
    new = rename(values, _ARCHITECTURE)
    for key in ("descriptions", "extra_descriptions"):
        if key in new:
            new[key] = _descriptions(new[key])
    return new


def _renamed(old: dict[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    for group, new_keys in names.items():
        if group and isinstance(old.get(group), dict):
            old[group] = rename(old[group], new_keys)
    return rename(old, {**names[""], **PHASES})


def _rename_values(new: dict[str, Any]) -> None:
    """Rename values that are names themselves: schedules, and the catalog's descriptions."""
    for phase in ("distill", "few_shot", "crop_classifier"):
        if isinstance(new.get(phase), dict) and new[phase]["schedule"] == "steps":
            new[phase]["schedule"] = "multistep"
    for group, key in (("prompts", "descriptions"), ("prompts", "extra_descriptions"), ("text", "descriptions")):
        if group in new:
            new[group][key] = _descriptions(new[group][key])


def _descriptions(value: Any) -> Any:
    if isinstance(value, list):
        return [_descriptions(one) for one in value]
    return "catalog" if value == "catalogue" else value
