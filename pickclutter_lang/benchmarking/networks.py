"""Networks alone: students from a camera image to scores and map, teachers, and training steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch

from pickclutter_lang.benchmarking.distillation import distillation_step
from pickclutter_lang.benchmarking.inputs import EMBED_DIM, BenchInputs, network_config
from pickclutter_lang.benchmarking.measure import Pair
from pickclutter_lang.benchmarking.painted_observation import painted_observation
from pickclutter_lang.policy.student import camera_images
from pickclutter_lang.students.student import build_student
from pickclutter_lang.teachers.factory import load_teacher

_SIDE, _TEACHER_BATCH = 128, 16


def _student(preset: str, onnx: bool, inputs: BenchInputs) -> Pair:
    """Compare a student with CLIP's image encoder: an image in, the scores and maps of all its names out."""
    student = inputs.student(preset, onnx)
    images = camera_images(painted_observation(student.config.camera_size))
    return Pair(lambda: student.predict(images, student.config.names), inputs.clip())


def _pocket(inputs: BenchInputs) -> Pair:
    """Compare the pocket teacher with CLIP's image encoder."""
    teacher = load_teacher("pocket")
    images = torch.rand(1, 3, teacher.image_size, teacher.image_size)
    return Pair(lambda: teacher.encode_image(images), inputs.clip())


def _pocket_bfloat16(inputs: BenchInputs) -> Pair:
    """Compare the precisions of the pocket teacher."""
    fast, plain = load_teacher("pocket", use_bf16=True), load_teacher("pocket")
    images = torch.rand(_TEACHER_BATCH, 3, plain.image_size, plain.image_size)
    return Pair(lambda: fast.encode_image(images), lambda: plain.encode_image(images))


def _step(preset: str, batch: int, inputs: BenchInputs) -> Pair:
    """Compare the precisions of a student's forward and backward pass; both are channels-last, as in training."""
    config = network_config(preset).student
    torch.manual_seed(0)
    student = build_student(config.name, channels=3, embed_dim=EMBED_DIM, output_stride=config.output_stride).to(
        memory_format=torch.channels_last
    )  # type: ignore[call-overload]
    student.train()
    images = torch.rand(batch, 3, _SIDE, _SIDE)

    def step(use_bf16: bool) -> None:
        student.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            features = student(images)
        (features.spatial.float().square().mean() + features.pooled.float().square().mean()).backward()

    return Pair(partial(step, True), partial(step, False))


MAKERS: dict[str, Callable[[BenchInputs], Pair]] = {
    "student/efficientnet_b0": partial(_student, "efficientnet_b0", False),
    "student/efficientnet_b0_onnx": partial(_student, "efficientnet_b0", True),
    "student/resnet10t": partial(_student, "resnet10t", False),
    "student/resnet10t_onnx": partial(_student, "resnet10t", True),
    "student/small_resnet": partial(_student, "small_resnet", False),
    "student/small_resnet_onnx": partial(_student, "small_resnet", True),
    "teacher/pocket": _pocket,
    "teacher/bfloat16": _pocket_bfloat16,
    "step/efficientnet_b0": partial(_step, "efficientnet_b0", 16),
    "step/resnet10t": partial(_step, "resnet10t", 16),
    "step/small_resnet": partial(_step, "small_resnet", 32),
    "step/distillation": distillation_step,
}
"""Name of a row -> what makes its pair."""
