"""What is taken or refused on purpose: each row of the page has the test that shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from helpers.image_data import config as image_config
from helpers.image_data import paint, paint_classes
from helpers.paths import ROBUSTNESS_PAGE, TESTS
from helpers.published_scenes import write_published
from helpers.scene_runs import config, make_teacher, make_toys
from pickclutter_lang.commands import main
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.datasets.images.sources import ImageFiles
from pickclutter_lang.datasets.scenes import read_manifest
from pickclutter_lang.demo.config import LookConfig
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.language.collect_descriptions import read_labels
from pickclutter_lang.language.prompts import LearnedPrompts
from pickclutter_lang.reports.gallery import encode_video
from pickclutter_lang.teacher_training.folder_batches import FolderImages
from pickclutter_lang.teachers import FeatureCache
from pickclutter_lang.teachers.pocket import load_pocket_teacher
from pickclutter_lang.utils.cli import parse_config

SHOWN = {
    # taken: files
    "another seed in `settings.json`, in an evaluation": (
        "nothing is drawn there; a training with the run's seed is refused",
        "robustness/test_processes.py:test_another_seed_in_the_settings_stops_a_training_and_changes_no_evaluation",
    ),
    "weights without hashes": (
        "versions before 0.2.0 wrote none; their form and numbers are checked",
        "robustness/test_damaged_values.py:test_files_of_earlier_versions_without_hashes_are_read",
    ),
    "files of odd names in image folders": (
        "names are compared as hashes and escaped where they are shown",
        "robustness/test_decisions.py:test_image_files_may_have_odd_names",
    ),
    "images of 1 x 1, of 60,000 x 1, in gray, CMYK or 16 bits": (
        "each is converted to RGB and resized; Pillow refuses bombs",
        "robustness/test_decisions.py:test_images_of_any_form_are_read",
    ),
    "images of 13,000 x 13,000 pixels": (
        "your own files may be large; the demo refuses uploads above 25 megapixels",
        "robustness/test_decisions.py:test_images_of_any_form_are_read",
    ),
    "a class file beside the photos, without `classes=`": (
        "it is read, in `train-teacher` as elsewhere",
        "robustness/test_decisions.py:test_a_class_file_beside_the_photos_is_read_unasked",
    ),
    "a read-only folder of scenes whose features are cached": (
        "nothing is written there",
        "robustness/test_decisions.py:test_cached_features_are_read_without_a_lock",
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
    "`names=[1,2]`, labels with braces": (
        "any line of text may be a label; one that a teacher would cut is reported",
        "robustness/test_decisions.py:test_any_line_may_be_a_label",
    ),
    "`data.max_classes=1`, `data.max_per_class=1`": (
        "sizes for a trial run; the report says how many classes there are",
        "robustness/test_decisions.py:test_a_trial_run_may_have_one_class",
    ),
    "`objective.negative_bank_size` and `vocabulary_batch_size` beyond the data": (
        "what is there bounds them",
        "robustness/test_decisions.py:test_a_bank_may_be_larger_than_the_data",
    ),
    "`hydra.run.dir=...` and hydra's other own keys": (
        "they change no result",
        "robustness/test_decisions.py:test_keys_of_hydra_change_no_result",
    ),
    "200,000 labels for `describe-labels`": (
        "a request each, saved at once; the bar shows the time left",
        "robustness/test_decisions.py:test_many_labels_are_read",
    ),
    "a read-only TMPDIR, no HOME": (
        "neither is needed",
        "robustness/test_decisions.py:test_neither_home_nor_tmpdir_is_needed",
    ),
    "a server that fails at times, or answers late but within `timeout`": (
        "requests are repeated, at most `retries` times",
        "language/test_collect_descriptions.py:test_a_failed_request_is_repeated",
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


def test_every_decision_of_the_page_is_shown() -> None:
    page = ROBUSTNESS_PAGE.read_text().partition("## What is taken")[2]
    rows = [tuple(row[2:-2].split(" | ")) for row in page.splitlines() if row.startswith("| ")]
    decided = {name: reason for name, reason in rows if name not in ("What", "---")}
    tables = [import_module(name).TAKEN for name in ("test_damaged_json", "test_published_files")]
    elsewhere = {name: reason for table in tables for name, (*_, reason) in table.items()}
    assert decided == {name: reason for name, (reason, _) in SHOWN.items()} | elsewhere


def test_image_files_may_have_odd_names(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        paint_classes(tmp_path / "data", [folder], 3)
        for number, name in enumerate(("a\nb.png", "\u202egnp.exe .png", "%s ; rm -rf ~.png")):
            paint(tmp_path / "data" / folder / name, ord(folder) + number)
    _, _, report = load_image_dataset(image_config(tmp_path))
    assert "12 images of 2 classes" in report


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("mode", "size"),
    [("L", (1, 1)), ("RGB", (60_000, 1)), ("CMYK", (8, 8)), ("I;16", (8, 8)), ("1", (13_000, 13_000))],
)
def test_images_of_any_form_are_read(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"x.{'tif' if mode == 'CMYK' else 'png'}"
    Image.new(mode, size).save(path)
    assert ImageFiles([path], ["x"], 16, tmp_path / "cache").load([0]).shape == (1, 16, 16, 3)


def test_a_class_file_beside_the_photos_is_read_unasked(tmp_path: Path) -> None:
    root = paint_classes(tmp_path / "data", ["a", "b"], 2)
    (root / "classes.json").write_text('[{"folder": "a", "name": "mug"}, {"folder": "gone", "name": "cup"}]')
    assert [item.attributes.name for item in FolderImages.open(str(root)).classes] == ["mug", "b"]
    (root / "classes.json").write_text("nonsense")
    with pytest.raises(InvalidArgumentError, match=r"classes\.json is damaged"):
        FolderImages.open(str(root))


def test_cached_features_are_read_without_a_lock(tmp_path: Path) -> None:
    teacher, cache = load_pocket_teacher(make_teacher(tmp_path / "teacher")), FeatureCache(tmp_path / "cache")
    first = cache.get_or_compute(teacher, lambda: iter([np.zeros((2, 32, 32, 3), np.uint8)]), 2, "images")
    for path in (tmp_path / "cache").glob("*.safetensors"):
        path.with_name(f".{path.name}.lock").unlink(missing_ok=True)
        path.with_name(f".{path.name}.lock").mkdir()  # nothing can be locked, as on a disk that is read alone
    assert torch.equal(cache.get_or_compute(teacher, lambda: iter(()), 2, "images"), first)


def test_any_line_may_be_a_label() -> None:
    names = parse_config(LookConfig, OmegaConf.create({"image": "i.png", "names": [1, 2, "a {mug}"]})).names
    assert names == ["1", "2", "a {mug}"]
    assert read_labels(["a {mug}", "{name}"]) == ["a {mug}", "{name}"]


def test_a_trial_run_may_have_one_class(tmp_path: Path) -> None:
    paint_classes(tmp_path / "data", ["a", "b", "c"], 8)
    _, _, report = load_image_dataset(image_config(tmp_path, max_classes=1, max_per_class=1))
    assert "1 classes known, 1 unseen" in report


def test_a_bank_may_be_larger_than_the_data(tmp_path: Path) -> None:
    large = [f"objective.{key}=100000" for key in ("negative_bank_size", "vocabulary_batch_size")]
    phases = ["distill.epochs=1", "few_shot.epochs=1", f"out={tmp_path / 'run'}"]
    run = SceneRun.open(config(*make_toys(tmp_path), "method=best", *phases, *large))
    run.train()
    assert np.isfinite(run.load_weights("distill")[-1]["loss"])


def test_keys_of_hydra_change_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_published(tmp_path / "f.h5")
    for out, words in (("a", []), ("b", ["hydra.run.dir=elsewhere", "hydra.job.name=other"])):
        main(["import-scenes", "file=f.h5", "split=ood", "image_size=32", f"out={out}", *words])
    assert read_manifest(tmp_path / "a").content_hash == read_manifest(tmp_path / "b").content_hash


def test_many_labels_are_read(tmp_path: Path) -> None:
    labels = [f"thing {number}" for number in range(200_000)]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    assert read_labels(str(tmp_path / "labels.json")) == labels


def test_neither_home_nor_tmpdir_is_needed(tmp_path: Path) -> None:
    write_published(tmp_path / "f.h5")
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | {"TMPDIR": "/proc"}
    line = [sys.executable, "-m", "pickclutter_lang.commands", "import-scenes", "file=f.h5", "split=ood", "out=a"]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0 and (tmp_path / "a" / "manifest.json").is_file(), done.stderr


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
