"""Zero-shot probe of word order: "a red mug and a blue bowl" against "a blue mug and a red bowl"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.datasets.object_views import ObjectViewDataset
from pickclutter_lang.language.object_attributes import ObjectAttributes
from pickclutter_lang.teacher_training.compositions import composition
from pickclutter_lang.teacher_training.encoded_views import clusters_of
from pickclutter_lang.teacher_training.render_sources import object_of_row
from pickclutter_lang.teachers.pocket import PocketTeacher
from pickclutter_lang.teachers.zero_shot import encode_images
from pickclutter_lang.utils.statistics import clustered_interval
from pickclutter_lang.utils.words import with_article


class _SideBySide(NamedTuple):
    """Two views, by their row, of objects that share neither name nor color; `other` are two colors of neither.

    `first` is named first.
    """

    left: int
    right: int
    first: ObjectAttributes
    second: ObjectAttributes
    other: tuple[str, str]

    def text(self, of_first: str, of_second: str) -> str:
        """Return what joins the two names with these colors."""
        named = (f"{of_first} {self.first.name}", f"{of_second} {self.second.name}")
        return f"a photo of {' and '.join(map(with_article, named))}"


def order_accuracy(teacher: PocketTeacher, store: ObjectViewDataset, seed: int = 0) -> dict[str, Any]:
    """Return how often a teacher binds colors to names, on images of two instances of kinds side by side.

    Each pair is shown twice, with either object on the left.

    :param seed: of the pairs; each view is in one at most
    :return: `order`: `images`, how many; `top1` of the true text against the one with the two colors exchanged, and
        its `interval`, with kinds as clusters; `control`, the same against two colors that neither object has, which
        says whether the teacher sees the colors at all. Nothing without such pairs
    """
    pairs = _pairs(store, np.random.default_rng(seed))
    if not pairs:
        return {}
    images = np.stack([side_by_side(store.rgb[pair.left], store.rgb[pair.right]) for pair in pairs])
    features = encode_images(teacher, images)

    def scores(texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the cosine of each image with its text."""
        found: NDArray[np.float32] = (features * teacher.encode_text(texts)).sum(dim=1).numpy()
        return found

    colors = [(pair.first.colors[0], pair.second.colors[0]) for pair in pairs]
    true = scores([pair.text(a, b) for pair, (a, b) in zip(pairs, colors, strict=True)])
    exchanged = scores([pair.text(b, a) for pair, (a, b) in zip(pairs, colors, strict=True)])
    hits = (true > exchanged).tolist()
    return {
        "order": {
            "images": len(pairs),
            "top1": float(np.mean(hits)),
            "interval": clustered_interval([*clusters_of((pair.first.name for pair in pairs), hits).values()]),
            "control": float(np.mean(true > scores([pair.text(*pair.other) for pair in pairs]))),
        }
    }


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a square image [2 S, 2 S, 3] of two [S, S, 3], whose edges are repeated above and below."""
    above = left.shape[0] // 2
    padding = ((above, left.shape[0] - above), (0, 0), (0, 0))
    image: NDArray[np.uint8] = np.pad(np.concatenate([left, right], axis=1), padding, mode="edge")
    return image


def _pairs(store: ObjectViewDataset, rng: np.random.Generator) -> list[_SideBySide]:
    """Draw views two by two; those whose objects share a name or a color are left out."""
    attributes = [object_of_row(row) if "kind" in row else None for row in store.objects]
    objects = {
        n: item for n, index in enumerate(store.object_index.tolist()) if (item := attributes[index]) is not None
    }
    rows = [n for n, item in objects.items() if composition(item, "color") is not None]
    words = sorted({color for item in objects.values() for color in item.colors})
    order = rng.permutation(rows).tolist()
    pairs = []
    for left, right in zip(order[::2], order[1::2], strict=False):
        first, second = objects[left], objects[right]
        others = [color for color in words if color not in (*first.colors, *second.colors)]
        if first.name != second.name and not {*first.colors} & {*second.colors} and len(others) > 1:
            one, two = rng.permutation(others)[:2].tolist()
            pairs += [_SideBySide(a, b, first, second, (one, two)) for a, b in ((left, right), (right, left))]
    return pairs
