"""The paper's tables from finished runs: Markdown in the paper's form, and every number as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.images.image_results import ImageSweepResults, student_of
from pickclutter_lang.experiments.images.paper_tables import DATA_SETS, PAPER, SIZES, PaperAccuracies
from pickclutter_lang.experiments.images.table_specs import TABLES, Row, Table
from pickclutter_lang.experiments.sweeps.sweep_markdown import difference_cell, estimate_cell
from pickclutter_lang.utils.csv import numbers, write_csv
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.markdown import markdown_table


class _Form(NamedTuple):
    """Format of a kind of number: multiplied by `scale`, with so many decimals."""

    scale: float
    decimals: int


_FORMS = {
    "accuracy": _Form(100, 1),
    "mse": _Form(1, 2),
    "degrees": _Form(1, 1),
    "relative_match": _Form(1, 3),
    "neighbour_overlap": _Form(1, 2),
    "alignment_inversions": _Form(1, 2),
    "cosine": _Form(1, 4),
}
_COMPARISON_NOTE = (
    "Mean difference ± half of its 95% interval, run against run of the same seed, accuracies in points; **bold** "
    "where the interval leaves out 0, as one in twenty does by chance alone."
)


def write_table(runs: ImageSweepResults, number: str, out: Path) -> Path:
    """Write `table<N>.md` and `table<N>.csv` into a folder; return the path of the former.

    :param number: "1" to "11"
    :raises InvalidArgumentError: for another number
    :raises CheckpointError: when none of the table's runs is finished
    """
    if number not in TABLES:
        raise InvalidArgumentError(
            f"expected a table of {', '.join(TABLES)}, but got {number!r}; Table 12 is made by "
            "pickclutter reproduce-table12"
        )
    table, path = TABLES[number], out / f"table{number}.md"
    if not any(runs.seeds(run) for run in table.runs):
        raise CheckpointError(
            f"expected finished runs of table {number} under {runs.folder}, such as {table.runs[0]}/seed0, but there "
            f"are none; make them: {runs.command(f'table={number}', (0, 1, 2))}"
        )
    write_csv(out / f"table{number}.csv", _csv_lines(runs, table))
    write_text(path, markdown(runs, table))
    return path


def markdown(runs: ImageSweepResults, table: Table) -> str:
    """Return the page of a table."""
    seeds = tuple(sorted({seed for run in table.runs for seed in runs.seeds(run)}))
    parts = [
        f"# Table {table.number}: {table.title}",
        data_note(runs, table.runs),
        f"    {runs.command(f'table={table.number}', seeds)}",
        _rows(runs, table),
        _paper_note(runs, table.number),
    ]
    parts += [table.note] if table.note else []
    parts += [f"Notes on the data set: {'; '.join(notes)}."] if (notes := _report_notes(runs, table)) else []
    missing = [f"`{run}`" for run in table.runs if not runs.seeds(run)]
    parts += [f"Not finished: {', '.join(missing)}."] if missing else []
    if table.pairs:
        parts += ["## Comparisons over equal seeds", _COMPARISON_NOTE, _comparisons(runs, table)]
    return "\n\n".join(parts) + "\n"


def data_note(runs: ImageSweepResults, names: Sequence[str]) -> str:
    """Describe the provenance of the runs and how to read their numbers.

    :param names: runs; those that are not finished are left out
    """
    data = runs.data
    results = [result for name in names for result in runs.runs.get(name, {}).values()]
    students = sorted({student_of(result) for result in results})
    revisions = sorted({str(result["git_revision"]) for result in results})
    return (
        f"Data set `{data['name']}`: {len(data['seen'])} classes in Y_id and {len(data['unseen'])} in Y_ood; "
        f"{data['train']} training, {data['id']} X_id, {data['ood']} X_ood and {data['fewshot']} few-shot images. "
        f"Teacher `{runs.first['teacher']['name']}`, student {', '.join(f'`{name}`' for name in students)}. Accuracies "
        "are means over classes. Each number: mean ± half of the 95% interval over seeds (Student's t); one seed has "
        f"no interval. Revision: {', '.join(revisions)}."
    )


def of_paper(runs: ImageSweepResults, number: str, row: str) -> PaperAccuracies:
    """Return the paper's figures of a row on the runs' data set; none where the paper has none."""
    return PAPER[number].get(row, {}).get(runs.data["name"], ())


def chance(runs: ImageSweepResults, measure: str) -> float | None:
    """Return what guessing gives: one over the number of classes, or half of all pairs in the wrong order."""
    known, unseen = len(runs.data["seen"]), len(runs.data["unseen"])
    classes = {"id": known, "ood": unseen, "all": known + unseen, "ood1": (unseen + 1) // 2, "ood2": unseen // 2}
    _, part, *rest = measure.split(".")
    if rest and rest[0] == "alignment_inversions":
        k = int(rest[1])
        return k * (k - 1) / 4
    count = classes.get(part.split("_")[0], 0) if rest == ["accuracy"] else 0
    return 1 / count if count else None


def _rows(runs: ImageSweepResults, table: Table) -> str:
    """Return the table; a column of the paper's figures next to each of ours, if it has any of this data set."""
    has_paper = _has_paper(runs, table.number)
    heads = [text for column in table.columns for text in ((column.title, "*paper*") if has_paper else (column.title,))]
    lines: list[list[object]] = []
    best = _best(runs, table)
    for row in table.rows:
        texts, at = [], 0
        figures = of_paper(runs, table.number, row.name)
        for measures in _cells(table, row):
            found = [(measure, runs.estimate(row.run, measure)) for measure in measures]
            cells = [(estimate_cell(one, *_form(measure)), (row.name, measure) in best) for measure, one in found]
            texts.append(" / ".join(f"**{text}**" if bold else text for text, bold in cells))
            if has_paper:
                texts.append(_paper(measures, figures[at : at + len(measures)]))
            at += len(measures)
        name = "" if row.run is None else f"`{row.run}`"
        lines.append([row.title, name, len(runs.seeds(row.run)), *texts])
    guesses = [[(measure, chance(runs, measure)) for measure in column.measures] for column in table.columns]
    if any(value is not None for cell in guesses for _, value in cell):
        texts = [" / ".join(_number(measure, value) for measure, value in cell) for cell in guesses]
        lines.append(["chance", "", "", *(t for text in texts for t in ((text, "") if has_paper else (text,)))])
    return markdown_table(["", "run", "seeds", *heads], lines)


def _comparisons(runs: ImageSweepResults, table: Table) -> str:
    has_paper = _has_paper(runs, table.number)
    heads = [text for column in table.columns for text in ((column.title, "*paper*") if has_paper else (column.title,))]
    lines: list[list[object]] = []
    for this, that in table.pairs:
        row, other = table.row(this), table.row(that)
        papers = _minus(of_paper(runs, table.number, this), of_paper(runs, table.number, that))
        texts, at = [], 0
        for ours, theirs in zip(_cells(table, row), _cells(table, other), strict=True):
            both = list(zip(ours, theirs, strict=True))
            texts.append(
                " / ".join(difference_cell(runs.difference((row.run, m), (other.run, n)), *_form(m)) for m, n in both)
            )
            if has_paper:
                texts.append(_paper(ours, papers[at : at + len(ours)], sign="+"))
            at += len(ours)
        shared = set(runs.seeds(row.run)) & set(runs.seeds(other.run))
        lines.append([f"`{this}` - `{that}`", len(shared), *texts])
    return markdown_table(["", "seeds", *heads], lines)


def _paper_note(runs: ImageSweepResults, number: str) -> str:
    name = runs.data["name"]
    if name not in DATA_SETS:
        return "**This is not one of the paper's data sets, so its figures are not shown.**"
    if not _has_paper(runs, number):
        return f"The paper has no figures of {DATA_SETS[name]} in this table."
    sampling_note = (
        " The paper takes a published split; here half of the classes are sampled unless lists name them."
        if name == "tiered_imagenet"
        else ""
    )
    sizes = f", whose lists have {' / '.join(map(str, SIZES[name]))} images" if name in SIZES else ""
    return (
        f"*paper*: its figures on {DATA_SETS[name]}{sizes} (training / X_id / X_ood with the few-shot images), with "
        f"CLIP ViT-L/14 as the teacher. Other images, another teacher or another student give other numbers."
        f"{sampling_note}"
    )


def _report_notes(runs: ImageSweepResults, table: Table) -> list[str]:
    """Return what did not match when the data set was opened, each line once."""
    results = [result for run in table.runs for result in runs.runs.get(run, {}).values()]
    lines = [line for result in results for line in result.get("report", "").splitlines()[1:]]
    return list(dict.fromkeys(line.removeprefix("- ") for line in lines))


def _has_paper(runs: ImageSweepResults, number: str) -> bool:
    return any(runs.data["name"] in columns for columns in PAPER[number].values())


def _cells(table: Table, row: Row) -> tuple[tuple[str, ...], ...]:
    return row.measures or tuple(column.measures for column in table.columns)


def _best(runs: ImageSweepResults, table: Table) -> set[tuple[str, str]]:
    """Return the rows, of students, whose mean is the best at a measure, if there are others to be better than."""
    best: set[tuple[str, str]] = set()
    for n, column in enumerate(table.columns):
        for place in range(max(len(_cells(table, row)[n]) for row in table.rows)):
            means = {}
            for row in table.rows:
                measures = _cells(table, row)[n]
                found = runs.estimate(row.run, measures[place]) if row.run and place < len(measures) else None
                if found is not None:
                    means[row.name, measures[place]] = float(
                        _number(measures[place], found.mean)
                    )  # rounded as in the table
            if column.best and len(means) > 1:
                top = max(means.values()) if column.best == "high" else min(means.values())
                best |= {key for key, mean in means.items() if mean == top}
    return best


def _form(measure: str) -> _Form:
    return next(form for kind, form in _FORMS.items() if kind in measure.split("."))


def _number(measure: str, value: float | None) -> str:
    form = _form(measure)
    return "NA" if value is None else f"{form.scale * value:.{form.decimals}f}"


def _paper(measures: Sequence[str], values: PaperAccuracies, sign: str = "") -> str:
    """Return figures of the paper, with as many decimals as ours or as it has."""
    texts = []
    for measure, value in zip(measures, values, strict=False):  # the paper has no figures for some columns
        decimals = _form(measure).decimals
        exact = value is None or abs(round(value, decimals) - value) < 1e-9
        texts.append("NA" if value is None else f"{value:{sign}.{decimals if exact else decimals + 1}f}")
    return f"*{' / '.join(texts)}*" if texts else ""


def _minus(ones: PaperAccuracies, others: PaperAccuracies) -> PaperAccuracies:
    pairs = zip(ones, others, strict=False)  # a row without figures has an empty one
    return tuple(None if one is None or other is None else one - other for one, other in pairs)


def _csv_lines(runs: ImageSweepResults, table: Table) -> Iterator[Sequence[object]]:
    """Yield every row and measure, then every difference; accuracies as shares."""
    yield ["row", "minus", "run", "measure", "mean", "half_width", "seeds", "paper", "values"]
    for row in table.rows:
        measures = [measure for cell in _cells(table, row) for measure in cell]
        figures = of_paper(runs, table.number, row.name)
        for n, measure in enumerate([*measures, *(table.also if row.run else ())]):
            value = figures[n] if n < len(figures) else None
            paper = "" if value is None else f"{value / _form(measure).scale:.6g}"
            found = runs.estimate(row.run, measure)
            yield [row.name, "", row.run or "", measure, *numbers(found), paper, _values(runs, row.run, measure)]
    for this, that in table.pairs:
        row, other = table.row(this), table.row(that)
        for ours, theirs in zip(_cells(table, row), _cells(table, other), strict=True):
            for measure, minus in zip(ours, theirs, strict=True):
                found = runs.difference((row.run, measure), (other.run, minus))
                yield [this, that, row.run or "", measure, *numbers(found), "", ""]


def _values(runs: ImageSweepResults, run: str | None, measure: str) -> str:
    values = runs.values(run, measure)
    return " ".join("NA" if value is None else f"{value:.6f}" for value in values)
