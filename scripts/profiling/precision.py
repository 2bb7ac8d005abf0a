"""What bfloat16 brings on this CPU: training steps of students, and the teacher's image features.

Both precisions alternate in one process; each ratio is that of the medians. One thread, a minute.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch

from pickclutter_lang.students.student import build_student
from pickclutter_lang.teachers.factory import load_teacher

_STUDENTS = (("small_resnet", 8, 32), ("timm/resnet10t", 16, 16), ("efficientnet_b0", 16, 16))
"""Network, output stride, images in a batch."""
_SIDE = 128


def student_step(name: str, stride: int, batch: int) -> Callable[[bool], None]:
    """Return a forward and a backward pass of a student."""
    torch.manual_seed(0)
    student = build_student(name, channels=3, embed_dim=256, output_stride=stride).to(memory_format=torch.channels_last)
    student.train()
    images = torch.rand(batch, 3, _SIDE, _SIDE)

    def step(use_bf16: bool) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
            features = student(images)
        (features.spatial.float().square().mean() + features.pooled.float().square().mean()).backward()

    return step


def teacher_features(batch: int) -> Callable[[bool], None]:
    """Return the image encoder of the embedded teacher on a batch."""
    teacher = load_teacher("pocket")
    images = torch.rand(batch, 3, teacher.image_size, teacher.image_size)

    def encode(use_bf16: bool) -> None:
        teacher.use_bf16 = use_bf16
        teacher.encode_image(images)

    return encode


def milliseconds(call: Callable[[bool], None], rounds: int) -> tuple[float, float]:
    """Return the medians in float32 and in bfloat16, measured alternately after a first call of each."""
    found: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds + 1):
        for use_bf16, times in found.items():
            start = time.perf_counter()
            call(use_bf16)
            times.append(1000 * (time.perf_counter() - start))
    return median(found[False][1:]), median(found[True][1:])


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="calls of each precision")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    calls = [(f"step of {name}", student_step(name, stride, batch)) for name, stride, batch in _STUDENTS]
    for title, call in (*calls, ("teacher features, pocket", teacher_features(16))):
        float32, bfloat16 = milliseconds(call, rounds)
        print(
            f"{title}: {float32:.0f} ms in float32, {bfloat16:.0f} in bfloat16: {float32 / bfloat16:.2f} times as fast"
        )


if __name__ == "__main__":
    main()
