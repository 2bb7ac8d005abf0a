"""What the page refuses: other hosts, uploads that would run in a browser, and input that it does not send itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")
import httpx

from helpers.demo_page import served_page
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.page import open_session


@pytest.fixture(scope="module")
def plain(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page without piles."""
    nothing = str(tmp_path_factory.mktemp("objects"))
    config = DemoConfig(policy=str(exported / "few_shot"), objects="ycb", objects_root=nothing, num_threads=1)
    with open_session(config) as started, served_page(started) as url:
        yield url


def uploaded(url: str, name: str, content: bytes) -> str:
    answer = httpx.post(f"{url}gradio_api/upload", files={"files": (name, content)})
    return str(answer.json()[0])


def answer(url: str, function: str, values: list[Any]) -> str:
    """What the API says, as a client that sends what it wants gets it."""
    event = httpx.post(f"{url}gradio_api/call/{function}", json={"data": values}).json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/{function}/{event}", timeout=120).text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 400),
        ("evil.example:{port}", 400),
        ("127.0.0.1.evil.example", 400),
        ("", 400),
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
    ],
)
def test_only_this_machine_is_answered(plain: str, host: str, status: int) -> None:
    given = {"Host": host.format(port=httpx.URL(plain).port)}
    for method, path in (("GET", ""), ("GET", "config"), ("POST", "gradio_api/call/show")):
        body = {"data": [0, None, "a,,b"]} if method == "POST" else None
        assert httpx.request(method, plain + path, headers=given, json=body).status_code == status


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xhtml", "a.xml", "a.js", "a.pdf"])
def test_no_upload_runs_in_a_browser(plain: str, name: str) -> None:
    path = uploaded(plain, name, b"<script>alert(1)</script>")
    for given in ({}, {"Range": "bytes=0-5"}):
        got = httpx.get(f"{plain}gradio_api/file={path}", headers=given).headers
        assert got["content-disposition"].startswith("attachment") and "octet-stream" in got["content-type"]


@pytest.mark.parametrize(
    ("function", "values", "message"),
    [
        ("show", [0, "PICTURE", "mug"], "as the page sends"),
        ("show", [0, {"path": "/etc/passwd"}, "mug"], "as the page sends"),
        ("show", [0, {"url": "data:image/png;base64,AAAA"}, "mug"], "as the page sends"),
        ("show", [0, 5, "mug"], "as the page sends"),
        ("show", [0], "as the page sends"),
        ("show", ["x", None, "mug"], "as the page sends"),
        ("show", [None, None, "mug"], "seed to be an integer"),
        ("show", [-1, None, "mug"], "seed to lie between"),
        ("show", [0, "UPLOAD a.png", "mug"], "expected an image"),
        ("show", [0, "UPLOAD a.svg", "mug"], "expected an image"),
        ("show", [0, "UPLOAD", "banana,,mug"], "name"),
        ("teach", [0, "UPLOAD", None, 1, 1], "one name"),
        ("forget", [None], "name"),
    ],
)
def test_bad_input_is_answered_in_one_line(
    plain: str, image: Path, capfd: pytest.CaptureFixture[str], function: str, values: list[Any], message: str
) -> None:
    values = [{"path": str(image)} if value == "PICTURE" else value for value in values]
    for n, value in enumerate(values):
        if isinstance(value, str) and value.startswith("UPLOAD"):
            name = value.removeprefix("UPLOAD").strip()
            path = uploaded(plain, name or "ok.png", b"no image" if name else image.read_bytes())
            values[n] = {"path": path, "meta": {"_type": "gradio.FileData"}}
    said = answer(plain, function, values)
    assert "event: error" in said and message in said.splitlines()[-2 if not said.splitlines()[-1] else -1], said
    shown = capfd.readouterr()
    assert "Traceback" not in shown.out + shown.err
