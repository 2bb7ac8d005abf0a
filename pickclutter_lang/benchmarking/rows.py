"""The rows of `pickclutter bench`: what is compared with what, and what the ratio is meant to be. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.validation import did_you_mean

Ratio = Literal["times as fast", "times as long"]


@dataclass(frozen=True)
class Aim:
    """A bound of the `ratio`, or of the `milliseconds` of what is measured; from above, or from below.

    `given`: settings that it was set for; with others it is no aim.
    """

    of: Literal["ratio", "milliseconds"]
    bound: float
    at_most: bool
    given: tuple[tuple[str, object], ...] = (("num_threads", 1),)

    def __str__(self) -> str:
        unit = " ms" if self.of == "milliseconds" else ""
        return f"at {'most' if self.at_most else 'least'} {self.bound:g}{unit}"


@dataclass(frozen=True)
class Row:
    """What is measured, against what, and which way round the ratio is."""

    title: str
    reference: str
    ratio: Ratio = "times as fast"
    aim: Aim | None = None


_CLIP = "CLIP's image encoder"
_STOCK_RESET = "a reset of stock PickClutterYCB-v0, two cameras"
_DECISION = "a decision of the quick start's policy, 176 px"
_CLOSEUPS = "a decision of the preset `policy`, three close-ups, 256 px"


def _most(milliseconds: float) -> Aim:
    return Aim("milliseconds", milliseconds, at_most=True)


def _faster(times: float, setting: str, value: str) -> Aim:
    return Aim("ratio", times, at_most=False, given=(("num_threads", 1), (setting, value)))


_FASTER_THAN_CLIP = _faster(300, "clip", "ViT-L-14")
ROWS: dict[str, Row] = {
    "decision/torch": Row(f"{_DECISION}, torch", _CLIP, aim=_most(15)),
    "decision/onnx": Row(f"{_DECISION}, ONNX Runtime", _CLIP, aim=_most(15)),
    "decision/segmentation": Row("its segmentation alone", f"{_DECISION}, torch", "times as long"),
    "decision/network": Row("its network alone", f"{_DECISION}, torch", "times as long"),
    "closeups/torch": Row(f"{_CLOSEUPS}, torch", _CLIP, aim=_most(33)),
    "closeups/onnx": Row(f"{_CLOSEUPS}, ONNX Runtime", _CLIP, aim=_most(33)),
    "closeups/segmentation": Row("its segmentation alone", f"{_CLOSEUPS}, torch", "times as long"),
    "closeups/network": Row("its network alone", f"{_CLOSEUPS}, torch", "times as long"),
    "closeups/crops": Row("its three close-ups alone", f"{_CLOSEUPS}, torch", "times as long"),
    "student/efficientnet_b0": Row("EfficientNet-B0, stride 32, 128 px, torch", _CLIP, aim=_FASTER_THAN_CLIP),
    "student/efficientnet_b0_onnx": Row(
        "EfficientNet-B0, stride 32, 128 px, ONNX Runtime", _CLIP, aim=_FASTER_THAN_CLIP
    ),
    "student/resnet10t": Row("ResNet-10-T, stride 16, 128 px, torch", _CLIP),
    "student/resnet10t_onnx": Row("ResNet-10-T, stride 16, 128 px, ONNX Runtime", _CLIP),
    "student/small_resnet": Row("small_resnet, stride 8, 128 px, torch", _CLIP),
    "student/small_resnet_onnx": Row("small_resnet, stride 8, 128 px, ONNX Runtime", _CLIP),
    "teacher/pocket": Row("the embedded teacher's image encoder, float32", _CLIP),
    "teacher/bfloat16": Row("the embedded teacher on 16 images, bfloat16", "the same, float32"),
    "step/efficientnet_b0": Row("forward and backward, EfficientNet-B0, 16 x 128 px, bfloat16", "the same, float32"),
    "step/resnet10t": Row("forward and backward, ResNet-10-T, 16 x 128 px, bfloat16", "the same, float32"),
    "step/small_resnet": Row("forward and backward, small_resnet, 32 x 128 px, bfloat16", "the same, float32"),
    "scenes/plain": Row("a scene collected, 128 px, no `graspable`", _STOCK_RESET, aim=_faster(3, "objects", "ycb")),
    "scenes/graspable": Row(
        "a scene collected, 128 px, with `graspable`", _STOCK_RESET, aim=_faster(2, "objects", "ycb")
    ),
    "env/step": Row(
        "a step of the environment, rgbd, hand camera alone",
        "a step of stock PickClutterYCB-v0, rgbd, two cameras",
        "times as long",
        Aim("ratio", 0.5, at_most=True),
    ),
    "start/help": Row("`pickclutter train-affordance --help`", "`python -c pass`", "times as long", _most(1000)),
    "start/load": Row(
        "a process that opens the quick start's policy, ONNX Runtime", "the same, torch", aim=_most(1000)
    ),
}
"""Name -> row; the part of the name before the `/` is its topic."""
TOPICS = tuple(dict.fromkeys(name.partition("/")[0] for name in ROWS))


def chosen_rows(only: Sequence[str]) -> list[str]:
    """Return the names of rows, in the order of `ROWS`.

    :param only: names of rows or topics; none: all rows
    :raises InvalidArgumentError: for another name, with the nearest ones
    """
    for name in only:
        if name not in ROWS and name not in TOPICS:
            hint = did_you_mean(name, [*TOPICS, *ROWS])
            raise InvalidArgumentError(
                f"expected only to name rows, such as {next(iter(ROWS))}, or topics, {', '.join(TOPICS)}, but got "
                f"{name!r}{hint}"
            )
    return [name for name in ROWS if not only or {name, name.partition("/")[0]} & {*only}]
