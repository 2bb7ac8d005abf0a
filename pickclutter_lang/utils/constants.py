"""Names, sizes and numbers that several rooms share."""

CAMERAS = ("hand", "base")
"""Names of the cameras."""
LABELS = ("present", "visible", "graspable")
"""What a scene says of each object of the catalog."""
MAX_ACTORS = 10
"""Most objects in a scene."""
REP_POINTS = 16
"""Points on the visible surface of each object that a scene keeps."""
ROBOT_SEGMENT = 255
"""Value of the robot's pixels in a segmentation; 0 is the background, k the object k - 1 of the scene."""
TEMPERATURE = 0.07
"""tau of the paper: divides cosine similarities before each softmax, of losses and of the spatial attention."""
