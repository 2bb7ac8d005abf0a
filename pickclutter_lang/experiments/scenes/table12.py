"""Table 12 of runs on scenes, of a whole sweep or of a single run, from their records and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.experiments.scenes.table12_sweep import METHODS, TABLE12
from pickclutter_lang.experiments.stages import FEW_SHOT, STAGE_TITLES
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.results.charts import draw_bars
from pickclutter_lang.results.comparability import differing_values
from pickclutter_lang.results.comparison import TITLES
from pickclutter_lang.results.intervals import Estimate
from pickclutter_lang.results.page import PAGE_FILE, page_link, run_details, setting_rows, write_page
from pickclutter_lang.results.paper_tables import TABLE12 as PAPER
from pickclutter_lang.results.paper_tables import TABLE12_CELLS, PaperFigures
from pickclutter_lang.results.record import RESULT_FILE, Record, as_key
from pickclutter_lang.results.runs import EVERY_RUN, Runs, Selection, load_runs, with_constants
from pickclutter_lang.results.tables import (
    CHANCE_NOTE,
    COMPARISON_NOTE,
    Column,
    Row,
    Table,
    comparison_rows,
    csv_lines,
    table_rows,
)
from pickclutter_lang.training.config import comparable_config
from pickclutter_lang.utils.io import write_csv, write_text
from pickclutter_lang.utils.locks import dir_lock
from pickclutter_lang.utils.markdown import markdown_table
from pickclutter_lang.utils.reading import flatten

TRIVIAL = {"always_no": "all-negative", "always_yes": "all-positive", "label_frequency": "label frequency"}
"""Predictors that see no image -> their titles."""
SECTIONS = {
    "F1 per scene": ("f1", "model"),
    "Overall accuracy": ("accuracy", "model"),
    "Mean average precision": ("map", "model"),
    "Precision per scene": ("precision", "model"),
    "Recall per scene": ("recall", "model"),
    "F1 per scene, threshold 0.5": ("f1", "model_at_half"),
    "F1 per scene, matched false-positive rates": ("f1", "model_matched_fpr"),
    "Recall per scene, matched false-positive rates": ("recall", "model_matched_fpr"),
    "Overall accuracy, threshold 0.5": ("accuracy", "model_at_half"),
}
"""Title of a table -> (metric, predictor)."""
_STAGES = tuple(STAGE_TITLES)
_CLASSES = "ood_on_ood"
_CLOSED_SET = "closed_set"
"""Its zero-shot output for labels of Y_ood can only be chance."""
_CLASS_METRICS = {"average_precision": "Average precision", "f1": "F1"}
_COMPARED = {("f1", "model"), ("map", "model")}
_REFERENCE = "cls_imcst_semantic"
_MOST_METHODS = 6
"""Methods in the chart of objects: the first of the table."""
_NAMES = ("name", "method", "seed", "data.seed")
_CHOSEN_NOTE = (
    "Epoch and threshold are chosen on X_id: the cells of Y_id on X_id are of the very scenes they were chosen on. "
    "Accuracy and F1 at a threshold say little where labels are rare: all-negative has a high accuracy, all-positive a "
    "high F1. Mean average precision needs no threshold."
)
_PAPER_NOTE = (
    " **The figures of the paper (Table 12: zero-shot / few-shot, threshold 0.5) come from its own scenes, with the "
    "label `present`, CLIP ViT-L/14 as the teacher, both cameras with depth at 224 px; they are shown for orientation "
    "and cannot be compared number by number.** What can be compared are the rows of the predictors that see no image."
)
_OTHER_OBJECTS_NOTE = (
    "The paper's figures are not shown: in some of these runs other objects are unseen than in the paper."
)
CHART_SECTION = """## Chart

Mean average precision of Y_ood on X_ood, with 95% intervals.

![Table 12](table12.png)"""
OBJECTS_SECTION = f"""## Each object

Average precision on X_ood, few-shot: means and 95% intervals as in the tables. A star, and hatching, marks objects of
Y_ood. At most {_MOST_METHODS} methods are drawn.

![Objects](objects.png)"""


def write_table(
    runs_folder: str, out: str | None = None, compare: Sequence[str] | None = None, chosen: Selection = EVERY_RUN
) -> Path:
    """Write `table12.md`, the same with charts as `report.html`, and every number of the table as `table12.csv`.

    :param runs_folder: the folder under which the runs lie
    :param out: where the table goes; None: into the same
    :param compare: pairs of methods such as `best - cls_imcst_semantic`; None: `default_pairs`
    :param chosen: the runs of the table
    :return: the path of `table12.md`
    :raises PickClutterError: what `load_runs` raises; InvalidArgumentError for a comparison that cannot be made;
        LockedError when another process is at work in `out`
    """
    runs = with_baselines(load_runs(runs_folder, TABLE12, chosen))
    folder = Path(out or runs_folder)
    methods = methods_of(runs)
    pairs = default_pairs(methods) if compare is None else parse_pairs(methods, compare)
    records = [record for method in methods for record in runs.records[method].values()]
    of_methods = "; ".join(f"{name}: {', '.join(one.folder_name for one in runs.of(name))}" for name in methods)
    revisions = ", ".join(sorted({str(record["git_revision"]) for record in records}))
    notes = (
        data_note(runs),
        description_note(records),
        f"Mean ± half of the 95% interval; one run has no interval. Runs: {of_methods}. Revision: {revisions}.",
    )
    text = "\n\n".join(["# Table 12", *notes, *sections(runs, pairs)])
    page = "\n\n".join([text, CHART_SECTION, OBJECTS_SECTION, _runs_section(runs, folder)])
    details = {f"{title}, of the first run": part for title, part in run_details(runs.first).items()}
    with dir_lock(folder):
        write_csv(folder / "table12.csv", csv_lines(runs, [*score_tables(runs, pairs), *class_tables(runs)]))
        charts = {"table12.png": draw_sweep(runs), "objects.png": draw_objects(runs)}
        write_page(folder / PAGE_FILE, page, charts, details)
        write_text(folder / "table12.md", f"{text}\n")
    return folder / "table12.md"


def with_baselines(runs: Runs) -> Runs:
    """Return runs with the predictors that see no image as rows of their own, a run of each beside every replicate."""
    replicates = {key: record for of_name in runs.records.values() for key, record in of_name.items()}
    records = dict(runs.records)
    for name in TRIVIAL:
        records[name] = {
            key: {
                "metrics": {
                    stage: {cell: {"model": record["metrics"][stage][cell][name]} for cell in TABLE12_CELLS}
                    for stage in _STAGES
                }
            }
            for key, record in sorted(replicates.items())
        }
    scores = with_constants(runs.scores, _STAGES, {"always_no": False, "always_yes": True})
    return replace(runs, records=records, scores=scores)


def check_pairs(runs_folder: str, compare: Sequence[str] | None, methods: Sequence[str]) -> None:
    """Check pairs before runs of some methods start; they may name finished ones too.

    :raises PickClutterError: what `load_runs` raises; InvalidArgumentError for a comparison that cannot be made
    """
    if compare is not None:
        finished = load_runs(runs_folder, TABLE12).records if any(Path(runs_folder).rglob(RESULT_FILE)) else ()
        parse_pairs([*dict.fromkeys([*methods, *finished])], compare)


def parse_pairs(methods: Sequence[str], texts: Sequence[str]) -> list[tuple[str, str]]:
    """Turn `a - b` into a pair of methods.

    :raises InvalidArgumentError: for a text of another form or of a method that is not known
    """
    pairs = []
    for text in texts:
        names = [name.strip() for name in text.split("-")]
        if len(names) != 2 or any(name not in (*methods, *TRIVIAL) for name in names):
            raise InvalidArgumentError(
                f"expected compare to hold pairs such as 'cls_imcst - cls' of {', '.join((*methods, *TRIVIAL))}, but "
                f"got {text!r}"
            )
        pairs.append((names[0], names[1]))
    return pairs


def default_pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return each of the paper's methods with the one before it, `best` with the last of them and its ablations.

    The last of the paper's, and `best`, are compared with all-positive too.
    """
    paper = [name for name in names if name in METHODS]
    best = "best" in names
    others = [name for name in names if name not in METHODS and name != "best"]
    reference = [_REFERENCE] if _REFERENCE in names else paper[-1:]
    pairs = [*zip(paper[1:], paper[:-1], strict=True), *(("best", name) for name in [*reference, *others] if best)]
    return pairs + [(name, "always_yes") for name in [*paper[-1:], *(["best"] if best else [])]]


def methods_of(runs: Runs) -> list[str]:
    """Return the methods, without the predictors that see no image."""
    return [name for name in runs.records if name not in TRIVIAL]


def of_paper(record: Record) -> bool:
    """Return whether the labels of a record are objects of the paper, and those that it chose are unseen."""
    return not record.get("object_split", 0) and set(_classes(record, "all_on_ood")) <= set(paper_catalog().names)


def sections(runs: Runs, pairs: Sequence[tuple[str, str]] = ()) -> list[str]:
    """Return the parts of a page that hold tables, and what their intervals cover."""
    tables = score_tables(runs, pairs)
    methods = methods_of(runs)
    parts = [runs.note(methods), _CHOSEN_NOTE]
    for table in tables:
        parts += [f"## {table.title}, %", table_rows(runs, table)]
    if METHODS.keys() & runs.records.keys() and not _with_paper(runs):
        parts.append(_OTHER_OBJECTS_NOTE)
    if _CLOSED_SET in runs.records:
        parts.append(CHANCE_NOTE)
    if pairs:
        parts += ["## Comparisons, in points", COMPARISON_NOTE]
        for table in tables:
            parts += [f"### {table.title}: difference", comparison_rows(runs, table)] if table.pairs else []
    parts += ["## Each object of Y_ood on X_ood"]
    for table in class_tables(runs):
        parts += [f"### {table.title}, %", table_rows(runs, table)]
    parts += ["## Time, size, thresholds", table_rows(runs, _cost_table(runs))]
    first = {name: flatten(comparable_config(next(iter(runs.records[name].values()))["config"])) for name in methods}
    settings = differing_values({name: {k: v for k, v in of.items() if k not in _NAMES} for name, of in first.items()})
    return [*parts, "## What the methods set", setting_rows(methods, settings)] if settings else parts


def score_tables(runs: Runs, pairs: Sequence[tuple[str, str]] = ()) -> list[Table]:
    """Return a table for each metric; those of F1 and mAP compare pairs of methods."""
    return [_score_table(runs, title, *one, pairs if one in _COMPARED else ()) for title, one in SECTIONS.items()]


def _score_table(
    runs: Runs, title: str, metric: str, predictor: str = "model", pairs: Sequence[tuple[str, str]] = ()
) -> Table:
    """Return the table of one metric: methods, then predictors that see no image, with the paper's figures."""
    measures, blind = (
        {cell: tuple(f"{stage}.{cell}.{one}.{metric}" for stage in _STAGES) for cell in TABLE12_CELLS}
        for one in (predictor, "model")
    )
    columns = tuple(Column(TITLES[cell], of_cell, best="") for cell, of_cell in measures.items())
    chance = frozenset({f"zero_shot.{_CLASSES}.{predictor}.{metric}"})
    rows = []
    for name in methods_of(runs):
        paper: tuple[PaperFigures, ...] = ()
        if metric in PAPER and name in METHODS and _with_paper(runs):
            paper = tuple(PAPER[metric][METHODS[name]][cell] for cell in TABLE12_CELLS)
        rows.append(Row(name, f"`{name}`", name, paper=paper, marked=chance if name == _CLOSED_SET else frozenset()))
    rows += [
        Row(name, text, name, measures=tuple(blind.values())) for name, text in TRIVIAL.items() if name in runs.records
    ]
    return Table(f"12 {metric} {predictor}", title, columns, tuple(rows), tuple(pairs))


def class_tables(runs: Runs) -> list[Table]:
    """Return the tables of each object of Y_ood on X_ood, in brackets the scenes with it."""
    methods = methods_of(runs)
    found = dict[str, dict[str, float | None]]()
    for record in (record for method in methods for record in runs.of(method).values()):
        found = _classes(record) | found
    tables = []
    for metric, title in _CLASS_METRICS.items():
        paths = {
            f"{name} ({of['support']})": [f"{stage}.{_CLASSES}.classes.{as_key(name)}.{metric}" for stage in _STAGES]
            for name, of in found.items()
        }
        chance = frozenset(path[0] for path in paths.values())
        columns = tuple(Column(name, tuple(path), best="", interval=False) for name, path in paths.items())
        rows = (Row(one, f"`{one}`", one, marked=chance if one == _CLOSED_SET else frozenset()) for one in methods)
        tables.append(Table(f"12 classes {metric}", title, columns, tuple(rows)))
    return tables


def _classes(record: Record, cell: str = _CLASSES) -> dict[str, dict[str, float | None]]:
    """Return the figures of each object in a cell, few-shot."""
    return dict(record["metrics"][FEW_SHOT][cell]["classes"])


def _cost_table(runs: Runs) -> Table:
    """Return the table of parameters, seconds, memory and the threshold of each stage."""
    columns = {
        "million parameters": ("parameters",),
        **{f"{name}, s": (f"seconds.{name}",) for name in runs.first["seconds"]},
        "peak memory, MB": ("peak_memory_mb",),
        "thresholds from X_id": tuple(f"{stage}.id_threshold" for stage in _STAGES),
    }
    rows = tuple(Row(name, f"`{name}`", name) for name in methods_of(runs))
    shown = tuple(Column(title, measures, best="", interval=False) for title, measures in columns.items())
    return Table("12 cost", "Time, size, thresholds", shown, rows)


def _with_paper(runs: Runs) -> bool:
    """Return whether the paper's figures stand beside those of runs: where all are of its objects."""
    return all(of_paper(record) for method in methods_of(runs) for record in runs.records[method].values())


def data_note(runs: Runs) -> str:
    """Return a paragraph on the provenance of runs, and on why the paper's rows are no target for them."""
    record = runs.first
    counts = record["data"]
    data = record["config"]["data"]
    titles = {"train": "training", "fewshot": "few-shot", "id": "X_id", "ood": "X_ood"}
    sizes = ", ".join(f"{counts[key]['scenes']} {title}" for key, title in titles.items())
    return (
        f"Label `{data['target_label']}`; {sizes} scenes; cameras {' and '.join(data['cameras'])}"
        f"{' with depth' if data['depth'] else ''} at {data['image_size']} px; teacher `{record['teacher']['name']}`; "
        f"student `{record['config']['student']['name']}`; one threshold for all labels, the best on X_id; cells are "
        f"{' / '.join(STAGE_TITLES.values())} in percent.{_PAPER_NOTE if _with_paper(runs) else ''}"
    )


def description_note(records: Iterable[Record]) -> str:
    """Return a sentence on the descriptions that runs used, and whether their writer had images of the objects."""
    seen: dict[str, bool] = {}
    for record in records:
        if not record["config"]["prompts"].get("closed_set"):  # a closed set has no texts
            seen |= {source: row["images_seen"] for source, row in record.get("descriptions", {}).items()}
    if not seen:
        return "Labels are only names, without descriptions."
    groups = {"from only the names (blind)": False, "with images of the very objects at hand (seen)": True}
    parts = [
        f"{', '.join(f'`{source}`' for source in seen if seen[source] is images)} {how}"
        for how, images in groups.items()
        if images in seen.values()
    ]
    return f"Descriptions were written: {'; '.join(parts)}."


def _runs_section(runs: Runs, out: Path) -> str:
    """Return the runs of a sweep in Markdown, with links to the reports that are there.

    :param out: folder of the page
    """
    rows = []
    for (name, replicate), folder in runs.folders.items():
        link = page_link(folder / PAGE_FILE, out)
        cell = f"`{name}`" if link is None else f"[`{name}`]({link})"
        rows.append([cell, *replicate, f"`{folder}`", runs.records[name][replicate]["git_revision"]])
    table = markdown_table(["run", "split", "seed", "draw", "folder", "revision"], rows)
    return f"## Runs\n\nThe name of a run leads to its report, where that is there.\n\n{table}"


def draw_objects(runs: Runs) -> Figure:
    """Draw the average precision of each object on X_ood, few-shot: means and 95% intervals as in the tables.

    An object that is unseen in some runs counts only in these.
    """
    series: dict[str, dict[str, Estimate | None]] = {}
    unseen: dict[str, set[str]] = {}
    for method in methods_of(runs)[:_MOST_METHODS]:
        records = runs.of(method).values()
        unseen[method] = {name for record in records for name in _classes(record)}
        values: dict[str, Estimate] = {}
        for name in dict.fromkeys(name for record in records for name in _classes(record, "all_on_ood")):
            cell = _CLASSES if name in unseen[method] else "all_on_ood"
            one = runs.estimate(method, f"{FEW_SHOT}.{cell}.classes.{as_key(name)}.average_precision")
            values |= {} if one is None else {name: one}
        ordered = sorted(values, key=lambda name: (name in unseen[method], -values[name].mean))
        series[method] = {name: values[name] for name in ordered}
    return draw_bars(series, unseen, "average precision, %")


def draw_sweep(runs: Runs) -> Figure:
    """Draw the mean average precision of Y_ood on X_ood of each row and stage, with 95% intervals."""
    series = {
        STAGE_TITLES[stage]: {name: runs.estimate(name, f"{stage}.{_CLASSES}.model.map") for name in runs.records}
        for stage in _STAGES
    }
    return draw_bars(series, dict.fromkeys(series, ()), "mean average precision, %")
