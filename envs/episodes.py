"""Episodes of the environment: their piles, from a file or by physics, and the task that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.datasets.scenes.episodes import check_episode, episode, read_episodes
from pickclutter_lang.envs.generation.pile_sampling import SPLIT_OBJECTS, Pile, PileConfig, split_label_indices
from pickclutter_lang.envs.generation.scene_generator import SceneGenerator
from pickclutter_lang.envs.randomization import (
    AppearanceConfig,
    HandCameraConfig,
    episode_view_rng,
    read_settings,
    view_rng,
)
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.instructions import INSTRUCTION_TEMPLATES
from pickclutter_lang.objects.catalog import Catalog, CatalogObject, paper_catalog
from pickclutter_lang.objects.object_sets import (
    ObjectsConfig,
    ObjectSet,
    ObjectSource,
    is_kinds,
    is_own,
    kinds_of_instances,
    sources_of,
    with_distractors,
)
from pickclutter_lang.utils.typing import FloatArray
from pickclutter_lang.utils.validation import one_of, within

Episode = Mapping[str, Any]
ENDLESS = 2**31 - 1
GOAL_M = 0.025
"""Distance from the goal within which an object is placed, meters."""
LIFTED_M = 0.05
"""Height above its start from which a held object counts as picked, meters; a policy decides how far it lifts."""
NOWHERE = (0.0, 0.0, -10.0)
"""Where the mark of an absent target is."""
_LANGUAGE_STREAM = 0x1A46
# `episode_idx` and `reconfigure` are mani_skill2's own; the scene is rebuilt at each reset in any case.
OPTIONS = ("episode", "target", "template", "episode_idx", "reconfigure")


class ProceduralEpisodes(Sequence[Episode]):
    """Endless episodes: number k is the scene (seed, split, k) of the scene store, dropped at its first use."""

    def __init__(self, maker: SceneGenerator, seed: int, split: str) -> None:
        self._maker = maker
        self._seed = seed
        self._split = split

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, index: Any) -> Any:
        row = self._maker.generate(self._seed, self._split, int(index))
        return episode(row, self._maker.objects.actor_ids)


@lru_cache(maxsize=4)
def shared_generator(objects: ObjectsConfig, object_split: int, config: PileConfig) -> SceneGenerator:
    """Return the process's scene generator for an object set; it keeps meshes loaded, so environments share it."""
    return SceneGenerator(objects.load_objects(object_split), config)


@dataclass(frozen=True)
class TaskConfig:
    """The arguments that the environments of both simulators have."""

    objects: ObjectSource = "proxy"
    """`proxy`, `ycb`, `kinds`, a folder of one's own objects, or a list of sets to mix."""
    objects_root: str | Path | None = None
    """Folder of the object set, by default as in `load_object_set`."""
    kinds: Sequence[str] = ()
    """For `kinds` and distractors: their names, by default all."""
    instances: int = 50
    """For `kinds` and distractors: instances of each in the piles of a split, see `KindSet`."""
    distractors: float = 0.0
    """Share of a dropped pile's objects that are instances of kinds without a label, in [0, 1)."""
    episode_json: str | Path | None = None
    """An episode file, such as `episodes.json.gz` of a scene store; None: piles are dropped at each reset."""
    split: str = "ood"
    """Whose objects lie in dropped piles, and which names instructions use for absent objects: `train` and `id` those
    of Y_id (14 of the paper's 26), `ood` and `fewshot` all."""
    object_split: int = 0
    """Which objects are in Y_id, see `unseen_objects`, and `load_own_set` for one's own."""
    pile_seed: int = 0
    """Seed of dropped piles; pile k is scene k of the store with that seed and split."""
    absent_probability: float = 0.25
    """Of an instruction that names an object which is not in the pile, in [0, 1]."""
    min_objects: int = 4
    """Minimum number of objects of a dropped pile."""
    max_objects: int = 10
    """Maximum number of objects of a dropped pile, up to 10."""
    camera: HandCameraConfig | Mapping[str, Any] | None = None
    """Settings of the hand camera, also as a dictionary."""
    appearance: AppearanceConfig | Mapping[str, Any] | None = None
    """Lights, table and background, also as a dictionary. Of ranges, dropped pile k has what scene k of the store has;
    other episodes draw by the seed of `reset`."""

    def validate(self) -> None:
        """Raise `InvalidArgumentError` for values outside their range."""
        within("absent_probability", self.absent_probability, 0.0, 1.0)
        one_of("split", self.split, tuple(SPLIT_OBJECTS))

    def read_views(self) -> tuple[HandCameraConfig, AppearanceConfig]:
        """Return the camera and the appearance from which episodes draw."""
        return read_settings(HandCameraConfig, self.camera), read_settings(AppearanceConfig, self.appearance)

    def open_episodes(self, camera: HandCameraConfig) -> tuple[ObjectSet, Sequence[Episode]]:
        """Return the object set and the episodes: those of a file, or piles that are dropped."""
        root = None if self.objects_root is None else str(self.objects_root)
        objects = ObjectsConfig(sources_of(self.objects), root, tuple(self.kinds), self.instances, self.distractors)
        fewest, most = self.min_objects, self.max_objects
        piles = PileConfig(fewest, most, graspable=False, camera=camera, distractors=self.distractors)
        piles.validate()
        if self.episode_json is None:
            maker = shared_generator(objects, self.object_split, piles)
            return maker.objects, ProceduralEpisodes(maker, self.pile_seed, self.split)
        episodes = read_episodes(self.episode_json)
        if objects.distractors:  # these are the file's
            objects = ObjectsConfig(objects.objects, objects.objects_root)
        return objects_of(episodes, objects, self.object_split), episodes


def objects_of(episodes: Sequence[Episode], objects: ObjectsConfig, object_split: int) -> ObjectSet:
    """Load the object set of an episode file: the paper's 26 and the others in it, kinds, or one's own objects.

    Instances of kinds that lie among other objects are distractors.

    :raises MissingAssetsError, UnknownObjectError: when the set lacks an object of the episodes
    :raises InvalidArgumentError: when a label means a kind that is to be a distractor
    """
    source = objects.objects
    model_ids = sorted({actor["model_id"] for one in episodes for actor in one["actors"]})
    of_kinds = {} if is_kinds(source) else kinds_of_instances(model_ids)
    ids = None
    if not is_own(source) and not is_kinds(source):
        paper = paper_catalog().model_ids
        ids = paper + sorted(set(model_ids) - set(paper) - set(of_kinds))
    found = objects.load_objects(object_split, ids)
    distractors = sorted({name for model_id, name in of_kinds.items() if model_id not in found.catalog.model_ids})
    if distractors:
        found = with_distractors(found, distractors)
    for model_id in model_ids:
        found.label_index(model_id)
    return found


def pile_of(
    model_ids: Sequence[str], poses: FloatArray, objects: ObjectSet, scales: Sequence[float] | None = None
) -> Pile:
    """Return objects as a pile: labels and models of their ids, and poses [n, 7].

    :param scales: factors on their meshes. None: those of the object set
    """
    label_indices = np.array([objects.label_index(model_id) for model_id in model_ids], np.int64)
    models = [objects.model(model_id) for model_id in model_ids]
    if scales is not None:
        models = [replace(model, scale=float(scale)) for model, scale in zip(models, scales, strict=True)]
    return Pile(label_indices, tuple(models), poses)


@dataclass(frozen=True)
class ResetOptions:
    """What `reset(options=...)` fixes; None leaves it to the random generator.

    `episode` is a number or an episode in ManiSkill2's form, `target` an object, or a function that returns the name of
    one, or None, once the pile lies; `template` a text with `{name}`.
    """

    episode: int | Episode | None = None
    target: CatalogObject | Callable[[], str | None] | None = None
    template: str | None = None

    def chosen(self, catalog: Catalog) -> ResetOptions:
        """Return the options with the target that the function names.

        :raises UnknownObjectError: for a name that the catalog does not have
        """
        if not callable(self.target):
            return self
        name = self.target()
        return replace(self, target=None if name is None else catalog.find(name))


@dataclass(frozen=True)
class EpisodeTask:
    """The instruction of an episode and its object, whose actor is `instance_id`, None where it is absent.

    Object-specific observations are those of the actor `shown`, another one for an absent object, and begin at its
    point `start` [3]. `visible` and `graspable` are true of a target before the arm moves.
    """

    instruction: str
    target: CatalogObject
    instance_id: int | None
    shown: int = 0
    start: FloatArray | None = None
    visible: bool = False
    graspable: bool = False

    def info(self) -> dict[str, Any]:
        """Return what `info` has of the task."""
        return {
            "instruction": self.instruction,
            "target_name": self.target.name,
            "target_present": self.instance_id is not None,
            "target_visible": self.visible,
            "target_graspable": self.graspable,
        }


class TaskEnv:
    """What the environments of both simulators have: arguments, the view of an episode, and what they tell of its task.

    `camera` and `appearance` are those of the episode.
    """

    object_set: ObjectSet
    episodes: Sequence[Episode]
    camera: HandCameraConfig
    appearance: AppearanceConfig
    _task: EpisodeTask

    def _take(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Take the arguments of `TaskConfig`; return the others."""
        names = {item.name for item in fields(TaskConfig)}
        self.config = TaskConfig(**{key: value for key, value in arguments.items() if key in names})
        self.config.validate()
        self._views, self._request = self.config.read_views(), ResetOptions()
        self.object_set, self.episodes = self.config.open_episodes(self._views[0])
        return {key: value for key, value in arguments.items() if key not in names}

    def _draw_view(self, episode_seed: int, dropped: int | None) -> None:
        """Draw camera and appearance of the episode that is about to be built.

        :param dropped: its number, of which the draws are the scene's; None of an episode that is given
        """
        rng = episode_view_rng(episode_seed)
        if dropped is not None and isinstance(self.episodes, ProceduralEpisodes):
            rng = view_rng(self.config.pile_seed, self.config.split, dropped)
        camera, appearance = self._views
        self.camera, self.appearance = camera.draw(rng), appearance.draw(rng)

    @property
    def catalog(self) -> Catalog:
        """The objects that an instruction may name: the kinds, one's own, or the 26 and those of the episode file."""
        return self.object_set.catalog

    @property
    def actor_ids(self) -> list[int]:
        """The number of each object in segmentations, in the order of the pile."""
        raise NotImplementedError

    @property
    def target_id(self) -> int:
        """The number in segmentations of the object that object-specific observations are of."""
        return self.actor_ids[self._task.shown]

    @property
    def instruction(self) -> str:
        """The instruction of the episode."""
        return self._task.instruction

    task_description = instruction  # as LeRobot and vla-evaluation-harness ask for it

    @property
    def target_name(self) -> str:
        """Display name of the object that the instruction names."""
        return self._task.target.name

    @property
    def target_present(self) -> bool:
        """Whether that object is in the pile."""
        return self._task.instance_id is not None

    @property
    def target_visible(self) -> bool:
        """Whether the hand camera sees it before the arm moves."""
        return self._task.visible

    @property
    def target_graspable(self) -> bool:
        """Whether it is visible and the gripper has a free and reachable grasp of it before the arm moves."""
        return self._task.graspable


def is_picked(center: FloatArray, start_height: float, goal: FloatArray, held: Callable[[], bool]) -> bool:
    """Return whether an object whose center [3] is given is at the goal [3], or held and lifted from its start."""
    at_goal = np.linalg.norm(goal - center) <= GOAL_M
    return bool(at_goal or (center[2] - start_height > LIFTED_M and held()))


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
    if target is not None and not isinstance(target, str) and not callable(target):
        raise InvalidArgumentError(f"expected options['target'] to be an object's name or id, but got {target!r}")
    found = catalog.find(target) if isinstance(target, str) else target
    return ResetOptions(episode, found, _template(options.get("template")))


def draw_task(
    objects: ObjectSet,
    config: TaskConfig,
    actors: Sequence[Mapping[str, Any]],
    centers: Callable[[int], FloatArray],
    request: ResetOptions,
    seed: int,
    rng: np.random.RandomState,
) -> EpisodeTask:
    """Draw the task of an episode, target and start as ManiSkill2 does; language draws from a generator of its own.

    A target that is asked for shifts no other draw: its start is drawn apart.

    :param actors: of the episode
    :param centers: from an actor's number to its center of mass [3], where it starts if the hand camera sees no point
    :param seed: of the episode
    :param rng: the episode's generator
    """

    def start_of(instance_id: int, generator: np.random.RandomState) -> FloatArray:
        points = actors[instance_id]["rep_pts"]
        return np.asarray(_choice([centers(instance_id)] if points is None else points, generator))

    catalog = objects.catalog
    pile = [objects.model(actor["model_id"]) for actor in actors]
    drawn = _choice(target_candidates(pile, actors, catalog), rng)
    here = {item.name for item in pile}
    allowed = [catalog[index] for index in split_label_indices(catalog, config.split)]
    others = [item for item in allowed if item.name not in here]
    absent = config.absent_probability if pile[drawn].name in catalog.names else 1.0
    language = np.random.default_rng([seed, _LANGUAGE_STREAM])
    task = sample_task(pile, drawn, others, absent, request.chosen(catalog), language)
    shown = drawn
    start = start_of(drawn, rng)
    if task.instance_id not in (None, drawn):
        shown = task.instance_id
        start = start_of(task.instance_id, np.random.RandomState(seed))
    visible = task.instance_id is not None and actors[task.instance_id]["rep_pts"] is not None
    return replace(task, shown=shown, start=start, visible=visible)


def _choice(items: Sequence[Any], rng: np.random.RandomState) -> Any:
    """Choose as mani_skill2's `random_choice` does."""
    return items[0] if len(items) == 1 else items[rng.randint(len(items))]


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
    if isinstance(request.target, CatalogObject):
        target = request.target
    elif absent and absent_objects:
        target = absent_objects[absent_index]
    found: int | None = instance_id
    if target is not pile[instance_id]:
        found = next((number for number, item in enumerate(pile) if item.name == target.name), None)
    return EpisodeTask((request.template or template).format(name=target.name), target, found)


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
    """Return a text whose only placeholder is `{name}`."""
    if value is None or (isinstance(value, str) and value.strip()):
        return value and value.replace("{", "{{").replace("}", "}}").replace("{{name}}", "{name}")
    if isinstance(value, str):
        raise InvalidArgumentError("expected options['template'] to be a text or a number, but got an empty text")
    return INSTRUCTION_TEMPLATES[_index(value, len(INSTRUCTION_TEMPLATES), "options['template']")]
