"""Replies of a hostile or broken description server, over real HTTP on loopback."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from helpers.chat_server import KEY, Reply, chat_server, completion, failed
from pickclutter_lang.errors import LanguageModelError
from pickclutter_lang.language.chat_client import ChatClient
from pickclutter_lang.language.collect_descriptions import DescribeConfig, collect_descriptions
from pickclutter_lang.language.reply_limits import MAX_REPLY_BYTES

pytest.importorskip("openai")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def drip(first: bytes, part: bytes) -> Callable[[BinaryIO], None]:
    """Send a byte now and then, far longer than any timeout of these tests, until the client goes."""

    def write(stream: BinaryIO) -> None:
        stream.write(first)
        for _ in range(3000):
            stream.write(part)
            stream.flush()
            time.sleep(0.02)

    return write


def endless(stream: BinaryIO) -> None:
    stream.write(_HEAD + b"Connection: close\r\n\r\n")
    for _ in range(100_000):
        stream.write(b" " * 65536)


def error_of(reply: Reply, timeout: float = 30.0) -> str:
    with (
        chat_server(lambda n, text: reply) as server,
        ChatClient("m", server.base_url, timeout=timeout, retries=0) as chat,
        pytest.raises(LanguageModelError) as caught,
    ):
        chat.complete("hello")
    return str(caught.value)


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (_HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"", b"H"),
    ],
    ids=["body", "header", "status"],
)
def test_a_reply_that_drips_is_cut_off_at_the_deadline(first: bytes, part: bytes) -> None:
    found = error_of(Reply(b"", write=drip(first, part)), timeout=0.3)
    assert "gave no complete answer within 0.3 s, at once" in found


def test_an_endless_reply_is_cut_off() -> None:
    assert f"a reply of more than {MAX_REPLY_BYTES} bytes" in error_of(Reply(b"", write=endless))


def test_a_compressed_reply_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    reply = Reply(bomb, headers={"Content-Encoding": "gzip"})
    assert "a reply compressed by 'gzip', which was not requested" in error_of(reply)


@pytest.mark.parametrize("status", [200, 400])
def test_json_that_is_nested_too_deep_is_one_line(status: int) -> None:
    found = error_of(Reply(b"[" * 200_000, status))
    assert ("nested too deep" in found) if status == 200 else ("refused the request (400" in found)
    assert "\n" not in found and len(found) < 500


def test_a_key_that_the_server_repeats_is_neither_written_nor_shown(tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    config = DescribeConfig(["mug", "bolt"], "m", str(out), retries=0)
    replies = [completion("A round thing."), completion(f"A thing with {KEY} on it.")]
    with chat_server(lambda n, text: replies[n]) as server, pytest.raises(LanguageModelError) as caught:
        config.base_url = server.base_url
        collect_descriptions(config)
    assert "a text with the key in it" in str(caught.value)
    assert json.loads(out.read_text())["texts"] == {"mug": "A round thing."}
    for reply in (Reply(KEY.encode()), failed(400, f"bad {KEY}"), completion(None, key=KEY)):
        assert KEY not in error_of(reply)
