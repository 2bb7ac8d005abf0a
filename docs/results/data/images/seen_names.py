"""Views of kinds with 14, 50 or 100 seen names, of which there are as many images in all: a data set for a sweep.

    data.name=seen_names:seen_14 data.root=VIEWS    # with this folder on the PYTHONPATH

The same 40 kinds are unseen for each number of seen ones; `data.seed` draws both.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from pickclutter_lang.datasets.images.config import ImageDataConfig
from pickclutter_lang.datasets.images.dataset import ArrayImages, ImageClass, ImageDataset
from pickclutter_lang.datasets.object_views import ObjectViewDataset

UNSEEN, IMAGES, OF_UNSEEN = 40, 1000, 20


def seen(count: int, config: ImageDataConfig) -> ImageDataset:
    """Return views of `count` seen kinds, 1000 of them, and 20 of each of 40 unseen kinds."""
    store = ObjectViewDataset.open(config.root)
    kinds = [str(row["kind"]) for row in store.objects]
    of_view = np.array([kinds[n] for n in store.object_index.tolist()])
    rng = np.random.default_rng(config.seed)
    order = rng.permutation(sorted({*kinds})).tolist()
    chosen = [*order[UNSEEN : UNSEEN + count], *order[:UNSEEN]]
    rows, labels = [], []
    for label, kind in enumerate(chosen):
        of_kind = rng.permutation(np.flatnonzero(of_view == kind)).tolist()
        own = of_kind[: IMAGES // count if label < count else OF_UNSEEN]
        rows += own
        labels += [label] * len(own)
    classes = tuple(ImageClass(kind.replace(" ", "_"), kind) for kind in chosen)
    ids = [f"{classes[label].folder}/{row:05d}" for row, label in zip(rows, labels, strict=True)]
    images = ArrayImages(ids, store.rgb[rows], f"{store.content_hash} {count} {config.seed}")
    split = tuple(range(count)), tuple(range(count, len(chosen)))
    return ImageDataset(config.name, classes, np.array(labels), images, class_split=split)


seen_14, seen_50, seen_100 = (partial(seen, count) for count in (14, 50, 100))
