"""What one step of training sees: augmented pictures, targets, and what the objective needs of the teacher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.distillation import Objective, Words
from pickclutter_lang.training.augment import Draw, draw_augmentation, variant_of
from pickclutter_lang.training.crops import Crops, label_covers
from pickclutter_lang.training.data import SceneSet
from pickclutter_lang.training.loop import Batch
from pickclutter_lang.training.paste import Shown, paste_objects

_WORDS, _BANK, _PASTED = 1, 2, 3  # keep the draws of a batch apart


@dataclass(frozen=True)
class Source:
    """Scenes to train on, and what the objective needs of the teacher: features [N, V, D] of the pictures (V as in
    `flip_variants`), and features of the objects in them.
    """

    scenes: SceneSet
    features: Tensor | None = None
    crops: Crops | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Texts without an article and the teacher's features of them; `drawn` of them are scored for each batch."""

    texts: Sequence[str]
    words: Words
    drawn: int


@dataclass(frozen=True)
class LoadedBatch:
    """`images` [n, K, S, S], `targets` [n, C], and which texts of the vocabulary are scored on them.

    `shown` says where things are, if the objective asks for it, and `whole` [n] in which pictures nothing was pasted:
    the others are not what the teacher saw.
    """

    batch: Batch
    draws: Sequence[Draw]
    images: Tensor
    targets: Tensor
    key: tuple[int, int]
    drawn: Sequence[int]
    texts: Sequence[str]
    shown: Shown | None
    whole: Tensor


class BatchLoader:
    """Makes the batches of one phase; everything random depends on (seed, phase, epoch, batch or scene) alone."""

    def __init__(
        self,
        sources: Sequence[Source],
        columns: Sequence[int],
        key: tuple[int, int],
        objective: Objective,
        *,
        bank: int,
        vocabulary: Vocabulary | None,
        paste: float = 0.0,
    ) -> None:
        """Keep what batches are made of.

        :param columns: label columns of the targets
        :param key: seed and number of the phase
        :param objective: says what is needed of the teacher
        :param bank: teacher features of other pictures of the first source that each batch is contrasted with
        :param paste: share of the pictures into which objects of others are pasted
        """
        self._sources, self.columns, self._key = sources, list(columns), key
        self.objective, self._bank, self._vocabulary = objective, bank, vocabulary
        self._paste = paste
        self._needs_places = objective.needs("covers") or objective.needs("crops") or paste > 0

    @property
    def labels(self) -> list[str]:
        """Names of the label columns."""
        return [self._sources[0].scenes.names[column] for column in self.columns]

    def load(self, batch: Batch, key: tuple[int, int], image_size: int | None) -> LoadedBatch:
        """Return the pictures and targets of a batch.

        :param key: epoch and number of the batch
        :param image_size: side of the pictures, by default that of the data's settings
        """
        draws = [
            draw_augmentation(
                self._sources[source].scenes.settings.augmentation,
                self._sources[source].scenes.view,
                (*self._key, key[0], source, row),
            )
            for source, row in batch
        ]
        parts = list(self._parts(batch, draws))
        images = torch.cat([source.scenes.batch(rows, own, image_size) for source, rows, own in parts])
        targets = torch.stack([self._sources[source].scenes.labels[row] for source, row in batch])
        shown, whole = None, torch.ones(len(batch), dtype=torch.bool)
        if self._needs_places:
            places = [source.scenes.places(rows, own, image_size) for source, rows, own in parts]
            shown = Shown.of(batch, np.concatenate(places))
        if shown is not None and self._paste:
            whole[paste_objects(images, targets, shown, self._paste, (*self._key, *key, _PASTED))] = False
        drawn = self._drawn_texts(key)
        texts = [self._vocabulary.texts[n] for n in drawn] if self._vocabulary is not None else []
        return LoadedBatch(batch, draws, images, targets[:, self.columns], key, drawn, texts, shown, whole)

    def teachings(self, loaded: LoadedBatch, local: Tensor) -> dict[str, Any]:
        """Return what the objective needs for one batch beside the student's answer, by the names of its arguments.

        :param local: [n, D, h, w] of the student
        """
        out: dict[str, Any] = {}
        if self.objective.needs("teacher"):
            out["teacher"] = self._teacher(loaded)[loaded.whole].to(local.device)
            out["bank"] = self._other_pictures(loaded, local.device)
        if loaded.shown is not None:
            labels = range(len(self._sources[0].scenes.names))
            covers = label_covers(loaded.shown.places, labels, (local.shape[2], local.shape[3])).to(local.device)
            out["covers"] = covers[:, self.columns]
            out |= self._objects(loaded.shown, covers, local)
        if self._vocabulary is not None:
            words, drawn = self._vocabulary.words, list(loaded.drawn)
            out["words"] = words._replace(present=words.present[drawn], absent=words.absent[drawn])
        return out

    def _parts(self, batch: Batch, draws: Sequence[Draw]) -> Iterator[tuple[Source, list[int], list[Draw]]]:
        """Take a batch apart by source."""
        for number, source in enumerate(self._sources):
            chosen = [n for n, (which, _) in enumerate(batch) if which == number]
            if chosen:
                yield source, [batch[n][1] for n in chosen], [draws[n] for n in chosen]

    def _drawn_texts(self, key: tuple[int, int]) -> list[int]:
        """Draw the texts of the vocabulary that a batch is scored on."""
        if self._vocabulary is None or not self.objective.needs("word_probabilities"):
            return []
        count = len(self._vocabulary.texts)
        rng = np.random.default_rng((*self._key, *key, _WORDS))
        drawn: list[int] = rng.choice(count, min(self._vocabulary.drawn, count), replace=False).tolist()
        return drawn

    def _teacher(self, loaded: LoadedBatch) -> Tensor:
        """Return the teacher's features [n, D] of the pictures, flipped as they are."""
        features = []
        for source, rows, own in self._parts(loaded.batch, loaded.draws):
            if source.features is not None:
                flips = source.scenes.settings.augmentation.flips
                features.append(source.features[rows, [variant_of(draw, flips) for draw in own]])
        return torch.cat(features)

    def _other_pictures(self, loaded: LoadedBatch, device: torch.device) -> Tensor | None:
        """Return teacher features [M, D] of pictures of the first source that are not in the batch."""
        features = self._sources[0].features
        if not self._bank or features is None:
            return None
        own = {row for source, row in loaded.batch if source == 0}
        others = [row for row in range(len(features)) if row not in own]
        rng = np.random.default_rng((*self._key, *loaded.key, _BANK))
        rows = rng.choice(others, min(self._bank, len(others)), replace=False)
        return features[rows, 0].to(device) if len(rows) else None

    def _objects(self, shown: Shown, covers: Tensor, local: Tensor) -> dict[str, Tensor]:
        """Return the student's features [R, D] of the objects in a batch, and the teacher's of their crops.

        :param covers: [n, labels, h * w]; objects that were moved out of the picture, or hidden, are left out
        """
        cells, total = functional.normalize(local.flatten(2), dim=1), covers.sum(dim=2, keepdim=True)
        pooled = torch.einsum("ndk,nck->ncd", cells, covers / total.clamp(min=1e-9))
        places, crops = [], [pooled.new_zeros(0, pooled.shape[2])]
        for n, origins in enumerate(shown.origins):
            for column, (source, row) in origins.items():
                known = self._sources[source].crops
                crop = known.of(row, column) if known is not None and bool(total[n, column] > 0) else None
                if crop is not None:
                    places.append((n, column))
                    crops.append(crop[None].to(local.device))
        pictures, columns = torch.tensor(places, dtype=torch.int64).reshape(-1, 2).T
        return {"objects": pooled[pictures, columns], "crops": torch.cat(crops)}
