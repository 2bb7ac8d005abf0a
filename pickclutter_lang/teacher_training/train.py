"""Training of a pocket teacher: its phase for the trainer, export and model card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.results.record import as_json
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import TeacherData
from pickclutter_lang.teacher_training.evaluation import evaluate_teacher
from pickclutter_lang.teacher_training.folder_batches import FolderBatchSampler
from pickclutter_lang.teacher_training.model_card import write_model_card
from pickclutter_lang.teacher_training.render_batches import RenderBatchSampler
from pickclutter_lang.teacher_training.sentence_teacher import SentenceTeacher, pretrain_text
from pickclutter_lang.teacher_training.trainable_teacher import Batch, BatchSource, TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG, load_pocket_teacher, save_pocket_model
from pickclutter_lang.training.batches import Batch as Rows
from pickclutter_lang.training.config import PhaseConfig
from pickclutter_lang.training.experiment import CONFIG_FILE
from pickclutter_lang.training.logger import open_tracker
from pickclutter_lang.training.parallel import check_rows, joined
from pickclutter_lang.training.trainer import Phase, Trainer
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.ranks import is_main
from pickclutter_lang.utils.reading import describe_differences, read_json

_MAX_LOGIT_SCALE = 50.0


def train_teacher(config: TeacherTrainConfig) -> Path:
    """Train a pocket teacher, or resume an interrupted run, and export it with its model card.

    Of several processes only rank 0 writes, and exports the teacher after the others have ended.

    :return: the folder of the exported teacher, `out/teacher`
    :raises DatasetError, CheckpointError, InvalidArgumentError: for data or checkpoints that do not fit
    :raises RankError: when another process was lost
    :raises LockedError: when another process is at work in `out`
    """
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    data = TeacherData.open(config)
    check_rows(config.smallest_batch, "the teacher")
    torch.manual_seed(config.seed)
    phase = TeacherPhase(config, data)
    identity = data.signature(config)
    if config.pretrained is not None:
        start = load_pocket_teacher(config.pretrained)
        phase.model.load_pretrained(start)
        identity["pretrained"] = start.fingerprint
    out = Path(config.out)
    with joined("cpu"), dir_lock(out) if is_main() else nullcontext():
        if is_main():
            _check_identity(out / CONFIG_FILE, as_json(identity))
        trainer = Trainer(phase, out / phase.name, seed=config.seed)
        if not trainer.resume():
            phase.initialize()
        unfinished = trainer.done < phase.config.epochs
        with open_tracker(config.report_to if unfinished else (), out, asdict(config)) as tracker:
            trainer.run(out / "tensorboard", tracker)
        folder = out / "teacher"
        if is_main():
            model = phase.model
            seconds = sum(row["seconds"] for row in trainer.history)
            save_pocket_model(folder, model.model, POCKET_CONFIG, torch.nonzero(model.seen).flatten())
            write_model_card(folder, evaluate_teacher(load_pocket_teacher(folder), data), config, data, seconds)
        return folder


def _check_identity(path: Path, identity: dict[str, Any]) -> None:
    """Write what a training depends on, or compare it with that of the training which is in the folder."""
    if not path.exists():
        write_json(path, identity)
        return
    differences = describe_differences(read_json(path, dict[str, Any], CheckpointError, "choose another out"), identity)
    if differences:
        raise CheckpointError(
            f"the training at {path.parent} was started with other settings, data or teacher (there / now): "
            f"{'; '.join(differences)}; use the same ones, or choose another out"
        )


class TeacherPhase(Phase):
    """The training of a pocket teacher; an epoch has the steps from one checkpoint to the next."""

    name = "training"
    rate_key = "lr"

    def __init__(self, settings: TeacherTrainConfig, data: TeacherData) -> None:
        self.settings = settings
        self.num_workers = settings.num_workers
        self.epoch_steps = min(settings.save_every, settings.steps)
        self.config = PhaseConfig(
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            warmup_fraction=settings.warmup_fraction,
            epochs=settings.steps // self.epoch_steps,
        )
        self.source: BatchSource
        self.source = FolderBatchSampler(data.images, settings) if data.images else RenderBatchSampler(data, settings)
        self._model = TrainablePocketTeacher(POCKET_CONFIG)
        self._sentences: SentenceTeacher | None = None

    @property
    def model(self) -> TrainablePocketTeacher:
        """The teacher in training."""
        return self._model

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Build AdamW with a learning rate for each encoder; no weight decay on norms, biases, scales, embeddings.

        Gradients are clipped to norm 1, and the logit scale stays below 50.
        """
        rates = {"image": self.settings.lr, "text": self.settings.text_lr}
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.model.named_parameters():
            rate = rates["image" if name.startswith("model.visual") else "text"]
            if self.settings.head_lr is not None and name.startswith("model.visual.head"):
                rate = self.settings.head_lr
            groups.setdefault((rate, parameter.ndim > 1 and "embedding" not in name), []).append(parameter)
        optimizer = torch.optim.AdamW(
            [
                {"params": of_group, "lr": rate, "weight_decay": decays * self.settings.weight_decay}
                for (rate, decays), of_group in groups.items()
            ],
            betas=(0.9, 0.98),
            fused=True,
        )

        def clip(*_: Any) -> None:
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)

        def limit(*_: Any) -> None:
            self.model.model.logit_scale.data.clamp_(max=float(torch.tensor(_MAX_LOGIT_SCALE).log()))

        optimizer.register_step_pre_hook(clip)
        optimizer.register_step_post_hook(limit)
        return optimizer

    def initialize(self) -> None:
        """Load the weights for ImageNet, unless it starts from a teacher, and fit the text encoder."""
        if self.settings.pretrained is None:
            self.model.model.visual.trunk.load_imagenet_weights()
        if self.settings.text_steps and is_main():
            source, settings = self.source, self.settings
            pretrain_text(self.model, source.named_objects, source.words, settings.text_steps, settings.seed)

    def batches(self, epoch: int) -> Sequence[Rows]:
        """Return as many empty batches as an epoch has; their rows are drawn for each step."""
        return [[]] * self.epoch_steps

    def load(self, batch: Rows, epoch: int, number: int) -> tuple[int, Batch]:
        """Return the number of a step, from 0, and its batch."""
        step = (epoch - 1) * self.epoch_steps + number
        return step, self.source.batch(step)

    def iter_batches(self, epoch: int) -> Iterator[tuple[int, Batch]]:
        """Yield the batches of an epoch; the teacher of sentences is made before the first."""
        if self.settings.sentence_weight > 0 and self._sentences is None:
            self._sentences = SentenceTeacher(self.source.named_objects, self.source.words, self.settings.seed)
        return super().iter_batches(epoch)

    def loss(self, prepared: tuple[int, Batch], epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its terms."""
        (step, batch), settings, targets = prepared, self.settings, None
        if self._sentences is not None:
            targets = (*self._sentences.sample(step, batch.tags), settings.sentence_weight)
        terms = self.model(batch, settings.sigmoid_weight, settings.bf16, targets)
        loss = terms.pop("loss")
        return loss, {name: value.detach() for name, value in terms.items()}

    def validate(self) -> None:
        """Return nothing: the teacher is evaluated once, after the last step."""
