"""The `Teacher` protocol: a frozen image encoder and text encoder with one embedding space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor


@runtime_checkable
class Teacher(Protocol):
    """A frozen vision-language model; D is `embed_dim`, S `image_size`, W the width of its text encoder.

    Features are float32 and L2-normalized. The model is in eval mode and its weights take no gradient;
    `encode_token_embeddings` lets gradients through to the embeddings.
    """

    @property
    def embed_dim(self) -> int:
        """Width D of the embedding space."""

    @property
    def image_size(self) -> int:
        """Side S of the images that the image encoder reads, in pixels."""

    @property
    def logit_scale(self) -> float:
        """Scale (1 / temperature) of the cosine similarities in training."""

    @property
    def context_length(self) -> int:
        """Maximum number of tokens of a text, start and end included."""

    @property
    def use_bf16(self) -> bool:
        """Whether image features are computed in bfloat16; text features never are."""

    @property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of architecture, weights and preprocessing."""

    def to(self, device: str) -> Teacher:
        """Move the weights to a device and return the teacher itself."""

    def preprocess(self, images: npt.NDArray[np.uint8] | Tensor) -> Tensor:
        """Turn uint8 images [N, H, W, 3] into the image encoder's float32 input [N, 3, S, S]."""

    def for_objects(self) -> Teacher | None:
        """Return the teacher, sharing its weights, for crops of its `image_size` of an object alone.

        None: it was not trained to know objects so, and sees what surrounds them.
        """

    def encode_image(self, images: Tensor) -> Tensor:
        """Return the features [N, D] of preprocessed images [N, 3, S, S]."""

    def free_image_encoder(self) -> None:
        """Free the image encoder's weights permanently; `encode_image` raises from then on."""

    def encode_text(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return the features [C, D] of texts."""

    def tokenize(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return int64 tokens [C, L], L = `context_length`: start, words, end, padding.

        :raises InvalidArgumentError: for a text that is longer than the context, unless it may be truncated
        """

    def eot_positions(self, tokens: Tensor) -> Tensor:
        """Return the position [C] of the end token in tokens [C, L]."""

    def embed_tokens(self, tokens: Tensor) -> Tensor:
        """Return the token embeddings [C, L, W], without positions, of tokens [C, L]."""

    def encode_token_embeddings(self, embeddings: Tensor, end: Tensor) -> Tensor:
        """Return the features [C, D] of embeddings [C, L, W] whose end tokens stand at the positions `end` [C].

        Equal to `encode_text` where the embeddings are those of its tokens; L may be shorter than the context.
        """
