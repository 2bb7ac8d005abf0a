"""What describes a store: its card, its contact sheet, and ManiSkill2's episodes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.scene_data import make_manifest, make_store
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.episodes import check_episode, read_episodes, write_episodes
from pickclutter_lang.errors import DatasetError, InvalidArgumentError

ACTOR = {"model_id": "011_banana", "scale": 1.0, "pose": [0, 0, 0.1, 1, 0, 0, 0], "rep_pts": [[0, 0, 0.1]]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_store(tmp_path / "store", make_manifest(size=32))
    return tmp_path / "store"


def test_episodes_match_the_store(folder: Path) -> None:
    write_episodes(folder)
    path = folder / "episodes.json.gz"
    store = SceneStore.open(folder)
    episodes = read_episodes(path)
    assert episodes == json.loads(gzip.decompress(path.read_bytes())) and len(episodes) == len(store)
    for index, episode in enumerate(episodes):
        scene = store.scene(index)
        columns = [store.model_ids.index(actor["model_id"]) for actor in episode["actors"]]
        assert columns == scene["actors"][scene["actors"] >= 0].tolist()
        for instance_id, actor in enumerate(episode["actors"]):
            assert set(actor) == {"model_id", "scale", "pose", "rep_pts"}
            np.testing.assert_allclose(actor["pose"], scene["poses"][instance_id], atol=1e-6)
            assert (actor["rep_pts"] is not None) == scene["visible"][columns[instance_id]]
            if actor["rep_pts"] is not None:
                np.testing.assert_allclose(actor["rep_pts"], scene["rep_pts"][instance_id], atol=1e-5)
    before = path.read_bytes()
    write_episodes(folder)
    assert path.read_bytes() == before


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"\x1f\x8bhalf", None])
def test_other_files_are_no_episodes(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "e.json").write_bytes(data)
    with pytest.raises(DatasetError, match=r"e\.json"):
        read_episodes(tmp_path / "e.json")


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"pose": [0, 0, float("nan"), 1, 0, 0, 0]}, "pose"),
        ({"pose": "lying"}, "pose"),
        ({"scale": None}, "scale"),
        ({"rep_pts": [[0, 0]]}, "rep_pts"),
        ({"count": 0}, "actors"),
    ],
)
def test_an_episode_that_would_end_the_simulator_is_refused(wrong: dict[str, Any], key: str) -> None:
    count = wrong.pop("count", 1)
    check_episode({"actors": [{**ACTOR, "rep_pts": np.zeros((2, 3)), "scale": 0.5}] * 100}, "it")
    with pytest.raises(InvalidArgumentError, match=key):
        check_episode({"actors": [{**ACTOR, **wrong}] * count}, "episode 1")


@pytest.mark.sim
@pytest.mark.slow
def test_stock_pick_clutter_loads_our_episodes(ycb_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
    from helpers.environments import make_stock
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation.collect import collect

    root = str(ycb_root)
    config = CollectConfig(
        split="ood", scenes=3, objects="ycb", objects_root=root, out=str(tmp_path / "s"), image_size=32, workers=1,
        graspable=False,
    )  # fmt: skip
    store = collect(config).store
    stock = make_stock(root, tmp_path / "s" / "episodes.json.gz", "state")
    for index in range(len(store)):
        stock.reset(seed=1, options={"episode_idx": index, "reconfigure": True})
        scene = store.scene(index)
        used = scene["actors"] >= 0
        assert [actor.name for actor in stock.objs] == [store.model_ids[n] for n in scene["actors"][used]]
        assert scene["visible"][store.model_ids.index(stock.obj.name)]  # a target is never hidden
        for actor, pose in zip(stock.objs, scene["poses"][used], strict=True):
            assert np.abs(actor.pose.p - pose[:3]).max() < 0.03  # it lies still where it was put
    stock.close()
