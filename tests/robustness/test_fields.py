"""Every key of every command refuses a wrong value by name, or is in a list that says who does.

A key that is added to a configuration fails here until it has a check, or an entry.
"""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from omegaconf import OmegaConf

from helpers.paths import ROOT
from pickclutter_lang.commands import COMMANDS, hydra_app
from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.utils.cli import parse_config
from pickclutter_lang.utils.field_docs import dataclass_of

NEEDED: dict[str, dict[str, Any]] = {
    "ablate_texts": {"scenes": ["s"]},
    "caption_images": {"data.name": "image_folder", "data.root": "r"},
    "collect_demos": {"out": "o"},
    "collect_scenes": {"out": "o"},
    "compare_runs": {"runs": ["a", "b"]},
    "demo": {"run": "r"},
    "describe_labels": {"labels": ["mug"], "model": "m", "out": "o.json"},
    "encode_names": {"policy": "p", "names": ["mug"]},
    "evaluate_affordance": {"run": "r"},
    "evaluate_policy": {"run": "r"},
    "export_lerobot": {"demos": "d", "out": "o"},
    "export_onnx": {"run": "r"},
    "export_policy": {"run": "r"},
    "export_runtime": {"policy": "p"},
    "import_scenes": {"file": "f", "split": "id", "out": "o"},
    "fetch": {"repository": "a/b", "out": "o"},
    "merge": {"parts": "p", "out": "o"},
    "look": {"image": "i", "names": ["mug"]},
    "push": {"folder": "f", "repository": "a/b"},
    "pick": {"phrase": "lemon"},
    "render_object_views": {"out": "o"},
    "reproduce_tables": {"out": "o"},
    "train_image_student": {"data.name": "image_folder", "data.root": "r", "objective.cls": 1.0},
    "train_ppo": {"policy": "p"},
    "train_teacher": {"out": "o", "images": "i"},
    "validate_grasp_labels": {"store": "s"},
    "verify_scenes": {"store": "s"},
}
"""What a command needs to be valid."""
WRONG_TYPE = r"\(key: |to be (a whole number|a number|a list, \[...\]|a text|a value), but"
"""In a message that the type alone gives, which shows no check."""
WRONG: tuple[Any, ...] = ("", "nonsense", -1, math.nan, [], ["nonsense"], [-1], {"nonsense": -1})

LATER = {
    "a file or folder, which is named when it is opened": """
        GraspValidationConfig.store VerifyConfig.store ImportConfig.file TrainConfig.scenes SceneDataConfig.train
        SceneDataConfig.id SceneDataConfig.ood SceneDataConfig.fewshot TeacherConfig.checkpoint TeacherConfig.cache
        AffordanceEvalConfig.run AffordanceEvalConfig.policy AffordanceEvalConfig.store TrainedRunConfig.run
        PolicyEvalConfig.run PolicyEvalConfig.scenes PPOConfig.policy
        TextAblationConfig.views TextAblationConfig.checkpoint ClassTextConfig.style_dir ImageDataConfig.root
        ImageDataConfig.author_lists ImageDataConfig.descriptions ImageDataConfig.captions ImageDataConfig.cache
        TeacherTrainConfig.scenes TeacherTrainConfig.views TeacherTrainConfig.unseen_scenes
        TeacherTrainConfig.unseen_views TeacherTrainConfig.images TeacherTrainConfig.unseen_images
        TeacherTrainConfig.classes ImageDataConfig.classes TrainConfig.distilled_run ReproduceTable12Config.tables
        PushConfig.folder LookConfig.image LookConfig.checkpoint LookConfig.policy
        PickConfig.policy OpenedPolicyConfig.policy""",
    "a name, whose choices the loader of a teacher, network, model or text knows": """
        FetchConfig.revision
        TeacherConfig.name StudentConfig.name CaptionConfig.model CaptionConfig.revision TextAblationConfig.teacher_name
        LookConfig.teacher_name LookConfig.names PickConfig.teacher_name PickConfig.phrase
        TextAblationConfig.descriptions PromptConfig.descriptions PromptConfig.extra_descriptions
        ClassTextConfig.descriptions ImageDataConfig.name DescribeConfig.labels DescribeConfig.api_key_env
        TrainConfig.device ImageTrainConfig.device""",
    "any text": """
        TrainConfig.method ImageTrainConfig.name PromptConfig.positive_init PromptConfig.negative_init
        ClassTextConfig.context_init OnnxExportConfig.names""",
    "checked by the plan of a sweep": """
        ReproduceTable12Config.methods ReproduceTable12Config.seeds ReproduceTable12Config.workers
        ReproduceTable12Config.draws ReproduceTable12Config.object_splits ReproduceTablesConfig.class_splits
        ReproduceTable12Config.out ReproduceTable12Config.compare ReproduceTablesConfig.table
        ReproduceTablesConfig.figure ReproduceTablesConfig.seeds ReproduceTablesConfig.workers
        ReproduceTablesConfig.out""",
}
"""Why the configuration takes every value of a key."""


class Key(NamedTuple):
    """A key: the command that has it, and its dotted name there."""

    command: str
    path: str


def _keys_of(command: str, config: Any, prefix: str = "") -> Iterator[tuple[str, Key]]:
    hints = typing.get_type_hints(config)
    for field in fields(config):
        nested = dataclass_of(hints[field.name])
        if nested is not None:
            yield from _keys_of(command, nested, f"{prefix}{field.name}.")
            continue
        owner = next(base for base in reversed(config.__mro__) if field.name in getattr(base, "__annotations__", {}))
        yield f"{owner.__name__}.{field.name}", Key(command, f"{prefix}{field.name}")


def _all_keys() -> dict[str, Key]:
    for command in (name.replace("-", "_") for group in COMMANDS.values() for name in group):
        if command not in ("check_install", "import_mesh", "migrate"):  # they have no configuration
            import_module(f"pickclutter_lang.commands.{command}")
    registered = hydra_app.REGISTERED
    found = [pair for name in sorted(registered) for pair in _keys_of(name, registered[name].config)]
    return dict(reversed(found))


KEYS = _all_keys()


def _hint(key: Key) -> Any:
    """Return the type of a key."""
    hint: Any = hydra_app.REGISTERED[key.command].config
    for part in key.path.split("."):
        hint = typing.get_type_hints(dataclass_of(hint) or hint)[part]
    return hint


def refusal(key: Key, wrong: Any) -> str | None:
    """Return the error of a value of a key; any other exception than a named one fails."""
    config = OmegaConf.create({})
    for path, value in {**NEEDED.get(key.command, {}), key.path: wrong}.items():
        OmegaConf.update(config, path, value, force_add=True)
    try:
        parse_config(hydra_app.REGISTERED[key.command].config, config)
    except PickClutterError as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", KEYS)
def test_every_key_refuses_a_wrong_value_by_its_name(name: str) -> None:
    key = KEYS[name]
    last = key.path.rpartition(".")[2]
    messages = [message for wrong in WRONG if (message := refusal(key, wrong)) is not None]
    values = [message for message in messages if not re.search(WRONG_TYPE, message)]
    listed = {entry for entries in LATER.values() for entry in entries.split()}
    assert (name in listed) or any(last in message for message in values), f"no check of {name}: {messages}"
    assert all("\n" not in message and len(message) < 600 for message in messages)


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if _hint(key) in (float, float | None)])
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_every_number_is_finite(name: str, wrong: float) -> None:
    assert KEYS[name].path.rpartition(".")[2] in (refusal(KEYS[name], wrong) or "")


OUT_LATER = (*LATER["checked by the plan of a sweep"].split(), "AffordanceEvalConfig.out")  # with `policy=` alone


@pytest.mark.parametrize("name", [name for name in KEYS if name.endswith(".out") and name not in OUT_LATER])
def test_no_command_writes_to_a_url(name: str) -> None:
    message = refusal(KEYS[name], "s3://me:hush@bucket/out")
    assert message is not None and "out to be a path on this machine" in message and "pickclutter push" in message
    assert "hush" not in message


@pytest.mark.parametrize("name", ["SceneDataConfig.unlabeled", "RuntimeExportConfig.calibration"])
def test_a_store_may_have_a_url_without_a_password(name: str) -> None:
    assert "to be a path" not in (refusal(KEYS[name], "s3://bucket/scenes") or "")
    assert "without a user or a password" in (refusal(KEYS[name], "s3://me:hush@bucket/scenes") or "")


def test_no_key_has_the_name_of_a_preset_group_that_its_command_lacks() -> None:
    groups = {path.name for path in (ROOT / "configs").iterdir() if path.is_dir()}
    for key in KEYS.values():
        assert key.path not in groups - {*hydra_app.REGISTERED[key.command].presets}, key  # it could never be set


def test_the_list_names_keys_that_are_there() -> None:
    listed = [entry for entries in LATER.values() for entry in entries.split()]
    assert set(listed) <= set(KEYS) and len(set(listed)) == len(listed)


@pytest.mark.parametrize("command", sorted({key.command for key in KEYS.values()}))
def test_what_a_command_needs_is_enough(command: str) -> None:
    config = OmegaConf.create({})
    for path, value in NEEDED.get(command, {}).items():
        OmegaConf.update(config, path, value, force_add=True)
    parse_config(hydra_app.REGISTERED[command].config, config)
