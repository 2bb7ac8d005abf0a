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
    given: tuple[tuple[str, object], ...] = ()

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


QUICKSTART_POLICY = "the quickstart's policy"
"""In titles of rows that measure it where no other policy is given."""
_CLIP, _WHOLE, _FLOAT32 = "CLIP's image encoder, float32", "the whole decision, torch", "the same, float32"
_STOCK_RESET = "a reset of stock PickClutterYCB-v0, two cameras"
_DECISION, _CLOSEUPS = f"decision of {QUICKSTART_POLICY}", "decision of the preset `policy`, three close-ups"
_STEP = "forward and backward pass, bfloat16"
_LONG: Ratio = "times as long"


_ONE_THREAD = ("num_threads", 1), ("OMP_NUM_THREADS", "1")


def _most(milliseconds: float) -> Aim:
    return Aim("milliseconds", milliseconds, at_most=True, given=(*_ONE_THREAD, ("policy", None)))


def _faster(times: float, setting: str, value: str) -> Aim:
    return Aim("ratio", times, at_most=False, given=(*_ONE_THREAD, (setting, value)))


_OVER_CLIP = _faster(300, "clip", "ViT-L-14")
_TWO = Aim("milliseconds", 200, at_most=True, given=(("num_threads", 2),))
_HALF = Aim("ratio", 0.5, at_most=True, given=(*_ONE_THREAD, ("objects", "ycb")))
ROWS: dict[str, Row] = {
    "decision/torch": Row(f"{_DECISION}, torch", _CLIP, aim=_most(15)),
    "decision/onnx": Row(f"{_DECISION}, ONNX Runtime", _CLIP, aim=_most(15)),
    "decision/int8": Row(f"{_DECISION}, ONNX Runtime with 8-bit integers", _CLIP, aim=_most(15)),
    "decision/segmentation": Row("its segmentation alone", _WHOLE, _LONG),
    "decision/network": Row("its network alone", _WHOLE, _LONG),
    "closeups/torch": Row(f"{_CLOSEUPS}, torch", _CLIP, aim=_most(33)),
    "closeups/onnx": Row(f"{_CLOSEUPS}, ONNX Runtime", _CLIP, aim=_most(33)),
    "closeups/int8": Row(f"{_CLOSEUPS}, ONNX Runtime with 8-bit integers", _CLIP, aim=_most(33)),
    "closeups/segmentation": Row("its segmentation alone", _WHOLE, _LONG),
    "closeups/network": Row("its network alone", _WHOLE, _LONG),
    "closeups/crops": Row("its three close-ups alone", _WHOLE, _LONG),
    "student/efficientnet_b0": Row("EfficientNet-B0, stride 32, torch", _CLIP, aim=_OVER_CLIP),
    "student/efficientnet_b0_onnx": Row("EfficientNet-B0, stride 32, ONNX Runtime", _CLIP, aim=_OVER_CLIP),
    "student/resnet10t": Row("ResNet-10-T, stride 16, torch", _CLIP),
    "student/resnet10t_onnx": Row("ResNet-10-T, stride 16, ONNX Runtime", _CLIP),
    "student/small_resnet": Row("small_resnet, stride 8, torch", _CLIP),
    "student/small_resnet_onnx": Row("small_resnet, stride 8, ONNX Runtime", _CLIP),
    "teacher/pocket": Row("pocket teacher's image encoder", _CLIP),
    "teacher/bfloat16": Row("pocket teacher on 16 images, bfloat16", _FLOAT32),
    "step/efficientnet_b0": Row(f"EfficientNet-B0, 16 images, {_STEP}", _FLOAT32),
    "step/resnet10t": Row(f"ResNet-10-T, 16 images, {_STEP}", _FLOAT32),
    "step/small_resnet": Row(f"small_resnet, 32 images, {_STEP}", _FLOAT32),
    "step/distillation": Row("ResNet-10-T, 16 images, whole step of distillation, bfloat16", _FLOAT32, aim=_TWO),
    "scenes/plain": Row("scene collected, no `graspable`", _STOCK_RESET, aim=_faster(3, "objects", "ycb")),
    "scenes/graspable": Row("scene collected, with `graspable`", _STOCK_RESET, aim=_faster(2, "objects", "ycb")),
    "env/step": Row("step, rgbd, hand camera alone", "a step of stock, rgbd, two cameras", _LONG, _HALF),
    "start/help": Row("`pickclutter train-affordance --help`", "`python -c pass`", _LONG, _most(1000)),
    "start/load": Row(f"start of Python, {QUICKSTART_POLICY} opened, ONNX Runtime", "the same, torch", aim=_most(1000)),
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
