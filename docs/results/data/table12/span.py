"""How much of what tells unseen names apart lies in the span of seen names: writes span.csv and the figure of the page.

    python docs/results/data/table12/span.py runs/table12/teacher/teacher GROCERY/classes.json

Of a teacher's texts of the unseen names, less their mean, it takes the share of their squared length that lies in the
span of the texts of the seen names. Random directions of the same width have the share (seen names) / width.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.kinds import all_kinds
from pickclutter_lang.objects.catalog import paper_catalog, unseen_objects
from pickclutter_lang.teachers import Teacher, load_teacher
from pickclutter_lang.teachers.zero_shot import PHOTO_TEMPLATE
from pickclutter_lang.utils.io import write_csv

HERE = Path(__file__).resolve().parent
FIGURE = HERE.parents[2] / "images" / "span.png"
SPLITS = range(5)
DRAWS = 5
SEEN = (14, 25, 50, 100, 180)
TITLES = {"shipped": "`pocket`", "none": "read none of the names", "imagenet": "`imagenet`"}
HEADER = ["teacher", "names", "seen", "unseen", "width", "mean_cosine", "share"]


def share(seen: NDArray[np.float32], unseen: NDArray[np.float32]) -> float:
    """Return the share, in 0..1, of seen texts [S, D] and unseen ones [U, D]."""
    centered = unseen - unseen.mean(axis=0)
    axes = np.linalg.svd(seen, full_matrices=False)[2][: np.linalg.matrix_rank(seen)]
    return float(np.square(centered @ axes.T).sum() / np.square(centered).sum())


def rows(name: str, teacher: Teacher, photos: list[str]) -> Iterator[list[Any]]:
    """Yield the means over splits of the objects, and over draws of kinds and of classes, for each number of names."""

    def encode(names: list[str]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = teacher.encode_text([PHOTO_TEMPLATE.format(label=one) for one in names]).numpy()
        return found

    catalogs = [paper_catalog().with_unseen(unseen_objects(split)) for split in SPLITS]
    named = {item.name for item in catalogs[0]}
    others = encode([kind.name for kind in all_kinds() if kind.name not in named])
    for count in SEEN:
        found, cosines = [], []
        for split, catalog in enumerate(catalogs):
            seen, unseen = (encode([one.name for one in catalog if one.split == part]) for part in ("id", "ood"))
            for draw in range(DRAWS):
                extra = np.random.default_rng([split, draw]).permutation(len(others))[: count - len(seen)]
                found.append(share(np.concatenate([seen, others[extra]]), unseen))
            cosines.append((unseen @ unseen.T)[np.triu_indices(len(unseen), 1)].mean())
        yield [name, "objects", count, len(unseen), seen.shape[1], np.mean(cosines), np.mean(found)]
    texts = encode(photos)
    found = []
    half = (len(texts) + 1) // 2
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(len(texts))
        found.append(share(texts[order[:half]], texts[order[half:]]))
    cosine = (texts @ texts.T)[np.triu_indices(len(texts), 1)].mean()
    yield [name, "groceries", half, len(texts) - half, texts.shape[1], cosine, np.mean(found)]


def draw(table: list[list[Any]]) -> None:
    """Draw the share over the number of seen names, dashed for random directions."""
    figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for name, title in TITLES.items():
        own = [row for row in table if row[:2] == [name, "objects"]]
        x = [row[2] for row in own]
        y = [100 * row[6] for row in own]
        width = own[0][4]
        (line,) = axes.plot(x, y, marker="o", label=title.strip("`"))
        axes.plot(x, [100 * n / width for n in SEEN], linestyle="--", linewidth=1, color=line.get_color())
    axes.set(xlabel="seen names", ylabel="% in the span of the seen names", ylim=(0, 100), xscale="log")
    axes.set_xticks(SEEN, [str(n) for n in SEEN], minor=False)
    axes.minorticks_off()
    axes.legend(frameon=False)
    figure.savefig(FIGURE, dpi=120)


def main() -> None:
    """Measure the three teachers."""
    checkpoint, classes = sys.argv[1:]
    photos = [one["name"] for one in json.loads(Path(classes).read_text())["classes"]]
    teachers = {"shipped": ("pocket", None), "none": ("pocket", checkpoint), "imagenet": ("imagenet", None)}
    table = [row for name, one in teachers.items() for row in rows(name, load_teacher(*one), photos)]
    write_csv(HERE / "span.csv", [HEADER, *([*row[:5], *(f"{value:.4f}" for value in row[5:])] for row in table)])
    draw(table)


if __name__ == "__main__":
    main()
