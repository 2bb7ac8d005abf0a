"""Training, evaluation and export on stores of one's own objects: nothing is the paper's, words come from the store."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.own_objects import LICENSE, MESHES, SOURCE, own_entry
from helpers.scene_data import make_toy_store, make_toy_stores
from helpers.scene_runs import SMALL, config, make_teacher
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.datasets.scenes.description import write_dataset_card
from pickclutter_lang.errors import CheckpointError, DatasetError, MismatchError
from pickclutter_lang.experiments.scenes.config import TrainedRunConfig
from pickclutter_lang.experiments.scenes.scene_protocol import evaluate_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.table12 import of_paper
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry, read_catalog
from pickclutter_lang.policy.hub import policy_card
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import load_catalog, load_config
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy

ENTRIES = tuple(own_entry(model_id) for model_id in MESHES)
FAST = ("distill.epochs=1", "few_shot.epochs=1", "few_shot.repeats=1")


def make_own_toys(folder: Path, entries: tuple[CatalogEntry, ...]) -> list[str]:
    make_toy_stores(folder / "scenes", entries=entries)
    return [f"scenes={folder / 'scenes'}", f"teacher.checkpoint={make_teacher(folder / 'teacher')}", *SMALL, *FAST]


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return make_own_toys(tmp_path_factory.mktemp("own"), ENTRIES)


@pytest.fixture(scope="module")
def result(toys: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = SceneRun.open(config(*toys, f"out={tmp_path_factory.mktemp('runs') / 'run'}"))
    run.train()
    return evaluate_run(run)


def scenes_of(toys: list[str]) -> Path:
    return Path(toys[0].removeprefix("scenes="))


def test_the_result_is_of_ones_own_names(result: dict[str, Any]) -> None:
    for stage in ("zero_shot", "few_shot", "retrieval"):
        cells = result["metrics"][stage]
        assert set(cells["ood_on_ood"]["classes"]) == {item.name for item in ENTRIES if item.split == "unseen"}
        assert set(cells["id_on_id"]["classes"]) == {item.name for item in ENTRIES if item.split == "seen"}
    assert not of_paper(result)


def test_a_policy_has_the_words_and_credits_of_its_objects(result: dict[str, Any], tmp_path: Path) -> None:
    folder = export_policy(PolicyExportConfig(result["config"]["out"], out=str(tmp_path / "policy"), num_threads=1))
    assert load_catalog(folder) == ENTRIES == read_catalog(folder / CATALOG_FILE)
    student = StudentRuntime.load(folder)
    assert set(student.config.unseen_names or ()) == {item.name for item in ENTRIES if item.split == "unseen"}
    card = policy_card(load_config(folder), "me/picker", load_catalog(folder))
    assert f"| {LICENSE} | {SOURCE} | tea mug, race car" in card
    assert LICENSE not in policy_card(load_config(folder), "me/picker")
    (folder / CATALOG_FILE).write_text("version: 1\nobjects: [{id: a, name: a}]\n")
    with pytest.raises(CheckpointError, match="catalog"):
        load_catalog(folder)


@pytest.mark.parametrize("method", ["best", "closed_set"])
def test_other_methods_know_ones_own_names(toys: list[str], tmp_path: Path, method: str) -> None:
    texts = ["prompts.descriptions=catalog", "prompts.extra_descriptions=[]"] if method == "best" else []
    run = SceneRun.open(config(*toys, f"method={method}", *texts, "crop_classifier=none", f"out={tmp_path / 'run'}"))
    if method == "best":
        texts_of: Any = run.model.prompts
        assert texts_of.texts(["tea mug"])[0][0] == f"tea mug . {own_entry('tea_mug').description}"
        assert run.identity["descriptions"]["catalog"]["images_seen"] is True
    run.train()
    evaluate_run(run)
    student = load_trained_run(TrainedRunConfig(str(tmp_path / "run")))
    names = [item.name for item in ENTRIES]
    assert names == list(student.labels.unseen)
    assert student.labels.features.positive.shape == (len(names), 32)


def test_the_vocabulary_leaves_out_the_synonyms_of_unseen_objects(toys: list[str], tmp_path: Path) -> None:
    store = SceneStore.open(scenes_of(toys) / "train")
    assert store.synonyms_of(["alarm", "banana"]) == ["alarm of the lab"]
    entries = [replace(item, synonyms=("wrench",)) if item.id == "alarm" else item for item in ENTRIES]
    own = make_own_toys(tmp_path, tuple(entries))
    for overrides, there in ((toys, True), (own, False)):
        run = SceneRun.open(config(*overrides, "objective.scene_proximity=1", f"out={tmp_path / 'run'}"))
        assert run.parts.vocabulary is not None and ("wrench" in run.parts.vocabulary.texts) is there
        assert "tea mug" in run.parts.vocabulary.texts and "race car" not in run.parts.vocabulary.texts


def test_scenes_without_unseen_objects_are_refused_before_training(tmp_path: Path) -> None:
    entries = tuple(replace(item, split="seen") for item in ENTRIES)
    for seed, name in enumerate(("train", "id", "ood", "fewshot")):
        make_toy_store(tmp_path / name, "ood", 2, seed, entries=entries)
    given = [f"scenes={tmp_path}", f"teacher.checkpoint={make_teacher(tmp_path / 'teacher')}", *SMALL, "out=o"]
    with pytest.raises(MismatchError, match="unseen"):
        SceneRun.open(config(*given))


def test_a_store_whose_catalog_is_not_its_own_is_refused(toys: list[str], tmp_path: Path) -> None:
    store = shutil.copytree(scenes_of(toys) / "ood", tmp_path / "ood")
    write_dataset_card(store)
    assert f"| {LICENSE} | {SOURCE} | tea mug" in (Path(store) / "README.md").read_text()
    path = store / CATALOG_FILE
    path.write_text(path.read_text().replace(LICENSE, "MIT"))
    with pytest.raises(DatasetError, match="catalog"):
        _ = SceneStore.open(store).own_catalog
