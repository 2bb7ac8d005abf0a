"""The page: served on loopback, called over HTTP and in a browser, without any other connection."""

from __future__ import annotations

import html
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from PIL import Image

pytest.importorskip("gradio")

from helpers.browser import opened
from helpers.paths import ROOT, SCRIPTS
from helpers.process_kill import wait_until
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.demo_page import _next_pile, _pick, build_page
from pickclutter_lang.demo.inputs import MAX_PILE
from pickclutter_lang.demo.server import MAX_REQUEST_BYTES, MAX_UPLOADS, serve
from pickclutter_lang.demo.session import DemoSession, open_session
from pickclutter_lang.demo.simulator import Job, SimulatedPile
from pickclutter_lang.envs.registration import MAX_EPISODE_STEPS
from pickclutter_lang.errors import InvalidArgumentError

SCRIPT = str(SCRIPTS / "demo.py")
EVIL = "<img src=x onerror=alert(1)>"


class Served(NamedTuple):
    """The address of a page, the folder of its uploads, and every address that this process connected to since."""

    url: str
    uploads: Path
    called: list[Any]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def served(session: DemoSession) -> Iterator[Served]:
    called, original = [], socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        called.append(address)
        return original(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        with serve(lambda: build_page(session), free_port()) as url:
            yield Served(url, Path(os.environ["GRADIO_TEMP_DIR"]), called)


def post(url: str, body: bytes, kind: str = "application/json", origin: str | None = None) -> Any:
    headers = {"Content-Type": kind} | ({} if origin is None else {"Origin": origin})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=600) as reply:
        return json.load(reply)


def ask(url: str, function: str, *inputs: object) -> list[Any]:
    """Call a function of the page as any HTTP client does; return all that it gave, its last answer at the end."""
    event = post(f"{url}gradio_api/call/{function}", json.dumps({"data": inputs}).encode())["event_id"]
    with urllib.request.urlopen(f"{url}gradio_api/call/{function}/{event}", timeout=600) as stream:
        lines = [line.decode().strip() for line in stream]
    assert "event: error" not in lines, lines
    return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:") and "[" in line]


def answers(url: str, *inputs: object) -> str:
    """What is in the place of the answers at the end."""
    return str(ask(url, "show", *inputs)[-1][0])


def upload(url: str, name: str, data: bytes, origin: str | None = None) -> dict[str, Any]:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b"
    path = post(f"{url}gradio_api/upload", body % (name.encode(), data), kind, origin)[0]
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def uploaded(served: Served) -> list[Path]:
    """Return the uploads that are there; `os.walk` skips folders that the server removes meanwhile."""
    return [Path(folder) / name for folder, _, names in os.walk(served.uploads) for name in names]


def png(width: int, height: int, color: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (width, height), color).save(stream, "PNG")
    return stream.getvalue()


def status(served: Served, method: str, path: str, host: str | None = None, origin: str | None = None) -> int:
    connection = http.client.HTTPConnection(served.url.removeprefix("http://").strip("/"), timeout=600)
    headers = {name: value for name, value in (("Host", host), ("Origin", origin)) if value is not None}
    connection.request(method, path, headers=headers)
    found = connection.getresponse().status
    connection.close()
    return found


def test_student_and_teacher_answer_for_an_own_image(served: Served, session: DemoSession) -> None:
    image = upload(served.url, "a.png", png(60, 40, 90))
    shown, first, last = ask(served.url, "show", 0, image, f"banana, {EVIL}")[-3:]
    assert "Remove your image" in shown[1] and "Student" in first[0]
    assert session.teacher_seconds < float("inf") and last[0].count("<figure") == 4
    assert last[0].count("<img") == 2, "a map of the teacher, which has none here"
    assert EVIL not in last[0] and html.escape(EVIL) in last[0]
    assert answers(served.url, 0, image, "pear") != answers(served.url, 0, image, "fork")


def test_names_are_scored_as_the_policy_reads_them(served: Served) -> None:
    found = answers(served.url, 0, upload(served.url, "a.png", png(9, 9)), "Banana!, mug please")
    assert re.findall("<h3>(.*?)</h3>", found) == ["banana", "mug"]


def test_nothing_but_loopback_was_called(served: Served) -> None:
    answers(served.url, 0, upload(served.url, "a.png", png(9, 9)), "pear")
    assert served.called and {address[0] for address in served.called if isinstance(address, tuple)} == {"127.0.0.1"}


def test_an_address_in_place_of_an_upload_is_not_fetched(served: Served) -> None:
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/a.png"
    try:
        for place in ({"path": address}, {"path": "a.png", "url": address}):
            with pytest.raises((AssertionError, urllib.error.HTTPError)):
                ask(served.url, "show", 0, place | {"meta": {"_type": "gradio.FileData"}}, "pear")
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


@pytest.mark.parametrize("path", ["/etc/hostname", str(ROOT / "README.md"), "pyproject.toml"])
def test_nothing_but_uploads_is_opened_or_served(served: Served, path: str) -> None:
    with pytest.raises((AssertionError, urllib.error.HTTPError)) as caught:
        ask(served.url, "show", 0, {"path": path, "meta": {"_type": "gradio.FileData"}}, "pear")
    assert "expected an image" not in str(caught.value)  # it is not even opened
    assert status(served, "GET", f"/gradio_api/file={path}") in (403, 404)


def test_uploads_are_bounded_in_bytes_and_in_number(served: Served) -> None:
    assert "expected an image, but" in answers(served.url, 0, upload(served.url, "c.png", b"no image"), "pear")
    assert "at most 25 megapixels" in answers(served.url, 0, upload(served.url, "b.png", png(6000, 6000)), "pear")
    with pytest.raises(urllib.error.URLError) as caught:  # the connection may end before all is sent
        upload(served.url, "d.png", bytes(MAX_REQUEST_BYTES + 1))
    assert not isinstance(caught.value, urllib.error.HTTPError) or caught.value.code == 413
    for number in range(2 * MAX_UPLOADS):
        last = upload(served.url, "e.png", png(9, 9, number))
    wait_until(lambda: len(uploaded(served)) == MAX_UPLOADS, 600)  # the others go once the last has its answer
    assert Path(last["path"]) in uploaded(served) and len(list(served.uploads.iterdir())) <= MAX_UPLOADS + 1
    assert "pear" in answers(served.url, 0, last, "pear")


@pytest.mark.parametrize("path", ["/gradio_api/upload", "/gradio_api/call/show"])
def test_a_body_that_hides_its_size_is_cut_off(served: Served, path: str) -> None:
    before, part = uploaded(served), bytes(2**20)
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    sent = 0
    with socket.create_connection(("127.0.0.1", int(served.url.rsplit(":", 1)[1].strip("/"))), timeout=600) as client:
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
        )
        try:
            for content in (head, *[part] * 1000):
                client.sendall(f"{len(content):x}\r\n".encode() + content + b"\r\n")
                sent += len(content)
        except OSError:  # the server has closed the connection
            pass
    assert sent < 4 * MAX_REQUEST_BYTES  # what buffers of both sides hold is sent too
    left = [path for path in uploaded(served) if path not in before]  # the part that came, among those that are kept
    assert sum(path.stat().st_size for path in left) <= MAX_REQUEST_BYTES and len(left) <= 1
    assert status(served, "GET", "/") == 200


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((0, None, ",".join(map(str, range(65)))), "at most 64 names, but got 65"),
        ((0, None, "a\ud800b"), "printable characters"),
        ((0, None, None), "but got NoneType"),
        ((0, None, f"{EVIL},{EVIL}"), html.escape(f"{EVIL} more than once")),
        ((-1, None, "pear"), "expected the number of a pile"),
        (("x", None, "pear"), "expected the number of a pile"),
        ((float("nan"), None, "pear"), "expected the number of a pile"),
    ],
)
@pytest.mark.sim
def test_what_is_asked_is_bounded(served: Served, inputs: tuple[object, ...], message: str) -> None:
    assert message in answers(served.url, *inputs)
    assert message in ask(served.url, "pick", *inputs)[-1][0]


def test_other_hosts_and_too_large_requests_are_refused(served: Served) -> None:
    for host, expected in (("evil.example:80", 400), ("127.0.0.1", 200), ("localhost:7860", 200)):
        assert status(served, "GET", "/", host) == expected


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://{}", "http://{}.evil"]
)
def test_pages_of_other_sites_are_refused(served: Served, origin: str) -> None:
    before = uploaded(served)
    origin = origin.format(served.url.removeprefix("http://").strip("/"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        upload(served.url, "a.png", png(9, 9), origin)
    assert status(served, "GET", "/", origin=origin) == 403 and uploaded(served) == before


def test_the_own_page_is_served(served: Served) -> None:
    assert upload(served.url, "a.png", png(9, 9), served.url.rstrip("/"))["path"]
    assert status(served, "GET", "/", "localhost:7860", "http://localhost:7860") == 200


def test_memory_for_new_names_is_bounded(served: Served, session: DemoSession, monkeypatch: pytest.MonkeyPatch) -> None:
    from pickclutter_lang.policy import teacher_detector
    from pickclutter_lang.students import label_encoders

    for module in (label_encoders, teacher_detector):
        monkeypatch.setattr(module, "MAX_NEW_NAMES", 8)
    image = upload(served.url, "a.png", png(9, 9))
    for number in range(20):
        assert f"new {number} b" in answers(served.url, number, image, f"new {number} a, new {number} b")
    spec = session.student.config
    assert len(session.student.names) == len(spec.names) + 8
    assert len(session._teacher._text) == len(spec.names) + 8
    assert len(session._jobs) <= 8
    assert len(uploaded(served)) <= MAX_UPLOADS


@pytest.mark.sim
def test_a_person_names_an_object_and_the_arm_picks_it(served: Served, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "b.png").write_bytes(png(60, 40, 90))
    with opened(served.url, viewport={"width": 390, "height": 844}) as (page, problems):
        note, heading = page.locator(".demo-image .demo-note"), page.locator("h3")
        page.locator("figure").nth(1).wait_for()
        pile = note.inner_text()
        assert pile.startswith("In this pile: ") and heading.inner_text() in pile
        before = page.locator("figcaption").first.inner_text()
        page.get_by_label("Object, or").fill(f"lemon, {EVIL}")
        page.keyboard.press("Enter")
        heading.filter(has_text="lemon").wait_for()
        assert heading.all_inner_texts() == ["lemon", EVIL] and page.locator("figure img").count() == 4
        assert page.locator("figcaption").first.inner_text() != before
        page.get_by_role("button", name="Pick it").click()
        page.locator("video").wait_for()
        assert page.locator("video").get_attribute("src").startswith("data:video/mp4;base64,")
        page.wait_for_function("document.querySelector('video').readyState >= 2")  # it can be played
        assert "lemon" in page.locator(".demo-outcome").inner_text()
        page.get_by_role("button", name="New pile").click()
        page.wait_for_function("text => document.querySelector('.demo-image .demo-note').innerText != text", arg=pile)
        page.get_by_role("button", name="Your own image instead").click()
        page.locator("input[type=file]").set_input_files(tmp_path / "a.png")
        page.get_by_role("alert").filter(has_text="expected an image").wait_for()
        page.get_by_label("Remove Image").click()
        page.locator("input[type=file]").set_input_files(tmp_path / "b.png")
        note.filter(has_text="Remove your image").wait_for()
        page.get_by_role("button", name="Pick it").click()
        page.get_by_role("alert").filter(has_text="your own image is shown").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert set(problems.messages) <= {"Method not implemented."}  # a warning of gradio's at each upload
    assert all(request.startswith((served.url, "data:", "blob:")) for request in problems.requests), problems.requests


@pytest.mark.sim
def test_two_picks_take_turns(served: Served) -> None:
    typed = {"lemon": "Lemon!", "pear": "pear please"}
    with ThreadPoolExecutor(2) as people:
        both = list(people.map(lambda name: ask(served.url, "pick", 0, None, typed[name])[-1][0], typed))
    for last, name in zip(both, typed, strict=True):
        assert name in last and typed[name] not in last and "<video" in last


def test_a_pick_says_how_far_it_is(session: DemoSession, monkeypatch: pytest.MonkeyPatch) -> None:
    job, shown = Job(0, "pear"), SimulatedPile({}, ("pear",), ("pear",))  # no simulator does it: it never ends
    monkeypatch.setattr(session, "pile", lambda seed: shown)
    monkeypatch.setattr(session, "pick", lambda seed, name: job)
    said: Any = _pick(session)(0, None, "pear")
    assert "Waiting for the simulator." in next(said)[0]
    job.steps = 3
    assert f"Step 3 of at most {MAX_EPISODE_STEPS}." in next(said)[0]
    said.close()  # as gradio does when the browser has gone
    assert job.future.cancelled()


@pytest.mark.parametrize(
    ("number", "following"), [(0, 1), (MAX_PILE - 1, MAX_PILE), (MAX_PILE, 0), ("x", 0), (None, 0)]
)
def test_piles_follow_one_another(number: object, following: int) -> None:
    assert _next_pile(number) == following


def test_a_taken_port_is_named(session: DemoSession) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidArgumentError, match=f"expected a free port, but {port} is not"):
            serve(lambda: build_page(session), port).__enter__()


def test_without_a_simulator_the_page_takes_own_images(exported: Path, tmp_path: Path) -> None:
    config = DemoConfig(policy=str(exported / "few_shot"), objects="ycb", objects_root=str(tmp_path), num_threads=1)
    with open_session(config) as session, serve(lambda: build_page(session), free_port()) as url:
        assert str(tmp_path) in answers(url, 0, None, "pear")
        assert "pear" in answers(url, 0, upload(url, "a.png", png(9, 9)), "pear")


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize(
    ("hidden", "arguments", "message"),
    [
        ([], ["port=0"], "InvalidArgumentError: expected port to lie between 1024 and 65535, but got 0"),
        ([], ["objects=nothing"], "InvalidArgumentError: expected objects to be one of proxy, ycb, kinds"),
        ([], ["phase=last"], "InvalidArgumentError: expected phase to be one of distill, few_shot, but got 'last'"),
        ([], ["policy=p"], "InvalidArgumentError: expected a student: either run= (a finished run) or policy="),
        (["gradio"], [], "MissingExtraError: gradio is not installed; run in a clone: pip install -e '.[demo]'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    tmp_path: Path, hidden: list[str], arguments: list[str], message: str
) -> None:
    code = f"import runpy, sys; sys.modules.update(dict.fromkeys({hidden})); sys.argv = sys.argv[1:]; "
    code += f"runpy.run_path({SCRIPT!r}, run_name='__main__')"
    done = call("-c", code, SCRIPT, "run=nowhere", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not list(tmp_path.iterdir())


def test_help_leaves_no_files(tmp_path: Path) -> None:
    done = call(SCRIPT, "--help", cwd=tmp_path)
    assert done.returncode == 0 and "pickclutter demo policy=" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_script_serves_until_it_is_interrupted(exported: Path, tmp_path: Path, number: signal.Signals) -> None:
    port, temporary = free_port(), tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, SCRIPT, f"run={exported / 'run'}", f"port={port}", "num_threads=1"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"TMPDIR": str(temporary)}, **pipes) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline() == f"demo: http://127.0.0.1:{port}/ (Ctrl-C ends it)\n"
            url = f"http://127.0.0.1:{port}/"
            assert "pear" in answers(url, 0, upload(url, "a.png", png(9, 9)), "pear")
            process.send_signal(number)
            assert process.wait(timeout=600) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
    assert list(tmp_path.rglob("*")) == [temporary]
