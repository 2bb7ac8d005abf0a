"""Options of an episode: what they fix, what is absent or hidden, and which are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

from helpers.environments import NAMES, make
from helpers.grasping import tabletop
from pickclutter_lang.envs.episodes import ResetOptions, pile_of, sample_task
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    MissingAssetsError,
    UnknownObjectError,
)
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES

pytestmark = pytest.mark.sim
_POSE = [0.0, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0]
FAR = {"actors": [{"model_id": "011_banana", "scale": 1.0, "pose": _POSE, "rep_pts": [[0.0, 0.0, 1e300]]}]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"target": "banana"}, ("banana", True, None)),
        ({"target": "power drill"}, ("power drill", False, None)),
        ({"target": "orange", "template": 0}, ("orange", True, INSTRUCTION_TEMPLATES[0].format(name="orange"))),
        ({"target": "orange", "template": "take the {name} {now}"}, ("orange", True, "take the orange {now}")),
        ({"template": "grab it"}, (None, None, "grab it")),
    ],
)
def test_options_fix_the_task(env: Any, options: Any, expected: Any) -> None:
    options = {"episode": tabletop(env.object_set, NAMES), **options}
    name, present, instruction = expected
    for seed in range(2):
        _, info = env.reset(seed=seed, options=options)
        assert name is None or (info["target_name"], info["target_present"]) == (name, present)
        assert instruction is None or info["instruction"] == instruction
        assert info["target_name"] in info["instruction"] or instruction == "grab it"
    assert env.step(env.action_space.sample())[4]["instruction"] == info["instruction"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"target": "bananna"}, UnknownObjectError, "banana"),
        ({"episode": -1}, InvalidArgumentError, "episode"),
        ({"episode": {"actors": [{"model_id": "011_banana"}]}}, InvalidArgumentError, "scale"),
        ({"episode": FAR}, InvalidArgumentError, "rep_pts"),
        ({"episode": {"actors": [{"model_id": ["x"]}]}}, InvalidArgumentError, "model_id"),
        ({"template": 1000}, InvalidArgumentError, "template"),
        ({"colour": "red"}, InvalidArgumentError, "colour"),
    ],
)
def test_wrong_options_are_named(env: Any, options: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        env.reset(seed=0, options=options)
    assert env.reset(seed=0)[0] in env.observation_space


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"absent_probability": 1.5}, InvalidArgumentError),
        ({"obs_mode": "rgb"}, InvalidArgumentError),
        ({"min_objects": 5, "max_objects": 3}, InvalidArgumentError),
        ({"episode_json": "/nowhere.json"}, DatasetError),
        ({"objects": "ycb", "objects_root": "/nowhere"}, MissingAssetsError),
        ({"base_camera": False, "camera_cfgs": {"base_camera": {"width": 64}}}, InvalidArgumentError),
    ],
)
def test_wrong_arguments_are_named(kwargs: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        make(**kwargs)


def test_observations_do_not_tell_that_the_object_is_absent() -> None:
    env = make(obs_mode="rgbd", absent_probability=0)
    plain, info = env.reset(seed=4, options={"episode": 1})
    assert info["target_present"] and info["target_visible"]
    here = {actor["model_id"] for actor in env.episode["actors"]}
    absent = next(item.name for item in env.catalog if item.model_id not in here)
    hidden, info = env.reset(seed=4, options={"episode": 1, "target": absent})
    assert not (info["target_present"] or info["target_visible"] or info["target_graspable"])
    assert data_equivalence(plain, hidden, exact=True)
    for _ in range(3):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        assert (reward, terminated, info["success"], info["is_obj_placed"]) == (0.0, False, False, False)


def test_a_hidden_object_can_be_the_target(env: Any) -> None:
    episode = tabletop(env.object_set, NAMES)
    episode["actors"][2]["rep_pts"] = None
    _, info = env.reset(seed=0, options={"episode": episode, "target": NAMES[2]})
    assert info["target_present"] and not info["target_visible"] and not info["target_graspable"]
    assert np.linalg.norm(env.obj_start_pos - episode["actors"][2]["pose"][:3]) < 0.1
    targets = {env.reset(seed=s, options={"episode": episode})[1]["target_name"] for s in range(12)}
    assert len(targets) > 2


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_how_often_the_object_is_absent(env: Any, share: float) -> None:
    pile = list(env.catalog)[:5]
    absent_objects = list(env.catalog)[5:]
    tasks = [
        sample_task(pile, n % 5, absent_objects, share, ResetOptions(), np.random.default_rng([n, 1]))
        for n in range(1500)
    ]
    absent = [task for task in tasks if task.instance_id is None]
    assert len(absent) / len(tasks) == pytest.approx(share, abs=0.04)
    assert {task.target.name for task in absent} == ({item.name for item in absent_objects} if share else set())
    assert {task.target.name for task in tasks if task.instance_id is not None} == {item.name for item in pile}
    phrasings = {task.instruction.replace(task.target.name, "{name}") for task in tasks}
    assert phrasings == set(INSTRUCTION_TEMPLATES)


def test_an_option_changes_nothing_but_what_it_fixes(env: Any) -> None:
    pile = list(env.catalog)[:5]
    absent_objects = list(env.catalog)[5:]

    def draw(request: Any) -> Any:
        return sample_task(pile, 2, absent_objects, 0.0, request, np.random.default_rng(0))

    free = draw(ResetOptions())
    fixed = draw(ResetOptions(target=pile[4]))
    assert fixed.instruction == free.instruction.replace(pile[2].name, pile[4].name)
    assert (free.instance_id, fixed.instance_id) == (2, 4)
    goals = set()
    for target in NAMES:
        env.reset(seed=0, options={"episode": tabletop(env.object_set, NAMES), "target": target})
        goals.add(tuple(env.goal_pos.tolist()))
    assert len(goals) == 1


def test_grasps_are_those_of_the_scale_of_the_episode(env: Any) -> None:
    episode = tabletop(env.object_set, NAMES)
    env.reset(seed=0, options={"episode": episode})
    scales = [0.5 * actor["scale"] for actor in episode["actors"]]
    poses = env.pile().poses
    ids = [actor["model_id"] for actor in episode["actors"]]
    assert [model.scale for model in pile_of(ids, poses, env.object_set, scales).models] == scales
    huge = tabletop(env.object_set, NAMES)
    number = NAMES.index(NAMES[0])
    huge["actors"][number]["scale"] *= 4  # wider than the gripper
    wide = env.reset(seed=0, options={"episode": huge, "target": NAMES[0]})[1]
    assert env.reset(seed=0, options={"episode": episode, "target": NAMES[0]})[1]["target_graspable"]
    assert wide["target_visible"] and not wide["target_graspable"]
