"""Fits the text encoder to a sentence encoder before the first image, so that words have a meaning from the start.

A text encoder from random weights spends most of a short training on telling names apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from pickclutter_lang.language.captions import attribute_prompt
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.sentence_encoder import SentenceEncoder, common_words
from pickclutter_lang.teacher_training.trainable_teacher import TrainablePocketTeacher
from pickclutter_lang.training.trainer import cosine
from pickclutter_lang.utils.progress import track

_TEXTS_PER_STEP, _N_COMMON_WORDS, _LR, _WARMUP = 256, 4000, 1e-3, 0.1
_TEMPLATES = ("{}", "{}", "a {}", "the {}", "a photo of a {}", "a photo of {}", "a photo of a table with a {}")


def pretrain_text(
    trainable: TrainablePocketTeacher,
    named: Sequence[ObjectAttributes],
    words: dict[str, list[str]],
    steps: int,
    seed: int,
    held_out_phrases: Sequence[str] = (),
) -> float:
    """Fit the text encoder to the sentence encoder's embeddings, reduced to its width.

    :param named: objects whose names, synonyms and descriptions are among the texts
    :param words: words of each attribute type, as of `attribute_words`
    :param steps: of the optimizer, each on 256 texts
    :param seed: of the texts of each step
    :param held_out_phrases: which no text contains
    :return: mean cosine of the last step with its targets, in -1..1
    :raises MissingExtraError: without the extra `llm`
    """
    texts, targets = text_targets(named, words, trainable.model.text_projection.shape[1], held_out_phrases)
    parameters = [p for name, p in trainable.model.named_parameters() if not name.startswith("visual")]
    optimizer = torch.optim.AdamW(parameters, lr=_LR, weight_decay=0.01)
    found = 0.0
    for step in track(range(steps), "text encoder"):
        rng = np.random.default_rng([seed, step, _N_COMMON_WORDS])
        chosen = rng.choice(len(texts), min(_TEXTS_PER_STEP, len(texts)), replace=False)
        for group in optimizer.param_groups:
            group["lr"] = _LR * cosine(step, steps, round(_WARMUP * steps))
        features = trainable.encode_texts([str(rng.choice(_TEMPLATES)).format(texts[n]) for n in chosen])
        cosines = (features * torch.from_numpy(targets[chosen])).sum(dim=1)
        optimizer.zero_grad(set_to_none=True)
        (1 - cosines).mean().backward()
        optimizer.step()
        found = float(cosines.detach().mean())
    return found


def text_targets(
    named: Sequence[ObjectAttributes], words: dict[str, list[str]], width: int, held_out_phrases: Sequence[str] = ()
) -> tuple[list[str], NDArray[np.float32]]:
    """Return texts and what they shall be encoded as, float32 [T, width], L2-normalized.

    The targets are the sentence encoder's embeddings without their mean, in their `width` principal components: the
    mean is all that most names share. No text contains one of the `held_out_phrases`.
    """
    model = SentenceEncoder()
    prompts = [attribute_prompt(kind, word).text for kind, of_kind in words.items() for word in of_kind]
    own = [text for item in named for text in (item.name, *item.synonyms, item.description) if text]
    colored = [f"{color} {item.name}" for item, color in product(named, words["color"])]
    told = dict.fromkeys([*own, *prompts, *vocabulary([]), *colored])
    pool = [text for text in told if not any(phrase in text for phrase in held_out_phrases)]
    embeddings = model.encode(pool)
    common, common_embeddings = common_words(model, embeddings[: len(own)], _N_COMMON_WORDS)
    embeddings = np.concatenate([embeddings, common_embeddings])
    centered = embeddings - embeddings.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:width]
    reduced = np.zeros((len(embeddings), width), np.float32)
    reduced[:, : len(axes)] = centered @ axes.T
    return [*pool, *common], reduced / np.linalg.norm(reduced, axis=1, keepdims=True)
