"""Record one pick for Rerun's viewer: what the cameras saw, what the policy decided, the grasps, the arm.

pip install 'rerun-sdk>=0.22,<0.23'
python examples/record_rerun.py "the lemon" pick.rrd && rerun pick.rrd
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import rerun as rr

from pickclutter_lang.language.instructions import instruction
from pickclutter_lang.manipulation.gripper import pregrasp_pose
from pickclutter_lang.manipulation.kinematics import JOINTS, PandaArm
from pickclutter_lang.policy.policy import LanguagePickPolicy

MM = 1000


def log_step(observation: Mapping[str, Any]) -> None:
    """Log the cameras' poses and images, and the arm's joints."""
    for camera in ("hand", "base"):
        rgb, depth, intrinsic, pose = (
            observation[f"{camera}_{key}"] for key in ("rgb", "depth", "intrinsic", "cam2world")
        )
        place, (height, width), axes = f"world/{camera}_camera", rgb.shape[:2], rr.ViewCoordinates.RUB  # OpenGL's
        rr.log(place, rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
        rr.log(place, rr.Pinhole(image_from_camera=intrinsic, resolution=[width, height], camera_xyz=axes))
        rr.log(f"{place}/rgb", rr.Image(rgb).compress(90))
        rr.log(f"{place}/depth", rr.DepthImage((MM * depth).round().astype(np.uint16), meter=MM))
    base, qpos = observation["base_pose"], observation["qpos"]
    joints = PandaArm(base).frames(np.asarray(qpos[:JOINTS], float))[:, :3, 3]
    rr.log("world/arm", rr.LineStrips3D([np.stack([base[:3], *joints])], radii=0.012))
    rr.log("gripper_m", rr.Scalar(float(qpos[JOINTS:].sum())))


def log_decision(state: Any) -> None:
    """Log the last detection and the grasps, of which the chosen one is green."""
    found = state.detections[-1]
    rr.log("decision/mask", rr.SegmentationImage(found.mask.astype(np.uint8)))
    rr.log("decision/score_map", rr.Tensor(found.heatmap.astype(np.float32), dim_names=("row", "column")))
    rr.log("scores/score", rr.Scalar(found.score))
    rr.log("scores/threshold", rr.Scalar(found.threshold))
    grasps = (
        [] if state.candidates is None else [state.candidates.pose(n) for n in range(len(state.candidates.positions))]
    )
    chosen = [] if state.target is None else [state.target]
    for place, poses, color in (("world/grasps", grasps, (255, 214, 64)), ("world/grasp", chosen, (27, 138, 58))):
        ends = np.reshape([pose[:3] for pose in poses], (-1, 3))
        starts = np.reshape([pregrasp_pose(pose)[:3] for pose in poses], (-1, 3))
        rr.log(place, rr.Arrows3D(vectors=ends - starts, origins=starts, colors=[color]))
    rr.log("log", rr.TextLog(f"{state.name}: {'absent' if state.absent else 'present'}, {len(grasps)} grasps"))


def main(phrase: str = "the lemon", out: str = "pick.rrd", policy_folder: str = "open", seed: str = "0") -> None:
    """Have a policy act in one pile of stand-ins, and write the recording."""
    rr.init("pickclutter-lang")
    rr.save(out)
    policy = LanguagePickPolicy.load(policy_folder)
    env = policy.make_env("proxy", base_camera=True, absent_probability=0.0)
    name = phrase.removeprefix("the ")
    observation, info = env.reset(seed=int(seed), options={"target": name, "template": instruction("{name}", 0)})
    state = None
    over = False
    step = 0
    decisions = 0
    while not over:
        action, state = policy.predict(observation, state)
        rr.set_time_sequence("control_step", step)
        log_step(observation)
        if len(state[0].detections) > decisions:
            decisions = len(state[0].detections)
            log_decision(state[0])
        observation, _, terminated, truncated, info = env.step(action)
        over = terminated or truncated
        step = step + 1
    rr.log("log", rr.TextLog(f"success: {info['success']}"))
    rr.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
