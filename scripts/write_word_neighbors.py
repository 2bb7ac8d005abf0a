"""Write `assets/word_neighbors.safetensors`: which words of captions each word of CLIP's vocabulary is taken for.

Needs the extra `sentence`. `pickclutter_lang.teachers.word_neighbors` says what the file holds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pickclutter_lang.teacher_training.nearest_words import NearestWords, word_tokens
from pickclutter_lang.teachers.word_neighbors import NEIGHBORS_FILE


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parents[1] / "assets" / NEIGHBORS_FILE
    parser.add_argument("out", nargs="?", type=Path, default=default, help="the file, by default that of the package")
    out = parser.parse_args().out
    tokens, nearest = word_tokens(), NearestWords()
    words = [word for word in tokens if word not in nearest.words]
    neighbors, weights = nearest(words)
    arrays = {
        "words": np.array([tokens[word] for word in words], np.int32),
        "neighbors": neighbors.astype(np.int32),
        "weights": np.rint(255 * weights).astype(np.uint8),
    }
    save_file(arrays, out)
    print(f"{len(words)} words, each with the nearest of {len(nearest.words)}, in {out}")


if __name__ == "__main__":
    main()
