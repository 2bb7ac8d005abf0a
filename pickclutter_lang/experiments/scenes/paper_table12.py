"""Table 12 of the paper as data: percentages for zero-shot / few-shot, from ViT-L/14 CLIP and 3000 scenes."""

from __future__ import annotations

from collections.abc import Mapping

TABLE12_CELLS = ("id_on_id", "id_on_ood", "ood_on_ood")
"""Its columns: labels of Y_id or Y_ood on scenes of X_id or X_ood."""

PaperRow = Mapping[str, Mapping[str, tuple[float | None, float | None]]]


def _row(*values: float | None) -> dict[str, tuple[float | None, float | None]]:
    return {cell: (values[2 * n], values[2 * n + 1]) for n, cell in enumerate(TABLE12_CELLS)}


ACCURACY: PaperRow = {
    "Closed-Set": _row(96.4, 96.5, None, 86.2, None, 87.7),
    "L_cls": _row(96.9, 97.2, 79.3, 85.3, 71.7, 87.3),
    "+ L_im-cst": _row(99.2, 99.2, 84.0, 91.9, 76.3, 88.3),
    "+ Semantic Enrich": _row(98.2, 99.0, 84.3, 92.0, 83.0, 89.6),
}
"""Table 12 (a): overall accuracy; method -> cell -> (zero-shot, few-shot), None for NA."""

F1: PaperRow = {
    "Closed-Set": _row(91.6, 91.9, None, 57.8, None, 35.9),
    "L_cls": _row(94.0, 94.4, 46.5, 54.7, 23.3, 32.8),
    "+ L_im-cst": _row(98.1, 98.0, 55.3, 70.8, 23.7, 47.3),
    "+ Semantic Enrich": _row(97.2, 97.4, 55.6, 70.8, 11.7, 50.7),
}
"""Table 12 (b): F1 over the objects of an observation; method -> cell -> (zero-shot, few-shot), None for NA."""
