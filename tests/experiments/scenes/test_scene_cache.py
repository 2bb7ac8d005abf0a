"""Training-free retrieval for scenes: affinities against slow NumPy, and the effect of a cache on each label."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.scene_runs import config, make_toys
from pickclutter_lang.distillation.tip_adapter import balanced_values, cache_logits
from pickclutter_lang.experiments.scenes.scene_protocol import (
    CacheFeatures,
    label_cache_logits,
    leave_one_out,
    retrieve,
    tune_scene_cache,
)
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.metrics import mean_average_precision
from pickclutter_lang.students.student import predict_batch
from pickclutter_lang.training.config import RetrievalConfig

N, M, C, D = 5, 7, 3, 4
TUNED = RetrievalConfig()


@pytest.fixture
def cache() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    queries, keys = torch.randn(N, D, generator=generator), torch.randn(M, D, generator=generator)
    return queries, keys, torch.rand(M, C, generator=generator)


@pytest.mark.parametrize("beta", [0.0, 1.0, 5.5])
def test_logits_are_those_of_the_equation(cache: tuple[torch.Tensor, torch.Tensor, torch.Tensor], beta: float) -> None:
    queries, keys, values = (tensor.double().numpy() for tensor in cache)
    expected = np.zeros((N, C))
    for n in range(N):
        for m in range(M):
            cosine = queries[n] @ keys[m] / math.sqrt((queries[n] @ queries[n]) * (keys[m] @ keys[m]))
            expected[n] += math.exp(-beta * (1 - cosine)) * values[m]
    np.testing.assert_allclose(cache_logits(*cache, beta=beta).numpy(), expected, rtol=1e-5)


def test_balanced_values_weight_positives_and_negatives_equally() -> None:
    targets = torch.tensor([[1, 0, 1], [0, 0, 1], [0, 0, 1], [1, 0, 1]], dtype=torch.bool)
    values = balanced_values(targets)
    assert values[:, 0].tolist() == [0.5, -0.5, -0.5, 0.5] and not values[:, 1:].any()
    same = torch.ones(2, D)
    assert not cache_logits(same, torch.ones(4, D), values, beta=3.0).any()  # all alike: the cache adds nothing


def make_scenes(count: int, seed: int) -> tuple[CacheFeatures, torch.Tensor]:
    """Scenes whose features of label n show it in dimension n, while the zero-shot logits know nothing."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.rand(count, C, generator=generator) < 0.4
    features = 0.3 * torch.randn(count, C, D, generator=generator) + 1
    for n in range(C):
        features[:, n, n] += 2.0 * targets[:, n]
    return CacheFeatures(0.1 * torch.randn(count, C, generator=generator), features), targets


def test_the_cache_distinguishes_labels_that_zero_shot_does_not() -> None:
    (cache, known), (seen, targets) = make_scenes(30, 0), make_scenes(60, 1)
    choice = tune_scene_cache(TUNED, cache, cache.features[:, None], known)
    assert choice.alpha > 0 and choice.score > 0.8
    cached = label_cache_logits(seen.features, cache.features[:, None], known, choice.beta)
    before = mean_average_precision(seen.logits.sigmoid(), targets)
    after = mean_average_precision((seen.logits + choice.alpha * cached).sigmoid(), targets)
    assert before < 0.6 < 0.8 < after


def test_a_cache_of_noise_is_given_no_weight_over_right_logits() -> None:
    _, known = make_scenes(20, 2)
    right = CacheFeatures(8.0 * known.float() - 4.0, torch.randn(20, C, D, generator=torch.Generator().manual_seed(3)))
    assert tune_scene_cache(TUNED, right, right.features[:, None], known).alpha == 0.0
    fixed = tune_scene_cache(RetrievalConfig(alpha=1.0, beta=5.5), right, right.features[:, None], known)
    assert (fixed.alpha, fixed.beta) == (1.0, 5.5)


def test_a_scene_is_left_out_of_its_cache() -> None:
    cache, known = make_scenes(6, 4)
    keys = torch.stack([cache.features, cache.features + 0.1], dim=1)  # two views of each scene
    cached = leave_one_out(cache.features, keys, known, 5.0)
    others = [n for n in range(6) if n != 2]
    expected = label_cache_logits(cache.features[2:3], keys[others], known[others], 5.0)[0]
    torch.testing.assert_close(cached[2], expected)
    flipped = known.clone()
    flipped[2] = ~flipped[2]
    torch.testing.assert_close(leave_one_out(cache.features, keys, flipped, 5.0)[2], cached[2])
    assert not leave_one_out(cache.features[:1], keys[:1], known[:1], 5.0).any()


def test_the_teachers_keys_are_compared_with_the_pooled_features(tmp_path: Path) -> None:
    released = ("keys=teacher", "key_views=3", "alpha=1", "beta=5.5", "temperature=1")
    run = SceneRun.open(config(*make_toys(tmp_path), *(f"retrieval.{one}" for one in released)))
    run.model.eval()
    scenes, teacher = run.scenes["fewshot"], run.teacher
    assert run.teacher_keys.shape == (len(scenes), 3, teacher.embed_dim)
    whole = teacher.encode_image(teacher.preprocess(scenes.hand_images(range(len(scenes)))))
    torch.testing.assert_close(run.teacher_keys[:, 0], whole)
    probabilities, choice = retrieve(run)
    assert (choice.alpha, choice.beta) == (1.0, 5.5)
    names, known = run.label_names(("id", "ood")), scenes.labels[:, run.label_indices(("id", "ood"))]
    row, column = 1, 5
    prediction = predict_batch(run.model, run.scenes["ood"], [row], names)
    cosine_logit = torch.logit(prediction.probabilities[0, column]) / run.model.aggregation.log_scale.exp()
    affinities = (-5.5 * (1 - torch.cosine_similarity(prediction.pooled[0], run.teacher_keys, dim=2))).exp().mean(1)
    present = known[:, column]
    assert 0 < int(present.sum()) < len(present)
    cached = affinities[present].mean() - affinities[~present].mean()
    torch.testing.assert_close(probabilities["ood"][row, column], (cosine_logit + cached).sigmoid())
