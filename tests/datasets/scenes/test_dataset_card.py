from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.paths import SHARED
from helpers.scene_rows import make_manifest, make_store
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.contact_sheet import write_contact_sheet
from pickclutter_lang.datasets.scenes.dataset_card import write_dataset_card
from pickclutter_lang.datasets.scenes.maniskill_episodes import read_episodes, write_episodes
from pickclutter_lang.errors import DatasetError, InvalidArgumentError

CHECK = {"instances": 7, "labelled": 4, "picked": 3, "agreement": 0.75, "precision": 0.5, "recall": None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_store(tmp_path / "store", make_manifest(size=32))
    return tmp_path / "store"


def test_card_counts_the_labels(folder: Path) -> None:
    store = SceneStore.open(folder)
    text = write_dataset_card(folder).read_text()
    present, visible, graspable = (store.labels(kind) for kind in ("present", "visible", "graspable"))
    column = int(present.sum(0).argmax())
    line = next(line for line in text.splitlines() if line.startswith(f"| {store.label_names[column]} |"))
    cells = [cell.strip().split(" ")[0] for cell in line.split("|")[3:6]]
    assert cells == [str(labels[:, column].sum()) for labels in (present, visible, graspable)]
    total = next(line for line in text.splitlines() if "**all objects**" in line)
    assert f"| {present.sum()} | {visible.sum()} (" in total
    assert store.content_hash in text and "procedural models" in text and "Not yet for this store" in text


def test_card_shows_the_grasp_check(folder: Path) -> None:
    (folder / "grasp_check.json").write_text(json.dumps({**CHECK, "pose_success": 0.25}))
    text = write_dataset_card(folder).read_text()
    assert "attempted to pick 7 visible objects" in text
    assert "| precision | 0.500 |" in text and "| recall | - |" in text and "| pose_success | 0.250 |" in text


@pytest.mark.parametrize("broken", ["{", json.dumps(CHECK)])
def test_a_broken_grasp_check_is_named(folder: Path, broken: Any) -> None:
    (folder / "grasp_check.json").write_text(broken)
    with pytest.raises(DatasetError, match=r"grasp_check\.json is damaged .*pickclutter validate-grasp-labels"):
        write_dataset_card(folder)


@pytest.mark.parametrize(
    ("object_set", "words"),
    [("ycb", "CC BY 4.0"), ("proxy", "procedural models"), ("published", "authors of Li et al.")],
)
def test_card_names_the_license(tmp_path: Path, object_set: str, words: str) -> None:
    values = json.loads(json.dumps({"object_set": object_set}))
    manifest = make_store(tmp_path / "s")
    type(manifest)(**{**manifest.__dict__, **values}).write(tmp_path / "s")
    assert words in write_dataset_card(tmp_path / "s").read_text()


@pytest.mark.parametrize("graspable", [True, False])
def test_contact_sheet_shows_images(tmp_path: Path, graspable: bool) -> None:
    make_store(tmp_path / "s", make_manifest(size=32, graspable=graspable))
    store = SceneStore.open(tmp_path / "s")
    sheet = np.asarray(Image.open(write_contact_sheet(tmp_path / "s", scenes=3, columns=2)).convert("RGB"))
    image = Image.fromarray(store.images(index=0)).resize((272, 272), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(sheet[62 : 62 + 272, 14 : 14 + 272], np.asarray(image))
    green = (np.abs(sheet.astype(int) - (0x1D, 0x7A, 0x3E)).sum(-1) == 0).any()
    assert green == graspable  # the color of graspable objects' names
    with pytest.raises(InvalidArgumentError, match="scenes and columns"):
        write_contact_sheet(tmp_path / "s", scenes=0)


def test_contact_sheet_has_all_scenes_of_a_small_store(tmp_path: Path) -> None:
    make_store(tmp_path / "s", make_manifest(scenes=2))
    assert Image.open(write_contact_sheet(tmp_path / "s")).width < 600


def test_episodes_match_the_store(folder: Path) -> None:
    path = write_episodes(folder)
    store, episodes = SceneStore.open(folder), read_episodes(path)
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
    assert write_episodes(folder).read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"{}", b'[{"actors": []}]', b"[1]", b"\x1f\x8bhalf"])
def test_other_files_are_no_episodes(tmp_path: Path, data: Any) -> None:
    (tmp_path / "e.json").write_bytes(data)
    with pytest.raises(DatasetError, match=r"e.json.*ManiSkill2 episode file|a list of episodes with actors in"):
        read_episodes(tmp_path / "e.json")
    with pytest.raises(DatasetError, match="no such file"):
        read_episodes(tmp_path / "none.json")


def _ycb() -> Path | None:
    root = Path(os.environ.get("PICKCLUTTER_YCB") or SHARED / "data" / "ycb")
    return root if (root / "info_pick_v0.json").is_file() else None


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.skipif(_ycb() is None, reason="the real YCB objects are not here (PICKCLUTTER_YCB)")
def test_stock_pick_clutter_loads_our_episodes(tmp_path: Path) -> None:
    pytest.importorskip("sapien", reason="needs the simulator: the `sim` extra")
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation.collect import collect
    from pickclutter_lang.envs.renderer import renderer_options

    config = CollectConfig(
        split="ood", scenes=3, objects="ycb", objects_root=str(_ycb()), out=str(tmp_path / "s"), image_size=32,
        workers=1, graspable=False,
    )  # fmt: skip
    store = collect(config).store
    options = renderer_options()  # before mani_skill2 starts a renderer of its own
    import gymnasium
    import mani_skill2.envs  # noqa: F401

    env = gymnasium.make(
        "PickClutterYCB-v0",
        asset_root=str(_ycb()),
        episode_json=str(tmp_path / "s" / "episodes.json.gz"),
        obs_mode="state",
        **options,
    )
    stock: Any = env.unwrapped
    for index in range(len(store)):
        env.reset(seed=1, options={"episode_idx": index, "reconfigure": True})
        scene = store.scene(index)
        used = scene["actors"] >= 0
        names = [store.model_ids[column] for column in scene["actors"][used]]
        assert [actor.name for actor in stock.objs] == names
        assert scene["visible"][store.model_ids.index(stock.obj.name)]  # a target is never hidden
        for actor, pose in zip(stock.objs, scene["poses"][used], strict=True):
            assert np.abs(actor.pose.p - pose[:3]).max() < 0.03  # it lies still where it was put
    env.close()
