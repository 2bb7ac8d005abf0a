"""Cards of the Hugging Face Hub: metadata as front matter, and a text in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """A result for the hub's tables: a metric of a task on a data set."""

    task: str
    dataset: str
    metric: str
    value: float


def hub_card(repository: str, text: str, figures: Sequence[Figure] = (), **metadata: Any) -> str:
    """Return a card.

    :param repository: `owner/name`, the title
    :param metadata: further keys of the front matter, such as `license` and `tags`
    """
    from huggingface_hub import EvalResult, ModelCardData  # takes some tenths of a second

    results = [
        EvalResult(task, "pickclutter-lang", name, metric.partition(",")[0], value, metric_name=metric)
        for task, name, metric, value in figures
    ]
    if results:
        metadata |= {"model_name": repository, "eval_results": results}
    data = ModelCardData(**metadata)
    return f"---\n{data.to_yaml()}\n---\n\n# {repository}\n\n{text}\n"
