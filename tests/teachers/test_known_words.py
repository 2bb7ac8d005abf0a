"""Words that an embedded teacher does not know are named wherever a new name is asked for."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg
from PIL import Image

from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.kinds.registry import all_kinds
from pickclutter_lang.policy.config import Thresholds
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.teacher_training.nearest_words import NearestWords, word_tokens
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.known_words import (
    UnknownWordWarning,
    unknown_words,
    unknown_words_note,
)
from pickclutter_lang.teachers.open_clip_teacher import decode_token
from pickclutter_lang.teachers.pocket import EMBEDDED, load_pocket_teacher


def test_words_without_an_embedding_are_unknown() -> None:
    teacher = load_teacher("pocket")
    assert unknown_words(teacher, ["a red kettle", "mug", "kettle", "the microscope"]) == ["kettle", "microscope"]
    names = [name for kind in all_kinds() for name in (kind.name, *kind.synonyms)]
    assert unknown_words(teacher, [*paper_catalog().names, *names]) == []
    assert unknown_words(teacher, []) == [] and unknown_words_note(teacher, ["mug"]) is None


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_unknown_word_is_the_weighted_mean_of_its_neighbors(name: str) -> None:
    plain = load_pocket_teacher(name=name)
    teacher = plain.with_neighbors()
    tokens = plain.tokenize(["kettle", "mug"])[:, :4]
    table, found = plain.model.token_embedding.weight.detach().numpy(), teacher.embed_tokens(tokens).detach().numpy()
    neighbors = teacher.neighbors_of("kettle")
    assert dict(neighbors).keys() >= {"pot"} and sum(weight for _, weight in neighbors) == pytest.approx(1)
    row_of = {word: int(plain.tokenize([word])[0, 1]) for word, _ in neighbors}
    expected = np.sum([weight * table[row_of[word]] for word, weight in neighbors], axis=0)
    np.testing.assert_allclose(found[0, 1], expected, rtol=0, atol=1e-6)
    assert not plain.embed_tokens(tokens)[0, 1].any() and plain.neighbors_of("kettle") == []
    assert teacher.neighbors_of("mug") == teacher.neighbors_of("qzxv") == teacher.neighbors_of("red kettle") == []


def test_known_words_and_the_fingerprint_stay_as_they_are() -> None:
    plain = load_pocket_teacher()
    teacher, names = plain.with_neighbors(), ["a red mug", *paper_catalog().names]
    assert torch.equal(teacher.encode_text(names), plain.encode_text(names))
    assert teacher.fingerprint == plain.fingerprint == load_pocket_teacher().fingerprint
    apart, before = teacher.encode_text(["kettle", "qzxv"]), plain.encode_text(["kettle", "qzxv"])
    assert not torch.allclose(apart[0], before[0], atol=0.1) and torch.equal(apart[1], before[1])


def test_common_words_have_a_meaning() -> None:
    teacher, tokens = load_pocket_teacher().with_neighbors(), [*word_tokens().values()]
    assert bool(teacher.embed_tokens(torch.tensor([tokens[:10000]])).any(dim=-1).all())


def test_the_file_of_neighbors_is_that_of_the_sentence_encoder() -> None:
    words = ["kettle", "pillow", "keyboard", "crimson"]
    tokens, weights = NearestWords()(words)
    teacher = load_pocket_teacher().with_neighbors()
    for word, of_word, weight in zip(words, tokens, weights, strict=True):
        stored = dict(teacher.neighbors_of(word))
        found = {decode_token(token): share for token, share in zip(of_word.tolist(), weight, strict=True)}
        for neighbor in {*stored, *found}:
            assert stored.get(neighbor, 0.0) == pytest.approx(found.get(neighbor, 0.0), abs=0.01)


def test_clip_knows_every_word() -> None:
    torch.manual_seed(0)
    config = open_clip.get_model_config("ViT-B-32")
    config["vision_cfg"]["layers"] = config["text_cfg"]["layers"] = 1
    teacher = OpenClipTeacher(open_clip.CLIP(**config), config, PreprocessCfg())
    assert unknown_words(teacher, ["kettle", "qzxv"]) == []


def test_a_policy_and_the_teacher_warn_of_a_new_name() -> None:
    student, teacher = (
        StudentRuntime.load("open"),
        TeacherDetector(load_teacher("pocket"), ["mug"], Thresholds(0.5, {}, None)),
    )
    for encode in (student.encode_names, teacher.encode_names):
        with pytest.warns(UnknownWordWarning, match=r"does not know 'kettle' \(it takes it for 'teapot' and"):
            encode(["kettle"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encode(["mug", "kettle"])  # it was said
        with pytest.warns(UnknownWordWarning, match="does not know 'qzxv': no text of its training"):
            encode(["qzxv"])


def test_a_student_reads_a_new_name_by_its_neighbors() -> None:
    with pytest.warns(UnknownWordWarning):
        kettle, teapot, hammer = StudentRuntime.load("open").encode_names(["kettle", "teapot", "hammer"]).positive
    assert kettle @ teapot > 0.5 > kettle @ hammer


def test_the_command_says_what_the_teacher_does_not_know(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "pile.png")
    command = [sys.executable, "-m", "pickclutter_lang.commands", "look", "pile.png", "--names", "mug,kettle"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "The teacher does not know 'kettle' (it takes it for 'teapot' and" in said and "'mug'" not in said
    assert "trained on renders of household objects. For photographs take CLIP" in said
