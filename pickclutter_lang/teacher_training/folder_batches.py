"""Training batches from a user's own images, one folder for each class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pickclutter_lang.datasets.images.dataset import ImageDataset
from pickclutter_lang.datasets.transforms.crops import AffineCrops, crop_images, random_color_jitter
from pickclutter_lang.language.captions import attribute_words, caption_truth, named_object_caption, object_caption
from pickclutter_lang.teacher_training.config import TeacherTrainConfig
from pickclutter_lang.teacher_training.data import IMAGE_SIZE, class_attributes, class_sentences
from pickclutter_lang.teacher_training.trainable_teacher import Batch, competing_captions

_MAX_NAMES = 120


class FolderBatchSampler:
    """Samples the batch of a step from (seed, step) only: images of single objects, no scenes."""

    def __init__(self, data: ImageDataset, config: TeacherTrainConfig) -> None:
        self.data, self.config = data, config
        self.named_objects = [class_attributes(item) for item in data.classes]
        self.words = attribute_words(self.named_objects)

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.config.seed, step])
        rows = rng.integers(0, len(self.data.labels), self.config.view_batch_size).tolist()
        size = int(rng.choice(self.config.crop_sizes))
        full_size = IMAGE_SIZE
        count = len(rows)
        crops = AffineCrops(
            (full_size - 1) / 2 + rng.uniform(-0.15, 0.15, (count, 2)) * full_size,
            full_size * rng.uniform(0.5, 1.05, count),
            rng.normal(0, 0.15, count),
            rng.random(count) < 0.5,
        )
        objects = random_color_jitter(crop_images(self.data.images.load(rows), crops, size), rng)
        labels = self.data.labels[rows].tolist()
        captions = []
        for n in labels:
            sentences = class_sentences(self.data.classes[n])
            sentence = str(rng.choice(sentences)) if sentences else ""
            captions.append(object_caption(replace(self.named_objects[n], description=sentence), rng))
        shown = [self.named_objects[n] for n in dict.fromkeys(labels)]
        rest = [item for item in self.named_objects if item not in set(shown)]
        others = rng.permutation(len(rest))[: max(0, _MAX_NAMES - len(shown))]
        names = [named_object_caption(item, rng) for item in (*shown, *(rest[n] for n in others))]
        captions, columns = competing_captions(captions, names, self.words, rng)
        targets = torch.from_numpy(caption_truth(captions, [[self.named_objects[n]] for n in labels]))
        return Batch(None, objects, captions, targets, columns)
