"""The guard against wrong labels: an example that is far from the others of its name, and near another's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.policy.example_memory import BETA, ExampleMemory
from pickclutter_lang.utils.typing import FloatArray

_MARGIN = 0.3
"""Similarity by which another name has to be nearer; on kinds it parts unusual views from wrong names."""


def label_margins(memory: ExampleMemory) -> FloatArray:
    """Return for each example of a memory [M] how much nearer it is to the others of its name than to another name.

    The similarity to a name is the logarithm of the mean affinity to its examples, without the example itself. It is
    infinite where nothing can be compared: for the only example of a name, or of the only name.
    """
    names = np.array(memory.names)
    keys = memory.keys.astype(float)
    margins = np.full(len(names), np.inf)
    if len(memory.taught) < 2:
        return margins
    affinity = np.exp(BETA * (keys @ keys.T - 1))
    np.fill_diagonal(affinity, 0.0)
    of_name = names[:, None] == np.array(memory.taught)
    others = of_name.sum(axis=0) - of_name
    similarities = np.log(np.maximum(affinity @ of_name / np.maximum(others, 1), 1e-12)) / BETA
    own = similarities[of_name]
    rival = np.where(of_name, -np.inf, similarities).max(axis=1)
    several = others[of_name] > 0
    margins[several] = (own - rival)[several]
    return margins


def trusted(memory: ExampleMemory, doubted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which examples of a memory [M] are kept: of those that are `doubted` the ones that fit, and all others.

    The one that fits worst is left out first, and the others are compared without it.
    """
    kept = np.ones(len(memory.names), bool)
    while True:
        rows = np.flatnonzero(kept)
        margins = np.where(doubted[rows], label_margins(memory.only(kept)), np.inf)
        if not len(rows) or margins.min() >= -_MARGIN:
            return kept
        kept[rows[margins.argmin()]] = False
