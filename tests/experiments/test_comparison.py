"""Settings that change no result, for runs on scenes and on single images, and for runs of earlier versions."""

from __future__ import annotations

import copy
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.image_results import make_result as make_image_result
from helpers.image_results import write_result as write_image_result
from helpers.image_runs import config as image_config
from helpers.scene_runs import config as scene_config
from helpers.sweep_results import make_result, write_result
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.experiments.comparison import as_json, comparable_config, differing_values
from pickclutter_lang.experiments.images.image_tables import load_image_runs
from pickclutter_lang.experiments.result import git_revision
from pickclutter_lang.experiments.scenes.run_comparison import _settings as scene_settings
from pickclutter_lang.experiments.scenes.table12_sweep import TABLE12
from pickclutter_lang.experiments.sweeps.sweep_results import load_sweep


def test_the_revision_is_that_of_the_source_tree_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment may lie in a repository of somebody else, which says nothing of the package."""
    commit = git_revision()
    assert commit is None or re.fullmatch("[0-9a-f]{40}(-dirty)?", commit)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "own.py").write_text("")
    for words in (["init", "-q"], ["add", "own.py"], ["commit", "-qm", "own"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    monkeypatch.setattr("pickclutter_lang.experiments.result.__file__", str(tmp_path / "result.py"))
    assert git_revision() is None
    monkeypatch.setattr("pickclutter_lang.experiments.result.__file__", str(tmp_path / "own.py"))
    assert len(git_revision() or "") == 40


def test_a_changed_tree_differs_from_a_clean_one() -> None:
    results = [make_result("best", 0, 0.5), make_result("best", 0, 0.5)]
    for result, revision in zip(results, ("a" * 40, "a" * 40 + "-dirty"), strict=True):
        result["git_revision"] = revision
    found = differing_values({str(n): dict(scene_settings(result)) for n, result in enumerate(results)})
    assert found["revision"] == {"0": "a" * 10, "1": "a" * 10 + "-dirty"}


def change(values: dict[str, Any], where: str, value: str) -> None:
    *path, last = where.split(".")
    for key in path:
        values = values[key]
    assert last in values, where
    values[last] = value


PLACES = ("out", "num_threads", "device", "num_workers", "teacher.cache", "teacher.checkpoint")


@pytest.mark.parametrize("where", [*PLACES, "scenes", "data.train", "data.max_cache_bytes"])
def test_the_path_of_the_scenes_is_no_difference(where: str) -> None:
    first = as_json(scene_config("crop_classifier=default").as_dict())
    second = copy.deepcopy(first)
    change(second, where, "elsewhere")
    assert comparable_config(first) == comparable_config(second)


@pytest.mark.parametrize("where", [*PLACES, "data.root", "data.captions", "text.style_dir", "text.truncate"])
def test_the_path_of_the_images_is_no_difference(where: str) -> None:
    first = as_json(image_config("objective.cls=1", "data.root=images").as_dict())
    second = copy.deepcopy(first)
    change(second, where, "elsewhere")
    assert comparable_config(first) == comparable_config(second)


@pytest.mark.parametrize(
    "where",
    [
        "seed",
        "distill.lr",
        "student.name",
        "data.image_size",
        "crop_classifier",
        "few_shot.epoch_over",
        "objective.detach_focus",
    ],
)
def test_what_changes_a_result_is_a_difference(where: str) -> None:
    first = as_json(scene_config("crop_classifier=default").as_dict())
    second = copy.deepcopy(first)
    change(second, where, "another")
    assert comparable_config(first) != comparable_config(second)


def test_a_run_from_before_a_setting_has_its_neutral_value(tmp_path: Path) -> None:
    """`SceneRun.open` and `plan_table12` compare by the same function; see test_scene_run and test_sweep_runner."""
    current = as_json(scene_config().as_dict())
    old = copy.deepcopy(current)
    del old["crop_classifier"], old["objective"]["region_cls"], old["num_workers"]
    del old["few_shot"]["epoch_over"], old["student"]["negative_attention"], old["retrieval"]
    del old["objective"]["detach_focus"], old["objective"]["similarity"]
    assert comparable_config(old) == comparable_config(current)
    write_result(tmp_path, make_result("cls", 0, 0.4))
    write_result(
        tmp_path, make_result("cls", 1, 0.4, crop_classifier=None, objective={"im_cst": 1.0, "region_cls": 0.0})
    )
    assert load_sweep(tmp_path, TABLE12).seeds("cls") == (0, 1)
    write_result(tmp_path, make_result("cls", 2, 0.4, objective={"im_cst": 1.0, "region_cls": 1.0}))
    with pytest.raises(MismatchError, match=r"objective\.region_cls: 0\.0 / 1\.0"):
        load_sweep(tmp_path, TABLE12)


def test_rand_augment_from_before_it_preceded_the_crop_is_a_difference() -> None:
    for applied in (False, True):
        new = as_json(image_config("objective.cls=1", "data.root=images", f"crops.rand_augment={applied}").as_dict())
        old = {key: value for key, value in new.items() if key != "retrieval"}
        assert (comparable_config(old) != comparable_config(new)) is applied


def test_descriptions_from_before_their_template_are_another_text() -> None:
    current = as_json(scene_config("method=cls_imcst_semantic").as_dict())
    old = copy.deepcopy(current)
    del old["prompts"]["description_template"], old["prompts"]["descriptions_of"]
    assert comparable_config(old) != comparable_config(current)
    current["prompts"]["description_template"] = "{name}, {description}"
    assert comparable_config(old) == comparable_config(current)


def test_without_descriptions_their_settings_are_no_difference() -> None:
    current = as_json(scene_config("prompts.description_template='{name}: {description}'").as_dict())
    old = copy.deepcopy(current)
    del old["prompts"]["description_template"], old["prompts"]["descriptions_of"]
    assert comparable_config(old) == comparable_config(current)


def test_regions_from_before_their_crop_size_are_another_run() -> None:
    """Crops of 96 pixels; a run without regions has none."""
    for overrides, same in (("method=best", False), ("method=best_no_region", True)):
        current = as_json(scene_config(overrides).as_dict())
        old = copy.deepcopy(current)
        del old["objective"]["region_crop_size"]
        assert (comparable_config(old) == comparable_config(current)) is same


def test_a_teacher_that_was_moved_is_no_difference_in_a_table(tmp_path: Path) -> None:
    for seed in (0, 1):
        teacher = {"name": "pocket", "checkpoint": f"place{seed}", "cache": "cache"}
        write_result(tmp_path / "scenes", make_result("cls", seed, 0.4, teacher=teacher))
        result = make_image_result("cls", seed)
        result["config"]["teacher"] = teacher
        write_image_result(tmp_path / "images", result)
    assert load_sweep(tmp_path / "scenes", TABLE12).seeds("cls") == (0, 1)
    assert load_image_runs(tmp_path / "images").seeds("cls") == (0, 1)


def in_precision(kind: str, seed: int, given: str, computed: str | None) -> dict[str, Any]:
    """A result whose settings have one precision, and which was computed in another; None: it does not say."""
    result = make_result("cls", seed, 0.4) if kind == "scenes" else make_image_result("cls", seed)
    result["config"]["precision"] = given
    return result if computed is None else result | {"precision": computed}


@pytest.mark.parametrize("kind", ["scenes"])
def test_runs_are_compared_by_the_precision_that_they_were_computed_in(tmp_path: Path, kind: str) -> None:
    write = write_result if kind == "scenes" else write_image_result
    for seed, (given, computed) in enumerate([("auto", "bfloat16"), ("bfloat16", "bfloat16"), ("auto", None)]):
        write(tmp_path, in_precision(kind, seed, given, computed))
    assert load_sweep(tmp_path, TABLE12).seeds("cls") == (0, 1, 2)  # of the last one nobody knows
    write(tmp_path, in_precision(kind, 3, "auto", "float32"))
    expected = "got cls/seed0, cls/seed1 in bfloat16; cls/seed3 in float32; set precision=bfloat16 or precision=float32"
    with pytest.raises(MismatchError, match=expected):
        load_sweep(tmp_path, TABLE12)


@pytest.mark.parametrize(("kind", "settings"), [("scenes", scene_settings)])
def test_a_comparison_lists_the_precision_that_runs_were_computed_in(kind: str, settings: Any) -> None:
    runs = {computed: dict(settings(in_precision(kind, 0, "auto", computed))) for computed in ("bfloat16", "float32")}
    assert differing_values(runs) == {"precision": {"bfloat16": "bfloat16", "float32": "float32"}}
