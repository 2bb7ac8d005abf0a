"""Write `assets/word_neighbors.safetensors`: the words of captions that are nearest to each common word.

Needs the extra `llm`. `pickclutter_lang.teachers.known_words` says what the file holds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.language.label_names import vocabulary
from pickclutter_lang.teachers.known_words import NEIGHBORS_FILE
from pickclutter_lang.teachers.open_clip_teacher import word_tokens
from pickclutter_lang.teachers.sentence_encoder import SentenceEncoder
from pickclutter_lang.utils.io import atomic_write

COUNT = 8
"""Neighbors that are listed of each word: of the four that count, a teacher may not know some."""


def caption_words() -> list[str]:
    """Return the words of one token of names, synonyms and categories of kinds, and of the vocabulary of students."""
    texts = [text for kind in all_kinds() for text in (kind.name, *kind.synonyms, *kind.hypernyms)]
    return sorted({word for text in (*texts, *vocabulary([])) for word in text.split()} & word_tokens().keys())


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "assets" / NEIGHBORS_FILE
    parser.add_argument("out", nargs="?", type=Path, default=default, help="the file, by default that of the package")
    parser.add_argument("--common", type=int, default=20_000, help="the commonest words that are listed")
    options = parser.parse_args()
    tokens, encoder, known = word_tokens(), SentenceEncoder(), caption_words()
    words = list(dict.fromkeys([*list(tokens)[: options.common], *known]))
    cosines = (encoder.encode(words) @ encoder.encode(known).T).clip(0)
    for column, word in enumerate(known):
        cosines[words.index(word), column] = -1  # no word is its own neighbor
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :COUNT]
    arrays = {
        "words": np.array([tokens[word] for word in words], np.uint16),
        "neighbors": np.array([tokens[word] for word in known], np.uint16)[order],
        "cosines": np.rint(255 * np.take_along_axis(cosines, order, axis=1)).astype(np.uint8),
    }
    atomic_write(options.out, save(arrays))
    print(f"{len(words)} words, each with the nearest of {len(known)}, in {options.out}")


if __name__ == "__main__":
    main()
