"""The paper's Tables 1-12 as data (`assets/paper_tables.json`), for comparison with results on the same data sets.

Tables 1, 5, 7, 8 and 9 have percentages: X_id / zero-shot X_ood / 5-shot X_ood; of teachers (`teacher` is ViT-L/14)
zero-shot X_id / X_ood. The rows with L_vlprox of Table 1 are the better of with and without L_mse. The average of the
zero-shot column of `cls+im_cst+mse` is 20.4; the paper prints 20.3. `best+standard` of Table 7 on StanfordCars has 63.6
on X_id in Table 5.

Table 2: mean squared error, summed over dimensions / degrees; the paper does not say on which images. Table 3: M_rel on
X_train / X_ood, then M_neigh for k = 3, 5, 10. Table 4: M_vlalign for k = 2, 3, 5. Table 6: mean cosine between all
pairs of text features of Y_ood (section 5.2: of Flower102). Table 10: percentages on X_ood. Table 11: percentages on
X_ood1 / X_ood2, before and after few-shot training on X_ood1. Table 12: percentages for zero-shot / few-shot, from CLIP
ViT-L/14 and 3000 scenes; F1 is over the objects of an observation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

PaperFigures = tuple[float | None, ...]
PaperTable = Mapping[str, Mapping[str, PaperFigures]]
"""Row -> data set, `average` or cell of Table 12 -> the figures of its cell, None for NA."""


def _table(rows: Mapping[str, Mapping[str, list[float | None]]]) -> PaperTable:
    return {row: {column: tuple(values) for column, values in cells.items()} for row, cells in rows.items()}


_CONTENT: dict[str, Any] = json.loads((files("pickclutter_lang.assets") / "paper_tables.json").read_text())

DATA_SETS: Mapping[str, str] = _CONTENT["data_sets"]
"""The paper's data sets: our name -> its name, in the order of its columns."""
SIZES: Mapping[str, tuple[int, int, int]] = {name: (a, b, c) for name, (a, b, c) in _CONTENT["sizes"].items()}
"""Images in the published lists: training, X_id, X_ood; those of tiered-ImageNet are not public."""
PAPER: Mapping[str, PaperTable] = {number: _table(rows) for number, rows in _CONTENT["tables"].items()}
"""Number of a table, "1" to "11" -> its rows, by their names in `experiments.images.image_tables.TABLES`."""
TABLE12: Mapping[str, PaperTable] = {metric: _table(rows) for metric, rows in _CONTENT["table_12"].items()}
"""`accuracy` (Table 12 a) and `f1` (b) -> method, as the paper calls it -> cell -> (zero-shot, few-shot)."""
TABLE12_CELLS = ("id_on_id", "id_on_ood", "ood_on_ood")
"""Columns of Table 12: labels of Y_id or Y_ood on scenes of X_id or X_ood."""
