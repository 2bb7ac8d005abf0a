"""What several rows read: policy folders, their ONNX networks, and CLIP's image encoder; each is made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch

from pickclutter_lang.benchmarking.config import BenchConfig
from pickclutter_lang.benchmarking.painted_observation import painted_observation
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig, TrainConfig
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.bundle import CROP_CLASSIFIER_PREFIX, save_pretrained
from pickclutter_lang.policy.config import (
    PolicyConfig,
    PromptArchitecture,
    StudentArchitecture,
    StudentSpec,
    Thresholds,
)
from pickclutter_lang.policy.manifest import load_config, policy_folder
from pickclutter_lang.policy.onnx_export import export_runtime
from pickclutter_lang.policy.onnx_student import OnnxStudent
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.runtime_config import RuntimeExportConfig
from pickclutter_lang.policy.student import ExportedStudent
from pickclutter_lang.students.crop_classifier import CropClassifier
from pickclutter_lang.students.model import MultiLabelStudent
from pickclutter_lang.teachers.factory import untrained_image_encoder
from pickclutter_lang.teachers.reference import TeacherReference

QUICKSTART, CLOSEUPS = "quickstart", "policy"
_CAMERA_SIZES = {128: 176, 192: 256}
"""Side of the center of an image that a student takes -> side of the whole image, pixels."""
_NUM_OBSERVATIONS = 8
EMBED_DIM = 256
"""Width of the embeddings of the pocket teachers."""


def network_config(preset: str) -> TrainConfig:
    """Return the configuration of a student whose policy is measured; of its training nothing is read.

    :param preset: `QUICKSTART`, the defaults; `CLOSEUPS`, those of `experiment=policy`; or the quickstart's with
        another network, `efficientnet_b0`, `resnet10t` or `small_resnet`
    """
    config = TrainConfig()
    if preset == CLOSEUPS:
        config.data.crop_size = config.data.image_size = 192
        config.crop_classifier = CropClassifierPhaseConfig()
    if preset in (CLOSEUPS, "small_resnet"):
        config.student.name, config.student.output_stride = "small_resnet", 8
    if preset == "efficientnet_b0":  # the paper's stride; the configuration's is 16
        config.student.name, config.student.output_stride = "efficientnet_b0", None
    return config


class BenchInputs:
    """What several rows read, made at first use in a folder; random weights, which take as long as learned ones."""

    def __init__(self, config: BenchConfig, folder: Path) -> None:
        """Take the configuration.

        :param folder: for policies; it is the caller's to remove
        """
        self.config, self.folder = config, folder
        self.clip = lru_cache(maxsize=1)(self._clip)
        self.runtime = lru_cache(maxsize=None)(self._runtime)

    def policy(self, preset: str) -> Path:
        """Return the policy folder of a preset; that of the quickstart may be the user's."""
        if preset == QUICKSTART and self.config.policy is not None:
            return policy_folder(self.config.policy)
        folder = self.folder / preset
        if not folder.is_dir():
            _write_policy(folder, network_config(preset))
        return folder

    def student(self, preset: str, onnx: bool, int8: bool = False) -> ExportedStudent:
        """Return the student of a preset, by torch or by ONNX Runtime, also with 8-bit integers.

        :raises MissingExtraError: for ONNX Runtime, without the extra `export`
        :raises CheckpointError: for a folder of the user's that is missing or damaged
        """
        if onnx:
            return OnnxStudent.load(self.runtime(preset, int8), self.config.num_threads)
        return StudentRuntime.load(self.policy(preset))

    def _runtime(self, preset: str, int8: bool) -> Path:
        """Return a preset's policy folder as ONNX networks; painted observations calibrate those of 8-bit integers."""
        policy = self.policy(preset)
        out = str(self.folder / f"{preset}, {'int8' if int8 else 'ONNX'}")
        side = load_config(policy).student.camera_size
        observations = [painted_observation(side, seed) for seed in range(1, _NUM_OBSERVATIONS + 1)] if int8 else None
        return export_runtime(RuntimeExportConfig(str(policy), self.config.num_threads, out=out), observations).folder

    def _clip(self) -> Callable[[], object]:
        """Return CLIP's image encoder on one image, float32.

        :raises InvalidArgumentError: for an architecture that open_clip does not know
        """
        encoder, side = untrained_image_encoder(self.config.clip)
        image = torch.rand(1, 3, side, side)
        return lambda: encoder(image)


def _write_policy(folder: Path, config: TrainConfig) -> None:
    """Write a policy folder for the paper's 26 names with random weights and features."""
    torch.manual_seed(0)
    network, crops, names = config.student, config.crop_classifier, tuple(paper_catalog().names)
    spec = StudentSpec(
        phase="few_shot",
        target_label=config.data.target_label,
        network=StudentArchitecture(network.name, network.output_stride, network.dropout, network.temperature),
        precision=config.precision,
        cameras=tuple(config.data.cameras),
        depth=config.data.depth,
        camera_size=_CAMERA_SIZES[config.data.crop_size or 128],
        crop_size=config.data.crop_size or 128,
        image_size=config.data.image_size or 128,
        prompts=PromptArchitecture(config.prompts.n_ctx, config.prompts.truncate, config.prompts.closed_set),
        names=names,
        teacher=TeacherReference("pocket", None, "0" * 64),
        object_crop_size=None if crops is None else crops.crop_size,
    )
    of_scores, of_crops = (
        MultiLabelStudent(spec.network.student_config, spec.camera_spec, EMBED_DIM) for _ in range(2)
    )
    weights, thresholds = of_scores.state_dict(), dict.fromkeys(names, 0.5)
    if crops is not None:
        classifier = CropClassifier(of_crops.student, len(names)).state_dict()
        weights |= {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in classifier.items()}
    text = PromptFeatures(torch.randn(len(names), EMBED_DIM), torch.randn(len(names), EMBED_DIM))
    calibrated = Thresholds(0.5, thresholds, None if crops is None else thresholds)
    save_pretrained(folder, PolicyConfig(spec, calibrated), weights, text)
