"""Rows are measured at their smallest, the file is complete, and a second call keeps what the first one measured."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.policies import SIDE, random_policy
from pickclutter_lang.benchmarking.bench import bench, maker
from pickclutter_lang.benchmarking.config import BenchConfig
from pickclutter_lang.benchmarking.inputs import CLOSEUPS, QUICKSTART, BenchInputs, network_config
from pickclutter_lang.benchmarking.measure import summarize
from pickclutter_lang.benchmarking.painted_observation import painted_observation
from pickclutter_lang.benchmarking.report import BenchReport, MeasuredRow, read_report, report_table
from pickclutter_lang.benchmarking.rows import ROWS, TOPICS, chosen_rows
from pickclutter_lang.commands.hydra_app import compose_config
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.policy.detectors import CropVerifier, StudentDetector, segment_observation

SMALL_CLIP = "ViT-S-32-alt"
CHEAP = "decision/segmentation"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_policy(tmp_path_factory.mktemp("policy") / "small")


def small(tmp_path: Path, *only: str, **changes: Any) -> BenchConfig:
    return replace(BenchConfig([*only], repeats=1, clip=SMALL_CLIP, out=str(tmp_path / "bench.json")), **changes)


def test_rows_are_chosen_by_name_and_by_topic() -> None:
    assert chosen_rows([]) == [*ROWS]
    assert chosen_rows(["env", "decision/onnx"]) == ["decision/onnx", "env/step"]
    assert {name.partition("/")[0] for name in ROWS} == set(TOPICS)
    with pytest.raises(InvalidArgumentError, match=r"got 'student/resnet10'; did you mean student/resnet10t"):
        chosen_rows(["student/resnet10"])


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_what_makes_it(name: str) -> None:
    assert callable(maker(name))


@pytest.mark.parametrize(
    ("preset", "overrides"),
    [
        (QUICKSTART, ["experiment=quickstart"]),
        (CLOSEUPS, ["experiment=policy"]),
        ("efficientnet_b0", ["student=efficientnet_b0", "student.output_stride=null"]),
        ("resnet10t", ["student=resnet10t"]),
        ("small_resnet", ["student=small_resnet"]),
    ],
)
def test_networks_are_those_of_the_presets(preset: str, overrides: list[str]) -> None:
    ours, theirs = network_config(preset), compose_config(TrainConfig, "train_affordance", overrides)
    assert ours.student == theirs.student and ours.crop_classifier == theirs.crop_classifier
    for key in ("cameras", "depth", "crop_size", "image_size"):
        assert getattr(ours.data, key) == getattr(theirs.data, key)
    assert (ours.prompts.n_ctx, ours.precision) == (theirs.prompts.n_ctx, theirs.precision)


@pytest.mark.parametrize("side", [176, 256])
def test_a_painted_observation_has_objects_and_a_table(side: int) -> None:
    observation = painted_observation(side)
    segments = segment_observation(observation)
    sizes = np.bincount(segments.ravel())
    assert len(sizes) > 4 and 0.5 < sizes[0] / side**2 < 0.95
    again = painted_observation(side)["image"]["hand_camera"]
    assert all(np.array_equal(again[key], value) for key, value in observation["image"]["hand_camera"].items())


def test_the_embedded_policy_is_found_from_anywhere(tmp_path: Path) -> None:
    folder = BenchInputs(BenchConfig(policy="open"), tmp_path).policy(QUICKSTART)
    assert folder.is_absolute() and (folder / "policy.json").is_file()


def test_a_decision_takes_three_close_ups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    student, counts, best = BenchInputs(BenchConfig(), tmp_path).student(CLOSEUPS, False), [], CropVerifier.best

    def counting(self: CropVerifier, masks: Any, name: str) -> Any:
        counts.append(len(masks))
        return best(self, masks, name)

    monkeypatch.setattr(CropVerifier, "best", counting)
    StudentDetector(student)(painted_observation(256), student.config.names[0])
    assert counts == [3]


def test_a_row_is_kept_until_it_is_asked_for_anew(tmp_path: Path, policy: Path) -> None:
    config = small(tmp_path, CHEAP, policy=str(policy))
    first = bench(config).rows[CHEAP]
    both = bench(replace(config, only=["decision/network", CHEAP])).rows
    assert both[CHEAP] == first and both["decision/network"].measured is not None
    again = bench(replace(config, anew=True)).rows
    assert again[CHEAP] != first and again["decision/network"] == both["decision/network"]
    assert read_report(Path(config.out)).rows == again
    assert [path.name for path in tmp_path.iterdir()] == ["bench.json"]


def test_rows_of_other_settings_are_refused_and_replaced_anew(tmp_path: Path, policy: Path) -> None:
    config = small(tmp_path, CHEAP, policy=str(policy))
    bench(config)
    other = replace(config, only=["decision/network"], repeats=2)
    with pytest.raises(MismatchError, match=r"settings repeats=1 \(now 2\).*anew=true") as refused:
        bench(other)
    assert "\n" not in str(refused.value)
    with pytest.raises(MismatchError, match="anew=true without only"):  # the other rows would be lost
        bench(replace(other, anew=True))
    chosen = replace(config, repeats=2, anew=True)
    assert [*bench(chosen).rows] == [*read_report(Path(config.out)).rows]
    assert read_report(Path(config.out)).settings["repeats"] == 2


@pytest.mark.parametrize(
    ("change", "error", "expected"),
    [
        ({"clip": "ViT-L14", "only": ["decision/torch"]}, InvalidArgumentError, "did you mean ViT-L-14"),
        ({"policy": "nowhere"}, CheckpointError, "expected a policy in nowhere"),
    ],
)
def test_what_is_wrong_is_named(
    change: dict[str, Any], error: type[Exception], expected: str, tmp_path: Path, policy: Path
) -> None:
    with pytest.raises(error, match=expected):
        bench(small(tmp_path, CHEAP, **{"policy": str(policy), **change}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("schema", 2, "expected schema 1"), ("rows", {CHEAP: {"title": 1}}, r"\$\.rows\[\.\.\.\].title: expected str")],
)
def test_a_damaged_file_is_refused(key: str, value: Any, expected: str, tmp_path: Path, policy: Path) -> None:
    config = small(tmp_path, CHEAP, policy=str(policy))
    bench(config)
    content = json.loads(Path(config.out).read_text())
    Path(config.out).write_text(json.dumps(content | {key: value}))
    with pytest.raises(DatasetError, match=expected):
        bench(config)


def test_what_is_missing_is_skipped_by_name_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MS2_ASSET_DIR", str(tmp_path / "nowhere"))
    config = small(tmp_path, "scenes/plain", objects="ycb")
    skipped = bench(config).rows["scenes/plain"]
    reason = "download_asset PickClutterYCB-v0" if find_spec("sapien") else "pip install -e '.[sim]'"
    assert skipped.measured is None and skipped.skipped is not None and reason in skipped.skipped
    monkeypatch.setenv("MS2_ASSET_DIR", str(tmp_path / "elsewhere"))
    again = bench(config)
    assert again.rows["scenes/plain"] != skipped
    assert "- `scenes/plain` was skipped: " in report_table(again)


def check_rows(names: list[str], config: BenchConfig) -> None:
    """Measure rows at their smallest, and check that the file has all of each."""
    bench(config)
    content = json.loads(Path(config.out).read_text())
    assert [*content["rows"]] == names
    assert content["revision"] and content["versions"]["torch"] and content["machine"]["cores"] >= 1
    table = report_table(read_report(Path(config.out)))
    for name, row in content["rows"].items():
        assert row["skipped"] is None and (row["title"], row["reference"]) == (ROWS[name].title, ROWS[name].reference)
        found = row["measured"]
        ((ours, reference),) = found["turns_ms"]
        fast = row["ratio"] == "times as fast"
        assert found["ratio"]["median"] == pytest.approx(reference / ours if fast else ours / reference)
        assert min(ours, reference, *found["calls"]) > 0 and found["ratio"]["interval"] is None
        assert f"| `{name}` | {row['title']} |" in table


@pytest.mark.slow
def test_the_rows_are_measured(tmp_path: Path) -> None:
    topics = [topic for topic in TOPICS if topic not in ("scenes", "env")]
    check_rows(chosen_rows(topics), small(tmp_path, *topics))  # at once: networks are exported once


@pytest.mark.sim
@pytest.mark.slow
def test_the_rows_of_the_simulator_are_measured(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    check_rows(chosen_rows(["scenes", "env"]), small(tmp_path, "scenes", "env"))


ONE = {"num_threads": 1, "OMP_NUM_THREADS": "1", "policy": None}


@pytest.mark.parametrize(
    ("name", "ours", "settings", "load", "shown"),
    [
        ("decision/onnx", 14.0, ONE, 9.0, "| at most 15 ms | met |"),
        ("decision/onnx", 16.0, ONE, 1.9, "| at most 15 ms | missed |"),
        ("decision/onnx", 16.0, ONE, 2.1, "| at most 15 ms | not shown |"),
        ("decision/onnx", 14.0, {**ONE, "num_threads": 2}, 0.0, "|  |  |"),
        ("decision/onnx", 14.0, {**ONE, "OMP_NUM_THREADS": None}, 0.0, "|  |  |"),
        ("decision/onnx", 14.0, {**ONE, "policy": {"a": "0"}}, 0.0, "|  |  |"),
        ("student/efficientnet_b0_onnx", 0.3, {**ONE, "clip": "ViT-L-14"}, 0.0, "| at least 300 | met |"),
        ("student/efficientnet_b0_onnx", 0.4, {**ONE, "clip": "ViT-L-14"}, 0.0, "| at least 300 | missed |"),
        ("student/efficientnet_b0_onnx", 0.3, {**ONE, "clip": "ViT-L-14"}, 9.0, "| at least 300 | not shown |"),
        ("student/efficientnet_b0_onnx", 0.3, {**ONE, "clip": SMALL_CLIP}, 0.0, "|  |  |"),
        ("step/distillation", 199.0, {**ONE, "num_threads": 2}, 0.0, "| at most 200 ms | met |"),
        ("step/distillation", 199.0, ONE, 0.0, "|  |  |"),
        ("env/step", 49.0, {**ONE, "objects": "ycb"}, 0.0, "| at most 0.5 | met |"),
        ("env/step", 49.0, {**ONE, "objects": "proxy"}, 0.0, "|  |  |"),
    ],
)
def test_the_table_says_which_aim_is_met_where_it_was_set(
    name: str, ours: float, settings: dict[str, Any], load: float, shown: str
) -> None:
    row = ROWS[name]
    found = summarize([(ours, 100.0)] * 6, row.ratio, (1, 1), load)
    rows = {name: MeasuredRow(row.title, row.reference, row.ratio, found, None)}
    assert shown in report_table(BenchReport(1, settings, {"usable_cores": 2}, {}, None, rows))


def test_the_small_policy_is_smaller_than_that_of_the_quick_start(policy: Path, tmp_path: Path) -> None:
    looked = BenchInputs(small(tmp_path, policy=str(policy)), tmp_path).student(QUICKSTART, False)
    assert looked.config.camera_size == SIDE
