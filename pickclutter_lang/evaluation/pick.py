"""One pick by name: a pile that has what a phrase means, a policy that picks it, and the video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.config import PickConfig
from pickclutter_lang.evaluation.instructions import TYPED, Instruction, Pile
from pickclutter_lang.evaluation.rollout import RolloutConfig, RolloutRunner, Start
from pickclutter_lang.evaluation.videos import SIDE, VideoRecorder
from pickclutter_lang.kinds.kind_set import KindSet
from pickclutter_lang.language.instructions import MODIFIERS, Phrase, instruction, read_name, read_phrase, unread_words
from pickclutter_lang.language.object_attributes import attributes_of
from pickclutter_lang.objects.catalog import CatalogObject
from pickclutter_lang.objects.object_sets import MAX_INSTANCES, ObjectSet, load_object_set
from pickclutter_lang.policy.asking import AskingDetector, in_words
from pickclutter_lang.policy.teacher_detector import TeacherDetector
from pickclutter_lang.utils.io import atomic_write
from pickclutter_lang.utils.progress import track

_DISTRACTORS = 11
_MAX_MEANT = 2
_MAX_PILES = 200
_INSTANCES = 50
_FIRST_INSTANCES = 12


class Pick(NamedTuple):
    """What came of a pick: the pile's objects, the target among them, the episode, a sentence about it."""

    pile: tuple[str, ...]
    target: str
    episode: dict[str, Any]
    outcome: str


def pick(config: PickConfig) -> Pick:
    """Find a pile that has what `config.phrase` means, have it picked, and write the video to `config.out`.

    :raises InvalidArgumentError: for a phrase that means nothing here, or that no pile has
    :raises PickClutterError: what making the environment and loading the policy or teacher raise
    """
    objects = load_object_set(config.objects, config.objects_root)
    known = *objects.catalog.names, *unread_words(objects.catalog)
    phrase = read_phrase(read_name(config.phrase, known), objects.catalog)
    kinds = kinds_of_pile(phrase, objects, config.seed) if isinstance(objects, KindSet) else []
    _check_possible(phrase, objects, kinds)
    variant = "teacher" if config.policy is None else "few_shot"
    policies = {} if config.policy is None else {variant: config.policy}
    runner = RolloutRunner(RolloutConfig.of_command(config, kinds=kinds, instances=_INSTANCES, policies=policies), SIDE)
    start, target = find_pile(runner, phrase, config.seed)
    names = tuple(item.name for item in start.pile.objects)
    if runner.student is None:
        others = [name for name in names if name not in phrase.labels] or [name for name in names if name != target]
        runner.use_detector(variant, _teacher_detector(config.teacher_name, others, config.device))
    elif not config.declare:
        runner.use_detector(variant, config.ask.detector(runner.student, threshold=0.0))
    video = VideoRecorder()
    episode = runner.run(variant, start, video.callback)
    detector = runner.detector(variant)
    if isinstance(detector, AskingDetector) and detector.last_answered is not None:
        picture, answer = detector.last_answered
        video.begin_with_question(picture.pixels, in_words(answer))
    atomic_write(Path(config.out), video.mp4("success" if episode["success"] else "failure"))
    return Pick(names, target, episode, outcome_in_words(episode))


def find_pile(runner: RolloutRunner, phrase: Phrase, seed: int) -> tuple[Start, str]:
    """Start an episode in a pile with a graspable object that a phrase fits; return it, and the object's name.

    The phrase fits no other object of the pile, so that one is right. Each pile is reset once.

    :raises InvalidArgumentError: when there is none among 200 piles
    """
    several = 0

    def ask(pile: Pile) -> Instruction | None:
        nonlocal several
        fitting = [item for item in pile.objects if phrase.fits(item)]
        several += len(fitting) > 1
        if len(fitting) != 1 or fitting[0] not in pile.visible:
            return None
        name = fitting[0].name
        return Instruction(TYPED, instruction(phrase.text, 0), name, name, (name,))

    for number in track(range(seed * _MAX_PILES, (seed + 1) * _MAX_PILES), "piles", transient=True):
        start = runner.start(number, ask)
        if start.asked.kind == TYPED and start.info["target_graspable"]:
            return start, start.asked.target
    raise InvalidArgumentError(
        f"expected words that one object of a pile fits, but none of {_MAX_PILES} piles had one {phrase.text!r} alone "
        f"that the arm can grasp ({several} had several); choose other words, or another seed"
    )


def outcome_in_words(episode: Mapping[str, Any]) -> str:
    """Return what came of a pick in a sentence.

    :param episode: of `RolloutRunner.run`
    """
    name = episode["reference"]
    others = " and the ".join(other for other in episode["picked"] if other != episode["target"])
    if episode["declared_absent"]:
        truth = "it is in the pile" if episode["present"] else "it is not in the pile"
        return f"Predicted absent: the policy declares that there is no {name}" + (
            f", and {truth}." if is_known(episode) else "."
        )
    if episode["success"]:
        return f"Picked: the arm brought the {name} to the goal."
    if not episode["picked"]:
        return f"Not picked: {'the arm lifted nothing' if episode['grasp_found'] else 'no grasp was found'}."
    if not is_known(episode):
        return f"Lifted: what the simulator calls {others}."
    if episode["target"] not in episode["picked"]:
        return f"Wrong object: the arm lifted the {others}, not the {name}."
    if others:
        return f"Not placed: the arm lifted the {others} beside the {name}, and did not bring the {name} to the goal."
    return f"Not placed: the arm lifted the {name}, but did not bring it to the goal."


def next_step(config: PickConfig, found: Pick) -> str:
    """Return the command to try next: the demo, and where the pick failed, how to show the policy the object."""
    objects = config.objects if isinstance(config.objects, str) else ",".join(config.objects)
    demo = f"pickclutter demo policy={config.policy or 'open'} objects={objects}"
    if found.episode["success"] or config.policy is None:
        return demo
    file = found.target.replace(" ", "_")
    teach = f'pickclutter teach policy={config.policy} names="{found.target}" images={file}.jpg out=mine'
    return f"{demo}, where a click teaches it, or by a photo: {teach}"


def is_known(episode: Mapping[str, Any]) -> bool:
    """Return whether the simulator has an object of the name, in the pile or not, or one that is meant by it."""
    return bool(episode["reference"] == episode["target"] or episode["expected"])


def _check_possible(phrase: Phrase, objects: ObjectSet, kinds: Sequence[str]) -> None:
    """Raise InvalidArgumentError where no object can be what a phrase says, before 200 piles are dropped for it."""
    items: list[CatalogObject] = [item for item in objects.catalog if item.name in phrase.labels]
    if isinstance(objects, KindSet) and phrase.modifiers:
        items = [item for kind in items if kind.name in kinds for item in _instances(objects, kind, _INSTANCES)]
    if phrase.modifiers and not any(phrase.fits(item) for item in items):
        tags = {tag.partition(":")[::2] for item in items for tag in attributes_of(item).tags}
        words = sorted({word for group, word in tags if group in MODIFIERS})
        raise InvalidArgumentError(
            f"expected colors, materials or shapes that are true of what {phrase.text!r} means, such as "
            f"{', '.join(words[:20])}, but got {' '.join(phrase.modifiers)!r}"
        )


def _instances(objects: KindSet, kind: CatalogObject, count: int) -> Iterator[CatalogObject]:
    """Yield instances of a kind that no teacher was trained on."""
    return (objects.model(f"{kind.model_id}-{seed}") for seed in range(MAX_INSTANCES, MAX_INSTANCES + count))


def kinds_of_pile(phrase: Phrase, objects: KindSet, seed: int) -> list[str]:
    """Return the kinds of the piles: some that are meant, of which instances can be what is said, and distractors."""
    rng = np.random.default_rng(seed)
    meant = [objects.catalog.find(str(name)) for name in rng.permutation(phrase.labels)]
    if phrase.modifiers and len(meant) > _MAX_MEANT:
        for count in (_FIRST_INSTANCES, _INSTANCES):  # a rare color takes a longer look
            fitting = (kind for kind in meant if any(map(phrase.fits, _instances(objects, kind, count))))
            if found := [*islice(fitting, _MAX_MEANT)]:
                meant = found
                break
    names = [kind.name for kind in meant[:_MAX_MEANT]]
    others = [name for name in objects.catalog.names if name not in phrase.labels]
    others = others or [name for name in objects.catalog.names if name not in names]  # a color means all labels
    return [*names, *(str(name) for name in rng.permutation(others)[:_DISTRACTORS])]


def _teacher_detector(name: str, others: Sequence[str], device: str) -> TeacherDetector:
    """Return the embedded teacher, which points to the likeliest segment: it has no calibrated threshold.

    :param others: names of the pile that the phrase does not mean, its rivals
    """
    from pickclutter_lang.teachers.factory import load_teacher  # open_clip takes seconds to import

    return TeacherDetector(load_teacher(name, device=device), others, None)
