"""Grasp annotations of a scene: what the picker's proposer offers for each object, and what became of those tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.manipulation.gripper import GraspCandidates, quaternion, rotation_matrix
from pickclutter_lang.manipulation.point_cloud import object_point_cloud
from pickclutter_lang.manipulation.scripted_picker import PickerConfig
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.typing import FloatArray

NOT_TRIED, MISSED, LIFTED, PLACED = -1, 0, 1, 2
"""Values of `outcome`: the arm did not try it; tried, and lifted nothing; lifted the object; brought it to the goal."""


class _Proposal(NamedTuple):
    """The grasps of one object at one decision; `tried` is the row of the one that the arm tried."""

    actor: int
    decision: int
    grasps: GraspCandidates
    object_pose: FloatArray
    tried: int | None


class GraspLog:
    """The grasps of an episode: of all objects before the arm moves, and of the picker at each of its decisions."""

    def __init__(self, env: Any, config: PickerConfig) -> None:
        """Begin an episode.

        :param env: the unwrapped environment
        """
        self._env, self._config = env, config
        self._proposals: list[_Proposal] = []
        self._outcomes: list[int] = []
        """What became of each decision's grasp."""

    def at_decision(self, observation: Mapping[str, Any], state: EpisodeState) -> None:
        """Take what the picker proposed, if it decided at this step, and at its first decision what others would be.

        :param observation: of mode `rgbd` with segmentation
        """
        decision = len(state.detections) - 1
        if decision < len(self._outcomes):
            return
        segments = observation["image"]["hand_camera"]["Segmentation"][..., 1]
        self._outcomes.append(MISSED)
        chosen = None
        if not state.absent and state.candidates is not None:
            chosen = self._actor_in(segments, state.detections[-1].mask)
            tried = None if state.target is None else state.candidates.row_of(state.target.grasp)
            if chosen is not None:
                self._add(chosen, decision, state.candidates, tried)
        if decision == 0:
            for actor in range(len(self._env.objs)):
                if actor != chosen:
                    mask = segments == self._env.objs[actor].id
                    self._add(actor, decision, propose(observation, mask, self._config), None)

    def after_step(self, success: bool) -> None:
        """Take what became of the grasp of the last decision."""
        if not self._outcomes:
            return
        names, tried = self._env.picked_objects(), [one for one in self._proposals if one.tried is not None]
        if not tried or tried[-1].decision != len(self._outcomes) - 1:
            return
        actor = self._env.episode["actors"][tried[-1].actor]
        if self._env.object_set.model(actor["model_id"]).name in names:
            self._outcomes[-1] = max(self._outcomes[-1], PLACED if success else LIFTED)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the annotations of G grasps, by name.

        - `actor`, `decision`: int32 [G], index of the object in the pile, and 0 before the arm moved, 1 before the
          second attempt, ...
        - `pose`, `pose_in_object`: float32 [G, 7], TCP pose (x y z qw qx qy qz) in the world and in the object's frame
        - `width`, `cost`: float32 [G], meters between the pads, and what ranks them, lower is better; nan: not said
        - `outcome`: int8 [G], see `NOT_TRIED`
        """
        found: dict[str, list[Any]] = {key: [] for key in _KINDS}
        for one in self._proposals:
            count = len(one.grasps.positions)
            poses = [one.grasps.pose(row) for row in range(count)]
            unknown = np.full(count, np.nan)
            found["actor"] += [one.actor] * count
            found["decision"] += [one.decision] * count
            found["pose"] += poses
            found["pose_in_object"] += [relative_pose(pose, one.object_pose) for pose in poses]
            found["width"] += list(unknown if one.grasps.widths is None else one.grasps.widths)
            found["cost"] += list(unknown if one.grasps.costs is None else one.grasps.costs)
            found["outcome"] += [
                self._outcomes[one.decision] if row == one.tried else NOT_TRIED for row in range(count)
            ]
        return {key: np.reshape(np.array(found[key], kind), (-1, *shape)) for key, (kind, shape) in _KINDS.items()}

    def _add(self, actor: int, decision: int, grasps: GraspCandidates, tried: int | None) -> None:
        pose = self._env.objs[actor].pose
        frame = np.concatenate([pose.p, pose.q]).astype(float)
        self._proposals.append(_Proposal(actor, decision, grasps, frame, tried))

    def _actor_in(self, segments: NDArray[Any], mask: NDArray[np.bool_]) -> int | None:
        """Return the object with the most pixels in a mask, None where there is none."""
        counts = [int((mask & (segments == actor.id)).sum()) for actor in self._env.objs]
        return int(np.argmax(counts)) if any(counts) else None


_KINDS: dict[str, tuple[type, tuple[int, ...]]] = {
    "actor": (np.int32, ()),
    "decision": (np.int32, ()),
    "pose": (np.float32, (7,)),
    "pose_in_object": (np.float32, (7,)),
    "width": (np.float32, ()),
    "cost": (np.float32, ()),
    "outcome": (np.int8, ()),
}


def propose(observation: Mapping[str, Any], mask: NDArray[np.bool_], config: PickerConfig) -> GraspCandidates:
    """Return the grasps of an object as the picker would propose them, within the first limits that have any.

    :param observation: of mode `rgbd`
    :param mask: [H, W], the pixels of the object in the hand camera's image
    """
    camera = observation["camera_param"]["hand_camera"]
    depth = np.asarray(observation["image"]["hand_camera"]["depth"], float)[..., 0]
    cloud = object_point_cloud(depth, camera["intrinsic_cv"], camera["cam2world_gl"], config.point_cloud)
    inside = mask[cloud.pixels[:, 0], cloud.pixels[:, 1]]
    rest = rotation_matrix(np.asarray(observation["extra"]["tcp_pose"], float)[3:])
    for limits in config.grasp_limits:
        grasps = config.propose_grasps(cloud.points[inside], cloud.points[~inside], limits, rest)
        if len(grasps.positions):
            break
    return grasps


def relative_pose(pose: FloatArray, frame: FloatArray) -> FloatArray:
    """Return a pose [7] (x y z qw qx qy qz) in a frame that is given as a pose [7] too."""
    rotation = rotation_matrix(frame[3:])
    turned = rotation.T @ rotation_matrix(pose[3:])
    return np.concatenate([rotation.T @ (pose[:3] - frame[:3]), quaternion(turned)])
