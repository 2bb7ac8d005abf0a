"""Descriptions of labels from a language model: one request for each label, each answer saved at once.

The model answers behind OpenAI's chat interface, through OpenAI's client, which repeats failed requests itself; needs
the extra `llm`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError
from pickclutter_lang.language.chat import ChatClient, ChatConfig, Reply, UnusableAnswerError, today
from pickclutter_lang.language.descriptions import CATALOG, INSTRUCTIONS, STYLES, DescriptionSet
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.utils.io import check_writable_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.reading import damage_of, read_file, read_json
from pickclutter_lang.utils.validation import check_path

_PROVENANCE = "Answers of the model to the instruction, one request a label, collected through the client."
_MAX_ANSWER_LENGTH = 1000  # characters; what is longer is no single sentence
_REFUSAL = re.compile(
    r"(?:i'?m |i am )?(?:sorry|unable|not able)|i apologi[sz]e|i (?:can'?t|cannot|won'?t)|unfortunately"
    r"|as an ai\b|as a language model",
    re.IGNORECASE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"), ("`", "`"), ("**", "**"), ("*", "*"))


@dataclass(frozen=True, kw_only=True)
class DescribeConfig(ChatConfig):
    """Descriptions of labels by a language model."""

    labels: Any
    """[a,b,...], a .json file with a list, a .txt file with one label per line, the catalog.yaml of your own objects,
    or `catalog` (the 26 objects)."""
    out: str
    """The .json file of descriptions, for `prompts.descriptions` of a run."""
    style: str = "standard"
    """`standard`, `succinct`, `detailed`, `distinct`, or your own word with an `instruction`."""
    instruction: str | None = None
    """Your own instruction, with {name} in place of the label. null: the one of the style."""
    dry_run: bool = False
    """Print the requests and send none."""

    def validate(self) -> None:
        """Check what can be checked before anything is sent.

        :raises InvalidArgumentError: naming the key, what was expected and what came
        """
        if (self.instruction is None) != (self.style in INSTRUCTIONS) or "{name}" not in self.instruction_template:
            raise InvalidArgumentError(
                f"expected style to be one of {', '.join(STYLES)}, or your own word with an instruction= that has "
                f"{{name}} in it, but got style={self.style!r}, instruction={self.instruction!r}"
            )
        super().validate()
        check_path("out", self.out, ".json")

    @property
    def instruction_template(self) -> str:
        """The instruction, with `{name}` where the label goes."""
        return self.instruction if self.instruction is not None else INSTRUCTIONS.get(self.style, "")

    def request_of(self, label: str) -> dict[str, Any]:
        """Return the body of the request for a label."""
        return self.request(self.instruction_template.replace("{name}", label))


def collect_descriptions(
    config: DescribeConfig, track: Callable[[Sequence[str]], Iterable[str]] = iter
) -> DescriptionSet:
    """Ask for the description of every label that `out` lacks, and write each answer to `out` as it comes.

    :param track: shows progress over the labels that are requested
    :raises MissingExtraError: without the package `openai`
    :raises MismatchError: when `out` holds answers of another model, instruction, temperature or host
    :raises LanguageModelError: when the model gives no usable answer; received answers are kept
    :raises LockedError: when another process collects into `out`
    """
    check_writable_dir(Path(config.out).parent)  # before the first request costs anything
    with file_lock(Path(config.out)):
        collected, missing = _collected(config)
        client = ChatClient(config)
        for label in track(missing) if missing else ():
            text = client.ask(config.request_of(label), f"a description of {label!r}", _description)
            collected = replace(collected, texts={**collected.texts, label: text}, date=today())
            collected.save(config.out)
    return collected


def dry_run(config: DescribeConfig) -> list[str]:
    """Return, as JSON, the bodies of the requests that would be sent, in order; nothing is sent."""
    return [json.dumps(config.request_of(label), ensure_ascii=False) for label in _collected(config)[1]]


def read_labels(labels: object) -> list[str]:
    """Return labels from a list, from `catalog`, or from a file.

    :param labels: texts; or `catalog` (the paper's 26 objects); or the path of a `.json` file with a list of texts, of
        a `.txt` file with one label per line, or of a `catalog.yaml`
    :raises DatasetError: when there is no such file, or it cannot be read
    :raises InvalidArgumentError: for no labels, empty ones, or one that comes twice
    """
    if labels == CATALOG:
        return paper_catalog().names
    found: object = _read_file(Path(labels)) if isinstance(labels, str) else labels
    if not isinstance(found, Sequence):
        raise InvalidArgumentError(f"expected labels to be a list of texts, but got {found!r}")
    return validate_label_names(found)


def _read_file(path: Path) -> list[str]:
    if path.suffix == ".yaml":
        return [entry.name for entry in read_catalog(path)]
    if path.suffix == ".json":
        labels: list[str] = read_json(path, list[str], DatasetError, "it must be a JSON list of labels")
        return labels
    if path.suffix != ".txt":
        raise InvalidArgumentError(
            f"expected labels to be a list, 'catalog', or the path of a .json, .txt or .yaml file, but got {path}"
        )
    with damage_of(path, DatasetError, "it must have one label per line"):
        return [row for row in read_file(path).decode().splitlines() if row.strip()]


def _collected(config: DescribeConfig) -> tuple[DescriptionSet, list[str]]:
    """Return the descriptions in `out`, or none, and the labels that they lack."""
    given = Path(config.labels).stem if isinstance(config.labels, str) else "labels"
    collected = fresh = DescriptionSet(
        label_set="pickclutter_26" if config.labels == CATALOG else given,
        style=config.style,
        model=config.model,
        instruction=config.instruction_template,
        date=today(),
        base_url=config.host,
        provenance=_PROVENANCE,
        texts={},
        temperature=config.temperature,
    )
    if Path(config.out).exists():
        collected = DescriptionSet.load(config.out)
    for key in ("style", "model", "instruction", "base_url", "temperature"):
        if getattr(collected, key) != getattr(fresh, key):
            raise MismatchError(
                f"expected {config.out} to hold answers with the {key} {getattr(fresh, key)!r}, "
                f"but it has {getattr(collected, key)!r}; name another out="
            )
    return collected, [label for label in read_labels(config.labels) if label not in collected.texts]


def _description(reply: Reply) -> str:
    return clean_answer(reply.text)


def clean_answer(text: str) -> str:
    """Return an answer as one line, without thoughts, preamble and quotation marks around it.

    :raises UnusableAnswerError: for an empty answer, a refusal, or what is no sentence
    """
    rows = [row for row in text.rpartition("</think>")[2].splitlines() if row.strip()]
    if len(rows) > 1 and rows[0].rstrip().endswith(":"):
        rows = rows[1:]
    line = " ".join(" ".join(rows).split())
    for opening, closing in _QUOTES:
        inner = line.removeprefix(opening).removesuffix(closing)
        if len(inner) == len(line) - len(opening + closing) and inner and opening not in inner:
            line = inner.strip()
    sentence = line.isprintable() and sum(map(str.isalpha, line)) >= len(line) / 2 and len(line) <= _MAX_ANSWER_LENGTH
    if not line or not sentence or "<think>" in line or _REFUSAL.match(line.replace("’", "'")):
        raise UnusableAnswerError(f"empty, cut off, a refusal, or no sentence: {line[:160]!r}")
    return line
