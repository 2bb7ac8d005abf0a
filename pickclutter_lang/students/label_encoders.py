"""What stands for a label: its name, its description, several texts in turn, or no text at all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from pickclutter_lang.errors import UnknownObjectError
from pickclutter_lang.language.descriptions import attach_descriptions, read_descriptions
from pickclutter_lang.language.prompts import LearnedPrompts, PromptFeatures
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.students.config import PromptConfig
from pickclutter_lang.teachers import Teacher


class PromptLabelEncoder(nn.Module):
    """Labels as texts behind learned contexts; a name that comes later and has no description stands there alone."""

    def __init__(self, config: PromptConfig, teacher: Teacher, labels: Sequence[str]) -> None:
        """Set up the contexts; random ones come from torch's global generator.

        :raises InvalidArgumentError: when a label's text is too long for the teacher
        :raises UnknownObjectError: when a description is asked for and one of these labels has none
        """
        super().__init__()
        self._descriptions = read_descriptions(config.descriptions) if config.descriptions else None
        if self._descriptions is not None:
            self._descriptions.of(labels)
        self._extra_descriptions = [read_descriptions(source) for source in config.extra_descriptions]
        self.prompts = LearnedPrompts(
            teacher,
            self.texts(labels)[0],
            n_context=config.n_ctx,
            init=(config.positive_init, config.negative_init),
            truncate=config.truncate,
        )

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the features of labels, and of other texts after them.

        In training each label is told by one of its texts, drawn from torch's global generator.

        :return: positive and negative features, each [C + V, D]
        """
        texts = self.texts(labels)
        if self.training and len(texts) > 1:
            drawn = torch.randint(len(texts), (len(labels),)).tolist()
            return self.prompts.encode([*(texts[n][c] for c, n in enumerate(drawn)), *words])
        if len(texts) == 1:
            return self.prompts.encode([*texts[0], *words])
        parts = [self.prompts.encode(one) for one in texts]
        plain = [self.prompts.encode(words)] if words else []
        positive = torch.cat([_mean([p.positive for p in parts]), *(p.positive for p in plain)])
        negatives = [p.negative for p in parts if p.negative is not None]
        return PromptFeatures(
            positive, torch.cat([_mean(negatives), *(p.negative for p in plain if p.negative is not None)])
        )

    def texts(self, labels: Sequence[str]) -> list[list[str]]:
        """Return the texts of labels: one list for each way to tell them; a label without a variant keeps its first."""
        first = list(labels) if self._descriptions is None else attach_descriptions(labels, self._descriptions, labels)
        told = [attach_descriptions(labels, known, first) for known in self._extra_descriptions]
        return [first, *(texts for texts in told if texts != first)]


class ClosedSetEncoder(nn.Module):
    """The closed-set baseline: a learned positive and negative vector for each object of the catalog, no language.

    What it says of a label that it was not trained on is chance by construction.
    """

    def __init__(self, width: int) -> None:
        """Draw the vectors [26, width] from torch's global generator."""
        super().__init__()
        self._names = paper_catalog().names
        self.positive = nn.Parameter(torch.randn(len(self._names), width))
        self.negative = nn.Parameter(torch.randn(len(self._names), width))

    def encode(self, labels: Sequence[str], words: Sequence[str] = ()) -> PromptFeatures:
        """Return the vectors of labels, and of other names after them.

        :raises UnknownObjectError: for what is not one of the catalog's names
        """
        unknown = [name for name in (*labels, *words) if name not in self._names]
        if unknown:
            raise UnknownObjectError(
                f"expected names of the catalog, but got {', '.join(map(repr, unknown))}; a closed-set student "
                "knows no other words: take a student of another method"
            )
        rows = torch.tensor([self._names.index(name) for name in (*labels, *words)], device=self.positive.device)
        return PromptFeatures(
            functional.normalize(self.positive[rows], dim=1), functional.normalize(self.negative[rows], dim=1)
        )


def build_label_encoder(
    config: PromptConfig, teacher: Teacher, labels: Sequence[str]
) -> PromptLabelEncoder | ClosedSetEncoder:
    """Build what the settings ask for; see the classes."""
    return ClosedSetEncoder(teacher.embed_dim) if config.closed_set else PromptLabelEncoder(config, teacher, labels)


def _mean(features: Sequence[Tensor]) -> Tensor:
    """Return the mean direction [C, D] of unit features, each [C, D]."""
    return functional.normalize(torch.stack(list(features)).mean(dim=0), dim=1)
