"""Export of a policy folder: what it holds, and which files of a run it needs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from helpers.policies import looks_of, opened
from helpers.scene_runs import names_of_objects
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import CheckpointError, DatasetError
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import load_config, policy_fingerprint
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.students.student import predict_scenes


@pytest.mark.parametrize("phase", ["distill", "few_shot"])
def test_thresholds_are_quantiles_of_the_scores_of_absent_names(exported: Path, phase: str) -> None:
    student = StudentRuntime.load(exported / phase)
    run = opened(exported, phase)
    found = {}
    for store in ("id", "fewshot"):
        scenes = run.scenes[store]
        for split in ("id", "ood"):
            names = names_of_objects(split)
            with torch.no_grad():
                scores = predict_scenes(run.model, scenes, names).double().numpy()
            there = scenes.labels[:, [scenes.label_names.index(name) for name in names]].numpy()
            found[store, split] = np.quantile(scores[~there], 0.93)
            assert len({student.thresholds.of(name) for name in names}) == 1
    known, unseen = (student.thresholds.of(names_of_objects(split)[0]) for split in ("id", "ood"))
    if phase == "distill":
        assert (known, unseen) == pytest.approx((found["id", "id"], found["id", "ood"]), abs=1e-5)
    else:  # of the known ones the higher, since the student was trained on the few-shot scenes
        assert found["id", "id"] != pytest.approx(found["fewshot", "id"], abs=1e-4)
        assert known == pytest.approx(max(found["id", "id"], found["fewshot", "id"]), abs=1e-5)
        assert unseen == pytest.approx(found["fewshot", "ood"], abs=1e-5)
    assert student.thresholds.of("a new word") == unseen


def test_metrics_are_no_part_of_a_policy_s_identity(exported: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported / "few_shot", tmp_path / "policy"))
    before = policy_fingerprint(folder)
    values = json.loads((folder / "policy.json").read_text())
    assert values["metrics"]
    (folder / "policy.json").write_text(json.dumps(values | {"metrics": {}}))
    assert policy_fingerprint(folder) == before
    values["thresholds"]["default"] /= 2
    (folder / "policy.json").write_text(json.dumps(values))
    assert policy_fingerprint(folder) != before


@pytest.fixture
def moved(exported: Path) -> Iterator[None]:
    """The run's scene stores and teacher are elsewhere."""
    away = exported / "away"
    away.mkdir()
    for name in ("scenes", "teacher"):
        (exported / name).rename(away / name)
    yield
    for name in ("scenes", "teacher"):
        (away / name).rename(exported / name)
    away.rmdir()


def test_a_run_is_exported_without_scenes_and_teacher(exported: Path, moved: None, tmp_path: Path) -> None:
    phase = "few_shot"
    values = json.loads((exported / phase / "policy.json").read_text())
    values["student"]["teacher"].pop("checkpoint")
    assert str(exported) not in json.dumps(values)
    export_policy(PolicyExportConfig(str(exported / "run"), phase, None, 1, str(tmp_path)))
    assert (tmp_path / "policy.json").read_bytes() == (exported / phase / "policy.json").read_bytes()
    for name in ("weights.safetensors", "text.safetensors"):
        assert (tmp_path / name).read_bytes() == (exported / phase / name).read_bytes()


def test_half_precision_halves_the_weights_and_keeps_the_scores(exported: Path, tmp_path: Path) -> None:
    whole = exported / "few_shot"
    settings = PolicyExportConfig(str(exported / "run"), "few_shot", out=str(tmp_path), half=True, precision="auto")
    half = export_policy(settings)
    sizes = [sum(value.nbytes for value in load_file(one / "weights.safetensors").values()) for one in (whole, half)]
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.01)
    assert (half / "text.safetensors").read_bytes() == (whole / "text.safetensors").read_bytes()
    assert load_config(half).student == replace(load_config(whole).student, precision="auto")
    students: list[Any] = [StudentRuntime.load(folder) for folder in (whole, half)]
    names = ["lemon", "an unheard-of thing"]
    scenes = SceneDataset(SceneStore.open(exported / "scenes" / "ood"), SceneDataConfig(crop_size=None))
    for look in looks_of(scenes)[:3]:
        one, other = (student.predict(look, names) for student in students)
        np.testing.assert_allclose(one.scores, other.scores, atol=0.02)
        assert not np.array_equal(one.cell_logits, other.cell_logits)


def test_what_an_export_without_scenes_lacks_is_named(exported: Path, moved: None, tmp_path: Path) -> None:
    shutil.copytree(exported / "run", tmp_path / "run")
    (tmp_path / "run" / "scores.npz").unlink()
    request = PolicyExportConfig(str(tmp_path / "run"), "few_shot", None, 1, str(tmp_path / "policy"))
    with pytest.raises(DatasetError, match="scenes="):
        export_policy(request)
    path = export_policy(replace(request, scenes=str(exported / "away" / "scenes")))
    found = StudentRuntime.load(path)
    expected = StudentRuntime.load(exported / "few_shot")
    assert found.thresholds.names == pytest.approx(expected.thresholds.names, abs=1e-5)
    (tmp_path / "run" / "few_shot" / "label_features.safetensors").unlink()
    with pytest.raises(CheckpointError, match="label_features"):
        load_trained_run(request)
