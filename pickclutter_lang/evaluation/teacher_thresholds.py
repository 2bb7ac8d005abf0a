"""The teacher's thresholds, from stored scenes by the rule that students are exported with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset, check_unlabeled, load_scene_datasets
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import CheckpointError, DatasetError, MismatchError
from pickclutter_lang.evaluation.config import PolicyEvalConfig
from pickclutter_lang.experiments.scenes.config import CALIBRATIONS, TrainedRunConfig
from pickclutter_lang.experiments.scenes.trained_run import load_trained_run
from pickclutter_lang.metrics.thresholds import policy_thresholds
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.policy_folder.folder import StudentSpec, Thresholds
from pickclutter_lang.policy_making.store_scores import MAX_CALIBRATION_SCENES, detect_store
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.reading import read_json

TEACHER_FILE = "teacher_thresholds.json"
Scenes = Mapping[str, SceneDataset]


@dataclass(frozen=True)
class _Kept:
    """Content of `teacher_thresholds.json`."""

    of: dict[str, Any]
    thresholds: Thresholds


def open_scenes(config: PolicyEvalConfig, spec: StudentSpec) -> Scenes:
    """Open the stores `id`, `fewshot` and `ood`, and `unlabeled` where thresholds come from it.

    They are those of the run, or those of `scenes`.

    :raises DatasetError: when they are not there
    :raises MismatchError: when the unlabeled scenes are not those of the run, or show an unseen object
    """
    with_unlabeled = UNLABELED in CALIBRATIONS[config.calibration]
    if config.run is not None:
        student = load_trained_run(TrainedRunConfig(config.run, "few_shot", config.scenes, 1))
        if not with_unlabeled or UNLABELED not in student.data:  # without any, the export of its students says so
            return student.scenes
        unlabeled = load_scene_datasets(student.config.data)[UNLABELED]
        if unlabeled.content_hash != student.data[UNLABELED]["content"]:
            raise MismatchError(
                f"expected the unlabeled scenes of the run {config.run} in {student.config.data.unlabeled}, but others "
                "are there; choose calibration=few_shot or calibration=id"
            )
        return {**student.scenes, UNLABELED: unlabeled}
    if config.scenes is None:
        raise DatasetError("expected the scenes that thresholds come from, but got none; name their folder: scenes=...")
    settings = SceneDataConfig(target_label=spec.target_label, crop_size=None, max_cache_bytes=0)
    scenes = {
        name: SceneDataset(SceneStore.open(Path(config.scenes, name)), settings) for name in ("id", "fewshot", "ood")
    }
    if with_unlabeled:  # none of its labels is read: the one that every store has spares it the others
        path = str(Path(config.scenes, UNLABELED))
        scenes[UNLABELED] = SceneDataset(SceneStore.open(path), replace(settings, target_label="present"))
        check_unlabeled(scenes["id"].store, scenes[UNLABELED], path)
    return scenes


def thresholds_of(spec: StudentSpec) -> dict[str, Any]:
    """Return what any thresholds of a student's teacher are of: its weights, the names and the label."""
    return {"fingerprint": spec.teacher.fingerprint, "names": list(spec.names), "label": spec.target_label}


def teacher_key(config: PolicyEvalConfig, spec: StudentSpec, scenes: Scenes) -> dict[str, Any]:
    """Return what the teacher's thresholds of an evaluation depend on, as JSON values."""
    return {
        **thresholds_of(spec),
        "false_positive_rate": config.false_positive_rate,
        "max_scenes": MAX_CALIBRATION_SCENES,
        "scenes": {name: scenes[name].content_hash for name in CALIBRATIONS[config.calibration]},
    }


def read_thresholds(folder: Path, of: Mapping[str, Any]) -> Thresholds | None:
    """Return the teacher's thresholds that a folder keeps; None where there are none, or of other values than these.

    :raises CheckpointError: when the file is damaged
    """
    path = folder / TEACHER_FILE
    if not path.exists():
        return None
    kept = read_json(path, _Kept, CheckpointError, "delete it: thresholds are then calibrated again")
    return kept.thresholds if kept.of == {**kept.of, **of} else None


def write_thresholds(folder: Path, of: Mapping[str, Any], thresholds: Thresholds) -> None:
    """Write thresholds, and what they are of, as JSON values."""
    kept = {"of": of, "thresholds": asdict(thresholds)}
    write_json(folder / TEACHER_FILE, kept)


def teacher_thresholds(config: PolicyEvalConfig, spec: StudentSpec, scenes: Scenes, folder: Path) -> Thresholds:
    """Return the teacher's thresholds; they are kept in the folder, and calibrated where they are not there.

    :raises DatasetError: when the scenes lack images that the detector reads
    """
    key = teacher_key(config, spec, scenes)
    found = read_thresholds(folder, key)
    if found is None:
        detector = TeacherDetector(spec.teacher.load(), spec.names, Thresholds(0.5, {}))  # only scores count
        labels = scenes["id"].label_names
        hidden = scenes["id"].store.split_label_indices("ood")
        unseen = {name: labels.index(name) in hidden for name in spec.names if name in labels}
        of_id, of_ood = ({name: out for name in unseen if unseen[name] is out} for out in (False, True))
        asked = {"id": unseen if config.calibration == "id" else of_id, "fewshot": unseen, UNLABELED: of_ood}
        stores = CALIBRATIONS[config.calibration]
        scores = {store: detect_store(scenes[store], asked[store], detector) for store in stores}
        names = policy_thresholds(config.false_positive_rate, scores)
        found = Thresholds(next((names[name] for name in names if unseen[name]), max(names.values())), names, None)
        write_thresholds(folder, key, found)
    return found
