"""What a student finds in an image of one's own; without open_clip, which takes seconds to import."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.policy.detectors import Detection, upsample_to_image
from pickclutter_lang.policy.runtime import StudentRuntime


def detect_by_student(student: StudentRuntime, image: NDArray[np.uint8], names: Sequence[str]) -> list[Detection]:
    """Return what a student finds in an image [S, S, 3] that fills its view.

    :raises InvalidArgumentError: for a student that takes depth
    """
    spec, side = student.config, len(image)
    if spec.camera_spec.channels != 3:
        raise InvalidArgumentError("expected a student of RGB alone, but this one takes depth, which no photo has")
    start = (spec.camera_size - spec.crop_size) // 2
    around = (start, spec.camera_size - spec.crop_size - start)  # which the student does not see
    view = np.asarray(Image.fromarray(image).resize((spec.crop_size,) * 2))
    output = student.predict({"hand_rgb": np.pad(view, (around, around, (0, 0)))}, names)
    maps, nowhere = upsample_to_image(output.attention, side, side), np.zeros((side, side), bool)
    rows = zip(names, output.scores.tolist(), maps, strict=True)
    return [Detection(score, student.threshold(name), nowhere, heatmap) for name, score, heatmap in rows]
