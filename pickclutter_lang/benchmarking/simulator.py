"""The simulator: scenes that are collected and steps of the environment, against stock ManiSkill2."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.benchmarking.inputs import BenchInputs
from pickclutter_lang.benchmarking.measure import Pair
from pickclutter_lang.datasets.scenes.manifest import SHARD_FOLDER
from pickclutter_lang.datasets.scenes.maniskill_episodes import episode
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.envs.generation.collect import current_versions, plan, simulator_source
from pickclutter_lang.envs.generation.shard_worker import WorkerSpec, make_shard_function
from pickclutter_lang.envs.registration import make_env, prepare_simulator
from pickclutter_lang.objects.object_sets import ObjectSet, load_object_set
from pickclutter_lang.utils.io import ensure_dir

_SCENES, _MOST_SHARDS, _SIDE = 4, 100_000, 128
"""Scenes of a shard, and resets of a call; shards that there could be; side of the images in pixels."""
_NUM_EPISODES = 8


def _scenes(graspable: bool, inputs: BenchInputs) -> Pair:
    """Compare shards of scenes, made and written as a worker of `collect-scenes` does, with resets of stock."""
    objects, spec = _collection(inputs, graspable)
    shard, numbers = make_shard_function(spec), count()
    env, turns = _stock(inputs, objects), count()

    def reset() -> None:
        for _ in range(_SCENES):
            env.reset(options={"episode_idx": next(turns) % _NUM_EPISODES, "reconfigure": True})

    return Pair(lambda: shard(next(numbers), lambda: None), reset, per=_SCENES, close=env.close)


def _step(inputs: BenchInputs) -> Pair:
    """Compare steps without an action in the same episode."""
    objects, _ = _collection(inputs, graspable=False)
    with ExitStack() as opened:
        stock = _stock(inputs, objects)
        opened.callback(stock.close)
        given = {"objects": inputs.config.objects, "episode_json": _episodes(inputs)}
        own = make_env(**given, obs_mode="rgbd", base_camera=False)
        opened.callback(own.close)
        for env in (stock, own):
            env.reset(seed=0)
        still = np.zeros(own.action_space.shape, np.float32)
        return Pair(lambda: own.step(still), lambda: stock.step(still), close=opened.pop_all().close)


def _collection(inputs: BenchInputs, graspable: bool) -> tuple[ObjectSet, WorkerSpec]:
    """Return the objects, and what a worker of a collection has to know.

    :raises MissingExtraError, RendererError, MissingAssetsError: when scenes cannot be made here
    """
    prepare_simulator()
    folder = inputs.folder / f"scenes, graspable={graspable}"
    ensure_dir(folder / SHARD_FOLDER)
    config = CollectConfig(
        split="ood",
        scenes=_SCENES * _MOST_SHARDS,
        shard_size=_SCENES,
        image_size=_SIDE,
        graspable=graspable,
        objects=inputs.config.objects,
        out=str(folder),
    )
    objects = load_object_set(config.objects)
    manifest = plan(config, objects, current_versions())
    return objects, WorkerSpec(partial(simulator_source, objects, config.clutter, manifest), folder, manifest)


def _stock(inputs: BenchInputs, objects: ObjectSet) -> Any:
    """Return the stock environment with piles of the same objects."""
    from pickclutter_lang.envs.stock import make_stock

    return make_stock(objects.root, _episodes(inputs), obs_mode="rgbd")


def _episodes(inputs: BenchInputs) -> Path:
    """Return a file of piles as ManiSkill2 reads them, made at first use."""
    path = inputs.folder / "episodes.json"
    if not path.is_file():
        _, spec = _collection(inputs, graspable=False)
        source, ids = spec.make_source(), [item.model_id for item in spec.manifest.objects]
        rows = [source.generate(1, "ood", number) for number in range(_NUM_EPISODES)]
        path.write_text(json.dumps([episode(row, ids) for row in rows]))
    return path


MAKERS: dict[str, Callable[[BenchInputs], Pair]] = {
    "scenes/plain": partial(_scenes, False),
    "scenes/graspable": partial(_scenes, True),
    "env/step": _step,
}
"""Name of a row -> what makes its pair."""
