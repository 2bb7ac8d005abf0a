"""The examples for cameras, with stand-ins for the packages of a RealSense and of ROS 2."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from bench import painted_observation

from helpers.frames import frame_of
from helpers.paths import ROOT
from pickclutter_lang.datasets.frames import read_frame
from pickclutter_lang.policy.policy import LanguagePickPolicy

FRAME = frame_of(painted_observation(256), with_pose=False)
FOCAL, CENTER = FRAME.intrinsic[0, 0], FRAME.intrinsic[0, 2]


def test_a_realsense_s_frame_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = MagicMock()
    frames = camera.align.return_value.process.return_value
    frames.get_color_frame.return_value.get_data.return_value = FRAME.rgb
    lens = SimpleNamespace(fx=FOCAL, fy=FOCAL, ppx=CENTER, ppy=CENTER)
    frames.get_color_frame.return_value.profile.as_video_stream_profile.return_value.intrinsics = lens
    frames.get_depth_frame.return_value.get_data.return_value = FRAME.depth
    sensor = camera.pipeline.return_value.start.return_value.get_device.return_value.first_depth_sensor.return_value
    sensor.get_depth_scale.return_value = 0.00025
    monkeypatch.setitem(sys.modules, "pyrealsense2", camera)
    runpy.run_path(str(ROOT / "examples" / "realsense_frame.py"))["main"](tmp_path / "frame")
    found = read_frame(tmp_path / "frame")
    np.testing.assert_array_equal(found.rgb, FRAME.rgb)
    np.testing.assert_array_equal(found.depth, FRAME.depth)
    np.testing.assert_allclose(found.intrinsic, FRAME.intrinsic)
    assert found.depth_scale == pytest.approx(0.00025)


class _Node:
    """The parts of a node of rclpy that are used."""

    def __init__(self, name: str) -> None:
        self.said = MagicMock()
        self.published: list[Any] = []

    def declare_parameter(self, name: str, value: str) -> Any:
        return SimpleNamespace(value="ycb")

    def create_subscription(self, kind: type, topic: str, callback: object, depth: int) -> None:
        pass

    def create_publisher(self, kind: type, topic: str, depth: int) -> Any:
        return SimpleNamespace(publish=self.published.append)

    def get_logger(self) -> MagicMock:
        return self.said


class _Pose:
    def __init__(self) -> None:
        self.header: Any = None
        self.pose = SimpleNamespace(position=SimpleNamespace(), orientation=SimpleNamespace())


def test_a_node_publishes_the_best_grasp_in_the_camera_s_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = SimpleNamespace(imgmsg_to_cv2=lambda message, encoding: message.image)
    parts: dict[str, dict[str, Any]] = {
        "message_filters": {"Subscriber": MagicMock(), "ApproximateTimeSynchronizer": MagicMock()},
        "cv_bridge": {"CvBridge": lambda: bridge},
        "geometry_msgs.msg": {"PoseStamped": _Pose},
        "rclpy": {},
        "rclpy.node": {"Node": _Node},
        "sensor_msgs.msg": {"CameraInfo": object, "Image": object},
        "std_msgs.msg": {"String": SimpleNamespace},
    }
    for name, attributes in parts.items():
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("geometry_msgs", "sensor_msgs", "std_msgs"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    node = runpy.run_path(str(ROOT / "examples" / "ros2_locate.py"))["Locate"]()
    policy = LanguagePickPolicy.from_pretrained("ycb")
    policy.teach(FRAME, "thing", mask=_thing())
    node.policy = policy
    node.locate(SimpleNamespace(data="thing"))
    node.said.warning.assert_called_once()
    color = SimpleNamespace(image=FRAME.rgb, header="camera_color_optical_frame")
    node.keep(color, SimpleNamespace(image=FRAME.depth), SimpleNamespace(k=FRAME.intrinsic.ravel()))
    node.locate(SimpleNamespace(data="thing"))
    node.locate(SimpleNamespace(data=""))
    node.said.error.assert_called_once()
    (message,) = node.published
    expected = policy.locate(FRAME, "thing").grasps_in_camera().pose(0)
    place, turn = message.pose.position, message.pose.orientation
    assert message.header == "camera_color_optical_frame"
    np.testing.assert_allclose([place.x, place.y, place.z, turn.w, turn.x, turn.y, turn.z], expected)
    assert expected[2] > 0.2  # in front of the camera


def _thing() -> Any:
    from pickclutter_lang.policy.observations import segment_observation

    return segment_observation(painted_observation(256)) == 8
