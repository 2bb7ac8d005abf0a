"""Label encoders: label names to text features, by learned prompts, learned vectors, or stored features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, TeacherError, UnknownObjectError
from pickclutter_lang.language.descriptions import attach_descriptions, read_descriptions
from pickclutter_lang.language.label_names import MAX_NEW_NAMES, validate_label_names
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import CatalogEntry
from pickclutter_lang.students.config import PromptConfig
from pickclutter_lang.students.prompts import LearnedPrompts, PromptFeatures
from pickclutter_lang.teachers import Teacher
from pickclutter_lang.teachers.config import TeacherReference
from pickclutter_lang.teachers.known_words import warn_of_unknown_words, with_neighbors
from pickclutter_lang.utils.memory import keep_recent


class LabelEncoder(Protocol):
    """Encodes label names, and other texts, as a student's text features."""

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return positive and negative features, each [C + V, D], of C labels and V other texts after them."""


LabelTexts = Callable[[Sequence[str]], list[list[str]]]
"""Returns one list of texts of labels, in their order, or several lists that say the same in other words."""


class PromptLabelEncoder(nn.Module):
    """Texts of labels behind learned contexts (CoOp)."""

    def __init__(self, prompts: LearnedPrompts, texts: LabelTexts) -> None:
        """Take the contexts, and what gives the text of a label."""
        super().__init__()
        self.prompts, self.texts = prompts, texts

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the features of labels, and of other texts after them.

        In training each label is encoded by one of its texts, drawn from torch's global generator.

        :return: positive and negative features, each [C + V, D]
        """
        variants = self.texts(labels)
        if self.training and len(variants) > 1:
            drawn = torch.randint(len(variants), (len(labels),)).tolist()
            variants = [[variants[n][c] for c, n in enumerate(drawn)]]
        positive, negative = zip(*(self.prompts.encode([*texts, *words]) for texts in variants), strict=True)
        if len(variants) == 1:
            return PromptFeatures(positive[0], negative[0])
        means = [functional.normalize(torch.stack(parts).mean(dim=0), dim=1) for parts in (positive, negative)]
        return PromptFeatures(means[0], means[1])


def described_names(
    config: PromptConfig, labels: Sequence[str], owners: Mapping[str, str], own: Sequence[CatalogEntry] | None
) -> LabelTexts:
    """Return what gives the texts of labels: the name and its description, by each set of descriptions.

    A name without a description stands alone; without one of a further set it keeps its first text.

    :param owners: label -> the label whose descriptions it gets, for labels that do not get their own
    :param own: the catalog of one's own objects, whose sentences the style `catalog` then gives
    :raises UnknownObjectError: when a description is requested and one of these labels has none
    """
    attach = partial(attach_descriptions, template=config.description_template, owners=owners)
    first = read_descriptions(config.descriptions, own) if config.descriptions else None
    if first is not None:
        first.of([owners.get(name, name) for name in labels])
    further = [read_descriptions(source, own) for source in config.extra_descriptions]

    def texts(labels: Sequence[str]) -> list[list[str]]:
        plain = list(labels) if first is None else attach(labels, first, labels)
        others = [attach(labels, known, plain) for known in further]
        return [plain, *(one for one in others if one != plain)]

    return texts


class FixedLabelEncoder(nn.Module):
    """Texts of labels without a learned part, encoded once."""

    features: Tensor

    def __init__(self, names: Sequence[str], features: Tensor) -> None:
        """Take the features [C, D] of C names."""
        super().__init__()
        self._rows = _Rows(names)
        self.register_buffer("features", features, persistent=False)

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the features of labels, and of other names after them; there are no negative ones.

        :raises UnknownObjectError: for another name
        """
        return PromptFeatures(self.features[self._rows(labels, words)], None)


class ClosedSetEncoder(nn.Module):
    """The closed-set baseline: a learned vector for each name, or a positive and a negative one, no language.

    Its scores of labels that it was not trained on are chance by construction.
    """

    def __init__(
        self, names: Sequence[str], width: int, parameters: tuple[str, ...] = ("positive", "negative")
    ) -> None:
        """Draw the vectors [C, width] of C names from torch's global generator.

        :param parameters: names in the state dict of the positive vectors, and of the negative ones if there are any
        """
        super().__init__()
        self._rows = _Rows(names)
        self._parameter_names = parameters
        for name in parameters:
            self.register_parameter(name, nn.Parameter(torch.randn(len(names), width)))

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the vectors of labels, and of other names after them, with length 1.

        :raises UnknownObjectError: for another name
        """
        rows = self._rows(labels, words)
        vectors = [functional.normalize(self.get_parameter(name)[rows], dim=1) for name in self._parameter_names]
        return PromptFeatures(vectors[0], vectors[1] if len(vectors) > 1 else None)


class _Rows:
    """Position of each name among those that an encoder knows."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rows = {name: row for row, name in enumerate(names)}

    def __call__(self, labels: Sequence[str], words: Sequence[str]) -> list[int]:
        unknown = [name for name in (*labels, *words) if name not in self._rows]
        if unknown:
            raise UnknownObjectError(
                f"expected names that the student was trained with, but got {', '.join(map(repr, unknown))}; a "
                "closed-set student knows no other words: take a student of another method"
            )
        return [self._rows[name] for name in (*labels, *words)]


def build_label_encoder(
    config: PromptConfig,
    teacher: Teacher,
    labels: Sequence[str],
    owners: Mapping[str, str] | None = None,
    own: Sequence[CatalogEntry] | None = None,
) -> PromptLabelEncoder | ClosedSetEncoder:
    """Build the label encoder of a configuration; what is random comes from torch's global generator.

    :param labels: all of the run, whose texts are checked; for a closed set all that it shall know
    :param owners: as in `described_names`, as `own`
    :raises InvalidArgumentError: when a label's text is too long for the teacher
    :raises UnknownObjectError: when a description is requested and one of these labels has none
    """
    if config.closed_set:
        paper = paper_catalog().names  # all of them for some of them
        return ClosedSetEncoder(paper if set(labels) <= set(paper) else labels, teacher.embed_dim)
    texts = described_names(config, labels, owners or {}, own)
    init = (config.positive_init, config.negative_init)
    checked = [text for variant in texts(labels) for text in variant]
    prompts = LearnedPrompts(teacher, checked, n_context=config.n_ctx, init=init, truncate=config.truncate)
    return PromptLabelEncoder(prompts, texts)


class StoredLabelEncoder:
    """Text features of label names that were stored with a student.

    New names are encoded by the learned contexts and the teacher's text tower. The teacher is loaded at the first of
    them, and each name is encoded once, unless many others were used since. A word that it does not know is taken for
    known ones.
    """

    def __init__(
        self,
        names: Sequence[str],
        features: PromptFeatures,
        prompts: PromptConfig,
        contexts: Mapping[str, Tensor],
        teacher: TeacherReference,
    ) -> None:
        """Set up the stored features.

        :param names: C names
        :param features: their positive and negative text features, each [C, D]
        :param prompts: how the student's prompts are built
        :param contexts: state dict of the student's label encoder
        :param teacher: the teacher that the student was distilled from
        """
        assert features.negative is not None  # scenes are learned with both
        pairs = zip(features.positive, features.negative, strict=True)
        self._stored = dict(zip(names, pairs, strict=True))
        self._new: dict[str, tuple[Tensor, Tensor]] = {}
        self._prompts, self._contexts, self._teacher = prompts, contexts, teacher

    @property
    def names(self) -> list[str]:
        """Names whose features are known: the stored ones, then those that were encoded since."""
        return [*self._stored, *self._new]

    @property
    def embed_dim(self) -> int:
        """Width D of the features."""
        return len(next(iter(self._stored.values()))[0])

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the text features [C + V, D] of label names, and of other names after them.

        A new name with a word that the teacher does not know gives an `UnknownWordWarning`.

        :raises InvalidArgumentError, UnknownObjectError: for a name that cannot be encoded
        :raises TeacherError: when a name is new, and the teacher is missing or another one
        :raises CheckpointError: when a name is new, and the learned contexts do not fit the student's prompts
        """
        wanted = [*labels, *words]
        if not wanted or any(name not in self._stored and name not in self._new for name in wanted):
            wanted = validate_label_names(wanted)
        self._encode_new([name for name in wanted if name not in self._stored])
        rows = [self._stored[name] if name in self._stored else self._new[name] for name in wanted]
        return PromptFeatures(*(torch.stack(part) for part in zip(*rows, strict=True)))

    @torch.no_grad()
    def _encode_new(self, wanted: Sequence[str]) -> None:
        if new := [name for name in wanted if name not in self._new]:
            found = self._encoder.encode(new)
            warn_of_unknown_words(self._loaded_teacher, new)
            assert found.negative is not None
            for name, positive, negative in zip(new, found.positive, found.negative, strict=True):
                self._new[name] = (positive.clone(), negative.clone())  # a view would keep all rows
        keep_recent(self._new, wanted, MAX_NEW_NAMES)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the teacher, so that a student can be sent to other processes."""
        loaded = ("_encoder", "_loaded_teacher")
        return {name: value for name, value in self.__dict__.items() if name not in loaded}

    @cached_property
    def _loaded_teacher(self) -> Teacher:
        try:
            return with_neighbors(self._teacher.load(), kept=list(self._stored))
        except TeacherError as error:
            raise TeacherError(f"{error}; names that are known without it: {', '.join(self._stored)}") from error

    @cached_property
    def _encoder(self) -> PromptLabelEncoder | ClosedSetEncoder:
        try:
            encoder = build_label_encoder(self._prompts, self._loaded_teacher, list(self._stored))
            encoder.load_state_dict(self._contexts)
        except (RuntimeError, InvalidArgumentError) as error:
            raise CheckpointError(
                f"expected weights of the prompts that policy.json describes, but: "
                f"{' '.join(str(error).split())[:300]}; export the policy again"
            ) from error
        return encoder.eval()
