"""A policy's scores on a scene store with labels of any kind: F1, mAP and mistakes, of seen and of unseen names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import SceneDataset
from pickclutter_lang.datasets.scenes import SceneStore
from pickclutter_lang.errors import MismatchError
from pickclutter_lang.experiments.scenes.store_scores import cell_of, cells_of
from pickclutter_lang.metrics.multilabel import class_rows
from pickclutter_lang.metrics.thresholds import DEFAULT_THRESHOLD, recenter_scores
from pickclutter_lang.policy.detectors import THRESHOLD, StudentDetector
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import policy_fingerprint
from pickclutter_lang.policy_making.store_scores import detect_store, score_store
from pickclutter_lang.results.intervals import Estimate, Metric, Share, share
from pickclutter_lang.results.record import RESULT_FILE, Record, read_record, write_record
from pickclutter_lang.results.scores import Cell, Scores
from pickclutter_lang.results.tables import estimate_cell
from pickclutter_lang.utils.io import create_dir, write_text
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table, percent

_GROUPS = {"seen": ["id"], "unseen": ["ood"], "all": ["id", "ood"]}
_STAGE, _STORE = "policy", "store"
TABLES_FILE = "tables.md"
_FALSE_ALARMS = 0.1
_NOTE = (
    "± half of the 95% interval over scenes and names (bootstrap). A name is seen where the policy was trained on its "
    "labels. Each name is predicted present above the policy's threshold for it."
)


def score_policy(
    policy: str | Path, store: str | Path, out: str | Path, num_threads: int | None = None, trust_code: bool = False
) -> Record:
    """Score the labels of a scene store, and write `result.json`, `scores.npz` and `TABLES_FILE`; return the record.

    Names are scored as they are detected: by segments. A student of both cameras, or a store without depth, has scores
    of the whole image instead.

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
    opened = SceneStore.open(store)
    spec = student.config
    out = Path(out)
    if opened.image_size != spec.camera_size:
        raise MismatchError(
            f"expected scenes of {spec.camera_size} pixels for the policy {policy}, but those of {opened.path} "
            f"have {opened.image_size}; collect them with image_size={spec.camera_size}"
        )
    data = SceneDataConfig(
        cameras=list(spec.cameras), depth=spec.depth, crop_size=spec.crop_size, target_label=spec.target_label
    )
    scenes = SceneDataset(opened, data)
    of = {
        "policy": {"content": policy_fingerprint(policy)},
        _STORE: {"scenes": len(scenes), "content": scenes.content_hash},
    }
    create_dir(out)
    with dir_lock(out):
        if (out / RESULT_FILE).exists() and read_record(out, "store")["data"] != of:
            raise MismatchError(f"expected no result of other scenes or of another policy in {out}; choose another out")
        known = {*spec.names} - {*(spec.unseen_names or ())}
        asked = {name: name not in known for name in scenes.label_names}
        if spec.cameras == ("hand",) and "hand_depth" in opened.manifest.fields:
            found = detect_store(scenes, asked, StudentDetector(student), range(len(scenes)))
            thresholds = torch.full((len(asked),), THRESHOLD)
        else:
            found = score_store(scenes, asked, student)
            thresholds = torch.tensor([student.thresholds.of(name) for name in found.names])
        unseen = {*found.names} - known
        cells = cells_of(found, _STAGE, _STORE, thresholds, scenes.content_hash)
        Scores.of_cells(cells, unseen).save(out)
        whole = cell_of(found, thresholds, scenes.content_hash)
        groups = {group: _group(whole.of_labels(found.of_splits(splits).names)) for group, splits in _GROUPS.items()}
        rows = class_rows(recenter_scores(found.probabilities, thresholds), found.targets, threshold=DEFAULT_THRESHOLD)
        names = {
            name: {"unseen": name in unseen, "threshold": float(f"{threshold:.4g}"), **row}
            for name, threshold, row in zip(found.names, thresholds.tolist(), rows, strict=True)
        }
        values: dict[str, Any] = {
            "kind": "store",
            "name": str(policy),
            "data": of,
            "config": {"store": str(store)},
            "label": spec.target_label,
            "metrics": {key: one for key, one in groups.items() if one},
            "names": names,
            "teacher": {"name": spec.teacher.name, "fingerprint": spec.teacher.fingerprint},
        }
        record = write_record(out, values)
        write_text(out / TABLES_FILE, _tables(record))
    return record


def _group(cell: Cell) -> dict[str, Any]:
    """Return metrics of some names as the cells of a table, and counts over all scenes and names; {} without names."""
    if not cell.labels:
        return {}
    predicted = cell.predicted
    present = cell.targets
    missed = _missed(cell)
    everything = np.ones_like(present)
    sides = {"policy": cell, "all_positive": replace(cell, scores=everything.astype(np.float32), predicted=everything)}
    metrics: tuple[Metric, ...] = ("map", "f1")
    estimates = {
        f"{name}_{metric}": one.bootstrap().estimate("", metric) for name, one in sides.items() for metric in metrics
    }
    return {
        "names": len(cell.labels),
        "missed": missed._asdict() if missed.total else None,
        **{key: one and {"mean": one.mean, "half_width": one.half_width} for key, one in estimates.items()},
        "true": int(present.sum()),
        "true_called_absent": int((present & ~predicted).sum()),
        "absent": int((~present).sum()),
        "absent_called_so": int((~present & ~predicted).sum()),
    }


def _missed(cell: Cell) -> Share:
    """Return the share of true labels that are missed at the one threshold that 10% of the others reach."""
    _, columns = np.nonzero(cell.targets)
    if cell.targets.all():
        return share([], [])
    threshold = np.quantile(cell.scores[~cell.targets], 1 - _FALSE_ALARMS)
    return share((cell.scores[cell.targets] < threshold).tolist(), [cell.labels[column] for column in columns])


def _tables(record: Record) -> str:
    """Return the Markdown tables of seen, unseen and all names, and of each name."""
    label = record["label"]
    head = ["names", "number", "mAP", "F1", "mAP, all-positive", "F1, all-positive"]
    head += [f"{label}, called absent", f"not {label}, called absent", f"{label}, missed at 10% false alarms"]
    groups: list[list[object]] = []
    for title, of in record["metrics"].items():
        metrics = (of[key] for key in ("policy_map", "policy_f1", "all_positive_map", "all_positive_f1"))
        cells = (estimate_cell(None if one is None else Estimate(**one, runs=1)) for one in metrics)
        pairs = (of["true_called_absent"], of["true"]), (of["absent_called_so"], of["absent"])
        shares = (f"{percent(count / total)} ({count}/{total})" if total else "NA" for count, total in pairs)
        groups.append([title, of["names"], *cells, *shares, Share(**of["missed"]) if of["missed"] else "NA"])
    metrics_of_name = ("average_precision", "f1", "precision", "recall")
    names = [
        [name, "no" if row["unseen"] else "yes", row["support"], *(percent(row[m]) for m in metrics_of_name)]
        for name, row in record["names"].items()
    ]
    of_names = markdown_table(["name", "seen", f"{label} in scenes", "AP", "F1", "precision", "recall"], names)
    return f"{markdown_table(head, groups)}\n\n{_NOTE}\n\n{of_names}\n"
