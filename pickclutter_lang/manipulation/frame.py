"""A frame: one RGB-D image as a camera gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.typing import AnyFloatArray

AXES = ("opencv", "opengl")
"""Conventions of a camera's axes."""
_OPENGL_OF_OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Frame:
    """An RGB-D image of any camera, of any size.

    - `rgb`: uint8 [H, W, 3], red first; OpenCV's images are blue first: `image[..., ::-1]`
    - `depth`: [H, W], along the optical axis, in the pixels of `rgb`: floats in meters, or whole numbers in units of
      `depth_scale`; 0 or NaN where there is none
    - `intrinsic`: [3, 3], as OpenCV, ROS and librealsense give it: `cx` and `cy` count from the first pixel's center
    - `pose`: [4, 4], the camera's in a world whose z points up and is 0 on the table, in meters. It may be some
      centimeters and degrees off. None: the table is looked for, and grasps are in a world that lies on it
    - `axes`: of `pose`: `opencv` (x right, y down, z forward) or `opengl` (x right, y up, z backward)
    - `depth_scale`: meters of a unit of a depth in whole numbers: 0.001 for millimeters
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[Any]
    intrinsic: AnyFloatArray
    pose: AnyFloatArray | None = None
    axes: str = "opencv"
    depth_scale: float | None = None

    def arrays(self) -> dict[str, Any]:
        """Return the frame as an observation has it: `hand_rgb`, `hand_depth`, `hand_intrinsic`, `hand_cam2world`.

        The last one is missing where there is no pose. In an observation depth is in meters, the principal point counts
        from the image's corner, and axes are OpenGL's.

        :raises InvalidArgumentError: for a depth whose unit is not known, other axes, or what is no array
        """
        depth, intrinsic = self.depth, self.intrinsic
        if not isinstance(depth, np.ndarray) or not isinstance(intrinsic, np.ndarray):
            raise InvalidArgumentError(
                "expected a frame's depth and intrinsic as NumPy arrays, but got "
                f"{type(depth).__name__} and {type(intrinsic).__name__}; np.asarray makes one of a list"
            )
        if depth.dtype.kind in "iu":
            if self.depth_scale is None or not 0 < self.depth_scale < 1:
                raise InvalidArgumentError(
                    f"expected depth_scale, the meters of one unit, with a depth in whole numbers ({depth.dtype}), but "
                    f"got {self.depth_scale}; millimeters: depth_scale=0.001"
                )
            depth = (depth * self.depth_scale).astype(np.float32)
        if self.axes not in AXES:
            raise InvalidArgumentError(f"expected axes to be one of {', '.join(AXES)}, but got {self.axes!r}")
        corner = np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
        arrays = {
            "hand_rgb": self.rgb,
            "hand_depth": depth,
            "hand_intrinsic": intrinsic + corner if intrinsic.shape == (3, 3) else intrinsic,
        }
        if self.pose is not None:
            pose = np.asarray(self.pose, float)
            fits = self.axes == "opencv" and pose.shape == (4, 4)
            arrays["hand_cam2world"] = pose @ _OPENGL_OF_OPENCV if fits else pose
        return arrays
