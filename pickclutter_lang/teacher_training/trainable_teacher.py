"""The pocket teacher's model in training: what a batch holds, and all terms of the loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.captions import Caption, sample_attribute_prompts
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teachers.open_clip_teacher import text_features, tokenize
from pickclutter_lang.teachers.pocket import PocketTeacher, build_pocket_model, dense_maps
from pickclutter_lang.training.parallel import gather_rows, own_draws, own_slice

_SHORT_TEXT_LENGTH = 14
_PROMPTS_PER_TYPE = 14
# A mean over many, mostly easy pairs is small compared with the contrastive terms.
_PRESENCE_WEIGHT = 4.0
_SENTENCE_SHARPNESS = 20.0


@dataclass(frozen=True)
class SceneBatch:
    """Scenes of a training step, and captions of which some are true of them.

    `images` [B, 3, S, S] in 0..1; `regions` int64 [R, 2] (scene, instance id) in `segmentation` uint8 [B, S, S].
    `targets` bool [B, P] says which captions are true. The last 2 * `names` captions assert the presence, then the
    absence, of each named object.
    """

    images: Tensor
    segmentation: Tensor
    regions: Tensor
    captions: list[Caption]
    targets: Tensor
    names: int


@dataclass(frozen=True)
class Batch:
    """Scenes, single objects, and captions of one training step.

    `objects` [K, 3, s, s] in 0..1 are crops and views. `targets` bool [R + K, Q] says which captions are true of the
    scenes' regions and of these. `columns` are the captions of one type (`name`, `color`, ...), which compete with each
    other; they come last, names first.
    """

    scenes: SceneBatch | None
    objects: Tensor
    captions: list[Caption]
    targets: Tensor
    columns: dict[str, slice]

    @property
    def tags(self) -> list[str]:
        """Tags of the captions of `columns`, from the first name on."""
        return [tag for one in self.captions[self.columns["name"].start :] for tag in one.predicates[0].tags]

    def by_type(self, values: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield each type, with the values [N, C] and targets [N, C] of its captions, over objects with a true one."""
        for attribute_type, columns in self.columns.items():
            has_answer = self.targets[:, columns].any(dim=1)
            yield attribute_type, values[has_answer, columns], self.targets[has_answer, columns]


def competing_captions(
    own: Sequence[Caption], names: Sequence[Caption], words: dict[str, list[str]], rng: np.random.Generator
) -> tuple[list[Caption], dict[str, slice]]:
    """Return captions of some objects, then names, then prompts of sampled words, with the columns of each type."""
    captions = list(own)
    columns = {}
    for attribute_type, prompts in ({"name": names} | sample_attribute_prompts(words, _PROMPTS_PER_TYPE, rng)).items():
        columns[attribute_type] = slice(len(captions), len(captions) + len(prompts))
        captions += prompts
    return captions, columns


class BatchSource(Protocol):
    """Samples the batch of a step from (seed, step) only; its captions use only `named_objects` and `words`."""

    named_objects: list[ObjectAttributes]
    words: dict[str, list[str]]

    def batch(self, step: int) -> Batch:
        """Return the batch of a step."""


class TrainablePocketTeacher(nn.Module):
    """The pocket teacher's model, the parameters of its sigmoid losses, and the mask of tokens that occurred."""

    seen: Tensor

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.model = build_pocket_model(config)
        self.scene_sigmoid, self.object_sigmoid = PairwiseSigmoid(), PairwiseSigmoid()
        self.register_buffer("seen", torch.zeros(self.model.vocab_size, dtype=torch.bool))
        self.mean = torch.tensor(config["preprocess_cfg"]["mean"])[:, None, None]
        self.std = torch.tensor(config["preprocess_cfg"]["std"])[:, None, None]

    def load_pretrained(self, teacher: PocketTeacher) -> None:
        """Take the weights of a trained teacher; what its files lack, the sigmoid losses' parameters, stays as it is.

        :raises InvalidArgumentError: for a teacher of another architecture
        """
        try:
            self.model.load_state_dict(teacher.model.state_dict())
        except RuntimeError as error:
            raise InvalidArgumentError(
                "expected a pretrained teacher of the architecture that is trained, but its weights do not fit"
            ) from error
        self.seen |= self.model.token_embedding.weight.detach().any(dim=1)

    def forward(
        self,
        batch: Batch,
        sigmoid_weight: float,
        bf16: bool,
        sentence_targets: tuple[list[str], Tensor, float] | None = None,
    ) -> dict[str, Tensor]:
        """Return the terms of the loss on a batch, and their sum as `loss`.

        :param sentence_targets: texts, their similarity to the batch's tags (`SentenceTeacher.sample`), and the weight
        """
        scenes = batch.scenes
        own_texts = sentence_targets[0] if sentence_targets else ()
        of_scenes = scenes.captions if scenes else []
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            maps = self._maps([*([scenes.images] if scenes else ()), batch.objects])
            texts = self.encode_texts([*(one.text for one in (*of_scenes, *batch.captions)), *own_texts])
        scene_texts, object_texts, sentence_texts = texts.tensor_split(
            [len(of_scenes), len(of_scenes) + len(batch.captions)]
        )
        objects = maps[-1].mean(dim=(2, 3))
        terms = {}
        if scenes:
            cosines = functional.normalize(maps[0].mean(dim=(2, 3)), dim=-1) @ scene_texts.T
            logits = self.model.logit_scale.exp() * cosines
            terms = {
                "scene_nce": multi_positive_nce(logits, scenes.targets),
                "scene_sigmoid": sigmoid_weight * self.scene_sigmoid(cosines, scenes.targets),
                "presence": _PRESENCE_WEIGHT * presence_loss(logits, scenes.targets, scenes.names),
            }
            objects = torch.cat([region_features(maps[0], scenes.segmentation, scenes.regions), objects])
        cosines = functional.normalize(objects, dim=-1) @ object_texts.T
        terms |= self._object_terms(cosines, batch, sigmoid_weight)
        if sentence_targets:
            _, similarity, weight = sentence_targets
            anchors = object_texts[batch.columns["name"].start :]
            terms["language"] = weight * language_loss(
                sentence_texts, anchors, similarity, self.model.logit_scale.exp()
            )
        return {**terms, "loss": torch.stack(list(terms.values())).sum(), **top1_accuracy(cosines, batch)}

    def _object_terms(self, cosines: Tensor, batch: Batch, sigmoid_weight: float) -> dict[str, Tensor]:
        logits = self.model.logit_scale.exp() * cosines
        of_types = {name: multi_positive_nce(*of_type) for name, *of_type in batch.by_type(logits)}
        terms = {"object_nce": multi_positive_nce(logits, batch.targets), "name_nce": of_types.pop("name")}
        if of_types:
            terms["attribute_nce"] = torch.stack(list(of_types.values())).mean()
        terms["object_sigmoid"] = sigmoid_weight * self.object_sigmoid(cosines, batch.targets)
        return terms

    def _maps(self, images: list[Tensor]) -> list[Tensor]:
        """Return the dense maps, float32 [N_i, D, h_i, w_i], of batches of images in 0..1."""
        own = [x[own_slice()] for x in images]
        normalized = [((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last) for x in own]
        trunk: Any = self.model.visual.trunk
        with own_draws():
            maps = [dense_maps(self.model, trunk_map).float() for trunk_map in trunk.forward_feature_maps(normalized)]
        return [gather_rows(part, len(x)) for part, x in zip(maps, images, strict=True)]

    def encode_texts(self, texts: list[str]) -> Tensor:
        """Return the features of texts [N, D], L2-normalized, and mark their tokens as seen.

        The end of a text that is longer than the context is cut. Short and long texts are encoded separately, since a
        batch costs as much as its longest text.
        """
        tokens = tokenize(texts, self.model.context_length, truncate=True)
        self.seen[tokens.flatten()] = True
        end = tokens.argmax(dim=-1)
        features = torch.empty(len(texts), self.model.text_projection.shape[1])
        for chosen in (end <= _SHORT_TEXT_LENGTH, end > _SHORT_TEXT_LENGTH):
            rows = torch.nonzero(chosen).flatten()
            if len(rows):
                embeddings = self.model.token_embedding(tokens[rows, : int(end[rows].max()) + 1])
                with sdpa_kernel(SDPBackend.MATH):  # the plain kernel is the fastest for texts this short
                    features_of_rows = text_features(self.model, embeddings, end[rows])
                features = features.index_put((rows,), features_of_rows)
        return features


def presence_loss(logits: Tensor, targets: Tensor, names: int) -> Tensor:
    """Return the cross-entropy of the presence of each named object, from prompt pairs "with X" and "without X".

    The probability is the softmax over the two, as in the student's `LocalAggregation`.

    :param logits: [B, P]; the last 2 * `names` texts as in `SceneBatch.captions`
    :param targets: bool [B, P]
    """
    present = logits[:, -2 * names : -names]
    absent = logits[:, -names:]
    return functional.binary_cross_entropy_with_logits(present - absent, targets[:, -2 * names : -names].float())


def top1_accuracy(cosines: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return the top-1 accuracy within each attribute type, as `<type>_top1`."""
    return {
        f"{name}_top1": targets.gather(1, of_type.detach().argmax(dim=1, keepdim=True)).float().mean()
        for name, of_type, targets in batch.by_type(cosines)
    }


def region_features(dense: Tensor, segmentation: Tensor, regions: Tensor) -> Tensor:
    """Return the mean of the dense map over each object's mask.

    :param dense: [B, D, h, w]
    :param segmentation: uint8 [B, S, S]
    :param regions: int64 [R, 2], (scene, instance id)
    :return: [R, D]
    """
    masks = (segmentation[regions[:, 0]] == regions[:, 1, None, None]).float()[:, None]
    coverage = functional.adaptive_avg_pool2d(masks, (dense.shape[2], dense.shape[3]))[:, 0]
    coverage = coverage / coverage.sum(dim=(1, 2), keepdim=True).clamp(min=1e-9)
    return torch.einsum("rhw,rdhw->rd", coverage, dense[regions[:, 0]])


def multi_positive_nce(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the InfoNCE of images against texts and texts against images, with every match as a positive.

    Each row's (column's) positives share its probability equally; those without a positive are left out.

    :param logits: [N, P], cosines times the logit scale
    :param targets: bool [N, P]
    :return: scalar, the mean of both directions
    """
    return (_nce(logits, targets) + _nce(logits.T, targets.T)) / 2


def _nce(logits: Tensor, targets: Tensor) -> Tensor:
    has_positive = targets.any(dim=1)
    weights = targets[has_positive].float()
    weights = weights / weights.sum(dim=1, keepdim=True)
    losses = -(weights * functional.log_softmax(logits[has_positive], dim=1)).sum(dim=1)
    return losses.sum() / max(1, len(losses))


class PairwiseSigmoid(nn.Module):
    """The sigmoid loss of each pair (SigLIP), with a learned scale and bias that are not part of the teacher."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(10.0).log())
        self.bias = nn.Parameter(torch.tensor(-3.0))

    def forward(self, cosines: Tensor, targets: Tensor) -> Tensor:
        """Return the binary cross-entropy of cosines [N, P] with bool targets [N, P], classes balanced."""
        losses = functional.binary_cross_entropy_with_logits(
            cosines * self.log_scale.exp() + self.bias, targets.float(), reduction="none"
        )
        if targets.all() or not targets.any():
            return losses.mean()
        return (losses[targets].mean() + losses[~targets].mean()) / 2


def language_loss(words: Tensor, anchors: Tensor, similarity: Tensor, scale: Tensor) -> Tensor:
    """Return KL(sentence encoder || text encoder) of the softmax over anchors.

    The anchors take no gradient: only captions train them.

    :param words: [W, D], L2-normalized
    :param anchors: [A, D], L2-normalized
    :param similarity: cosines [W, A] in the sentence encoder
    :param scale: of the text encoder's cosines
    """
    target = functional.log_softmax(_SENTENCE_SHARPNESS * similarity, dim=1)
    predicted = functional.log_softmax(scale.detach() * (words @ anchors.detach().T), dim=1)
    return functional.kl_div(predicted, target, reduction="batchmean", log_target=True)
