"""Time of one decision, camera images in and scores out, on one CPU core.

Students and teachers take turns on the same images, so that the ratios hold on a busy machine too. Weights are random:
they do not change the time. CLIP ViT-L/14 is its image tower alone, which a loop with the teacher would run each time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import open_clip
import torch

from pickclutter_lang.commands.hydra_app import compose_config
from pickclutter_lang.datasets.cameras import CameraImages
from pickclutter_lang.experiments.scenes.config import TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.policy.bundle import CROP_CLASSIFIER_PREFIX
from pickclutter_lang.policy.config import PromptArchitecture, StudentArchitecture, StudentSpec
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.model import MultiLabelStudent
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.reference import TeacherReference

WIDTH = 256
CAMERAS = {128: 176, 192: 256}
"""Side of the center of an image that a student takes -> side of the whole image, pixels."""
STUDENTS = {
    "EfficientNet-B0, stride 32": ("student=efficientnet_b0", "student.output_stride=null"),
    "EfficientNet-B0, stride 16": ("student=efficientnet_b0", "student.output_stride=16"),
    "ResNet-10-T": ("student=resnet10t",),
    "small_resnet, stride 8": ("student=small_resnet",),
    "small_resnet, stride 16": ("student=small_resnet", "student.output_stride=16"),
    "the preset policy without object crops, 192 px of 256": ("experiment=policy", "crop_classifier=none"),
    "the preset policy, 192 px of 256, and three object crops": ("experiment=policy",),
}
_NUM_CROPS = 3
"""Object crops that a detection classifies, at most."""


def student(names: list[str], *overrides: str) -> StudentRuntime:
    """Return a student with random weights that takes the center of the hand camera's image, by default 128 px."""
    config = compose_config(TrainConfig, "train_affordance", overrides)
    network, prompts, crops = config.student, config.prompts, config.crop_classifier
    spec = StudentSpec(
        phase="few_shot",
        target_label=config.data.target_label,
        network=StudentArchitecture(network.name, network.output_stride, network.dropout, network.temperature),
        precision=config.precision,
        cameras=tuple(config.data.cameras),
        depth=config.data.depth,
        camera_size=CAMERAS[config.data.crop_size],
        crop_size=config.data.crop_size,
        image_size=config.data.image_size,
        prompts=PromptArchitecture(prompts.n_ctx, prompts.truncate, prompts.closed_set),
        names=tuple(names),
        teacher=TeacherReference(config.teacher.name, None, ""),
        object_crop_size=None if crops is None else crops.crop_size,
    )
    text = PromptFeatures(torch.randn(len(names), WIDTH), torch.randn(len(names), WIDTH))
    model = MultiLabelStudent(spec.network.student_config, spec.camera_spec, WIDTH)
    weights = model.state_dict()
    if crops is not None:
        crop_weights = CropClassifier(model.student, len(names)).state_dict()
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crop_weights.items()}
    return StudentRuntime(spec, weights, text)


def decide(runtime: StudentRuntime, images: CameraImages, names: list[str]) -> None:
    """Score names on images, and classify some object crops where the student has a crop classifier."""
    runtime.predict(images, names)
    if runtime.config.object_crop_size is not None:
        rgb = images["hand", "rgb"]
        mask = np.zeros(rgb.shape[:2], bool)
        mask[100:130, 90:140] = True
        for _ in range(_NUM_CROPS):
            runtime.classify_crop(rgb, mask)


def main() -> None:
    """Take turns, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--names", type=int, default=1, help="names that are scored on each image")
    parser.add_argument("--without-clip", action="store_true", help="leave out ViT-L/14, which takes 1.7 GB of memory")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = [f"name {n}" for n in range(options.names)]
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    calls: dict[str, Callable[[], object]] = {}
    for title, overrides in STUDENTS.items():
        runtime = student(names, *overrides)
        images = {("hand", "rgb"): noise[: runtime.config.camera_size, : runtime.config.camera_size]}
        calls[title] = lambda runtime=runtime, images=images: decide(runtime, images, names)  # type: ignore[misc]
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
