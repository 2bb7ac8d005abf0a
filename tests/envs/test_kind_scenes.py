"""Scenes and episodes of kinds: equal whatever was made before, with other instances for learning and evaluation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.environments import FEW_KINDS, KINDS, gym, make
from helpers.paths import ROOT, SCRIPTS
from helpers.process_kill import run_killed
from pickclutter_lang.datasets.scenes.episodes import read_episodes
from pickclutter_lang.envs import renderer
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.envs.grasp_validation import validate_grasp_labels
from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation
from pickclutter_lang.errors import InvalidArgumentError, MismatchError, UnknownObjectError
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.objects.kinds import kind_set as kind_set_module
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, load_object_set
from pickclutter_lang.policy.detectors import OracleDetector
from pickclutter_lang.policy.policy import LanguagePickPolicy

pytestmark = [pytest.mark.sim, pytest.mark.slow]
SCENES = 6


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Six small scenes of kinds, made by two workers, with the models in a folder of their own."""
    folder = tmp_path_factory.mktemp("kinds")
    config = CollectConfig(
        split="ood",
        scenes=SCENES,
        seed=3,
        out=str(folder / "ood"),
        objects="kinds",
        objects_root=str(folder / "models"),
        kinds=tuple(FEW_KINDS["kinds"]),
        instances=FEW_KINDS["instances"],
        object_split=1,  # bananas and forks are unseen
        image_size=48,
        shard_size=2,
        workers=2,
    )
    return config, collect(config).store


def test_content_does_not_depend_on_workers_or_what_is_made_already(simulated: Any, tmp_path: Path) -> None:
    config, store = simulated
    warm = collect(replace(config, out=str(tmp_path / "warm"), workers=1)).store
    assert warm.content_hash == store.content_hash
    cold = replace(config, out=str(tmp_path / "cold"), workers=1, shard_size=SCENES, objects_root=str(tmp_path / "m"))
    made = collect(cold).store
    for name in store.manifest.fields:
        np.testing.assert_array_equal(made.array(name), store.array(name), err_msg=name)


def test_a_killed_collection_resumes_to_the_same_content(simulated: Any, tmp_path: Path) -> None:
    config, store = simulated
    out, names = tmp_path / "ood", ",".join(config.kinds)
    overrides = ["objects=kinds", f"kinds=[{names}]", f"instances={config.instances}", f"out={out}", "split=ood"]
    overrides += [f"objects_root={config.objects_root}", f"scenes={SCENES}", "seed=3", "image_size=48"]
    overrides += ["object_split=1", "shard_size=2", "workers=1"]
    call = ("pickclutter_lang.datasets.scenes.manifest:Manifest.write", 3)  # after the first of three shards
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))))
        for name in [name for name in os.environ if name.startswith("VK_")]:  # this process has chosen a renderer
            patch.delenv(name)
        run_killed(SCRIPTS / "collect_scenes.py", overrides, *call, tmp_path)
    done = collect(replace(config, out=str(out)))
    assert done.kept == 1 and done.store.content_hash == store.content_hash


def test_rows_name_the_instance_of_each_actor(simulated: Any) -> None:
    config, store = simulated
    used, seeds = store.array("actors") >= 0, store.array("instances")
    assert (seeds[~used] == -1).all()
    assert set(seeds[used].tolist()) <= {MAX_INSTANCES + n for n in range(config.instances)}
    assert (store.labels("present").sum(1) == used.sum(1)).all() and used.sum(1).min() >= 4
    kind = find_kinds([store.label_names[int(store.array("actors")[0, 0])]])[0]
    words = kind.words(int(seeds[0, 0]), kind.instance(int(seeds[0, 0])))
    objects = load_object_set("kinds", config.objects_root, None, 1, config.kinds, config.instances)
    assert list(objects.model(kind.model_id(int(seeds[0, 0]))).colors) == words["colors"]


def test_splits_to_learn_from_have_other_instances(simulated: Any, tmp_path: Path) -> None:
    config, store = simulated
    train = collect(replace(config, out=str(tmp_path / "train"), split="train", scenes=4)).store
    seeds = [set(s.array("instances")[s.array("actors") >= 0].tolist()) for s in (train, store)]
    assert max(seeds[0]) < config.instances and min(seeds[1]) >= MAX_INSTANCES
    unseen = train.split_label_indices("ood")
    assert [train.label_names[n] for n in unseen] == ["banana", "fork"] and not train.labels("present")[:, unseen].any()


def test_objects_rest_on_the_table(simulated: Any) -> None:
    _, store = simulated
    poses = store.array("poses")[store.array("actors") >= 0]
    assert np.isfinite(poses).all() and np.abs(poses[:, 0]).max() <= 0.2 and np.abs(poses[:, 1]).max() <= 0.25
    assert poses[:, 2].min() > 0 and poses[:, 2].max() < 0.4
    assert store.array("hand_depth").max() > 300 and store.images(index=0).std() > 5


def test_other_settings_do_not_go_together(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = simulated
    with pytest.raises(MismatchError, match=r"settings\.instances is 3 there, 4 now"):
        collect(replace(config, instances=4))
    with pytest.raises(MismatchError, match=r"objects is \['fork'\] there, \[\] now"):
        collect(replace(config, kinds=config.kinds[:-1]))
    with pytest.raises(MismatchError, match="object_split is 1 there, 2 now"):
        collect(replace(config, object_split=2))
    monkeypatch.setattr(kind_set_module, "KINDS_VERSION", 0)
    with pytest.raises(MismatchError, match="another version of the kinds"):
        collect(config)


def test_executed_picks_validate_the_label(simulated: Any) -> None:
    config, store = simulated
    result = validate_grasp_labels(GraspValidationConfig(str(store.path), config.objects_root, 1, 1))
    assert result["instances"] >= 1 and result["picked"] > 0
    assert all(pick["model_id"].rpartition("-")[2].isdigit() for pick in result["picks"])


@pytest.fixture(scope="module")
def filed(simulated: Any) -> Iterator[Any]:
    """The environment whose piles are those of the store."""
    config, store = simulated
    path = store.path / "episodes.json.gz"
    yield make(KINDS, objects_root=config.objects_root, episode_json=path, obs_mode="state", absent_probability=0)


def test_the_environment_loads_the_episodes_of_a_store(simulated: Any, filed: Any) -> None:
    _, store = simulated
    for index, episode in enumerate(read_episodes(store.path / "episodes.json.gz")):
        _, info = filed.reset(seed=0, options={"episode": index})
        scene = store.scene(index)
        columns = scene["actors"][scene["actors"] >= 0]
        expected = [f"{store.model_ids[c]}-{seed}" for c, seed in zip(columns, scene["instances"], strict=False)]
        assert [actor["model_id"] for actor in episode["actors"]] == [actor.name for actor in filed.objs] == expected
        assert info["target_name"] in [store.label_names[c] for c in columns]
        assert info["target_name"] in info["instruction"]


def test_episodes_of_objects_that_are_no_kinds_are_refused(tmp_path: Path, simulated: Any) -> None:
    _, store = simulated
    episodes = read_episodes(store.path / "episodes.json.gz")
    episodes[0]["actors"][0]["model_id"] = "spoon-1"
    path = tmp_path / "episodes.json"
    path.write_text(json.dumps(episodes))
    with pytest.raises(UnknownObjectError, match="'spoon-1'"):
        make(KINDS, episode_json=path)


def test_a_target_is_a_kind() -> None:
    env = make(KINDS, obs_mode="state", min_objects=6, max_objects=6)
    for seed in range(2):
        _, info = env.reset(seed=seed, options={"target": "mug", "template": "the {name}, please"})
        assert info["instruction"] == "the mug, please" and info["target_present"]
    few = make(KINDS, obs_mode="state", kinds=["apple", "mug"], absent_probability=1, min_objects=1, max_objects=1)
    _, info = few.reset(seed=0)
    assert {info["target_name"]} | {item.name for item in few._pile} == {"apple", "mug"} and not info["target_present"]


def test_a_split_without_kinds_is_refused(simulated: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="objects of Y_id for split=train, but there are none in kinds"):
        make(KINDS, kinds=["apple"], split="train", object_split=4).reset(seed=0)


def test_an_oracle_picks_an_instance() -> None:
    one = {"min_objects": 1, "max_objects": 1, "absent_probability": 0, "control_mode": "pd_ee_delta_pose"}
    inner = gym.make(KINDS, **{**FEW_KINDS, **one}, obs_mode="rgbd", enable_segmentation=True)
    env = FlatObservation(DeclareAbsence(inner), mask=True)
    policy, picked = LanguagePickPolicy(OracleDetector(), "pd_ee_delta_pose"), 0
    for seed in range(3):
        observation, info = env.reset(seed=seed)
        state, over = None, False
        while not over:
            action, state = policy.predict(observation, state, episode_start=state is None)
            observation, _, terminated, truncated, info = env.step(action)
            over = terminated or truncated
        picked += bool(info["success"])
    assert picked > 0


def test_one_environment_renders_after_another_dropped_meshes(monkeypatch: pytest.MonkeyPatch) -> None:
    """SAPIEN refuses the first picture of a camera that is older than the drop."""
    options = {"obs_mode": "state", "render_mode": "rgb_array", **FEW_KINDS}
    first, second = (gym.make(KINDS, **options) for _ in range(2))
    first.reset(seed=0)
    monkeypatch.setattr(renderer, "_loaded", renderer._MOST_LOADED)
    second.reset(seed=1)
    assert renderer._loaded < renderer._MOST_LOADED  # dropped
    picture = np.asarray(first.render())
    assert np.ptp(picture) > 50 and np.ptp(np.asarray(second.render())) > 50
    first.reset(seed=0)
    assert np.array_equal(np.asarray(first.render()), picture)
    for env in (first, second):
        env.close()
