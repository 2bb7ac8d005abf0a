"""Time of one decision, a camera frame in and scores out, on one CPU core.

Students and teachers take turns on the same frames, so that the ratios hold on a busy machine too. Weights are random:
they do not change the time. CLIP ViT-L/14 is its image tower alone, which a loop with the teacher would run each time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import open_clip
import torch

from pickclutter_lang.commands.hydra_app import compose_config
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.bundle import CROP_CLASSIFIER_PREFIX, SCHEMA, CropClassifierConfig, PolicyConfig
from pickclutter_lang.policy.runtime import CameraImages, StudentRuntime
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.model import MultiLabelStudent
from pickclutter_lang.teachers import load_teacher

WIDTH = 256
CAMERAS = {128: 176, 192: 256}
"""Side of the middle of a image that a student sees -> side of the whole one, pixels."""
STUDENTS = {
    "EfficientNet-B0, stride 32": ("student=efficientnet_b0", "student.output_stride=null"),
    "EfficientNet-B0, stride 16": ("student=efficientnet_b0", "student.output_stride=16"),
    "ResNet-10-T": ("student=resnet10t",),
    "small_resnet, stride 8": ("student=small_resnet",),
    "small_resnet, stride 16": ("student=small_resnet", "student.output_stride=16"),
    "the preset policy without object crops, 192 px of 256": ("experiment=policy", "crop_classifier=none"),
    "the preset policy, 192 px of 256, and three object crops": ("experiment=policy",),
}
_CLOSE_UPS = 3
"""Things that a policy looks closer at, at most."""


def student(names: list[str], *overrides: str) -> StudentRuntime:
    """Return a student with random weights that sees the middle of the hand camera's image, by default 128 px."""
    config = compose_config(TrainConfig, "train_affordance", overrides)
    card = PolicyConfig(SCHEMA, {}, "fewshot", "visible", names, 0.5, {}, CAMERAS[config.data.crop_size], {})
    text = PromptFeatures(torch.randn(len(names), WIDTH), torch.randn(len(names), WIDTH))
    weights = MultiLabelStudent(config, WIDTH).state_dict()
    if config.crop_classifier is not None:
        card = replace(
            card, crop_classifier=CropClassifierConfig(config.crop_classifier.crop_size, dict.fromkeys(names, 0.5))
        )
        crop_classifier = CropClassifier(MultiLabelStudent(config, WIDTH).student, len(names))
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crop_classifier.state_dict().items()}
    return StudentRuntime(card, config, weights, text)


def decide(one: StudentRuntime, frame: CameraImages, names: list[str]) -> None:
    """Look at a frame, and closer at some things in it where the student does so."""
    one.predict(frame, names)
    if one.config.crop_classifier is not None:
        rgb = frame["hand", "rgb"]
        mask = np.zeros(rgb.shape[:2], bool)
        mask[100:130, 90:140] = True
        for _ in range(_CLOSE_UPS):
            one.classify_crop(rgb, mask)


def main() -> None:
    """Take turns, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--names", type=int, default=1, help="names that are scored on each frame")
    parser.add_argument("--without-clip", action="store_true", help="leave out ViT-L/14, which takes 1.7 GB of memory")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = [f"name {n}" for n in range(options.names)]
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    calls: dict[str, Callable[[], object]] = {}
    for title, overrides in STUDENTS.items():
        one = student(names, *overrides)
        frame = {("hand", "rgb"): noise[: one.config.camera_size, : one.config.camera_size]}
        calls[title] = lambda one=one, frame=frame: decide(one, frame, names)  # type: ignore[misc]
    teacher = load_teacher("pocket")
    calls["pocket teacher"] = lambda: teacher.encode_image(teacher.preprocess(noise[None, :176, :176]))
    if not options.without_clip:
        clip = open_clip.create_model("ViT-L-14", pretrained=None).visual.eval()
        image = torch.randn(1, 3, 224, 224)
        calls["CLIP ViT-L/14"] = lambda: clip(image)
    times: dict[str, list[float]] = {title: [] for title in calls}
    with torch.no_grad():
        for turn in range(options.rounds + 2):
            for title, call in calls.items():
                start = time.perf_counter()
                call()
                if turn > 1:
                    times[title].append(time.perf_counter() - start)
    slowest = list(calls)[-1]
    for title, taken in times.items():
        ratio = np.median(times[slowest]) / np.median(taken)
        low, middle, high = (1000 * float(np.percentile(taken, q)) for q in (10, 50, 90))
        print(
            f"{title}: {middle:.1f} ms (10 to 90%: {low:.1f} to {high:.1f}); {slowest} takes {ratio:.1f} times as long"
        )


if __name__ == "__main__":
    main()
