"""Students: a network with a global and a spatial head, and one that scores labels by their text features."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.datasets.config import CameraSpec
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.students.backbones import Backbone, build_backbone
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.label_encoders import LabelEncoder
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.memory import keep_recent
from pickclutter_lang.utils.validation import one_of

if TYPE_CHECKING:
    from pickclutter_lang.datasets.scene_images import SceneDataset

_RGB_MEAN, _RGB_STD = 0.5, 0.25
_MAX_LABEL_SETS = 16
"""Sets of labels whose encoded prompts are kept."""
_BATCH_SIZE = 64


class StudentFeatures(NamedTuple):
    """Features of N images, not normalized: `pooled` [N, D] for L_im-cst, `spatial` [N, D, h, w] for labels."""

    pooled: Tensor
    spatial: Tensor


class Student(nn.Module):
    """A network that maps images [N, K, S, S] to `StudentFeatures`.

    The two heads are separate, as in the paper's program: the pooled map goes through dropout and a linear
    layer, the map itself through a 1x1 convolution.
    """

    def __init__(self, name: str, backbone: Backbone, channels: int, embed_dim: int) -> None:
        super().__init__()
        self.name, self.channels, self.embed_dim = name, channels, embed_dim
        self.backbone = backbone.module
        self.dropout = nn.Dropout(backbone.dropout)
        self.global_head = nn.Linear(backbone.width, embed_dim)
        self.local_head = nn.Conv2d(backbone.width, embed_dim, kernel_size=1)
        if backbone.head is not None and backbone.head.out_features == embed_dim:
            self._start_from(backbone.head)

    @torch.no_grad()
    def _start_from(self, head: nn.Linear) -> None:
        for own in (self.global_head, self.local_head):
            own.weight.copy_(head.weight.view_as(own.weight))
            if own.bias is not None:
                own.bias.copy_(torch.zeros_like(own.bias) if head.bias is None else head.bias)

    def forward(self, images: Tensor) -> StudentFeatures:
        """Return the features of images.

        :param images: floating-point [N, K, S, S]
        :return: `pooled` [N, D], `spatial` [N, D, h, w] with h = w = S over the output stride
        :raises InvalidArgumentError: on another number of channels
        """
        features = self._map(images)
        return StudentFeatures(self._pooled(features), self.local_head(features))

    def global_features(self, images: Tensor) -> Tensor:
        """Return the pooled features [N, D] only; arguments and errors as of `forward`."""
        return self._pooled(self._map(images))

    def _pooled(self, features: Tensor) -> Tensor:
        pooled: Tensor = self.global_head(self.dropout(features.mean(dim=(2, 3))))
        return pooled

    def _map(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1] != self.channels:
            raise InvalidArgumentError(
                f"expected images [N, {self.channels}, S, S] for this student, got {list(images.shape)}; "
                "build the student with the channels of the data"
            )
        # On CPU this saves a quarter of the time of a training step; the weights keep their order.
        features: Tensor = self.backbone(images.contiguous(memory_format=torch.channels_last))
        return features


def build_student(
    name: str,
    *,
    channels: int,
    embed_dim: int,
    output_stride: int | None = None,
    pretrained: bool = False,
    dropout: bool = True,
    activation_checkpointing: bool = False,
) -> Student:
    """Build a student network.

    Weights are sampled from torch's global generator: seed it first. At 128 pixels a stride of 32 leaves a map of
    4x4 cells, one of 16 a map of 8x8, one of 8 a map of 16x16.

    :param name: see `pickclutter_lang.students.backbones.build_backbone`, as for the other arguments
    :param channels: input channels K >= 1, such as 3 for RGB or 8 for RGB-D of two cameras
    :param embed_dim: width D of the teacher's features
    :raises InvalidArgumentError: on an unknown name or a value that is not allowed
    :raises MissingAssetsError: when pretrained weights can be neither found nor downloaded
    """
    if channels < 1 or embed_dim < 1:
        raise InvalidArgumentError(f"expected channels and embed_dim above 0, got {channels} and {embed_dim}")
    backbone = build_backbone(name, channels, output_stride, pretrained, dropout, activation_checkpointing)
    return Student(name, backbone, channels, embed_dim)


class LabelScores(NamedTuple):
    """Scores of C labels on N images.

    `probabilities` [N, C] in [0, 1]; `attention` [N, C, h, w], each map >= 0 with sum 1; `cell_logits` [N, C, h, w],
    the log-odds of the label from each cell alone.
    """

    probabilities: Tensor
    attention: Tensor
    cell_logits: Tensor


class LocalAggregation(nn.Module):
    """Scores any number of labels, each by its positive and negative text features.

    After DualCoOp (arXiv 2206.09541): the cosines of a label's positive text with the cells of the feature map
    give a spatial softmax, by which the cosines of its positive and its negative text are averaged. With
    `negative_attention="own"`, as in the paper's program, the negative text has a spatial softmax of its own. The
    probability is the softmax over the (positive, negative) pair at a learned scale; a learned bias, one for
    all labels, is added to the positive logit. Training and evaluation use this one forward pass.
    """

    def __init__(
        self,
        *,
        temperature: float = TEMPERATURE,
        logit_scale: float = 1 / TEMPERATURE,
        negative_attention: Literal["positive", "own"] = "positive",
    ) -> None:
        """Set the temperature and the initial scale.

        :param temperature: of the spatial softmax, > 0
        :param logit_scale: initial value of the learned scale of the cosines, > 0
        :param negative_attention: the map that the cosines of the negative text are averaged by
        :raises InvalidArgumentError: on values that are not above 0, or another map
        """
        super().__init__()
        if not temperature > 0 or not logit_scale > 0:
            raise InvalidArgumentError(
                f"expected temperature and logit_scale above 0, got {temperature} and {logit_scale}"
            )
        one_of("negative_attention", negative_attention, ("positive", "own"))
        self.temperature, self.negative_attention = temperature, negative_attention
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, local: Tensor, positive: Tensor, negative: Tensor) -> LabelScores:
        """Score labels on images.

        :param local: [N, D, h, w] local features, normalized here
        :param positive: [C, D] text feature of each label's positive prompt, normalized here
        :param negative: [C, D] text feature of each label's negative prompt, normalized here
        :raises InvalidArgumentError: on other shapes
        """
        if local.ndim != 4 or positive.shape != negative.shape or positive.shape[1:] != local.shape[1:2]:
            raise InvalidArgumentError(
                "expected local features [N, D, h, w] and positive and negative text features [C, D], got "
                f"{list(local.shape)}, {list(positive.shape)} and {list(negative.shape)}; build the student with the "
                "teacher's embed_dim"
            )
        cells = functional.normalize(local.flatten(2), dim=1)
        cosines_positive = torch.einsum("ndk,cd->nck", cells, functional.normalize(positive, dim=1))
        cosines_negative = torch.einsum("ndk,cd->nck", cells, functional.normalize(negative, dim=1))
        attention = (cosines_positive / self.temperature).softmax(dim=2)
        margins = cosines_positive - cosines_negative
        scale = self.log_scale.exp()  # the softmax over a pair is the sigmoid of the difference
        if self.negative_attention == "own":
            own = (cosines_negative / self.temperature).softmax(dim=2)
            margin = (attention * cosines_positive - own * cosines_negative).sum(dim=2)
        else:
            margin = (attention * margins).sum(dim=2)
        probabilities = torch.sigmoid(scale * margin + self.bias)
        shape = (*probabilities.shape, *local.shape[2:])
        return LabelScores(probabilities, attention.reshape(shape), (scale * margins + self.bias).reshape(shape))


class Prediction(NamedTuple):
    """What a student predicts for C labels on N images.

    `probabilities` [N, C] in 0..1, `attention` [N, C, h, w] with sum 1 each, `cell_logits` [N, C, h, w] (see
    `LabelScores`), and the student's features, not normalized: `pooled` [N, D], `spatial` [N, D, h, w].
    """

    probabilities: Tensor
    attention: Tensor
    cell_logits: Tensor
    pooled: Tensor
    spatial: Tensor


class MultiLabelStudent(nn.Module):
    """A student with a label encoder: from images and label names to probabilities and maps.

    The label encoder, `prompts`, turns any label names into text features. Without one, texts come as features.
    """

    prompts: LabelEncoder
    depth_mean: Tensor
    depth_std: Tensor

    def __init__(
        self,
        student: StudentConfig,
        cameras: CameraSpec,
        embed_dim: int,
        build_encoder: Callable[[], LabelEncoder] | None = None,
        labels: Sequence[str] = (),
        use_bf16: bool = False,
    ) -> None:
        """Build the model; weights come from torch's global generator, so seed it first.

        :param student: architecture of the network
        :param cameras: the images that it takes
        :param embed_dim: width of the text features
        :param build_encoder: makes the label encoder, after the network: both draw from torch's global generator
        :param labels: names of the labels that `predict` scores by default
        :param use_bf16: compute the network in bfloat16; the aggregation is always in float32
        :raises InvalidArgumentError: when a setting does not fit; what `build_encoder` raises
        """
        super().__init__()
        self.student = build_student(
            student.name,
            channels=cameras.channels,
            embed_dim=embed_dim,
            output_stride=student.output_stride,
            pretrained=student.pretrained,
            dropout=student.dropout,
            activation_checkpointing=student.activation_checkpointing,
        )
        self.use_bf16, self.cameras = use_bf16, cameras
        self.aggregation = LocalAggregation(
            temperature=student.temperature,
            negative_attention=student.negative_attention,  # type: ignore[arg-type]  # checked by its settings
        )
        self.register_buffer("depth_mean", torch.zeros(len(cameras.cameras)))
        self.register_buffer("depth_std", torch.ones(len(cameras.cameras)))
        self.labels = list(labels)
        if build_encoder is not None:
            self.prompts = build_encoder()
        self._texts: dict[tuple[tuple[str, ...], tuple[str, ...]], PromptFeatures] = {}

    def predict(self, images: Tensor, labels: Sequence[str] | None = None, words: Sequence[str] = ()) -> Prediction:
        """Score labels on images.

        In eval mode without gradient the prompts of a set of labels are encoded once, unless many others came since.
        Other weights (`load_state_dict`) and other modes (`train`, `eval`) forget them.

        :param images: as in `score`
        :param labels: C names, by default the model's own
        :param words: V other texts, scored after the labels: columns C and on
        :raises InvalidArgumentError: for another number of channels or a prompt too long for the teacher
        """
        return self.predict_features(self.features(images), labels, words)

    def predict_features(
        self, features: StudentFeatures, labels: Sequence[str] | None = None, words: Sequence[str] = ()
    ) -> Prediction:
        """Score labels on images whose features are given; arguments and errors otherwise as of `predict`."""
        return self.score_features(features, self._encode(self.labels if labels is None else labels, words))

    forward = predict

    def score(self, images: Tensor, text: PromptFeatures) -> Prediction:
        """Score texts on images.

        :param images: float32 [N, K, S, S]: RGB in 0..1 and, with depth, meters (0 = nothing), camera after camera
        :param text: features of C texts, with negative ones
        :raises InvalidArgumentError: for another number of channels, or without negative features
        """
        return self.score_features(self.features(images), text)

    def score_features(self, features: StudentFeatures, text: PromptFeatures) -> Prediction:
        """Score texts on images whose features are given; arguments and errors otherwise as of `score`."""
        if text.negative is None:
            raise InvalidArgumentError("expected prompts with a negative context, but got positive ones alone")
        spatial = features.spatial.float()
        scores = self.aggregation(spatial, text.positive, text.negative)
        return Prediction(scores[0], scores[1], scores[2], features.pooled.float(), spatial)

    def features(self, images: Tensor) -> StudentFeatures:
        """Return the student's features of images, given as in `score`."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            features: StudentFeatures = self.student(self._normalize(images))
        return features

    def set_depth_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation [cameras] of depth in meters, by which it is normalized."""
        self.depth_mean.copy_(mean)
        self.depth_std.copy_(std.clamp(min=1e-3))

    def _normalize(self, images: Tensor) -> Tensor:
        if not self.cameras.depth:
            return normalize_rgb(images)
        images = images.clone()
        for camera in range(len(self.cameras.cameras)):
            rgb, depth = images[:, 4 * camera : 4 * camera + 3], images[:, 4 * camera + 3]
            measured = depth > 0  # pixels without a measurement get the mean depth
            rgb.sub_(_RGB_MEAN).div_(_RGB_STD)
            depth.sub_(self.depth_mean[camera]).div_(self.depth_std[camera]).mul_(measured)
        return images

    def _load_from_state_dict(self, *arguments: Any, **named: Any) -> None:
        self._texts.clear()
        super()._load_from_state_dict(*arguments, **named)

    def _apply(self, *arguments: Any, **named: Any) -> MultiLabelStudent:
        self._texts.clear()
        super()._apply(*arguments, **named)  # type: ignore[no-untyped-call]
        return self

    def train(self, mode: bool = True) -> MultiLabelStudent:
        """Switch between training and evaluation; encoded prompts are forgotten."""
        self._texts.clear()
        super().train(mode)
        return self

    def _encode(self, labels: Sequence[str], words: Sequence[str]) -> PromptFeatures:
        if torch.is_grad_enabled() or self.training:
            return self.prompts.encode(labels, words)
        key = (tuple(labels), tuple(words))
        if key not in self._texts:
            self._texts[key] = self.prompts.encode(labels, words)
        keep_recent(self._texts, [key], _MAX_LABEL_SETS)
        return self._texts[key]


@torch.no_grad()
def predict_scenes(
    model: MultiLabelStudent, scenes: SceneDataset, labels: Sequence[str], rows: Sequence[int] | None = None
) -> Tensor:
    """Return the probabilities [N, C] of labels for every scene, on the CPU; the model is left in eval mode.

    :param rows: indices of N scenes; None: all
    """
    chosen = range(len(scenes)) if rows is None else rows
    batches = (chosen[first : first + _BATCH_SIZE] for first in range(0, len(chosen), _BATCH_SIZE))
    return torch.cat([predict_batch(model, scenes, batch, labels).probabilities.cpu() for batch in batches])


@torch.no_grad()
def predict_batch(
    model: MultiLabelStudent, scenes: SceneDataset, rows: Sequence[int], labels: Sequence[str]
) -> Prediction:
    """Return the prediction for some scenes; the model is left in eval mode."""
    if model.training:
        model.eval()
    device = next(model.parameters()).device
    return model.predict(scenes.batch(rows).to(device), labels)


def resolve_bf16(precision: str, device: str) -> bool:
    """Return whether a student's network computes in bfloat16.

    With `auto` it does on CPUs with instructions for it (AMX or AVX-512 BF16), where plain convolutions are 1.7 to 2
    times as fast.

    :param precision: `float32`, `bfloat16` or `auto`
    :param device: torch's name of a device
    """
    # Older versions of torch lack this function.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = any(capabilities.get(key, False) for key in ("amx_bf16", "avx512_bf16"))
    fast = torch.device(device).type == "cpu" and has_bf16
    return precision == "bfloat16" or (precision == "auto" and fast)


def normalize_rgb(images: Tensor) -> Tensor:
    """Return RGB in 0..1 normalized for a student: about zero mean and unit deviation."""
    return (images - _RGB_MEAN) / _RGB_STD
