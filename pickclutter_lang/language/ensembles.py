"""Text ensembles: several descriptors per label, their averaged features, and controls with random or shuffled texts.

Descriptors follow a label's name, [C][n]: n for each of C labels. `catalog_descriptors` makes them after Menon
and Vondrick (arXiv 2210.07183), `style_descriptors` from descriptions; `waffle_descriptors` replaces their words by
noise after Roth et al. (arXiv 2306.07282), `shuffled_descriptors` gives each label those of another.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.descriptions import STYLES, describe, read_descriptions

Descriptors = Sequence[Sequence[str]]
_SWAP = 5  # distinguishes its random stream from others of a run
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
_LEAD_IN = re.compile(r"which (?:is|has) (?:(?:an?|made|shaped|used|found) )?|which ")
_ADJECTIVAL = ("made", "shaped", "used", "found")
_VERBAL = ("has", "have", "often", "typically", "may", "can", "is")


class TextEncoder(Protocol):
    """The part of `pickclutter_lang.teachers.Teacher` that is used here."""

    def encode_text(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return the features [C, D] of texts."""


def ensemble_features(
    teacher: TextEncoder, texts: Descriptors, template: str = "{label}", truncate: bool = False
) -> Tensor:
    """Return one feature per label: the mean direction of the unit features of its texts.

    :param teacher: a `Teacher`
    :param texts: [C][n], at least one text for each label, as `label_texts` gives; n may differ between labels
    :param template: what each text is put into, with `{label}` where it goes
    :param truncate: cut texts that are longer than the teacher's context instead of refusing them
    :return: float32 [C, D], L2-normalized
    :raises InvalidArgumentError: for a label without a text, a template without `{label}`, or a text that is too long
    """
    counts = [len(texts_of) for texts_of in texts]
    if not counts or 0 in counts:
        raise InvalidArgumentError(f"expected at least one text for every label, but got {counts} texts")
    if "{label}" not in template:
        raise InvalidArgumentError(f"expected a template with {{label}}, but got {template!r}")
    filled = [template.replace("{label}", text) for texts_of in texts for text in texts_of]
    features = functional.normalize(teacher.encode_text(filled, truncate), dim=-1)
    means = [part.mean(dim=0) for part in torch.split(features, counts)]
    return functional.normalize(torch.stack(means), dim=-1)


def label_texts(names: Sequence[str], descriptors: Descriptors) -> list[list[str]]:
    """Return the texts [C][n] of labels with their descriptors, as `describe` joins them.

    :raises InvalidArgumentError: when there are more or fewer lists of descriptors than names
    """
    if len(names) != len(descriptors):
        raise InvalidArgumentError(f"expected descriptors for {len(names)} labels, but got them for {len(descriptors)}")
    return [
        [describe(name, descriptor) if descriptor else name for descriptor in texts_of]
        for name, texts_of in zip(names, descriptors, strict=True)
    ]


def style_descriptors(names: Sequence[str], sources: Sequence[str] = STYLES) -> list[list[str]]:
    """Return one descriptor per label for each of several descriptions, [C][sources].

    :param sources: styles or paths, as `read_descriptions` takes them
    :raises UnknownObjectError: naming the labels without a description
    """
    by_source = [read_descriptions(source).of(names) for source in sources]
    return [list(texts_of) for texts_of in zip(*by_source, strict=True)]


def catalog_descriptors(names: Sequence[str], source: str = "detailed") -> list[list[str]]:
    """Return the parts of descriptions as separate descriptors: "which has smooth blue sides", "which is made of ...".

    Menon and Vondrick write "which is" before an article; here an article begins a part of the object: "which has a".

    :param source: style or path of descriptions whose parts are separated by semicolons, as in the style `detailed` is
    :raises UnknownObjectError: naming the labels without a description
    """
    texts = read_descriptions(source).of(names)
    return [[_as_descriptor(part.strip()) for part in text.rstrip(". ").split(";") if part.strip()] for text in texts]


def waffle_descriptors(
    descriptors: Descriptors,
    rng: np.random.Generator,
    kind: Literal["words", "characters"] = "words",
    words: Sequence[str] | None = None,
) -> list[list[str]]:
    """Return as many descriptors of the same template, in which every word is noise, and which all labels share.

    The template (number of words, punctuation, "which has") is the first label with the most descriptors.

    :param descriptors: [C][n], those that the noise replaces
    :param rng: source of the noise
    :param kind: `words` (random ones) or `characters` (random letters, as many as the word has)
    :param words: to sample from; by default those of `clip_words.word_tokens`
    :raises InvalidArgumentError: for another kind, no descriptors, or no words
    """
    if kind not in ("words", "characters"):
        raise InvalidArgumentError(f"expected kind to be 'words' or 'characters', but got {kind!r}")
    template = max(descriptors, key=len, default=())
    vocabulary = _clip_words() if words is None else list(words)
    if not template or (kind == "words" and not vocabulary):
        raise InvalidArgumentError("expected at least one descriptor and one word to sample from, but got none")

    def noise(word: re.Match[str]) -> str:
        if kind == "words":
            return vocabulary[int(rng.integers(len(vocabulary)))]
        return "".join(string.ascii_lowercase[n] for n in rng.integers(26, size=len(word.group())))

    shared = []
    for descriptor in template:
        lead_in = _LEAD_IN.match(descriptor)
        start = lead_in.end() if lead_in else 0
        shared.append(descriptor[:start] + _WORD.sub(noise, descriptor[start:]))
    return [shared[: len(texts_of)] for texts_of in descriptors]


def shuffled_descriptors(descriptors: Descriptors, rng: np.random.Generator) -> list[list[str]]:
    """Return each label with the descriptors of another: in a random order, each takes those of the next.

    :raises InvalidArgumentError: for fewer than two labels
    """
    if len(descriptors) < 2:
        raise InvalidArgumentError(
            f"expected descriptors of at least two labels to shuffle, but got {len(descriptors)}; add labels"
        )
    order = rng.permutation(len(descriptors))
    source = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
    return [list(descriptors[source[n]]) for n in range(len(descriptors))]


def swapped_names(groups: Sequence[Sequence[str]], seed: int) -> dict[str, str]:
    """Return for each label another one of its group, each once: whose description it gets in a control.

    :param groups: labels that are swapped among themselves, such as those of Y_id and those of Y_ood
    :param seed: of the order, at least 0
    :raises InvalidArgumentError: for a group of one label
    """
    rng = np.random.default_rng([seed, _SWAP])
    others = [shuffled_descriptors([[name] for name in names], rng) if names else [] for names in groups]
    pairs = zip(groups, others, strict=True)
    return {name: other for names, found in pairs for name, (other,) in zip(names, found, strict=True)}


def words_of(descriptors: Descriptors) -> list[str]:
    """Return the words that occur in descriptors, each once, sorted."""
    leads = ((descriptor, _LEAD_IN.match(descriptor)) for texts_of in descriptors for descriptor in texts_of)
    return sorted(
        {word for descriptor, lead_in in leads for word in _WORD.findall(descriptor[lead_in.end() if lead_in else 0 :])}
    )


def _clip_words() -> list[str]:
    from pickclutter_lang.language.clip_words import word_tokens  # open_clip takes seconds to import

    return list(word_tokens())


def _as_descriptor(part: str) -> str:
    first = part.split()[0].lower()
    if first in _VERBAL:
        return f"which {part}"
    return f"which {'is' if first in _ADJECTIVAL else 'has'} {part}"
