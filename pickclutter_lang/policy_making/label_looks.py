"""`pickclutter label`: a large model names the segments of looks once, and a policy is taught these names."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.labeling.large_model import Answer, LargeModel, estimated_tokens, with_synonyms
from pickclutter_lang.labeling.picture import NumberedPicture, draw_numbered
from pickclutter_lang.labeling.question import MAX_NAMES
from pickclutter_lang.language.chat import UnusableAnswerError
from pickclutter_lang.language.label_names import validate_label_names
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.policy.example_memory import MAX_EXAMPLES, ExampleMemory, spelling
from pickclutter_lang.policy.label_guard import label_margins, trusted
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.teaching import Example, encode_example
from pickclutter_lang.policy_making.config import LabelConfig
from pickclutter_lang.policy_making.looks import Look, looks_of
from pickclutter_lang.policy_making.taught_folder import example_picture, learning
from pickclutter_lang.utils.images import Cell, contact_sheet, png_bytes
from pickclutter_lang.utils.io import atomic_write, write_json
from pickclutter_lang.utils.progress import ProgressBar, track
from pickclutter_lang.utils.typing import Float32Array

ANSWERS_FILE = "answers.jsonl"
"""In the folder of answers: what the model said of each picture."""
LABELS_FILE = "labels.json"
"""The names that it saw in each look."""
PICTURES = "pictures"
"""Folder of the pictures that it saw."""
SHEET_FILE = "review.png"
"""The crops by their names."""
_COLUMNS, _SIDE = 12, 80
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class NamedSegment:
    """A segment that the model named, and the key of its crop, [D], once it is made.

    `place` is the look and the number in its picture, such as `pile_3:5`.
    """

    name: str
    place: str
    example: Example
    source: str
    key: Float32Array | None = None
    margin: float = np.inf
    kept: bool = True


class Labeled(NamedTuple):
    """What came of it.

    - `names`: name -> segments that the model gave it, the most frequent first
    - `left_out`: how many of these the guard did not trust
    - `taught`: the memory of the policy; None where no names were given
    - `unanswered`: looks without an answer of use
    - `tokens`: of requests and replies, with those of earlier calls
    - `sheet`: the picture of all named segments
    """

    names: dict[str, int]
    left_out: int
    taught: ExampleMemory | None
    unanswered: int
    tokens: tuple[int, int]
    sheet: Path


def label_looks(config: LabelConfig) -> Labeled:
    """Have the segments of looks named, teach the policy what fits together, and draw a sheet to review it.

    :raises InvalidArgumentError: before anything is sent, for a server that is not on this machine without `yes`
    :raises PickClutterError: what `looks_of`, `learning` and `LargeModel.ask` raise
    """
    config.validate()
    folder = Path(config.answers or f"{(config.out or config.policy).rstrip('/')}-labels")
    names = _names(config.names)
    with _opened(config, names is not None) as (student, files):
        pictures = [(look, draw_numbered(look.rgb, look.masks)) for look in looks_of(config, student)]
        for look, picture in pictures:
            atomic_write(folder / PICTURES / f"{look.name}.png", picture.png)
        model = LargeModel(
            config.model,
            config.base_url,
            config.api_key_env,
            config.temperature,
            config.timeout_s,
            folder / ANSWERS_FILE,
        )
        answers = _ask(config, model, [picture for _, picture in pictures], names)
        answered = [(*given, answer) for given, answer in zip(pictures, answers, strict=True) if answer is not None]
        seen = {look.name: sorted({name for name in answer.names if name is not None}) for look, _, answer in answered}
        write_json(folder / LABELS_FILE, seen)
        named = [one for given in answered for one in _named(*given) if one.place not in config.leave_out]
        counts = dict(Counter(one.name for one in named).most_common())
        if names is not None and named:
            named = _guarded(student, named)
            for one in _chosen(named, config.shots):
                assert one.key is not None
                no_rivals = np.zeros((0, len(one.key)), np.float32)
                student.examples = student.examples.add(one.name, one.key[None], no_rivals, one.source)
                file, shown = example_picture(one.name, one.example)
                files[file] = shown
        sheet = folder / SHEET_FILE
        if named:
            atomic_write(sheet, png_bytes(_sheet(named)))
    left_out = sum(not one.kept for one in named)
    tokens = [sum(one.tokens[part] for one in model.answers) for part in (0, 1)]
    taught = None if names is None else student.examples
    return Labeled(counts, left_out, taught, answers.count(None), (tokens[0], tokens[1]), sheet)


def _opened(config: LabelConfig, teach: bool) -> AbstractContextManager[tuple[StudentRuntime, dict[str, bytes]]]:
    """Return the student, one that learns where it is taught, and files that are written before its memory."""
    if teach:
        return learning(config.policy, config.out, config.trust_code)
    return nullcontext((StudentRuntime.load(config.policy, config.trust_code), {}))


def _names(given: object) -> dict[str, tuple[str, ...]] | None:
    """Return the names of a question with their synonyms; None where there are none.

    :raises PickClutterError: for what are no names, or too many
    """
    if isinstance(given, str) and given.endswith((".yaml", ".yml")):
        entries = read_catalog(Path(given))
        return {spelling(entry.name): entry.synonyms for entry in entries}
    names = [given] if isinstance(given, str) else list(given or ())  # type: ignore[call-overload]
    if not names:
        return None
    if len(names) > MAX_NAMES:
        raise InvalidArgumentError(f"expected at most {MAX_NAMES} names in a question, but got {len(names)}")
    return with_synonyms(validate_label_names([*map(spelling, validate_label_names(names))]))


def _ask(
    config: LabelConfig,
    model: LargeModel,
    pictures: Sequence[NumberedPicture],
    names: Mapping[str, Sequence[str]] | None,
) -> list[Answer | None]:
    """Ask about each picture, and say first what is sent where; None for a picture without an answer of use."""
    asked = [picture for picture in pictures if model.known(picture, names) is None]
    tokens = sum(estimated_tokens(picture, names) for picture in asked)
    plan = f"{len(asked)} of {len(pictures)} pictures go to {config.model} at {config.host}, about {tokens:,} tokens"
    if asked and not (config.yes or config.is_local):
        raise InvalidArgumentError(f"{plan}. They leave this machine: yes=true sends them")
    _log.info("%s", plan)
    answers = list[Answer | None]()
    with ProgressBar("pictures", len(pictures)) as bar:
        for picture in pictures:
            try:
                answers.append(model.ask(picture, names))
            except UnusableAnswerError as error:
                _log.warning("picture %d has no answer: %s", len(answers) + 1, error)
                answers.append(None)
                if len(answers) > 2 and not any(answers):
                    raise
            bar.advance()
            bar.note(_cost(model, config.prices))
    return answers


def _cost(model: LargeModel, prices: Sequence[float]) -> str:
    """Return the tokens so far, and what they cost."""
    tokens = [sum(one.tokens[part] for one in model.answers) for part in (0, 1)]
    cost = sum(count * price / 1e6 for count, price in zip(tokens, prices, strict=False))
    return f"{sum(tokens):,} tokens" + (f", {cost:.2f}" if prices else "")


def _named(look: Look, picture: NumberedPicture, answer: Answer) -> list[NamedSegment]:
    """Return the segments of a look that a model named."""
    masks = look.masks
    said = enumerate(zip(picture.segments, answer.names, strict=True), 1)
    return [
        NamedSegment(name, f"{look.name}:{number}", Example(look.rgb, masks[segment]), answer.source)
        for number, (segment, name) in said
        if name is not None
    ]


def _guarded(student: StudentRuntime, named: Sequence[NamedSegment]) -> list[NamedSegment]:
    """Return the segments with their keys, and whether each fits to the others of its name."""
    made = list[NamedSegment]()
    counts = Counter[str]()
    for one in track(named, "examples", transient=True):
        counts[one.name] += 1
        if counts[one.name] <= MAX_EXAMPLES:
            name = student.examples.spelled(one.name, student.config.names)
            made.append(replace(one, name=name, key=encode_example(student, one.example)[0][0]))
    memory = ExampleMemory(student.examples.encoder)
    keys = np.stack([one.key for one in made if one.key is not None])
    everything = replace(memory, names=tuple(one.name for one in made), keys=keys)
    margins = label_margins(everything)
    kept = trusted(everything, np.ones(len(made), bool))
    return [replace(one, margin=m, kept=k) for one, m, k in zip(made, margins.tolist(), kept.tolist(), strict=True)]


def _chosen(named: Sequence[NamedSegment], shots: int) -> list[NamedSegment]:
    """Return the first segments of each name that fit."""
    counts = Counter[str]()
    chosen = list[NamedSegment]()
    for one in named:
        if one.kept and counts[one.name] < shots:
            counts[one.name] += 1
            chosen.append(one)
    return chosen


def _sheet(named: Sequence[NamedSegment]) -> Image.Image:
    """Draw the crops of each name in rows, those that fit worst first."""
    of_name = defaultdict[str, list[NamedSegment]](list)
    for one in named:
        of_name[one.name].append(one)
    cells = list[Cell]()
    blank = Cell([np.full((64, 64, 3), 255, np.uint8)], [])
    for name in sorted(of_name, key=lambda name: min(one.margin for one in of_name[name])):
        ones = sorted(of_name[name], key=lambda one: one.margin)[: 2 * _COLUMNS]
        for one in ones:
            about = (f"left out: {one.place}", "crimson") if not one.kept else (one.place, "gray")
            cells.append(Cell([one.example.crop], [(name, "black"), about]))
        cells += [blank] * (-len(ones) % _COLUMNS)
    return contact_sheet(cells, _COLUMNS, _SIDE)
