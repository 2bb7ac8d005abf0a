"""Collects descriptions of labels from a language model: one request per label, each answer saved at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pickclutter_lang.errors import DatasetError, InvalidArgumentError, MismatchError, MissingAssetsError
from pickclutter_lang.language.chat_client import ChatClient, host_of, request_body
from pickclutter_lang.language.descriptions import CATALOG, INSTRUCTIONS, STYLES, UNKNOWN, DescriptionSet
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.utils.io import check_writable_dir
from pickclutter_lang.utils.json_files import read_file, read_json
from pickclutter_lang.utils.locks import file_lock
from pickclutter_lang.utils.validation import at_least, check_path, within

PROVENANCE = "Answers of the model to the instruction, one request a label, collected through the client."


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
        if self.instruction is None and self.style not in INSTRUCTIONS:
            raise InvalidArgumentError(
                f"expected style to be one of {', '.join(STYLES)}, but got {self.style!r}; "
                "a custom style needs its instruction= too"
            )
        if self.instruction is not None and (self.style in INSTRUCTIONS or "{name}" not in self.instruction):
            raise InvalidArgumentError(
                f"expected a custom instruction to hold {{name}} and to have a custom style= name, "
                f"but got style={self.style!r}, instruction={self.instruction!r}"
            )
        if not self.model.strip():
            raise InvalidArgumentError("expected model to be the name of a language model, but it is empty")
        if not 0 < self.timeout < float("inf") or self.retries < 0:
            raise InvalidArgumentError(
                f"expected timeout above 0 and retries of at least 0, but got {self.timeout} and {self.retries}"
            )
        if self.temperature is not None:
            within("temperature", self.temperature, 0.0, 10.0)
        at_least("max_tokens", self.max_tokens, 1)
        check_path("out", self.out, ".json")
        host_of(self.base_url)

    @property
    def instruction_template(self) -> str:
        """The instruction, with `{name}` where the label goes."""
        return self.instruction if self.instruction is not None else INSTRUCTIONS[self.style]


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
            with _chat(config) as chat:
                for label in track(missing):
                    texts = {**collected.texts, label: chat.complete(message(config.instruction_template, label))}
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
    bodies = (
        request_body(config.model, message(config.instruction_template, label), config.temperature) for label in missing
    )
    return [json.dumps(body, ensure_ascii=False) for body in bodies]


def message(instruction: str, label: str) -> str:
    """Return the message for a label: the instruction with the label in place of `{name}`."""
    return instruction.replace("{name}", label)


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
    collected: object = _read_file(Path(labels)) if isinstance(labels, str) else labels
    if not isinstance(collected, Sequence) or isinstance(collected, str) or not collected:
        raise InvalidArgumentError(f"expected labels to be a list of texts, but got {collected!r}")
    names = [label.strip() for label in collected if isinstance(label, str)]
    invalid = [
        label for label in collected if not isinstance(label, str) or not label.strip() or not label.isprintable()
    ]
    if invalid:
        raise InvalidArgumentError(f"expected every label to be a text of one line, but got {invalid[0]!r}")
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise InvalidArgumentError(f"expected every label once, but got {', '.join(map(repr, repeated))} again")
    return names


def _read_file(path: Path) -> object:
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
    name, host = _label_set(config.labels), host_of(config.base_url)
    fresh = DescriptionSet(
        name, config.style, config.model, config.instruction_template, _today(), host, PROVENANCE, {},
        temperature=config.temperature,
    )  # fmt: skip
    if not Path(config.out).exists():
        return fresh
    collected = DescriptionSet.load(config.out)
    for key in ("style", "model", "instruction", "base_url", "temperature"):
        if getattr(collected, key) not in (getattr(fresh, key), UNKNOWN):
            raise MismatchError(
                f"expected {config.out} to hold answers with the {key} {getattr(fresh, key)!r}, "
                f"but it has {getattr(collected, key)!r}; name another out="
            )
    return collected


def _label_set(labels: object) -> str:
    """Return the name of the label set: `pickclutter_26`, the file's stem, or `labels`."""
    if labels == CATALOG:
        return "pickclutter_26"
    return Path(labels).stem if isinstance(labels, str) else "labels"


def _chat(config: DescribeConfig) -> ChatClient:
    return ChatClient(
        config.model,
        config.base_url,
        config.api_key_env,
        temperature=config.temperature,
        timeout=config.timeout,
        retries=config.retries,
    )


def _today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


def _tokens(text: str) -> int:
    """Return the number of CLIP's tokens in a text, without start and end."""
    from open_clip.tokenizer import SimpleTokenizer  # imports torch, which nothing else here needs

    return len(SimpleTokenizer().encode(text))
