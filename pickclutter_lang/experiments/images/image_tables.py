"""The paper's Tables 1-11: the runs that they need, their rows and columns, and their pages from finished runs."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.images.image_protocol import student_name
from pickclutter_lang.language.descriptions import BLIND
from pickclutter_lang.results.comparability import comparable_settings, provenance
from pickclutter_lang.results.paper_tables import DATA_SETS, PAPER, SIZES
from pickclutter_lang.results.record import Record, Replicate, number_at
from pickclutter_lang.results.runs import TEACHER, Runs, SweepKind, load_runs
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
_TEACHER = ("teacher.id.accuracy", "teacher.ood.accuracy")
_ALSO = ("few_shot.id.accuracy", "zero_shot.all.accuracy", "few_shot.all.accuracy")
_TITLES = {"cls": "L_cls", "mse": "L_mse", "im_cst": "L_im-cst", "vlprox": "L_vlprox"}


def _title(losses: str) -> str:
    return " + ".join(_TITLES[name] for name in losses.split("+"))


def _losses(*names: str) -> dict[str, str]:
    return {name: _title(name) for name in names}


def _rows(titles: Mapping[str, str]) -> tuple[Row, ...]:
    """Return a row for each run."""
    return tuple(Row(name, title, name) for name, title in titles.items())


def _against_first(titles: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    first, *others = titles
    return tuple((name, first) for name in others)


def _against_before(titles: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip([*titles][1:], titles, strict=False))


def _accuracies(
    number: str, title: str, rows: tuple[Row, ...], pairs: tuple[tuple[str, str], ...], note: str = ""
) -> Table:
    column = Column("X_id / zero-shot X_ood / few-shot X_ood, %", ACCURACY)
    return Table(number, title, (column,), rows, pairs, _ALSO, note)


def _on_both(title: str, measure: str, best: Literal["high", "low", ""]) -> Column:
    """Return a column of a measure of features on X_train / X_ood."""
    return Column(f"{title}, X_train / X_ood", tuple(f"features.{part}.{measure}" for part in ("train", "ood")), best)


_OF_TABLE_3 = _losses("cls+mse", "cls+im_cst+mse")
_OF_TABLE_4 = _losses("cls+mse", "cls+im_cst+mse", f"{BEST}+mse")
_OF_TABLE_5 = {
    BEST: "best of Table 1 (no language enrichment)",
    ENRICHED: "Semantic details",
    "best+captions": "Auxiliary captions",
    "best+prompt": "Prompt learning",
    "best+semantic+captions": "Semantics + captions",
    "best+semantic+prompt": "Semantics + prompt",
    "best+semantic+captions+prompt": "Semantics + captions + prompt",
}
_OF_TABLE_6 = {"names": "names alone", "descriptions": "descriptions", "captions": "captions, mean of each class"}
_OF_TABLE_7 = {
    BEST: "No language enrichment",
    "best+standard": "Instruction of section 5",
    "best+succinct": "More succinct",
    "best+detailed": "More detailed",
    "best+distinct": "More distinct",
}
_OF_TABLE_8 = {
    **{f"vit_b_32+{losses}": title for losses, title in _losses("cls", "cls+im_cst", BEST).items()},
    "vit_b_32+best+semantic": f"{_title(BEST)} + semantics",
}
_OF_TABLE_9 = {
    ENRICHED: "best of Table 5 (semantic details)",
    "best+semantic+unfiltered": "No filtering in L_vlprox",
    "best+semantic+k10": "k = 10 for L_vlprox",
    "best+semantic+k1": "k = 1 for L_vlprox",
    "best+semantic+filtered_im_cst": "With filtering in L_im-cst",
}
_ALL = (
    _accuracies(
        "1",
        "Losses on the teacher's visual space and its alignment with language",
        (
            Row("teacher", "teacher, zero-shot (X_id / X_ood)", None, (_TEACHER,)),
            *_rows({"closed_set": "Closed-set classification", **_losses(*_LOSSES)}),
        ),
        (
            ("cls", "closed_set"), ("cls+mse", "cls"), ("cls+im_cst", "cls"), ("im_cst", "mse"),
            ("cls+im_cst", "im_cst"), ("cls+im_cst", "cls+mse"), ("cls+im_cst+mse", "cls+mse"),
            ("cls+im_cst+mse", "cls+im_cst"), (BEST, "cls+im_cst"), (BEST, "cls"), (BEST, "im_cst+vlprox"),
            (f"{BEST}+mse", BEST), ("im_cst+vlprox", "im_cst"), ("im_cst+vlprox+mse", "im_cst+vlprox"),
        ),
        "The paper's rows with L_vlprox are the better of with and without L_mse; here both are shown, its figures "
        "next to the first. A closed set has no output for classes that it was not trained on. The paper has CLIP's "
        "ResNet50 as a teacher too: teacher.name=RN50:openai with another out.",
    ),
    Table(
        "2",
        "Distance between the student's and the teacher's features",
        tuple(
            Column(f"MSE / angle on {title}", (f"features.{part}.mse", f"features.{part}.degrees"), "")
            for part, title in (("train", "X_train"), ("ood", "X_ood"))
        ),
        _rows(_losses("mse", "cls+mse", "cls+im_cst+mse", "cls+im_cst")),
        note="The paper does not say on which images; its figures are next to the first column. Its row of a ResNet50 "
        "that learns from CLIP's ResNet50 takes teacher.name=RN50:openai with another out. A lower error is not better "
        "by itself.",
    ),
    Table(
        "3",
        "Coherence with the teacher's visual space",
        (
            _on_both("M_rel", "relative_match", "high"),
            *(_on_both(f"M_neigh, k = {k}", f"neighbour_overlap.{k}", "high") for k in (3, 5, 10)),
        ),
        _rows(_OF_TABLE_3),
        _against_first(_OF_TABLE_3),
    ),
    Table(
        "4",
        "Coherence with the teacher's order of texts",
        tuple(_on_both(f"M_vlalign, k = {k}", f"alignment_inversions.{k}", "low") for k in (2, 3, 5)),
        _rows(_OF_TABLE_4),
        _against_before(_OF_TABLE_4),
    ),
    _accuracies("5", "Enriching the language representations", _rows(_OF_TABLE_5), _against_first(_OF_TABLE_5)),
    Table(
        "6",
        "How near the classes' texts are to each other",
        (Column("mean cosine between the texts of Y_ood", ("text.names.cosine",), ""),),
        tuple(Row(kind, title, BEST, ((f"text.{kind}.cosine",),)) for kind, title in _OF_TABLE_6.items()),
    ),
    _accuracies(
        "7",
        "Instructions to the language model that describes the classes",
        _rows(_OF_TABLE_7),
        _against_first(_OF_TABLE_7),
    ),
    _accuracies("8", "A ViT-B/32 as the student", _rows(_OF_TABLE_8), _against_before(_OF_TABLE_8)),
    _accuracies(
        "9",
        "Ablations of L_vlprox and L_im-cst",
        _rows(_OF_TABLE_9),
        _against_first(_OF_TABLE_9),
        "k is 256 elsewhere, and never more than the classes of Y_id. With k = 1 Eq. 6 compares distributions over one "
        "class, so that L_vlprox is 0.",
    ),
    Table(
        "10",
        "Fine-tuning or retrieval",
        (Column("X_ood, %", ("few_shot.ood.accuracy",)),),
        (
            Row("finetune", "few-shot, fine-tuned", ENRICHED, (("few_shot.ood.accuracy",),)),
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


def load_image_runs(out: Path) -> Runs:
    """Read every record under a folder, and the scores where all runs have some; `TEACHER` is a run too.

    :raises PickClutterError: what `load_runs` raises
    """
    runs = load_runs(out, IMAGE_TABLES)
    records = [record for of_name in runs.records.values() for record in of_name.values()]
    unseen = {_class_split(record): tuple(record["data"]["unseen"]) for record in records}
    splits = "draws of the images" if len(unseen) > 1 and len({*unseen.values()}) == 1 else "class splits"
    words = {"object splits": splits, "draws": "few-shot draws" if len(unseen) == 1 else "", "scenes": "images"}
    # The teacher's accuracies depend on the texts: those of names alone are Table 1's.
    plain = [of_name for of_name in runs.records.values() if all(map(_has_plain_texts, of_name.values()))]
    teacher = max(plain, key=len, default={})
    return replace(runs, records={**runs.records, **({TEACHER: teacher} if teacher else {})}, words=words)


def write_table(runs: Runs, number: str, out: Path, overrides: Sequence[str] = ()) -> Path:
    """Write `table<N>.md` and `table<N>.csv` into a folder; return the path of the former.

    :param number: "1" to "11"
    :param overrides: settings of all runs, for the command that the page shows
    :raises InvalidArgumentError: for another number
    :raises CheckpointError: when none of the table's runs is finished
    """
    if number not in TABLES:
        raise InvalidArgumentError(
            f"expected a table of {', '.join(TABLES)}, but got {number!r}; Table 12 is made by "
            "pickclutter reproduce-table12"
        )
    table, path = table_of_runs(runs, number), out / f"table{number}.md"
    check_finished(runs, table.runs, f"table={number}")
    write_csv(out / f"table{number}.csv", csv_lines(runs, [table]))
    write_text(path, _page(runs, table, overrides))
    return path


def check_finished(runs: Runs, names: Sequence[str], what: str) -> None:
    """Raise CheckpointError when none of some runs is finished.

    :param what: such as `table=1`
    """
    if not any(runs.seeds(name) for name in names):
        raise CheckpointError(
            f"expected finished runs of {what} under {runs.folder}, such as {names[0]}/seed0, but there are none; make "
            f"them: {command(runs, what, [Replicate(seed=seed) for seed in range(3)])}"
        )


def table_of_runs(runs: Runs, number: str) -> Table:
    """Return a table for the runs' data set."""
    data = runs.first["data"]
    return table_of(number, data["name"], len(data["seen"]), len(data["unseen"]))


def command(runs: Runs, what: str, replicates: Collection[Replicate], overrides: Sequence[str] = ()) -> str:
    """Return the command that makes a table or a figure from some runs."""
    seeds, splits = (sorted({key[n] for key in replicates}) for n in (1, 0))
    name = runs.first["data"]["name"]
    shared = [*(overrides or (f"dataset={name}",))]
    shared += [] if runs.folder == Path(f"runs/tables/{name}") else [f"out={runs.folder}"]  # the command's default
    text = f"pickclutter reproduce-tables {what} {' '.join(map(shlex.quote, shared))}"
    text += f" class_splits=[{','.join(map(str, splits))}]" if splits not in ([], [0]) else ""
    return f"{text} seeds=[{','.join(map(str, seeds))}]"


def summary(record: Record) -> str:
    """Return the accuracies of a run in a line, for the end of a command."""
    values = " / ".join(percent(number_at(record, measure)) for measure in ACCURACY)
    teacher = " / ".join(percent(number_at(record, f"teacher.{part}.accuracy")) for part in ("id", "ood"))
    return f"X_id / zero-shot X_ood / few-shot X_ood, %: {values}; the teacher on X_id / X_ood: {teacher}"


def _page(runs: Runs, table: Table, overrides: Sequence[str]) -> str:
    replicates = {replicate for run in table.runs for replicate in runs.replicates(run)}
    records = [record for run in table.runs for record in runs.of(run).values()]
    lines = [line.removeprefix("- ") for record in records for line in record.get("report", "").splitlines()[1:]]
    missing = [f"`{run}`" for run in table.runs if not runs.seeds(run)]
    parts = [
        f"# Table {table.number}: {table.title}",
        _data_note(runs, table, records),
        f"    {command(runs, f'table={table.number}', replicates, overrides)}",
        table_rows(runs, table),
        _paper_note(runs.first["data"]["name"], table),
        table.note,
        f"Notes on the data set: {'; '.join(dict.fromkeys(lines))}." if lines else "",
        f"Not finished: {', '.join(missing)}." if missing else "",
    ]
    if table.pairs:
        parts += ["## Comparisons over equal seeds and splits", COMPARISON_NOTE, comparison_rows(runs, table)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data_note(runs: Runs, table: Table, records: Sequence[Record]) -> str:
    """Describe the provenance of the runs and how to read their numbers."""
    data = runs.first["data"]
    students = ", ".join(f"`{name}`" for name in sorted({student_name(record) for record in records}))
    sizes = {
        part: range_text([record["data"][part] for record in records]) for part in ("train", "id", "ood", "fewshot")
    }
    averaged = max(record["config"].get("average_last_epochs", 1) for record in records)
    epochs = (
        f" Accuracies are means over the last {averaged} epochs; intervals resample the last." if averaged > 1 else ""
    )
    return (
        f"Data set `{data['name']}`: {len(data['seen'])} classes in Y_id and {len(data['unseen'])} in Y_ood; "
        f"{sizes['train']} training, {sizes['id']} X_id, {sizes['ood']} X_ood and {sizes['fewshot']} few-shot images. "
        f"Teacher `{runs.first['teacher']['name']}`, student {students}. Accuracies are means over classes. Each "
        f"number: mean ± half of its interval. {runs.note([name for name in table.runs if runs.seeds(name)])}{epochs} "
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


def _is_whole(record: Record) -> bool:
    """Return whether a run has all classes and images of its data set."""
    data = record["config"]["data"]
    return data.get("max_classes") is None and data.get("max_per_class") is None


def _of_every_run(record: Record) -> dict[str, Any]:
    """Return images and teacher, which all runs share; a choice of the images differs between class splits."""
    shared = ("name", "content") if _is_whole(record) else ("name",)
    return provenance(record) | {"data": {key: record["data"].get(key) for key in shared}}


def _of_every_split(record: Record) -> dict[str, Any]:
    """Return classes and images of the parts, which all runs of a split of the classes share."""
    return {"data": {key: value for key, value in record["data"].items() if key not in ("texts", "captions")}}


def _of_every_seed(record: Record) -> dict[str, dict[str, Any]]:
    """Return the texts of a run, which its seeds share, and its captions, which those of a class split share."""
    name, split = record["name"], f"{record['name']}, class split {_class_split(record)}"
    texts, captions = ({"data": {key: record["data"].get(key)}} for key in ("texts", "captions"))
    return {f"{name if _is_whole(record) else split}, texts": texts, f"{split}, captions": captions}


def _of_every_student(record: Record) -> dict[str, Any]:
    """Return the settings that all runs of one student share: not what a run or a seed sets."""
    shared = comparable_settings(record)
    own = {override.split("=")[0] for overrides in RUNS.values() for override in overrides} | {"student"}
    for group, _, key in (name.rpartition(".") for name in ("name", "seed", CLASS_SPLIT, *own)):
        (shared.get(group, {}) if group else shared).pop(key, None)
    return shared


IMAGE_TABLES = SweepKind(
    kind="images",
    comparisons=(
        lambda record: {"": _of_every_run(record)},
        lambda record: {f"class split {_class_split(record)}": _of_every_split(record)},
        _of_every_seed,
        lambda record: {student_name(record): _of_every_student(record)},
    ),
    order=str,
    command="pickclutter reproduce-tables table=1",
    of_teacher=_has_plain_texts,
)
