"""Save one frame of an Intel RealSense as color.png, depth.png and camera.json, for `pickclutter locate`.

pip install pyrealsense2 pillow
python examples/realsense_frame.py my_frame

Not run: there was no camera here. A test runs it with a stand-in for pyrealsense2.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyrealsense2 as rs
from PIL import Image

WIDTH, HEIGHT = 640, 480
DISCARDED = 30  # frames, until the exposure has settled


def main(folder: Path) -> None:
    """Write one frame, with the depth in the pixels of the color image."""
    pipeline, config = rs.pipeline(), rs.config()
    config.enable_stream(rs.stream.color, WIDTH, HEIGHT, rs.format.rgb8, 30)
    config.enable_stream(rs.stream.depth, WIDTH, HEIGHT, rs.format.z16, 30)
    profile = pipeline.start(config)
    try:
        for _ in range(DISCARDED):
            pipeline.wait_for_frames()
        frames = rs.align(rs.stream.color).process(pipeline.wait_for_frames())
    finally:
        pipeline.stop()
    color, depth = frames.get_color_frame(), frames.get_depth_frame()
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asanyarray(color.get_data())).save(folder / "color.png")
    Image.fromarray(np.asanyarray(depth.get_data())).save(folder / "depth.png")
    lens = color.profile.as_video_stream_profile().intrinsics
    meters = profile.get_device().first_depth_sensor().get_depth_scale()
    camera = {"fx": lens.fx, "fy": lens.fy, "cx": lens.ppx, "cy": lens.ppy, "depth_scale": 1000 * meters}
    (folder / "camera.json").write_text(json.dumps(camera, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
