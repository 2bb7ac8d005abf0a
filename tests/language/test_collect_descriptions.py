"""Descriptions from a language model: the client against a real HTTP server on loopback."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.chat_server import KEY, Reply, chat_server, completion, failed
from helpers.forkserver import PythonProcess, run_python
from helpers.paths import SCRIPTS
from pickclutter_lang.errors import (
    DatasetError,
    InvalidArgumentError,
    LanguageModelError,
    MismatchError,
    MissingAssetsError,
)
from pickclutter_lang.language.chat_client import ChatClient, UnusableAnswerError, clean_answer
from pickclutter_lang.language.collect_descriptions import DescribeConfig, collect_descriptions, dry_run, read_labels
from pickclutter_lang.language.descriptions import INSTRUCTIONS, DescriptionSet, attach_descriptions
from pickclutter_lang.objects.catalog import paper_catalog

pytest.importorskip("openai")
SCRIPT = SCRIPTS / "describe_labels.py"
FINE = completion("A short, round thing.")
LIMIT = 120.0
"""Seconds that no answer takes, however busy the machine."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def config(out: Path, base_url: str, **changes: object) -> DescribeConfig:
    base = DescribeConfig(["mug", "bolt"], "tiny-model", str(out / "mine.json"), base_url=base_url, timeout=LIMIT)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_every_label_is_asked_for_and_kept(tmp_path: Path) -> None:
    with chat_server(lambda n, text: completion(f' "answer {n} to it" \n')) as server:
        result = collect_descriptions(config(tmp_path, server.base_url, style="distinct"))
    assert server.messages == [INSTRUCTIONS["distinct"].replace("{name}", label) for label in ("mug", "bolt")]
    saved = DescriptionSet.load(tmp_path / "mine.json")
    assert saved == result.descriptions and result.requests == 2
    assert saved.texts == {"mug": "answer 0 to it", "bolt": "answer 1 to it"}
    assert (saved.model, saved.style, saved.label_set) == ("tiny-model", "distinct", "labels")
    assert saved.base_url == server.base_url.removeprefix("http://").removesuffix("/v1")
    assert attach_descriptions(["bolt"], tmp_path / "mine.json") == ["bolt . answer 1 to it"]


def test_nothing_else_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "my-organisation")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "my-project")
    with chat_server(lambda n, text: FINE) as server:
        asked = config(tmp_path, server.base_url, labels=["mug"])
        shown = [json.loads(row) for row in dry_run(asked)]
        assert server.requests == []
        collect_descriptions(asked)
    assert server.requests == [{"path": "/v1/chat/completions", **body} for body in shown]
    needed = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length"}
    assert set(server.headers[0]) == needed | {"authorization", "user-agent", "x-stainless-raw-response"}
    assert server.headers[0]["user-agent"] == "pickclutter-lang"


def test_a_server_without_a_key_gets_none(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server:
        collect_descriptions(config(tmp_path, server.base_url, api_key_env=None, temperature=0.5))
    assert "authorization" not in server.headers[0] and server.requests[0]["temperature"] == 0.5


@pytest.mark.parametrize(
    "first",
    [
        failed(429, "slow down"),
        failed(500, "oops"),
        failed(503, "loading"),
        Reply(b"<html>garbage</html>"),
        Reply(b'{"choices": []}'),
        Reply(b'{"choices": [{"message": {}}]}'),
        Reply(b"[1]"),
        Reply(b"\xff\xfe\x00"),
        completion("  "),
        completion(None),
        completion("I'm sorry, but I can't help with that."),
        completion("A round", finish_reason="length"),
        completion("A round", finish_reason="content_filter"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:40]!r}",
)
def test_a_failed_request_is_repeated(first: Reply) -> None:
    with (
        chat_server(lambda n, text: FINE if n else first) as server,
        ChatClient("tiny-model", server.base_url, retries=1) as chat,
    ):
        assert chat.complete("What is a mug?", wait=lambda seconds: None) == "A short, round thing."
    assert server.messages == ["What is a mug?"] * 2


@pytest.mark.parametrize(
    ("reply", "attempts", "message"),
    [
        (failed(429, "slow down"), 2, "still answers 429 (slow down), after 2 attempts; run the same command again"),
        (failed(500, "oops " * 100), 2, "still answers 500 (oops oops"),
        (failed(404, "no such model"), 1, "has no model 'tiny-model' or no such address (404)"),
        (failed(400, "temperature?"), 1, "refused the request (400: temperature?); check model= and temperature="),
        (Reply(b"", 307, {"Location": "http://127.0.0.1:9/v1"}), 1, "points to another address (307)"),
        (Reply(b"<html>garbage</html>"), 2, "2 answers were of no use, the last one: no JSON, '<html>garbage"),
        (Reply(b'{"choices": []}'), 2, "JSON without choices"),
        (Reply(b'{"error": "busy"}'), 2, "JSON without choices"),
        (completion(""), 2, "an empty text"),
        (completion("As an AI language model, I have not seen it."), 2, "a refusal, 'As an AI language model"),
        (completion("%% 123 [] {} 4567"), 2, "no sentence, '%% 123"),
        (completion("word " * 300), 2, "1499 characters instead of a sentence"),
    ],
    ids=lambda value: repr(value.body[:30]) if isinstance(value, Reply) else None,
)
def test_a_persistent_failure_is_one_clear_line(reply: Reply, attempts: int, message: str) -> None:
    with (
        chat_server(lambda n, text: reply) as server,
        ChatClient("tiny-model", server.base_url, retries=1, timeout=LIMIT) as chat,
        pytest.raises(LanguageModelError) as caught,
    ):
        chat.complete("What is a mug?", wait=lambda seconds: None)
    text = str(caught.value)
    assert message in text and "\n" not in text and len(text) < 400
    assert "127.0.0.1" in text and KEY not in text
    assert len(server.requests) == attempts


def test_a_server_that_says_nothing_is_given_up() -> None:
    with (
        chat_server(lambda n, text: Reply(FINE.body, pause=600.0)) as server,
        ChatClient("tiny-model", server.base_url, retries=1, timeout=0.3) as chat,
        pytest.raises(LanguageModelError, match=r"gave no complete answer within 0\.3 s, after 2 attempts; raise ti"),
    ):
        chat.complete("What is a mug?", wait=lambda seconds: None)


def test_cookies_are_not_sent_back(tmp_path: Path) -> None:
    with chat_server(lambda n, text: Reply(FINE.body, headers={"Set-Cookie": "id=1; Path=/"})) as server:
        assert collect_descriptions(config(tmp_path, server.base_url)).requests == 2
    assert len(server.headers) == 2 and not any("cookie" in headers for headers in server.headers)


def test_a_wrong_key_is_named_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-wrong")
    with chat_server(lambda n, text: FINE) as server, pytest.raises(LanguageModelError) as caught:
        collect_descriptions(config(tmp_path, server.base_url, api_key_env="MY_KEY"))
    assert "refused the key in MY_KEY (401: Incorrect API key provided: ***)" in str(caught.value)
    assert len(server.requests) == 1 and not (tmp_path / "mine.json").exists()


def test_no_key_is_an_error_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(LanguageModelError, match=r"OPENAI_API_KEY.*export OPENAI_API_KEY="):
        collect_descriptions(config(tmp_path, "http://127.0.0.1:9/v1"))


def test_a_refused_connection_is_named(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server:
        free = server.base_url
    with pytest.raises(LanguageModelError, match=r"cannot reach 127\.0\.0\.1.*refused.*at once; check base_url="):
        collect_descriptions(config(tmp_path, free, retries=0))


def test_answers_are_kept_when_the_server_fails(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE if n == 0 else failed(500, "oops")) as server:
        with pytest.raises(LanguageModelError, match="500"):
            collect_descriptions(config(tmp_path, server.base_url, retries=0))
        server.answer = lambda n, text: FINE
        result = collect_descriptions(config(tmp_path, server.base_url))
    assert result.requests == 1 and list(result.descriptions.texts) == ["mug", "bolt"]
    assert [text.count("mug") for text in server.messages] == [1, 0, 0]


def test_more_labels_go_into_the_same_file(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server:
        collect_descriptions(config(tmp_path, server.base_url))
        result = collect_descriptions(config(tmp_path, server.base_url, labels=["nut", "mug"]))
    assert result.requests == 1 and set(result.descriptions.texts) == {"mug", "bolt", "nut"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"model": "other"}, "model"),
        ({"style": "succinct"}, "style"),
        ({"base_url": "http://x/v1"}, "base_url"),
        ({"temperature": 1.5}, "temperature"),
    ],
)
def test_answers_of_another_origin_are_not_mixed(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    with chat_server(lambda n, text: FINE) as server:
        asked = config(tmp_path, server.base_url)
        collect_descriptions(asked)
        with pytest.raises(MismatchError, match=rf"the {key} .*name another out="):
            collect_descriptions(replace(asked, **change))
    assert len(server.requests) == 2


def test_a_killed_run_goes_on_and_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    labels, out = [f"thing {chr(97 + n)}" for n in range(6)], tmp_path / "mine.json"
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with chat_server(lambda n, text: replace(FINE, pause=30.0 if n == 3 else 0.0)) as server:
        words = [f"labels={tmp_path / 'labels.json'}", "model=m", f"base_url={server.base_url}", f"out={out}"]
        child = PythonProcess([str(SCRIPT), *words])
        deadline = time.monotonic() + 120
        while len(server.requests) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert list(DescriptionSet.load(out).texts) == labels[:3]
        again = run_python([str(SCRIPT), *words])
    assert again.returncode == 0 and "3 labels requested, 6 described" in again.stdout, again.stderr
    assert list(DescriptionSet.load(out).texts) == labels and DescriptionSet.load(out).label_set == "labels"
    asked = [sum(f"of {label}." in text for text in server.messages) for label in labels]
    assert asked == [1, 1, 1, 2, 1, 1]  # the fourth was on its way when the run was killed
    assert list(tmp_path.glob(".*.tmp")) == []


def test_the_script_fails_in_one_line(tmp_path: Path) -> None:
    words = ["labels=[mug]", "model=m", "base_url=http://127.0.0.1:9/v1", "retries=0", f"out={tmp_path / 'mine.json'}"]
    child = run_python([str(SCRIPT), *words])
    assert child.returncode == 2
    *progress, error = child.stderr.splitlines()
    assert error.startswith("LanguageModelError: cannot reach 127.0.0.1:9")
    assert all(line.startswith("labels ") for line in progress)


def test_texts_too_long_for_a_teacher_are_noted(tmp_path: Path) -> None:
    with chat_server(lambda n, text: completion("round and " * (40 if "bolt" in text else 2) + "red")) as server:
        result = collect_descriptions(config(tmp_path, server.base_url))
    assert result.too_long == ("bolt",)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("  A red mug.\n", "A red mug."),
        ('"A red mug."', "A red mug."),
        ("“A red mug.”", "A red mug."),
        ("**A red mug.**", "A red mug."),
        ('"red" and "round"', '"red" and "round"'),
        ("A red\n\n  mug.", "A red mug."),
        ("Sure! Here is a sentence:\n\n'A red mug.'", "A red mug."),
        ("Here: a red mug.", "Here: a red mug."),
        ("<think>\nA mug, so...\n</think>\nA red mug.", "A red mug."),
        ("Okay, a mug...\n</think>\n\nA red mug.", "A red mug."),
        ("Ein roter Becher mit Henkel für Kaffee.", "Ein roter Becher mit Henkel für Kaffee."),
    ],
)
def test_answers_are_cleaned(answer: str, line: str) -> None:
    assert clean_answer(answer) == line


def test_a_collection_of_before_whose_temperature_nobody_knows_goes_on(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server:
        collect_descriptions(asked := config(tmp_path, server.base_url, temperature=0.5))
        content = json.loads(Path(asked.out).read_text())
        assert content.pop("temperature") == 0.5
        Path(asked.out).write_text(json.dumps(content))
        assert collect_descriptions(config(tmp_path, server.base_url, temperature=1.5)).requests == 0


def test_thoughts_without_an_end_are_no_description() -> None:
    with pytest.raises(UnusableAnswerError, match="thoughts without an end"):
        clean_answer("<think>\nA mug, so I say red.")


@pytest.mark.parametrize(
    ("content", "name", "labels"),
    [('["mug", " bolt "]', "a.json", ["mug", "bolt"]), ("mug\n\nrubik's cube\n", "a.txt", ["mug", "rubik's cube"])],
)
def test_labels_are_read_from_files(tmp_path: Path, content: str, name: str, labels: list[str]) -> None:
    (tmp_path / name).write_text(content)
    assert read_labels(str(tmp_path / name)) == labels


def test_labels_of_the_catalog() -> None:
    assert read_labels("catalog") == paper_catalog().names


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([], InvalidArgumentError, "a list of texts, but got \\[\\]"),
        (["mug", ""], InvalidArgumentError, "but got ''"),
        (["mug", "a\nb"], InvalidArgumentError, "one line"),
        (["mug", 7], InvalidArgumentError, "but got 7"),
        (["mug", "bolt", "mug "], InvalidArgumentError, "'mug' again"),
        ("names.csv", InvalidArgumentError, r"'names\.csv'"),
        ("/none/names.txt", MissingAssetsError, "no such file"),
    ],
)
def test_invalid_labels_are_named(labels: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_labels(labels)


def test_a_damaged_file_of_labels_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.json").write_text('["mug"')
    with pytest.raises(DatasetError, match=r"names\.json"):
        read_labels(str(tmp_path / "names.json"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"style": "poem"}, "a custom style needs its instruction="),
        ({"style": "poem", "instruction": "Describe it."}, "hold {name}"),
        ({"instruction": "Describe {name}."}, "custom style= name"),
        ({"base_url": "localhost:1"}, "http or https address, but got 'localhost:1'"),
        ({"base_url": "http://x:port/"}, "http or https address"),
        ({"timeout": 0.0}, "timeout above 0"),
        ({"retries": -1}, "retries of at least 0"),
        ({"model": " "}, "name of a language model"),
        ({"out": "mine.txt"}, r"end in \.json"),
    ],
)
def test_invalid_configs_are_named(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        replace(config(tmp_path, "http://127.0.0.1:9/v1"), **change).validate()  # type: ignore[arg-type]


def test_a_custom_instruction_is_sent(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server:
        own = config(tmp_path, server.base_url, style="colour", instruction="Name the colors of {name} {x}.")
        own.validate()
        collect_descriptions(own)
    assert server.messages[0] == "Name the colors of mug {x}."


def test_a_missing_folder_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    with chat_server(lambda n, text: FINE) as server, pytest.raises(DatasetError, match="mkdir -p"):
        collect_descriptions(config(tmp_path / "none", server.base_url))
    assert server.requests == []
