"""The results table of a run in Markdown, with the paper's figures and image-blind baselines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pickclutter_lang.experiments.stages import STAGE_TITLES
from pickclutter_lang.experiments.sweeps.sweep_markdown import estimate_cell
from pickclutter_lang.experiments.sweeps.tables import CHANCE, CHANCE_NOTE
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.results.paper_tables import TABLE12
from pickclutter_lang.utils.markdown import markdown_table, number, percent
from pickclutter_lang.utils.statistics import Estimate

TRIVIAL = {"always_no": "all-negative", "always_yes": "all-positive", "label_frequency": "label frequency"}

CELL_TITLES = {
    "id_on_id": "Y_id on X_id",
    "id_on_ood": "Y_id on X_ood",
    "ood_on_ood": "Y_ood on X_ood",
    "all_on_ood": "all on X_ood",
}
"""Cell -> its title in tables."""
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
"""Title -> (metric, predictor)."""
Intervals = Mapping[tuple[str, str, str], Estimate]
"""Stage, cell and metric (`f1`, `map`) -> the interval of a student."""


def table_title(cell: str) -> str:
    """Return what a cell is called in tables, such as `Y_ood on X_ood`."""
    return CELL_TITLES[cell]


def stages_of(result: dict[str, Any]) -> list[str]:
    """Return the stages that a result has, in the order of tables."""
    return [stage for stage in STAGE_TITLES if stage in result["metrics"]]


def is_chance(method: str | None, stage: str, cell: str) -> bool:
    """Return whether a figure can only be chance: the zero-shot output of a closed set for labels of Y_ood."""
    return method == "closed_set" and stage == "zero_shot" and cell in ("ood_on_ood", "all_on_ood")


def tables(result: dict[str, Any], intervals: Intervals = MappingProxyType({})) -> str:
    """Return one Markdown table for each metric of a `result.json`, in percent, a figure for each stage.

    :param result: what `evaluate_run` wrote
    :param intervals: those of the student that are known, at the threshold from X_id
    """
    parts = [
        f"### {title}\n\n{metric_table(result, metric, predictor, intervals if predictor == 'model' else {})}"
        for title, (metric, predictor) in SECTIONS.items()
    ]
    if is_chance(result["config"].get("method"), "zero_shot", "ood_on_ood"):
        parts.append(CHANCE_NOTE)
    return "\n\n".join(parts)


def metric_table(
    result: dict[str, Any], metric: str, predictor: str = "model", intervals: Intervals = MappingProxyType({})
) -> str:
    """Return the Markdown table of one metric: this student, the trivial predictors, the paper's rows for its objects.

    :param predictor: `model` (threshold from X_id) or `model_at_half` (threshold 0.5) or
        `model_matched_fpr` (a threshold for each label, see `matched_fpr_thresholds`)
    :param intervals: those of this student that are known
    """
    rows = [["**this student**", *metric_cells(result, predictor, metric, intervals)]]
    rows += [[title, *metric_cells(result, name, metric)] for name, title in TRIVIAL.items()]
    for method, row in (TABLE12.get(metric, {}) if of_paper(result) else {}).items():
        cells = [" / ".join(number(value) for value in row[cell]) if cell in row else "" for cell in CELL_TITLES]
        rows.append([f"paper: {method}", *cells])
    return markdown_table(["", *CELL_TITLES.values()], rows)


def of_paper(result: dict[str, Any]) -> bool:
    """Return whether the labels of a result are objects of the paper, and those that it chose are unseen.

    :param result: a whole one, or its numbers in a sweep's `values.csv`, which name the unseen labels alone
    """
    cells = result["metrics"][stages_of(result)[0]]
    names = cells.get("all_on_ood", cells["ood_on_ood"]).get("classes", {})
    return not result.get("object_split", 0) and set(names) <= set(paper_catalog().names)


def class_table(result: dict[str, Any], cell: str) -> str:
    """Return the Markdown table of every label of a cell: support, and average precision and F1 of every stage."""
    stages = stages_of(result)
    heads = [f"{title}, {STAGE_TITLES[stage]}" for title in ("AP", "F1", "precision", "recall") for stage in stages]
    classes = {stage: result["metrics"][stage][cell]["classes"] for stage in stages}
    rows = []
    for name, first in classes[stages[0]].items():
        values = [
            percent(classes[stage][name][metric])
            for metric in ("average_precision", "f1", "precision", "recall")
            for stage in stages
        ]
        rows.append([name, first["support"], *values])
    return markdown_table(["object", "support", *heads], rows)


def data_note(result: dict[str, Any], with_paper: bool | None = None) -> str:
    """Return a paragraph on the provenance of this run, and on why the paper's rows are no target for it.

    :param with_paper: whether the paper's rows are shown; None: where they are of these objects
    """
    with_paper = of_paper(result) if with_paper is None else with_paper
    data, config = result["data"], result["config"]
    paper = (
        "**The rows of the paper (Table 12: zero-shot / few-shot, threshold 0.5) come from its own scenes, with the "
        "label `present`, CLIP ViT-L/14 as the teacher and both cameras with depth at 224 px; they are shown for "
        "orientation and cannot be compared number by number.** What can be compared are the rows of the predictors "
        "that see no image."
    )
    return (
        f"Label `{config['data']['target_label']}`; {data['train']['scenes']} training, "
        f"{data['fewshot']['scenes']} few-shot, "
        f"{data['id']['scenes']} X_id and {data['ood']['scenes']} X_ood scenes; cameras "
        f"{' and '.join(config['data']['cameras'])}{' with depth' if config['data']['depth'] else ''} at "
        f"{config['data']['image_size']} px; teacher `{result['teacher']['name']}`; one threshold for all labels, the "
        f"best on X_id; cells are {' / '.join(STAGE_TITLES[s] for s in stages_of(result))} in percent. "
        f"{paper if with_paper else 'Compare with the predictors that see no image.'}"
    )


def description_note(results: Iterable[dict[str, Any]]) -> str:
    """Return a sentence on the descriptions that runs used, and whether their writer had images of the objects."""
    seen: dict[str, bool] = {}
    for result in results:
        prompts = result["config"]["prompts"]
        if prompts.get("closed_set"):
            continue  # a closed set has no texts
        earlier = [prompts.get("descriptions"), *prompts.get("extra_descriptions", ())]  # all of them with images
        known = result.get("descriptions", {source: {"images_seen": True} for source in earlier if source})
        seen |= {source: row["images_seen"] for source, row in known.items()}
    if not seen:
        return "Labels are names alone, without descriptions."
    groups = {"from the names alone (blind)": False, "with images of the very objects at hand (seen)": True}
    parts = [
        f"{', '.join(f'`{source}`' for source in seen if seen[source] is images)} {how}"
        for how, images in groups.items()
        if images in seen.values()
    ]
    return f"Descriptions were written: {'; '.join(parts)}."


def threshold_note(result: dict[str, Any]) -> str:
    """Return a sentence with the threshold of every stage."""
    values = (f"{result['metrics'][s]['id_threshold']:.2f} ({STAGE_TITLES[s]})" for s in stages_of(result))
    return f"Thresholds from X_id: {', '.join(values)}."


def metric_cells(
    result: dict[str, Any], predictor: str, metric: str, intervals: Intervals = MappingProxyType({})
) -> list[str]:
    """Return the cells of one row of a table: a figure for each stage, in percent.

    :param predictor: `model`, `model_at_half`, `model_matched_fpr` or a key of `TRIVIAL`
    """
    method = result["config"].get("method") if predictor.startswith("model") else None
    texts = []
    for cell in CELL_TITLES:
        values = [
            _cell(result["metrics"][stage][cell][predictor][metric], intervals.get((stage, cell, metric)))
            + (CHANCE if is_chance(method, stage, cell) else "")
            for stage in stages_of(result)
        ]
        texts.append(" / ".join(values))
    return texts


def _cell(value: float | None, interval: Estimate | None) -> str:
    return percent(value) if value is None or interval is None else estimate_cell(interval._replace(mean=value))
