"""The paper's Tables 1-11: the runs that they need, their rows and columns, and their pages from finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pickclutter_lang.language.descriptions import BLIND
from pickclutter_lang.results.comparability import comparable_settings, provenance
from pickclutter_lang.results.paper_tables import DATA_SETS, PAPER, SIZES
from pickclutter_lang.results.record import Record, Replicate, number_at
from pickclutter_lang.results.runs import TEACHER, Runs, SweepRules, load_runs
from pickclutter_lang.results.tables import (
    COMPARISON_NOTE,
    Column,
    Row,
    Table,
    comparison_rows,
    csv_lines,
    table_rows,
)
from pickclutter_lang.utils.io import write_csv, write_text
from pickclutter_lang.utils.markdown import percent
from pickclutter_lang.utils.words import range_text

CLASS_SPLIT = "data.seed"
"""The setting of a run that draws which classes are unseen."""
NAIVE = "cls"
BEST = "cls+im_cst+vlprox"
ENRICHED = "best+semantic"
"""The naive baseline, the best of Table 1, and its variant for Table 5."""

_OF_A_SPLIT = ("content", "split", "seen", "unseen", "train", "id", "ood", "fewshot")
"""What all runs of a split of the classes share."""
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
_ACCURACIES = (Column("X_id / zero-shot X_ood / few-shot X_ood, %", ACCURACY),)
_TEACHER = ("teacher.id.accuracy", "teacher.ood.accuracy")
_ALSO = ("few_shot.id.accuracy", "zero_shot.all.accuracy", "few_shot.all.accuracy")


def _on_both(title: str, measure: str, best: Literal["high", "low", ""]) -> Column:
    """Return a column of a measure of features on X_train / X_ood."""
    return Column(f"{title}, X_train / X_ood", tuple(f"features.{part}.{measure}" for part in ("train", "ood")), best)


def _table(
    number: str,
    title: str,
    runs: Sequence[str],
    pairs: Sequence[tuple[str, str]] | Literal["first", "before"] = (),
    columns: tuple[Column, ...] = _ACCURACIES,
    note: str = f"`best` is that of Table 1, `{BEST}`.",
) -> Table:
    """Return a table with a row for each run.

    :param pairs: which rows are compared; `first`: each with the first, `before`: each with the one before
    """
    if pairs == "first":
        pairs = [(name, runs[0]) for name in runs[1:]]
    elif pairs == "before":
        pairs = [*zip(runs[1:], runs, strict=False)]
    also = _ALSO if columns is _ACCURACIES else ()
    return Table(number, title, columns, tuple(Row(n, f"`{n}`", n) for n in runs), tuple(pairs), also, note)


_TABLE_1 = _table(
    "1",
    "Losses on the teacher's visual space and its alignment with language",
    ("closed_set", *_LOSSES),
    (
        ("cls", "closed_set"), ("cls+mse", "cls"), ("cls+im_cst", "cls"), ("im_cst", "mse"),
        ("cls+im_cst", "im_cst"), ("cls+im_cst", "cls+mse"), ("cls+im_cst+mse", "cls+mse"),
        ("cls+im_cst+mse", "cls+im_cst"), (BEST, "cls+im_cst"), (BEST, "cls"), (BEST, "im_cst+vlprox"),
        (f"{BEST}+mse", BEST), ("im_cst+vlprox", "im_cst"), ("im_cst+vlprox+mse", "im_cst+vlprox"),
    ),
    note="The paper's rows with L_vlprox are the better of with and without L_mse; here both are shown, its figures "
    "next to the first. A closed set has no output for classes that it was not trained on. The paper has CLIP's "
    "ResNet50 as a teacher too: teacher.name=RN50:openai with another out.",
)  # fmt: skip
_TABLES = (
    replace(_TABLE_1, rows=(Row("teacher", "teacher, zero-shot (X_id / X_ood)", None, (_TEACHER,)), *_TABLE_1.rows)),
    _table(
        "2",
        "Distance between the student's and the teacher's features",
        ("mse", "cls+mse", "cls+im_cst+mse", "cls+im_cst"),
        columns=tuple(
            Column(f"MSE / angle on {title}", (f"features.{part}.mse", f"features.{part}.degrees"), "")
            for part, title in (("train", "X_train"), ("ood", "X_ood"))
        ),
        note="The paper does not say on which images; its figures are next to the first column. Its row of a ResNet50 "
        "that learns from CLIP's ResNet50 takes teacher.name=RN50:openai with another out. A lower error is not better "
        "by itself.",
    ),
    _table(
        "3",
        "Coherence with the teacher's visual space",
        ("cls+mse", "cls+im_cst+mse"),
        "first",
        (
            _on_both("M_rel", "relative_match", "high"),
            *(_on_both(f"M_neigh, k = {k}", f"neighbour_overlap.{k}", "high") for k in (3, 5, 10)),
        ),
        note="",
    ),
    _table(
        "4",
        "Coherence with the teacher's order of texts",
        ("cls+mse", "cls+im_cst+mse", f"{BEST}+mse"),
        "before",
        tuple(_on_both(f"M_vlalign, k = {k}", f"alignment_inversions.{k}", "low") for k in (2, 3, 5)),
        note="",
    ),
    _table(
        "5",
        "Enriching the language representations by semantic details, auxiliary captions and prompt learning",
        (BEST, *(name for name in RUNS if {*name.split("+")} <= {"best", "semantic", "captions", "prompt"})),
        "first",
    ),
    Table(
        "6",
        "How near the classes' texts are to each other",
        (Column("mean cosine between the texts of Y_ood", ("text.names.cosine",), ""),),
        tuple(
            Row(kind, title, BEST, ((f"text.{kind}.cosine",),))
            for kind, title in (
                ("names", "names only"),
                ("descriptions", "descriptions"),
                ("captions", "captions, mean of each class"),
            )
        ),
    ),
    _table(
        "7",
        "Instructions to the language model that describes the classes",
        (BEST, *(f"best+{style}" for style in BLIND.values())),
        "first",
        note="`standard` is the instruction of section 5.",
    ),
    _table("8", "A ViT-B/32 as the student", [name for name in RUNS if name.startswith("vit_b_32")], "before"),
    _table(
        "9",
        "Ablations of L_vlprox and L_im-cst",
        (ENRICHED, *(f"{ENRICHED}+{change}" for change in ("unfiltered", "k10", "k1", "filtered_im_cst"))),
        "first",
        note="The first row is the best of Table 5. k is 256 in L_vlprox elsewhere, and never more than the classes of "
        "Y_id. With k = 1 Eq. 6 compares distributions over one class, so that L_vlprox is 0.",
    ),
    Table(
        "10",
        "Fine-tuning or retrieval",
        (Column("X_ood, %", ("few_shot.ood.accuracy",)),),
        (
            Row("finetune", "few-shot, fine-tuned", ENRICHED),
            Row("retrieval", "few-shot, by retrieval", ENRICHED, (("retrieval.ood.accuracy",),)),
        ),
        (("finetune", "retrieval"),),
    ),
    Table(
        "11",
        "Zero-shot after few-shot training on other classes",
        tuple(Column(f"X_{half}, %", (f"continual.{half}_after.accuracy",)) for half in ("ood1", "ood2")),
        tuple(
            Row(when, title, ENRICHED, tuple((f"continual.{half}_{when}.accuracy",) for half in ("ood1", "ood2")))
            for when, title in (("before", "zero-shot"), ("after", "few-shot on X_ood1"))
        ),
        (("after", "before"),),
        note="Y_ood is cut into two halves, and the student is trained on the few-shot images of the first.",
    ),
)
TABLES: Mapping[str, Table] = {table.number: table for table in _TABLES}
"""Number of a table, "1" to "11" -> the table; Table 12 is of scenes."""
FIGURES: Mapping[str, tuple[str, ...]] = {"1": (NAIVE, BEST, ENRICHED), "2b": (BEST, ENRICHED), "4": (BEST,)}
"""Number of a figure -> the runs that it needs."""


def table_of_runs(runs: Runs, number: str) -> Table:
    """Return a table for the data set of some runs: with the paper's figures on it, and what guessing gives."""
    table = TABLES[number]
    data = runs.first["data"]
    rows = []
    for row in table.rows:
        figures = PAPER[number].get(row.name, {}).get(data["name"], ())
        cells = []
        for measures in table.cells(row):
            cells.append(figures[: len(measures)])
            figures = figures[len(measures) :]
        rows.append(replace(row, paper=tuple(cells) if any(cells) else ()))
    shown = {measure for column in table.columns for measure in column.measures}
    guesses = {measure: _chance(measure, len(data["seen"]), len(data["unseen"])) for measure in shown}
    chance = {measure: guess for measure, guess in guesses.items() if guess is not None}
    return replace(table, rows=tuple(rows), chance=chance)


def _chance(measure: str, seen: int, unseen: int) -> float | None:
    """Return what guessing gives: one over the number of classes, or half of all pairs in the wrong order."""
    classes = {"id": seen, "ood": unseen, "all": seen + unseen, "ood1": (unseen + 1) // 2, "ood2": unseen // 2}
    _, part, *rest = measure.split(".")
    if rest and rest[0] == "alignment_inversions":
        k = int(rest[1])
        return k * (k - 1) / 4
    count = classes.get(part.split("_")[0], 0) if rest == ["accuracy"] else 0
    return 1 / count if count else None


def load_image_runs(out: Path) -> Runs:
    """Read every record under a folder, and the scores where all runs have some; `TEACHER` is a run too.

    :raises PickClutterError: what `load_runs` raises
    """
    runs = load_runs(out, IMAGE_TABLES)
    records = [record for of_name in runs.records.values() for record in of_name.values()]
    unseen = {_class_split(record): tuple(record["data"]["unseen"]) for record in records}
    splits = "draws of the images" if len(unseen) > 1 and len({*unseen.values()}) == 1 else "class splits"
    words = {"object splits": splits, "draws": "few-shot draws" if len(unseen) == 1 else "", "scenes": "images"}
    # The teacher's accuracies depend on the texts: those of only names are Table 1's.
    plain = [of_name for of_name in runs.records.values() if all(map(_has_plain_texts, of_name.values()))]
    teacher = max(plain, key=len, default={})
    return replace(runs, records={**runs.records, **({TEACHER: teacher} if teacher else {})}, words=words)


def write_table(runs: Runs, number: str, out: Path) -> Path:
    """Write `table<N>.md` and `table<N>.csv`, N of 1 to 11, into a folder; return the path of the former."""
    table = table_of_runs(runs, number)
    path = out / f"table{number}.md"
    write_csv(out / f"table{number}.csv", csv_lines(runs, [table]))
    write_text(path, _page(runs, table))
    return path


def summary(record: Record) -> str:
    """Return the accuracies of a run in a line, for the end of a command."""
    values, teacher = (" / ".join(percent(number_at(record, one)) for one in of) for of in (ACCURACY, _TEACHER))
    return f"X_id / zero-shot X_ood / few-shot X_ood, %: {values}; the teacher on X_id / X_ood: {teacher}"


def student_name(record: Record) -> str:
    """Return the name of the student, and whether it was trained before."""
    student = record["config"]["student"]
    return f"{student['name']}, pretrained" if student.get("pretrained") else str(student["name"])


def _page(runs: Runs, table: Table) -> str:
    records = [record for run in table.runs for record in runs.of(run).values()]
    notes = [line.removeprefix("- ") for record in records for line in record.get("report", "").splitlines()[1:]]
    missing = [f"`{run}`" for run in table.runs if not runs.of(run)]
    parts = [
        f"# Table {table.number}: {table.title}",
        _data_note(runs, table, records),
        table_rows(runs, table),
        _paper_note(runs.first["data"]["name"], table),
        table.note,
        f"Notes on the data set: {'; '.join(dict.fromkeys(notes))}." if notes else "",
        f"Not finished: {', '.join(missing)}." if missing else "",
    ]
    if table.pairs:
        parts += ["## Comparisons over equal seeds and splits", COMPARISON_NOTE, comparison_rows(runs, table)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data_note(runs: Runs, table: Table, records: Sequence[Record]) -> str:
    """Describe the provenance of the runs and how to read their numbers."""
    data = runs.first["data"]
    students = ", ".join(f"`{name}`" for name in sorted({student_name(record) for record in records}))
    sizes = {part: range_text([one["data"][part] for one in records]) for part in ("train", "id", "ood", "fewshot")}
    averaged = max(record["config"].get("average_last_epochs", 1) for record in records)
    epochs = "" if averaged == 1 else f" Accuracies are means over the last {averaged} epochs; intervals resample one."
    return (
        f"Data set `{data['name']}`: {len(data['seen'])} classes in Y_id and {len(data['unseen'])} in Y_ood; "
        f"{sizes['train']} training, {sizes['id']} X_id, {sizes['ood']} X_ood and {sizes['fewshot']} few-shot images. "
        f"Teacher `{runs.first['teacher']['name']}`, student {students}. Accuracies are means over classes. Each "
        f"number: mean ± half of its interval. {runs.note([name for name in table.runs if runs.of(name)])}{epochs} "
        f"Revision: {', '.join(sorted({str(record['git_revision']) for record in records}))}."
    )


def _paper_note(name: str, table: Table) -> str:
    if name not in DATA_SETS:
        return "**This is not one of the paper's data sets, so its figures are not shown.**"
    if not table.has_paper:
        return f"The paper has no figures of {DATA_SETS[name]} in this table."
    drawn = " The paper takes a published split; here half of the classes are sampled unless lists name them."
    sizes = f", whose lists have {' / '.join(map(str, SIZES[name]))} images" if name in SIZES else ""
    return (
        f"*paper*: its figures on {DATA_SETS[name]}{sizes} (training / X_id / X_ood with the few-shot images), with "
        f"CLIP ViT-L/14 as the teacher. Other images, another teacher or another student give other numbers."
        f"{drawn if name == 'tiered_imagenet' else ''}"
    )


def _has_plain_texts(record: Record) -> bool:
    return record["config"]["text"]["descriptions"] is None


def _class_split(record: Record) -> int:
    return Replicate.of_record(record).object_split


def _data_of(record: Record, *keys: str) -> dict[str, Any]:
    return {"data": {key: record["data"].get(key) for key in keys}}


def _texts_of(record: Record) -> dict[str, Any]:
    return _data_of(record, "texts", "captions") | {"space_texts": record["space_texts"]}


def _of_every_student(record: Record) -> dict[str, Any]:
    """Return the settings that all runs of one student share: not what a run or a seed sets."""
    shared = comparable_settings(record)
    own = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} | {"student"}
    for group, _, key in (name.rpartition(".") for name in ("name", "seed", CLASS_SPLIT, *own)):
        (shared.get(group, {}) if group else shared).pop(key, None)
    return shared


IMAGE_TABLES = SweepRules(
    kind="images",
    comparisons=(
        lambda record: {"": _data_of(record, "name") | {"teacher": provenance(record)["teacher"]}},
        lambda record: {f"class split {_class_split(record)}": _data_of(record, *_OF_A_SPLIT)},
        lambda record: {f"{record['name']}, class split {_class_split(record)}": _texts_of(record)},
        lambda record: {student_name(record): _of_every_student(record)},
    ),
    order=str,
    command="pickclutter reproduce-tables table=1",
    of_teacher=_has_plain_texts,
)
