"""Scenes and episodes with distractors: recorded and repeated exactly, seen by cameras and grasps, never asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.environments import PROXY, make
from pickclutter_lang.datasets.scenes.episodes import read_episodes
from pickclutter_lang.datasets.scenes.store import SceneStore, verify_store
from pickclutter_lang.envs.config import CollectConfig, GraspValidationConfig
from pickclutter_lang.envs.generation.collect import collect
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.grasp_validation import objects_of_store, validate_grasp_labels
from pickclutter_lang.envs.pick_executor import PickExecutor
from pickclutter_lang.errors import InvalidArgumentError, MismatchError, UnknownObjectError
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.render_sources import SceneImages

pytestmark = [pytest.mark.sim, pytest.mark.slow]
FEW: dict[str, Any] = {"kinds": ("mug", "soda can", "toy car", "teapot"), "instances": 2, "distractors": 0.5}
IDS, LABELS, SCENES = ("mug", "soda_can", "toy_car", "teapot"), 26, 4


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[CollectConfig, SceneStore]:
    out = tmp_path_factory.mktemp("distractors") / "ood"
    config = CollectConfig(
        split="ood", scenes=SCENES, seed=3, out=str(out), image_size=64, shard_size=2, workers=1, **FEW
    )
    return config, collect(config).store


def test_the_store_says_which_instances_lie_there(collected: tuple[CollectConfig, SceneStore]) -> None:
    _, store = collected
    actors, seeds = store.array("actors"), store.array("instances")
    others = actors >= LABELS
    assert others.any() and (seeds[~others] == -1).all() and set(seeds[others]) <= {MAX_INSTANCES, MAX_INSTANCES + 1}
    assert store.manifest.distractor_kinds == dict(zip(IDS, FEW["kinds"], strict=True))
    assert not store.manifest.has_instances and store.own_catalog is None and len(store.label_names) == LABELS
    for scene, episode in enumerate(read_episodes(store.path / "episodes.json.gz")):
        row = store.scene(scene)
        ids = [store.manifest.actor_ids[a] for a in row["actors"] if a >= 0]
        seeded = [f"{i}-{s}" if s >= 0 else i for i, s in zip(ids, row["instances"], strict=False)]
        assert [actor["model_id"] for actor in episode["actors"]] == seeded
    assert verify_store(store.path).content_hash == store.content_hash
    card = (store.path / "card.md").read_text()
    assert "instances of 4 kinds, which have no label" in card and "labeled objects (mean" in card
    assert "Distractors: Meshes: instances of kinds" in card


def test_labels_are_of_labeled_objects_alone(collected: tuple[CollectConfig, SceneStore]) -> None:
    _, store = collected
    for scene in range(SCENES):
        row = store.scene(scene)
        labeled = {int(a) for a in row["actors"] if 0 <= a < LABELS}
        assert len(labeled) >= 2 and labeled == {*np.flatnonzero(row["present"]).tolist()}
        for number, actor in enumerate(row["actors"]):
            assert row["pixels"][number] == (row["hand_segmentation"] == number + 1).sum()  # distractors are seen too
            if actor >= LABELS:
                assert np.isnan(row["grasp_poses"][number]).all()
    assert (store.array("pixels")[store.array("actors") >= LABELS] > 0).any()


def test_scenes_are_the_same_after_an_interruption(collected: tuple[CollectConfig, SceneStore]) -> None:
    config, store = collected
    (store.path / "shards" / "00001.h5").unlink()
    again = collect(config)
    assert (again.made, again.kept) == (1, 1) and again.store.content_hash == store.content_hash
    with pytest.raises(MismatchError, match=r"settings\.distractors is 0\.5 there, 0\.4 now"):
        collect(replace(config, distractors=0.4))
    with pytest.raises(MismatchError, match=r"settings\.distractors is 0\.5 there, None now"):
        collect(replace(config, distractors=0.0, kinds=(), instances=50))
    with pytest.raises(MismatchError, match=r"settings\.distractor_kinds\.teapot is 'teapot' there, None now"):
        collect(replace(config, kinds=config.kinds[:-1]))


def test_scenes_to_learn_from_have_other_instances_and_no_unseen_object(
    collected: tuple[CollectConfig, SceneStore], tmp_path: Path
) -> None:
    config, store = collected
    train = collect(replace(config, split="train", out=str(tmp_path / "train"), scenes=3)).store
    seeds = train.array("instances")
    assert 0 <= seeds[seeds >= 0].max() < FEW["instances"] and (seeds >= 0).any()
    assert not train.labels("present")[:, train.split_label_indices("ood")].any()
    scenes = SceneImages.load([str(train.path)])
    named = {item.name for item in scenes.named}
    assert named & {*FEW["kinds"]} and named <= {*FEW["kinds"], *train.label_names}
    assert [len(row) for row in scenes.objects] == (train.array("actors") >= 0).sum(1).tolist()
    with pytest.raises(InvalidArgumentError, match="which is for evaluation alone"):
        SceneImages.load([str(store.path)])


def test_grasps_avoid_distractors_and_picks_are_executed(collected: tuple[CollectConfig, SceneStore]) -> None:
    _, store = collected
    objects = objects_of_store(store.manifest, None)
    assert objects.fingerprint == store.manifest.object_fingerprint
    from pickclutter_lang.envs.grasp_validation import _task

    executor, blocked = PickExecutor(objects), 0
    for scene in range(SCENES):
        pile, labeled, visible = _task(store.scene(scene), objects)
        executor.load(pile)
        checker: GraspChecker = executor.checker()
        assert {n: pose is not None for n in visible if (pose := checker.find(pile, n)) is not None} == dict.fromkeys(
            labeled, True
        )
        kept = np.flatnonzero(pile.label_indices < LABELS)
        alone = replace(
            pile,
            label_indices=pile.label_indices[kept],
            models=tuple(pile.models[n] for n in kept),
            poses=pile.poses[kept],
        )
        free = [n for k, n in enumerate(kept.tolist()) if n in visible and checker.find(alone, k) is not None]
        assert {*labeled} <= {*free}
        blocked += len(free) - len(labeled)
        assert all(pile.label_indices[n] < LABELS for n in visible)
    assert blocked > 0  # without the distractors more could be grasped
    result = validate_grasp_labels(GraspValidationConfig(str(store.path), None, 1, 1))
    assert result["instances"] >= 1 and not any("-" in pick["model_id"] for pick in result["picks"])


def test_the_environment_has_the_scenes_of_the_store_and_names_labels_alone(
    collected: tuple[CollectConfig, SceneStore],
) -> None:
    _, store = collected
    env = make(PROXY, obs_mode="state", pile_seed=3, absent_probability=0.5, **FEW)
    assert env.catalog.names == store.label_names
    for scene, episode in enumerate(read_episodes(store.path / "episodes.json.gz")):
        for seed in range(3):
            _, info = env.reset(seed=seed, options={"episode": scene})
            assert [actor.name for actor in env.objs] == [actor["model_id"] for actor in episode["actors"]]
            assert info["target_name"] in store.label_names
            labeled = {store.label_names[n] for n in np.flatnonzero(store.labels("present")[scene])}
            assert info["target_present"] == (info["target_name"] in labeled)
    with pytest.raises(UnknownObjectError, match="'teapot'"):
        env.reset(options={"target": "teapot"})
    others = {"actors": [actor for actor in episode["actors"] if actor["model_id"].partition("-")[0] in IDS]}
    _, info = env.reset(seed=0, options={"episode": others})
    assert not info["target_present"] and info["target_name"] in store.label_names


def test_episodes_of_a_file_have_their_distractors(collected: tuple[CollectConfig, SceneStore]) -> None:
    _, store = collected
    path = store.path / "episodes.json.gz"
    env = make(PROXY, obs_mode="state", episode_json=path, absent_probability=0)
    for scene, episode in enumerate(read_episodes(path)):
        _, info = env.reset(seed=0, options={"episode": scene})
        assert [actor.name for actor in env.objs] == [actor["model_id"] for actor in episode["actors"]]
        assert info["target_name"] in store.label_names and info["target_present"]


def test_policies_act_among_distractors() -> None:
    config = RolloutConfig(PROXY, None, "ood", 0.25, "pd_ee_delta_pose", {}, 96, **FEW)
    runner = RolloutRunner(config)
    played = [runner.rollout("oracle", 0, kind) for kind in ("drawn", "named", "other", "color")]
    _, pile = runner.observe(0)
    assert pile.distractors and {item.name for item in pile.distractors} <= {*FEW["kinds"]}
    assert {item.name for item in (*pile.objects, *pile.visible, *pile.absent)} <= {item.name for item in pile.labels}
    for episode in played:
        assert episode["target"] in {item.name for item in pile.labels}
