"""`OpenClipTeacher`: any open_clip model with CLIP's causal text transformer as a teacher."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transform import PreprocessCfg
from torch import Tensor, nn
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import center_crop, normalize, resize

from pickclutter_lang.errors import InvalidArgumentError, TeacherError

_TEXT_BATCH_SIZE = 256


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop, scale to [0, 1] and normalize, by open_clip's configuration of a model.

    Works on batches of tensors; open_clip's transform works on one PIL image at a time.
    """

    config: PreprocessCfg

    def __post_init__(self) -> None:
        if self.config.resize_mode not in ("shortest", "squash"):
            raise TeacherError(
                f"expected a model whose images are resized by 'shortest' or 'squash', "
                f"but got {self.config.resize_mode!r}; use another teacher"
            )

    @property
    def size(self) -> int:
        """Side of the output in pixels."""
        size = self.config.size
        return size if isinstance(size, int) else int(size[0])

    def describe(self) -> dict[str, object]:
        """Return all parameters that determine the output, as JSON values."""
        row = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.config).items()}
        return {**row, "size": self.size}

    def __call__(self, images: npt.NDArray[np.uint8] | Tensor) -> Tensor:
        """Turn uint8 images [N, H, W, 3] into float32 [N, 3, S, S].

        :raises InvalidArgumentError: for another dtype or shape
        """
        pixels = torch.from_numpy(np.ascontiguousarray(images)) if isinstance(images, np.ndarray) else images
        if pixels.dtype != torch.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise InvalidArgumentError(
                f"expected uint8 images [N, H, W, 3], but got {pixels.dtype} {list(pixels.shape)}"
            )
        x = pixels.permute(0, 3, 1, 2)
        whole = [self.size, self.size]
        if list(x.shape[-2:]) != whole:
            squash = self.config.resize_mode == "squash"
            mode = InterpolationMode(self.config.interpolation)
            x = center_crop(resize(x, whole if squash else [self.size], mode, antialias=True), whole)
        scaled: Tensor = normalize(x.float() / 255, list(self.config.mean), list(self.config.std))
        return scaled


class OpenClipTeacher:
    """The `Teacher` interface over an `open_clip.CLIP` (or `CustomTextCLIP`) module, frozen and in eval mode.

    :param model: the module
    :param config: its architecture, as in open_clip's model configurations
    :param preprocess: its preprocessing, as in open_clip's `PreprocessCfg`
    :raises TeacherError: when its text encoder is not a causal transformer that pools at the end token, or its
        tokenizer is not CLIP's
    """

    use_bf16 = False
    """Whether image features are computed in bfloat16; text features never are."""

    def __init__(self, model: nn.Module, config: Mapping[str, Any], preprocess: PreprocessCfg) -> None:
        self.model = model.eval().requires_grad_(False)
        self.config = dict(config)
        self.preprocess = Preprocessing(preprocess)
        self._text = _text_encoder(model, self.config)

    @property
    def embed_dim(self) -> int:
        """Width D of the embedding space."""
        return int(self.config["embed_dim"])

    @property
    def image_size(self) -> int:
        """Side S of the images that the image encoder reads, in pixels."""
        return self.preprocess.size

    @property
    def logit_scale(self) -> float:
        """Scale (1 / temperature) of the cosine similarities in training."""
        return float(self.model.logit_scale.exp().item())  # type: ignore[operator]

    @property
    def context_length(self) -> int:
        """Maximum number of tokens of a text, start and end included."""
        return int(self._text.positional_embedding.shape[0])

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return next(self.model.parameters()).device

    @cached_property
    def fingerprint(self) -> str:
        """Hash (sha256, hex) of architecture, weights and preprocessing."""
        digest = hashlib.sha256(json.dumps(self.config, sort_keys=True).encode())
        digest.update(json.dumps(self.preprocess.describe(), sort_keys=True).encode())
        for name, weight in sorted(self.model.state_dict().items()):
            digest.update(f"{name} {weight.dtype} {list(weight.shape)}".encode())
            digest.update(memoryview(weight.cpu().contiguous().reshape(-1).view(torch.uint8).numpy()))
        return digest.hexdigest()

    def to(self, device: str) -> OpenClipTeacher:
        """Move the weights to a device and return the teacher itself."""
        self.model.to(device)
        self.__dict__.pop("_image_encoder", None)
        return self

    def for_objects(self) -> OpenClipTeacher | None:
        """Return None: an object is known by what surrounds it too."""
        return None

    def free_image_encoder(self) -> None:
        """Free the weights of the image encoder, permanently, once all features are computed.

        The fingerprint stays that of the full model.
        """
        self.fingerprint  # noqa: B018  # read once, of all weights
        self.model.visual = None  # type: ignore[assignment]
        self.__dict__.pop("_image_encoder", None)

    @torch.no_grad()
    def encode_image(self, images: Tensor) -> Tensor:
        """Return the features [N, D] of preprocessed images [N, 3, S, S].

        :raises InvalidArgumentError: for images of another shape
        :raises TeacherError: when the image encoder was freed
        """
        if self.model.visual is None:
            raise TeacherError("expected a teacher with its image encoder, but it was freed; load the teacher again")
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, self.image_size, self.image_size):
            raise InvalidArgumentError(
                f"expected preprocessed images [N, 3, {self.image_size}, {self.image_size}], "
                f"but got {list(images.shape)}; call preprocess first"
            )
        encoder = self._image_encoder
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.use_bf16):
            features: Tensor = encoder(images.to(self.device))
        return functional.normalize(features.float(), dim=-1)

    @cached_property
    def _image_encoder(self) -> Callable[[Tensor], Tensor]:
        """The image encoder, for features without a gradient."""
        return self.model.encode_image  # type: ignore[return-value]

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return the features [C, D] of texts; `truncate` as in `tokenize`."""
        parts = []
        for first in range(0, len(texts), _TEXT_BATCH_SIZE):
            tokens = self.tokenize(texts[first : first + _TEXT_BATCH_SIZE], truncate)
            end = self.eot_positions(tokens)
            parts.append(self.encode_token_embeddings(self.embed_tokens(tokens[:, : int(end.max()) + 1]), end))
        return torch.cat(parts) if parts else torch.zeros(0, self.embed_dim, device=self.device)

    def tokenize(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return int64 tokens [C, L] on the CPU, L = `context_length`: start, words, end, zeros.

        :param truncate: cut a text that is longer than the context instead of refusing it
        :raises InvalidArgumentError: naming the text that is longer than the context
        """
        return tokenize(texts, self.context_length, truncate)

    def eot_positions(self, tokens: Tensor) -> Tensor:
        """Return the position [C] of the end token, the largest id, in tokens [C, L]."""
        return tokens.argmax(dim=-1)

    def embed_tokens(self, tokens: Tensor) -> Tensor:
        """Return the token embeddings [C, L, W], without positions, of tokens [C, L]."""
        embedded: Tensor = self._text.token_embedding(tokens.to(self.device))
        return embedded

    def encode_token_embeddings(self, embeddings: Tensor, end: Tensor) -> Tensor:
        """Return the features [C, D] of embeddings [C, L, W] whose end tokens stand at the positions `end` [C].

        The text encoder is causal: what comes after the end token changes nothing, so L may be anything from
        `end.max() + 1` to `context_length`.
        """
        return text_features(self._text, embeddings, end)


def tokenize(texts: Sequence[str], context_length: int, truncate: bool = False) -> Tensor:
    """Return int64 tokens [C, context_length] of CLIP's tokenizer: start, words, end, zeros.

    :raises InvalidArgumentError: naming the text that is longer than the context, unless it may be truncated
    """
    tokenizer = _tokenizer(context_length)
    for text in () if truncate else texts:
        needed = len(tokenizer.encode(text)) + 2
        if needed > context_length:
            raise InvalidArgumentError(
                f"expected a text of at most {context_length} tokens, but this one has {needed}: {text!r}; "
                "shorten it, or have it cut: truncate=True, in configs text.truncate=true or prompts.truncate=true"
            )
    tokens: Tensor = tokenizer(list(texts), context_length)
    return tokens


@lru_cache
def _tokenizer(context_length: int) -> SimpleTokenizer:
    return SimpleTokenizer(context_length=context_length)


@lru_cache(maxsize=1)
def _token_texts() -> list[str]:
    """Return the text of each token; that of a word's end has `</w>` after it."""
    return [text for _, text in sorted(SimpleTokenizer().decoder.items())]


def word_tokens() -> dict[str, int]:
    """Return the tokens of words of three letters or more, roughly the commonest first.

    Some are ends of longer words too, such as "scope". A word that has no token is split into parts.
    """
    found = ((re.fullmatch("([a-z]{3,})</w>", text), token) for token, text in enumerate(_token_texts()))
    return {match[1]: token for match, token in found if match}


def token_text(token: int) -> str:
    """Return the word, or the part of a word, that a token stands for."""
    return _token_texts()[token].removesuffix("</w>")


def word_ends() -> list[bool]:
    """Return for each token whether a word may begin after it: it ends one, or it is the start of the text."""
    return [text.endswith("</w>") or text == "<start_of_text>" for text in _token_texts()]


def text_features(encoder: Any, embeddings: Tensor, end: Tensor) -> Tensor:
    """Run CLIP's text transformer from token embeddings; `encoder` has its parts as attributes.

    :param embeddings: [C, L, W], without positions
    :param end: int64 [C], where to pool
    :return: float32 [C, D], L2-normalized
    """
    length = embeddings.shape[1]
    x = embeddings + encoder.positional_embedding[:length]
    # The mask is made for the full context; fewer tokens need its corner.
    x = encoder.transformer(x, attn_mask=encoder.attn_mask[:length, :length])
    x = encoder.ln_final(x)[torch.arange(len(x), device=x.device), end.to(x.device)]
    projection = encoder.text_projection
    x = projection(x) if isinstance(projection, nn.Linear) else x @ projection
    return functional.normalize(x.float(), dim=-1)


def _text_encoder(model: nn.Module, config: Mapping[str, Any]) -> Any:
    """Return the module that holds the parts of the text transformer: the model itself or its `text`."""
    encoder: Any = model if hasattr(model, "token_embedding") else getattr(model, "text", None)
    text = config["text_cfg"]
    pool = getattr(encoder, "text_pool_type", getattr(encoder, "pool_type", None))
    causal = getattr(encoder, "attn_mask", None) is not None and getattr(encoder, "cls_emb", None) is None
    if not causal or pool not in ("argmax", "eos") or getattr(encoder, "text_projection", None) is None:
        raise TeacherError(
            "expected a text encoder that is causal and pools at its end token (CLIP, OpenCLIP, MetaCLIP, EVA), "
            f"but this model's is {text}; use another teacher"
        )
    if text.get("hf_tokenizer_name") or text.get("tokenizer_kwargs"):
        raise TeacherError(f"expected a model with CLIP's own tokenizer, but its text encoder is {text}")
    return encoder
