"""The probe of word order: a teacher that binds colors to names passes it, one that has a bag of words does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pickclutter_lang.datasets.object_views import ObjectViewDataset, write_object_views
from pickclutter_lang.objects.kinds import find_kinds
from pickclutter_lang.teacher_training.order_probe import order_accuracy, side_by_side

KINDS = ["mug", "bowl", "dice"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ObjectViewDataset:
    """Views that are filled with the numbers of the object's name and main color."""
    of_kinds = find_kinds(KINDS)
    objects: list[dict[str, Any]] = [kind.words(seed, kind.instance(seed)) for kind in of_kinds for seed in range(30)]
    values = [(KINDS.index(item["kind"]), colors_of(objects).index(item["colors"][0]), 0) for item in objects]
    rgb = np.broadcast_to(np.array(values, np.uint8)[:, None, None], (len(objects), 16, 16, 3)).copy()
    folder = tmp_path_factory.mktemp("views") / "views"
    index = np.arange(len(objects), dtype=np.int32)
    write_object_views(folder, rgb, np.ones(rgb.shape[:3], bool), index, objects, {"objects": "kinds"})
    return ObjectViewDataset.open(folder)


def colors_of(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({color for item in objects for color in item["colors"]})


class _Teacher:
    """Has a feature for each pair of a name and a color or (`binds` false) for each name and for each color."""

    def __init__(self, colors: list[str], binds: bool) -> None:
        self.colors, self.binds = colors, binds

    def preprocess(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return images

    def encode_image(self, images: NDArray[np.uint8]) -> Tensor:
        sides = images[:, 16, [0, -1], :2].astype(int)
        return torch.stack([self._features([(name, color) for name, color in row.tolist()]) for row in sides])

    def encode_text(self, texts: list[str]) -> Tensor:
        return torch.stack([self._features(self._said(text.split())) for text in texts])

    def _said(self, words: list[str]) -> list[tuple[int, int]]:
        names = [(KINDS.index(word), words[n - 1]) for n, word in enumerate(words) if word in KINDS]
        return [(name, self.colors.index(color)) for name, color in names]

    def _features(self, named: list[tuple[int, int]]) -> Tensor:
        found = torch.zeros(len(KINDS), len(self.colors))
        for name, color in named:
            found[name, color] += 1
        return found.flatten() if self.binds else torch.cat([found.sum(dim=0), found.sum(dim=1)])


@pytest.mark.parametrize(("binds", "top1"), [(True, 1.0), (False, 0.0)])
def test_who_binds_colors_to_names_passes(store: ObjectViewDataset, binds: bool, top1: float) -> None:
    teacher = _Teacher(colors_of(store.objects), binds)
    found = order_accuracy(teacher, store)["order"]  # type: ignore[arg-type]
    assert 20 < found["images"] <= 90 and found["top1"] == top1 and found["control"] == 1.0
    assert found["interval"] is None  # all alike


def test_one_name_gives_no_pair(store: ObjectViewDataset, tmp_path: Path) -> None:
    rows = np.flatnonzero(store.object_index < 30)
    write_object_views(
        tmp_path / "mugs", store.rgb[rows], store.mask[rows], store.object_index[rows], store.objects[:30],
        {"objects": "kinds"},
    )  # fmt: skip
    teacher = _Teacher(colors_of(store.objects), binds=True)
    assert order_accuracy(teacher, ObjectViewDataset.open(tmp_path / "mugs")) == {}  # type: ignore[arg-type]


def test_two_views_make_a_square() -> None:
    left, right = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 9, np.uint8)
    image = side_by_side(left, right)
    assert image.shape == (8, 8, 3) and (image[:, :4] == 0).all() and (image[:, 4:] == 9).all()
