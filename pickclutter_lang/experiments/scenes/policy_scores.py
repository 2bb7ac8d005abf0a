"""A policy's scores on a scene store with labels of any kind: F1, mAP and mistakes, of seen and of unseen names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
import torch
from torch import Tensor

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import CheckpointError, MismatchError
from pickclutter_lang.experiments.result import RESULT_FILE, git_revision, package_versions, without_nan
from pickclutter_lang.experiments.scenes.predictions import save_predictions
from pickclutter_lang.experiments.sweeps.sweep_markdown import estimate_cell
from pickclutter_lang.metrics.bootstrap import HierarchicalBootstrap, Metric, RunScores, SplitScores
from pickclutter_lang.metrics.multilabel import class_rows
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, Predictions, recenter_scores
from pickclutter_lang.policy.folder import policy_fingerprint
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.training.logger import write_json
from pickclutter_lang.utils.io import atomic_write, create_dir
from pickclutter_lang.utils.json_files import read_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent
from pickclutter_lang.utils.progress import track
from pickclutter_lang.utils.statistics import Estimate

_GROUPS = {"seen": ["id"], "unseen": ["ood"], "all": ["id", "ood"]}
_POLICY, _ALWAYS = "policy", "all-positive"
_KIND = "policy_scores"
_NOTE = (
    "± half of the 95% interval over scenes and names (bootstrap). A name is seen where the policy was trained on its "
    "labels. Each name is predicted present above its threshold in the policy folder."
)


class _Estimate(TypedDict):
    mean: float
    half_width: float | None
    seeds: int


class Group(TypedDict):
    """What is found of some names: metrics in 0..1, counts over all scenes and names.

    `visible` counts where the label of the scores is true, which may also be `present` or `graspable`; `absent` the
    rest.
    """

    names: int
    map: _Estimate | None
    f1: _Estimate | None
    all_positive_map: _Estimate | None
    all_positive_f1: _Estimate | None
    visible: int
    visible_called_absent: int
    absent: int
    absent_called_so: int


class Scored(TypedDict):
    """The label that scores are of, `present`, `visible` or `graspable`, and group of names -> what is found of it."""

    label: str
    groups: dict[str, Group]


class PolicyScores(NamedTuple):
    """Predictions on a store, the threshold of each label [C], and the Markdown of the tables."""

    predictions: Predictions
    thresholds: Tensor
    tables: str


def score_policy(
    policy: str | Path, store: str | Path, out: str | Path, num_threads: int | None = None, trust_code: bool = False
) -> PolicyScores:
    """Score the labels of a scene store, and write `result.json`, `predictions/policy.npz` and `tables.md`.

    Scores are those of the whole image; a crop classifier takes no part.

    :param policy: a policy folder, or `open`
    :param out: folder of the files
    :param num_threads: of torch; None: its default
    :param trust_code: as of `StudentRuntime.load`
    :raises CheckpointError: for a policy that is missing or damaged
    :raises DatasetError: for a store that is missing or damaged, or lacks images or labels of the policy
    :raises MismatchError: for images of another size than the policy takes, or a folder with another result
    """
    if num_threads is not None:
        torch.set_num_threads(num_threads)
    student = StudentRuntime.load(policy, trust_code)
    opened, spec = SceneStore.open(store), student.config
    if opened.image_size != spec.camera_size:
        raise MismatchError(
            f"expected scenes of {spec.camera_size} pixels for the policy {policy}, but those of {opened.place} "
            f"have {opened.image_size}; collect them with image_size={spec.camera_size}"
        )
    data = SceneDataConfig(
        cameras=list(spec.cameras), depth=spec.depth, crop_size=spec.crop_size, target_label=spec.target_label
    )
    scenes, out = SceneDataset(opened, data), Path(out)
    of = {"policy": policy_fingerprint(policy), "store": {"scenes": len(scenes), "content": scenes.content_hash}}
    create_dir(out)
    with dir_lock(out):
        _check_same(out / RESULT_FILE, of)
        found = _predict(student, scenes)
        thresholds = torch.tensor([student.threshold(name) for name in found.names])
        parts = {group: found.of_splits(splits) for group, splits in _GROUPS.items()}
        groups = {group: _group(part, student) for group, part in parts.items() if part.names}
        names = _names(found, thresholds)
        scored = Scored(label=spec.target_label, groups=groups)
        tables = f"{group_table(scored)}\n\n{_NOTE}\n\n{_name_table(names, spec.target_label)}\n"
        save_predictions(out / "predictions" / "policy.npz", found)
        atomic_write(out / "tables.md", tables.encode())
        teacher = {"name": spec.teacher.name, "fingerprint": spec.teacher.fingerprint}
        code = {"teacher": teacher, "git_revision": git_revision(), "versions": package_versions()}
        result = {"kind": _KIND, **of, **scored, "names": names, **code}
        write_json(out / RESULT_FILE, without_nan(result))
    return PolicyScores(found, thresholds, tables)


def _check_same(path: Path, of: Mapping[str, Any]) -> None:
    """Raise MismatchError where a result of something else lies."""
    if path.exists():
        before = read_json(path, dict[str, Any], CheckpointError, "choose another out")
        if {key: before.get(key) for key in of} != dict(of):
            raise MismatchError(
                f"expected no result in {path.parent}, or one of this policy on these scenes, but {path.name} is of "
                "something else; choose another out"
            )


def _predict(student: StudentRuntime, scenes: SceneDataset) -> Predictions:
    spec, names = student.config, list(scenes.label_names)
    unseen = torch.tensor([name not in spec.names or name in (spec.unseen_names or ()) for name in names])
    scores = []
    for row in track(range(len(scenes)), "scenes"):
        images = {key: _as_observed(*key, scenes.load_images(*key, [row])[0]) for key in student.student_input}
        scores.append(student.predict(images, names).scores)
    return Predictions(torch.from_numpy(np.stack(scores)), scenes.labels.bool(), names, unseen, scenes.scene_ids)


def _as_observed(camera: str, kind: str, stored: Any) -> Any:
    """Return a stored image as the environment gives it: depth in meters, [S, S, 1]."""
    return stored if kind == "rgb" else stored[..., None].astype(np.float32) / 1000


def _group(found: Predictions, student: StudentRuntime) -> Group:
    thresholds = torch.tensor([student.threshold(name) for name in found.names])
    predicted, present = found.probabilities > thresholds, found.targets.bool()
    everything = torch.ones_like(predicted)
    runs = {
        name: {(0, 0): RunScores(scores.double().numpy(), decided.numpy())}
        for name, scores, decided in ((_POLICY, found.probabilities, predicted), (_ALWAYS, everything, everything))
    }
    bootstrap = HierarchicalBootstrap({0: SplitScores(present.numpy(), runs)})

    def estimate(name: str, metric: Metric) -> _Estimate | None:
        value = bootstrap.estimate(name, metric)
        return None if value is None else _Estimate(mean=value.mean, half_width=value.half_width, seeds=value.seeds)

    return Group(
        names=len(found.names),
        map=estimate(_POLICY, "map"),
        f1=estimate(_POLICY, "f1"),
        all_positive_map=estimate(_ALWAYS, "map"),
        all_positive_f1=estimate(_ALWAYS, "f1"),
        visible=int(present.sum()),
        visible_called_absent=int((present & ~predicted).sum()),
        absent=int((~present).sum()),
        absent_called_so=int((~present & ~predicted).sum()),
    )


def _names(found: Predictions, thresholds: Tensor) -> dict[str, dict[str, Any]]:
    rows = class_rows(recenter_scores(found.probabilities, thresholds), found.targets, threshold=DEFAULT_THRESHOLD)
    return {
        name: {"unseen": unseen, "threshold": float(f"{threshold:.4g}"), **row}
        for name, unseen, threshold, row in zip(
            found.names, found.unseen.tolist(), thresholds.tolist(), rows, strict=True
        )
    }


def read_scores(path: Path) -> Scored:
    """Read the label and groups of a `result.json` that `score_policy` wrote.

    :raises CheckpointError: when it is missing or damaged
    """
    return read_json(path, Scored, CheckpointError, "write it again: pickclutter evaluate-affordance policy=")


def group_table(scored: Scored) -> str:
    """Return the Markdown table of seen, unseen and all names."""
    label = scored["label"]
    head = ["names", "number", "mAP", "F1", "mAP, all-positive", "F1, all-positive"]
    head += [f"{label}, called absent", f"not {label}, called absent"]
    rows: list[list[object]] = []
    for title, of in scored["groups"].items():
        metrics = (of["map"], of["f1"], of["all_positive_map"], of["all_positive_f1"])
        cells = (estimate_cell(None if metric is None else Estimate(**metric)) for metric in metrics)
        missed, right = _share(of["visible_called_absent"], of["visible"]), _share(of["absent_called_so"], of["absent"])
        rows.append([title, of["names"], *cells, missed, right])
    return markdown_table(head, rows)


def _share(count: int, of: int) -> str:
    return f"{percent(count / of)} ({count}/{of})" if of else "NA"


def _name_table(names: dict[str, dict[str, Any]], label: str) -> str:
    head = ["name", "seen", f"{label} in scenes", "AP", "F1", "precision", "recall"]
    metrics = ("average_precision", "f1", "precision", "recall")
    return markdown_table(
        head,
        [
            [name, "no" if row["unseen"] else "yes", row["support"], *(percent(row[m]) for m in metrics)]
            for name, row in names.items()
        ],
    )
