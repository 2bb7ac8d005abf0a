"""Golden values of exported policies: what they say of stored scenes, and what they do in the environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bench import painted_observation
from golden_learned import CLOSER, SIDE, scene_inputs
from golden_measures import Measures, of_arrays, of_figures
from safetensors.torch import load_file
from scipy.special import logit

from helpers import scene_runs
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.policy.detectors import OracleDetector, RandomDetector, StudentDetector
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy.torch_networks import CropEncoder, TorchNetworks, load_pretrained
from pickclutter_lang.policy_folder.folder import Thresholds, policy_folder
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation
from pickclutter_lang.teachers import load_teacher

STEPS = {"simulator": 80, "student": 20, "teacher": 20, "chance": 20}
SEEDS = (0, 1)
ASKED = ("lemon", "hammer", "our gadget", "zorb", "fruit", "red lemon", "the red one", "mustard bottle")
"""Names of `open`, of what was taught, new ones, a category, a description and a color by itself."""
EARLY = 10
"""Steps of an episode whose figures are compared; what physics makes of last bits grows with each."""
KEYS = (
    "instruction", "hand_rgb", "hand_depth", "hand_intrinsic", "hand_cam2world", "mask",
    "qpos", "base_pose", "goal_pos",
)  # fmt: skip


def exported(inputs: Path) -> Path:
    """Train a student in three phases and export it, at the first call; return the folder of the policy."""
    root = inputs / "policies"
    if not root.is_dir():
        run = SceneRun.open(scene_runs.config(*scene_inputs(inputs), "method=best", *CLOSER, f"out={root / 'run'}"))
        run.train()
        evaluate_run(run)
        export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "few")))
    return root / "few"


def answers(inputs: Path, folder: Path) -> Measures:
    """Ask an exported policy about stored scenes."""
    policy = exported(inputs)
    student = StudentRuntime.load(policy)
    run = SceneRun.open(scene_runs.config(*scene_inputs(inputs), f"out={folder / 'none'}"))
    asked = [*student.names, "a red teapot"]
    seen = [scene_to_observation(run.scenes["ood"], row) for row in (0, 3, 7)]
    looks = [student.predict(one, asked) for one in seen]
    judged = [one for scene in seen for one in StudentDetector(student).detect(scene, asked)]
    files = [value for path in policy.glob("*.safetensors") for value in load_file(path).values()]
    return {
        "files": of_arrays(files, tolerance=0.01),
        "thresholds": of_figures([student.thresholds.of(name) for name in asked], tolerance=0.02),
        "scores": of_figures([score for look in looks for score in look.scores], tolerance=0.02),
        "maps": of_arrays([look.attention for look in looks], tolerance=0.01),
        "odds": of_arrays([look.cell_logits for look in looks], tolerance=0.01),
        "judged scores": of_figures([one.score for one in judged], tolerance=0.02),
        "judged thresholds": of_figures([one.threshold for one in judged], tolerance=0.02),
        "heat": of_arrays([one.heatmap for one in judged], tolerance=0.01),
    }


def decisions(inputs: Path, folder: Path) -> Measures:
    """Ask the policies of the package, in float32, about painted piles: by words, by examples, and by both."""
    found: Measures = {}
    for key in ("open", "ycb", "taught"):
        student = in_float32("ycb" if key == "ycb" else "open")
        policy = LanguagePickPolicy(StudentDetector(student))
        if key == "taught":
            pile = painted_observation(256)
            for name, segment in (("lemon", 2), ("zorb", 5)):
                policy.teach(pile, name, mask=segment_observation(pile) == segment)
        judged = [
            one for seed in range(4) for one in StudentDetector(student).detect(painted_observation(256, seed), ASKED)
        ]
        found[f"{key}: log odds"] = of_figures(
            [float(np.clip(logit(one.score), -9, 9)) for one in judged], tolerance=0.05
        )
        found[f"{key}: masks"] = of_figures([float(one.mask.sum()) for one in judged], tolerance=0.02)
    return found


def in_float32(name: str) -> StudentRuntime:
    """Open a policy of the package with networks that compute alike on all processors."""
    config, weights, text = load_pretrained(name)
    networks = TorchNetworks(replace(config.student, precision="float32"), weights, text)
    networks.__dict__["_crop_encoder"] = CropEncoder(use_bf16=False).eval()
    examples = load_examples(policy_folder(name))
    return StudentRuntime(config.student, networks, config.thresholds, examples=examples)


def episodes(inputs: Path, folder: Path) -> Measures:
    """Let policies act in the environment: the simulator's own segmentation, the student, the teacher, chance."""
    student = StudentRuntime.load(exported(inputs))
    env = environment()
    judges: dict[str, Any] = {
        "simulator": OracleDetector(),
        "student": StudentDetector(student),
        "teacher": TeacherDetector(load_teacher("pocket"), student.config.names, Thresholds(0.5, {})),
        "chance": RandomDetector(),
    }
    found: Measures = {}
    for name, judge in judges.items():
        played_out = [played(env, LanguagePickPolicy(judge), seed, STEPS[name]) for seed in SEEDS]
        for number, part in enumerate(("observations", "actions", "rewards and ends")):
            early = [step[number].ravel() for steps in played_out for step in steps[:EARLY]]
            found[f"{name}: early {part}"] = of_arrays([np.concatenate(early)], tolerance=0.02)
        ends = (figure for steps in played_out for figure in (len(steps), *steps[-1][2][1:]))  # without the reward
        found[f"{name}: ends"] = of_figures(ends)
    env.close()
    return found


def environment() -> Any:
    """Make the environment with the pictures that the student was trained on."""
    import gymnasium

    from pickclutter_lang.envs.registration import register
    from pickclutter_lang.envs.wrappers import DeclareAbsence, FlatObservation

    register()
    cameras = {"hand_camera": {"width": SIDE, "height": SIDE}}
    inner = gymnasium.make(
        "PickClutterLang/Proxy-v0", obs_mode="rgbd", reward_mode="dense", control_mode="pd_ee_delta_pose",
        enable_segmentation=True, absent_probability=0.25, base_camera=False, camera_cfgs=cameras,
    )  # fmt: skip
    return FlatObservation(DeclareAbsence(inner), mask=True)


def played(env: Any, policy: LanguagePickPolicy, seed: int, most: int) -> list[tuple[Any, Any, Any]]:
    """Play an episode of so many steps at most; return observation, action, reward and what was noted of each step."""
    steps: list[tuple[Any, Any, Any]] = []
    observation, _ = env.reset(seed=seed)
    state = None
    over = False
    while not over and len(steps) < most:
        action, state = policy.predict(observation, state)
        seen = np.concatenate([np.ravel(observation[key]).astype(np.float64) for key in KEYS])
        observation, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        noted = [info[key] for key in ("success", "declared_absent", "wrong_object_picked")]
        steps.append((seen, action, np.array([reward, over, *noted], np.float64)))
    return steps
