"""Write `assets/word_neighbors.safetensors`: the words of captions that are nearest to each common word.

Needs the extra `llm`. `pickclutter_lang.teachers.word_neighbors` says what the file holds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from pickclutter_lang.language.clip_words import word_tokens
from pickclutter_lang.teacher_training.nearest_words import NearestWords
from pickclutter_lang.teachers.word_neighbors import NEIGHBORS_FILE
from pickclutter_lang.utils.io import atomic_write


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[2] / "assets" / NEIGHBORS_FILE
    parser.add_argument("out", nargs="?", type=Path, default=default, help="the file, by default that of the package")
    parser.add_argument("--common", type=int, default=20_000, help="the commonest words that are listed")
    options = parser.parse_args()
    nearest = NearestWords()
    words = list(dict.fromkeys([*list(word_tokens())[: options.common], *nearest.words]))
    listed = nearest(words)
    arrays = {
        "words": listed.words.numpy().astype(np.uint16),
        "neighbors": listed.neighbors.numpy().astype(np.uint16),
        "cosines": np.rint(255 * listed.cosines.numpy()).astype(np.uint8),
    }
    atomic_write(options.out, save(arrays))
    print(f"{len(words)} words, each with the nearest of {len(nearest.words)}, in {options.out}")


if __name__ == "__main__":
    main()
