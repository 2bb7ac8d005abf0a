"""Names, sizes and numbers that several subpackages share."""

CAMERAS = ("hand", "base")
"""Names of the cameras."""
LABELS = ("present", "visible", "graspable")
"""Per-object labels of a scene."""
MAX_DEPTH_M = 2.0
"""Depth that a student sees at most, meters; nothing of interest is further from either camera."""
MAX_ACTORS = 10
"""Maximum number of objects in a scene."""
REP_POINTS = 16
"""Points on the visible surface of each object that a scene keeps."""
ROBOT_SEGMENT = 255
"""Value of the robot's pixels in a segmentation; 0 is the background, k the object k - 1 of the scene."""
TEMPERATURE = 0.07
"""tau of the paper: divides cosine similarities before each softmax, of losses and of the spatial attention."""
