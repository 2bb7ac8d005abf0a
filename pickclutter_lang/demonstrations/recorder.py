"""The simulator's recorder of trajectories, a file for each episode, with its instruction and the picker's grasps.

The grasps are the annotations of a scene: what the picker's proposer offers for each object, and what became of those
that the arm tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import h5py
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.demonstrations.trajectories import RECORD
from pickclutter_lang.envs.recording import EpisodeRecorder
from pickclutter_lang.envs.wrappers import actors_of
from pickclutter_lang.manipulation.grasp_proposals import first_proposals
from pickclutter_lang.manipulation.gripper import GraspCandidates, quaternion, rotation_matrix
from pickclutter_lang.manipulation.point_cloud import points_of_object
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.typing import FloatArray

NOT_TRIED = -1
MISSED = 0
LIFTED = 1
PLACED = 2
"""Values of `outcome`: the arm did not try it; tried, and lifted nothing; lifted the object; brought it to the goal."""
_GRASP = np.dtype(
    [
        ("actor", np.int32), ("decision", np.int32), ("pose", np.float32, (7,)), ("pose_in_object", np.float32, (7,)),
        ("width", np.float32), ("cost", np.float32), ("outcome", np.int8),
    ]
)  # fmt: skip


class DemonstrationRecorder(EpisodeRecorder):
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
        """Wrap what `make_single` returns."""
        super().__init__(env)
        self._base: Any = env.unwrapped

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Start an episode, and forget the last one."""
        self._observation, info = super().reset(**given)
        self._decisions = 0
        self._grasps: list[dict[str, Any]] = []
        self._tried: dict[str, Any] | None = None
        """The grasp that the arm tries after the last decision."""
        return self._observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step, and what became of the grasp of the last decision."""
        self._observation, reward, terminated, truncated, info = super().step(action)
        if self._tried is not None and self._objects()[self._tried["actor"]].name in self._base.picked_objects():
            self._tried["outcome"] = max(self._tried["outcome"], PLACED if info["success"] else LIFTED)
        return self._observation, reward, terminated, truncated, info

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Take what the picker proposed, if it decided at this step; a `RolloutCallback`.

        At its first decision also what it would propose of other objects.
        """
        if state is None or len(state.detections) <= self._decisions:
            return
        actors = actors_of(self._observation)
        ids = self._base.actor_ids
        poses = self._base.pile().poses
        chosen = None
        self._tried = None
        if not state.absent and state.candidates is not None:
            # The object with the most pixels in the mask.
            counts = [int((state.detections[-1].mask & (actors == actor_id)).sum()) for actor_id in ids]
            tried = None if state.target is None else state.candidates.row_of(state.target)
            if any(counts):
                chosen = int(np.argmax(counts))
                self._add(chosen, state.candidates, poses[chosen], tried)
        if self._decisions == 0:
            for n, actor_id in enumerate(ids):
                if n != chosen:
                    self._add(n, propose(observation, actors == actor_id), poses[n], None)
        self._decisions += 1

    def write(self, path: Path) -> None:
        """Write the episode so far into a file of its own, atomically.

        :raises DatasetError: when the disk does not take it
        """
        with h5py.File("part", "w", driver="core", backing_store=False) as file:
            episode = self.flush(file)
            (group,) = file.values()
            names = _GRASP.names or ()
            table = np.array([tuple(row[name] for name in names) for row in self._grasps], _GRASP)
            for name in names:
                group.create_dataset(f"grasp_annotations/{name}", data=np.ascontiguousarray(table[name]))
            record = episode | {
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

    def _add(self, actor: int, grasps: GraspCandidates, frame: FloatArray, tried: int | None) -> None:
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
    """Return the grasps of an object as the scripted picker would propose them, within the first limits with any.

    :param observation: of `FlatObservation`
    :param mask: [H, W], the pixels of the object in the hand camera's image
    """
    depth, intrinsic, pose = (observation[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world"))
    points, others = points_of_object(depth.astype(float), intrinsic, pose, mask)
    rest = rotation_matrix(observation["tcp_pose"].astype(float)[3:])
    return first_proposals(points, others, rest)


def relative_pose(pose: FloatArray, frame: FloatArray) -> FloatArray:
    """Return a pose [7] (x y z qw qx qy qz) in a frame that is given as a pose [7] too."""
    rotation = rotation_matrix(frame[3:])
    turned = rotation.T @ rotation_matrix(pose[3:])
    return np.concatenate([rotation.T @ (pose[:3] - frame[:3]), quaternion(turned)])
