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
from pickclutter_lang.teachers import OpenClipTeacher, load_teacher
from pickclutter_lang.teachers.known_words import UnknownWordWarning, unknown_words, unknown_words_note


def test_words_without_an_embedding_are_unknown() -> None:
    teacher = load_teacher("pocket")
    assert unknown_words(teacher, ["a red kettle", "mug", "kettle", "the microscope"]) == ["kettle", "microscope"]
    names = [name for kind in all_kinds() for name in (kind.name, *kind.synonyms)]
    assert unknown_words(teacher, [*paper_catalog().names, *names]) == []
    assert unknown_words(teacher, []) == [] and unknown_words_note(teacher, ["mug"]) is None


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
        with pytest.warns(UnknownWordWarning, match="does not know 'kettle': no text of its training"):
            encode(["kettle"])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encode(["mug", "kettle"])  # it was said


def test_the_command_says_what_the_teacher_does_not_know(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(tmp_path / "pile.png")
    command = [sys.executable, "-m", "pickclutter_lang.commands", "look", "pile.png", "--names", "mug,kettle"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "The teacher does not know 'kettle'" in said and "'mug'" not in said
    assert "trained on renders of household objects. For photographs take CLIP" in said
