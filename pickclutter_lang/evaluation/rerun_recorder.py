"""Recordings of episodes for Rerun's viewer: what the cameras saw, what the policy decided, what the arm did."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import MissingExtraError
from pickclutter_lang.evaluation.rollout_metrics import outcome_of, went_right
from pickclutter_lang.language.instructions import decode_instruction
from pickclutter_lang.manipulation.gripper import GraspCandidates, pregrasp_pose, rotation_matrix
from pickclutter_lang.manipulation.kinematics import JOINTS, PandaArm
from pickclutter_lang.manipulation.point_cloud import unproject_depth
from pickclutter_lang.manipulation.scripted_picker import GraspTarget
from pickclutter_lang.policy.policy import EpisodeState
from pickclutter_lang.utils.io import atomic_write

try:
    import rerun as rr
    import rerun.blueprint as rrb
except ImportError as error:
    raise MissingExtraError("rerun-sdk", "rerun") from error

STEP, DECISION = "control_step", "decision"
"""Timelines. The viewer begins with the first one by name."""
_APPLICATION = "pickclutter-lang"
_QUALITY = 90
_DEPTH_UNITS = 10_000  # of a meter: 0.1 mm, up to 6.5 m
_GREEN, _CHEAP, _COSTLY, _GRAY = (27, 138, 58), (255, 214, 64), (198, 40, 40), (150, 150, 150)
_CLEAR = (0, "background", (0, 0, 0, 0))
_NO_GRASPS = GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))


class RerunRecorder:
    """A recording of one episode; its `callback` takes what a rollout shows.

    Timelines: `control_step` counts the actions, `decision` the detections. Entities of `world` are in the world's
    frame, meters. A policy of a user's own has no decisions, segments, score maps and grasps: they are absent.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="recording")
        self._file = Path(self._folder.name) / "episode.rrd"
        self._stream = rr.new_recording(_APPLICATION)
        rr.save(self._file, _blueprint(), self._stream)
        self._step, self._decisions, self._phase = 0, 0, ""
        self._path: list[NDArray[np.float64]] = []
        self._log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
        for place, title in (("decision/mask", "chosen"), ("world/hand_camera/target", "target")):
            self._log(place, rr.AnnotationContext([_CLEAR, (1, title, _GREEN)]), static=True)
        self._log("decision/segments", rr.AnnotationContext([_CLEAR]), static=True)
        for name in ("score", "threshold"):
            self._log(f"scores/{name}", rr.SeriesPoint(name=name, marker_size=6), static=True)

    def callback(self, observation: Mapping[str, NDArray[Any]], state: EpisodeState | None) -> None:
        """Record a step, and a decision where there is a new one."""
        count = len(state.detections) if state is not None else 0
        rr.set_time_sequence(STEP, self._step, self._stream)
        rr.set_time_sequence(DECISION, count, self._stream)
        if self._step == 0:
            self._log("world/goal", rr.Points3D([observation["goal_pos"]], radii=0.01, labels=["goal"]))
            self._say(f"instruction: {decode_instruction(observation['instruction'])}")
        for key in observation:
            if key.endswith("_rgb"):
                self._log_camera(key.removesuffix("_rgb"), observation)
        self._log_arm(observation)
        if state is not None and count > self._decisions:
            self._log_decision(observation, state, count)
        if state is not None and state.phase.value != self._phase:
            self._phase = state.phase.value
            self._say(f"phase: {self._phase}", "DEBUG")
        self._step, self._decisions = self._step + 1, count

    def save(self, files: Mapping[str, Path], episode: Mapping[str, Any]) -> None:
        """Write the recording, the file of `.rrd`, with the outcome of the episode at its end.

        :param episode: as `RolloutRunner.rollout` returns it
        :raises DatasetError: when it cannot be written
        """
        picked = ", ".join(episode["picked"]) or "nothing"
        present = "present" if episode["present"] else "absent"
        self._say(
            f"outcome: {outcome_of(episode)}; target {episode['target']} ({present}), picked {picked}, "
            f"{episode['steps']} steps",
            "INFO" if went_right(episode) else "ERROR",
        )
        self._stream.flush(blocking=True)
        rr.disconnect(self._stream)
        atomic_write(files[".rrd"], self._file.read_bytes())
        self._folder.cleanup()

    def _log(self, path: str, *parts: Any, static: bool = False) -> None:
        rr.log(path, *parts, static=static, recording=self._stream)

    def _say(self, text: str, level: str = "INFO") -> None:
        self._log("log", rr.TextLog(text, level=level))

    def _log_camera(self, camera: str, observation: Mapping[str, Any]) -> None:
        """Record pose, color and depth of a camera, and the simulator's pixels of the target in the hand camera's."""
        height, width = observation[f"{camera}_rgb"].shape[:2]
        pose, place = observation[f"{camera}_cam2world"], f"world/{camera}_camera"
        self._log(place, rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
        axes = rr.ViewCoordinates.RUB  # OpenGL's
        self._log(
            place,
            rr.Pinhole(
                image_from_camera=observation[f"{camera}_intrinsic"],
                resolution=[width, height],
                camera_xyz=axes,
                image_plane_distance=0.06,
            ),
        )
        self._log(f"{place}/rgb", rr.Image(observation[f"{camera}_rgb"]).compress(_QUALITY))
        depth = np.clip(np.round(observation[f"{camera}_depth"] * _DEPTH_UNITS), 0, 65535).astype(np.uint16)
        self._log(f"{place}/depth", rr.DepthImage(depth, meter=_DEPTH_UNITS))
        if camera == "hand" and "mask" in observation:
            self._log(f"{place}/target", rr.SegmentationImage(observation["mask"], opacity=0.4))

    def _log_arm(self, agent: Mapping[str, NDArray[Any]]) -> None:
        """Record joints, TCP and its path so far, and the opening of the gripper."""
        frames = PandaArm(agent["base_pose"]).frames(np.asarray(agent["qpos"][:JOINTS], float))
        tcp = frames[-1]
        self._path.append(tcp[:3, 3])
        joints = np.concatenate([[agent["base_pose"][:3]], frames[:, :3, 3]])
        self._log("world/arm/links", rr.LineStrips3D([joints], radii=0.012, colors=[_GRAY]))
        self._log("world/arm/tcp", rr.Transform3D(translation=tcp[:3, 3], mat3x3=tcp[:3, :3], axis_length=0.06))
        self._log("world/arm/path", rr.LineStrips3D([np.stack(self._path)], radii=0.002, colors=[_CHEAP]))
        self._log("gripper/opening", rr.Scalar(float(agent["qpos"][JOINTS:].sum())))

    def _log_decision(self, observation: Mapping[str, Any], state: EpisodeState, number: int) -> None:
        """Record the last detection, what the hand camera sees in space, and the grasps."""
        found, rgb = state.detections[-1], observation["hand_rgb"]
        self._log("decision/rgb", rr.Image(rgb).compress(_QUALITY))
        if found.segments is not None:
            self._log("decision/segments", rr.SegmentationImage(found.segments.astype(np.uint16), opacity=0.5))
        self._log("decision/mask", rr.SegmentationImage(found.mask.astype(np.uint8), opacity=0.5))
        heat = found.heatmap / max(float(found.heatmap.max()), 1e-12)
        self._log("decision/score_map", rr.Tensor(heat.astype(np.float32), dim_names=("row", "column")))
        self._log("scores/score", rr.Scalar(found.score))
        self._log("scores/threshold", rr.Scalar(found.threshold))
        cloud = unproject_depth(*(observation[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world")))
        colors = rgb[cloud.pixels[:, 0], cloud.pixels[:, 1]]
        self._log("world/points", rr.Points3D(cloud.points, colors=colors, radii=0.0012))
        target, candidates = (None, _NO_GRASPS) if state.absent else (state.target, state.candidates or _NO_GRASPS)
        self._log_grasps(candidates, target)
        self._say(_in_words(number, state, candidates, target))

    def _log_grasps(self, candidates: GraspCandidates, target: GraspTarget | None) -> None:
        """Record candidates as arrows of their approach, cheap ones yellow and costly ones red, and the chosen one."""
        poses = [candidates.pose(row) for row in range(len(candidates.positions))]
        costs = candidates.costs
        labels = None if costs is None else [f"{cost:.3f}" for cost in costs]
        ends = np.reshape([pose[:3] for pose in poses], (-1, 3))
        starts = np.reshape([pregrasp_pose(pose)[:3] for pose in poses], (-1, 3))
        arrows = rr.Arrows3D(vectors=ends - starts, origins=starts, colors=_colors(costs, len(poses)), labels=labels)
        self._log("world/grasps", arrows, *([rr.AnyValues(cost=costs)] if costs is not None and len(costs) else []))
        chosen = [] if target is None else [target.grasp]
        ends = np.reshape([pose[:3] for pose in chosen], (-1, 3))
        starts = np.reshape([pregrasp_pose(pose)[:3] for pose in chosen], (-1, 3))
        closing = [[0.04 * sign * rotation_matrix(pose[3:])[:, 1] + pose[:3] for sign in (-1, 1)] for pose in chosen]
        approach = rr.Arrows3D(vectors=ends - starts, origins=starts, colors=[_GREEN], radii=0.004)
        self._log("world/grasp/approach", approach)
        self._log("world/grasp/closing", rr.LineStrips3D(closing, colors=[_GREEN], radii=0.004))
        points = np.zeros((0, 3)) if target is None else target.points
        self._log("world/target_points", rr.Points3D(points, colors=[_GREEN], radii=0.002))


def _colors(costs: NDArray[np.float64] | None, count: int) -> NDArray[np.uint8]:
    """Return colors [G, 3] from yellow for the cheapest to red for the costliest; gray without costs."""
    if costs is None or not count:
        return np.tile(np.array(_GRAY, np.uint8), (count, 1))
    share = (costs - costs.min()) / max(float(np.ptp(costs)), 1e-12)
    return np.asarray(_CHEAP + share[:, None] * (np.array(_COSTLY) - _CHEAP), np.uint8)


def _in_words(number: int, state: EpisodeState, candidates: GraspCandidates, target: GraspTarget | None) -> str:
    """Return a decision as a line of the log."""
    found = state.detections[-1]
    parts = [f"decision {number}: {state.name} scores {found.score:.3f}, threshold {found.threshold:.3f}"]
    if found.segments is not None:
        parts.append(f"{len(np.unique(found.segments[found.segments > 0]))} segments")
    if state.absent:
        return "; ".join([*parts, "predicted absent, by the mean of all decisions"])
    parts += ["predicted present", f"{int(found.mask.sum())} pixels chosen", f"{len(candidates.positions)} grasps"]
    if target is None:
        return "; ".join([*parts, "none within reach"])
    row = candidates.row_of(target.grasp)
    if candidates.costs is not None and row is not None:
        parts.append(f"the chosen one costs {candidates.costs[row]:.3f}, rank {row + 1}")
    return "; ".join(parts)


def _blueprint() -> rrb.Blueprint:
    """Return the layout: images on the left, space on the right, log and curves below."""
    hand, base = "world/hand_camera", "world/base_camera"
    images = rrb.Grid(
        rrb.Spatial2DView(origin=hand, contents=["$origin/rgb", "$origin/target"], name="hand camera, target"),
        rrb.Spatial2DView(origin=base, contents=["$origin/rgb"], name="base camera"),
        rrb.Spatial2DView(origin="decision", contents=["$origin/rgb", "$origin/segments"], name="segments"),
        rrb.Spatial2DView(origin="decision", contents=["$origin/rgb", "$origin/mask"], name="chosen"),
        rrb.TensorView(origin="decision/score_map", name="score map"),
        rrb.Spatial2DView(origin=hand, contents=["$origin/depth"], name="depth"),
        grid_columns=2,
    )
    hidden = [f"- /{camera}/{kind}" for camera in (hand, base) for kind in ("rgb", "depth", "target")]
    space = rrb.Spatial3DView(origin="world", contents=["+ $origin/**", *hidden], name="grasps and arm")
    below = rrb.Horizontal(
        rrb.TextLogView(origin="log", name="log"),
        rrb.TimeSeriesView(origin="scores", name="scores"),
        rrb.TimeSeriesView(origin="gripper", name="opening, m"),
        column_shares=[3, 1, 1],
    )
    top = rrb.Horizontal(images, space, column_shares=[1, 1])
    return rrb.Blueprint(
        rrb.Vertical(top, below, row_shares=[3, 1]),
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(state="collapsed"),
    )
