"""What a pocket teacher is while it is trained: its model, what is learned beside it, and the terms of its loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from pickclutter_lang.teacher_training.batch import Batch
from pickclutter_lang.teacher_training.loss import PairwiseSigmoid, multi_positive_nce
from pickclutter_lang.teacher_training.sentence_loss import language_loss
from pickclutter_lang.teachers.open_clip_teacher import text_features, tokenize
from pickclutter_lang.teachers.pocket import build_pocket_model, dense_maps

_SHORT_TEXT = 14
# As a mean over many pairs of which most are easy, the term would say little beside the contrastive ones.
_PRESENCE_WEIGHT = 4.0


class TrainablePocketTeacher(nn.Module):
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

        :param words: texts, their nearness to the batch's tags (`SentenceTeacher.draw`), and the weight of that term
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
            anchors = object_texts[batch.attribute_slices["name"].start :]
            terms["language"] = words[2] * language_loss(other_texts, anchors, words[1], self.model.logit_scale.exp())
        return {**terms, "loss": torch.stack(list(terms.values())).sum(), **top1_accuracy(cosines, batch)}

    def _scene_terms(self, dense: Tensor, texts: Tensor, batch: Batch, sigmoid_weight: float) -> dict[str, Tensor]:
        cosines = functional.normalize(dense.mean(dim=(2, 3)), dim=-1) @ texts.T
        logits = self.model.logit_scale.exp() * cosines
        return {
            "scene_nce": multi_positive_nce(logits, batch.scene_targets),
            "scene_sigmoid": sigmoid_weight * self.scene_sigmoid(cosines, batch.scene_targets),
            "presence": _PRESENCE_WEIGHT * presence_loss(logits, batch.scene_targets, batch.names),
        }

    def _object_terms(self, cosines: Tensor, batch: Batch, sigmoid_weight: float) -> dict[str, Tensor]:
        logits = self.model.logit_scale.exp() * cosines
        kinds = attribute_losses(logits, batch)
        terms = {"object_nce": multi_positive_nce(logits, batch.object_targets), "name_nce": kinds.pop("name")}
        if kinds:
            terms["attribute_nce"] = torch.stack(list(kinds.values())).mean()
        terms["object_sigmoid"] = sigmoid_weight * self.object_sigmoid(cosines, batch.object_targets)
        return terms

    def _maps(self, images: list[Tensor]) -> list[Tensor]:
        """Return the dense maps, float32 [N_i, D, h_i, w_i], of batches of images in 0..1."""
        normal = [((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last) for x in images]
        trunk: Any = self.model.visual.trunk
        return [dense_maps(self.model, found).float() for found in trunk.forward_feature_maps(normal)]

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


def attribute_losses(logits: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return the contrastive loss within each kind of question, over the objects of which an answer is among those."""
    losses = {}
    for kind, columns in batch.attribute_slices.items():
        truth = batch.object_targets[:, columns]
        known = truth.any(dim=1)
        losses[kind] = multi_positive_nce(logits[known, columns], truth[known])
    return losses


def top1_accuracy(cosines: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Return how often the best answer to a question is a true one, for each kind as `<kind>_top1`."""
    found = {}
    for kind, columns in batch.attribute_slices.items():
        truth = batch.object_targets[:, columns]
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
