"""ManiSkill2's recorder of trajectories, a file for each episode, with its instruction and the picker's grasps.

The grasps are the annotations of a scene: what the picker's proposer offers for each object, and what became of those
that the arm tried.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demonstrations.trajectories import RECORD
from pickclutter_lang.envs.replay import RecordEpisode
from pickclutter_lang.manipulation.grasp_proposals import proposals
from pickclutter_lang.manipulation.gripper import GraspCandidates, quaternion, rotation_matrix
from pickclutter_lang.manipulation.point_cloud import points_of_object
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.typing import FloatArray

NOT_TRIED, MISSED, LIFTED, PLACED = -1, 0, 1, 2
"""Values of `outcome`: the arm did not try it; tried, and lifted nothing; lifted the object; brought it to the goal."""
_SEGMENTATION = "Segmentation"


class _WithState(gym.Wrapper[Any, Any, Any, Any]):
    """Passes the simulator's state on, as wrappers of Gymnasium below 1 did."""

    def get_state(self) -> NDArray[np.float64]:
        state: NDArray[np.float64] = self.env.unwrapped.get_state()  # type: ignore[attr-defined]
        return state


_GRASP = np.dtype(
    [
        ("actor", np.int32), ("decision", np.int32), ("pose", np.float32, (7,)), ("pose_in_object", np.float32, (7,)),
        ("width", np.float32), ("cost", np.float32), ("outcome", np.int8),
    ]
)  # fmt: skip


class DemonstrationRecorder(RecordEpisode):  # type: ignore[misc]
    """Records the last episode of an environment of mode `rgbd` with segmentation, and its grasps.

    These are of all objects before the arm moves, and of the picker at each of its decisions, which `callback` takes
    from a rollout. The annotations of G grasps by name:

    - `actor`, `decision`: int32 [G], index of the object in the pile, and 0 before the arm moved, 1 before the
      second attempt, ...
    - `pose`, `pose_in_object`: float32 [G, 7], TCP pose (x y z qw qx qy qz) in the world and in the object's frame
    - `width`, `cost`: float32 [G], meters between the pads, and what ranks them, lower is better; nan: not said
    - `outcome`: int8 [G], see `NOT_TRIED`
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wrap what `gymnasium.make` returns."""
        self._unused = tempfile.TemporaryDirectory(prefix="recorder")  # ManiSkill2 opens a file at once
        super().__init__(
            _WithState(env), self._unused.name, trajectory_name="unused", save_video=False, save_on_reset=False,
            clean_on_close=False,
        )  # fmt: skip
        self._base: Any = env.unwrapped

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and forget the last one."""
        observation, info = super().reset(**given)
        self._episode_info["reset_kwargs"] = {"seed": given["seed"]}
        self._decisions, self._grasps = 0, list[dict[str, Any]]()
        self._tried: dict[str, Any] | None = None
        """The grasp that the arm tries after the last decision."""
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and what became of the grasp of the last decision."""
        observation, reward, terminated, truncated, info = super().step(action)
        if self._tried is not None and self._objects()[self._tried["actor"]].name in self._base.picked_objects():
            self._tried["outcome"] = max(self._tried["outcome"], PLACED if info["success"] else LIFTED)
        return observation, reward, terminated, truncated, info

    def callback(self, _: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take what the picker proposed, if it decided at this step; a `RolloutCallback`.

        At its first decision also what it would propose of other objects.
        """
        if state is None or len(state.detections) <= self._decisions:
            return
        observation = self._episode_data[-1]["o"]
        segments = observation["image"]["hand_camera"][_SEGMENTATION][..., 1]
        chosen, self._tried = None, None
        if not state.absent and state.candidates is not None:
            # The object with the most pixels in the mask.
            counts = [int((state.detections[-1].mask & (segments == actor.id)).sum()) for actor in self._base.objs]
            tried = None if state.target is None else state.candidates.row_of(state.target.grasp)
            if any(counts):
                chosen = int(np.argmax(counts))
                self._add(chosen, state.candidates, tried)
        if self._decisions == 0:
            for actor in range(len(self._base.objs)):
                if actor != chosen:
                    self._add(actor, propose(observation, segments == self._base.objs[actor].id), None)
        self._decisions += 1

    def write(self, path: Path) -> None:
        """Write the episode so far into a file of its own, atomically.

        :raises DatasetError: when the disk does not take it
        """
        for one in self._episode_data:
            for images in one["o"]["image"].values():
                images.pop(_SEGMENTATION, None)
        self._json_data["episodes"].clear()
        with h5py.File("part", "w", driver="core", backing_store=False) as file:
            self._h5_file, self._episode_id = file, 0
            self.flush_trajectory()
            (group,) = file.values()
            names = _GRASP.names or ()
            table = np.array([tuple(row[name] for name in names) for row in self._grasps], _GRASP)
            for name in names:
                group.create_dataset(f"grasp_annotations/{name}", data=np.ascontiguousarray(table[name]))
            record = {key: value for key, value in self._episode_info.items() if key != "episode_id"} | {
                "instruction": self._base.instruction,
                "target": self._base.target_name,
                "objects": [item.name for item in self._objects()],
                "model_ids": [actor["model_id"] for actor in self._base.episode["actors"]],
            }
            group.attrs[RECORD] = json.dumps(record, default=lambda value: value.tolist())
            file.flush()
            data = bytes(file.id.get_file_image())
        atomic_write(path, data)

    def _objects(self) -> list[CatalogObject]:
        return [self._base.object_set.model(actor["model_id"]) for actor in self._base.episode["actors"]]

    def _add(self, actor: int, grasps: GraspCandidates, tried: int | None) -> None:
        pose = self._base.objs[actor].pose
        frame = np.concatenate([pose.p, pose.q]).astype(float)
        for number in range(len(grasps.positions)):
            row = {
                "actor": actor,
                "decision": self._decisions,
                "pose": grasps.pose(number),
                "pose_in_object": relative_pose(grasps.pose(number), frame),
                "width": np.nan if grasps.widths is None else grasps.widths[number],
                "cost": np.nan if grasps.costs is None else grasps.costs[number],
                "outcome": MISSED if number == tried else NOT_TRIED,
            }
            self._grasps.append(row)
            self._tried = row if number == tried else self._tried


def propose(observation: Mapping[str, Any], mask: NDArray[np.bool_]) -> GraspCandidates:
    """Return the grasps of an object as the picker would propose them, within the first limits that have any.

    :param observation: of mode `rgbd`
    :param mask: [H, W], the pixels of the object in the hand camera's image
    """
    camera = observation["camera_param"]["hand_camera"]
    depth = np.asarray(observation["image"]["hand_camera"]["depth"], float)[..., 0]
    points, others = points_of_object(depth, camera["intrinsic_cv"], camera["cam2world_gl"], mask)
    rest = rotation_matrix(np.asarray(observation["extra"]["tcp_pose"], float)[3:])
    for grasps in proposals(points, others, rest):
        if len(grasps.positions):
            break
    return grasps


def relative_pose(pose: FloatArray, frame: FloatArray) -> FloatArray:
    """Return a pose [7] (x y z qw qx qy qz) in a frame that is given as a pose [7] too."""
    rotation = rotation_matrix(frame[3:])
    turned = rotation.T @ rotation_matrix(pose[3:])
    return np.concatenate([rotation.T @ (pose[:3] - frame[:3]), quaternion(turned)])
