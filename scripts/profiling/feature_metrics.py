"""Time and peak memory of the feature metrics on 100,000 images.

The features of student and teacher alone, 100,000 x 768 in float32, take 614 MB.
"""

from __future__ import annotations

import argparse
import time

import torch

from pickclutter_lang.metrics import alignment_inversions, feature_distance, neighbour_overlap, relative_match
from pickclutter_lang.training.logger import peak_memory_mb


def main() -> None:
    """Draw features, compute every metric, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--texts", type=int, default=1000)
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(options.images, options.width, generator=generator) for _ in range(2))
    text = torch.randn(options.texts, options.width, generator=generator)
    print(f"features drawn: {peak_memory_mb():.0f} MB")
    for name, call in (
        ("feature_distance", lambda: feature_distance(student, teacher)),
        ("relative_match", lambda: relative_match(student, teacher)),
        ("neighbour_overlap, k = 10", lambda: neighbour_overlap(student, teacher, 10)),
        ("alignment_inversions, k = 5", lambda: alignment_inversions(student, teacher, text, 5)),
    ):
        start = time.perf_counter()
        value = call()
        print(f"{name}: {value} in {time.perf_counter() - start:.0f} s; peak so far {peak_memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
