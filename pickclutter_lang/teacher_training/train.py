"""Training loop of a pocket teacher: batches, AdamW, checkpoints, exact resumption, export and model card."""

from __future__ import annotations

import json
import math
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler
from pickclutter_lang.teacher_training.model_card import write_model_card
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.sentence_teacher import SentenceTeacher, pretrain_text
from pickclutter_lang.teacher_training.trainable_teacher import Batch, BatchSource, TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.training.batches import prefetch_map
from pickclutter_lang.training.checkpoint import (
    CheckpointState,
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.logger import TrainingLogger, open_tracker
from pickclutter_lang.training.parallel import (
    backward,
    check_rows,
    joined,
    seed_own_draws,
    share_weights,
    whole_batch_norm,
)
from pickclutter_lang.training.trainer import cosine
from pickclutter_lang.utils.io import write_json_lines
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.reading import describe_differences, read_json_lines

_MAX_LOGIT_SCALE = 50.0
_LOG = "log.jsonl"


def train_teacher(config: TeacherTrainConfig) -> Path:
    """Train a pocket teacher, or resume an interrupted run, and export it with its model card.

    Of several processes rank 0 alone writes, and exports the teacher after the others have ended.

    :return: the folder of the exported teacher, `out/teacher`
    :raises DatasetError, CheckpointError, InvalidArgumentError: for data or checkpoints that do not fit
    :raises RankError: when another process was lost
    :raises LockedError: when another process is at work in `out`
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    data = TeacherData.open(config)
    check_rows(config.smallest_batch, "the teacher")
    source: BatchSource
    source = FolderBatchSampler(data.images, config) if data.images else RenderBatchSampler(data, config)
    torch.manual_seed(config.seed)
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    if config.pretrained is not None:
        trainable.load_pretrained(load_pocket_teacher(config.pretrained))
    out = Path(config.out)
    with joined("cpu"), dir_lock(out) if is_main() else nullcontext():
        seconds = _train(config, trainable, source, out, data.signature(config))
        folder = out / "teacher"
        if is_main():
            save_pocket_model(folder, trainable.model, POCKET_CONFIG, torch.nonzero(trainable.seen).flatten())
            write_model_card(folder, evaluate_teacher(load_pocket_teacher(folder), data), config, data, seconds)
        return folder


def _train(
    config: TeacherTrainConfig,
    trainable: TrainablePocketTeacher,
    source: BatchSource,
    out: Path,
    signature: dict[str, Any],
) -> float:
    """Run the steps that are left, with log and checkpoints; return the seconds that all steps took.

    :param signature: what a resumed run must agree with
    """
    is_new = not saved_epochs(out / "checkpoints")
    if is_new and config.pretrained is None:
        trainable.model.visual.trunk.load_imagenet_weights()
    optimizer = build_teacher_optimizer(trainable, config)
    first, seconds = (0, 0.0) if is_new else _resume(out, trainable, optimizer, signature)
    unfinished = first < config.steps
    if config.text_steps and is_new and is_main():
        pretrain_text(trainable, source.named_objects, source.words, config.text_steps, config.seed)
    share_weights(trainable)
    trainable.train()
    sentences = None
    if config.sentence_weight > 0 and unfinished:
        sentences = SentenceTeacher(source.named_objects, source.words, config.seed)
    if is_main():
        _truncate_log(out / _LOG, first)
    start_time = time.perf_counter() - seconds
    with (
        open_tracker(config.report_to if unfinished else (), out, asdict(config)) as tracker,
        TrainingLogger("pocket teacher", out / "tensorboard", config.steps, first, "teacher", tracker) as logger,
    ):
        steps = range(first, config.steps)
        batches = prefetch_map(lambda n: source.batch(steps[n]), len(steps), config.num_workers)
        for step, batch in zip(steps, batches, strict=True):
            row = train_step(trainable, optimizer, batch, config, step, sentences)
            if not math.isfinite(row["loss"]):
                raise InvalidArgumentError(f"the training diverged in step {step}; lower lr, now {config.lr}")
            logger.step(step, row)
            if not is_main():
                continue
            seconds, completed = time.perf_counter() - start_time, step + 1
            with (out / _LOG).open("a") as log:
                log.write(json.dumps({"step": step, **row, "seconds": seconds}) + "\n")
            if completed % config.save_every == 0 or completed == config.steps:
                state = {"step": completed, "seconds": seconds, "settings": signature}
                save_checkpoint(epoch_folder(out / "checkpoints", completed), trainable, optimizer, state)
                prune(out / "checkpoints", {completed})
    return seconds


def build_teacher_optimizer(trainable: TrainablePocketTeacher, config: TeacherTrainConfig) -> torch.optim.Optimizer:
    """Build AdamW with one learning rate for each encoder; no weight decay on norms, biases, scales, embeddings."""
    rates = {"image": config.lr, "head": config.head_lr or config.lr, "text": config.text_lr}
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in trainable.named_parameters():
        part = "image" if name.startswith("model.visual") else "text"
        if config.head_lr is not None and name.startswith("model.visual.head"):
            part = "head"
        decays = parameter.ndim > 1 and "embedding" not in name
        groups.setdefault((part, decays), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": of_group, "lr": rates[part], "top_lr": rates[part], "weight_decay": decays * config.weight_decay}
            for (part, decays), of_group in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


class _LogRow(TypedDict):
    """A line of the log."""

    step: int


class _State(CheckpointState):
    """Content of the `state.json` of a teacher's checkpoint."""

    step: int
    seconds: float
    settings: dict[str, Any]


def _resume(
    out: Path, trainable: TrainablePocketTeacher, optimizer: torch.optim.Optimizer, signature: dict[str, Any]
) -> tuple[int, float]:
    """Load the last checkpoint; return the first step to do and the seconds spent before."""
    last = saved_epochs(out / "checkpoints")[-1]
    checkpoint = load_checkpoint(epoch_folder(out / "checkpoints", last), _State)
    differences = describe_differences(checkpoint.state["settings"], signature)
    if differences:
        raise CheckpointError(
            f"the run in {out} has another configuration or other data (there / here): {'; '.join(differences)}; "
            f"use the same ones or choose another folder"
        )
    restore(checkpoint, trainable, optimizer)
    if is_main():
        prune(out / "checkpoints", {last})
    return int(checkpoint.state["step"]), float(checkpoint.state["seconds"])


def train_step(
    trainable: TrainablePocketTeacher,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: TeacherTrainConfig,
    step: int,
    sentence_teacher: SentenceTeacher | None = None,
) -> dict[str, float]:
    """Run one optimization step and return the terms of its loss."""
    factor = cosine(step, config.steps, round(config.warmup_fraction * config.steps))
    for group in optimizer.param_groups:
        group["lr"] = group["top_lr"] * factor
    sentence_targets = (
        (*sentence_teacher.sample(step, batch.tags), config.sentence_weight) if sentence_teacher else None
    )
    seed_own_draws((config.seed, step))
    with whole_batch_norm():
        terms = trainable(batch, config.sigmoid_weight, config.bf16, sentence_targets)
        optimizer.zero_grad(set_to_none=True)
        backward(terms["loss"], trainable)
    nn.utils.clip_grad_norm_(trainable.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        trainable.model.logit_scale.clamp_(max=float(torch.tensor(_MAX_LOGIT_SCALE).log()))
    return {name: float(value.detach()) for name, value in terms.items()} | {"lr_factor": factor}


def _truncate_log(path: Path, first: int) -> None:
    """Remove the log's lines of steps that will be repeated."""
    rows = read_json_lines(path, _LogRow, CheckpointError, "delete it", may_be_cut=True) if path.exists() else []
    write_json_lines(path, [row for row in rows if row["step"] < first])
