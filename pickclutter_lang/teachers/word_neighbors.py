"""Words that a pocket teacher never read, taken for known words of a similar meaning.

`assets/word_neighbors.safetensors` lists common words, each with the words of captions that are nearest to it in the
sentence encoder all-MiniLM-L6-v2. The content is `Listed`.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.language.clip_words import word_ends
from pickclutter_lang.utils.array_files import read_tensors

NEIGHBORS_FILE = "word_neighbors.safetensors"
_COUNT, _SHARPNESS = 4, 40.0
_COSINES = 255.0  # a stored cosine of 1


class Listed(NamedTuple):
    """Words with their neighbors: tokens `words` [N] and `neighbors` [N, K], the nearest first, and `cosines` [N, K].

    In the file, cosines are uint8, 255 times their value.
    """

    words: Tensor
    neighbors: Tensor
    cosines: Tensor


class WordNeighbors:
    """Embeddings of words that a teacher has none of: weighted means of those of the nearest words that it knows.

    Each is the mean of the nearest, at most four of those that are listed, weighted by the softmax of 40 times the
    cosine.
    """

    def __init__(self, embeddings: Tensor, kept: Tensor, listed: Listed | None = None) -> None:
        """Find the neighbors.

        :param embeddings: the teacher's [V, W], with rows of zeros for unknown tokens
        :param kept: int64, tokens that stay without an embedding where they have none
        :param listed: by default that of the package
        """
        known = embeddings.detach().any(dim=1).cpu()
        words, neighbors, cosines = listed or _read()
        cosines = torch.where(known[neighbors], cosines, -torch.inf)
        nearest, at = cosines.topk(_COUNT, dim=1)
        weights = torch.softmax(_SHARPNESS * nearest, dim=1)
        open_words = ~known[words] & ~torch.isin(words, kept) & nearest[:, 0].isfinite()
        none = torch.zeros(1, _COUNT)
        self._embeddings = embeddings
        self._neighbors = torch.cat([none.long(), neighbors.gather(1, at)[open_words]])
        self._weights = torch.cat([none, weights[open_words]])
        self._row = torch.zeros(len(embeddings), dtype=torch.int64)
        self._row[words[open_words]] = torch.arange(1, len(self._weights))
        self._word_ends = torch.tensor(word_ends())
        self.known = torch.unique(neighbors[known[neighbors]]).tolist()
        """Tokens of the words of captions that the teacher knows."""

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [C, L, W] of tokens [C, L], from the start of the text on; zeros for all others."""
        row = self._rows(tokens.cpu())
        neighbors = self._embeddings[self._neighbors[row].to(self._embeddings.device)]
        return (self._weights[row].to(neighbors)[..., None] * neighbors).sum(dim=2)

    def of(self, tokens: Tensor) -> list[list[tuple[int, float]]]:
        """Return for each token of a text [L] those that it is taken for, the nearest first, with their weights."""
        rows = self._rows(tokens.cpu()[None])[0]
        return [
            [(token, weight) for token, weight in zip(of_token, weights, strict=True) if weight]
            for of_token, weights in zip(self._neighbors[rows].tolist(), self._weights[rows].tolist(), strict=True)
        ]

    def _rows(self, tokens: Tensor) -> Tensor:
        """Return the row of each token [C, L]; 0 where it is inside a longer word."""
        begins = torch.zeros_like(tokens, dtype=torch.bool)
        begins[:, 1:] = self._word_ends[tokens[:, :-1]]
        return torch.where(begins, self._row[tokens], 0)


@lru_cache(maxsize=1)
def _read() -> Listed:
    path = Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE))
    stored = read_tensors(path, None, TeacherError, "install pickclutter-lang again")
    return Listed(stored["words"].long(), stored["neighbors"].long(), stored["cosines"].float() / _COSINES)
