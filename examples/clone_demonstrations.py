"""Imitate demonstrations by behavior cloning: a policy finds the object and its grasp, a small network moves the arm.

    pickclutter collect-demos objects=proxy episodes=600 out=demos
    python examples/clone_demonstrations.py
    PYTHONPATH=examples pickclutter evaluate-policy policy=clone_demonstrations:Cloned split=id absent_probability=0 \
        camera_size=176 out=cloned_picks

The network says where the hand is four steps later. In training the hand is moved at random, so the network learns to
come back to the grasp. It needs `demos`, and an exported student in `policy`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from pickclutter_lang.manipulation.gripper import rotation_matrix
from pickclutter_lang.manipulation.kinematics import PandaArm, make_controller
from pickclutter_lang.manipulation.point_cloud import center_of_mass, points_of_object
from pickclutter_lang.policy.policy import LanguagePickPolicy

DEMOS = Path("demos/trajectory.rgbd.pd_ee_delta_pose.h5")
WEIGHTS = Path("cloned.safetensors")
AHEAD, STEPS = 4, 3000
Array = NDArray[Any]


class Network(nn.Module):
    """Where the hand is 4 steps later, and whether the fingers close; all in the axes of the grasp.

    It has two positions: one if the hand still goes to the grasp, and one if it carries the object to the goal.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = (24, 256), (256, 256), (256, 14)
        self.layers = nn.Sequential(*[layer for a, b in sizes for layer in (nn.ReLU(), nn.Linear(a, b))][1:])

    def forward(
        self, position: Tensor, rotation: Tensor, carry: Tensor, up: Tensor, fingers: Tensor, held: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return positions [N, 2, 3], rotation [N, 3, 3], and the log odds [N] that the fingers close."""
        rest = carry - position
        lengths = 10 * position, 10 * carry, 10 * rest, 25 * fingers
        out = self.layers(torch.cat([*lengths, rotation.flatten(1), up, held[:, None]], 1))
        forward = position.norm(dim=1, keepdim=True) * rotation[:, :, 2]
        upward = rest.norm(dim=1, keepdim=True) * up
        steps = out[:, :1] * -position + out[:, 1:2] * forward, out[:, 2:3] * rest + out[:, 3:4] * upward
        positions = torch.stack([position + step for step in steps], 1)
        return positions, rotation + out[:, 4:13].unflatten(1, (3, 3)), out[:, 13]


def hand_pose(base_pose: Array, qpos: Array, grasp: Array) -> tuple[Array, Array]:
    """Return the position and rotation of the hand in the axes of the grasp."""
    hand = PandaArm(base_pose).forward(qpos[:7])
    axes = rotation_matrix(grasp[3:])
    return axes.T @ (hand[:3] - grasp[:3]), axes.T @ rotation_matrix(hand[3:])


def read(part: str) -> list[list[Tensor]]:
    """Return the steps of every tenth demonstration, `held_out`, or of all others, `train`; without second attempts."""
    inputs, labels = [], []
    with h5py.File(DEMOS) as file:
        for index, episode in enumerate(json.loads(DEMOS.with_suffix(".json").read_text())["episodes"]):
            one = file[f"traj_{episode['episode_id']}"]
            placed = one["grasp_annotations/outcome"][()] == 2
            if (index % 10 == 9) != (part == "held_out") or one["grasp_annotations/decision"][placed] != [0]:
                continue
            grasp = one["grasp_annotations/pose"][placed][0]
            base_pose = one["obs/agent/base_pose"][0]
            axes = rotation_matrix(grasp[3:])
            closes = one["actions"][:, 6] < 0
            carry = axes.T @ (one["obs/extra/goal_pos"][0] - one["obs/extra/obj_start_pos"][0])
            qpos = one["obs/agent/qpos"][()]
            count = len(closes)
            poses = [hand_pose(base_pose, joints, grasp) for joints in qpos]
            for t in range(count):
                inputs.append([*poses[t], carry, axes[2], qpos[t, 7:9], min(closes[:t].sum() / 10, 1)])
                labels.append([*poses[min(t + AHEAD, count)], closes[min(t + 1, count - 1)]])
    arrays = [[np.stack(each).astype(np.float32) for each in zip(*rows, strict=True)] for rows in (inputs, labels)]
    return [[torch.from_numpy(array) for array in each] for each in arrays]


def disturb(closes: Tensor, position: Tensor, rotation: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
    """Move the hand before it grasps. The label stays, so the network learns to come back."""
    opens = 1 - closes[:, None]
    distance = position.norm(dim=1, keepdim=True)
    skew = torch.zeros(len(position), 3, 3)
    skew[:, [2, 0, 1], [1, 2, 0]] = torch.randn(len(position), 3) * (0.02 + 0.13 * opens)
    position = position + torch.randn_like(position) * (0.002 + (0.006 + 0.15 * distance) * opens)
    return position, rotation @ torch.matrix_exp(skew - skew.mT), *others


def loss_terms(network: Network, inputs: Sequence[Tensor], labels: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return the losses of positions, rotations and fingers."""
    position, rotation, closes = network(*inputs)
    position = position[torch.arange(len(position)), labels[2].long()]
    distances = (position - labels[0]).square().sum(1).mean(), (rotation - labels[1]).square().sum((1, 2)).mean()
    return 1000 * distances[0], distances[1], nn.functional.binary_cross_entropy_with_logits(closes, labels[2])


def train() -> None:
    """Train the network on nine of ten demonstrations, and write its weights."""
    torch.manual_seed(0)
    (inputs, labels), held_out = read("train"), read("held_out")
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in range(1, STEPS + 1):
        rows = torch.randint(len(labels[0]), (256,))
        loss = sum(loss_terms(network, disturb(labels[2][rows], *[x[rows] for x in inputs]), [x[rows] for x in labels]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % (STEPS // 10) == 0:
            with torch.no_grad():
                error = loss_terms(network, *held_out)
            print(f"step {step}: loss {loss:.3f}, held out {sum(error):.3f}")
    save_file(network.state_dict(), WEIGHTS)


class Cloned:
    """The policy in `policy` says whether the object is there, and chooses the grasp. The network moves the arm."""

    def __init__(self) -> None:
        self.policy, self.network = LanguagePickPolicy.load("policy"), Network()
        self.network.load_state_dict(load_file(WEIGHTS))
        self.controller = make_controller("pd_ee_delta_pose")

    @torch.no_grad()
    def predict(
        self, observation: dict[str, Any], state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[Array, Any]:
        """Return an action and the new state, as stable-baselines3's `predict` does."""
        base_pose, qpos = observation["base_pose"], observation["qpos"]
        if state is None or np.any(episode_start):
            action, (decided,) = self.policy.predict(observation)
            if decided.target is None:
                return action, None  # absent, or nothing to grip
            grasp = decided.target
            depth, intrinsic, camera = (observation[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world"))
            points, _ = points_of_object(depth, intrinsic, camera, decided.detections[-1].mask)
            carry = rotation_matrix(grasp[3:]).T @ (observation["goal_pos"] - center_of_mass(points))
            state = grasp, carry, 0
        grasp, carry, held = state
        given = *hand_pose(base_pose, qpos, grasp), carry, rotation_matrix(grasp[3:])[2], qpos[7:9], min(held / 10, 1)
        inputs = [torch.as_tensor(np.asarray(x, np.float32))[None] for x in given]
        position, rotation, closes = [x[0].numpy() for x in self.network(*inputs)]
        axes = rotation_matrix(grasp[3:])
        quaternion = Rotation.from_matrix(axes @ rotation).as_quat()[[3, 0, 1, 2]]
        pose = np.concatenate([grasp[:3] + axes @ position[int(closes > 0)], quaternion])
        move = self.controller(PandaArm(base_pose), qpos, pose, -1.0 if closes > 0 else 1.0, 1.0)
        return np.append(move, np.float32(-1)), (grasp, carry, held + (closes > 0))  # the last number: it is not absent


if __name__ == "__main__":
    train()
