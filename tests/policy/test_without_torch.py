"""A policy without torch: the decisions of torch, further names, damage, a process that cannot import torch."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.policies import SIDE, looks_of, opened, random_policy
from helpers.scene_data import make_toy_store
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.language.instructions import encode_instruction
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import TorchNetworks, load_pretrained
from pickclutter_lang.policy_making.config import RuntimeExportConfig
from pickclutter_lang.policy_making.export_runtime import export_runtime

pytest.importorskip("onnxscript", reason="needs the extra export")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> SceneDataset:
    store = make_toy_store(tmp_path_factory.mktemp("looks") / "ood", "ood", 12, seed=3, size=SIDE)
    return SceneDataset(store, SceneDataConfig(crop_size=None))


@pytest.fixture(scope="module")
def looks(scenes: SceneDataset) -> list[dict[str, Any]]:
    return looks_of(scenes)


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A policy with a crop classifier, and its export."""
    policy = random_policy(tmp_path_factory.mktemp("crops") / "policy", image_size=SIDE, object_crop_size=64)
    done = export_runtime(RuntimeExportConfig(str(policy)))
    assert done.folder == policy / "runtime" and done.difference < 1e-4
    return policy, done.folder


@pytest.fixture(scope="module")
def trained(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A policy that was trained, and its export."""
    policy = exported / "few_shot"
    out = tmp_path_factory.mktemp("trained") / "runtime"
    return policy, export_runtime(RuntimeExportConfig(str(policy), out=str(out))).folder


def check_decisions(policy: Path, out: Path, looks: list[dict[str, Any]]) -> None:
    """Compare scores, maps, thresholds, answers and masks with those of torch in float32, for three names a look."""
    config, weights, text = load_pretrained(policy)
    spec = replace(config.student, precision="float32")
    with_torch = StudentRuntime(spec, TorchNetworks(spec, weights, text), config.thresholds)
    student = StudentRuntime.load(out, num_threads=1)
    names = student.names
    assert tuple(names) == config.student.names
    for number, look in enumerate(looks):
        ours, theirs = (one.predict(look, names) for one in (with_torch, student))
        for expected, found in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-4)
        asked = [names[(3 * number + n) % len(names)] for n in range(3)]
        detected = [StudentDetector(one).detect(look, asked) for one in (with_torch, student)]
        for expected, found in zip(*detected, strict=True):
            assert found.score == pytest.approx(expected.score, abs=1e-4)
            assert found.threshold == expected.threshold and (found.margin < 0) == (expected.margin < 0)
            np.testing.assert_array_equal(found.mask, expected.mask)
            np.testing.assert_allclose(found.heatmap, expected.heatmap, atol=1e-6)


def test_decisions_with_depth_and_resized_images_are_those_of_torch(
    looks: list[dict[str, Any]], tmp_path: Path
) -> None:
    policy = random_policy(tmp_path / "policy", crop_size=40, depth=True)
    check_decisions(policy, export_runtime(RuntimeExportConfig(str(policy))).folder, looks)


def test_a_trained_student_is_decided_as_with_torch(
    exported: Path, trained: tuple[Path, Path], crops: tuple[Path, Path], looks: list[dict[str, Any]]
) -> None:
    check_decisions(*crops, looks)
    stored = [look for scenes in opened(exported, "few_shot").scenes.values() for look in looks_of(scenes)]
    assert len(stored) >= 36
    check_decisions(*trained, stored)


def test_further_names_are_exported_with_the_policy(
    exported: Path, looks: list[dict[str, Any]], tmp_path: Path
) -> None:
    policy = exported / "few_shot"
    out = str(tmp_path / "runtime")
    student = StudentRuntime.load(export_runtime(RuntimeExportConfig(str(policy), out=out)).folder)
    with pytest.raises(InvalidArgumentError, match="out"):
        export_runtime(RuntimeExportConfig(str(policy), out=str(policy)))
    with pytest.raises(UnknownObjectError, match="mug"):
        student.predict(looks[0], ["lemon", "mug"])
    config = RuntimeExportConfig(str(policy), out=out, names=["a red teapot", "mug", "the red one", "lemon"])
    student = StudentRuntime.load(export_runtime(config).folder)
    with_torch = StudentRuntime.load(policy)
    asked = ["mug", "lemon", "a red teapot"]
    found = student.predict(looks[0], asked).scores
    np.testing.assert_allclose(found, with_torch.predict(looks[0], asked).scores, atol=0.02)
    assert len(set(found.tolist())) == 3 and student.thresholds.of("mug") == student.thresholds.default
    ours, theirs = (StudentDetector(one)(looks[0], "the red one") for one in (student, with_torch))
    assert ours.score == pytest.approx(theirs.score, abs=0.05) and ours.threshold == 0.5
    sent = pickle.loads(pickle.dumps(student))  # as gymnasium does for AsyncVectorEnv
    np.testing.assert_array_equal(sent.predict(looks[0], asked).scores, found)


@pytest.mark.parametrize(
    ("name", "content"), [("student.onnx", b"123"), ("crop_classifier.onnx", None), ("policy.json", b"123")]
)
def test_damage_is_named(crops: tuple[Path, Path], tmp_path: Path, name: str, content: bytes | None) -> None:
    path = shutil.copytree(crops[1], tmp_path / "copy") / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CheckpointError, match=name):
        LanguagePickPolicy.load(path.parent)


ABSENT = ("torch", "torchvision", "timm", "open_clip", "hydra", "omegaconf", "h5py", "matplotlib", "gymnasium", "rich")
ACTING = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # an import of them fails
import numpy as np
from pickclutter_lang.policy.policy import LanguagePickPolicy

policy, observation = LanguagePickPolicy.load({folder!r}), dict(np.load({file!r}))
first, state = policy.predict(observation)
second, _ = policy.predict(observation, state)
np.savez({out!r}, first=first, second=second, score=state[0].detections[0].score)
"""


def test_it_acts_where_torch_cannot_be_imported(
    crops: tuple[Path, Path], looks: list[dict[str, Any]], tmp_path: Path
) -> None:
    policy, out = crops
    file, answer = tmp_path / "look.npz", tmp_path / "answer.npz"
    np.savez(file, **flat(looks[1], "pick up the lemon"))
    code = ACTING.format(absent=ABSENT, folder=str(out), file=str(file), out=str(answer))
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    with_torch, found = LanguagePickPolicy.load(policy), np.load(answer)
    first, state = with_torch.predict(dict(np.load(file)))
    np.testing.assert_allclose(found["first"], first, atol=1e-5)
    np.testing.assert_allclose(found["second"], with_torch.predict(dict(np.load(file)), state)[0], atol=1e-5)
    assert found["score"] == pytest.approx(state[0].detections[0].score, abs=1e-4)


def flat(look: dict[str, Any], instruction: str) -> dict[str, Any]:
    """A stored look as an observation of `FlatObservation`, with the arm at rest."""
    return {
        **look,
        "instruction": encode_instruction(instruction),
        "qpos": np.array([0, 0.39, 0, -1.96, 0, 2.36, 0.79, 0.04, 0.04], np.float32),
        "base_pose": np.array([-0.615, 0, 0, 1, 0, 0, 0], np.float32),
        "goal_pos": np.array([0.0, 0.1, 0.3], np.float32),
    }
