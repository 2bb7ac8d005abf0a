"""Several texts a label, averaged, and the controls that tell their meaning from the averaging alone.

Phrases are what follows a label's name, [C][n]: some for each of C labels. `catalog_descriptors` makes them after Menon
and Vondrick (arXiv 2210.07183), `style_descriptors` from descriptions; `waffle_descriptors` puts noise in their place
after Roth et al. (arXiv 2306.07282), `shuffled_descriptors` gives each label those of another.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.language.descriptions import STYLES, read_descriptions

Descriptors = Sequence[Sequence[str]]
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")
_LEAD = re.compile(r"which (?:is|has) (?:(?:an?|made|shaped|used|found) )?|which ")
_ADJECTIVAL = ("made", "shaped", "used", "found")
_VERBAL = ("has", "have", "often", "typically", "may", "can", "is")


class TextEncoder(Protocol):
    """What is needed of a teacher; `pickclutter_lang.teachers.Teacher` has it."""

    def encode_text(self, texts: Sequence[str], truncate: bool = False) -> Tensor:
        """Return the features [C, D] of texts."""


def ensemble_features(
    teacher: TextEncoder, texts: Descriptors, template: str = "{label}", truncate: bool = False
) -> Tensor:
    """Return one feature a label: the mean direction of the unit features of its texts.

    :param teacher: a `Teacher`
    :param texts: [C][n], at least one text for each label, as `label_texts` gives; n may differ between labels
    :param template: what each text is put into, with `{label}` where it goes
    :param truncate: cut texts that are longer than the teacher's context instead of refusing them
    :return: float32 [C, D], L2-normalized
    :raises InvalidArgumentError: for a label without a text, a template without `{label}`, or a text that is too long
    """
    counts = [len(own) for own in texts]
    if not counts or 0 in counts:
        raise InvalidArgumentError(f"expected at least one text for every label, but got {counts} texts")
    if "{label}" not in template:
        raise InvalidArgumentError(f"expected a template with {{label}}, but got {template!r}")
    filled = [template.replace("{label}", text) for own in texts for text in own]
    features = functional.normalize(teacher.encode_text(filled, truncate), dim=-1)
    means = [part.mean(dim=0) for part in torch.split(features, counts)]
    return functional.normalize(torch.stack(means), dim=-1)


def label_texts(names: Sequence[str], phrases: Descriptors) -> list[list[str]]:
    """Return the texts [C][n] of labels: `{name}, {phrase}`.

    :raises InvalidArgumentError: when there are more or fewer lists of phrases than names
    """
    if len(names) != len(phrases):
        raise InvalidArgumentError(f"expected phrases for {len(names)} labels, but got them for {len(phrases)}")
    return [
        [f"{name}, {phrase}" if phrase else name for phrase in own] for name, own in zip(names, phrases, strict=True)
    ]


def style_descriptors(names: Sequence[str], sources: Sequence[str] = STYLES) -> list[list[str]]:
    """Return one phrase a label for each of several descriptions, [C][sources].

    :param sources: styles or paths, as `read_descriptions` takes them
    :raises UnknownObjectError: naming the labels without a description
    """
    columns = [read_descriptions(source).of(names) for source in sources]
    return [list(own) for own in zip(*columns, strict=True)]


def catalog_descriptors(names: Sequence[str], source: str = "detailed") -> list[list[str]]:
    """Return the parts of descriptions as phrases of their own: "which has smooth blue sides", "which is made of ...".

    Menon and Vondrick write "which is" before an article; here an article begins a part of the thing: "which has a".

    :param source: style or path of descriptions whose parts are set apart by semicolons, as the style `detailed` is
    :raises UnknownObjectError: naming the labels without a description
    """
    texts = read_descriptions(source).of(names)
    return [[_which(part.strip()) for part in text.rstrip(". ").split(";") if part.strip()] for text in texts]


def waffle_descriptors(
    phrases: Descriptors,
    rng: np.random.Generator,
    kind: Literal["words", "characters"] = "words",
    words: Sequence[str] | None = None,
) -> list[list[str]]:
    """Return as many phrases of the same form, in which every word is noise, and which all labels share.

    The form (number of words, punctuation, "which has") is that of the label with the most phrases, the first of them.

    :param phrases: [C][n], those whose place the noise takes
    :param rng: source of the noise
    :param kind: `words` (random ones) or `characters` (random letters, as many as the word has)
    :param words: to draw from; by default whole words of CLIP's vocabulary
    :raises InvalidArgumentError: for another kind, no phrases, or no words
    """
    if kind not in ("words", "characters"):
        raise InvalidArgumentError(f"expected kind to be 'words' or 'characters', but got {kind!r}")
    form = max(phrases, key=len, default=())
    vocabulary = clip_words() if words is None else list(words)
    if not form or (kind == "words" and not vocabulary):
        raise InvalidArgumentError("expected at least one phrase and one word to draw from, but got none")

    def noise(word: re.Match[str]) -> str:
        if kind == "words":
            return vocabulary[int(rng.integers(len(vocabulary)))]
        return "".join(string.ascii_lowercase[n] for n in rng.integers(26, size=len(word.group())))

    shared = []
    for phrase in form:
        lead = _LEAD.match(phrase)
        start = lead.end() if lead else 0
        shared.append(phrase[:start] + _WORD.sub(noise, phrase[start:]))
    return [shared[: len(own)] for own in phrases]


def shuffled_descriptors(phrases: Descriptors, rng: np.random.Generator) -> list[list[str]]:
    """Return the phrases with each label given those of another: the labels in random order, each takes the next one's.

    :raises InvalidArgumentError: for fewer than two labels
    """
    if len(phrases) < 2:
        raise InvalidArgumentError(f"expected phrases of at least two labels to swap, but got {len(phrases)}")
    order = rng.permutation(len(phrases))
    owner = dict(zip(order.tolist(), np.roll(order, -1).tolist(), strict=True))
    return [list(phrases[owner[n]]) for n in range(len(phrases))]


def words_of(phrases: Descriptors) -> list[str]:
    """Return the words that occur in phrases, each once, sorted."""
    leads = ((phrase, _LEAD.match(phrase)) for own in phrases for phrase in own)
    return sorted({word for phrase, lead in leads for word in _WORD.findall(phrase[lead.end() if lead else 0 :])})


@lru_cache(maxsize=1)
def clip_words() -> list[str]:
    """Return the whole words of CLIP's vocabulary, of three letters a to z or more, in its order, commonest first."""
    from open_clip.tokenizer import SimpleTokenizer

    tokens = (token[: -len("</w>")] for token in SimpleTokenizer().encoder if token.endswith("</w>"))
    return [word for word in tokens if len(word) >= 3 and word.isascii() and word.isalpha()]


def _which(part: str) -> str:
    first = part.split()[0].lower()
    if first in _VERBAL:
        return f"which {part}"
    return f"which {'is' if first in _ADJECTIVAL else 'has'} {part}"
