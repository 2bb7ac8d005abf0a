"""Training the pocket teacher on simulator renders with captions that say what they assert."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.pretraining.batch import Batch, BatchSource
from pickclutter_lang.pretraining.card import write_model_card
from pickclutter_lang.pretraining.config import TeacherTrainSettings
from pickclutter_lang.pretraining.data import TeacherData
from pickclutter_lang.pretraining.folder_data import FolderData, FolderPictures
from pickclutter_lang.pretraining.folder_report import evaluate_folder
from pickclutter_lang.pretraining.inputs import check_held_out, identity
from pickclutter_lang.pretraining.language import LanguageTeacher, language_loss
from pickclutter_lang.pretraining.loss import PairwiseSigmoid, multi_positive_nce
from pickclutter_lang.pretraining.pictures import Scenes, Views, excluded_ids
from pickclutter_lang.pretraining.report import evaluate_teacher
from pickclutter_lang.teachers.open_clip_teacher import text_features, tokenize
from pickclutter_lang.teachers.pocket import (
    POCKET_CONFIG,
    build_pocket_model,
    dense_maps,
    load_pocket_teacher,
    save_pocket_model,
)
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
_SHORT_TEXT = 14
# As a mean over many pairs of which most are easy, the term would say little beside the contrastive ones.
_PRESENCE_WEIGHT = 4.0
_LOG = "log.jsonl"


class Trainee(nn.Module):
    """The pocket teacher's model, what else is learned beside it, and which tokens it has seen."""

    seen: Tensor

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.model = build_pocket_model(config)
        self.scene_sigmoid, self.object_sigmoid = PairwiseSigmoid(), PairwiseSigmoid()
        self.register_buffer("seen", torch.zeros(self.model.vocab_size, dtype=torch.bool))
        self.mean = torch.tensor(config["preprocess_cfg"]["mean"])[:, None, None]
        self.std = torch.tensor(config["preprocess_cfg"]["std"])[:, None, None]

    def forward(
        self, batch: Batch, sigmoid_weight: float, bf16: bool, words: tuple[list[str], Tensor, float] | None = None
    ) -> dict[str, Tensor]:
        """Return the terms of the loss on a batch, and their sum as `loss`.

        :param words: texts, their nearness to the batch's tags (`LanguageTeacher.draw`), and the weight of that term
        """
        said = [*batch.scene_texts, *batch.object_texts, *(words[0] if words else ())]
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            maps = self._maps([x for x in (batch.scenes, batch.objects) if len(x)])
            texts = self._texts(said)
        first = len(batch.scene_texts)
        scene_texts, object_texts, other_texts = texts.tensor_split([first, first + len(batch.object_texts)])
        objects, terms = maps[-1].mean(dim=(2, 3)), {}
        if len(batch.scenes):
            terms = self._scene_terms(maps[0], scene_texts, batch, sigmoid_weight)
            objects = torch.cat([region_features(maps[0], batch.segmentation, batch.regions), objects])
        cosines = functional.normalize(objects, dim=-1) @ object_texts.T
        terms |= self._object_terms(cosines, batch, sigmoid_weight)
        if words:
            anchors = object_texts[batch.kinds["name"].start :]
            terms["language"] = words[2] * language_loss(other_texts, anchors, words[1], self.model.logit_scale.exp())
        return {**terms, "loss": torch.stack(list(terms.values())).sum(), **shares_right(cosines, batch)}

    def _scene_terms(self, dense: Tensor, texts: Tensor, batch: Batch, sigmoid_weight: float) -> dict[str, Tensor]:
        cosines = functional.normalize(dense.mean(dim=(2, 3)), dim=-1) @ texts.T
        logits = self.model.logit_scale.exp() * cosines
        return {
            "scene_nce": multi_positive_nce(logits, batch.scene_truth),
            "scene_sigmoid": sigmoid_weight * self.scene_sigmoid(cosines, batch.scene_truth),
            "presence": _PRESENCE_WEIGHT * presence_loss(logits, batch.scene_truth, batch.names),
        }

    def _object_terms(self, cosines: Tensor, batch: Batch, sigmoid_weight: float) -> dict[str, Tensor]:
        logits = self.model.logit_scale.exp() * cosines
        kinds = kind_losses(logits, batch)
        terms = {"object_nce": multi_positive_nce(logits, batch.object_truth), "name_nce": kinds.pop("name")}
        if kinds:
            terms["attribute_nce"] = torch.stack(list(kinds.values())).mean()
        terms["object_sigmoid"] = sigmoid_weight * self.object_sigmoid(cosines, batch.object_truth)
        return terms

    def _maps(self, pictures: list[Tensor]) -> list[Tensor]:
        """Return the dense maps, float32 [N_i, D, h_i, w_i], of batches of pictures in 0..1."""
        normal = [((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last) for x in pictures]
        trunk: Any = self.model.visual.trunk
        return [dense_maps(self.model, found).float() for found in trunk.forward_maps(normal)]

    def _texts(self, texts: list[str]) -> Tensor:
        """Encode texts, the short and the long ones apart: a batch costs what its longest text costs."""
        tokens = tokenize(texts, self.model.context_length)
        self.seen[tokens.flatten()] = True
        end = tokens.argmax(dim=-1)
        features = torch.empty(len(texts), self.model.text_projection.shape[1])
        for rows in (torch.nonzero(end <= _SHORT_TEXT).flatten(), torch.nonzero(end > _SHORT_TEXT).flatten()):
            if len(rows):
                embeddings = self.model.token_embedding(tokens[rows, : int(end[rows].max()) + 1])
                with sdpa_kernel(SDPBackend.MATH):  # for texts this short the plain kernel is the fastest
                    found = text_features(self.model, embeddings, end[rows])
                features = features.index_put((rows,), found)
        return features


def presence_loss(logits: Tensor, truth: Tensor, names: int) -> Tensor:
    """Return the cross-entropy of the pairs of prompts "with X" and "without X": whether each named object is there.

    It is how a student's pairs of prompts are read: a softmax over the two.

    :param logits: [B, P]; the last 2 * `names` texts are those of `Batch.scene_texts`
    :param truth: bool [B, P]
    """
    present, absent = logits[:, -2 * names : -names], logits[:, -names:]
    return functional.binary_cross_entropy_with_logits(present - absent, truth[:, -2 * names : -names].float())


def kind_losses(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return the contrastive loss within each kind of question, over the objects of which an answer is among those."""
    losses = {}
    for kind, columns in batch.kinds.items():
        truth = batch.object_truth[:, columns]
        known = truth.any(dim=1)
        losses[kind] = multi_positive_nce(logits[known, columns], truth[known])
    return losses


def shares_right(cosines: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return how often the best answer to a question is a true one, for each kind as `<kind>_top1`."""
    found = {}
    for kind, columns in batch.kinds.items():
        truth = batch.object_truth[:, columns]
        known = truth.any(dim=1)
        best = cosines.detach()[known, columns].argmax(dim=1, keepdim=True)
        found[f"{kind}_top1"] = truth[known].gather(1, best).float().mean()
    return found


def region_features(dense: Tensor, segmentation: Tensor, regions: Tensor) -> Tensor:
    """Return the mean of the dense map over each object's mask.

    :param dense: [B, D, h, w]
    :param segmentation: uint8 [B, S, S]
    :param regions: int64 [R, 2], (scene, value in the segmentation)
    :return: [R, D]
    """
    masks = (segmentation[regions[:, 0]] == regions[:, 1, None, None]).float()[:, None]
    cover = functional.adaptive_avg_pool2d(masks, (dense.shape[2], dense.shape[3]))[:, 0]
    cover = cover / cover.sum(dim=(1, 2), keepdim=True).clamp(min=1e-9)
    return torch.einsum("rhw,rdhw->rd", cover, dense[regions[:, 0]])


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
