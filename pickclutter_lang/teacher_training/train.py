"""Training the pocket teacher on simulator renders with captions that say what they assert."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.teacher_training.batch import Batch, BatchSource
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages
from pickclutter_lang.teacher_training.folder_report import evaluate_folder
from pickclutter_lang.teacher_training.model_card import write_model_card
from pickclutter_lang.teacher_training.provenance import check_held_out_objects, run_signature
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.render_sources import ObjectViews, SceneImages, excluded_ids
from pickclutter_lang.teacher_training.sentence_loss import SentenceTeacher
from pickclutter_lang.teacher_training.teacher_report import evaluate_teacher
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.training.checkpoint import (
    describe_differences,
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.logger import TrainingLogger
from pickclutter_lang.training.optim import cosine

_HIGHEST_LOGIT_SCALE = 50.0
_LOG = "log.jsonl"


def train_teacher(config: TeacherTrainConfig) -> Path:
    """Train the pocket teacher (or go on where a run was interrupted), export it with its model card.

    :return: the folder of the exported teacher, `out/teacher`
    :raises DatasetError, CheckpointError, InvalidArgumentError: for data or checkpoints that do not fit
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    check_held_out_objects(config)
    torch.manual_seed(config.seed)
    trainee = TrainablePocketTeacher(POCKET_CONFIG)
    optimizer = build_teacher_optimizer(trainee, config)
    data = _source(config)
    asked = run_signature(config)
    first, seconds = _resume(out, trainee, optimizer, asked)
    seconds = _run(trainee, optimizer, data, config, out, first, seconds, asked)
    folder = out / "teacher"
    save_pocket_model(folder, trainee.model, POCKET_CONFIG, torch.nonzero(trainee.seen).flatten())
    evaluate = evaluate_folder if config.images else evaluate_teacher
    figures = evaluate(load_pocket_teacher(folder), config)
    write_model_card(folder, figures, config, seconds)
    return folder


def _source(config: TeacherTrainConfig) -> BatchSource:
    """Open the images that the settings name."""
    size = POCKET_CONFIG["preprocess_cfg"]["size"]
    if config.images:
        return FolderBatchSampler(FolderImages.open(config.images, config.classes), config, size)
    excluded = excluded_ids(config.exclude_split)
    return RenderBatchSampler(
        SceneImages.load(config.scenes, excluded), ObjectViews.load(config.views, excluded), config, size
    )


def build_teacher_optimizer(trainee: TrainablePocketTeacher, config: TeacherTrainConfig) -> torch.optim.Optimizer:
    """Build AdamW with one learning rate for each tower; norms, biases, scales and embeddings take no weight decay."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in trainee.named_parameters():
        visual = name.startswith("model.visual")
        decays = parameter.ndim > 1 and "embedding" not in name
        groups.setdefault((visual, decays), []).append(parameter)
    rates = {True: config.lr, False: config.text_lr}
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": rates[visual],
                "top_lr": rates[visual],
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (visual, decays), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def _resume(
    out: Path, trainee: TrainablePocketTeacher, optimizer: torch.optim.Optimizer, asked: dict[str, Any]
) -> tuple[int, float]:
    """Return the first step to do and the seconds spent before, after loading the last checkpoint if there is one."""
    epochs = saved_epochs(out / "checkpoints")
    if not epochs:
        return 0, 0.0
    checkpoint = load_checkpoint(epoch_folder(out / "checkpoints", epochs[-1]))
    differences = describe_differences(checkpoint.state["settings"], asked)
    if differences:
        raise CheckpointError(
            f"the run in {out} was begun with other settings or data (there / asked for): {'; '.join(differences)}; "
            f"ask for the same ones or choose another folder"
        )
    restore(checkpoint, trainee, optimizer)
    return int(checkpoint.state["step"]), float(checkpoint.state["seconds"])


def _run(
    trainee: TrainablePocketTeacher,
    optimizer: torch.optim.Optimizer,
    data: BatchSource,
    config: TeacherTrainConfig,
    out: Path,
    first: int,
    seconds: float,
    asked: dict[str, Any],
) -> float:
    """Do the steps from `first` on, with log and checkpoints, and return the seconds spent in all."""
    trainee.train()
    _cut_log(out / _LOG, first)
    began = time.perf_counter() - seconds
    wanted = config.sentence_weight > 0 and first < config.steps
    language = SentenceTeacher(data.named_objects, data.words, config.seed) if wanted else None
    with TrainingLogger("pocket teacher", out / "tensorboard", config.steps, first) as monitor:
        for step in range(first, config.steps):
            row = train_step(trainee, optimizer, data.batch(step), config, step, language)
            monitor.step(step, row)
            with (out / _LOG).open("a") as log:
                log.write(json.dumps({"step": step, **row, "seconds": time.perf_counter() - began}) + "\n")
            done = step + 1
            if done % config.save_every == 0 or done == config.steps:
                state = {"step": done, "seconds": time.perf_counter() - began, "settings": asked}
                save_checkpoint(epoch_folder(out / "checkpoints", done), trainee, optimizer, state)
                prune(out / "checkpoints", {done})
    return time.perf_counter() - began


def train_step(
    trainee: TrainablePocketTeacher,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: TeacherTrainConfig,
    step: int,
    language: SentenceTeacher | None = None,
) -> dict[str, float]:
    """Do one step and return the terms of its loss."""
    factor = cosine(step, config.steps, round(config.warmup_fraction * config.steps))
    for group in optimizer.param_groups:
        group["lr"] = group["top_lr"] * factor
    words = (*language.sample(step, batch.tags), config.sentence_weight) if language else None
    terms = trainee(batch, config.sigmoid_weight, config.bf16, words)
    optimizer.zero_grad(set_to_none=True)
    terms["loss"].backward()
    nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        trainee.model.logit_scale.clamp_(max=float(torch.tensor(_HIGHEST_LOGIT_SCALE).log()))
    return {name: float(value.detach()) for name, value in terms.items()} | {"lr_factor": factor}


def _cut_log(path: Path, first: int) -> None:
    """Forget what the log says of steps that will be done again."""
    lines = path.read_text().splitlines() if path.is_file() else []
    path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] < first))
