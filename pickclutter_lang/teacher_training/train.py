"""Training loop of a pocket teacher: batches, AdamW, checkpoints, exact resumption, export and model card."""

from __future__ import annotations

import json
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
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, object_of_words
from pickclutter_lang.objects.object_sets import MAX_INSTANCES
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler, FolderImages, read_classes
from pickclutter_lang.teacher_training.model_card import trained_object_sets, write_model_card
from pickclutter_lang.teacher_training.render_batches import ObjectViews, RenderBatchSampler, SceneImages, excluded_ids
from pickclutter_lang.teacher_training.sentence_teacher import SentenceTeacher, pretrain_text
from pickclutter_lang.teacher_training.trainable_teacher import Batch, BatchSource, TrainablePocketTeacher
from pickclutter_lang.teachers.open_clip_teacher import count_tokens
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.teachers.training_images import listed_images
from pickclutter_lang.training.batches import prefetch_map
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
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.words import with_article

_MAX_LOGIT_SCALE = 50.0
_LOG = "log.jsonl"
# The longest captions of a word, of a sentence about a class of images, and of the description of an object in a scene.
_OF_WORD, _OF_CLASS = "an image of {a} on a table", "a photo of {bare} . {sentence}"
_OF_OBJECT = "a picture of a table without {a} . {sentence}"


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
    check_held_out(config)
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
            pretrain_text(trainable, source.named_objects, source.words, config.text_steps, config.seed)
        share_weights(trainable)
        seconds = _run(trainable, optimizer, source, config, out, first, seconds, signature, trackers)
    folder = out / "teacher"
    if not is_main():
        return folder
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
    sentence_teacher = SentenceTeacher(source.named_objects, source.words, config.seed) if use_sentence_loss else None
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


def run_signature(config: TeacherTrainConfig) -> dict[str, Any]:
    """Return what a resumed run must agree with: the configuration that decides the weights, and the data's hashes."""
    return {
        **config.choices(),
        "pretrained": None if config.pretrained is None else load_pocket_teacher(config.pretrained).fingerprint,
        "scenes": [SceneStore.open(folder).content_hash for folder in config.scenes],
        "views": [ObjectViewDataset.open(folder).content_hash for folder in config.views],
        "images": FolderImages.trained_on(config).content_hash if config.images else None,
    }


def check_held_out(config: TeacherTrainConfig) -> None:
    """Check that no evaluation data is trained on.

    :raises InvalidArgumentError: when scenes, views, or an image of a folder, are in both, or where instances of kinds
        are trained on that are for evaluation, or the other way round
    """
    for key, folders in (("unseen_views", config.unseen_views), ("views", config.views)):
        seeds = (int(row["seed"]) for f in folders for row in ObjectViewDataset.open(f).objects if "kind" in row)
        wrong = [seed for seed in seeds if (seed < MAX_INSTANCES) == (key == "unseen_views")]
        if wrong:
            raise InvalidArgumentError(
                f"expected instances of kinds with seeds from {MAX_INSTANCES} on in unseen_views, and below it in "
                f"views, but {key} have {wrong[0]}; render others with first_seed="
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
    contents = [
        [ObjectViewDataset.open(folder).content_hash for folder in part] for part in (config.views, config.unseen_views)
    ]
    _refuse_shared("views", *contents)
    if config.unseen_images:
        unseen = FolderImages.open(config.unseen_images).at(1)
        _refuse_shared("images", FolderImages.trained_on(config).at(1).file_hashes, unseen.file_hashes)
        if config.pretrained and listed_images(unseen, config.pretrained):
            raise InvalidArgumentError(
                f"expected unseen_images that the teacher in pretrained={config.pretrained} was not trained on, but it "
                f"was on {listed_images(unseen, config.pretrained)[0]}"
            )


def _scene_ids(folders: Sequence[str]) -> list[str]:
    """Return an id for each scene, unique across object sets."""
    stores = map(SceneStore.open, folders)
    return [f"{store.manifest.object_set}/{scene}" for store in stores for scene in store.scene_ids()]


def _refuse_shared(data: str, trained: Iterable[object], held_out: Iterable[object]) -> None:
    shared = set(trained) & set(held_out)
    if shared:
        raise InvalidArgumentError(
            f"expected held-out {data} that are not trained on, but {len(shared)} of unseen_{data} are; make them with "
            "another seed, or leave them out of one of the two"
        )


def check_captions(config: TeacherTrainConfig) -> None:
    """Check that the text encoder can read what is said of each class of images, and of each own object.

    A caption that joins the words of several objects may be longer: `TrainablePocketTeacher.encode_texts` cuts it.

    :raises InvalidArgumentError: naming the class or object, the text, and the file to shorten it in
    """
    for folder in filter(None, (config.images, config.unseen_images)):
        where = config.classes or f"the name of its folder in {folder}"
        for item in read_classes(Path(folder), Path(config.classes) if config.classes else None):
            words = (item.attributes.name, item.attributes.category)
            _check_caption(words[0], words, item.sentences, _OF_CLASS, where)
    for folder in config.scenes:
        _check_objects([entry.catalog_object() for entry in SceneStore.open(folder).own_catalog or ()], folder)
    for folder in (*config.views, *config.unseen_views):
        rows = ObjectViewDataset.open(folder).objects
        _check_objects([object_of_words(row) for row in rows if "own" in row], folder)


def _check_objects(objects: Sequence[CatalogObject], folder: str) -> None:
    for item in objects:
        words = (item.name, *item.synonyms, item.category, *item.colors, item.shape, item.material, item.function)
        where = f"its {CATALOG_FILE}, and make {folder} again"
        _check_caption(item.name, words, (item.description,), _OF_OBJECT, where)


def _check_caption(name: str, words: Sequence[str], sentences: Sequence[str], template: str, where: str) -> None:
    captions = {word: _OF_WORD.format(a=with_article(word)) for word in words if word}
    captions |= {text: template.format(a=with_article(name), bare=name, sentence=text) for text in sentences if text}
    most = int(POCKET_CONFIG["model_cfg"]["text_cfg"]["context_length"])
    for text, count in zip(captions, count_tokens([*captions.values()], most), strict=True):
        if count > most:
            raise InvalidArgumentError(
                f"expected texts whose captions have at most {most} tokens, but one of {name!r} has a caption of "
                f"{count}: {text!r}; shorten it in {where}"
            )
