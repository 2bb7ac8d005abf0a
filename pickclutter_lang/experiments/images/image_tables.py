"""The paper's tables from finished runs: Markdown in the paper's form, and every number as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError
from pickclutter_lang.experiments.comparison import Result
from pickclutter_lang.experiments.images.image_results import THREE_SEEDS, ImageSweepResults, student_of
from pickclutter_lang.experiments.images.sweep_answers import lack_answers
from pickclutter_lang.experiments.images.table_specs import TABLES, table_of
from pickclutter_lang.experiments.sweeps.tables import COMPARISON_NOTE, Table, comparison_rows, csv_lines, table_rows
from pickclutter_lang.results.paper_tables import DATA_SETS, SIZES
from pickclutter_lang.utils.csv import write_csv
from pickclutter_lang.utils.io import write_text
from pickclutter_lang.utils.words import range_text


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
    table, path = table_of_data(runs, number), out / f"table{number}.md"
    if not any(runs.seeds(run) for run in table.runs):
        raise CheckpointError(
            f"expected finished runs of table {number} under {runs.folder}, such as {table.runs[0]}/seed0, but there "
            f"are none; make them: {runs.command(f'table={number}', THREE_SEEDS)}"
        )
    write_csv(out / f"table{number}.csv", csv_lines(runs, [table]))
    write_text(path, markdown(runs, table))
    return path


def markdown(runs: ImageSweepResults, table: Table) -> str:
    """Return the page of a table."""
    replicates = {replicate for run in table.runs for replicate in runs.replicates(run)}
    parts = [
        f"# Table {table.number}: {table.title}",
        data_note(runs, table.runs),
        f"    {runs.command(f'table={table.number}', replicates)}",
        table_rows(runs, table),
        _paper_note(runs, table),
    ]
    parts += [table.note] if table.note else []
    parts += [f"Notes on the data set: {'; '.join(notes)}."] if (notes := _report_notes(runs, table)) else []
    missing = [f"`{run}`" for run in table.runs if not runs.seeds(run)]
    parts += [f"Not finished: {', '.join(missing)}."] if missing else []
    if table.pairs:
        parts += ["## Comparisons over equal seeds and splits", COMPARISON_NOTE, comparison_rows(runs, table)]
    return "\n\n".join(parts) + "\n"


def data_note(runs: ImageSweepResults, names: Sequence[str]) -> str:
    """Describe the provenance of the runs and how to read their numbers.

    :param names: runs; those that are not finished are left out
    """
    data = runs.data
    results = [result for name in names for result in runs.runs.get(name, {}).values()]
    students = sorted({student_of(result) for result in results})
    revisions = sorted({str(result["git_revision"]) for result in results})
    sizes = {
        part: range_text([result["data"][part] for result in results]) for part in ("train", "id", "ood", "fewshot")
    }
    coverage = " ".join([runs.note([name for name in names if runs.seeds(name)]), *_limits(runs, results)])
    return (
        f"Data set `{data['name']}`: {len(data['seen'])} classes in Y_id and {len(data['unseen'])} in Y_ood; "
        f"{sizes['train']} training, {sizes['id']} X_id, {sizes['ood']} X_ood and {sizes['fewshot']} few-shot images. "
        f"Teacher `{runs.first['teacher']['name']}`, student {', '.join(f'`{name}`' for name in students)}. Accuracies "
        f"are means over classes. Each number: mean ± half of its interval. {coverage} "
        f"Revision: {', '.join(revisions)}."
    )


def _limits(runs: ImageSweepResults, results: Sequence[Result]) -> Iterator[str]:
    """Yield what an interval over images leaves out, or why there is none."""
    lacking = lack_answers(runs.folders.values())
    if lacking and len(lacking) < len(runs.folders):
        yield (
            f"{len(lacking)} runs saved no answers, such as `{lacking[0]}`: delete their result.json and run the "
            "command again, which evaluates them."
        )
    averaged = max(result["config"].get("average_last_epochs", 1) for result in results)
    if averaged > 1 and runs.answers:
        yield f"Accuracies are means over the last {averaged} epochs; images are resampled in the answers of the last."


def table_of_data(runs: ImageSweepResults, number: str) -> Table:
    """Return a table for the runs' data set."""
    return table_of(number, runs.data["name"], len(runs.data["seen"]), len(runs.data["unseen"]))


def _paper_note(runs: ImageSweepResults, table: Table) -> str:
    name = runs.data["name"]
    if name not in DATA_SETS:
        return "**This is not one of the paper's data sets, so its figures are not shown.**"
    if not table.has_paper:
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
