"""Class encoders: class names to features, by fixed prompts, learned prompts (CoOp), or learned vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.datasets.images import ImageClass
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.experiments.images.config import ClassTextConfig
from pickclutter_lang.language.descriptions import DESCRIPTION_TEMPLATE, STYLES, describe, read_descriptions
from pickclutter_lang.language.prompts import LearnedPrompts
from pickclutter_lang.teachers import Teacher

DATASET_DESCRIPTIONS = "own"


class FixedTextEncoder(nn.Module):
    """Fixed texts; their features [C, D] are encoded once."""

    features: Tensor

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.register_buffer("features", features, persistent=False)

    def encode(self, classes: Sequence[int]) -> Tensor:
        """Return the features [n, D] of some classes."""
        return self.features[list(classes)]


class PromptClassEncoder(nn.Module):
    """Texts behind a learned context (CoOp)."""

    def __init__(self, config: ClassTextConfig, teacher: Teacher, texts: Sequence[str]) -> None:
        """Set up the context; random vectors come from torch's global generator.

        :raises InvalidArgumentError: when a text is too long for the teacher
        """
        super().__init__()
        self._texts = list(texts)
        self.prompts = LearnedPrompts(
            teacher, texts, n_context=config.n_ctx, dual=False, init=(config.context_init, None),
            truncate=config.truncate,
        )  # fmt: skip

    def encode(self, classes: Sequence[int]) -> Tensor:
        """Return the features [n, D] of some classes, with gradient to the context."""
        return self.prompts.encode([self._texts[number] for number in classes]).positive


class ClosedSetClassEncoder(nn.Module):
    """The closed-set baseline: a learned vector for each class, compared by its cosine as texts are."""

    def __init__(self, count: int, width: int) -> None:
        """Draw the vectors [count, width] from torch's global generator."""
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(count, width))

    def encode(self, classes: Sequence[int]) -> Tensor:
        """Return the vectors [n, D] of some classes, of length 1."""
        return functional.normalize(self.vectors[list(classes)], dim=1)


def build_classes(
    config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]
) -> FixedTextEncoder | PromptClassEncoder | ClosedSetClassEncoder:
    """Build the configured class encoder.

    :raises InvalidArgumentError: when a text is too long for the teacher, or a class lacks the configured description
    """
    if config.closed_set:
        return ClosedSetClassEncoder(len(classes), teacher.embed_dim)
    if config.n_ctx:
        return PromptClassEncoder(config, teacher, class_texts(config, classes, behind_context=True))
    return FixedTextEncoder(teacher.encode_text(class_texts(config, classes), config.truncate))


def check_texts(config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
    """Check the prompts of the classes without encoding them.

    :raises PickClutterError: what `build_classes` raises
    """
    if config.closed_set:
        return
    if config.n_ctx:
        PromptClassEncoder(config, teacher, class_texts(config, classes, behind_context=True))
    else:
        teacher.tokenize(class_texts(config, classes), config.truncate)


def class_texts(config: ClassTextConfig, classes: Sequence[ImageClass], *, behind_context: bool = False) -> list[str]:
    """Return the text of every class, with its description where there are any.

    :param behind_context: leave out the template, which a learned context replaces
    :raises InvalidArgumentError: when a class lacks the configured description
    """
    names = [item.name for item in classes]
    if config.descriptions is None:
        return names if behind_context else [config.template.format(name=name) for name in names]
    template = DESCRIPTION_TEMPLATE if behind_context else config.description_template
    texts = descriptions(config, classes)
    return [describe(name, text, template) for name, text in zip(names, texts, strict=True)]


def descriptions(config: ClassTextConfig, classes: Sequence[ImageClass]) -> list[str]:
    """Return the description of every class, from the source that `ClassTextConfig.descriptions` names.

    :raises InvalidArgumentError: naming the classes without one, or for a file of another style
    :raises MissingAssetsError: when a file is not there
    :raises UnknownObjectError: as `read_descriptions`' set
    """
    source, names = config.descriptions or DATASET_DESCRIPTIONS, [item.name for item in classes]
    if source in STYLES:
        return _in_style(source, config.style_dir, names)
    if source != DATASET_DESCRIPTIONS:
        return read_descriptions(source).of(names)
    lacking = [item.name for item in classes if not item.description]
    if lacking:
        raise InvalidArgumentError(
            f"expected a description of every class, but the data set has none of {', '.join(lacking[:5])}"
            f"{' and others' if len(lacking) > 5 else ''}; name a file of them as data.descriptions (make it: python "
            "pickclutter describe-labels labels=[...] out=FILE.json), or do without the runs that need them"
        )
    return [item.description for item in classes]


def _in_style(style: str, folder: str | None, names: Sequence[str]) -> list[str]:
    if folder is None:
        known = read_descriptions(style)
        if not {*names} <= {*known.texts}:
            raise InvalidArgumentError(
                f"expected text.style_dir=FOLDER with {', '.join(f'{one}.json' for one in STYLES)} for these "
                "classes; the "
                "package has descriptions of its 26 objects alone"
            )
        return known.of(names)
    path = Path(folder) / f"{style}.json"
    if not path.is_file():
        raise MissingAssetsError(
            f"expected {style} descriptions at {path}, but there is no such file; make it: "
            f"pickclutter describe-labels style={style} labels=[...] out={path}"
        )
    known = read_descriptions(path)
    if known.style != style:
        raise InvalidArgumentError(f"expected {style} descriptions in {path}, but these are {known.style} ones")
    return known.of(names)
