"""Specifications of the paper's tables and figures: their runs by name, and the results in each row and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pickclutter_lang.experiments.sweeps.tables import Column, Row, Table
from pickclutter_lang.language.descriptions import BLIND
from pickclutter_lang.results.paper_tables import PAPER

NAIVE = "cls"
BEST = "cls+im_cst+vlprox"
ENRICHED = "best+semantic"
"""The naive baseline, the best of Table 1, and its variant for Table 5."""

_WEIGHTS = ("cls", "mse", "im_cst", "vlprox")
_SEMANTIC = "text.descriptions=own"
_CAPTIONS = "objective.cap=1"
_PROMPT = "text.n_ctx=8"


def _objective(losses: str) -> tuple[str, ...]:
    """Return the overrides of losses joined by `+`, each of weight 1 as in the released program."""
    return tuple(f"objective.{name}=1" for name in losses.split("+"))


_BEST = _objective(BEST)
_ENRICHED = (*_BEST, _SEMANTIC)
_VIT = "student=vit_b_32"
_LOSSES = (
    "cls", "mse", "cls+mse", "im_cst", "cls+im_cst", "cls+im_cst+mse", BEST, f"{BEST}+mse",
    "im_cst+vlprox", "im_cst+vlprox+mse",
)  # fmt: skip

RUNS: Mapping[str, tuple[str, ...]] = {
    "closed_set": (*_objective("cls"), "text.closed_set=true"),
    **{losses: _objective(losses) for losses in _LOSSES},
    ENRICHED: (*_ENRICHED, "continual_split=true"),
    "best+captions": (*_BEST, _CAPTIONS),
    "best+prompt": (*_BEST, _PROMPT),
    "best+semantic+captions": (*_ENRICHED, _CAPTIONS),
    "best+semantic+prompt": (*_ENRICHED, _PROMPT),
    "best+semantic+captions+prompt": (*_ENRICHED, _CAPTIONS, _PROMPT),
    **{f"best+{style}": (*_BEST, f"text.descriptions={blind}") for blind, style in BLIND.items()},
    **{f"vit_b_32+{losses}": (*_objective(losses), _VIT) for losses in ("cls", "cls+im_cst", BEST)},
    "vit_b_32+best+semantic": (*_ENRICHED, _VIT),
    "best+semantic+unfiltered": (*_ENRICHED, "objective.filter_vlprox=false"),
    "best+semantic+k10": (*_ENRICHED, "objective.top_k=10"),
    "best+semantic+k1": (*_ENRICHED, "objective.top_k=1"),
    "best+semantic+filtered_im_cst": (*_ENRICHED, "objective.filter_im_cst=true"),
}
"""Name of a run -> its overrides. `best` is the best of Table 1; runs that tables share are one run."""


ACCURACY = ("zero_shot.id.accuracy", "zero_shot.ood.accuracy", "few_shot.ood.accuracy")
"""x1, x2, x3 of the paper: X_id, zero-shot X_ood, few-shot X_ood; labels are Y_id for X_id and Y_ood for X_ood."""
_ALSO = ("few_shot.id.accuracy", "zero_shot.all.accuracy", "few_shot.all.accuracy")
_TITLES = {"cls": "L_cls", "mse": "L_mse", "im_cst": "L_im-cst", "vlprox": "L_vlprox"}


def _title(losses: str) -> str:
    return " + ".join(_TITLES[name] for name in losses.split("+"))


def _students(titles: Mapping[str, str]) -> tuple[Row, ...]:
    """Return a row for each run."""
    return tuple(Row(name, title, name) for name, title in titles.items())


def _losses(names: Iterable[str]) -> tuple[Row, ...]:
    return _students({name: _title(name) for name in names})


def _against_first(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    return tuple((row.name, rows[0].name) for row in rows[1:])


def _against_before(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    return tuple((rows[n].name, rows[n - 1].name) for n in range(1, len(rows)))


def _accuracies(
    number: str, title: str, rows: tuple[Row, ...], pairs: tuple[tuple[str, str], ...], note: str = ""
) -> Table:
    column = Column("X_id / zero-shot X_ood / few-shot X_ood, %", ACCURACY)
    return Table(number, title, (column,), rows, pairs, _ALSO, note)


def _table_1() -> Table:
    measures = (("teacher.id.accuracy", "teacher.ood.accuracy"),)
    teacher = Row("teacher", "teacher, zero-shot (X_id / X_ood)", None, measures)
    rows = (teacher, *_students({"closed_set": "Closed-set classification"}), *_losses(_LOSSES))
    pairs = (
        ("cls", "closed_set"), ("cls+mse", "cls"), ("cls+im_cst", "cls"), ("im_cst", "mse"), ("cls+im_cst", "im_cst"),
        ("cls+im_cst", "cls+mse"), ("cls+im_cst+mse", "cls+mse"), ("cls+im_cst+mse", "cls+im_cst"),
        (BEST, "cls+im_cst"), (BEST, "cls"), (BEST, "im_cst+vlprox"), (f"{BEST}+mse", BEST),
        ("im_cst+vlprox", "im_cst"), ("im_cst+vlprox+mse", "im_cst+vlprox"),
    )  # fmt: skip
    note = (
        "The paper's rows with L_vlprox are the better of with and without L_mse; here both are shown, its figures "
        "next to the first. A closed set has no output for classes that it was not trained on. The paper has CLIP's "
        "ResNet50 as a teacher too: teacher.name=RN50:openai with another out."
    )
    return _accuracies("1", "Losses on the teacher's visual space and its alignment with language", rows, pairs, note)


def _table_5() -> Table:
    rows = _students(
        {
            BEST: "best of Table 1 (no language enrichment)",
            ENRICHED: "Semantic details",
            "best+captions": "Auxiliary captions",
            "best+prompt": "Prompt learning",
            "best+semantic+captions": "Semantics + captions",
            "best+semantic+prompt": "Semantics + prompt",
            "best+semantic+captions+prompt": "Semantics + captions + prompt",
        }
    )
    return _accuracies("5", "Enriching the language representations", rows, _against_first(rows))


def _table_7() -> Table:
    rows = _students(
        {
            BEST: "No language enrichment",
            "best+standard": "Instruction of section 5",
            "best+succinct": "More succinct",
            "best+detailed": "More detailed",
            "best+distinct": "More distinct",
        }
    )
    return _accuracies("7", "Instructions to the language model that describes the classes", rows, _against_first(rows))


def _table_8() -> Table:
    rows = _students(
        {
            **{f"vit_b_32+{losses}": _title(losses) for losses in ("cls", "cls+im_cst", BEST)},
            "vit_b_32+best+semantic": f"{_title(BEST)} + semantics",
        }
    )
    return _accuracies("8", "A ViT-B/32 as the student", rows, _against_before(rows))


def _table_9() -> Table:
    rows = _students(
        {
            ENRICHED: "best of Table 5 (semantic details)",
            "best+semantic+unfiltered": "No filtering in L_vlprox",
            "best+semantic+k10": "k = 10 for L_vlprox",
            "best+semantic+k1": "k = 1 for L_vlprox",
            "best+semantic+filtered_im_cst": "With filtering in L_im-cst",
        }
    )
    note = (
        "k is 256 elsewhere, and never more than the classes of Y_id. With k = 1 Eq. 6 compares distributions over one "
        "class, so that L_vlprox is 0."
    )
    return _accuracies("9", "Ablations of L_vlprox and L_im-cst", rows, _against_first(rows), note)


def _on_both(title: str, measure: str, best: Literal["high", "low", ""]) -> Column:
    """Return a column of a measure of features on X_train / X_ood."""
    return Column(f"{title}, X_train / X_ood", tuple(f"features.{part}.{measure}" for part in ("train", "ood")), best)


def _table_2() -> Table:
    columns = tuple(
        Column(f"MSE / angle on {title}", (f"features.{part}.mse", f"features.{part}.degrees"), "")
        for part, title in (("train", "X_train"), ("ood", "X_ood"))
    )
    note = (
        "The paper does not say on which images; its figures are next to the first column. Its row of a ResNet50 that "
        "learns from CLIP's ResNet50 takes teacher.name=RN50:openai with another out. A lower error is not better by "
        "itself."
    )
    rows = _losses(("mse", "cls+mse", "cls+im_cst+mse", "cls+im_cst"))
    return Table("2", "Distance between the student's and the teacher's features", columns, rows, note=note)


def _table_3() -> Table:
    columns = (
        _on_both("M_rel", "relative_match", "high"),
        *(_on_both(f"M_neigh, k = {k}", f"neighbour_overlap.{k}", "high") for k in (3, 5, 10)),
    )
    rows = _losses(("cls+mse", "cls+im_cst+mse"))
    return Table("3", "Coherence with the teacher's visual space", columns, rows, _against_first(rows))


def _table_4() -> Table:
    columns = tuple(_on_both(f"M_vlalign, k = {k}", f"alignment_inversions.{k}", "low") for k in (2, 3, 5))
    rows = _losses(("cls+mse", "cls+im_cst+mse", f"{BEST}+mse"))
    return Table("4", "Coherence with the teacher's order of texts", columns, rows, _against_before(rows))


def _table_6() -> Table:
    kinds = {"names": "names alone", "descriptions": "descriptions", "captions": "captions, mean of each class"}
    rows = tuple(Row(kind, title, BEST, ((f"text.{kind}.cosine",),)) for kind, title in kinds.items())
    columns = (Column("mean cosine between the texts of Y_ood", ("text.names.cosine",), ""),)
    return Table("6", "How near the classes' texts are to each other", columns, rows)


def _table_10() -> Table:
    rows = (
        Row("finetune", "few-shot, fine-tuned", ENRICHED, (("few_shot.ood.accuracy",),)),
        Row("retrieval", "few-shot, by retrieval", ENRICHED, (("retrieval.ood.accuracy",),)),
    )
    columns = (Column("X_ood, %", ("few_shot.ood.accuracy",)),)
    return Table("10", "Fine-tuning or retrieval", columns, rows, (("finetune", "retrieval"),))


def _table_11() -> Table:
    titles = {"before": "zero-shot", "after": "few-shot on X_ood1"}
    rows = tuple(
        Row(when, title, ENRICHED, tuple((f"continual.{half}_{when}.accuracy",) for half in ("ood1", "ood2")))
        for when, title in titles.items()
    )
    columns = tuple(Column(f"X_{half}, %", (f"continual.{half}_after.accuracy",)) for half in ("ood1", "ood2"))
    note = "Y_ood is cut into two halves, and the student is trained on the few-shot images of the first."
    title, pairs = "Zero-shot after few-shot training on other classes", (("after", "before"),)
    return Table("11", title, columns, rows, pairs, note=note)


_ALL = (
    _table_1(), _table_2(), _table_3(), _table_4(), _table_5(), _table_6(),
    _table_7(), _table_8(), _table_9(), _table_10(), _table_11(),
)  # fmt: skip
TABLES: Mapping[str, Table] = {table.number: table for table in _ALL}
"""Number of a table, "1" to "11" -> the table; Table 12 is of scenes."""

FIGURES: Mapping[str, tuple[str, ...]] = {"1": (NAIVE, BEST, ENRICHED), "2b": (BEST, ENRICHED), "4": (BEST,)}
"""Number of a figure -> the runs that it needs."""


def table_of(number: str, data: str, seen: int, unseen: int) -> Table:
    """Return a table for a data set: with the paper's figures on it, and what guessing gives.

    :param data: name of the data set
    :param seen: number of classes in Y_id
    :param unseen: number of classes in Y_ood
    """
    table = TABLES[number]
    rows = []
    for row in table.rows:
        figures, cells = PAPER[number].get(row.name, {}).get(data, ()), []
        for measures in table.cells(row):
            cells.append(figures[: len(measures)])
            figures = figures[len(measures) :]
        rows.append(replace(row, paper=tuple(cells) if any(cells) else ()))
    shown = {measure for column in table.columns for measure in column.measures}
    guesses = {measure: guess for measure in shown if (guess := chance(measure, seen, unseen)) is not None}
    return replace(table, rows=tuple(rows), chance=guesses)


def chance(measure: str, seen: int, unseen: int) -> float | None:
    """Return what guessing gives: one over the number of classes, or half of all pairs in the wrong order."""
    classes = {"id": seen, "ood": unseen, "all": seen + unseen, "ood1": (unseen + 1) // 2, "ood2": unseen // 2}
    _, part, *rest = measure.split(".")
    if rest and rest[0] == "alignment_inversions":
        k = int(rest[1])
        return k * (k - 1) / 4
    count = classes.get(part.split("_")[0], 0) if rest == ["accuracy"] else 0
    return 1 / count if count else None
