"""Export of a finished student as a policy folder, with the thresholds of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from pickclutter_lang.datasets.scene_images import UNLABELED
from pickclutter_lang.errors import DatasetError, InvalidArgumentError
from pickclutter_lang.experiments.scenes.config import CALIBRATIONS, TRAIN_COMMAND, TrainedRunConfig
from pickclutter_lang.experiments.scenes.store_scores import cells_of, predictions_of
from pickclutter_lang.experiments.scenes.trained_run import (
    TrainedStudent,
    load_trained_run,
)
from pickclutter_lang.experiments.stages import CROP_CLASSIFIER, FEW_SHOT, STAGES
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, Predictions, policy_thresholds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.example_memory import crop_metric
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.torch_networks import CROP_CLASSIFIER_PREFIX, TorchNetworks, save_pretrained
from pickclutter_lang.policy_folder.folder import (
    PolicyConfig,
    PromptArchitecture,
    StudentArchitecture,
    StudentSpec,
    Thresholds,
    check_nothing_lost,
)
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.store_scores import detect_store, score_store
from pickclutter_lang.results.record import RESULT_FILE, number_at, read_record
from pickclutter_lang.results.scores import SCORES_FILE, Cell, Place, Scores
from pickclutter_lang.training.experiment import finished_checkpoint
from pickclutter_lang.utils.locks import dir_lock


def export_policy(config: PolicyExportConfig) -> Path:
    """Write the student of a finished run as a folder that `StudentRuntime.load` opens; return the folder.

    Its thresholds come from X_id. After fine-tuning, or with `calibration=few_shot`, those of Y_ood come from the
    few-shot scenes, and for Y_id the higher one of both stores counts. X_id lacks the objects of Y_ood, which raise
    false positives. The few-shot scenes hold them, but a fine-tuned student was trained on these very scenes. With
    `calibration=unlabeled` those of Y_ood come from the unlabeled scenes, which hold other kinds of objects.

    Before fine-tuning a student of the embedded teacher gets a second look (see `policy.evidence.second_look`), whose
    threshold needs the scenes.

    Scores are those that the run has saved when it was evaluated, where it has; scores that are missing need its
    scenes. The crop classifier is exported with the student after fine-tuning.

    :raises InvalidArgumentError: for `calibration=unlabeled` with a crop classifier or without unlabeled scenes; for
        an `out` in which a policy learned what would be lost
    :raises PickClutterError: what `load_trained_run` raises; DatasetError when scenes are needed and missing, or the
        folder cannot be written
    """
    check_nothing_lost(Path(config.out), {})
    student = load_trained_run(config)
    after_tuning = config.phase == FEW_SHOT
    with_crops = after_tuning and student.config.crop_classifier is not None
    stores = CALIBRATIONS[config.calibration or ("few_shot" if after_tuning else "id")]
    thresholds = []
    for of_crops in (False, True) if with_crops else (False,):
        found = policy_thresholds(config.false_positive_rate, {one: _scores(student, one, of_crops) for one in stores})
        thresholds.append({name: found[name] for name in student.labels.unseen})
    spec = _student_spec(student, with_crops)
    spec = replace(spec, precision=config.precision or spec.precision)
    default = thresholds[0][student.unseen_names[0]]
    looked = None if after_tuning else _second_look(student, config.false_positive_rate, stores)
    of_names = Thresholds(default, thresholds[0], looked, thresholds[1] if with_crops else None)
    policy = PolicyConfig(spec, of_names, _metrics(student))
    weights = _weights(student, with_crops)
    out = Path(config.out)
    with dir_lock(out):
        save_pretrained(out, policy, weights, student.labels.features, student.own_catalog, config.half)
    return out


def save_crop_scores(request: TrainedRunConfig) -> None:
    """Save the scores that thresholds of a run's crop classifier come from, so that its export needs no scenes.

    Nothing is done for a run without a crop classifier.

    :raises PickClutterError: as `export_policy`
    """
    student = load_trained_run(request)
    if student.config.crop_classifier is not None:
        with dir_lock(student.folder):
            cells: list[tuple[Place, Cell]] = []
            for store in ("id", "fewshot"):
                found = _score(student, store, True)
                content = student.scenes[store].content_hash
                cells += cells_of(found, CROP_CLASSIFIER, store, DEFAULT_THRESHOLD, content)
            Scores.of_cells(cells, student.unseen_names).save(student.folder / CROP_CLASSIFIER)


def _scores(student: TrainedStudent, store: str, of_crops: bool) -> Predictions:
    """Return the scores that a run saved, or new ones where there are none."""
    folder = student.folder / CROP_CLASSIFIER if of_crops else student.folder
    stage = CROP_CLASSIFIER if of_crops else _stage(student)
    saved = predictions_of(Scores.load(folder), stage, store) if (folder / SCORES_FILE).is_file() else None
    if saved is not None:
        return saved
    if store == UNLABELED:
        raise InvalidArgumentError(
            f"expected scores of unlabeled scenes in {folder / SCORES_FILE} for calibration={UNLABELED}, but there are "
            "none: evaluate a run with data.unlabeled (method=open), without a crop classifier; or choose another one"
        )
    try:
        return _score(student, store, of_crops)
    except DatasetError as error:
        raise type(error)(
            f"{error}; thresholds come from these scenes, since there are no scores of them in {folder}; where the "
            f"scenes are, pickclutter evaluate-affordance run={student.folder} saves them"
        ) from error


def _score(student: TrainedStudent, store: str, of_crops: bool) -> Predictions:
    runtime = _runtime(student, of_crops)
    scenes = student.scenes[store]
    if not of_crops:
        return score_store(scenes, student.labels.unseen, runtime)
    return detect_store(scenes, student.labels.unseen, StudentDetector(runtime))


def _runtime(student: TrainedStudent, with_crops: bool) -> StudentRuntime:
    """Return a student that only scores: at thresholds of 0.5 what is compared with them is the score itself."""
    spec = _student_spec(student, with_crops)
    networks = TorchNetworks(spec, _weights(student, with_crops), student.labels.features)
    even = dict.fromkeys(spec.names, DEFAULT_THRESHOLD)
    second_look = None if with_crops else DEFAULT_THRESHOLD
    return StudentRuntime(
        spec, networks, Thresholds(DEFAULT_THRESHOLD, even, second_look, even if with_crops else None)
    )


def _second_look(student: TrainedStudent, false_positive_rate: float, stores: Sequence[str]) -> float | None:
    """Return the threshold of a second look, that of Y_ood; None where none can be taken.

    That is with another teacher or camera than the crop encoder's, or with scenes without depth.

    :raises DatasetError: when the scenes are missing
    """
    spec = _student_spec(student, False)
    if spec.teacher.fingerprint != crop_metric().teacher or spec.cameras != ("hand",):
        return None
    try:
        scenes = {store: student.scenes[store] for store in stores if store != UNLABELED}
    except DatasetError as error:
        raise type(error)(f"{error}; the threshold of the second look comes from these scenes") from error
    if any("hand_depth" not in one.store.manifest.fields for one in scenes.values()):
        return None
    detector = StudentDetector(_runtime(student, False))
    found = {store: detect_store(one, student.labels.unseen, detector) for store, one in scenes.items()}
    return float(policy_thresholds(false_positive_rate, found)[student.unseen_names[0]])


def _weights(student: TrainedStudent, with_crops: bool) -> dict[str, Tensor]:
    if not with_crops:
        return student.weights
    epochs = student.config.phases[CROP_CLASSIFIER].epochs
    crops, _ = finished_checkpoint(student.folder / CROP_CLASSIFIER, epochs, TRAIN_COMMAND, None)
    return student.weights | {f"{CROP_CLASSIFIER_PREFIX}{name}": value for name, value in crops.model.items()}


def _stage(student: TrainedStudent) -> str:
    return next(stage for stage, phase in STAGES.items() if phase == student.phase)


def _metrics(student: TrainedStudent) -> dict[str, float]:
    """Return mAP and F1 on X_ood that the run's evaluation gave, of seen and of unseen names."""
    if not (student.folder / RESULT_FILE).is_file():
        return {}
    record = read_record(student.folder, "scenes")
    stage = _stage(student)
    return {
        f"{title}, {names}": value
        for names, cell in (("seen names", "id_on_ood"), ("unseen names", "ood_on_ood"))
        for title, key in (("mAP", "map"), ("F1", "f1"))
        if (value := number_at(record, f"{stage}.{cell}.model.{key}")) is not None
    }


def _student_spec(student: TrainedStudent, with_crops: bool) -> StudentSpec:
    config = student.config
    network, prompts, crops = config.student, config.prompts, config.crop_classifier
    return StudentSpec(
        phase=student.phase,
        target_label=config.data.target_label,
        network=StudentArchitecture(
            network.name, network.output_stride, network.dropout, network.temperature, network.negative_attention
        ),
        precision=config.precision,
        cameras=tuple(config.data.cameras),
        depth=config.data.depth,
        camera_size=student.labels.camera_size,
        crop_size=student.crop_size,
        image_size=config.data.image_size,
        prompts=PromptArchitecture(prompts.n_ctx, prompts.truncate, prompts.closed_set),
        names=tuple(student.labels.unseen),
        teacher=student.teacher,
        object_crop_size=crops.crop_size if with_crops and crops is not None else None,
        unseen_names=tuple(student.unseen_names),
    )
