"""Whether images have blue first: what was taught looks more alike with red and blue exchanged.

Such images are silent: of 26 visible objects in real frames `ycb` finds 24, and 4 of them with the colors exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pickclutter_lang.policy.example_memory import crop_metric
from pickclutter_lang.policy.views import View

_DOUBT = 0.4
"""Log odds, summed over the images, from which a line is due. See `docs/results/data/real/colors.py`."""


def exchanged_odds(view: View) -> float:
    """Return by how much the segments of a view are more like what was taught with red and blue exchanged.

    That is the mean difference of their best log-odds; 0 where nothing was taught, or nothing lies there.
    """
    memory = view.student.examples
    if not memory.taught or not len(view.numbers):
        return 0.0
    exchanged = replace(view, rgb=view.rgb[..., ::-1].copy())
    odds = [memory.log_odds(one.keys, crop_metric()).max(axis=1).mean() for one in (exchanged, view)]
    return float(odds[0] - odds[1])


def color_order_note(odds: Sequence[float]) -> str | None:
    """Return a line where images look as if they had blue first; None where they do not.

    :param odds: `exchanged_odds` of each image of one camera
    """
    if sum(odds) < _DOUBT:
        return None
    return (
        "blue first? With red and blue exchanged the objects are more like what the policy was taught. A frame has red "
        "first: rgb=image[..., ::-1] of an image of OpenCV"
    )
