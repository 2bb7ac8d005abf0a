"""Training loop of a pocket teacher: batches, AdamW, checkpoints, exact resumption, export and model card."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import torch
from torch import nn

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages
from pickclutter_lang.teacher_training.model_card import trained_object_sets, write_model_card
from pickclutter_lang.teacher_training.render_batches import ObjectViews, RenderBatchSampler, SceneImages, excluded_ids
from pickclutter_lang.teacher_training.sentence_teacher import SentenceTeacher, pretrain_text
from pickclutter_lang.teacher_training.trainable_teacher import Batch, BatchSource, TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.teachers.training_images import listed_images
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
from pickclutter_lang.training.logger import TrainingLogger, open_trackers
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
    check_held_out(config)
    check_rows(config.smallest_batch, "the teacher")
    source = _source(config)
    torch.manual_seed(config.seed)
    trainable = TrainablePocketTeacher(POCKET_CONFIG)
    if config.pretrained is not None:
        trainable.load_pretrained(load_pocket_teacher(config.pretrained))
    out = Path(config.out)
    with joined("cpu"), dir_lock(out) if is_main() else nullcontext():
        seconds = _train(config, trainable, source, out)
        folder = out / "teacher"
        if is_main():
            save_pocket_model(folder, trainable.model, POCKET_CONFIG, torch.nonzero(trainable.seen).flatten())
            write_model_card(folder, evaluate_teacher(load_pocket_teacher(folder), config), config, seconds)
        return folder


def _source(config: TeacherTrainConfig) -> BatchSource:
    """Open the training images of a configuration."""
    size = POCKET_CONFIG["preprocess_cfg"]["size"]
    if config.images:
        return FolderBatchSampler(FolderImages.trained_on(config), config, size)
    excluded = excluded_ids(config.exclude_split)
    views = ObjectViews.load(config.views, excluded)
    scenes = SceneImages.load(config.scenes, excluded, views.instances) if config.scenes else None
    return RenderBatchSampler(scenes, views, config, size)


def _train(config: TeacherTrainConfig, trainable: TrainablePocketTeacher, source: BatchSource, out: Path) -> float:
    """Run the steps that are left, with log and checkpoints; return the seconds that all steps took."""
    is_new = not saved_epochs(out / "checkpoints")
    if is_new and config.pretrained is None:
        trainable.model.visual.trunk.load_imagenet_weights()
    optimizer = build_teacher_optimizer(trainable, config)
    signature = run_signature(config)
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
        open_trackers(config.report_to if unfinished else (), out, asdict(config)) as trackers,
        TrainingLogger("pocket teacher", out / "tensorboard", config.steps, first, "teacher", trackers) as logger,
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


def run_signature(config: TeacherTrainConfig) -> dict[str, Any]:
    """Return what a resumed run must agree with: the configuration that decides the weights, and the data's hashes."""
    return {
        **config.choices(),
        "pretrained": None if config.pretrained is None else load_pocket_teacher(config.pretrained).fingerprint,
        "scenes": [SceneStore.open(folder).content_hash for folder in config.scenes],
        "views": [_views_hash(folder) for folder in config.views],
        "images": FolderImages.trained_on(config).content_hash if config.images else None,
    }


def check_held_out(config: TeacherTrainConfig) -> None:
    """Check that no evaluation data is trained on.

    :raises InvalidArgumentError: when scenes, views, or an image of a folder, are in both, or where instances of kinds
        are trained on that are for evaluation, or the other way round
    """
    for key, folders in (("unseen_views", config.unseen_views), ("views", config.views)):
        rows = [row for folder in folders for row in ObjectViewDataset.open(folder).objects if "kind" in row]
        if any((row["seed"] < MAX_INSTANCES) == (key == "unseen_views") for row in rows):
            raise InvalidArgumentError(
                f"expected instances of kinds with seeds from {MAX_INSTANCES} on in unseen_views, and below it in "
                f"views, but {key} have others; render them with first_seed="
            )
    for folder in config.unseen_scenes:
        manifest = SceneStore.open(folder).manifest
        if manifest.object_set == "kinds" or manifest.has_catalog:
            raise InvalidArgumentError(
                f"expected unseen_scenes of proxy or ycb, whose 26 names the metrics are of, but {folder} has "
                f"{manifest.object_set}"
            )
    if config.exclude_split != "none" and "kinds" in trained_object_sets(config):
        raise InvalidArgumentError(
            f"expected exclude_split=none with kinds, but got {config.exclude_split}: it leaves out objects of proxy "
            "and ycb; render the other kinds alone, kinds=[...]"
        )
    _refuse_shared("scenes", _scene_ids(config.scenes), _scene_ids(config.unseen_scenes))
    views, unseen_views = (map(_views_hash, folders) for folders in (config.views, config.unseen_views))
    _refuse_shared("views", views, unseen_views)
    if config.unseen_images:
        unseen = FolderImages.open(config.unseen_images).at(1)
        _refuse_shared("images", FolderImages.trained_on(config).at(1).file_hashes, unseen.file_hashes)
        if config.pretrained and (shared := listed_images(unseen, config.pretrained)):
            raise InvalidArgumentError(
                f"expected unseen_images that the teacher in pretrained={config.pretrained} was not trained on, but it "
                f"was on {shared[0]}"
            )


def _scene_ids(folders: Sequence[str]) -> list[str]:
    """Return an id for each scene, unique across object sets."""
    stores = map(SceneStore.open, folders)
    return [f"{store.manifest.object_set}/{scene}" for store in stores for scene in store.scene_ids()]


def _views_hash(folder: str) -> str:
    return ObjectViewDataset.open(folder).content_hash


def _refuse_shared(data: str, trained: Iterable[object], held_out: Iterable[object]) -> None:
    shared = set(trained) & set(held_out)
    if shared:
        raise InvalidArgumentError(
            f"expected held-out {data} that are not trained on, but {len(shared)} of unseen_{data} are; make them with "
            "another seed, or leave them out of one of the two"
        )
