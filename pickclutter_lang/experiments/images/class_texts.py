"""Texts of classes, and the label encoder that a configuration asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pickclutter_lang.datasets.images import ImageClass
from pickclutter_lang.errors import InvalidArgumentError, MissingAssetsError
from pickclutter_lang.experiments.images.config import ClassTextConfig
from pickclutter_lang.language.descriptions import BLIND, DESCRIPTION_TEMPLATE, STYLES, describe, read_descriptions
from pickclutter_lang.language.prompts import LearnedPrompts
from pickclutter_lang.students.label_encoders import ClosedSetEncoder, FixedLabelEncoder, PromptLabelEncoder
from pickclutter_lang.teachers import Teacher

DATASET_DESCRIPTIONS = "own"


def build_class_encoder(
    config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]
) -> FixedLabelEncoder | PromptLabelEncoder | ClosedSetEncoder:
    """Build the configured encoder of the names of classes.

    :raises InvalidArgumentError: when a text is too long for the teacher, or a class lacks the configured description
    """
    names = [item.name for item in classes]
    if config.closed_set:
        return ClosedSetEncoder(names, teacher.embed_dim, parameters=("vectors",))
    if not config.n_ctx:
        return FixedLabelEncoder(names, teacher.encode_text(class_texts(config, classes), config.truncate))
    texts = dict(zip(names, class_texts(config, classes, behind_context=True), strict=True))
    prompts = LearnedPrompts(
        teacher, list(texts.values()), n_context=config.n_ctx, dual=False, init=(config.context_init, None),
        truncate=config.truncate,
    )  # fmt: skip
    return PromptLabelEncoder(prompts, lambda labels: [[texts[label] for label in labels]])


def check_texts(config: ClassTextConfig, teacher: Teacher, classes: Sequence[ImageClass]) -> None:
    """Check the prompts of the classes without encoding them.

    :raises PickClutterError: what `build_class_encoder` raises
    """
    if config.n_ctx:
        build_class_encoder(config, teacher, classes)
    elif not config.closed_set:
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
    if source in (*STYLES, *BLIND):
        return _in_style(source, config.style_dir, names)
    if source != DATASET_DESCRIPTIONS:
        return read_descriptions(source).of(names)
    lacking = [item.name for item in classes if not item.description]
    if lacking:
        raise InvalidArgumentError(
            f"expected a description of every class, but the data set has none of {', '.join(lacking[:5])}"
            f"{' and others' if len(lacking) > 5 else ''}; name a file of them as data.descriptions (make it: "
            "pickclutter describe-labels labels=[...] out=FILE.json), or do without the runs that need them"
        )
    return [item.description for item in classes]


def _in_style(style: str, folder: str | None, names: Sequence[str]) -> list[str]:
    """Return descriptions of the package's objects, or of a folder: those of the instruction of a blind style too."""
    if folder is None:
        known = read_descriptions(style)
        if not {*names} <= {*known.texts}:
            raise InvalidArgumentError(
                f"expected text.style_dir=FOLDER with {', '.join(f'{one}.json' for one in STYLES)} for these "
                "classes; the "
                "package has descriptions of its 26 objects alone"
            )
        return known.of(names)
    blind, style = style in BLIND, BLIND.get(style, style)
    path = Path(folder) / f"{style}.json"
    if not path.is_file():
        raise MissingAssetsError(
            f"expected {style} descriptions at {path}, but there is no such file; make it: "
            f"pickclutter describe-labels style={style} labels=[...] out={path}"
        )
    known = read_descriptions(path)
    if known.style != style:
        raise InvalidArgumentError(f"expected {style} descriptions in {path}, but these are {known.style} ones")
    if blind and known.images_seen:
        raise InvalidArgumentError(
            f"expected descriptions from the names alone in {path}, but their writer had images of the objects; have "
            f"others written (pickclutter describe-labels), or choose text.descriptions={style} where that is offered"
        )
    return known.of(names)
