"""LeRobot data sets, read back with the libraries that read them, and compared with the trajectories."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from helpers.demonstrations import FILE, TASKS, make_toy_demos
from pickclutter_lang.demonstrations import lerobot
from pickclutter_lang.demonstrations.config import ExportLerobotConfig
from pickclutter_lang.demonstrations.lerobot import (
    IMAGE,
    QUANTILES,
    export_lerobot,
)
from pickclutter_lang.demonstrations.trajectories import find_episodes
from pickclutter_lang.errors import DatasetError

pq = pytest.importorskip("pyarrow.parquet")
LENGTHS = [4, 5, 6]
NUMBERS = ("observation.state", "action", "next.success", "timestamp")


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_toy_demos(tmp_path_factory.mktemp("toys") / "demos")


@pytest.fixture(scope="module")
def exported(demos: Path) -> Path:
    return export_lerobot(ExportLerobotConfig(str(demos), str(demos.parent / "lerobot"))).folder


@pytest.fixture(scope="module")
def frames(exported: Path) -> list[dict[str, Any]]:
    return pq.read_table(exported / "data" / "chunk-000" / "file-000.parquet").to_pylist()  # type: ignore[no-any-return]


def episodes_of(exported: Path) -> list[dict[str, Any]]:
    path = exported / "meta" / "episodes" / "chunk-000" / "file-000.parquet"
    return pq.read_table(path).to_pylist()  # type: ignore[no-any-return]


def test_every_frame_is_an_observation_and_the_action_after_it(demos: Path, frames: list[dict[str, Any]]) -> None:
    assert all(source.record["success"] for source in find_episodes(demos, FILE).values())  # of earlier folders too
    rows = iter(frames)
    with h5py.File(demos / FILE) as file:
        for episode, length in enumerate(LENGTHS):
            group = file[f"traj_{episode}"]
            assert len(group["actions"]) == length
            for step in range(length):
                row = next(rows)
                state = [group[f"obs/{name}"][step] for name in ("agent/qpos", "extra/tcp_pose", "extra/goal_pos")]
                np.testing.assert_array_equal(row["observation.state"], np.concatenate(state).astype(np.float32))
                np.testing.assert_array_equal(row["action"], group["actions"][step])
                with Image.open(io.BytesIO(row[IMAGE]["bytes"])) as image:
                    assert image.format == "PNG"
                    np.testing.assert_array_equal(np.asarray(image), group["obs/image/hand_camera/rgb"][step])
                assert (row["episode_index"], row["frame_index"]) == (episode, step)
                assert row["task_index"] == [0, 1, 0][episode]
                assert row["timestamp"] == pytest.approx(step / 20) and row["next.success"] is (step == length - 1)
    assert next(rows, None) is None
    assert [row["index"] for row in frames] == list(range(sum(LENGTHS)))


def test_the_table_of_episodes_says_where_each_begins_and_ends(exported: Path) -> None:
    tasks = pq.read_table(exported / "meta" / "tasks.parquet").to_pylist()
    assert [(row["task_index"], row["task"]) for row in tasks] == [*enumerate(dict.fromkeys(TASKS))]
    begin = 0
    for number, row in enumerate(episodes_of(exported)):
        assert row["episode_index"] == number and row["tasks"] == [TASKS[number]]
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (begin, begin + LENGTHS[number])
        assert row["length"] == LENGTHS[number]
        assert all(row[f"{part}/{key}_index"] == 0 for part in ("data", "meta/episodes") for key in ("chunk", "file"))
        begin += LENGTHS[number]
    assert begin == sum(LENGTHS)
    (path,) = exported.glob("data/*/*.parquet")
    assert [pq.ParquetFile(path).metadata.row_group(n).num_rows for n in range(3)] == LENGTHS


def test_information_and_statistics_are_of_the_frames(
    demos: Path, exported: Path, frames: list[dict[str, Any]]
) -> None:
    stats = json.loads((exported / "meta" / "stats.json").read_text())
    rows = episodes_of(exported)
    info = json.loads((exported / "meta" / "info.json").read_text())
    table = pq.read_table(exported / "data" / "chunk-000" / "file-000.parquet")
    assert info["codebase_version"] == "v3.0" and info["fps"] == 20 and info["splits"] == {"train": "0:3"}
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 15, 2)
    assert (exported / info["data_path"].format(chunk_index=0, file_index=0)).is_file()
    assert list(info["features"]) == table.column_names and set(stats) == set(table.column_names)
    for name, feature in info["features"].items():
        if name != IMAGE:
            (length,), number = feature["shape"], feature["dtype"].replace("float32", "float")
            kind = number if length == 1 else f"fixed_size_list<element: {number}>[{length}]"
            assert str(table.schema.field(name).type) == kind
    of_episode = [[row for row in frames if row["episode_index"] == number] for number in range(3)]
    for chosen, found in [(frames, stats), *((one, nested(row)) for one, row in zip(of_episode, rows, strict=True))]:
        for name in NUMBERS:
            values = np.array([row[name] for row in chosen], float).reshape(len(chosen), -1)
            expected = {key: getattr(values, key)(0) for key in ("min", "max", "mean", "std")}
            expected |= {key: np.quantile(values, share, axis=0) for key, share in QUANTILES.items()}
            for key, value in expected.items():
                np.testing.assert_allclose(found[name][key], value, rtol=1e-6, atol=1e-9)
            assert found[name]["count"] == [len(chosen)]
        images = np.stack([np.asarray(Image.open(io.BytesIO(row[IMAGE]["bytes"]))) for row in chosen]) / 255
        np.testing.assert_allclose(np.array(found[IMAGE]["mean"])[:, 0, 0], images.mean((0, 1, 2)))
        np.testing.assert_allclose(np.array(found[IMAGE]["std"])[:, 0, 0], images.std((0, 1, 2)))
        assert np.shape(found[IMAGE]["q50"]) == (3, 1, 1) and found[IMAGE]["count"] == [len(chosen)]


def nested(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The statistics of a row of the table of episodes, as in `stats.json`."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        if key.startswith("stats/"):
            _, name, kind = key.split("/")
            found.setdefault(name, {})[kind] = value
    return found


def test_a_large_data_set_has_several_files(demos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lerobot, "DATA_MEGABYTES", 0)
    monkeypatch.setattr(lerobot, "FILES_IN_CHUNK", 2)
    out = export_lerobot(ExportLerobotConfig(str(demos), str(tmp_path / "out"))).folder
    places = [(row["data/chunk_index"], row["data/file_index"]) for row in episodes_of(out)]
    assert places == [(0, 0), (0, 1), (1, 0)]
    for number, (chunk, file) in enumerate(places):
        table = pq.read_table(out / "data" / f"chunk-{chunk:03d}" / f"file-{file:03d}.parquet")
        assert set(table["episode_index"].to_pylist()) == {number}


def test_an_older_export_is_replaced_and_nothing_else(demos: Path, tmp_path: Path) -> None:
    config = ExportLerobotConfig(str(demos), str(tmp_path / "out"))
    out = export_lerobot(config).folder
    (out / "left_over").write_text("of the older export")
    export_lerobot(config)
    assert not (out / "left_over").exists() and (out / "README.md").is_file()
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("text")
    with pytest.raises(DatasetError, match="thesis"):
        export_lerobot(ExportLerobotConfig(str(demos), str(other)))
    assert (other / "chapter.txt").read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "thesis"]


def _array(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with h5py.File(folder / FILE, "a") as file:
            values = change(file[name][()])
            del file[name]
            file[name] = values

    return spoil


def _episode(**changes: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = (folder / FILE).with_suffix(".json")
        content = json.loads(path.read_text())
        content["episodes"][1].update(changes)
        path.write_text(json.dumps(content))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "key"),
    [
        (_array("traj_1/actions", lambda values: values * np.nan), "finite numbers in actions"),
        (_array("traj_1/actions", lambda values: values[:2]), "actions"),
        (_array("traj_1/actions", lambda values: values.astype("S")), "actions"),
        (_array("traj_1/obs/agent/qpos", lambda values: values[:3]), "qpos"),
        (_array("traj_1/obs/image/hand_camera/rgb", lambda values: values[:, :9]), "rgb"),
        (_episode(episode_id=0), "each episode once"),
        (_episode(elapsed_steps=99), "99"),
        (_episode(elapsed_steps=-1), "elapsed_steps"),
        (_episode(control_mode="../x"), "control_mode"),
        (_episode(control_mode="pd_joint_delta_pos"), "one controller"),
    ],
)
def test_an_episode_of_another_form_is_named(spoil: Callable[[Path], None], key: str, tmp_path: Path) -> None:
    spoil(make_toy_demos(tmp_path / "demos"))
    with pytest.raises(DatasetError, match=key):
        export_lerobot(ExportLerobotConfig(str(tmp_path / "demos"), str(tmp_path / "out")))
    assert [path.name for path in tmp_path.iterdir()] == ["demos"]


def test_what_cannot_be_exported_is_named(demos: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        export_lerobot(ExportLerobotConfig(str(tmp_path / "nowhere"), str(tmp_path / "out")))
    damaged = make_toy_demos(tmp_path / "damaged", 1, side=31)
    with h5py.File(damaged / FILE, "a") as file:
        del file["traj_0/actions"]
    with pytest.raises(DatasetError, match="actions"):
        export_lerobot(ExportLerobotConfig(str(damaged), str(tmp_path / "out")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged"]
