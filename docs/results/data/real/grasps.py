"""Best grasps of labelled objects on real frames, from their true masks: what share is one that a gripper could try.

    python docs/results/data/real/grasps.py FRAMES ANNOTATIONS pc,sg_,yv [PICTURES]

A grasp is checked with all points above the table: what lies in its way, as an area at the object's distance, may be
25 mm2, noise of depth. `hidden`: a closed fingertip would be more than 2 cm behind
what the camera saw at its pixel, where nothing is known; that is no failure, but no proof either.
"""

import sys
import time
from pathlib import Path

import numpy as np

from pickclutter_lang.datasets.frames import read_labeled_frames
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.drawing import draw_located
from pickclutter_lang.manipulation.grasp_proposals import first_proposals
from pickclutter_lang.manipulation.gripper import FINGERTIP_CORNERS, collision_counts
from pickclutter_lang.manipulation.point_cloud import TABLE_HEIGHT_M, points_of_object, project_points, unproject_depth
from pickclutter_lang.policy.observations import checked_view
from pickclutter_lang.policy.policy import Location
from pickclutter_lang.utils.typing import FloatArray

OPENING_M = 0.08
SWEPT_MM2 = 25
_HIDDEN_M = 0.02


def is_hidden(tips: FloatArray, depth: FloatArray, intrinsic: FloatArray, pose: FloatArray) -> bool:
    """Return whether a tip [P, 3] is behind the surface that its pixel shows."""
    behind = (pose[:3, 3] - tips) @ pose[:3, 2]
    columns, rows = project_points(tips, intrinsic, pose).astype(int).T
    seen = depth[rows.clip(0, depth.shape[0] - 1), columns.clip(0, depth.shape[1] - 1)]
    return bool(((seen > 0) & (behind > seen + _HIDDEN_M)).any())


def main() -> None:
    frames = Path(sys.argv[1])
    annotations = Path(sys.argv[2])
    prefixes = tuple(sys.argv[3].split(","))
    pictures = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    rows = []
    print("frame,object,points,others,seconds,grasp,on_object,width_mm,swept_mm2,tips_mm,hidden")
    for labeled in read_labeled_frames(frames, annotations):
        if not labeled.name.startswith(prefixes):
            continue
        try:
            seen = checked_view(labeled.frame)
        except InvalidArgumentError as error:
            print(f"{labeled.name},,,,,{error}")
            continue
        depth, intrinsic, pose = (seen[f"hand_{key}"] for key in ("depth", "intrinsic", "cam2world"))
        cloud = unproject_depth(depth, intrinsic, pose).points
        cloud = cloud[cloud[:, 2] > TABLE_HEIGHT_M]
        for name, mask in labeled.objects:
            start = time.process_time()
            points, others = points_of_object(depth, intrinsic, pose, mask)
            grasps = first_proposals(points, others, np.eye(3))
            seconds = time.process_time() - start
            if not len(grasps.positions):
                rows.append((False, False, False, False, False, False, seconds))
                print(f"{labeled.name},{name},{len(points)},{len(others)},{seconds:.2f},0")
            else:
                best = grasps[:1]
                column, row = project_points(best.positions, intrinsic, pose)[0].astype(int)
                inside = 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and bool(mask[row, column])
                width = float(best.widths[0])  # type: ignore[index]
                of_a_point = (1000 * np.median(depth[mask & (depth > 0)]) / intrinsic[0, 0]) ** 2
                swept = of_a_point * int(collision_counts(best, [cloud])[0])
                tips = float((best.positions[0] + FINGERTIP_CORNERS @ best.rotations[0].T)[:, 2].min())
                pads = np.array([[0, side * (width / 2 + 0.01), 0] for side in (-1, 1)]) @ best.rotations[0].T
                hidden = is_hidden(best.positions[0] + pads, depth, intrinsic, pose)
                free = swept < SWEPT_MM2
                rows.append((True, inside, width < OPENING_M, free, tips > 0, hidden, seconds))
                print(f"{labeled.name},{name},{len(points)},{len(others)},{seconds:.2f},1,{inside:d},"
                      f"{1000 * width:.0f},{swept:.0f},{1000 * tips:.0f},{hidden:d}")  # fmt: skip
            if pictures is not None:
                shown = draw_located(seen, [Location(name, True, 1.0, 0.5, mask, points, grasps, np.eye(4))])
                shown.save(pictures / f"{labeled.name}_{name.replace(' ', '_')}.png")
    counted = np.array(rows)
    for label, column in zip(("a grasp", "on the object", "below 80 mm", "free of the cloud", "above the table"),
                             counted.T[:5], strict=True):  # fmt: skip
        print(f"{label}: {int(column.sum())} of {len(counted)}")
    print(f"all of these: {int(counted[:, :5].all(1).sum())} of {len(counted)}")
    print(f"a tip where the camera did not see: {int(counted[:, 5].sum())} of {len(counted)}")
    print(f"processor seconds: median {np.median(counted[:, 6]):.2f}, largest {counted[:, 6].max():.2f}")


if __name__ == "__main__":
    main()
