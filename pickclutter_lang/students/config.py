"""Configuration of the student: network, prompts and label texts."""

from __future__ import annotations

from dataclasses import dataclass

from pickclutter_lang.utils.validation import above, at_least, one_of


@dataclass
class StudentConfig:
    """Network, output stride (null: the library's default), and temperature of the spatial softmax.

    See `pickclutter_lang.students.build_student` for the other keys.
    """

    name: str
    output_stride: int | None
    pretrained: bool
    dropout: bool
    temperature: float
    activation_checkpointing: bool = False  # absent in runs of 0.1.0

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.output_stride is not None:
            one_of("student.output_stride", self.output_stride, (8, 16, 32))
        above("student.temperature", self.temperature, 0.0)


@dataclass
class PromptConfig:
    """How labels are encoded.

    `n_ctx` context vectors are learned for each of the positive and the negative prompt. They start from the texts
    `positive_init` and `negative_init` (null: random vectors). `descriptions` follow a label's name: none (null), the
    catalog's sentence (`catalog`), or a style or file (see `pickclutter_lang.language.descriptions`).
    `extra_descriptions` are more of them: each label of a training batch gets one of all at random, evaluation takes
    the mean of their features. A text that exceeds the teacher's context is an error unless `truncate` is set. With
    `closed_set` each label is a learned vector without any text.
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
