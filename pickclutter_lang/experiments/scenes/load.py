"""A finished run, opened for use."""

from __future__ import annotations

from collections.abc import Sequence

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.command_configs import TrainedRunConfig
from pickclutter_lang.experiments.scenes.config import EvaluateConfig
from pickclutter_lang.experiments.scenes.scene_run import SceneRun, load_run_config


def load_trained_run(config: TrainedRunConfig) -> SceneRun:
    """Return a run with the weights of a phase, on the CPU and in eval mode.

    :raises PickClutterError: CheckpointError when there is no run or the phase is not finished; what `Run.open` raises
    """
    request = EvaluateConfig(run=config.run, scenes=config.scenes, num_threads=config.num_threads, device="cpu")
    run = SceneRun.open(load_run_config(request))
    run.load_weights(config.phase)
    return run


def validate_label_names(names: Sequence[str]) -> list[str]:
    """Return names of labels without space around them.

    :raises InvalidArgumentError: when there is none, one is empty, or one is there twice
    """
    cleaned = [name.strip() for name in names]
    if not cleaned or not all(cleaned):
        raise InvalidArgumentError(f"expected one name or more, none of them empty, but got {list(names)}")
    twice = sorted({name for name in cleaned if cleaned.count(name) > 1})
    if twice:
        raise InvalidArgumentError(f"expected each name once, but got {', '.join(twice)} more than once")
    return cleaned
