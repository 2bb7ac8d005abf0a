"""The one writer of tables: rows and columns as data, drawn as Markdown and CSV from the runs of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, NamedTuple

from pickclutter_lang.results.intervals import Estimate, Share
from pickclutter_lang.results.paper_tables import PaperFigures
from pickclutter_lang.results.runs import Runs
from pickclutter_lang.utils.markdown import markdown_table

COMPARISON_NOTE = (
    "Mean difference ± half of its 95% interval, run against run of the same seed (and split and draw), percentages in "
    "points; **bold** where the interval leaves out 0, as one in twenty does by chance."
)
CHANCE = "†"
CHANCE_NOTE = f"{CHANCE} chance by construction: a closed set of classes has no trained output for labels of Y_ood."
CSV_HEAD = ("row", "minus", "run", "measure", "mean", "half_width", "runs", "paper", "values")


class Form(NamedTuple):
    """Format of a kind of number: multiplied by `scale`, with so many decimals."""

    scale: float = 100
    decimals: int = 1


_FORMS = {
    "mse": Form(1, 2),
    "degrees": Form(1, 1),
    "relative_match": Form(1, 3),
    "neighbour_overlap": Form(1, 2),
    "alignment_inversions": Form(1, 2),
    "cosine": Form(1, 4),
    "parameters": Form(1e-6, 1),
    "seconds": Form(1, 0),
    "peak_memory_mb": Form(1, 0),
    "id_threshold": Form(1, 2),
}


@dataclass(frozen=True)
class Column:
    """A column: the numbers of its cells are those at `measures`, dotted paths into the metrics of a run.

    :param best: which value is the best of the column, `""` where none is
    :param interval: show the intervals too
    """

    title: str
    measures: tuple[str, ...]
    best: Literal["high", "low", ""] = "high"
    interval: bool = True


@dataclass(frozen=True)
class Row:
    """A row, which `name` identifies in its table and in comparisons.

    :param run: whose numbers the row shows; None: the teacher's, which every run has
    :param measures: for each column, where they differ from the column's
    :param paper: for each column, the paper's figures; empty where it has none
    :param marked: measures that can only be chance
    """

    name: str
    title: str
    run: str | None
    measures: tuple[tuple[str, ...], ...] | None = None
    paper: tuple[PaperFigures, ...] = ()
    marked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Table:
    """A table.

    :param pairs: rows whose difference over equal replicates is of interest: (this, minus that)
    :param also: further measures of every row, only for the CSV file
    :param note: what one must know to read it
    :param chance: measure -> what guessing gives
    """

    number: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()
    note: str = ""
    chance: Mapping[str, float] = field(default_factory=dict)

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that it needs, each once."""
        return tuple(dict.fromkeys(row.run for row in self.rows if row.run is not None))

    @property
    def has_paper(self) -> bool:
        """Whether the paper has figures of it."""
        return any(figures for row in self.rows for figures in row.paper)

    def row(self, name: str) -> Row:
        """Return the row of a name."""
        return next(row for row in self.rows if row.name == name)

    def cells(self, row: Row) -> tuple[tuple[str, ...], ...]:
        """Return the measures of a row in each column."""
        return row.measures or tuple(column.measures for column in self.columns)

    def paper(self, row: Row) -> tuple[PaperFigures, ...]:
        """Return the paper's figures of a row in each column, empty where it has none."""
        return row.paper or tuple(() for _ in self.columns)


def table_rows(results: Runs, table: Table) -> str:
    """Return a table; a column of the paper's figures next to each of ours, if it has any."""
    named = bool(table.runs) and all(row.title != f"`{row.run}`" for row in table.rows)
    best = _best(results, table)
    lines = []
    for row in table.rows:
        texts = []
        for column, measures, paper in zip(table.columns, table.cells(row), table.paper(row), strict=True):
            texts.append(" / ".join(_cell(results, column, row, m, (row.name, m) in best) for m in measures))
            texts += [_paper(measures, paper)] if table.has_paper else []
        lead = [row.title, *([f"`{row.run}`" if row.run else ""] if named else [])]
        lines.append([*lead, len(results.of(row.run)), *texts])
    guesses = [[table.chance.get(measure) for measure in column.measures] for column in table.columns]
    if any(value is not None for cell in guesses for value in cell):
        texts = []
        for column, cell in zip(table.columns, guesses, strict=True):
            texts.append(" / ".join(number_text(m, value) for m, value in zip(column.measures, cell, strict=True)))
            texts += [""] if table.has_paper else []
        lines.append(["chance", *([""] if named else []), "", *texts])
    heads = ["", *(["run"] if named else []), _counted(results), *_column_heads(table)]
    return markdown_table(heads, lines)


def comparison_rows(results: Runs, table: Table) -> str:
    """Return the table of differences between its pairs of rows."""
    lines: list[list[object]] = []
    for this, that in _pairs(table):
        row, other = table.row(this), table.row(that)
        texts = []
        pairs = zip(table.cells(row), table.cells(other), table.paper(row), table.paper(other), strict=True)
        for ours, theirs, paper, minus in pairs:
            both = list(zip(ours, theirs, strict=True))
            found = [(m, results.difference((row.run, m), (other.run, n))) for m, n in both]
            texts.append(" / ".join(difference_cell(one, *form_of(m)) for m, one in found))
            texts += [_paper(ours, _minus(paper, minus), sign="+")] if table.has_paper else []
        lines.append([f"{row.title} - {other.title}", len(results.shared(row.run, other.run)), *texts])
    return markdown_table(["", _counted(results), *_column_heads(table)], lines)


def csv_lines(results: Runs, tables: Iterable[Table]) -> Iterator[Sequence[object]]:
    """Yield every row and measure of some tables, then every difference, with fractions as they are."""
    yield CSV_HEAD
    for table in tables:
        for row in table.rows:
            of_cells = zip(table.cells(row), table.paper(row), strict=True)
            places = [pair for measures, paper in of_cells for pair in zip_longest(measures, paper[: len(measures)])]
            for measure, figure in [*places, *((measure, None) for measure in (table.also if row.run else ()))]:
                paper = "" if figure is None else f"{figure / form_of(measure).scale:.6g}"
                values = results.values(row.run, measure)
                texts = " ".join("NA" if value is None else f"{value:.6f}" for value in values)
                yield [
                    row.name,
                    "",
                    row.run or "",
                    measure,
                    *csv_numbers(results.estimate(row.run, measure)),
                    paper,
                    texts,
                ]
        for this, that in _pairs(table):
            row, other = table.row(this), table.row(that)
            for ours, theirs in zip(table.cells(row), table.cells(other), strict=True):
                for measure, minus in zip(ours, theirs, strict=True):
                    found = results.difference((row.run, measure), (other.run, minus))
                    yield [this, that, row.run or "", measure, *csv_numbers(found), "", ""]


def _pairs(table: Table) -> list[tuple[str, str]]:
    """Return the pairs of rows that are there."""
    names = {row.name for row in table.rows}
    return [pair for pair in table.pairs if names.issuperset(pair)]


def form_of(measure: str) -> Form:
    """Return the format of a measure; percent where none is known for it."""
    return next((form for kind, form in _FORMS.items() if kind in measure.split(".")), Form())


def number_text(measure: str, value: float | None) -> str:
    """Return a number in the format of its measure; NA for None."""
    form = form_of(measure)
    return "NA" if value is None else f"{form.scale * value:.{form.decimals}f}"


def estimate_cell(found: Estimate | Share | None, scale: float = 100, decimals: int = 1, sign: str = "") -> str:
    """Return the mean, and half of the 95% interval where there is one; a share as it is written; NA for None.

    :param scale: the number is shown times this, by default in percent
    :param sign: `+` shows the sign of the mean
    """
    if found is None or isinstance(found, Share):
        return "NA" if found is None else str(found)
    mean = f"{scale * found.mean:{sign}.{decimals}f}"
    return mean if found.half_width is None else f"{mean} ± {scale * found.half_width:.{decimals}f}"


def difference_cell(found: Estimate | Share | None, scale: float = 100, decimals: int = 1) -> str:
    """Return a difference with its sign, bold where its interval leaves out 0; see `estimate_cell`."""
    text = estimate_cell(found, scale, decimals, sign="+")
    return f"**{text}**" if found is not None and found.leaves_out_zero else text


def csv_numbers(found: Estimate | None) -> list[object]:
    """Return mean, half of the interval and runs for a line of a CSV file."""
    if found is None:
        return ["", "", 0]
    return [f"{found.mean:.6f}", "" if found.half_width is None else f"{found.half_width:.6f}", found.runs]


def _column_heads(table: Table) -> list[str]:
    return [text for column in table.columns for text in (column.title, *(["*paper*"] if table.has_paper else []))]


def _counted(results: Runs) -> str:
    """Return what the runs of a name vary."""
    replicates = {replicate for runs in results.records.values() for replicate in runs}
    return "seeds" if len({replicate._replace(seed=0) for replicate in replicates}) < 2 else "runs"


def _cell(results: Runs, column: Column, row: Row, measure: str, bold: bool) -> str:
    found = results.estimate(row.run, measure)
    if column.interval:
        text = estimate_cell(found, *form_of(measure))
    else:
        text = number_text(measure, None if found is None else found.mean)
    text += CHANCE if measure in row.marked else ""
    return f"**{text}**" if bold else text


def _best(results: Runs, table: Table) -> set[tuple[str, str]]:
    """Return the rows, of students, whose mean is the best at a measure, if there are others to be better than."""
    best: set[tuple[str, str]] = set()
    for n, column in enumerate(table.columns):
        for place in range(len(column.measures) if column.best else 0):
            means = {}
            for row in table.rows:
                measures = table.cells(row)[n]
                found = results.estimate(row.run, measures[place]) if row.run and place < len(measures) else None
                if found is not None:  # rounded as in the table
                    means[row.name, measures[place]] = float(number_text(measures[place], found.mean))
            if len(means) > 1:
                top = max(means.values()) if column.best == "high" else min(means.values())
                best |= {key for key, mean in means.items() if mean == top}
    return best


def _paper(measures: Sequence[str], values: PaperFigures, sign: str = "") -> str:
    """Return figures of the paper, with as many decimals as ours or as it has."""
    texts = []
    for measure, value in zip(measures, values, strict=False):  # the paper has no figures for some columns
        decimals = form_of(measure).decimals
        exact = value is None or abs(round(value, decimals) - value) < 1e-9
        texts.append("NA" if value is None else f"{value:{sign}.{decimals if exact else decimals + 1}f}")
    return f"*{' / '.join(texts)}*" if texts else ""


def _minus(ones: PaperFigures, others: PaperFigures) -> PaperFigures:
    pairs = zip(ones, others, strict=False)  # a row without figures has an empty one
    return tuple(None if one is None or other is None else one - other for one, other in pairs)
