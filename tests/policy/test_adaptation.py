"""Calibration without labels: what it decides, what it leaves alone, what is written and refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from PIL import Image
from safetensors.numpy import load, save

from helpers.hub_server import serve_hub
from helpers.paths import PROGRAM
from helpers.policies import SIDE, random_policy
from helpers.process_kill import run_killed
from helpers.scene_data import make_toy_store
from pickclutter_lang.commands import main
from pickclutter_lang.datasets.scenes.store import SceneStore
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.policy import calibration, torch_networks
from pickclutter_lang.policy.calibration import load_calibration
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.hub import POLICY
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import (
    CALIBRATION_FILE,
    CONFIG_FILE,
    learned_bytes,
    load_config,
    metadata_of,
    policy_fingerprint,
)
from pickclutter_lang.policy_making.config import CalibrateConfig, RuntimeExportConfig, TeachConfig
from pickclutter_lang.policy_making.looks import calibrate
from pickclutter_lang.policy_making.taught_folder import prepare_folder, teach
from pickclutter_lang.utils.hub_files import pretrained_folder

LOOKS = 12
NAMES = ["lemon", "dice", "a red teapot"]
"""Two of the folder, and one that the teacher encodes."""


@pytest.fixture(scope="module")
def place(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy, one that is adapted to scenes, and policies, scenes and images that do not go with it."""
    root = tmp_path_factory.mktemp("calibrated")
    shutil.copytree(exported / "few_shot", root / "policy")
    shutil.copytree(exported / "scenes" / "train", root / "scenes")
    calibrate(CalibrateConfig(str(root / "policy"), str(root / "mine"), str(root / "scenes"), looks=LOOKS))
    shutil.copytree(exported / "distill", root / "other")
    random_policy(root / "depth", depth=True)
    random_policy(root / "crops", object_crop_size=32)
    make_toy_store(root / "few", "ood", 9, size=SIDE)
    make_toy_store(root / "large", "ood", 12, size=2 * SIDE)
    for folder, count in (("frames", LOOKS), ("nine", 9)):
        (root / folder).mkdir()
        for n in range(count):
            Image.fromarray(painted_observation(SIDE, n)["hand_rgb"]).save(root / folder / f"{n:02}.png")
    return root


def policy_of(folder: Path) -> tuple[LanguagePickPolicy, StudentRuntime]:
    policy = LanguagePickPolicy.load(folder)
    return policy, policy._student


def scene_of(store: SceneStore, row: int) -> dict[str, Any]:
    return {"hand_rgb": store.images("hand", "rgb", row)}


def slow_adapted(student: StudentRuntime, looks: list[dict[str, Any]], name: str, score: float) -> float:
    """The adapted score of a name, number by number."""
    known = student.config.names

    def over_looks(one: str) -> list[float]:
        scores = [float(student.predict(look, [one]).scores[0]) for look in looks]
        return [float(np.log(p / (1 - p))) for p in scores]

    def variance(values: list[float]) -> float:
        center = sum(values) / len(values)
        return sum((value - center) ** 2 for value in values) / len(values)

    typical = sum(variance(over_looks(one)) for one in known) / len(known)
    own, count = over_looks(name), len(looks)
    deviation = max(((count * variance(own) + 10 * typical) / (count + 10)) ** 0.5, 0.05)
    z = (np.log(score / (1 - score)) - sum(own) / count) / deviation
    return float(1 / (1 + np.exp(-(z - 0.55))))


def test_a_name_is_present_by_its_z_score(place: Path) -> None:
    (_, plain), (_, student), store = (
        policy_of(place / "policy"),
        policy_of(place / "mine"),
        SceneStore.open(place / "scenes"),
    )
    looks = [scene_of(store, round(row)) for row in np.linspace(0, len(store) - 1, LOOKS)]
    scores = student.predict(scene_of(store, 5), NAMES).scores[None]
    found, thresholds = student.decide(NAMES, scores)
    for n, name in enumerate(NAMES):
        near = 1e-4 if name in student.config.names else 0.02  # cells of a look have a byte for each number
        assert found[0, n] == pytest.approx(slow_adapted(plain, looks, name, float(scores[0, n])), abs=near)
    assert thresholds.tolist() == [0.5] * len(NAMES)
    unchanged, thresholds = plain.decide(NAMES, scores)
    np.testing.assert_array_equal(unchanged, scores)
    assert thresholds.tolist() == [plain.thresholds.of(name) for name in NAMES]


def test_only_names_that_were_not_taught_are_adapted(place: Path) -> None:
    (policy, student), (plain, bare) = policy_of(place / "mine"), policy_of(place / "policy")
    look = painted_observation(SIDE, 1)
    for one in (policy, plain):
        one.teach(look, "lemon", box=(8, 8, 40, 40))
    names = ["lemon", "the red one", "dice"]
    (taught, color, other), (taught_before, color_before, other_before) = (
        StudentDetector(one).detect(look, names) for one in (student, bare)
    )
    for now, before in ((taught, taught_before), (color, color_before)):
        assert now[:2] == before[:2]
        np.testing.assert_array_equal(now.mask, before.mask)
    assert other.threshold == 0.5 != other_before.threshold and other.score != other_before.score
    np.testing.assert_array_equal(other.mask, other_before.mask)
    both = [one.decide(names[::2], np.full((1, 2), 0.3)) for one in (student, bare)]
    assert both[0][0][0, 0] == both[1][0][0, 0] == 0.3 and both[0][1][0] == both[1][1][0]


def test_a_policy_adapts_on_the_way(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (policy, student), look = policy_of(place / "policy"), painted_observation(SIDE)
    before = policy.detector(look, "dice")
    for n in range(9):
        assert policy.adapt(painted_observation(SIDE, n)) == n + 1
        assert policy.detector(look, "dice")[:2] == before[:2]
    for n in range(9, LOOKS):
        policy.adapt(painted_observation(SIDE, n))
    adapted = policy.detector(look, "dice")
    assert adapted.threshold == 0.5 != before.threshold
    for wrong in ({}, {**look, "hand_rgb": look["hand_rgb"][:-1]}):
        with pytest.raises(InvalidArgumentError, match="hand_rgb"):
            policy.adapt(wrong)
    monkeypatch.setattr(calibration, "MAX_LOOKS", LOOKS)
    kept = student.calibration.log_odds
    assert policy.adapt(painted_observation(SIDE, 99)) == LOOKS
    np.testing.assert_array_equal(student.calibration.log_odds[:-1], kept[1:])
    large = {key: np.repeat(np.repeat(look[key], 2, 0), 2, 1) for key in ("hand_rgb", "hand_depth")}
    policy.adapt({**look, **large, "hand_intrinsic": look["hand_intrinsic"] * [[2], [2], [1]]})
    np.testing.assert_allclose(student.calibration.log_odds[-1], kept[0], atol=1e-5)
    policy.adapt({key: np.stack([value, painted_observation(SIDE, 1)[key]]) for key, value in look.items()})
    np.testing.assert_array_equal(student.calibration.log_odds[-2:], kept[:2])


def test_images_are_looked_at_as_the_camera_sees(place: Path, tmp_path: Path) -> None:
    found = calibrate(CalibrateConfig(str(place / "policy"), str(tmp_path / "mine"), images=str(place / "frames")))
    policy, student = policy_of(place / "policy")
    for n in range(LOOKS):
        policy.adapt(painted_observation(SIDE, n))
    assert found.count == LOOKS
    np.testing.assert_array_equal(found.cells, student.calibration.cells)
    np.testing.assert_array_equal(found.log_odds, student.calibration.log_odds)


@pytest.mark.sim
def test_the_simulator_is_looked_at(place: Path, tmp_path: Path) -> None:
    words = ["calibrate", f"policy={place / 'policy'}", "objects=proxy", "looks=10", f"out={tmp_path / 'mine'}"]
    main(words)
    found = load_calibration(tmp_path / "mine", load_config(tmp_path / "mine"))
    assert found.count == 10 and len(np.unique(found.log_odds, axis=0)) == 10


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_calibration_goes_where_its_policy_goes(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, written = place / "mine", (place / "mine" / CALIBRATION_FILE).read_bytes()
    assert policy_fingerprint(mine) != policy_fingerprint(place / "policy")
    main(["calibrate", f"policy={place / 'policy'}", f"scenes={place / 'scenes'}", f"looks={LOOKS}", f"out={mine}"])
    assert "adapted, without labels, to 12 looks" in capsys.readouterr().out
    assert (mine / CALIBRATION_FILE).read_bytes() == written
    LanguagePickPolicy.load(mine).save_pretrained(tmp_path / "saved")
    prepare_folder(str(mine), tmp_path / "prepared")
    teach(
        TeachConfig(str(mine), str(tmp_path / "taught"), ["pear"], str(place / "frames" / "00.png"), box=[8, 8, 40, 40])
    )
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serve_hub() as hub:
        LanguagePickPolicy.load(mine).push_to_hub("me/picker", token="t", endpoint=hub.address)
        fetched = pretrained_folder("me/picker", POLICY, cache_dir=tmp_path, endpoint=hub.address)
    for folder in (tmp_path / "saved", tmp_path / "prepared", tmp_path / "taught", fetched):
        assert (folder / CALIBRATION_FILE).read_bytes() == written
    found = calibrate(CalibrateConfig(str(tmp_path / "taught"), None, str(place / "scenes"), looks=20))
    policy, student = policy_of(tmp_path / "taught")
    assert policy.taught == {"pear": 1} and student.calibration.count == found.count == 20
    (mine_again,) = (shutil.copytree(mine, tmp_path / "again"),)
    (mine_again / CALIBRATION_FILE).unlink()
    assert contents(mine_again) == contents(place / "policy")


def test_a_killed_calibration_leaves_a_whole_policy_or_none(place: Path, tmp_path: Path) -> None:
    words = ["calibrate", f"policy={place / 'policy'}", f"scenes={place / 'scenes'}", f"looks={LOOKS}"]
    run_killed([*PROGRAM, *words, f"out={tmp_path / 'out'}"], "pickclutter_lang.utils.io:fsync", 5, tmp_path)
    assert not (tmp_path / "out" / CONFIG_FILE).exists()
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    words = ["calibrate", f"policy={mine}", f"images={place / 'frames'}"]
    run_killed([*PROGRAM, *words], "pickclutter_lang.utils.io:fsync", 1, tmp_path)
    assert (
        load_calibration(mine, load_config(mine)).files()
        == load_calibration(place / "mine", load_config(place / "mine")).files()
    )
    calibrate(CalibrateConfig(str(place / "policy"), str(tmp_path / "out"), str(place / "scenes"), looks=LOOKS))
    assert contents(tmp_path / "out") == contents(place / "mine")


REFUSED = [
    ("policy={}/policy scenes={}/scenes looks=9", "looks"),
    ("policy={}/policy scenes={}/scenes looks=201", "looks"),
    ("policy={}/policy", "scenes"),
    ("policy={}/policy scenes={}/scenes images={}/frames", "images"),
    ("policy={}/policy scenes={}/few", "few"),
    ("policy={}/policy images={}/nine", "nine"),
    ("policy={}/policy images={}/frames/00.png", "00.png"),
    ("policy={}/policy scenes={}/large", "image_size"),
    ("policy={}/policy scenes={}/nowhere", "nowhere"),
    ("policy={}/policy objects=nowhere", "nowhere"),
    ("policy={}/depth images={}/frames", "depth"),
    ("policy={}/crops images={}/frames", "crop_classifier"),
    ("policy={}/other scenes={}/scenes out={}/mine", "mine"),
    ("policy=open scenes={}/scenes", "out"),
]


@pytest.mark.parametrize(("line", "named"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_mistake_is_one_line_and_nothing_is_written(
    line: str, named: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = contents(place)
    words = [word.replace("{}", str(place)) for word in line.split()]
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", *words, *([] if "out=" in line or "=open" in line else [f"out={place / 'new'}"])])
    said = capfd.readouterr().err
    assert ended.value.code == 2 and named in said and len(said.splitlines()) == 1, said
    assert contents(place) == before and not (place / "new").exists()


def test_another_student_or_a_damaged_file_is_refused(place: Path, tmp_path: Path) -> None:
    other = shutil.copytree(place / "other", tmp_path / "other")
    shutil.copy(place / "mine" / CALIBRATION_FILE, other)
    with pytest.raises(CheckpointError, match="another student"):
        LanguagePickPolicy.load(other)
    whole = (place / "mine" / CALIBRATION_FILE).read_bytes()
    tensors, about = load(whole), json.loads(metadata_of(whole)["calibration"])

    def changed(noted: Mapping[str, Any], **values: Any) -> bytes:
        return save({**tensors, **values}, {"calibration": json.dumps({**about, **noted})})

    flipped = bytearray(whole)
    flipped[-1] ^= 1
    damaged = [whole[:-1], bytes(flipped), b"", changed({"scale": 2.0}), changed({}, steps=tensors["steps"][:3])]
    for data in [*damaged, changed({"schema": "2"}), changed({"student": "x"})]:
        (other / CALIBRATION_FILE).write_bytes(data)
        with pytest.raises(CheckpointError, match=CALIBRATION_FILE):
            LanguagePickPolicy.load(other)


@pytest.mark.parametrize("part", ["scale", "bias", "steps", "log_odds", "cells"])
def test_values_that_no_look_has_are_refused(part: str, place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    whole = (mine / CALIBRATION_FILE).read_bytes()
    tensors = load(whole)
    about = json.loads(metadata_of(whole)["calibration"])
    about.pop("sha256")
    if part == "cells":
        tensors = {**tensors, part: tensors[part][:, :0]}
    elif part in about:
        about[part] = 1e300
    else:
        tensors = {**tensors, part: tensors[part] + tensors[part].dtype.type(1e4)}
    (mine / CALIBRATION_FILE).write_bytes(learned_bytes("calibration", tensors, about))
    with pytest.raises(CheckpointError, match=CALIBRATION_FILE):
        LanguagePickPolicy.load(mine)


@pytest.mark.slow
def test_onnx_decides_and_adapts_the_same(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra export")
    from pickclutter_lang.policy_making.export_runtime import export_runtime

    monkeypatch.setattr(torch_networks, "resolve_bf16", lambda *_: False)
    config = RuntimeExportConfig(str(place / "mine"), out=str(tmp_path / "onnx"), names=["a red teapot"])
    pair = [LanguagePickPolicy.load(folder) for folder in (place / "mine", export_runtime(config).folder)]
    for _ in range(2):
        for seed in range(3):
            look = painted_observation(SIDE, seed)
            ours, theirs = (StudentDetector(policy._student).detect(look, NAMES) for policy in pair)
            for one, other in zip(ours, theirs, strict=True):
                assert one.threshold == other.threshold == 0.5 and one.score == pytest.approx(other.score, abs=2e-3)
                np.testing.assert_array_equal(one.mask, other.mask)
        for n in range(3):
            assert len({policy.adapt(painted_observation(SIDE, 50 + n)) for policy in pair}) == 1
