"""What is taken or refused on purpose: each row of the page has the test that shows it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from helpers.paths import ROBUSTNESS_PAGE, TESTS
from helpers.published_scenes import write_published
from helpers.scene_runs import config, make_teacher
from pickclutter_lang.commands import main
from pickclutter_lang.language.prompts import LearnedPrompts
from pickclutter_lang.reports.gallery import encode_video
from pickclutter_lang.teachers.pocket import load_pocket_teacher

SHOWN = {
    # taken: files
    "another seed in `settings.json`, in an evaluation": (
        "nothing is drawn there; a training with the run's seed is refused",
        "robustness/test_processes.py:test_another_seed_in_the_settings_stops_a_training_and_changes_no_evaluation",
    ),
    "a `log.jsonl` of nonsense": (
        "it is written again from the checkpoint",
        "robustness/test_processes.py:test_a_log_of_nonsense_is_written_again",
    ),
    "one image a class": (
        "a size for a trial run; each step crops it otherwise",
        "teacher_training/test_folder_teacher.py:test_the_command_prints_what_it_measured",
    ),
    "damaged shards of a collection that is run again": (
        "its seed makes the same scenes again, and their hash is checked",
        "envs/test_collect.py:test_damaged_and_missing_shards_are_made_again",
    ),
    # taken: command lines, disks and servers
    "`prompts.positive_init=null`": (
        "random vectors, as its documentation says",
        "robustness/test_decisions.py:test_contexts_may_start_from_random_vectors",
    ),
    "2,000 new names": (
        "each is encoded once; a policy keeps the last 1,024",
        "policy/test_runtime.py:test_of_two_thousand_new_names_the_last_are_kept",
    ),
    "`out='a b'`": (
        "a path may have spaces",
        "robustness/test_decisions.py:test_a_path_may_have_spaces",
    ),
    "a TMPDIR that is not there": (
        "Python takes the next of its places",
        "robustness/test_decisions.py:test_a_missing_tmpdir_is_passed_over",
    ),
    "read-only folders of `verify-scenes`, and of the run of `export-policy`": (
        "nothing is written there",
        "robustness/test_small_disk.py:test_what_is_only_read_may_lie_on_a_read_only_disk",
    ),
    "little shared memory in `collect-scenes` and `evaluate-policy`": (
        "their workers send results through pipes",
        "robustness/test_small_disk.py:test_workers_of_the_simulator_need_no_shared_memory",
    ),
    "a server's line breaks and `<think>`": (
        "an answer becomes one line, without thoughts",
        "language/test_collect_descriptions.py:test_answers_are_cleaned",
    ),
    "a server's cookies": (
        "they are not sent back",
        "language/test_collect_descriptions.py:test_cookies_are_not_sent_back",
    ),
    "several lines and status 1 of a sweep": (
        "each run that failed is named, with the end of its log; the others go on",
        "experiments/sweeps/test_sweep_runner.py:test_a_failed_run_is_named_and_the_others_go_on",
    ),
    # refused
    "a single class, in `train-teacher`": (
        "names are learned by telling classes apart",
        "teacher_training/test_folder_teacher.py:test_a_single_class_is_refused",
    ),
    "a class folder that is a broken link": (
        "the class would be left out without a word",
        "datasets/images/test_loading.py:test_a_class_that_is_a_broken_link_is_named",
    ),
    "a class whose name has line breaks": (
        "prompts, tables and pages have it in a line",
        "datasets/images/test_loading.py:test_a_class_whose_folder_is_no_line_needs_a_name",
    ),
    "a description of more than 10,000 characters in a class file": (
        "teachers read some 77 tokens: it is another file",
        "robustness/test_damaged_values.py:test_a_wrong_value_is_named",
    ),
}
"""What, and why -> the file and the function that shows it."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_decision_is_on_the_page_and_shown(name: str) -> None:
    reason, place = SHOWN[name]
    assert f"| {name} | {reason} |" in ROBUSTNESS_PAGE.read_text()
    file, _, function = place.partition(":")
    assert f"\ndef {function}(" in (TESTS / file).read_text()


def test_contexts_may_start_from_random_vectors(tmp_path: Path) -> None:
    assert config("prompts.positive_init=null", "out=o").prompts.positive_init is None
    teacher = load_pocket_teacher(make_teacher(tmp_path))
    made = [LearnedPrompts(teacher, ["mug"], init=(None, None), generator=torch.Generator()) for _ in range(2)]
    first, second = (prompts().positive for prompts in made)
    assert torch.isfinite(first).all() and torch.equal(first, second)


def test_a_path_may_have_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_published(tmp_path / "f.h5")
    main(["import-scenes", "file=f.h5", "split=ood", "image_size=32", "out=a b"])
    assert (tmp_path / "a b" / "manifest.json").is_file()


def test_a_missing_tmpdir_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert encode_video((16, 16), [(Image.new("RGB", (16, 16)), 200.0)]).data
