"""Descriptions of labels: the package's own, the file format, and their collection from a chat server on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.chat_server import KEY, ChatServer, Reply, chat_server, completion, failed
from helpers.forkserver import PythonProcess, run_python
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LanguageModelError,
    MismatchError,
    UnknownObjectError,
)
from pickclutter_lang.language.chat import UnusableAnswerError
from pickclutter_lang.language.collect_descriptions import (
    DescribeConfig,
    clean_answer,
    collect_descriptions,
    dry_run,
    read_labels,
)
from pickclutter_lang.language.descriptions import (
    BLIND,
    CATALOG,
    INSTRUCTIONS,
    STYLES,
    DescriptionSet,
    attach_descriptions,
    describe,
    read_descriptions,
    swapped_names,
)
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.teachers.open_clip_teacher import tokenize

NAMES = paper_catalog().names
POCKET_CONTEXT, CONTEXT_VECTORS = 64, 8
BANANA = DescriptionSet(
    "fruit", "standard", "some-model", INSTRUCTIONS["standard"], "2026-01-02", "localhost", "", {"banana": "a long one"}
)
FINE = completion("A short, round thing.")


@pytest.mark.parametrize("style", [*STYLES, *BLIND])
def test_every_object_is_described_in_every_style(style: str) -> None:
    found = read_descriptions(style)
    assert list(found.texts) == NAMES and len(set(found.texts.values())) == len(NAMES)
    assert found.instruction == INSTRUCTIONS[BLIND.get(style, style)]
    assert found.images_seen is (style not in BLIND)
    tokens = tokenize(attach_descriptions(NAMES, style), POCKET_CONTEXT - CONTEXT_VECTORS)
    assert (tokens.argmax(dim=1) > 4).all()


def test_a_label_is_joined_to_its_description() -> None:
    assert describe("banana", "a long one") == "banana . a long one"
    assert describe("banana", "a long one", "{name}, {description}") == "banana, a long one"
    texts = attach_descriptions(["banana", "dice"], BANANA, ["one", "two"], owners={"dice": "banana", "banana": "dice"})
    assert texts == ["one", "dice . a long one"]
    assert attach_descriptions(["banana"], CATALOG) == [f"banana . {paper_catalog().find('banana').description}"]


def test_swapped_names_stay_in_their_group_and_leave_none_its_own() -> None:
    groups = [[item.name for item in paper_catalog() if item.split == split] for split in ("id", "ood")]
    owners = swapped_names(groups, 0)
    assert owners == swapped_names(groups, 0) != swapped_names(groups, 1)
    for names in groups:
        assert sorted(owners[name] for name in names) == sorted(names)
        assert all(owners[name] != name for name in names)
    with pytest.raises(InvalidArgumentError):
        swapped_names([["banana"]], 0)


def test_a_file_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    BANANA.save(tmp_path / "fruit.json")
    assert DescriptionSet.load(tmp_path / "fruit.json") == BANANA
    assert attach_descriptions(["banana"], tmp_path / "fruit.json") == ["banana . a long one"]
    path = tmp_path / "fruit.json"
    values = json.loads(path.read_text())
    for key, value in (("schema", 2), ("date", 3), ("texts", ["banana"])):
        path.write_text(json.dumps({**values, key: value}))
        with pytest.raises(DatasetError, match=key):
            DescriptionSet.load(path)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none\.json"):
        attach_descriptions(["banana"], str(tmp_path / "none.json"))
    with pytest.raises(UnknownObjectError, match="spaceship"):
        attach_descriptions(["banana", "spaceship", "unicorn"], "distinct")
    with pytest.raises(InvalidArgumentError, match="poetic"):
        attach_descriptions(["banana"], "poetic")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with chat_server(lambda n, text: FINE) as started:
        yield started


def config(out: Path, server: ChatServer, **changes: object) -> DescribeConfig:
    base = DescribeConfig(
        labels=["mug", "bolt"], model="tiny-model", out=str(out / "mine.json"), base_url=server.base_url
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_every_label_is_asked_for_and_kept(tmp_path: Path, server: ChatServer) -> None:
    server.answer = lambda n, text: completion(f' "answer {n} to it" \n')
    asked = config(tmp_path, server, style="distinct", temperature=0.5)
    shown = [json.loads(row) for row in dry_run(asked)]
    assert server.requests == []
    result = collect_descriptions(asked)
    assert server.requests == [{"path": "/v1/chat/completions", **body} for body in shown]
    assert server.messages == [INSTRUCTIONS["distinct"].replace("{name}", label) for label in ("mug", "bolt")]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}" and server.requests[0]["temperature"] == 0.5
    saved = DescriptionSet.load(tmp_path / "mine.json")
    assert saved == result
    assert saved.texts == {"mug": "answer 0 to it", "bolt": "answer 1 to it"}
    assert (saved.model, saved.style, saved.label_set) == ("tiny-model", "distinct", "labels")
    assert saved.base_url == server.base_url.removeprefix("http://").removesuffix("/v1")
    more = collect_descriptions(replace(asked, labels=["nut", "mug"]))
    assert len(server.requests) == 3 and set(more.texts) == {"mug", "bolt", "nut"}
    for change in ({"model": "other"}, {"temperature": 1.5}, {"base_url": "http://x/v1"}):
        with pytest.raises(MismatchError, match=next(iter(change))):
            collect_descriptions(replace(asked, **change))


@pytest.mark.parametrize(
    "first", [failed(429, "slow"), Reply(b'{"choices": []}'), completion("A", finish_reason="length")]
)
def test_a_failed_request_and_a_useless_answer_are_repeated(tmp_path: Path, server: ChatServer, first: Reply) -> None:
    server.answer = lambda n, text: FINE if n else first
    result = collect_descriptions(config(tmp_path, server, labels=["mug"]))
    assert result.texts == {"mug": "A short, round thing."} and len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "attempts"), [(failed(500, "oops"), 3), (failed(401, f"a wrong key: {KEY}"), 1), (completion(""), 3)]
)
def test_a_persistent_failure_is_one_line_and_keeps_answers(
    tmp_path: Path, server: ChatServer, reply: Reply, attempts: int
) -> None:
    server.answer = lambda n, text: reply if n else FINE
    asked = config(tmp_path, server)
    with pytest.raises(LanguageModelError, match=r"127\.0\.0\.1") as caught:
        collect_descriptions(asked)
    assert KEY not in str(caught.value)
    assert len(server.requests) == 1 + attempts
    server.answer = lambda n, text: FINE
    collect_descriptions(asked)
    assert len(server.requests) == 2 + attempts


def test_a_killed_run_goes_on_and_asks_only_for_what_is_missing(tmp_path: Path, server: ChatServer) -> None:
    labels = [f"thing {chr(97 + n)}" for n in range(6)]
    out = tmp_path / "mine.json"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    server.answer = lambda n, text: replace(FINE, pause=30.0 if n == 3 else 0.0)
    words = [f"labels={tmp_path / 'labels.json'}", "model=m", f"base_url={server.base_url}", f"out={out}"]
    command = ["-m", "pickclutter_lang.commands", "describe-labels", *words]
    child = PythonProcess(command)
    deadline = time.monotonic() + 120
    while len(server.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert list(DescriptionSet.load(out).texts) == labels[:3]
    again = run_python(command)
    assert again.returncode == 0, again.stderr
    assert list(DescriptionSet.load(out).texts) == labels
    asked = [sum(f"of {label}." in text for text in server.messages) for label in labels]
    assert asked == [1, 1, 1, 2, 1, 1]  # the fourth was on its way when the run was killed


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("**A red mug.**", "A red mug."),
        ('"red" and "round"', '"red" and "round"'),
        ("Sure! Here is a sentence:\n\n'A red mug.'", "A red mug."),
        ("Here: a red mug.", "Here: a red mug."),
        ("<think>\nA mug, so...\n</think>\nA red mug.", "A red mug."),
        ("Ein roter Becher mit Henkel für Kaffee.", "Ein roter Becher mit Henkel für Kaffee."),
    ],
)
def test_answers_are_cleaned(answer: str, line: str) -> None:
    assert clean_answer(answer) == line
    for useless in ("<think>\nA mug.", " ", "As an AI, no.", "%% 123 [] {} 4567"):
        with pytest.raises(UnusableAnswerError):
            clean_answer(useless)


def test_labels_are_read_from_files(tmp_path: Path) -> None:
    for name, content in (("a.json", '["mug", " bolt "]'), ("a.txt", "mug\n\nbolt\n")):
        (tmp_path / name).write_text(content)
        assert read_labels(str(tmp_path / name)) == ["mug", "bolt"]
    assert read_labels(CATALOG) == NAMES
    (tmp_path / "a.json").write_text('["mug"')
    with pytest.raises(DatasetError, match=r"a\.json"):
        read_labels(str(tmp_path / "a.json"))
    for wrong in ([], ["mug", 7], ["mug", "bolt", "mug "], "names.csv"):
        with pytest.raises(InvalidArgumentError):
            read_labels(wrong)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"style": "poem"}, "instruction"),
        ({"instruction": "Describe {name}."}, "style"),
        ({"base_url": "localhost:1"}, "base_url"),
        ({"out": "mine.txt"}, "out"),
    ],
)
def test_invalid_configs_are_named(tmp_path: Path, change: dict[str, object], key: str) -> None:
    nobody = ChatServer(lambda n, text: FINE, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(InvalidArgumentError, match=key):
        replace(config(tmp_path, nobody), **change).validate()  # type: ignore[arg-type]


def test_without_a_key_nothing_is_sent(tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(LanguageModelError, match="OPENAI_API_KEY"):
        collect_descriptions(config(tmp_path, server))
    assert server.requests == []
    assert collect_descriptions(config(tmp_path, server, api_key_env=None)).texts.keys() == {"mug", "bolt"}
