"""Validates the label `graspable` of a scene store with picks that the simulated arm executes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pickclutter_lang.datasets.scenes import Manifest, SceneStore
from pickclutter_lang.datasets.scenes.description import write_dataset_card
from pickclutter_lang.datasets.scenes.episodes import episode
from pickclutter_lang.envs.config import GraspValidationConfig
from pickclutter_lang.envs.generation.physics import Pile
from pickclutter_lang.envs.vulkan import prepare_renderer
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.objects.object_sets import ObjectSet, ObjectSource, load_object_set
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar

if TYPE_CHECKING:
    from pickclutter_lang.envs.pick_executor import PickExecutor

RESULT_FILE = "grasp_check.json"


def validate_grasp_labels(config: GraspValidationConfig) -> dict[str, Any]:
    """Execute picks for the visible objects of a store's first scenes; write `grasp_check.json` and the card into it.

    An object counts as picked when one of up to four attempts lifts it 8 cm and it does not slip: its labeled pose,
    if any, then the candidates with the fewest collisions, even if there are some.

    :return: `{instances, agreement, precision, recall, pose_success, per_object, picks}`; precision and recall are
        those of the label against picked, `pose_success` the fraction of labeled poses that succeed at once
    :raises MismatchError: when the meshes are not those that the store was made with
    :raises WorkerError: when workers keep dying
    :raises LockedError: when another process is at work in the store
    """
    store = SceneStore.open(config.store)
    with dir_lock(store.path):
        prepare_renderer()
        result = _validate(config, store)
        atomic_write(store.path / RESULT_FILE, (json.dumps(result, indent=1) + "\n").encode())
        write_dataset_card(store.path)
    return result


def _validate(config: GraspValidationConfig, store: SceneStore) -> dict[str, Any]:
    objects = objects_of_store(store.manifest, config.objects_root, config.objects)
    if objects.fingerprint != store.manifest.object_fingerprint:
        raise MismatchError(
            f"the store at {config.store} was made with other meshes than those at {objects.root}; "
            f"set {'objects' if config.objects else 'objects_root'} to the folder that it was collected with"
        )
    scenes = _first_scenes(store, config.instances)
    make_function = partial(make_validation_function, objects, config.store)
    done: dict[int, list[dict[str, Any]]] = {}
    pool = PoolConfig(config.workers)
    with closing(pool.run(make_function, scenes)) as results, ProgressBar("scenes", len(scenes)) as bar:
        for scene, rows in results:
            done[scene] = rows
            bar.advance()
    return summarize([row for scene in scenes for row in done[scene]])


def objects_of_store(manifest: Manifest, root: str | None, source: ObjectSource | None = None) -> ObjectSet:
    """Load the object set of a store.

    :param root: folder of the set, by default as in `load_object_set`
    :param source: of a store of one's own objects: the sets that it was collected with
    :raises InvalidArgumentError: without a source of such a store, or with one of another store
    """
    if manifest.has_catalog and source is None:
        raise InvalidArgumentError(
            f"expected objects= to name the sets of the store, {manifest.object_set}, but got none; name their folders"
        )
    if source is not None and not manifest.has_catalog:
        raise InvalidArgumentError(f"expected no objects= for a store of {manifest.object_set}, but got {source!r}")
    of_set, split = manifest.object_set if source is None else source, manifest.object_split
    if "instances" not in manifest.fields:
        return load_object_set(of_set, root, object_split=split)
    kinds, instances = list(manifest.distractor_kinds.values()), int(manifest.settings["instances"])
    if not kinds:
        return load_object_set("kinds", root, None, split, [item.name for item in manifest.objects], instances)
    return load_object_set(of_set, root, None, split, kinds, instances, distractors=True)


def summarize(picks: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare labels with picks, over all instances and per object."""
    ids = sorted({row["model_id"] for row in picks})
    per_object = {model_id: _rates([row for row in picks if row["model_id"] == model_id]) for model_id in ids}
    return {**_rates(picks), "per_object": per_object, "picks": picks}


def _rates(picks: list[dict[str, Any]]) -> dict[str, Any]:
    labeled = np.array([row["labelled"] for row in picks], bool)
    picked = np.array([row["picked"] for row in picks], bool)
    pose_succeeded = np.array([row["pose_succeeded"] for row in picks], bool)
    return {
        "instances": len(picks),
        "labelled": int(labeled.sum()),
        "picked": int(picked.sum()),
        "agreement": float((labeled == picked).mean()),
        "precision": float(picked[labeled].mean()) if labeled.any() else None,
        "recall": float(labeled[picked].mean()) if picked.any() else None,
        "pose_success": float(pose_succeeded[labeled].mean()) if labeled.any() else None,
    }


def _first_scenes(store: SceneStore, instances: int) -> list[int]:
    counts = np.cumsum(store.labels("visible").sum(1))
    store.labels("graspable")  # raises for a store without the label, before any work
    if counts[-1] < instances:
        raise InvalidArgumentError(
            f"expected a store with at least {instances} visible objects, but {store.path} has {counts[-1]}"
        )
    return list(range(int(np.searchsorted(counts, instances)) + 1))


def make_validation_function(objects: ObjectSet, store: str) -> Callable[[int], list[dict[str, Any]]]:
    """Load the simulator and open a store; return what executes the picks of one of its scenes."""
    prepare_renderer()
    from pickclutter_lang.envs.pick_executor import PickExecutor

    return partial(_validate_scene, PickExecutor(objects), SceneStore.open(store))


def _validate_scene(executor: PickExecutor, store: SceneStore, index: int) -> list[dict[str, Any]]:
    from pickclutter_lang.envs.pick_executor import validate_pile

    return [{"scene": index, **pick} for pick in validate_pile(executor, *_task(store.scene(index), executor.objects))]


def _task(row: dict[str, Any], objects: ObjectSet) -> Iterator[Any]:
    """Yield the pile of a stored scene, the poses of its graspable objects, and the ids of its visible instances.

    Distractors are neither: they have no label.
    """
    count = int((row["actors"] >= 0).sum())
    label_indices = row["actors"][:count].astype(np.int64)
    model_ids = [actor["model_id"] for actor in episode(row, objects.actor_ids)["actors"]]
    models = tuple(objects.model(model_id) for model_id in model_ids)
    yield Pile(label_indices, models, row["poses"][:count].astype(np.float64))
    labeled = [n for n in range(count) if label_indices[n] < len(objects.catalog)]
    yield {n: row["grasp_poses"][n].astype(np.float64) for n in labeled if row["graspable"][label_indices[n]]}
    yield [n for n in labeled if row["visible"][label_indices[n]]]
