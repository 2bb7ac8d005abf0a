"""Files of the right form with a value that is wrong: the line names the key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.json_readers import READERS, Reader
from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.training.checkpoint import saved_epochs

Change = Callable[[Any], object]


def put(*keys: Any) -> Change:
    """Return a change: the last of the keys becomes the value of the path before it."""

    def change(values: Any) -> None:
        for key in keys[:-2]:
            values = values[key]
        values[keys[-2]] = keys[-1]

    return change


def drop(*keys: Any) -> Change:
    def change(values: Any) -> None:
        for key in keys[:-1]:
            values = values[key]
        del values[keys[-1]]

    return change


MANIFEST, STATE, SETTINGS, RESULT, IMAGES, POLICY, TEACHER, VIEWS, EPISODES, CLASSES, CAPTIONS = (
    "datasets/scenes/manifest.py:read_manifest", "training/checkpoint.py:load_state",
    "training/experiment.py:read_run", "experiments/result.py:read_result",
    "experiments/result.py:read_result of images", "policy/manifest.py:read_manifest",
    "teachers/pocket.py:load_pocket_teacher", "datasets/object_views.py:open",
    "evaluation/episode_log.py:__init__", "datasets/images/loaders/image_folder.py:_rows",
    "datasets/images/metadata.py:with_captions",
)  # fmt: skip
TABLE: list[tuple[str, Change, str]] = [
    *[(MANIFEST, put("scenes", value), "scenes: expected int") for value in (10**15, -1, 0, 1.5, "x", None)],
    (MANIFEST, put("scenes", 12), "00002.h5 to have 4 scenes from 8"),
    (MANIFEST, put("scenes", 10), "00002.h5 to have 2 scenes from 8"),
    *[(MANIFEST, put("shard_size", value), "shard_size: expected int") for value in (0, -1, 10**18, "5")],
    (MANIFEST, put("shard_size", 1), "00000.h5 to have 1 scenes from 0"),
    *[(MANIFEST, put("settings", "image_size", v), "image_size: expected int") for v in (10**9, -1, "x", None)],
    (MANIFEST, put("settings", "image_size", 64), "hand_rgb is uint8"),
    (MANIFEST, put("settings", None), "settings: expected object"),
    (MANIFEST, put("settings", []), "settings: expected object"),
    (MANIFEST, put("settings", {}), "expected the key cameras"),
    (MANIFEST, put("settings", "cameras", "hand"), "cameras: expected array, but got str"),
    (MANIFEST, put("settings", "cameras", ["evil"]), "settings.cameras to be one of hand, base"),
    (MANIFEST, put("fields", [1, 2]), r"fields\[0\]: expected str, but got int"),
    (MANIFEST, put("fields", ["index", "present", "secret"]), "index, present and other fields of scenes"),
    (MANIFEST, put("objects", []), "objects: expected array of length >= 1"),
    (MANIFEST, lambda m: [one.update(name="mug") for one in m["objects"]], "expected different objects"),
    (MANIFEST, put("objects", 0, "name", "x" * 10000), "name: expected str of length <= 1000"),
    (MANIFEST, put("objects", 0, "name", "a\nb"), "name: expected one line of text"),
    (MANIFEST, put("objects", 0, "name", "a\ud800"), "name: expected one line of text"),
    (MANIFEST, put("objects", 0, "name", 5), "name: expected str, but got int"),
    (MANIFEST, put("objects", 0, "split", "foo"), "split: expected str matching"),
    (MANIFEST, put("objects", 0, "more", 1), r"objects\[0\]: expected keys out of model_id, name, split, but got more"),
    (MANIFEST, put("shards", []), "0 of 3 shards are listed"),
    (MANIFEST, lambda m: m["shards"].__setitem__(1, m["shards"][0]), "each shard once, but got 00000.h5 twice"),
    *[(MANIFEST, put("shards", 0, "file", v), "file: expected str") for v in ("../../x", "/etc/passwd", None, 5)],
    (MANIFEST, put("shards", 0, "file", "1" * 10000 + ".h5"), "file: expected str"),
    (MANIFEST, put("shards", 0, "rows", 10**9), "00000.h5 to have 4 scenes"),
    (MANIFEST, put("shards", 0, "first", -5), "first: expected int >= 0"),
    (MANIFEST, put("shards", 0, "sha256", None), "sha256: expected str, but got null"),
    (MANIFEST, put("shards", 0, "sha256", "0" * 64), "00000.h5: its bytes are not those of the manifest"),
    (MANIFEST, put("content_hash", 5), "content_hash: expected str"),
    (MANIFEST, put("content_hash", "f" * 64), "another content hash than theirs"),
    (MANIFEST, put("seed", None), "expected the key source"),
    (MANIFEST, put("seed", "x"), "seed: expected int | null, but got str"),
    *[(MANIFEST, put("split", value), "split: expected str") for value in (None, "x" * 10000)],
    (MANIFEST, put("versions", None), "versions: expected object, but got null"),
    (MANIFEST, put("object_set", None), "object_set: expected str"),
    (MANIFEST, put("more", 1), "expected keys out of split, seed"),
    (STATE, drop("teacher"), "expected the key teacher"),
    (STATE, put("teacher", None), "teacher: expected object"),
    (STATE, drop("architecture"), "expected the key architecture"),
    (STATE, put("architecture", []), "architecture: expected object, but got array"),
    (STATE, drop("history"), "expected the key history"),
    (STATE, put("history", None), "history: expected array"),
    (STATE, lambda s: s.update(history=s["history"] * 99), "it is of epoch 1 with 99 rows"),
    (STATE, put("history", 0, "validation", "x"), "validation: expected object, but got str"),
    (STATE, put("epoch", 4), "it is of epoch 4 with 1 rows"),
    (STATE, put("rng", None), "rng: expected object"),
    (STATE, put("rng", "python", []), "rng.python: expected array of length 3"),
    (STATE, put("optimizer", None), "optimizer: expected object"),
    (STATE, put("schedule", {}), "schedule: expected the key last_epoch"),
    (STATE, put("schedule", None), "schedule: expected object"),
    (STATE, put("schema", 9), "expected checkpoint schema 1"),
    (STATE, put("sha256", "model", "0" * 64), "model.safetensors is damaged"),
    (SETTINGS, put("settings", None), "settings: expected object"),
    (SETTINGS, put("settings", "data", []), "settings.json is damaged"),
    *[(SETTINGS, put("settings", "report_to", v), "report_to: expected names") for v in (None, 5, "wandb", [1])],
    (SETTINGS, put("settings", "seed", -1), "seed"),
    (SETTINGS, put("settings", "method", "${oc.env:HOME}"), "holds an interpolation"),
    (SETTINGS, put("data", []), "data: expected object"),
    (SETTINGS, put("teacher", "embed_dim", 0), "embed_dim: expected int >= 1"),
    (RESULT, drop("metrics"), "expected the key metrics"),
    (RESULT, put("metrics", []), "metrics: expected object"),
    (RESULT, put("metrics", {}), "metrics: expected the key zero_shot"),
    (RESULT, put("config", {}), "config: expected the key student"),
    (RESULT, put("config", "prompts", None), "config.prompts: expected object, but got null"),
    (RESULT, drop("config", "data", "cameras"), "config.data: expected the key cameras"),
    (RESULT, put("config", "selection_metric", "recall"), "invalid enum value 'recall'"),
    (RESULT, put("data", {}), "data: expected the key"),
    (RESULT, put("data", "ood", "scenes", "many"), "data.ood.scenes: expected int"),
    (RESULT, put("parameters", "5"), "parameters: expected int, but got str"),
    (RESULT, put("peak_memory_mb", None), "peak_memory_mb: expected float"),
    (RESULT, drop("seconds"), "expected the key seconds"),
    (RESULT, drop("history"), "expected the key history"),
    (RESULT, drop("history", "few_shot"), "history: expected the key few_shot"),
    (RESULT, drop("history", "distill", 0, "validation"), r"distill\[0\]: expected the key validation"),
    (RESULT, drop("history", "distill", 0, "validation", "map"), "validation: expected the key map"),
    (RESULT, lambda r: r["history"]["few_shot"].append({"epoch": 2}), r"few_shot\[1\]: expected the key"),
    (RESULT, put("history", "few_shot", 0, "cls", "x"), r"few_shot\[0\].cls: expected a number or null, but got 'x'"),
    (RESULT, drop("metrics", "zero_shot", "ood_on_ood", "always_yes"), "expected the key always_yes"),
    (RESULT, put("teacher", "name", 5), "teacher.name: expected str"),
    (RESULT, put("object_split", "0"), "object_split: expected int"),
    (RESULT, drop("metrics", "few_shot", "id_on_id"), "expected the key id_on_id"),
    (RESULT, put("metrics", "few_shot", "id_on_id", "model", "f1", "x"), "expected float | null, but got str"),
    (RESULT, put("history", "distill", []), "expected array of length >= 1"),
    (RESULT, drop("config"), "expected the key config"),
    (RESULT, put("metrics", "few_shot", "id_on_id", "classes", "a|b\n<b>", {}), "expected one line of text"),
    (RESULT, lambda r: r["metrics"]["few_shot"]["id_on_id"]["classes"].popitem(), "the same classes in all stages"),
    (RESULT, put("seed", "0"), "seed: expected int"),
    (IMAGES, put("metrics", {"zero_shot": {}}), "zero_shot: expected the key id"),
    (IMAGES, put("metrics", {}), "metrics: expected the key teacher"),
    (IMAGES, put("metrics", "few_shot", "ood", {"top1": 1}), "few_shot.ood: expected the key accuracy"),
    (IMAGES, put("metrics", "features", "train", "mse", "x"), "mse: expected float | null, but got str"),
    (IMAGES, put("metrics", "text", "names", "eigenvalues", [None]), "eigenvalues.*expected float, but got null"),
    (IMAGES, put("config", "text", {}), "config.text: expected the key descriptions"),
    (IMAGES, put("config", "objective", []), "config.objective: expected object"),
    (IMAGES, put("data", "seen", "ab"), "data.seen: expected array, but got str"),
    (IMAGES, put("data", "unseen", 0, "a\nb"), r"data.unseen.*expected one line of text"),
    (IMAGES, put("parameters", "5"), "parameters: expected int, but got str"),
    (IMAGES, put("history", {}), "history: expected object of length >= 1"),
    (IMAGES, put("history", "distill", 0, "validation", {}), "expected the key accuracy"),
    (POLICY, put("student", "names", ["a", "a"]), "expected different names"),
    (POLICY, put("student", "names", [1, 2]), "names.*expected str, but got int"),
    (POLICY, put("student", "names", ["a\n", "b"]), "expected one line of text"),
    (POLICY, put("thresholds", "default", float("nan")), "expected default to lie between 0.0 and 1.0"),
    (POLICY, put("thresholds", "names", "a", 99), "thresholds.names.a to lie between"),
    (POLICY, put("thresholds", {}), "thresholds: expected the key default"),
    *[(POLICY, put("student", "camera_size", v), "camera_size to lie between 32 and 4096") for v in (-1, 0, 10**9)],
    (POLICY, put("student", "image_size", 10**6), "image_size to lie between 1 and 4096"),
    (POLICY, put("sha256", "weights.safetensors", "0" * 64), "weights.safetensors is damaged"),
    (POLICY, put("settings", {}), "expected keys out of schema, .*, metrics, but got settings"),
    (TEACHER, put("model_cfg", "text_cfg", "hf_model_name", "x/y"), "expected keys out of .*, but got hf_model_name"),
    (TEACHER, put("model_cfg", "vision_cfg", "timm_model_pretrained", True), "timm_model_pretrained to be false"),
    (TEACHER, put("model_cfg", "vision_cfg", "timm_model_name", "hf-hub:x/y"), "timm_model_name: expected str"),
    (TEACHER, put("model_cfg", "embed_dim", 64), "damaged or of another architecture"),
    (TEACHER, put("preprocess_cfg", "size", 0), "size: expected int >= 1"),
    (TEACHER, put("preprocess_cfg", "std", [0, 0, 0]), "std.*expected float > 0"),
    (TEACHER, put("preprocess_cfg", "more", 1), "expected keys out of .*, but got more"),
    (TEACHER, put("sha256", "0" * 64), "open_clip_model.safetensors is damaged"),
    (VIEWS, put("things", None), "things: expected array"),
    (VIEWS, put("things", []), "expected views of objects from 0 to -1"),
    (VIEWS, put("settings", None), "settings: expected object"),
    (VIEWS, put("content_hash", "0" * 64), "are not those of views.json"),
    (EPISODES, drop("steps"), "line 1 of .*expected the key steps"),
    (EPISODES, drop("revision"), "expected the key revision"),
    (EPISODES, put("seed", "0"), "seed: expected int"),
    (EPISODES, put("success", 1), "success: expected bool, but got int"),
    (EPISODES, put("seconds", None), "seconds: expected float"),
    (EPISODES, put("variant", "a\nb"), "variant: expected one line of text"),
    (EPISODES, put("target", ""), "target: expected str of length >= 1"),
    (EPISODES, put("instruction", "a\ud800"), "instruction: expected one line of text"),
    (EPISODES, put("picked", [5]), r"picked\[0\]: expected str, but got int"),
    (CLASSES, put(0, "name", "a\nb"), "name: expected one line of text"),
    (CLASSES, put(0, "name", "a\0b"), "name: expected one line of text"),
    (CLASSES, put(0, "name", "a\ud800"), "name: expected one line of text"),
    (CLASSES, put(0, "name", "x" * 10_000), "name: expected str of length <= 1000"),
    (CLASSES, put(0, "category", "a\nb"), "category: expected one line of text"),
    (CLASSES, put(0, "coarse", "\udfff"), "coarse: expected one line of text"),
    (CLASSES, put(0, "description", "a\ud800"), "description: expected a text that can be written"),
    (CLASSES, put(0, "description", "x" * 100_000), "description: expected str of length <= 10000"),
    (CAPTIONS, put("text", " \n"), "text: expected a text that can be written and is not blank"),
    (CAPTIONS, put("text", "a\udc00"), "text: expected a text that can be written and is not blank"),
    ("datasets/scenes/subsets.py:read_split", lambda s: s.clear(), "the list is empty"),
    (CLASSES, put(0, "folder", "b"), "expected each folder once"),
    (CLASSES, put(0, "folder", None), "folder: expected str, but got null"),
    (CLASSES, put(0, "description", []), "description: expected str"),
    ("evaluation/teacher_thresholds.py:read_thresholds", put("thresholds", []), "thresholds: expected object"),
    ("experiments/scenes/table12.py:read_tables", put("pairs", [["a"]]), "pairs.*expected array of length 2"),
]  # fmt: skip


def made(reader: str, folder: Path) -> Reader:
    return READERS[reader](folder)


@pytest.mark.parametrize(("reader", "change", "message"), TABLE)
def test_a_wrong_value_is_named(reader: str, change: Change, message: str, tmp_path: Path) -> None:
    path, read = made(reader, tmp_path)
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values) + "\n")
    with pytest.raises(PickClutterError, match=message) as caught:
        read()
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


TENSORS = {
    STATE: "epoch_0001/model.safetensors",
    POLICY: "policy/weights.safetensors",
    TEACHER: "teacher/open_clip_model.safetensors",
    "experiments/scenes/trained_student.py:load": "label_features.safetensors",
}


@pytest.mark.parametrize("reader", TENSORS)
def test_a_flipped_bit_in_tensors_is_found(reader: str, tmp_path: Path) -> None:
    _, read = made(reader, tmp_path)
    path = tmp_path / TENSORS[reader]
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(PickClutterError, match=rf"{path.name} (is|are) damaged .*sha256"):
        read()


@pytest.mark.parametrize("reader", TENSORS)
def test_files_of_earlier_versions_without_hashes_are_read(reader: str, tmp_path: Path) -> None:
    described, read = made(reader, tmp_path)
    if described.suffix == ".json":
        values = json.loads(described.read_text())
        del values["sha256"]
        described.write_text(json.dumps(values))
    else:
        metadata = {"names": '["a", "b"]', "unseen": "[true, false]", "camera_size": "32"}
        save_file(load_file(described), described, metadata)
    read()


@pytest.mark.parametrize("reader", [POLICY, TEACHER])
def test_weights_that_are_no_numbers_are_refused(reader: str, tmp_path: Path) -> None:
    described, read = made(reader, tmp_path)
    path = tmp_path / TENSORS[reader]
    weights = {name: value.float() * torch.nan for name, value in load_file(path).items()}
    save_file(weights, path)
    values = json.loads(described.read_text())
    del values["sha256"]
    described.write_text(json.dumps(values))
    with pytest.raises(PickClutterError, match="expected finite numbers in"):
        read()


def test_other_folders_than_those_of_epochs_do_not_count(tmp_path: Path) -> None:
    for name in ("epoch_0001", "epoch_1x", "epoch_99999999999999999999", "epoch_0002.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").touch()
    assert saved_epochs(tmp_path) == [1]
