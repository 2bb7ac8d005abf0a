"""Configuration of the student: network, prompts and label texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.descriptions import DESCRIPTION_TEMPLATE
from pickclutter_lang.utils.constants import TEMPERATURE
from pickclutter_lang.utils.validation import at_least, check_values, has_fields, one_of, within

TEMPERATURES = (1e-3, 1e3)
"""Least and largest temperature of the spatial softmax; near 0 its input overflows."""
NEGATIVE_ATTENTIONS = ("positive", "own")
"""Attention of the negative prompts: that of the positive ones, or one of their own."""


@dataclass
class StudentConfig:
    """The network of a student; see `pickclutter_lang.students.build_student`."""

    name: str = "timm/resnet10t"
    """`efficientnet_b0`, `small_resnet`, `pocket`, `timm/<name>`, or your own `module:attribute`."""
    output_stride: Annotated[int, one_of, (8, 16, 32)] | None = 16
    """Image size over size of the feature map: 8, 16 or 32. null: as the network's library has it."""
    pretrained: bool = False
    """Start from the library's ImageNet weights, `pocket` from those of the embedded teacher."""
    dropout: bool = True
    """Keep the random draws of the network: dropout, drop connect, stochastic depth."""
    temperature: Annotated[float, within, TEMPERATURES[0], TEMPERATURES[1]] = TEMPERATURE
    """Temperature of the spatial softmax that pools the feature map for a label."""
    negative_attention: Annotated[str, one_of, NEGATIVE_ATTENTIONS] = "positive"
    """Map that pools the negative prompt: that of the `positive` one, or its `own`, as in the paper's program."""
    activation_checkpointing: bool = False
    """Recompute activations in the backward pass: a third of the memory, one more forward pass."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        check_values(self, "student.")
        if self.name == "pocket" and not self.pretrained:
            raise InvalidArgumentError(
                "expected student.pretrained=true for pocket, whose first stages stay as they are, but got false; "
                "student=pocket sets it"
            )


@dataclass
class PromptConfig:
    """A positive and a negative prompt for each label (section 7 of the paper)."""

    n_ctx: Annotated[int, at_least, 1] = 8
    """Learned context vectors in each prompt."""
    positive_init: str | None = "a photo of a table with a"
    """Words that the positive context starts from. null: random vectors."""
    negative_init: str | None = "a picture of a table without a"
    """Words that the negative context starts from. null: random vectors."""
    descriptions: str | None = None
    """Text after a label's name: null, a .json file, or a style. `blind`, `blind_succinct`, `blind_detailed` and
    `blind_distinct` were written from only the names; `catalog`, `standard`, `succinct`, `detailed` and `distinct`
    with images at hand."""
    extra_descriptions: list[str] = field(default_factory=list)
    """More descriptions. Training draws one for each label of a batch. Evaluation averages their features."""
    description_template: Annotated[str, has_fields, "name", "description"] = DESCRIPTION_TEMPLATE
    """How a label's name and its description are joined."""
    descriptions_of: Annotated[str, one_of, ("own", "other")] = "own"
    """`own`, or as a control `other`: each label gets those of another one of Y_id or of Y_ood, drawn by the seed."""
    truncate: bool = False
    """Cut texts that are too long for the teacher, instead of an error."""
    closed_set: bool = False
    """A learned vector for each label instead of text."""

    @property
    def sources(self) -> list[str]:
        """Styles and files of all descriptions; a closed set reads none."""
        if self.closed_set:
            return []
        return [*([self.descriptions] if self.descriptions else []), *self.extra_descriptions]

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        if self.descriptions_of == "other" and not self.sources:
            raise InvalidArgumentError(
                "expected prompts.descriptions with prompts.descriptions_of=other, but there are none to exchange"
            )
