"""The protocol of Table 12: a student after distillation (zero-shot), with a cache of the few-shot scenes (retrieval),
and after fine-tuning on them (few-shot)."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.datasets.scene_images import UNLABELED, SceneDataset
from pickclutter_lang.errors import CheckpointError
from pickclutter_lang.experiments.few_shot_cache import CacheParameters, cache_logits, tune_cache
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.store_scores import cells_of, predict_store, with_labels
from pickclutter_lang.experiments.scenes.trained_run import names_of
from pickclutter_lang.experiments.stages import FEW_SHOT, STAGES
from pickclutter_lang.metrics import class_rows, mean_average_precision, multilabel_row, trivial_predictors
from pickclutter_lang.metrics.thresholds import (
    DEFAULT_THRESHOLD,
    Predictions,
    best_threshold,
    matched_fpr_thresholds,
    recenter_scores,
)
from pickclutter_lang.results.record import write_trained
from pickclutter_lang.results.scores import Cell, Place, Scores
from pickclutter_lang.students.student import MultiLabelStudent, predict_batches, predict_scenes
from pickclutter_lang.training.config import RetrievalConfig
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.reading import read_npz
from pickclutter_lang.utils.sampling import evenly_spaced

EVALUATED = ("id", "ood")
"""The stores that are evaluated: X_id and X_ood."""
EVALUATION_CELLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "id_on_id": ("id", ("id",)),
    "id_on_ood": ("ood", ("id",)),
    "ood_on_ood": ("ood", ("ood",)),
    "all_on_ood": ("ood", ("id", "ood")),
}
"""Cell -> (the scenes, the splits of the labels); the first three are those of Table 12."""
EXAMPLES_FILE = "examples.npz"
_EXAMPLE_ARRAYS = {"scenes": ("U", "E"), "labels": ("U", "C"), "images": ("u", "ESTX"), "maps": ("f", "ECHW")}
_EXAMPLES = 8
_UNLABELED_SCENES = 300
"""Unlabeled scenes, evenly spaced, that thresholds come from, at most."""


def evaluate_run(run: SceneRun) -> dict[str, Any]:
    """Evaluate every stage of a finished run; write `result.json`, `scores.npz`, `examples.npz`; return the record.

    :raises CheckpointError: when a phase is not finished
    :raises LockedError: when another process is at work in its folder
    """
    with run.locked():
        start = time.perf_counter()
        stages: dict[str, Any] = {}
        histories = {}
        cells = list[tuple[Place, Cell]]()
        for stage, phase in STAGES.items():
            histories[phase] = run.load_weights(phase)
            if stage == "retrieval":
                predictions, choice = retrieve(run)
                stages[stage] = {"alpha": choice.alpha, "beta": choice.beta, "leave_one_out_map": choice.score}
            else:
                predictions, stages[stage] = _predict(run), {}
            trained = run.scenes["train" if stage == "zero_shot" else "fewshot"]
            stages[stage] |= evaluate_stage(predictions, trained.labels.double().mean(dim=0))
            if stage == FEW_SHOT:
                # What thresholds of a policy come from.
                predictions["fewshot"] = predict_store(run.model, run.scenes["fewshot"], run.unseen)
                _examples(run).save(run.folder)
            for store, found in predictions.items():
                cells += cells_of(found, stage, store, stages[stage]["id_threshold"], run.scenes[store].content_hash)
        histories |= {phase: run.load_weights(phase) for phase in run.phases if phase not in histories}
        Scores.of_cells(cells, names_of(run.unseen, "ood")).save(run.folder)
        evaluated = {
            "object_split": run.scenes["train"].store.manifest.object_split,
            "few_shot_draw": run.config.data.few_shot_draw,
            "parameters": sum(p.numel() for p in run.model.student.parameters()),
            "descriptions": run.identity["descriptions"],
            "metrics": stages,
        }
        return write_trained(run, histories, time.perf_counter() - start, evaluated)


def evaluate_stage(predictions: dict[str, Predictions], frequency: Tensor) -> dict[str, Any]:
    """Return the rows of every cell of one stage.

    :param predictions: `id` and `ood` -> predictions of all labels on X_id and on X_ood; `unlabeled` -> those of
        labels of Y_ood on unlabeled scenes, where there are some
    :param frequency: [C] of all labels, how often each was seen in training
    :return: `id_threshold`, the one threshold that is best on X_id, and cell -> {`model`: metrics at that threshold,
        `model_at_half`: metrics at 0.5, `model_matched_fpr`: metrics at `matched_fpr_thresholds`, `always_no`,
        `always_yes`, `label_frequency`: metrics of predictors that see no image, the last one with the threshold
        that is best on X_id for it, `classes`: name -> row of `class_rows` at `id_threshold`}
    """
    known = predictions["id"].of_splits(("id",))
    names = predictions["id"].names
    threshold = best_threshold(known.probabilities, known.targets)
    thresholds = matched_fpr_thresholds(predictions["id"], threshold, predictions.get(UNLABELED))
    often = frequency[[names.index(name) for name in known.names]].expand(known.targets.shape)
    often_threshold = best_threshold(often, known.targets)
    cells: dict[str, Any] = {"id_threshold": threshold}
    for cell, (scenes, splits) in EVALUATION_CELLS.items():
        chosen = predictions[scenes].of_splits(splits)
        pair = chosen.probabilities, chosen.targets
        columns = [names.index(name) for name in chosen.names]
        cells[cell] = {
            "model": multilabel_row(*pair, threshold=threshold),
            "model_at_half": multilabel_row(*pair, threshold=DEFAULT_THRESHOLD),
            "model_matched_fpr": multilabel_row(
                recenter_scores(pair[0], thresholds[columns]), pair[1], threshold=DEFAULT_THRESHOLD
            ),
            **trivial_predictors(frequency[columns], chosen.targets, threshold=often_threshold),
            "classes": dict(zip(chosen.names, class_rows(*pair, threshold=threshold), strict=True)),
        }
    return cells


def _predict(run: SceneRun) -> dict[str, Predictions]:
    """Predict all labels on X_id and X_ood, and those of Y_ood on unlabeled scenes, none of which holds one of them."""
    predictions = {name: predict_store(run.model, run.scenes[name], run.unseen) for name in EVALUATED}
    if UNLABELED in run.scenes:
        scenes = run.scenes[UNLABELED]
        names = names_of(run.unseen, "ood")
        rows = evenly_spaced(len(scenes), _UNLABELED_SCENES)
        probabilities = predict_scenes(run.model, scenes, names, rows)
        absent = torch.zeros(probabilities.shape, dtype=torch.bool)
        unseen = torch.ones(len(names), dtype=torch.bool)
        ids = [scenes.scene_ids[row] for row in rows]
        predictions[UNLABELED] = Predictions(probabilities, absent, names, unseen, ids)
    return predictions


def _examples(run: SceneRun) -> ExampleScenes:
    """Return scenes of X_ood, evenly spaced."""
    scenes = run.scenes["ood"]
    names = list(run.unseen)
    rows = evenly_spaced(len(scenes), _EXAMPLES)
    maps = next(predict_batches(run.model, scenes, names, rows))[0].attention.cpu().numpy()
    return ExampleScenes([scenes.scene_ids[row] for row in rows], names, scenes.hand_images(rows), maps)


@dataclass(frozen=True)
class ExampleScenes:
    """Ids [E] of scenes of X_ood, their images uint8 [E, S, S, 3], and maps [E, C, h, w] of the labels [C]."""

    scenes: Sequence[str]
    labels: Sequence[str]
    images: NDArray[np.uint8]
    maps: NDArray[np.float32]

    def save(self, folder: Path) -> None:
        """Write them into the folder of a run, atomically."""
        stream = io.BytesIO()
        names = {"scenes": np.array(self.scenes), "labels": np.array(self.labels)}
        np.savez_compressed(stream, **names, images=self.images, maps=self.maps.astype(np.float16))
        atomic_write(folder / EXAMPLES_FILE, stream.getvalue())

    @classmethod
    def load(cls, folder: Path) -> ExampleScenes:
        """Read what `save` wrote.

        :raises CheckpointError: when the file is missing or damaged
        """
        path = folder / EXAMPLES_FILE
        remedy = f"make it again: pickclutter evaluate-affordance run={folder}"
        missing = f"expected example scenes at {path}, but there is no such file; {remedy}"
        values = read_npz(path, _EXAMPLE_ARRAYS, CheckpointError, remedy, missing)
        return cls(
            values["scenes"].tolist(), values["labels"].tolist(), values["images"], values["maps"].astype(np.float32)
        )


class CacheFeatures(NamedTuple):
    """Zero-shot `logits` [N, C] of C labels in N scenes, and `features` [N, C, D] that are compared with keys.

    With the student's keys, a label's feature is the mean of the normalized spatial features under its attention map.
    With the teacher's, every label has the pooled feature, which L_im-cst draws to the teacher's.
    """

    logits: Tensor
    features: Tensor


def retrieve(run: SceneRun) -> tuple[dict[str, Predictions], CacheParameters]:
    """Return the scores of all labels on the stores of `EVALUATED`, by the weights that are loaded."""
    config = run.config.retrieval
    names = list(run.unseen)
    examples = extract_cache_features(config, run.model, run.scenes["fewshot"], names)
    targets = run.scenes["fewshot"].labels
    keys = examples.features[:, None]
    if config.keys == "teacher":
        keys = run.teacher_keys[:, :, None].expand(-1, -1, len(names), -1)
    choice = tune_scene_cache(config, examples, keys, targets)
    predictions = {}
    for store in EVALUATED:
        queries = extract_cache_features(config, run.model, run.scenes[store], names)
        cached = label_cache_logits(queries.features, keys, targets, choice.beta)
        scores = torch.sigmoid(queries.logits + choice.alpha * cached)
        predictions[store] = with_labels(run.scenes[store], run.unseen, scores)
    return predictions, choice


def tune_scene_cache(
    config: RetrievalConfig, examples: CacheFeatures, keys: Tensor, targets: Tensor
) -> CacheParameters:
    """Return weight and sharpness; tuned, those with the best mean average precision on the few-shot scenes.

    :param examples: of the M scenes of the cache
    :param keys: [M, V, C, D]
    :param targets: bool [M, C]
    """
    return tune_cache(
        config.alpha,
        config.beta,
        examples.logits.numpy(),
        lambda beta: label_cache_logits(examples.features, keys, targets, beta, leave_one_out=True).numpy(),
        lambda logits: mean_average_precision(torch.from_numpy(logits).sigmoid(), targets),
    )


def label_cache_logits(
    queries: Tensor, keys: Tensor, targets: Tensor, beta: float, leave_one_out: bool = False
) -> Tensor:
    """Return the logits of the cache for every label [N, C], each by its own features.

    Most examples are negative for most labels. So the logit is the mean affinity to the positives minus that to the
    negatives, within [-1, 1], and 0 for a label without positives or without negatives.

    :param queries: [N, C, D]
    :param keys: [M, V, C, D] of V views of M scenes
    :param targets: bool [M, C]
    :param leave_one_out: the queries are of the same M scenes, and each is compared only with the others
    """
    own = torch.eye(len(keys), dtype=torch.bool) if leave_one_out else torch.zeros(len(queries), len(keys)).bool()
    own = own.repeat_interleave(keys.shape[1], dim=1)
    columns = []
    for n in range(targets.shape[1]):
        present = targets[:, n].repeat_interleave(keys.shape[1])
        sides = torch.stack([present, ~present], dim=1).float()
        asked, shown = (functional.normalize(of, dim=1).numpy() for of in (queries[:, n], keys[:, :, n].flatten(0, 1)))
        sums = torch.from_numpy(cache_logits(asked, shown, sides.numpy(), beta=beta, excluded=own.numpy()))
        counts = (~own).float() @ sides
        means = sums / counts.clamp(min=1)
        columns.append((means[:, 0] - means[:, 1]) * (counts > 0).all(dim=1))
    return torch.stack(columns, dim=1)


@torch.no_grad()
def extract_cache_features(
    config: RetrievalConfig, model: MultiLabelStudent, scenes: SceneDataset, names: list[str]
) -> CacheFeatures:
    """Return logits and features of labels in every scene, on the CPU."""
    logits, features = [], []
    learned_scale = float(model.aggregation.log_scale.exp())
    rescale = 1.0 if config.temperature is None else 1 / (config.temperature * learned_scale)
    for scores, found in predict_batches(model, scenes, names):
        logits.append(rescale * torch.logit(scores.probabilities, eps=1e-6).cpu())
        if config.keys == "teacher":
            features.append(found.pooled.float().cpu()[:, None].expand(-1, len(names), -1))
        else:
            cells = functional.normalize(found.spatial.float(), dim=1)
            features.append(torch.einsum("nchw,ndhw->ncd", scores.attention, cells).cpu())
    return CacheFeatures(torch.cat(logits), torch.cat(features))
