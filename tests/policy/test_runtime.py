"""The exported student: policy folder, imports, images and names."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from helpers.policies import SIDE, changed, opened
from helpers.scene_runs import config, make_toys, names_of_objects
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.config import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.descriptions import DescriptionSet
from pickclutter_lang.language.label_names import MAX_NEW_NAMES
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.folder import PolicyConfig
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained, save_pretrained, torch_runtime


def images_of_scene(run: SceneRun, row: int) -> dict[str, Any]:
    scenes = run.scenes["ood"]
    return {"hand_rgb": scenes.load_images("hand", "rgb", [row])[0]}


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_a_folder_predicts_what_the_run_predicts(exported: Path, phase: str) -> None:
    student, run = StudentRuntime.load(exported / phase), opened(exported, phase)
    names = ["banana", "a red teapot", "lemon"]  # one of them is new
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names)
    found = student.predict(images_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=1e-5)
    assert found.attention.shape == (3, student.map_size, student.map_size)
    assert set(student.names) == {*names_of_objects("id"), *names_of_objects("ood"), "a red teapot"}


def test_of_two_thousand_new_names_the_last_are_kept(exported: Path) -> None:
    student = StudentRuntime.load(exported / "few_shot")
    before = len(student.names)
    student.encode_names([f"thing {number}" for number in range(2000)])
    assert len(student.names) == before + MAX_NEW_NAMES and student.names[-1] == "thing 1999"


def test_names_that_come_later_need_no_description(tmp_path: Path) -> None:
    """A student that learned descriptions: a new name stands alone, wherever the files of descriptions are."""
    texts = tmp_path / "mine.json"
    descriptions = {
        name: f"which is number {n}" for n, name in enumerate(names_of_objects("id") + names_of_objects("ood"))
    }
    DescriptionSet("mine", "standard", "none", "", "", "none", "a test", descriptions).save(texts)
    overrides = make_toys(tmp_path)
    described = [f"prompts.descriptions={texts}", "prompts.extra_descriptions=[succinct]", f"out={tmp_path / 'run'}"]
    run = SceneRun.open(config(*overrides, *described))
    run.train()
    export_policy(PolicyExportConfig(str(tmp_path / "run"), "few_shot", None, 1, str(tmp_path / "policy")))
    run.load_weights("few_shot")
    names = ["a red teapot", "Lemon", "lemon"]
    with torch.no_grad():
        expected = run.model.predict(run.scenes["ood"].batch([3]), names).probabilities[0]
    texts.unlink()
    assert str(tmp_path / "mine") not in (tmp_path / "policy" / "policy.json").read_text()
    found = StudentRuntime.load(tmp_path / "policy").predict(images_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.scores[1] != found.scores[2]  # the one is described, the other is not


def test_names_of_the_folder_need_no_teacher(
    exported: Path, student: StudentRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise TeacherError("no teacher here")

    monkeypatch.setattr("pickclutter_lang.teachers.factory.load_teacher", refuse)
    images = {"hand_rgb": np.zeros((SIDE, SIDE, 3), np.uint8)}
    assert student.predict(images, ["lemon", "dice"]).scores.shape == (2,)
    with pytest.raises(TeacherError, match=r"no teacher here; names that are known without it: .*lemon"):
        student.predict(images, ["teapot"])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({}, "expected hand_rgb, but got nothing"),
        ({"base_rgb": np.zeros((SIDE, SIDE, 3), np.uint8)}, "base_rgb"),
        ({"hand_rgb": np.zeros((64, 64, 3), np.uint8)}, "48 x 48 .* got 64 x 64; .*camera_cfgs"),
        ({"hand_rgb": np.zeros((SIDE, SIDE, 4), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48, 4\]"),
        ({"hand_rgb": np.zeros((SIDE, SIDE), np.uint8)}, r"uint8 \[48, 48, 3\], but got uint8 \[48, 48\]"),
        ({"hand_rgb": np.zeros((SIDE, SIDE, 3), np.float32)}, r"but got float32 \[48, 48, 3\]"),
    ],
)
def test_other_images_are_refused(student: StudentRuntime, images: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        student.predict(images, ["lemon"])


@pytest.mark.parametrize(
    ("part", "values", "key"),
    [
        ("student", {"names": None}, "names"),
        ("student", {"names": "lemon"}, "names"),
        ("student", {"depth": 1}, "depth"),
        ("student", {"crop_size": 64}, "camera_size"),
        ("student", {"settings": {}}, "settings"),
        ("student", {"teacher": {}}, "teacher"),
        ("student", {"names": ["lemon"]}, "unseen_names"),
        ("student", {"names": ["lemon"], "unseen_names": []}, "1 names"),
        ("student", {"phase": "fewshot"}, "phase"),
        ("thresholds", {"default": 2}, "default"),
        ("thresholds", {"names": {}}, "names"),
        ("thresholds", {"crop_classifier": {}}, "crop classifier"),
        ("sha256", {"../weights.safetensors": "0" * 64}, "sha256"),
    ],
)
def test_wrong_values_are_named(exported: Path, tmp_path: Path, part: str, values: dict[str, Any], key: str) -> None:
    folder = Path(shutil.copytree(exported / "few_shot", tmp_path / "copy"))
    (folder / "policy.json").write_bytes(changed(exported, part, **values))
    with pytest.raises(CheckpointError, match=key):
        StudentRuntime.load(folder)


@pytest.mark.parametrize("name", ["policy.json", "weights.safetensors", "text.safetensors"])
def test_damaged_files_are_named(exported: Path, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(exported / "few_shot", tmp_path / "copy"))
    for content in (b"[]", b'{"schema": 99}'):
        (folder / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=name):
            StudentRuntime.load(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=name):
        StudentRuntime.load(folder)


def test_another_teacher_is_refused(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "copy")
    values = json.loads((tmp_path / "copy" / "policy.json").read_text())
    values["student"]["teacher"]["fingerprint"] = "0" * 64
    (tmp_path / "copy" / "policy.json").write_text(json.dumps(values))
    with pytest.raises(TeacherError, match="distilled from"):
        StudentRuntime.load(tmp_path / "copy").encode_names(["teapot"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_traced_network_predicts_what_the_network_predicts_and_can_be_sent(exported: Path, precision: str) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    student = torch_runtime(replace(config.student, precision=precision), weights, text, config.thresholds)
    near = 1e-5 if precision == "float32" else 0.02
    images, names = images_of_scene(opened(exported, "few_shot"), 2), ["lemon", "dice"]
    networks = student.networks
    assert isinstance(networks, TorchNetworks)
    given = torch.from_numpy(student.preprocess(images))
    with torch.no_grad():
        expected = networks.model.score(given, PromptFeatures(*map(torch.from_numpy, student.encode_names(names))))
    found = student.predict(images, names)
    assert networks._network(given).dtype == getattr(torch, precision)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=near)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=near)
    sent = pickle.loads(pickle.dumps(student))  # as gymnasium does for AsyncVectorEnv
    np.testing.assert_array_equal(sent.predict(images, names).scores, found.scores)


def test_a_policy_is_loaded_without_the_training(exported: Path) -> None:
    """In a fresh process, with a prediction of the folder's names."""
    code = f"""
import sys
import numpy as np
from pickclutter_lang.policy.policy import LanguagePickPolicy

policy = LanguagePickPolicy.load({str(exported / "few_shot")!r})
student = policy.detector.student
student.predict({{"hand_rgb": np.zeros(({SIDE}, {SIDE}, 3), np.uint8)}}, ["lemon"])
print(" ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "torch" in loaded and "timm" in loaded  # the network is one of timm's
    libraries = {"hydra", "omegaconf", "tensorboard", "torch.utils.tensorboard", "matplotlib", "h5py", "open_clip"}
    assert not libraries & loaded
    laboratory = ("training", "experiments", "datasets.scenes", "teachers.factory", "distillation", "commands")
    prefixes = tuple(f"pickclutter_lang.{room}" for room in laboratory)
    assert not [name for name in loaded if name.startswith(prefixes)]


def test_importing_the_policy_imports_no_network_library() -> None:
    code = "import sys, pickclutter_lang.policy.policy, pickclutter_lang.policy.score_wrappers; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"timm", "torchvision", "efficientnet_pytorch", "hydra", "h5py", "matplotlib"} & set(done.stdout.split())


def test_a_configuration_is_what_was_saved(exported: Path, tmp_path: Path) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    save_pretrained(tmp_path, config, weights, text)
    again, same_weights, same_text = load_pretrained(tmp_path)
    assert again == config and isinstance(config, PolicyConfig)
    assert all(torch.equal(weights[name], same_weights[name]) for name in {*weights, *same_weights})
    pairs: list[Any] = list(zip(text, same_text, strict=True))
    assert len(pairs) == 2 and all(torch.equal(*pair) for pair in pairs)
    with pytest.raises(InvalidArgumentError, match="image_size to lie between 1 and"):
        save_pretrained(tmp_path, replace(config, student=replace(config.student, image_size=0)), weights, text)
