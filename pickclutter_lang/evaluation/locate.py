"""Named objects in one frame of any camera: which are there, where, and how to grasp them, in numbers and a picture."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.datasets.frames import read_frame
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.config import LocateConfig
from pickclutter_lang.evaluation.drawing import draw_located
from pickclutter_lang.language.instructions import read_name
from pickclutter_lang.manipulation.grasp_proposals import GraspLimits, propose_grasps
from pickclutter_lang.manipulation.gripper import GraspCandidates
from pickclutter_lang.policy.color_order import color_order_note, exchanged_odds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.observations import checked_view
from pickclutter_lang.policy.policy import Location, location_of
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_folder.folder import policy_folder
from pickclutter_lang.utils.images import png_bytes
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.typing import FloatArray

_log = logging.getLogger(__name__)
_COLUMNS = "name", "score", "threshold", "there", "pixels", "best grasp, x y z (m)", "opening (mm)"


def locate(config: LocateConfig) -> list[Location]:
    """Ask for names in a frame, and write the picture `config.out`. What is not there has no grasps.

    A line is logged where the frame looks as if it had blue first.

    :raises InvalidArgumentError: for names that mean nothing, or a frame in which no table is found
    :raises PickClutterError: what reading the frame and loading the policy raise
    """
    frame = read_frame(config.frame, config.name)
    student = StudentRuntime.load(policy_folder(config.policy), config.trust_code)
    names = config.names or list(student.examples.taught)
    if not names:
        raise InvalidArgumentError(f"expected names=mug,lemon: {config.policy} was taught none by examples")
    detector = StudentDetector(student)
    view = checked_view(frame)
    seen = View.of_observation(student, view)
    if note := color_order_note([exchanged_odds(seen)]):
        _log.warning("%s", note)
    detections = detector.decide(seen, [read_name(name, detector.names) for name in names])
    found = [
        location_of(view, name, detection, propose_grasps if detection.margin >= 0 else _no_grasps)
        for name, detection in zip(names, detections, strict=True)
    ]
    atomic_write(Path(config.out), png_bytes(draw_located(view, found)))
    return found


def locate_table(found: list[Location]) -> str:
    """Return a table of locations, a line each; grasps are in the camera's axes."""
    rows = []
    for one in found:
        answer = "yes" if one.present else "no"
        row = [one.name, f"{one.score:.2f}", f"{one.threshold:.2f}", answer]
        grasps = one.grasps_in_camera()
        position, width = "-", "-"
        if len(grasps.positions):
            position = " ".join(f"{value:.3f}" for value in grasps.positions[0])
            width = f"{1000 * grasps.widths[0]:.0f}" if grasps.widths is not None else "-"
        rows.append([*row, str(int(one.mask.sum())) if one.present else "-", position, width])
    return markdown_table(_COLUMNS, rows)


def location_record(one: Location) -> dict[str, Any]:
    """Return a location as JSON values. `box` is left, top, right and bottom of its pixels, the latter two excluded.

    `grasps` are TCP poses, x y z and a quaternion with w first, in the camera's axes, with the opening in meters.
    `camera` is the camera's pose in a world whose z is the height above the table.
    """
    rows, columns = np.nonzero(one.mask)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if one.present and len(rows) else None
    grasps = one.grasps_in_camera()
    widths = [None] * len(grasps.positions) if grasps.widths is None else grasps.widths.tolist()
    return {
        "name": one.name,
        "present": bool(one.present),
        "score": float(one.score),
        "threshold": float(one.threshold),
        "box": None if box is None else [int(side) for side in box],
        "grasps": [{"pose": grasps.pose(n).tolist(), "width": width} for n, width in enumerate(widths)],
        "camera": one.camera.tolist(),
    }


def _no_grasps(target: FloatArray, others: FloatArray, limits: GraspLimits, rest: FloatArray) -> GraspCandidates:
    """Return no grasps: of what is not there."""
    return GraspCandidates(np.zeros((0, 3)), np.zeros((0, 3, 3)))
