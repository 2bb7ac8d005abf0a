"""Training the pocket teacher on simulator renders with captions that say what they assert."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.pretraining.batch import Batch, BatchSource
from pickclutter_lang.pretraining.card import write_model_card
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.data import TeacherData
from pickclutter_lang.pretraining.folder_data import FolderData, FolderPictures
from pickclutter_lang.pretraining.folder_report import evaluate_folder
from pickclutter_lang.pretraining.inputs import check_held_out, identity
from pickclutter_lang.pretraining.language import LanguageTeacher
from pickclutter_lang.pretraining.pictures import Scenes, Views, excluded_ids
from pickclutter_lang.pretraining.report import evaluate_teacher
from pickclutter_lang.pretraining.trainee import Trainee
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
from pickclutter_lang.training.monitor import Monitor
from pickclutter_lang.training.optim import cosine

_HIGHEST_LOGIT_SCALE = 50.0
_LOG = "log.jsonl"


def train_teacher(settings: TeacherTrainSettings) -> Path:
    """Train the pocket teacher (or go on where a run was interrupted), export it with its model card.

    :return: the folder of the exported teacher, `out/teacher`
    :raises StoreError, CheckpointError, InvalidArgumentError: for data or checkpoints that do not fit
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    check_held_out(settings)
    torch.manual_seed(settings.seed)
    trainee = Trainee(POCKET_CONFIG)
    optimizer = build_teacher_optimizer(trainee, settings)
    data = _source(settings)
    asked = identity(settings)
    first, seconds = _resume(out, trainee, optimizer, asked)
    seconds = _run(trainee, optimizer, data, settings, out, first, seconds, asked)
    folder = out / "teacher"
    save_pocket_model(folder, trainee.model, POCKET_CONFIG, torch.nonzero(trainee.seen).flatten())
    evaluate = evaluate_folder if settings.images else evaluate_teacher
    figures = evaluate(load_pocket_teacher(folder), settings)
    write_model_card(folder, figures, settings, seconds)
    return folder


def _source(settings: TeacherTrainSettings) -> BatchSource:
    """Open the pictures that the settings name."""
    size = POCKET_CONFIG["preprocess_cfg"]["size"]
    if settings.images:
        return FolderData(FolderPictures.open(settings.images, settings.classes), settings, size)
    excluded = excluded_ids(settings.exclude)
    return TeacherData(Scenes.load(settings.scenes, excluded), Views.load(settings.views, excluded), settings, size)


def build_teacher_optimizer(trainee: Trainee, settings: TeacherTrainSettings) -> torch.optim.Optimizer:
    """Build AdamW with one learning rate for each tower; norms, biases, scales and embeddings take no weight decay."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in trainee.named_parameters():
        visual = name.startswith("model.visual")
        decays = parameter.ndim > 1 and "embedding" not in name
        groups.setdefault((visual, decays), []).append(parameter)
    rates = {True: settings.lr, False: settings.text_lr}
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": rates[visual],
                "top_lr": rates[visual],
                "weight_decay": settings.weight_decay if decays else 0.0,
            }
            for (visual, decays), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def _resume(out: Path, trainee: Trainee, optimizer: torch.optim.Optimizer, asked: dict[str, Any]) -> tuple[int, float]:
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
    trainee: Trainee,
    optimizer: torch.optim.Optimizer,
    data: BatchSource,
    settings: TeacherTrainSettings,
    out: Path,
    first: int,
    seconds: float,
    asked: dict[str, Any],
) -> float:
    """Do the steps from `first` on, with log and checkpoints, and return the seconds spent in all."""
    trainee.train()
    _cut_log(out / _LOG, first)
    began = time.perf_counter() - seconds
    wanted = settings.language_weight > 0 and first < settings.steps
    language = LanguageTeacher(data.nameable, data.words, settings.seed) if wanted else None
    with Monitor("pocket teacher", out / "tensorboard", settings.steps, first) as monitor:
        for step in range(first, settings.steps):
            row = train_step(trainee, optimizer, data.batch(step), settings, step, language)
            monitor.step(step, row)
            with (out / _LOG).open("a") as log:
                log.write(json.dumps({"step": step, **row, "seconds": time.perf_counter() - began}) + "\n")
            done = step + 1
            if done % settings.save_every == 0 or done == settings.steps:
                state = {"step": done, "seconds": time.perf_counter() - began, "settings": asked}
                save_checkpoint(epoch_folder(out / "checkpoints", done), trainee, optimizer, state)
                prune(out / "checkpoints", {done})
    return time.perf_counter() - began


def train_step(
    trainee: Trainee,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    settings: TeacherTrainSettings,
    step: int,
    language: LanguageTeacher | None = None,
) -> dict[str, float]:
    """Do one step and return the terms of its loss."""
    factor = cosine(step, settings.steps, round(settings.warmup * settings.steps))
    for group in optimizer.param_groups:
        group["lr"] = group["top_lr"] * factor
    words = (*language.draw(step, batch.tags), settings.language_weight) if language else None
    terms = trainee(batch, settings.sigmoid_weight, settings.bf16, words)
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
