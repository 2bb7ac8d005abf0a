"""The task of an episode: an instruction, and the object it names, which is in the pile or absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from pickclutter_lang.envs.episodes import Episode, check_episode
from pickclutter_lang.envs.generation.pile_sampling import SPLIT_OBJECTS
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES
from pickclutter_lang.objects.catalog import Catalog, CatalogObject

# `episode_idx` and `reconfigure` are mani_skill2's own; the scene is rebuilt at each reset in any case.
OPTIONS = ("episode", "target", "template", "episode_idx", "reconfigure")


@dataclass(frozen=True)
class ResetOptions:
    """What `reset(options=...)` fixes; None leaves it to the random generator.

    `episode` is a number or an episode in ManiSkill2's form, `target` an object, `template` a text with `{name}`.
    """

    episode: int | Episode | None = None
    target: CatalogObject | None = None
    template: str | None = None


@dataclass(frozen=True)
class EpisodeTask:
    """The instruction of an episode and its object; `instance_id` is that of its actor, None where it is absent."""

    instruction: str
    target: CatalogObject
    instance_id: int | None


def check_arguments(absent_probability: float, split: str) -> None:
    """Raise InvalidArgumentError for arguments of the environment outside their range."""
    if not 0 <= absent_probability <= 1:
        raise InvalidArgumentError(f"expected absent_probability in [0, 1], but got {absent_probability}")
    if split not in SPLIT_OBJECTS:
        raise InvalidArgumentError(f"expected a split out of {', '.join(SPLIT_OBJECTS)}, but got {split!r}")


def parse_options(options: Mapping[str, Any] | None, catalog: Catalog, episodes: int) -> ResetOptions:
    """Check the options of a reset.

    :raises InvalidArgumentError: for an unknown option, or a value outside its range
    :raises UnknownObjectError: for a target that the catalog does not have
    """
    options = options or {}
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise InvalidArgumentError(f"expected reset options out of {', '.join(OPTIONS)}, but got {', '.join(unknown)}")
    episode = options.get("episode", options.get("episode_idx"))
    if isinstance(episode, Mapping):
        check_episode(episode, "options['episode']")
    elif episode is not None:
        episode = _index(episode, episodes, "options['episode']")
    target = options.get("target")
    if target is not None and not isinstance(target, str):
        raise InvalidArgumentError(f"expected options['target'] to be an object's name or id, but got {target!r}")
    found = None if target is None else catalog.find(target)
    return ResetOptions(episode, found, _template(options.get("template")))


def sample_task(
    pile: Sequence[CatalogObject],
    instance_id: int,
    absent_objects: Sequence[CatalogObject],
    absent_probability: float,
    request: ResetOptions,
    rng: np.random.Generator,
) -> EpisodeTask:
    """Choose target and instruction of an episode.

    Everything is drawn in any case, so that an option changes nothing but what it fixes.

    :param pile: the objects of the pile, by actor
    :param instance_id: the actor that is the target unless an absent object or the request's is
    :param absent_objects: the objects that an instruction may name although they are not in the pile
    """
    absent = bool(rng.random() < absent_probability)
    absent_index = int(rng.integers(max(1, len(absent_objects))))
    template = INSTRUCTION_TEMPLATES[int(rng.integers(len(INSTRUCTION_TEMPLATES)))]
    target = pile[instance_id]
    if request.target is not None:
        target = request.target
    elif absent and absent_objects:
        target = absent_objects[absent_index]
    names = [item.name for item in pile]
    if target is not pile[instance_id]:
        instance_id_of_target = names.index(target.name) if target.name in names else None
    else:
        instance_id_of_target = instance_id
    instruction = (request.template or template).format(name=target.name)
    return EpisodeTask(instruction, target, instance_id_of_target)


def target_candidates(
    pile: Sequence[CatalogObject], actors: Sequence[Mapping[str, Any]], catalog: Catalog
) -> list[int]:
    """Return the actors of which the target is drawn: the visible ones, or else all. Distractors are left out.

    :param pile: the objects of the pile, by actor
    :return: every actor where none has a label, as only in a pile that is given
    """
    labeled = [instance_id for instance_id, item in enumerate(pile) if item.name in catalog.names]
    visible = [instance_id for instance_id in labeled if actors[instance_id]["rep_pts"] is not None]
    return visible or labeled or list(range(len(pile)))


def _index(value: Any, count: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < count:
        raise InvalidArgumentError(f"expected {what} to be an integer from 0 to {count - 1}, but got {value!r}")
    return int(value)


def _template(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return _escaped(value)
    if isinstance(value, str):
        raise InvalidArgumentError("expected options['template'] to be a text or a number, but got an empty text")
    return INSTRUCTION_TEMPLATES[_index(value, len(INSTRUCTION_TEMPLATES), "options['template']")]


def _escaped(text: str | None) -> str | None:
    """Keep `{name}` as the only placeholder of a text."""
    if text is None:
        return None
    return text.replace("{", "{{").replace("}", "}}").replace("{{name}}", "{name}")
