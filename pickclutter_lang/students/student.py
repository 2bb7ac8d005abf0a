"""Students: a network with two heads, and what scores labels on images, and names on object crops, by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.datasets.config import CameraSpec
from pickclutter_lang.students.backbones import Backbone, build_backbone
from pickclutter_lang.students.config import StudentConfig
from pickclutter_lang.students.label_encoders import LabelEncoder
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.utils.constants import TEMPERATURE

if TYPE_CHECKING:
    from pickclutter_lang.datasets.scene_images import SceneDataset

_RGB_MEAN, _RGB_STD = 0.5, 0.25
_BATCH_SIZE = 64
_CROP_SCALE = 10.0  # of the cosines of a crop classifier before its training
_OUTSIDE = 1e-4  # weight of a cell without the object, so that an empty mask averages the full image


class StudentFeatures(NamedTuple):
    """Features of N images, not normalized: `pooled` [N, D] for L_im-cst, `spatial` [N, D, h, w] for labels."""

    pooled: Tensor
    spatial: Tensor


class Student(nn.Module):
    """A network that maps images [N, K, S, S] to `StudentFeatures`.

    The two heads are separate, as in the paper's program: the pooled map goes through dropout and a linear
    layer, the map itself through a 1x1 convolution. With `use_bf16` they are computed in bfloat16.
    """

    def __init__(self, backbone: Backbone, embed_dim: int, use_bf16: bool = False) -> None:
        super().__init__()
        self.embed_dim, self.use_bf16 = embed_dim, use_bf16
        self.backbone = backbone.module
        self.dropout = nn.Dropout(backbone.dropout)
        self.global_head = nn.Linear(backbone.width, embed_dim)
        self.local_head = nn.Conv2d(backbone.width, embed_dim, kernel_size=1)
        if (start := backbone.head) is not None and start.out_features == embed_dim:
            with torch.no_grad():
                for head in (self.global_head, self.local_head):
                    head.weight.copy_(start.weight.view_as(head.weight))
                    nn.init.zeros_(head.bias) if start.bias is None else head.bias.copy_(start.bias)  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> StudentFeatures:
        """Return the features of images.

        :param images: floating-point [N, K, S, S]
        :return: `pooled` [N, D], `spatial` [N, D, h, w] with h = w = S over the output stride
        """
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            features = self._map(images)
            return StudentFeatures(self._pooled(features), self.local_head(features))

    def global_features(self, images: Tensor) -> Tensor:
        """Return only the pooled features [N, D] of images."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            return self._pooled(self._map(images))

    def local_features(self, images: Tensor) -> Tensor:
        """Return the only the spatial features [N, D, h, w] of images."""
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.use_bf16):
            features: Tensor = self.local_head(self._map(images))
            return features

    def _map(self, images: Tensor) -> Tensor:
        # On CPU this saves a quarter of the time of a training step; the weights keep their order.
        features: Tensor = self.backbone(images.contiguous(memory_format=torch.channels_last))
        return features

    def _pooled(self, features: Tensor) -> Tensor:
        pooled: Tensor = self.global_head(self.dropout(features.mean(dim=(2, 3))))
        return pooled


def build_student(config: StudentConfig, channels: int, embed_dim: int, use_bf16: bool = False) -> Student:
    """Build a student network; errors are those of `pickclutter_lang.students.backbones`.

    Weights are sampled from torch's global generator: seed it first. At 128 pixels a stride of 32 leaves a map of
    4x4 cells, one of 16 a map of 8x8, one of 8 a map of 16x16.

    :param channels: input channels K >= 1, such as 3 for RGB or 8 for RGB-D of two cameras
    :param embed_dim: width D of the teacher's features
    """
    stride, checkpointing = config.output_stride, config.activation_checkpointing
    backbone = build_backbone(config.name, channels, stride, config.pretrained, config.dropout, checkpointing)
    return Student(backbone, embed_dim, use_bf16)


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
        """
        super().__init__()
        self.temperature, self.negative_attention = temperature, negative_attention
        self.log_scale = nn.Parameter(torch.tensor(math.log(logit_scale)))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, local: Tensor, positive: Tensor, negative: Tensor) -> LabelScores:
        """Score labels on images.

        :param local: [N, D, h, w] local features, normalized here
        :param positive: [C, D] text feature of each label's positive prompt, normalized here
        :param negative: [C, D] text feature of each label's negative prompt, normalized here
        """
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
        use_bf16: bool = False,
    ) -> None:
        """Build the model; weights come from torch's global generator, so seed it first.

        :param student: architecture of the network
        :param cameras: the images that it takes
        :param embed_dim: width of the text features
        :param build_encoder: makes the label encoder, after the network: both draw from torch's global generator
        :param use_bf16: compute the network in bfloat16; the aggregation is always in float32
        :raises InvalidArgumentError: when a setting does not fit; what `build_encoder` raises
        """
        super().__init__()
        self.student = build_student(student, cameras.channels, embed_dim, use_bf16)
        self.cameras = cameras
        self.aggregation = LocalAggregation(
            temperature=student.temperature,
            negative_attention=student.negative_attention,  # type: ignore[arg-type]  # checked by its settings
        )
        self.register_buffer("depth_mean", torch.zeros(len(cameras.cameras)))
        self.register_buffer("depth_std", torch.ones(len(cameras.cameras)))
        if build_encoder is not None:
            self.prompts = build_encoder()

    def score(self, features: StudentFeatures, text: PromptFeatures) -> LabelScores:
        """Score C texts on images.

        :param features: of the images
        :param text: positive and negative features of the texts
        """
        assert text.negative is not None  # label encoders of scenes have them
        scores: LabelScores = self.aggregation(features.spatial.float(), text.positive, text.negative)
        return scores

    def features(self, images: Tensor) -> StudentFeatures:
        """Return the student's features of images.

        :param images: float32 [N, K, S, S]: RGB in 0..1 and, with depth, meters (0 = nothing), camera after camera
        """
        features: StudentFeatures = self.student(self._normalize(images))
        return features

    def local_features(self, images: Tensor) -> Tensor:
        """Return the only the spatial features [N, D, h, w] of images."""
        return self.student.local_features(self._normalize(images))

    def set_depth_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation [cameras] of depth in meters, by which it is normalized."""
        self.depth_mean.copy_(mean)
        self.depth_std.copy_(std.clamp(min=1e-3))

    def _normalize(self, images: Tensor) -> Tensor:
        if not self.cameras.depth:
            return normalize_rgb(images)
        images = images.clone()
        for camera in range(len(self.cameras.cameras)):
            rgb = images[:, 4 * camera : 4 * camera + 3]
            depth = images[:, 4 * camera + 3]
            measured = depth > 0  # pixels without a measurement get the mean depth
            rgb.sub_(_RGB_MEAN).div_(_RGB_STD)
            depth.sub_(self.depth_mean[camera]).div_(self.depth_std[camera]).mul_(measured)
        return images


class CropClassifier(nn.Module):
    """Scores names on object crops by cosines of the object's mean spatial feature with each class embedding.

    The class embeddings are made orthogonal (`orthogonalize`). Those of a fork and a knife are almost equal, and
    features trained towards them would hardly differ.
    """

    text: Tensor  # the buffer's name in state dicts

    def __init__(self, student: Student, count: int) -> None:
        """Build one for C names; their embeddings are 0 until `set_class_embeddings` or a state dict sets them.

        :param count: number C of names
        """
        super().__init__()
        self.student = student
        self.log_scale = nn.Parameter(torch.tensor(math.log(_CROP_SCALE)))
        self.register_buffer("text", torch.zeros(count, student.embed_dim))

    def set_class_embeddings(self, class_embeddings: Tensor) -> None:
        """Set the text features [C, D] of the names."""
        self.text.copy_(orthogonalize(class_embeddings))

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Return logits [N, C] of the C names for N crops.

        :param images: RGB [N, 3, S, S] in 0..1, an object in the center of each
        :param masks: [N, S, S] in 0..1, mask of the object
        """
        spatial = self.student.local_features(normalize_rgb(images)).float()
        cells = functional.adaptive_avg_pool2d(masks[:, None].float(), (spatial.shape[2], spatial.shape[3])) + _OUTSIDE
        objects = (spatial * cells).sum(dim=(2, 3)) / cells.sum(dim=(2, 3))
        scale = self.log_scale.exp()
        logits: Tensor = scale * functional.normalize(objects, dim=1) @ self.text.T
        return logits


def orthogonalize(class_embeddings: Tensor) -> Tensor:
    """Return the orthonormal vectors [C, D] that are nearest, by the sum of squares, to unit vectors [C, D].

    They are U V' of the singular value decomposition (symmetric orthogonalization, Loewdin 1950). More than D vectors
    cannot all be orthogonal; then these are the rows of U V', normalized.
    """
    left, _, right = torch.linalg.svd(functional.normalize(class_embeddings, dim=1), full_matrices=False)
    return functional.normalize(left @ right, dim=1)


@torch.no_grad()
def predict_batches(
    model: MultiLabelStudent, scenes: SceneDataset, labels: Sequence[str], rows: Sequence[int] | None = None
) -> Iterator[tuple[LabelScores, StudentFeatures]]:
    """Yield scores of labels, whose texts are encoded once, and features; the model is left in eval mode.

    :param rows: indices of N scenes; None: all
    """
    model.eval()
    chosen = range(len(scenes)) if rows is None else rows
    text = model.prompts.encode(labels)
    device = next(model.parameters()).device
    for first in range(0, len(chosen), _BATCH_SIZE):
        images = scenes.batch(chosen[first : first + _BATCH_SIZE]).to(device)
        features = model.features(images)
        yield model.score(features, text), features


def predict_scenes(
    model: MultiLabelStudent, scenes: SceneDataset, labels: Sequence[str], rows: Sequence[int] | None = None
) -> Tensor:
    """Return the probabilities [N, C] of labels for every scene, on the CPU; arguments as of `predict_batches`."""
    return torch.cat([scores.probabilities.cpu() for scores, _ in predict_batches(model, scenes, labels, rows)])


def resolve_bf16(precision: str, device: str) -> bool:
    """Return whether a student's network computes in bfloat16.

    With `auto` it does on CPUs with instructions for it (AMX or AVX-512 BF16), where plain convolutions are 1.7 to 2
    times as fast, and on GPUs with units for it (compute capability 8 or more).

    :param precision: `float32`, `bfloat16` or `auto`
    :param device: torch's name of a device
    """
    if precision != "auto":
        return precision == "bfloat16"
    computes_on = torch.device(device)
    if computes_on.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(computes_on)[0] >= 8
    # Older versions of torch lack this function.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = any(capabilities.get(key, False) for key in ("amx_bf16", "avx512_bf16"))
    return computes_on.type == "cpu" and has_bf16


def normalize_rgb(images: Tensor) -> Tensor:
    """Return RGB in 0..1 normalized for a student: about zero mean and unit deviation."""
    return (images - _RGB_MEAN) / _RGB_STD
