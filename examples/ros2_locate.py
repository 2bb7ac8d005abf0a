"""A ROS 2 node: send it a name, and it publishes the best grasp of that object in the frame of the color camera.

ros2 launch realsense2_camera rs_launch.py align_depth.enable:=true
python examples/ros2_locate.py --ros-args -p policy:=ycb \
    -r color:=/camera/camera/color/image_raw -r camera_info:=/camera/camera/color/camera_info \
    -r depth:=/camera/camera/aligned_depth_to_color/image_raw
ros2 topic pub --once /name std_msgs/msg/String "data: mug"
ros2 topic echo /grasp

The pose is of the point between the fingertips: x across the fingers, y closes, z approaches.
Not run: there was no ROS here. A test runs it with stand-ins for its packages.
"""

import message_filters
import numpy as np
import rclpy
from cv_bridge import CvBridge
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from pickclutter_lang.errors import PickClutterError
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.policy.policy import LanguagePickPolicy

MAX_DELAY_S = 0.05  # between color and depth


class Locate(Node):
    """Keeps the newest frame, and looks for each name in it."""

    def __init__(self) -> None:
        """Open the policy, and listen."""
        super().__init__("pickclutter_locate")
        self.policy = LanguagePickPolicy.from_pretrained(self.declare_parameter("policy", "open").value)
        self.bridge = CvBridge()
        self.newest = None
        kinds = {"color": Image, "depth": Image, "camera_info": CameraInfo}
        topics = [message_filters.Subscriber(self, kind, topic) for topic, kind in kinds.items()]
        self.frames = message_filters.ApproximateTimeSynchronizer(topics, 5, MAX_DELAY_S)
        self.frames.registerCallback(self.keep)
        self.names = self.create_subscription(String, "name", self.locate, 1)
        self.grasps = self.create_publisher(PoseStamped, "grasp", 1)

    def keep(self, *messages: object) -> None:
        """Keep a frame: color, depth and the camera's matrix."""
        self.newest = messages

    def locate(self, asked: String) -> None:
        """Look for a name in the newest frame, and publish the best grasp."""
        if self.newest is None:
            self.get_logger().warning("no frame came yet; are color, depth and camera_info remapped?")
            return
        color, depth, camera = self.newest
        frame = Frame(
            rgb=self.bridge.imgmsg_to_cv2(color, "rgb8"),
            depth=self.bridge.imgmsg_to_cv2(depth, "passthrough"),  # uint16 in millimeters, or float32 in meters
            intrinsic=np.array(camera.k, float).reshape(3, 3),
            depth_scale=0.001,
        )
        try:
            found = self.policy.locate(frame, asked.data)
        except PickClutterError as error:
            self.get_logger().error(str(error))
            return
        self.get_logger().info(f"{asked.data}: score {found.score:.2f}, threshold {found.threshold:.2f}")
        if found.present and len(found.grasps.positions):
            self.grasps.publish(self.message(color.header, found.grasps_in_camera().pose(0)))

    def message(self, header: object, pose: np.ndarray) -> PoseStamped:
        """Return a pose [7] as a message; the header names the camera's optical frame."""
        message = PoseStamped()
        message.header = header
        place, turn = message.pose.position, message.pose.orientation
        place.x, place.y, place.z, turn.w, turn.x, turn.y, turn.z = pose.tolist()
        return message


def main() -> None:
    """Run the node until it is interrupted."""
    rclpy.init()
    node = Locate()
    try:
        rclpy.spin(node)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
