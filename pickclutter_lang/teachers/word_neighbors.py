"""Words that a pocket teacher never read, taken for known words of a similar meaning.

`assets/word_neighbors.safetensors` lists common words of CLIP's vocabulary, each with the words of captions that are
nearest to it in the sentence encoder all-MiniLM-L6-v2. `scripts/write_word_neighbors.py` writes it:

- `words`, int32 [N]: tokens of whole words
- `neighbors`, int32 [N, 4]: tokens of their nearest words, the nearest first
- `weights`, uint8 [N, 4]: of the neighbors, about 255 in all
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor

from pickclutter_lang.errors import TeacherError
from pickclutter_lang.utils.tensor_files import read_tensors

NEIGHBORS_FILE = "word_neighbors.safetensors"


class WordNeighbors:
    """Embeddings of tokens that a teacher has none of: weighted means of those of their neighbors that it knows.

    A known token, and one without a known neighbor, has zeros.
    """

    def __init__(self, embeddings: Tensor) -> None:
        """Set up the neighbors; `embeddings` [V, W] are the teacher's, with rows of zeros for unknown tokens."""
        known, listed = embeddings.detach().any(dim=1).cpu(), _listed()
        words, neighbors = listed["words"].long(), listed["neighbors"].long()
        weights = listed["weights"].float() * known[neighbors] * ~known[words][:, None]
        total = weights.sum(dim=1, keepdim=True)
        self._embeddings = embeddings
        self._neighbors = torch.cat([torch.zeros(1, neighbors.shape[1], dtype=torch.int64), neighbors])
        self._weights = torch.cat([torch.zeros(1, weights.shape[1]), weights / total.clamp(min=1)])
        self._row = torch.zeros(len(embeddings), dtype=torch.int64)
        self._row[words] = torch.arange(1, len(words) + 1)

    def __call__(self, tokens: Tensor) -> Tensor:
        """Return the embeddings [C, L, W] of tokens [C, L]."""
        row = self._row[tokens.cpu()]
        neighbors = self._embeddings[self._neighbors[row].to(self._embeddings.device)]
        return (self._weights[row].to(neighbors)[..., None] * neighbors).sum(dim=2)

    def of(self, token: int) -> list[tuple[int, float]]:
        """Return the tokens that a token is taken for, with their weights, at most 1 in all; the nearest first."""
        row = int(self._row[token])
        pairs = zip(self._neighbors[row].tolist(), self._weights[row].tolist(), strict=True)
        return [(neighbor, weight) for neighbor, weight in pairs if weight]


@lru_cache(maxsize=1)
def _listed() -> dict[str, Tensor]:
    path = Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE))
    return read_tensors(path, None, TeacherError, "install pickclutter-lang again")
