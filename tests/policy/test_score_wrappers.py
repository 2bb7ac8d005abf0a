"""Environments whose observations carry a student's scores, and agents that learn on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch

from helpers.policies import SIDE
from pickclutter_lang.policy.runtime import StudentRuntime

if TYPE_CHECKING:
    import gymnasium

CAMERA = {"hand_camera": {"width": SIDE, "height": SIDE}}


@pytest.fixture(scope="module")
def environment() -> Callable[..., gymnasium.Env]:
    pytest.importorskip("sapien")
    import gymnasium

    def make(**changes: Any) -> gymnasium.Env:
        given = {"obs_mode": "rgbd", "camera_cfgs": CAMERA, "control_mode": "pd_ee_delta_pose"} | changes
        from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation

        env = gymnasium.make("pickclutter_lang.envs:PickClutterLang/Proxy-v0", **given)
        return FlatObservation(DeclareAbsence(env))

    return make


@pytest.mark.sim
def test_observations_carry_the_students_scores(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, exported: Path
) -> None:
    from pickclutter_lang.policy.score_wrappers import InstructionEmbedding, TargetScoreObservation
    from pickclutter_lang.teachers import load_teacher

    teacher = load_teacher("pocket", exported / "teacher")
    env = TargetScoreObservation(InstructionEmbedding(environment(), teacher), student, ["lemon", "dice"])
    observation, info = env.reset(seed=3)
    assert env.observation_space.contains(observation)
    expected = teacher.encode_text([info["instruction"]])[0]
    np.testing.assert_allclose(observation["instruction_embedding"], expected, atol=1e-5)
    for step in range(2):
        output = student.predict(observation, [info["target_name"]])
        np.testing.assert_allclose(observation["target_score"], output.scores, atol=1e-5)
        np.testing.assert_allclose(observation["target_map"], output.attention[0], atol=1e-5)
        np.testing.assert_allclose(
            observation["name_scores"], student.predict(observation, ["lemon", "dice"]).scores, atol=1e-5
        )
        assert info["target_score"] == pytest.approx(float(output.scores[0]), abs=1e-5)
        assert info["target_threshold"] == student.thresholds.of(info["target_name"])
        observation, *_, info = env.step(env.action_space.sample()) if not step else (None, info)
    env.close()


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("frozen", [True, False])
def test_stable_baselines3_learns_on_the_students_features(
    environment: Callable[..., gymnasium.Env], student: StudentRuntime, frozen: bool
) -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO

    from pickclutter_lang.policy.ppo import StudentFeaturesExtractor

    torch.manual_seed(0)
    env = environment(reward_mode="normalized_dense")
    chosen = {"student": student, "frozen": frozen}
    agent = PPO(
        "MultiInputPolicy", env, n_steps=16, batch_size=8, n_epochs=1, seed=0, device="cpu",
        policy_kwargs={"features_extractor_class": StudentFeaturesExtractor, "features_extractor_kwargs": chosen},
    )  # fmt: skip
    scorer: Any = agent.policy.features_extractor.model
    exported = cast(Any, student.networks).model.state_dict()
    assert all(torch.equal(value, exported[name]) for name, value in scorer.state_dict().items())
    observation, _ = env.reset(seed=0)
    seen, _ = agent.policy.obs_to_tensor(observation)
    agent.policy.set_training_mode(True)
    in_training: Any = agent.policy.extract_features(seen)
    agent.policy.set_training_mode(False)
    acting: Any = agent.policy.extract_features(seen)
    assert torch.equal(acting, in_training)
    before = {name: value.clone() for name, value in scorer.state_dict().items()}
    agent.learn(16)
    changed = [name for name, value in scorer.state_dict().items() if not torch.equal(value, before[name])]
    assert (not changed) if frozen else ("student.global_head.weight" in changed)
    assert not any("running_" in name for name in changed)
    action, _ = agent.predict(observation, deterministic=True)
    assert env.action_space.contains(action)
    env.close()
