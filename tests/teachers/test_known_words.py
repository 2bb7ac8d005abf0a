"""Words that an embedded teacher does not know are named wherever a new name is asked for."""

from __future__ import annotations

import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from pickclutter_lang.kinds.kind import all_kinds
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.students.config import PromptConfig
from pickclutter_lang.students.label_encoders import StoredLabelEncoder
from pickclutter_lang.students.prompts import PromptFeatures
from pickclutter_lang.teachers import load_teacher
from pickclutter_lang.teachers.known_words import (
    NEIGHBORS_FILE,
    UnknownWordWarning,
    unknown_words,
    unknown_words_note,
)
from pickclutter_lang.teachers.pocket import load_pocket_teacher


def test_words_without_an_embedding_are_unknown() -> None:
    teacher = load_teacher("pocket")
    assert unknown_words(teacher, ["a red kettle", "mug", "kettle", "the microscope"]) == {
        "kettle": [],
        "microscope": [],
    }
    names = [name for kind in all_kinds() for name in (kind.name, *kind.synonyms)]
    assert unknown_words(teacher, [*paper_catalog().names, *names]) == {}
    assert unknown_words(teacher, []) == {} and unknown_words_note(teacher, ["mug"]) is None


def test_an_unknown_word_is_the_weighted_mean_of_its_nearest_known_words() -> None:
    plain = load_pocket_teacher()
    teacher = plain.with_neighbors()
    file = load_file(Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE)))
    table = plain.embed_tokens(torch.arange(plain.config["text_cfg"]["vocab_size"])).detach().numpy()
    for word in ("kettle", "pillow", "crimson"):
        tokens = plain.tokenize([word])
        row = list(file["words"]).index(int(tokens[0, 1]))
        pairs = [(n, c) for n, c in zip(file["neighbors"][row], file["cosines"][row], strict=True) if table[n].any()][
            :4
        ]
        weights = np.exp([40 * int(cosine) / 255 for _, cosine in pairs])
        expected = sum(weight * table[n] for (n, _), weight in zip(pairs, weights, strict=True)) / weights.sum()
        found = teacher.embed_tokens(tokens).detach().numpy()[0, 1]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert not plain.embed_tokens(tokens)[0, 1].any() and plain.neighbors_of(word) == [[]]


def test_known_words_and_the_fingerprint_stay_as_they_are() -> None:
    plain = load_pocket_teacher()
    teacher = plain.with_neighbors()
    texts = ["a red mug", *paper_catalog().names, "qzxv"]
    assert torch.equal(teacher.encode_text(texts), plain.encode_text(texts))
    assert teacher.fingerprint == plain.fingerprint == load_pocket_teacher().fingerprint
    assert not torch.allclose(teacher.encode_text(["kettle"]), plain.encode_text(["kettle"]), atol=0.1)


def test_the_rest_of_a_word_is_not_taken_for_a_word() -> None:
    """CLIP splits a stethoscope into ste, tho and scope, of which the last is a word elsewhere."""
    teacher = load_pocket_teacher().with_neighbors()
    word, whole = (teacher.embed_tokens(teacher.tokenize([text]))[0] for text in ("stethoscope", "scope"))
    assert not word[3].any() and whole[1].any()
    assert unknown_words(teacher, ["stethoscope", "qzxv"]) == {"stethoscope": [], "qzxv": []}


@pytest.mark.parametrize("word", ["Kettle,", "kettle's", "tea-kettle"])
def test_words_with_marks_are_taken_for_known_ones(word: str) -> None:
    assert "teapot" in unknown_words(load_pocket_teacher().with_neighbors(), [f"a {word} of steel"])[word]


def test_a_policy_and_the_teacher_keep_names_that_they_were_made_with() -> None:
    plain = load_pocket_teacher()
    reference = StudentRuntime.load("open").config.teacher
    expected = plain.encode_text(["a photo of a kettle", "a photo of a red kettle"])
    with pytest.warns(UnknownWordWarning):
        found = TeacherDetector(plain, ["kettle"], Thresholds(0.5, {})).encode_names(["kettle", "red kettle"])
    assert torch.equal(found, expected)
    one = torch.ones(1, plain.embed_dim)
    labels = StoredLabelEncoder(["kettle"], PromptFeatures(one, one), PromptConfig(), {}, reference)
    assert torch.equal(labels._loaded_teacher.encode_text(["a red kettle"]), plain.encode_text(["a red kettle"]))


def test_a_student_warns_once_of_a_new_name_and_reads_it_by_its_neighbors() -> None:
    student = StudentRuntime.load("open")
    with pytest.warns(UnknownWordWarning, match="kettle"):
        kettle, teapot, hammer = student.networks.encode_names(["kettle", "teapot", "hammer"]).positive
    assert kettle @ teapot > 0.9 > 0.5 > kettle @ hammer
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        student.networks.encode_names(["mug", "kettle"])
