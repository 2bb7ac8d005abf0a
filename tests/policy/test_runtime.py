"""The exported student: policy folder, imports, images and names."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from helpers.policies import SIDE, changed, opened
from helpers.scene_runs import names_of_objects
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.utils.batch_norms import fold_batch_norms


def images_of_scene(run: SceneRun, row: int) -> dict[str, Any]:
    scenes = run.scenes["ood"]
    return {"hand_rgb": scenes.load_images("hand", "rgb", [row])[0]}


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_a_folder_predicts_what_the_run_predicts(exported: Path, phase: str) -> None:
    student = StudentRuntime.load(exported / phase)
    run = opened(exported, phase)
    names = ["banana", "a red teapot", "lemon"]  # one of them is new
    with torch.no_grad():
        expected = run.model.score(run.model.features(run.scenes["ood"].batch([3])), run.model.prompts.encode(names))
    found = student.predict(images_of_scene(run, 3), names)
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=1e-5)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=1e-5)
    for other in ({}, {"hand_rgb": np.zeros((64, 64, 3), np.uint8)}, {"hand_rgb": np.zeros((SIDE, SIDE), np.uint8)}):
        with pytest.raises(InvalidArgumentError, match="hand_rgb"):
            student.predict(other, ["lemon"])
    assert set(student.names) == {*names_of_objects("id"), *names_of_objects("ood"), "a red teapot"}


@pytest.mark.parametrize(
    ("part", "values", "key"),
    [
        ("student", {"names": "lemon"}, "names"),
        ("student", {"crop_size": 64}, "camera_size"),
        ("student", {"settings": {}}, "settings"),
        ("student", {"names": ["lemon"]}, "unseen_names"),
        ("student", {"phase": "fewshot"}, "phase"),
        ("thresholds", {"default": 2}, "default"),
        ("thresholds", {"names": {}}, "names"),
        ("sha256", {"../weights.safetensors": "0" * 64}, "sha256"),
    ],
)
def test_wrong_values_are_named(exported: Path, tmp_path: Path, part: str, values: dict[str, Any], key: str) -> None:
    folder = Path(shutil.copytree(exported / "few_shot", tmp_path / "copy"))
    (folder / "policy.json").write_bytes(changed(exported, part, **values))
    with pytest.raises(CheckpointError, match=key):
        StudentRuntime.load(folder)


def test_only_new_names_need_the_teacher_and_another_is_refused(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "few_shot", tmp_path / "copy")
    values = json.loads((tmp_path / "copy" / "policy.json").read_text())
    values["student"]["teacher"]["fingerprint"] = "0" * 64
    (tmp_path / "copy" / "policy.json").write_text(json.dumps(values))
    student = StudentRuntime.load(tmp_path / "copy")
    assert len(student.networks.encode_names(["lemon", "dice"]).positive) == 2
    with pytest.raises(TeacherError):
        student.networks.encode_names(["teapot"])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_folded_network_predicts_what_the_network_predicts_and_can_be_sent(exported: Path, precision: str) -> None:
    config, weights, text = load_pretrained(exported / "few_shot")
    spec = replace(config.student, precision=precision)
    student = StudentRuntime(spec, TorchNetworks(spec, weights, text), config.thresholds)
    near = 1e-5 if precision == "float32" else 0.02
    images = images_of_scene(opened(exported, "few_shot"), 2)
    names = ["lemon", "dice"]
    networks = student.networks
    assert isinstance(networks, TorchNetworks)
    given = torch.from_numpy(student.preprocess(images))
    with torch.no_grad():
        text = PromptFeatures(*map(torch.from_numpy, student.networks.encode_names(names)))
        expected = networks.model.score(networks.model.features(given), text)
    found = student.predict(images, names)
    assert networks._network.local_features(given).dtype == getattr(torch, precision)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in networks._network.modules())
    np.testing.assert_allclose(found.scores, expected.probabilities[0], atol=near)
    np.testing.assert_allclose(found.attention, expected.attention[0], atol=near)
    sent = pickle.loads(pickle.dumps(student))  # as gymnasium does for AsyncVectorEnv
    np.testing.assert_array_equal(sent.predict(images, names).scores, found.scores)


def test_images_crops_and_texts_follow_the_device_until_they_come_back(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation on a CPU's and another device's tensors fails: `meta` stands for CUDA, which is not here."""
    config, weights, text = load_pretrained(exported / "few_shot")
    spec = replace(config.student, precision="float32")
    networks = TorchNetworks(spec, weights, text, device="meta")
    student = StudentRuntime(spec, networks, config.thresholds)
    image = student.preprocess(images_of_scene(opened(exported, "few_shot"), 2))
    texts = networks.encode_names(["lemon"])
    side = spec.object_crop_size or SIDE
    crops = np.zeros((2, 3, side, side), np.float32)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # it knows no `meta`
    calls: list[Callable[[], object]] = [
        lambda: networks.score(image, texts),
        lambda: networks.encode_crops(np.zeros((2, 3, 112, 112), np.float32)),
    ]
    if networks.crop_classifier is not None:
        calls.append(lambda: networks.classify_crops(crops, crops[:, 0]))
    for call in calls:
        with pytest.raises(NotImplementedError, match="copy out of meta tensor"):
            call()
    with pytest.raises(InvalidArgumentError, match="expected device"):
        StudentRuntime.load(exported / "few_shot", device="cuda:77")


class UsedTwice(nn.Module):
    """A convolution whose values go into a batch norm, and past it."""

    def __init__(self, past: float) -> None:
        super().__init__()
        self.conv, self.norm, self.past = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), past

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.conv(images)
        past: torch.Tensor = self.past * values
        return torch.relu(self.norm(values)) + past


@pytest.mark.parametrize("past", [0.0, 1.0])
def test_folding_changes_no_value_and_leaves_what_cannot_be_folded(past: float) -> None:
    torch.manual_seed(0)
    network = UsedTwice(past)
    images = torch.rand(2, 3, 16, 16)
    network(images)  # the statistics are no longer 0 and 1
    folded = fold_batch_norms(network.eval(), images, use_bf16=False)
    torch.testing.assert_close(folded(images), network(images))
    assert (folded is network) == bool(past)


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
