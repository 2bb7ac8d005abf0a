"""The few-shot cache, against its equation in slow NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.few_shot_cache import cache_logits

N, M, C, D = 5, 7, 3, 4


def unit(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = np.random.default_rng(count).normal(size=(count, D))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


@pytest.mark.parametrize("beta", [0.0, 1.0, 5.5])
def test_logits_are_those_of_the_equation(beta: float) -> None:
    queries = unit(N)
    keys = unit(M)
    rng = np.random.default_rng(0)
    values = rng.uniform(size=(M, C))
    excluded = rng.uniform(size=(N, M)) < 0.3
    expected, of_all = np.zeros((N, C)), np.zeros((N, C))
    for n in range(N):
        for m in range(M):
            added = math.exp(-beta * (1 - sum(queries[n] * keys[m]))) * values[m]
            of_all[n] += added
            expected[n] += 0 if excluded[n, m] else added
    np.testing.assert_allclose(cache_logits(queries, keys, values, beta=beta), of_all)
    np.testing.assert_allclose(cache_logits(queries, keys, values, beta=beta, excluded=excluded), expected)


@pytest.mark.parametrize(
    ("keys", "values", "beta"), [((M, D + 1), (M, C), 1.0), ((M, D), (C, M), 1.0), ((M, D), (M, C), -1.0)]
)
def test_other_shapes_and_values_are_refused(keys: tuple[int, int], values: tuple[int, int], beta: float) -> None:
    with pytest.raises(InvalidArgumentError):
        cache_logits(unit(N), np.ones(keys), np.ones(values), beta=beta)
