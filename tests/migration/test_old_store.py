"""A scene store that version 0.1.0 (revision 3ef96b3) collected is read, verified and completed as it is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.paths import TESTS
from pickclutter_lang.datasets.scenes import SceneStore, verify_store

OLD = TESTS / "migration" / "store_0_1_0"
"""`python scripts/collect_scenes.py split=ood scenes=2 image_size=32 shard_size=1`, without its contact sheet."""
CONTENT = "2576f35e3b0751f0adbc7e27bc45453dfffe6fcfbf12925b03ca3b2fdb921217"


def test_it_is_read_as_it_is() -> None:
    assert verify_store(OLD).content_hash == CONTENT
    store = SceneStore.open(OLD)
    assert store.manifest.split == "ood" and store.manifest.scenes == 2
    assert store.object_split == 0


@pytest.mark.sim
@pytest.mark.slow
def test_its_collection_goes_on_with_the_same_scenes(tmp_path: Path) -> None:
    pytest.importorskip("sapien", reason="needs the sim extra")
    from pickclutter_lang.envs.config import CollectConfig
    from pickclutter_lang.envs.generation.collect import collect

    settings: dict[str, Any] = {"split": "ood", "scenes": 2, "image_size": 32, "shard_size": 1, "workers": 1}
    shutil.copytree(OLD, tmp_path / "old")
    kept = collect(CollectConfig(**settings, out=str(tmp_path / "old")))
    assert (kept.made, kept.kept) == (0, 2)
    collect(CollectConfig(**settings, out=str(tmp_path / "new")))
    for shard in ("00000.h5", "00001.h5"):  # the last bits of a render differ from machine to machine
        with h5py.File(OLD / "shards" / shard) as old, h5py.File(tmp_path / "new" / "shards" / shard) as new:
            for name in ("actors", "present", "visible", "graspable"):
                assert np.array_equal(old[name], new[name]), name
            assert np.abs(old["poses"][()] - new["poses"][()]).max() < 1e-3
            assert np.abs(old["hand_rgb"][()].astype(float) - new["hand_rgb"][()]).mean() < 2
