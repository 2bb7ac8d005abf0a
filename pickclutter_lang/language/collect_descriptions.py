"""Descriptions of labels from a language model: one request for each label, each answer saved at once.

The model answers behind OpenAI's chat interface, through OpenAI's client, which repeats failed requests itself; needs
the extra `llm`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LanguageModelError,
    MismatchError,
    MissingExtraError,
)
from pickclutter_lang.language.descriptions import CATALOG, INSTRUCTIONS, STYLES, DescriptionSet
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.utils.io import check_writable_dir
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.reading import damage_of, read_file, read_json
from pickclutter_lang.utils.validation import check_path, within

_PROVENANCE = "Answers of the model to the instruction, one request a label, collected through the client."
_ATTEMPTS = 3  # at an answer that is of use
_MAX_ANSWER_LENGTH = 1000  # characters; what is longer is no single sentence
_REFUSAL = re.compile(
    r"(?:i'?m |i am )?(?:sorry|unable|not able)|i apologi[sz]e|i (?:can'?t|cannot|won'?t)|unfortunately"
    r"|as an ai\b|as a language model",
    re.IGNORECASE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("'", "'"), ("‘", "’"), ("«", "»"), ("`", "`"), ("**", "**"), ("*", "*"))


@dataclass
class DescribeConfig:
    """Descriptions of labels by a language model."""

    labels: Any
    """[a,b,...], a .json file with a list, a .txt file with one label per line, the catalog.yaml of your own objects,
    or `catalog` (the 26 objects)."""
    model: str
    """Name of the model at the server."""
    out: str
    """The .json file of descriptions, for `prompts.descriptions` of a run."""
    style: str = "standard"
    """`standard`, `succinct`, `detailed`, `distinct`, or your own word with an `instruction`."""
    instruction: str | None = None
    """Your own instruction, with {name} in place of the label. null: the one of the style."""
    base_url: str = "https://api.openai.com/v1"
    """Address of a server with OpenAI's chat interface."""
    api_key_env: str | None = "OPENAI_API_KEY"
    """Environment variable with the key. null: the server wants none."""
    temperature: float | None = None
    """Temperature of the sampling. null: the server's own."""
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
        if not self.model.strip():
            raise InvalidArgumentError("expected model to be the name of a language model, but it is empty")
        if self.temperature is not None:
            within("temperature", self.temperature, 0.0, 10.0)
        check_path("out", self.out, ".json")
        self.host  # noqa: B018  # checked

    @property
    def host(self) -> str:
        """Host and port of the server.

        :raises InvalidArgumentError: when `base_url` is no http or https address
        """
        found = re.fullmatch(r"https?://(?:[^/@]*@)?([^/@\s]+)(?:/.*)?", self.base_url)
        if found is None:
            raise InvalidArgumentError(f"expected base_url to be an http or https address, but got {self.base_url!r}")
        return found[1]

    @property
    def instruction_template(self) -> str:
        """The instruction, with `{name}` where the label goes."""
        return self.instruction if self.instruction is not None else INSTRUCTIONS.get(self.style, "")

    def request(self, label: str) -> dict[str, Any]:
        """Return the body of the request for a label."""
        message = {"role": "user", "content": self.instruction_template.replace("{name}", label)}
        sampling = {} if self.temperature is None else {"temperature": self.temperature}
        return {"model": self.model, "messages": [message], **sampling}


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
        client = _client(config) if missing else None
        for label in track(missing) if missing else ():
            texts = {**collected.texts, label: _ask(client, config, label)}
            collected = replace(collected, texts=texts, date=_today())
            collected.save(config.out)
    return collected


def dry_run(config: DescribeConfig) -> list[str]:
    """Return, as JSON, the bodies of the requests that would be sent, in order; nothing is sent."""
    return [json.dumps(config.request(label), ensure_ascii=False) for label in _collected(config)[1]]


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
        date=_today(),
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


def _client(config: DescribeConfig) -> Any:
    try:
        import openai
    except ImportError as error:
        raise MissingExtraError("openai", "llm") from error
    key = "none" if config.api_key_env is None else os.environ.get(config.api_key_env, "").strip()
    if not key:
        raise LanguageModelError(
            f"expected a key in the environment variable {config.api_key_env}, but it is empty; name another one "
            "with api_key_env=, or set api_key_env=null for a server that wants no key"
        )
    return openai.OpenAI(api_key=key, base_url=config.base_url)


def _ask(client: Any, config: DescribeConfig, label: str) -> str:
    """Return the cleaned answer for a label; one that is of no use is requested again."""
    import openai

    reason = ""
    for _ in range(_ATTEMPTS):
        try:
            return clean_answer(_content(client.chat.completions.create(**config.request(label))))
        except UnusableAnswerError as error:
            reason = f"{_ATTEMPTS} answers were of no use, the last one: {error}"
        except (openai.OpenAIError, ValueError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".replace(client.api_key, "***")
            break
    raise LanguageModelError(
        f"expected a description of {label!r} from {config.model} at {config.host}, but got none ({reason}); check "
        "base_url=, model=, api_key_env= and instruction=, then run the same command again: received answers are kept"
    )


class UnusableAnswerError(LanguageModelError):
    """An answer that is no description: empty, a refusal, cut off, or no text at all."""


def _content(completion: Any) -> str:
    """Return the text of a completion, whatever the server made of it."""
    try:
        choice = completion.choices[0]
        whole = not choice.message.refusal and choice.finish_reason not in ("content_filter", "length")
        return str(choice.message.content or "") if whole else ""
    except (AttributeError, IndexError, TypeError):
        return ""


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


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()
