"""A teacher of photographs without a download: EfficientNet-Lite0 for ImageNet-1k, and words for its classes.

Its image features are those that its classifier reads. A text is a mean of the classifier's rows, weighted by how near
their classes' names are to it in a sentence encoder. Nothing is trained, so no text encoder is there to learn prompts
for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NoReturn

import timm
import torch
from open_clip import IMAGENET_CLASSNAMES
from open_clip.transform import PreprocessCfg
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.teachers.efficientnet_lite import imagenet_weights
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher, Preprocessing
from pickclutter_lang.teachers.sentence_encoder import SentenceEncoder

_WORD_TEMPERATURE = 0.1
"""Temperature of the softmax over the cosines of a text with the names of the classes."""
_TEMPERATURE = 0.07
_MEAN, _STD = (127 / 255,) * 3, (128 / 255,) * 3
_PREPROCESS = PreprocessCfg(size=224, mean=_MEAN, std=_STD, interpolation="bicubic", resize_mode="shortest")
_CONFIG = {"embed_dim": 1280, "texts": "all-MiniLM-L6-v2", "word_temperature": _WORD_TEMPERATURE}


class _ImageNet(nn.Module):
    """The network, with the attributes of open_clip's models that `OpenClipTeacher` reads."""

    def __init__(self) -> None:
        super().__init__()
        network: Any = timm.create_model("tf_efficientnet_lite0")
        weights = imagenet_weights(network)
        network.load_state_dict(weights)
        network.reset_classifier(0)
        self.visual = network
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(_TEMPERATURE)))
        rows = weights["classifier.weight"]
        self.register_buffer("rows", functional.normalize(rows - rows.mean(dim=0), dim=1))

    def encode_image(self, images: Tensor) -> Tensor:
        """Return the pooled features [N, 1280] of images [N, 3, 224, 224]."""
        features: Tensor = self.visual(images)
        return features


class ImageNetTeacher(OpenClipTeacher):
    """The `Teacher` interface over a classifier of photographs; its texts are of at most 77 tokens, as CLIP's.

    :raises MissingExtraError: without the extra `llm`
    """

    context_length = 77

    def __init__(self) -> None:
        self.model = _ImageNet().eval().requires_grad_(False)
        self.config, self.preprocess = _CONFIG, Preprocessing(_PREPROCESS)
        self._sentences = SentenceEncoder()
        self._names = torch.from_numpy(self._sentences.encode(list(IMAGENET_CLASSNAMES)))

    def encode_text(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return the features [C, 1280] of texts.

        :param truncate: let a text be longer than `tokenize` allows; the sentence encoder has its own limit
        """
        if not texts:
            return torch.zeros(0, self.embed_dim, device=self.device)
        self.tokenize(texts, truncate)
        near = torch.from_numpy(self._sentences.encode(texts)) @ self._names.T
        weights = (near / _WORD_TEMPERATURE).softmax(dim=1).to(self.device)
        return functional.normalize(weights @ self.model.get_buffer("rows"), dim=1)

    def embed_tokens(self, tokens: Tensor) -> NoReturn:
        """Raise TeacherError: the texts of this teacher have no token embeddings."""
        raise TeacherError(
            "expected a teacher with a text encoder, for which prompts are learned, but imagenet has none; "
            "choose teacher=pocket or teacher=vit_l14_openai"
        )
