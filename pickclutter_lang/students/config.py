"""The student's network and its prompts."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.utils.validation import above, at_least, one_of


@dataclass
class StudentConfig:
    """Network, input size over map size (null: as its library has it), temperature of the spatial softmax.

    See `pickclutter_lang.students.build_student` for names, `pretrained`, `dropout` and `recompute`.
    """

    name: str
    output_stride: int | None
    pretrained: bool
    dropout: bool
    temperature: float
    activation_checkpointing: bool = False  # runs of before are without

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.output_stride is not None:
            one_of("student.output_stride", self.output_stride, (8, 16, 32))
        above("student.temperature", self.temperature, 0.0)


@dataclass
class PromptConfig:
    """What stands for a label.

    `tokens` context vectors are learned for each of the positive and the negative prompt, from the words `positive` and
    `negative` on (null: random numbers). `descriptions` says what follows a label's name: nothing (null), the
    catalog's sentence (`catalog`), or a file or style of descriptions (see `pickclutter_lang.language.describe`).
    `variants` are further ones: in training, each label of a batch is told by one of them all, drawn at random, and
    afterwards by the mean of their features. A text that is too long for the teacher is an error unless it may be cut
    (`truncate`). With `closed_set` a label is a learned vector and no text at all.
    """

    n_ctx: int
    positive_init: str | None
    negative_init: str | None
    descriptions: str | None
    extra_descriptions: list[str]
    truncate: bool
    closed_set: bool

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        at_least("prompts.n_ctx", self.n_ctx, 1)
