"""Descriptions of labels by a language model, in the paper's styles (sections 5 and 6), and their JSON files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import CATALOG_FILE, CatalogEntry
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.reading import Written, read_json
from pickclutter_lang.utils.validation import one_of

_SWAP = 5  # distinguishes its random stream from others of a run
# `standard` is the instruction of section 5, the others are those of section 6 (Table 7), word for word.
INSTRUCTIONS = {
    "standard": (
        "Use a single sentence to describe the appearance and shape of {name}. Only describe the shape and appearance."
    ),
    "succinct": (
        "Use a single sentence to broadly describe the appearance and shape of {name}. Don't give too much details. "
        "Only describe the shape and appearance."
    ),
    "detailed": (
        "Use a single sentence and short, simple, descriptive phrases to describe the detailed appearance and detailed "
        "shape of {name}."
    ),
    "distinct": (
        "Use a single sentence to describe the unique, distinctive appearance and shape of {name}. Only describe the "
        "unique, distinctive shape and appearance."
    ),
}
STYLES = tuple(INSTRUCTIONS)
BLIND = {"blind": "standard", **{f"blind_{style}": style for style in ("succinct", "detailed", "distinct")}}
"""Style whose texts were written from only the names -> its instruction. The other styles saw the objects."""
CATALOG = "catalog"
DESCRIPTION_TEMPLATE = "{name} . {description}"
"""A label with its description, as in the paper's released program and in the captions of the pocket teacher."""


def describe(name: str, description: str, template: str = DESCRIPTION_TEMPLATE) -> str:
    """Return the text of a label and its description."""
    return template.format(name=name, description=description)


@dataclass(frozen=True)
class DescriptionSet:
    """One description per label, and where they come from; the content of a file of descriptions.

    `style` is one of `STYLES` or a word of the user's. `instruction` is the prompt of the language model, with `{name}`
    for the label; `date` is that of the last answer (ISO 8601), and `base_url` the host that answered, or "none".
    `images_seen` says whether the writer had images of the very objects, as no language model has. `temperature` is
    that of the sampling, None where the server chose it.
    """

    label_set: str
    style: str
    model: str
    instruction: str
    date: str
    base_url: str
    provenance: str
    texts: dict[str, Written]
    images_seen: bool = False
    temperature: float | None = None
    schema: Literal[1] = 1

    @property
    def origin(self) -> dict[str, Any]:
        """Hash (sha256, hex) of labels and texts (`content`), and `images_seen`."""
        content = hashlib.sha256(json.dumps(self.texts, sort_keys=True).encode()).hexdigest()
        return {"content": content, "images_seen": self.images_seen}

    @classmethod
    def load(cls, path: str | Path) -> DescriptionSet:
        """Read a file of descriptions.

        :raises DatasetError: when there is no such file, or it is damaged or has another schema
        """
        again = f"make them: pickclutter describe-labels labels=[...] out={path}"
        return read_json(Path(path), cls, DatasetError, again)

    def save(self, path: str | Path) -> None:
        """Write the file atomically.

        :raises DatasetError: when it cannot be written
        """
        content = {"schema": self.schema, **asdict(self)}
        write_text(Path(path), json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def of(self, names: Sequence[str]) -> list[str]:
        """Return the descriptions of labels.

        :raises UnknownObjectError: naming the labels that have none
        """
        missing = [name for name in names if name not in self.texts]
        if missing:
            raise UnknownObjectError(
                f"expected a {self.style} description of every label, but {self.label_set} has none of "
                f"{', '.join(map(repr, missing))}; ask for them: pickclutter describe-labels, or write them into "
                f"{CATALOG_FILE} and set prompts.descriptions={CATALOG}"
            )
        return [self.texts[name] for name in names]


def read_descriptions(source: str | Path, own: Sequence[CatalogEntry] | None = None) -> DescriptionSet:
    """Return descriptions from a `.json` file, or those of the paper's 26 objects in one of `STYLES` or `BLIND`.

    The style `catalog` gives the catalog's own sentences.

    :param own: the catalog of one's own objects, in place of the paper's
    :raises InvalidArgumentError: for what is neither a style nor such a path
    """
    if Path(source).suffix == ".json":
        return DescriptionSet.load(source)
    style = str(source)
    if style == CATALOG:
        texts = {item.name: item.description for item in (paper_catalog() if own is None else own) if item.description}
        origin = "the catalog's own sentences"
        label_set = "pickclutter_26" if own is None else CATALOG_FILE
        return DescriptionSet(label_set, style, "none", "", "", "none", origin, texts, images_seen=True)
    one_of("descriptions", style, (*STYLES, *BLIND, CATALOG, "the path of a .json file"))
    return DescriptionSet.load(str(files("pickclutter_lang.assets") / "descriptions" / f"{style}.json"))


def description_origins(sources: Sequence[str], own: Sequence[CatalogEntry] | None = None) -> dict[str, dict[str, Any]]:
    """Return source of each description -> its `origin`; arguments as of `read_descriptions`."""
    return {source: read_descriptions(source, own).origin for source in sources}


def attach_descriptions(
    names: Sequence[str],
    source: str | Path | DescriptionSet,
    otherwise: Sequence[str] | None = None,
    *,
    template: str = DESCRIPTION_TEMPLATE,
    owners: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the text of each label for a prompt, its name and its description.

    :param names: labels, as spelled in the descriptions
    :param source: descriptions, one of `STYLES`, or the path of a file, as in `read_descriptions`
    :param otherwise: text of each label that has no description; None: a missing description is an error
    :param template: with `{name}` and `{description}`, as in `describe`
    :param owners: label -> the label whose description it gets; a label that is not in it gets its own
    :raises UnknownObjectError: naming the labels without a description
    """
    descriptions = source if isinstance(source, DescriptionSet) else read_descriptions(source)
    described = [(owners or {}).get(name, name) for name in names]
    if otherwise is None:
        otherwise = descriptions.of(described)
    return [
        describe(name, descriptions.texts[owner], template) if owner in descriptions.texts else text
        for name, owner, text in zip(names, described, otherwise, strict=True)
    ]


def swapped_names(groups: Sequence[Sequence[str]], seed: int) -> dict[str, str]:
    """Return for each label another one of its group, each once: whose description it gets in a control.

    :param groups: labels that are swapped among themselves, such as those of Y_id and those of Y_ood
    :param seed: of the order, at least 0
    :raises InvalidArgumentError: for a group of one label
    """
    rng = np.random.default_rng([seed, _SWAP])
    owners: dict[str, str] = {}
    for names in filter(None, groups):
        if len(names) < 2:
            raise InvalidArgumentError(f"expected at least two labels to swap descriptions, but got {list(names)}")
        order = rng.permutation(len(names)).tolist()
        following = dict(zip(order, np.roll(order, -1).tolist(), strict=True))
        owners |= {name: names[following[n]] for n, name in enumerate(names)}
    return owners
