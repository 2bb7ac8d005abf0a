"""Validates the label `graspable` of a scene store with picks that the simulated arm executes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from pickclutter_lang.datasets.scenes import Manifest, SceneStore
from pickclutter_lang.datasets.scenes.description import GRASP_CHECK_FILE, write_dataset_card
from pickclutter_lang.datasets.scenes.episodes import episode
from pickclutter_lang.envs.config import GraspValidationConfig
from pickclutter_lang.envs.generation.pile_sampling import Pile
from pickclutter_lang.envs.generation.simulation import PandaKinematics
from pickclutter_lang.envs.grasp_labels import GraspChecker
from pickclutter_lang.envs.renderer import prepare_renderer
from pickclutter_lang.envs.simulator import require_simulator
from pickclutter_lang.errors import InvalidArgumentError, MismatchError
from pickclutter_lang.manipulation.gripper import collision_counts, pregrasp_pose
from pickclutter_lang.manipulation.kinematics import CLOSED, OPEN
from pickclutter_lang.objects.object_sets import ObjectSet, ObjectSource, load_object_set
from pickclutter_lang.utils.io import write_json
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.pool import PoolConfig
from pickclutter_lang.utils.progress import ProgressBar
from pickclutter_lang.utils.typing import FloatArray

_LIFT_M = 0.15
_LIFTED_M = 0.08  # more than `pick_clutter.LIFTED_M`: after a lift of 15 cm, an object below 8 cm has slipped
_MAX_ATTEMPTS, _MAX_CANDIDATES = 3, 60  # beside the labeled pose; poses of which they are chosen
_REACH_STEPS, _APPROACH_STEPS, _CLOSE_STEPS, _LIFT_STEPS, _HOLD_STEPS = 30, 20, 12, 25, 6


def validate_grasp_labels(config: GraspValidationConfig) -> dict[str, Any]:
    """Execute picks for the visible objects of a store's first scenes; write `grasp_check.json` and the card into it.

    An object counts as picked when one of up to four attempts lifts it 8 cm and it does not slip: its labeled pose,
    if any, then the candidates with the fewest collisions, even if there are some.

    :return: `{instances, labelled, picked, agreement, precision, recall, pose_success, picks}`; precision and recall
        are those of the label against picked, `pose_success` the fraction of labeled poses that succeed at once
    :raises MismatchError: when the meshes are not those that the store was made with
    :raises WorkerError: when workers keep dying
    :raises LockedError: when another process is at work in the store
    """
    store = SceneStore.open(config.store)
    require_simulator("maniskill2", "validate-grasp-labels")
    with dir_lock(store.path):
        prepare_renderer()  # what is missing is said before any work; each worker prepares its own
        objects = objects_of_store(store.manifest, config.objects_root, config.objects)
        if objects.fingerprint != store.manifest.object_fingerprint:
            raise MismatchError(
                f"the store at {config.store} was made with other meshes than those at {objects.root}; "
                f"set {'objects' if config.objects else 'objects_root'} to the folder that it was collected with"
            )
        scenes = _first_scenes(store, config.instances)
        done: dict[int, list[dict[str, Any]]] = {}
        tasks = PoolConfig(config.workers).map(partial(_validation_function, objects, config.store), scenes)
        with closing(tasks) as results, ProgressBar("scenes", len(scenes)) as bar:
            for scene, rows in results:
                done[scene] = rows
                bar.advance()
        result = summarize([row for scene in scenes for row in done[scene]])
        write_json(store.path / GRASP_CHECK_FILE, result)
        write_dataset_card(store.path)
    return result


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
    of_set = manifest.object_set if source is None else source
    split = manifest.object_split
    if "instances" not in manifest.fields:
        return load_object_set(of_set, root, object_split=split)
    kinds = list(manifest.distractor_kinds.values())
    instances = int(manifest.settings["instances"])
    if not kinds:
        return load_object_set("kinds", root, None, split, [item.name for item in manifest.objects], instances)
    return load_object_set(of_set, root, None, split, kinds, instances, distractors=True)


def summarize(picks: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare labels with picks; the key `labelled` is spelled as in the files of stores."""
    labeled, picked, first = (
        np.array([row[key] for row in picks], bool) for key in ("labelled", "picked", "pose_succeeded")
    )
    return {
        "instances": len(picks),
        "labelled": int(labeled.sum()),
        "picked": int(picked.sum()),
        "agreement": float((labeled == picked).mean()),
        "precision": float(picked[labeled].mean()) if labeled.any() else None,
        "recall": float(labeled[picked].mean()) if picked.any() else None,
        "pose_success": float(first[labeled].mean()) if labeled.any() else None,
        "picks": picks,
    }


def _first_scenes(store: SceneStore, instances: int) -> list[int]:
    counts = np.cumsum(store.array("visible").sum(1))
    store.array("graspable")  # raises for a store without the label, before any work
    if counts[-1] < instances:
        raise InvalidArgumentError(
            f"expected a store with at least {instances} visible objects, but {store.path} has {counts[-1]}"
        )
    return list(range(int(np.searchsorted(counts, instances)) + 1))


def _validation_function(objects: ObjectSet, store_path: str) -> Callable[[int], list[dict[str, Any]]]:
    """Load the simulator and open a store; return what executes the picks of one of its scenes."""
    executor = PickExecutor(objects)
    store = SceneStore.open(store_path)

    def validate(index: int) -> list[dict[str, Any]]:
        """Pick the visible objects of a stored scene; distractors are none, since they have no label."""
        row = store.scene(index)
        actors = row["actors"][row["actors"] >= 0].astype(np.int64)
        models = [objects.model(actor["model_id"]) for actor in episode(row, objects.actor_ids)["actors"]]
        executor.load(Pile(actors, tuple(models), row["poses"][: len(actors)].astype(np.float64)))
        labels = [(n, actor) for n, actor in enumerate(actors) if actor < len(objects.catalog)]
        poses = {n: row["grasp_poses"][n].astype(np.float64) for n, actor in labels if row["graspable"][actor]}
        seen = [n for n, actor in labels if row["visible"][actor]]
        return [{"scene": index, **executor.validate(n, poses.get(n))} for n in seen]

    return validate


class PickExecutor:
    """Moves the Panda of ManiSkill2's PickClutter through pre-grasp, approach, close and lift."""

    def __init__(self, objects: ObjectSet) -> None:
        prepare_renderer()
        from pickclutter_lang.envs.pick_clutter import ObjectSetEnv  # it imports sapien

        self._objects = objects
        self._make = partial(
            ObjectSetEnv, objects, obs_mode="none", control_mode="pd_joint_pos", robot_init_qpos_noise=0.0
        )
        self._env: Any = None

    def load(self, pile: Pile) -> None:
        """Put a pile on the table, with the arm at rest."""
        self._pile = pile
        actors = [
            {"model_id": model.model_id, "scale": model.scale, "pose": pose.tolist(), "rep_pts": [pose[:3].tolist()]}
            for model, pose in zip(pile.models, np.asarray(pile.poses, float), strict=True)
        ]
        self._env = self._env or self._make([{"actors": actors}])
        self._env.episodes = [{"actors": actors}]
        self._env.reset(seed=0, options={"episode_idx": 0, "reconfigure": True})
        self._start = self._env.get_state()
        self._kinematics = PandaKinematics(self._env.agent.robot)

    def validate(self, instance_id: int, pose: FloatArray | None) -> dict[str, Any]:
        """Attempt to pick an object of the pile, and compare with its label.

        :param pose: TCP pose [7] where it is labeled graspable
        :return: `{model_id, labelled, pose_succeeded, picked, tries}`: whether it is labeled graspable, whether the
            labeled pose succeeded, whether any attempt did, and the number of attempts
        """
        pose_succeeded = picked = pose is not None and self.pick(instance_id, pose)
        tries = int(pose is not None)
        others = () if picked else _attempts(GraspChecker(self._objects, self._kinematics), self._pile, instance_id)
        for other in others:
            tries += 1
            if picked := self.pick(instance_id, other):
                break
        return {
            "model_id": self._pile.models[instance_id].model_id,
            "labelled": pose is not None,
            "picked": picked,
            "pose_succeeded": pose_succeeded,
            "tries": tries,
        }

    def pick(self, instance_id: int, tcp_pose: FloatArray) -> bool:
        """Execute one pick from the loaded state and return whether the object was lifted and did not slip."""
        self._env.set_state(self._start)
        lifted = tcp_pose + np.array([0, 0, _LIFT_M, 0, 0, 0, 0])
        path = [np.asarray(self._env.agent.robot.get_qpos(), float)]
        for pose in (pregrasp_pose(tcp_pose), tcp_pose, lifted):
            solution = self._kinematics.solve(pose, path[-1])
            if solution is None:
                return False
            path.append(solution)
        rest, ready, grasp, raised = path
        actor = self._env.objs[instance_id]
        height = float(actor.pose.p[2])
        self._move(rest, ready, _REACH_STEPS, OPEN)
        self._move(ready, grasp, _APPROACH_STEPS, OPEN)
        self._move(grasp, grasp, _CLOSE_STEPS, CLOSED)
        self._move(grasp, raised, _LIFT_STEPS, CLOSED)
        self._move(raised, raised, _HOLD_STEPS, CLOSED)
        return bool(actor.pose.p[2] - height > _LIFTED_M and self._env.agent.check_grasp(actor))

    def _move(self, start: FloatArray, goal: FloatArray, steps: int, gripper: float) -> None:
        for fraction in np.linspace(0, 1, steps + 1)[1:]:
            arm = start[:7] + fraction * (goal[:7] - start[:7])
            self._env.step_action(np.concatenate([arm, [gripper]]))


def _attempts(checker: GraspChecker, pile: Pile, instance_id: int) -> list[FloatArray]:
    """Return some reachable gripper poses for an object, fewest collisions first, far from each other.

    Poses in collision are not excluded, so that objects labeled not graspable are actually attempted too.
    """
    candidates = checker.candidates(pile, instance_id)
    collisions = collision_counts(candidates, checker.clouds(pile))
    chosen: list[FloatArray] = []
    for row in np.argsort(collisions, kind="stable")[:_MAX_CANDIDATES]:
        pose = candidates.pose(int(row))
        distinct = all(
            np.linalg.norm(pose[:3] - other[:3]) > 0.01 or abs(pose[3:] @ other[3:]) < 0.95 for other in chosen
        )
        if distinct and checker.reachable(pose):
            chosen.append(pose)
        if len(chosen) == _MAX_ATTEMPTS:
            break
    return chosen
