"""Learned prompt contexts after CoOp (arXiv 2109.01134), single or as a positive and negative pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.teachers.base import Teacher
from pickclutter_lang.utils.validation import within

DEFAULT_CONTEXTS = ("a photo of a table with a", "a picture of a table without a")
_INIT_STD = 0.02  # of random context vectors, as in CoOp


class PromptFeatures(NamedTuple):
    """Text features [C, D] of the labels behind the positive context, and behind the negative one if there is one."""

    positive: Tensor
    negative: Tensor | None


class LearnedPrompts(nn.Module):
    """Context vectors before the words of each label, shared by all labels and learned through a frozen text encoder.

    A prompt is: start token, `n_context` learned vectors, the label's tokens, end token. Only the contexts are
    parameters (and in the state dict), so that other labels can follow them at any time.
    """

    def __init__(
        self,
        teacher: Teacher,
        labels: Sequence[str],
        n_context: int = 8,
        dual: bool = True,
        init: tuple[str | None, str | None] = DEFAULT_CONTEXTS,
        generator: torch.Generator | None = None,
        truncate: bool = False,
    ) -> None:
        """Set up the contexts.

        :param teacher: whose frozen text encoder is used; it is not part of this module
        :param labels: what `forward` encodes: a name, or a name with a description
        :param n_context: number of context vectors, 1 to the teacher's `context_length`; the paper learns 8
        :param dual: learn a second, negative context (section 7)
        :param init: texts whose embeddings the positive and the negative context start from. A text with
            fewer tokens than `n_context` is placed right before the label, after random vectors. None: random vectors
        :param generator: source of the random vectors; torch's global one where None
        :param truncate: cut labels that are too long, at their end, instead of raising
        :raises InvalidArgumentError: where a text has more tokens than `n_context`, or a label does not fit
        """
        super().__init__()
        within("n_context", n_context, 1, teacher.context_length)
        self.n_context = n_context
        self.labels = list(labels)
        self._teacher, self._truncate = teacher, truncate
        self.positive = nn.Parameter(self._context(init[0], generator))
        self.negative = nn.Parameter(self._context(init[1], generator)) if dual else None
        self._label_tokens(self.labels)

    def forward(self) -> PromptFeatures:
        """Encode the labels that were given, with gradient to the contexts."""
        return self.encode(self.labels)

    def encode(self, labels: Sequence[str]) -> PromptFeatures:
        """Encode any labels behind the same contexts, with gradient to the contexts.

        :param labels: C texts
        :return: L2-normalized features [C, D]
        :raises InvalidArgumentError: naming the label that does not fit into the text encoder's context
        """
        embeddings, end = self._label_tokens(labels)
        contexts = [self.positive] if self.negative is None else [self.positive, self.negative]
        prompts = [self._with_context(embeddings, context) for context in contexts]
        features = self._teacher.encode_token_embeddings(
            torch.cat(prompts), (end + self.n_context).repeat(len(contexts))
        )
        if self.negative is None:
            return PromptFeatures(features, None)
        positive, negative = features.chunk(2)
        return PromptFeatures(positive, negative)

    def _label_tokens(self, labels: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the embeddings [C, L, W] of labels up to the longest one's end, and the ends [C]."""
        tokens = self._teacher.tokenize(labels, truncate=self._truncate)
        end = self._teacher.eot_positions(tokens)
        last = self._teacher.context_length - self.n_context - 1
        if self._truncate and last >= 2:  # a start, a word, an end
            tokens[end > last, last] = tokens[end > last, end[end > last]]
            end = end.clamp(max=last)
        longest = int(end.argmax())
        if int(end[longest]) > last:
            raise InvalidArgumentError(
                f"expected a prompt of at most {self._teacher.context_length} tokens, but {self.n_context} context "
                f"vectors and this label need {int(end[longest]) + 1 + self.n_context}: {labels[longest]!r}; shorten "
                "it, take fewer context vectors or ask for truncation"
            )
        with torch.no_grad():
            return self._teacher.embed_tokens(tokens[:, : int(end[longest]) + 1]), end

    def _with_context(self, embeddings: Tensor, context: Tensor) -> Tensor:
        """Put a context [n, W] between the start token and the words of each label."""
        expanded = context.to(embeddings).expand(len(embeddings), -1, -1)
        return torch.cat([embeddings[:, :1], expanded, embeddings[:, 1:]], dim=1)

    def _context(self, init_text: str | None, generator: torch.Generator | None) -> Tensor:
        """Return context vectors [n, W]: a text's embeddings at the end, random ones before them."""
        tokens = self._teacher.tokenize([init_text or ""])
        n_words = int(self._teacher.eot_positions(tokens)[0]) - 1
        if n_words > self.n_context:
            raise InvalidArgumentError(
                f"expected a context of at most n_context={self.n_context} tokens, but {init_text!r} has {n_words}"
            )
        with torch.no_grad():
            embedded = self._teacher.embed_tokens(tokens)[0, 1 : n_words + 1].float()
        context = torch.randn(self.n_context, embedded.shape[1], generator=generator).to(embedded) * _INIT_STD
        context[self.n_context - n_words :] = embedded
        return context
