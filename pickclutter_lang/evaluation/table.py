"""The table of a run in Markdown, beside the paper's figures and the predictors that look at no image."""

from __future__ import annotations

from typing import Any

from pickclutter_lang.evaluation.paper import ACCURACY, F1

_TITLES = {
    "id_on_id": "Y_id on X_id",
    "id_on_ood": "Y_id on X_ood",
    "ood_on_ood": "Y_ood on X_ood",
    "all_on_ood": "all on X_ood",
}
_METRICS = {
    "accuracy": "Overall accuracy",
    "f1": "F1 per observation",
    "map": "Mean average precision",
    "precision": "Precision per observation",
    "recall": "Recall per observation",
    "f1_at_id_threshold": "F1 per observation at the threshold that is best on X_id",
}
_TRIVIAL = {"always_no": "always no", "always_yes": "always yes", "label_frequency": "training label frequency"}
_PAPER = {"accuracy": ACCURACY, "f1": F1}


def table_title(cell: str) -> str:
    """Return what a cell is called in tables, such as `Y_ood on X_ood`."""
    return _TITLES[cell]


def tables(result: dict[str, Any]) -> str:
    """Return one Markdown table for each metric of a `result.json`, in per cent, zero-shot / few-shot.

    :param result: what `evaluate_run` wrote
    """
    return "\n\n".join(f"### {title}\n\n{metric_table(result, metric)}" for metric, title in _METRICS.items())


def metric_table(result: dict[str, Any], metric: str) -> str:
    """Return the Markdown table of one metric: this student, the trivial predictors, the paper's rows."""
    lines = [_line(["", *_TITLES.values()]), _line(["---"] * (len(_TITLES) + 1))]
    lines.append(_line(["**this student**", *_cells(result, "model", metric)]))
    if metric in next(iter(result["metrics"].values()))["id_on_id"]["always_no"]:
        lines += [_line([title, *_cells(result, name, metric)]) for name, title in _TRIVIAL.items()]
    for method, row in _PAPER.get(metric, {}).items():
        cells = [f"{_number(row[c][0])} / {_number(row[c][1])}" if c in row else "" for c in _TITLES]
        lines.append(_line([f"paper: {method}", *cells]))
    return "\n".join(lines)


def data_note(result: dict[str, Any]) -> str:
    """Say in one paragraph what this run was made of, and why the paper's rows are no target for it."""
    data, config = result["data"], result["config"]
    return (
        f"Label `{config['data']['label']}`; {data['train']['scenes']} training, {data['fewshot']['scenes']} few-shot, "
        f"{data['id']['scenes']} X_id and {data['ood']['scenes']} X_ood scenes; cameras "
        f"{' and '.join(config['data']['cameras'])}{' with depth' if config['data']['depth'] else ''} at "
        f"{config['data']['image_size']} px; teacher `{result['teacher']['name']}`; threshold 0.5; cells are zero-shot "
        "/ few-shot in per cent. **The rows of the paper (Table 12) come from other scenes, another label (`present`), "
        "another teacher (CLIP ViT-L/14) and other sizes; they stand here for orientation and cannot be "
        "compared number by number.** What can be compared are the rows of the predictors that look at no picture."
    )


def _cells(result: dict[str, Any], predictor: str, metric: str) -> list[str]:
    stages = result["metrics"]
    return [
        " / ".join(_percent(stages[stage][cell][predictor].get(metric)) for stage in ("zero_shot", "few_shot"))
        for cell in _TITLES
    ]


def _percent(value: float | None) -> str:
    return "NA" if value is None else f"{100 * value:.1f}"


def _number(value: float | None) -> str:
    return "NA" if value is None else f"{value:.1f}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
