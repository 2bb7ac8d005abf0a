"""Descriptions of labels from a language model: one request for each label, each answer saved at once.

The model answers behind OpenAI's chat interface; needs the extra `llm`.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LanguageModelError,
    MismatchError,
    MissingAssetsError,
    MissingExtraError,
)
from pickclutter_lang.language.descriptions import CATALOG, INSTRUCTIONS, STYLES, DescriptionSet
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.utils.io import check_writable_dir
from pickclutter_lang.utils.json_files import read_file, read_json
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.validation import above, at_least, check_path, within

PROVENANCE = "Answers of the model to the instruction, one request a label, collected through the client."
_MAX_ANSWER_LENGTH = 1000  # characters; what is longer is no single sentence
_THINKING = re.compile(r"(?:\A|<think>)(?:(?!<think>).)*?</think>", re.DOTALL)
"""Some servers put the opening mark into the prompt, so that an answer has the closing one alone."""
_PREAMBLE = re.compile(r"\A\s*(?:sure|certainly|of course|here)\b[^\n]*:\s*\n(?=.*\S)", re.IGNORECASE | re.DOTALL)
_REFUSAL = re.compile(
    r"\A(?:i(?:'|’)?m sorry|i am sorry|sorry|i apologi[sz]e|i (?:can(?:'|’)t|cannot|am unable|won(?:'|’)t)"
    r"|i(?:'|’)m (?:unable|not able)|unfortunately|as an ai\b|as a language model)",
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
    timeout: float = 60.0
    """Seconds to wait for an answer."""
    retries: int = 5
    """How often a request that failed, or whose answer is of no use, is repeated."""
    max_tokens: int = 54
    """Tokens of label and description above which a text is reported as too long. It is the context of the teacher less
    2 and less the context vectors: 54 for the pocket teacher, 67 for CLIP."""
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
        above("timeout", self.timeout, 0)
        at_least("retries", self.retries, 0)
        at_least("max_tokens", self.max_tokens, 1)
        if self.temperature is not None:
            within("temperature", self.temperature, 0.0, 10.0)
        check_path("out", self.out, ".json")
        _host(self.base_url)

    @property
    def instruction_template(self) -> str:
        """The instruction, with `{name}` where the label goes."""
        return self.instruction if self.instruction is not None else INSTRUCTIONS.get(self.style, "")

    def request(self, label: str) -> dict[str, Any]:
        """Return the body of the request for a label."""
        message = {"role": "user", "content": self.instruction_template.replace("{name}", label)}
        sampling = {} if self.temperature is None else {"temperature": self.temperature}
        return {"model": self.model, "messages": [message], **sampling}


@dataclass(frozen=True)
class CollectedDescriptions:
    """All descriptions, the number of requests of this call, and the labels whose description is too long."""

    descriptions: DescriptionSet
    requests: int
    too_long: tuple[str, ...]


def collect_descriptions(
    config: DescribeConfig, track: Callable[[Sequence[str]], Iterable[str]] = iter
) -> CollectedDescriptions:
    """Ask for the description of every label that `out` lacks, and write each answer to `out` as it comes.

    :param track: shows progress over the labels that are requested
    :raises MissingExtraError: without the package `openai`
    :raises MismatchError: when `out` holds answers of another model, instruction, temperature or host
    :raises LanguageModelError: when the model gives no usable answer; received answers are kept
    :raises LockedError: when another process collects into `out`
    """
    labels = read_labels(config.labels)
    check_writable_dir(Path(config.out).parent)  # before the first request costs anything
    with file_lock(Path(config.out)):
        collected = _load_or_create(config)
        missing = [label for label in labels if label not in collected.texts]
        if missing:
            client = _client(config)
            for label in track(missing):
                texts = {**collected.texts, label: _ask(client, config, label)}
                collected = replace(collected, texts=texts, date=_today())
                collected.save(config.out)
    lengths = {label: _tokens(f"{label}, {collected.texts[label]}") for label in labels}
    return CollectedDescriptions(
        collected, len(missing), tuple(label for label in labels if lengths[label] > config.max_tokens)
    )


def dry_run(config: DescribeConfig) -> list[str]:
    """Return, as JSON, the bodies of the requests that would be sent, in order; nothing is sent."""
    collected = _load_or_create(config)
    missing = [label for label in read_labels(config.labels) if label not in collected.texts]
    return [json.dumps(config.request(label), ensure_ascii=False) for label in missing]


def read_labels(labels: object) -> list[str]:
    """Return labels from a list, from `catalog`, or from a file.

    :param labels: texts; or `catalog` (the paper's 26 objects); or the path of a `.json` file with a list of texts, of
        a `.txt` file with one label per line, or of a `catalog.yaml`
    :raises MissingAssetsError: when there is no such file
    :raises DatasetError: when it cannot be read
    :raises InvalidArgumentError: for no labels, empty ones, or one that comes twice
    """
    if labels == CATALOG:
        return paper_catalog().names
    found: object = _read_file(Path(labels)) if isinstance(labels, str) else labels
    if not isinstance(found, Sequence) or isinstance(found, str) or not found:
        raise InvalidArgumentError(f"expected labels to be a list of texts, but got {found!r}")
    invalid = [one for one in found if not isinstance(one, str) or not one.strip() or not one.isprintable()]
    if invalid:
        raise InvalidArgumentError(f"expected every label to be a text of one line, but got {invalid[0]!r}")
    names = [label.strip() for label in found]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise InvalidArgumentError(f"expected every label once, but got {', '.join(map(repr, repeated))} again")
    return names


def _read_file(path: Path) -> list[str]:
    if path.suffix not in (".json", ".txt", ".yaml"):
        raise InvalidArgumentError(
            f"expected labels to be a list, 'catalog', or the path of a .json, .txt or .yaml file, but got "
            f"{str(path)!r}"
        )
    if not path.exists():
        raise MissingAssetsError(f"expected labels at {path}, but there is no such file")
    if path.suffix == ".yaml":
        return [entry.name for entry in read_catalog(path)]
    if path.suffix == ".json":
        labels: list[str] = read_json(path, list[str], DatasetError, "it must be a JSON list of labels")
        return labels
    try:
        return [row for row in read_file(path).decode().splitlines() if row.strip()]
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot read the labels in {path}: {error}") from error


def _load_or_create(config: DescribeConfig) -> DescriptionSet:
    """Return the descriptions in `out`, or an empty set."""
    fresh = DescriptionSet(
        label_set="pickclutter_26" if config.labels == CATALOG else _stem(config.labels),
        style=config.style,
        model=config.model,
        instruction=config.instruction_template,
        date=_today(),
        base_url=_host(config.base_url),
        provenance=PROVENANCE,
        texts={},
        temperature=config.temperature,
    )
    if not Path(config.out).exists():
        return fresh
    collected = DescriptionSet.load(config.out)
    for key in ("style", "model", "instruction", "base_url", "temperature"):
        if getattr(collected, key) != getattr(fresh, key):
            raise MismatchError(
                f"expected {config.out} to hold answers with the {key} {getattr(fresh, key)!r}, "
                f"but it has {getattr(collected, key)!r}; name another out="
            )
    return collected


def _stem(labels: object) -> str:
    return Path(labels).stem if isinstance(labels, str) else "labels"


def _client(config: DescribeConfig) -> Any:
    """Return OpenAI's client, which repeats failed requests itself."""
    try:
        import openai
    except ImportError as error:
        raise MissingExtraError("openai", "llm") from error
    key = "none"
    if config.api_key_env is not None:
        key = os.environ.get(config.api_key_env, "").strip()
        if not key:
            raise LanguageModelError(
                f"expected a key in the environment variable {config.api_key_env}, but it is empty; name another one "
                "with api_key_env=, or set api_key_env=null for a server that wants no key"
            )
    return openai.OpenAI(api_key=key, base_url=config.base_url, timeout=config.timeout, max_retries=config.retries)


def _ask(client: Any, config: DescribeConfig, label: str) -> str:
    """Return the cleaned answer for a label; one that is of no use is requested again."""
    import openai

    unusable: Exception | None = None
    for _ in range(config.retries + 1):
        try:
            return clean_answer(_content(client.chat.completions.create(**config.request(label))))
        except UnusableAnswerError as error:
            unusable = error
        except (openai.OpenAIError, ValueError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".replace(client.api_key, "***")
            raise LanguageModelError(
                f"{config.model} at {_host(config.base_url)} gave no answer ({reason}); check base_url=, model=, "
                "api_key_env= and timeout=, then run the same command again: received answers are kept"
            ) from None  # its traceback would show headers
    raise LanguageModelError(
        f"expected a description from {config.model} at {_host(config.base_url)}, but {config.retries + 1} answers "
        f"were of no use, the last one: {unusable}; try another model= or instruction="
    )


def _content(completion: Any) -> str:
    """Return the text of a completion, whatever the server made of it."""
    try:
        choice = completion.choices[0]
        text, refusal, end = choice.message.content, choice.message.refusal, choice.finish_reason
    except (AttributeError, IndexError, TypeError):
        raise UnusableAnswerError("a reply without a message") from None
    if refusal or end == "content_filter":
        raise UnusableAnswerError("a refusal")
    if end == "length":
        raise UnusableAnswerError("a text that was cut off")
    return text if isinstance(text, str) else ""


class UnusableAnswerError(LanguageModelError):
    """An answer that is no description: empty, a refusal, cut off, or no text at all."""


def clean_answer(text: str) -> str:
    """Return an answer as one line, without thoughts, preamble and quotation marks around it.

    :raises UnusableAnswerError: for an empty answer, a refusal, or what is no sentence
    """
    answer = _THINKING.sub("", text)
    if "<think>" in answer:
        raise UnusableAnswerError("thoughts without an end")
    line = " ".join(_PREAMBLE.sub("", answer).split())
    for opening, closing in _QUOTES:
        inner = line[len(opening) : len(line) - len(closing)]
        if line.startswith(opening) and line.endswith(closing) and inner and opening not in inner:
            line = inner.strip()
    if not line:
        raise UnusableAnswerError("an empty text")
    if _REFUSAL.match(line):
        raise UnusableAnswerError(f"a refusal, {line[:160]!r}")
    letters = sum(map(str.isalpha, line))
    if len(line) > _MAX_ANSWER_LENGTH or letters < len(line) / 2 or not line.isprintable():
        raise UnusableAnswerError(f"no sentence, {line[:160]!r}")
    return line


def _host(base_url: str) -> str:
    """Return host and port of an address.

    :raises InvalidArgumentError: for what is no http or https address
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https"):
        raise InvalidArgumentError(f"expected base_url to be an http or https address, but got {base_url!r}")
    return f"{host}:{port}" if port else host


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def _tokens(text: str) -> int:
    """Return the number of CLIP's tokens in a text, without start and end."""
    from open_clip.tokenizer import SimpleTokenizer  # imports torch, which nothing else here needs

    return len(SimpleTokenizer().encode(text))
