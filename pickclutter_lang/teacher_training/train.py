"""Training loop of a pocket teacher: batches, AdamW, checkpoints, exact resumption, export and model card."""

from __future__ import annotations

import json
import time
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.teacher_training.batch import Batch, BatchSource
from pickclutter_lang.teacher_training.caption_lengths import check_captions
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages
from pickclutter_lang.teacher_training.folder_report import evaluate_folder
from pickclutter_lang.teacher_training.model_card import write_model_card
from pickclutter_lang.teacher_training.provenance import check_held_out_objects, run_signature
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.render_sources import ObjectViews, SceneImages, excluded_ids
from pickclutter_lang.teacher_training.sentence_loss import SentenceTeacher
from pickclutter_lang.teacher_training.teacher_report import evaluate_teacher
from pickclutter_lang.teacher_training.text_pretraining import pretrain_text
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.training.checkpoint import (
    CheckpointState,
    describe_differences,
    epoch_folder,
    load_checkpoint,
    prune,
    restore,
    save_checkpoint,
    saved_epochs,
)
from pickclutter_lang.training.logger import TrackerGroup, TrainingLogger, open_trackers, write_lines
from pickclutter_lang.training.parallel import (
    backward,
    check_rows,
    joined,
    seed_own_draws,
    share_weights,
    whole_batch_norm,
)
from pickclutter_lang.training.trainer import cosine
from pickclutter_lang.utils.json_files import read_json_lines
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.prefetch import prefetch_map
from pickclutter_lang.utils.ranks import is_main

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
    out = Path(config.out)
    check_held_out_objects(config)
    check_captions(config)
    check_rows(config.smallest_batch, "the teacher")
    source = _source(config)
    torch.manual_seed(config.seed)
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    if config.pretrained is not None:
        trainable.load_pretrained(load_pocket_teacher(config.pretrained))
    with joined("cpu"), dir_lock(out) if is_main() else nullcontext():
        return _train(config, trainable, source, out)


def _train(config: TeacherTrainConfig, trainable: TrainablePocketTeacher, source: BatchSource, out: Path) -> Path:
    is_new = not saved_epochs(out / "checkpoints")
    if is_new and config.pretrained is None:
        trainable.model.visual.trunk.load_imagenet_weights()
    optimizer = build_teacher_optimizer(trainable, config)
    signature = run_signature(config)
    first, seconds = _resume(out, trainable, optimizer, signature)
    with open_trackers(config.report_to if first < config.steps else (), out, asdict(config)) as trackers:
        if config.text_steps and is_new and is_main():
            words, held_out = source.words, source.held_out_phrases
            pretrain_text(trainable, source.named_objects, words, config.text_steps, config.seed, held_out)
        share_weights(trainable)
        seconds = _run(trainable, optimizer, source, config, out, first, seconds, signature, trackers)
    folder = out / "teacher"
    if not is_main():
        return folder
    save_pocket_model(folder, trainable.model, POCKET_CONFIG, torch.nonzero(trainable.seen).flatten())
    evaluate = evaluate_folder if config.images else evaluate_teacher
    metrics = evaluate(load_pocket_teacher(folder), config)
    write_model_card(folder, metrics, config, seconds)
    return folder


def _source(config: TeacherTrainConfig) -> BatchSource:
    """Open the training images of a configuration."""
    size = POCKET_CONFIG["preprocess_cfg"]["size"]
    if config.images:
        return FolderBatchSampler(FolderImages.trained_on(config), config, size)
    excluded = excluded_ids(config.exclude_split)
    views = ObjectViews.load(config.views, excluded, config.hold_out_compositions)
    scenes = SceneImages.load(config.scenes, excluded, views.instances, views.held_out) if config.scenes else None
    return RenderBatchSampler(scenes, views, config, size)


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
            {
                "params": parameters,
                "lr": rates[part],
                "top_lr": rates[part],
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (part, decays), parameters in groups.items()
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
    """Load the last checkpoint if there is one; return the first step to do and the seconds spent before."""
    epochs = saved_epochs(out / "checkpoints")
    if not epochs:
        return 0, 0.0
    checkpoint = load_checkpoint(epoch_folder(out / "checkpoints", epochs[-1]), _State)
    differences = describe_differences(checkpoint.state["settings"], signature)
    if differences:
        raise CheckpointError(
            f"the run in {out} has another configuration or other data (there / here): {'; '.join(differences)}; "
            f"use the same ones or choose another folder"
        )
    restore(checkpoint, trainable, optimizer)
    if is_main():
        prune(out / "checkpoints", {epochs[-1]})
    return int(checkpoint.state["step"]), float(checkpoint.state["seconds"])


def _run(
    trainable: TrainablePocketTeacher,
    optimizer: torch.optim.Optimizer,
    source: BatchSource,
    config: TeacherTrainConfig,
    out: Path,
    first: int,
    seconds: float,
    signature: dict[str, Any],
    trackers: TrackerGroup,
) -> float:
    """Run the steps from `first` on, with log and checkpoints, and return the total seconds."""
    trainable.train()
    if is_main():
        _truncate_log(out / _LOG, first)
    start_time = time.perf_counter() - seconds
    use_sentence_loss = config.sentence_weight > 0 and first < config.steps
    told = (source.named_objects, source.words, config.seed, source.held_out_phrases)
    sentence_teacher = SentenceTeacher(*told) if use_sentence_loss else None
    with TrainingLogger("pocket teacher", out / "tensorboard", config.steps, first, "teacher", trackers) as logger:
        steps = range(first, config.steps)
        batches = prefetch_map(lambda n: source.batch(steps[n]), len(steps), config.num_workers)
        for step, batch in zip(steps, batches, strict=True):
            row = train_step(trainable, optimizer, batch, config, step, sentence_teacher)
            logger.step(step, row)
            if not is_main():
                continue
            with (out / _LOG).open("a") as log:
                log.write(json.dumps({"step": step, **row, "seconds": time.perf_counter() - start_time}) + "\n")
            completed = step + 1
            if completed % config.save_every == 0 or completed == config.steps:
                state = {"step": completed, "seconds": time.perf_counter() - start_time, "settings": signature}
                save_checkpoint(epoch_folder(out / "checkpoints", completed), trainable, optimizer, state)
                prune(out / "checkpoints", {completed})
    return time.perf_counter() - start_time


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
    write_lines(path, [row for row in rows if row["step"] < first])
