"""The sentence encoder all-MiniLM-L6-v2 tells a pocket teacher in training what words mean.

Captions of renders use some hundred words. The text encoder learns all others from their similarity to these in the
sentence encoder's space: in each step, and before the first image, since a text encoder from random weights spends most
of a short training on telling names apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.language.captions import ATTRIBUTE_TYPES, attribute_prompt
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.teachers.open_clip_teacher import word_tokens
from pickclutter_lang.teachers.sentence_encoder import SentenceEncoder
from pickclutter_lang.training.trainer import cosine
from pickclutter_lang.utils.progress import track

_N_COMMON = 12000
_N_COMMON_WORDS = 1500
_TEXTS_PER_STEP = 48
_TEMPLATES = ("{}", "a {}", "a photo of a {}", "the {}")
_FITTED_TEXTS = 256
_FITTED_COMMON = 4000
_LR = 1e-3
_WARMUP = 0.1
_FITTED_TEMPLATES = ("{}", "{}", "a {}", "the {}", "a photo of a {}", "a photo of {}", "a photo of a table with a {}")


def common_words(
    model: SentenceEncoder, anchors: NDArray[np.float32], count: int
) -> tuple[list[str], NDArray[np.float32]]:
    """Return common words that are close to the anchors, and their embeddings [count, 384].

    Candidates are the most common one-token words of CLIP's tokenizer. The nearest to any anchor are selected: names of
    objects are, names of people are not.

    :param anchors: embeddings [A, 384] of the words in captions
    """
    words = [word for word, token in word_tokens().items() if token < _N_COMMON]
    embeddings = model.encode(words)
    similarity = (embeddings @ anchors.T).max(axis=1)
    nearest = np.sort(np.argsort(-similarity, kind="stable")[:count])
    return [words[n] for n in nearest], embeddings[nearest]


class SentenceTeacher:
    """Gives the similarity of words to the captions' names and attributes in a sentence encoder.

    :param words: words of each attribute type, as of `attribute_words`
    """

    def __init__(self, names: Sequence[ObjectAttributes], words: dict[str, list[str]], seed: int) -> None:
        model = SentenceEncoder()
        anchor_texts = {f"name:{item.name}": item.name for item in names}
        anchor_texts |= {
            f"{attribute_type}:{word}": attribute_prompt(attribute_type, word).text
            for attribute_type in ATTRIBUTE_TYPES
            for word in words[attribute_type]
        }
        self._row = {tag: n for n, tag in enumerate(anchor_texts)}
        anchors = model.encode(list(anchor_texts.values()))
        noun_phrases = vocabulary([])
        common, common_embeddings = common_words(model, anchors, _N_COMMON_WORDS)
        self._texts = [*noun_phrases, *common]
        # All noun phrases together are sampled as often as all common words together.
        weights = np.array([1 / len(noun_phrases)] * len(noun_phrases) + [1 / len(common)] * len(common))
        self._weights = weights / weights.sum()
        self._similarity = torch.from_numpy(np.concatenate([model.encode(noun_phrases), common_embeddings]) @ anchors.T)
        self._seed = seed

    def sample(self, step: int, tags: Sequence[str]) -> tuple[list[str], Tensor]:
        """Sample the texts of a step.

        :param tags: tags of the anchors, such as `color:red`
        :return: texts, and their cosines [W, A] with the anchors in the sentence encoder
        """
        rng = np.random.default_rng([self._seed, step, _TEXTS_PER_STEP])
        chosen = rng.choice(len(self._texts), _TEXTS_PER_STEP, replace=False, p=self._weights)
        texts = [str(rng.choice(_TEMPLATES)).format(self._texts[n]) for n in chosen]
        return texts, self._similarity[chosen][:, [self._row[tag] for tag in tags]]


def pretrain_text(
    trainable: TrainablePocketTeacher,
    named: Sequence[ObjectAttributes],
    words: dict[str, list[str]],
    steps: int,
    seed: int,
) -> float:
    """Fit the text encoder to the sentence encoder's embeddings, reduced to its width, with 256 texts a step.

    :param named: objects whose names, synonyms and descriptions are among the texts
    :param words: words of each attribute type, as of `attribute_words`
    :return: mean cosine of the last step with its targets, in -1..1
    :raises MissingExtraError: without the extra `llm`
    """
    texts, targets = text_targets(named, words, trainable.model.text_projection.shape[1])
    parameters = [p for name, p in trainable.model.named_parameters() if not name.startswith("visual")]
    optimizer = torch.optim.AdamW(parameters, lr=_LR, weight_decay=0.01)
    found = 0.0
    for step in track(range(steps), "text encoder"):
        rng = np.random.default_rng([seed, step, _FITTED_COMMON])
        chosen = rng.choice(len(texts), min(_FITTED_TEXTS, len(texts)), replace=False)
        for group in optimizer.param_groups:
            group["lr"] = _LR * cosine(step, steps, round(_WARMUP * steps))
        features = trainable.encode_texts([str(rng.choice(_FITTED_TEMPLATES)).format(texts[n]) for n in chosen])
        cosines = (features * torch.from_numpy(targets[chosen])).sum(dim=1)
        optimizer.zero_grad(set_to_none=True)
        (1 - cosines).mean().backward()
        optimizer.step()
        found = float(cosines.detach().mean())
    return found


def text_targets(
    named: Sequence[ObjectAttributes], words: dict[str, list[str]], width: int
) -> tuple[list[str], NDArray[np.float32]]:
    """Return texts and what they shall be encoded as, float32 [T, width], L2-normalized.

    The targets are the sentence encoder's embeddings without their mean, in their `width` principal components: the
    mean is all that most names share.
    """
    model = SentenceEncoder()
    prompts = [attribute_prompt(kind, word).text for kind, of_kind in words.items() for word in of_kind]
    own = [text for item in named for text in (item.name, *item.synonyms, item.description) if text]
    colored = [f"{color} {item.name}" for item, color in product(named, words["color"])]
    pool = list(dict.fromkeys([*own, *prompts, *vocabulary([]), *colored]))
    embeddings = model.encode(pool)
    common, common_embeddings = common_words(model, embeddings[: len(own)], _FITTED_COMMON)
    embeddings = np.concatenate([embeddings, common_embeddings])
    centered = embeddings - embeddings.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:width]
    reduced = np.zeros((len(embeddings), width), np.float32)
    reduced[:, : len(axes)] = centered @ axes.T
    return [*pool, *common], reduced / np.linalg.norm(reduced, axis=1, keepdims=True)
