"""A policy that asks a large vision-language model where it is unsure, and learns from the answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError, LanguageModelError
from pickclutter_lang.labeling.large_model import Answer, LargeModel, with_synonyms
from pickclutter_lang.labeling.picture import NumberedPicture, draw_numbered
from pickclutter_lang.language.chat import ChatConfig
from pickclutter_lang.policy.detectors import THRESHOLD, Detection, StudentDetector
from pickclutter_lang.policy.example_memory import ExampleMemory, load_examples
from pickclutter_lang.policy.label_guard import trusted
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, encode_example
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_folder.folder import EXAMPLES_FILE
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.typing import Float32Array
from pickclutter_lang.utils.validation import check_path, check_values, within

UNSURE = (0.1, 0.9)
"""Scores of a taught name between which the model is asked."""
_SHOTS = 12
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AskConfig(ChatConfig):
    """A large vision-language model that is asked where the policy is unsure."""

    model: str = ""
    """Name of the model at the server. Empty: nobody is asked."""
    names: tuple[str, ...] = ()
    """Names of the question, beside the one that is asked for and those that were taught: what may lie there."""
    max_questions: int | None = None
    """Most questions. null: as many as there are doubts."""
    timeout_s: Annotated[float, within, 1.0, 3600.0] = 20.0
    """Longest wait for a reply, seconds; then the policy decides by itself."""
    answers: Annotated[str | None, check_path] = None
    """File of JSON lines with all answers, so that no picture is asked again. null: they are not kept."""
    yes: bool = False
    """Send pictures to a server that is not this machine."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self)
        if self.model:
            super().validate()
            if not (self.yes or self.is_local):
                raise InvalidArgumentError(
                    f"pictures would leave this machine, to {self.host}: ask.yes=true sends them"
                )

    def detector(
        self, student: StudentRuntime, threshold: float = THRESHOLD, keep: Path | None = None
    ) -> StudentDetector:
        """Return the detector of a student, one that asks where there is a model."""
        if not self.model:
            return StudentDetector(student, threshold)
        server = self.base_url, self.api_key_env, self.temperature
        model = LargeModel(self.model, *server, self.timeout_s, self.answers, retries=0)
        return AskingDetector(student, model, self.names, self.max_questions, threshold=threshold, keep=keep)


class AskingDetector(StudentDetector):
    """A student that asks about a view where a name was never taught, or its score is between two bounds.

    One question is about all segments, and all that the answer names is learned, as far as it fits to what was learned
    before. The answer decides. Without one, as when the server is gone, the student decides by itself.
    """

    def __init__(
        self,
        student: StudentRuntime,
        model: LargeModel,
        names: Sequence[str] = (),
        max_questions: int | None = None,
        unsure: tuple[float, float] = UNSURE,
        threshold: float = THRESHOLD,
        keep: Path | None = None,
    ) -> None:
        """Take a student of the hand camera, and who is asked.

        :param names: what may lie there; taught names, and the one that is asked for, are in each question too
        :param unsure: scores of a taught name between which the model is asked
        :param keep: folder that has what is learned, also from earlier
        :raises PickClutterError: what `StudentDetector` raises; CheckpointError for a damaged memory in `keep`
        """
        super().__init__(student, threshold)
        self.model = model
        self.max_questions = max_questions
        self._names = names
        self._unsure = unsure
        self._keep = keep
        self.asked = list[Answer | None]()
        """Of each view so far the answer, None where nothing was asked or answered."""
        self.last_answered: tuple[NumberedPicture, Answer] | None = None
        """The last picture with an answer, whose names are those of its numbers."""
        self._read_kept()

    def _read_kept(self) -> None:
        """Take what the folder that keeps it has."""
        if self._keep is not None and (self._keep / EXAMPLES_FILE).exists():
            self.student.examples = load_examples(self._keep)

    @property
    def questions(self) -> int:
        """How many views were asked about."""
        return sum(answer is not None for answer in self.asked)

    @property
    def names(self) -> Sequence[str]:
        """What it was taught, what may lie there, and names whose text features are known."""
        return list(dict.fromkeys([*self._names, *super().names]))

    def decide(self, view: View, names: Sequence[str]) -> list[Detection]:
        """Decide as the student does, and ask about names that are in doubt."""
        found = super().decide(view, names)
        low, high = self._unsure
        taught = [self.query(name).taught for name in names]
        doubts = [not of or low < one.score < high for of, one in zip(taught, found, strict=True)]
        spent = self.max_questions is not None and self.questions >= self.max_questions
        if not any(doubts) or spent or not view.segmented or not len(view.numbers):
            self.asked.append(None)
            return found
        spelled = [self.student.examples.spelled(name) for name in names]
        answer = self._ask(view, spelled)
        self.asked.append(answer)
        if answer is None:
            return found
        return [
            self._answered(view, answer, name, one) if doubt else one
            for name, one, doubt in zip(spelled, found, doubts, strict=True)
        ]

    def _ask(self, view: View, names: Sequence[str]) -> Answer | None:
        """Ask about a view, and learn from the answer; None where there is none."""
        masks = [view.mask(segment) for segment in range(len(view.numbers))]
        picture = draw_numbered(view.rgb, masks)
        listed = list(dict.fromkeys([*self._names, *self.student.examples.taught, *names]))
        try:
            answer = self.model.ask(picture, with_synonyms(listed))
        except LanguageModelError as error:
            _log.warning("the policy decides by itself: %s", error)
            return None
        self.last_answered = picture, answer
        said: list[str | None] = [None] * len(masks)
        for segment, name in zip(picture.segments, answer.names, strict=True):
            said[segment] = name
        keys = [
            (name, encode_example(self.student, Example(view.rgb, masks[segment]))[0])
            for segment, name in enumerate(said)
            if name is not None
        ]
        _log.info("%s", in_words(answer))
        if self._keep is None:
            self.student.remember(lambda examples: _learned(examples, keys, answer.source))
        else:
            with dir_lock(self._keep):
                self._read_kept()  # another command may have taught it meanwhile
                self.student.remember(lambda examples: _learned(examples, keys, answer.source))
                self.student.examples.save(self._keep)
        return replace(answer, names=tuple(said))

    def _answered(self, view: View, answer: Answer, name: str, found: Detection) -> Detection:
        """Return the detection of a name by an answer, whose names are those of the segments of the view."""
        sizes = [int(view.mask(n).sum()) if said == name else 0 for n, said in enumerate(answer.names)]
        if not any(sizes):
            return found._replace(score=0.0)
        mask = view.mask(int(np.argmax(sizes)))
        return Detection(1.0, found.threshold, mask, mask / mask.sum())


def in_words(answer: Answer) -> str:
    """Return what a model said of a view in a sentence."""
    named = [f"{number} {name}" for number, name in enumerate(answer.names, 1) if name is not None]
    return f"{answer.model} was asked about {len(answer.names)} segments: {', '.join(named) or 'it named none'}"


def _learned(examples: ExampleMemory, keys: Sequence[tuple[str, Float32Array]], source: str) -> ExampleMemory:
    """Return a memory with further examples of a model, without those of models that do not fit to the others."""
    for name, key in keys:
        if examples.count(name) < _SHOTS:
            examples = examples.add(name, key, np.zeros((0, key.shape[1]), np.float32), source)
    return examples.only(trusted(examples, np.array([bool(one) for one in examples.source_of], bool)))
