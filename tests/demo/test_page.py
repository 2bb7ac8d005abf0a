"""The demo page: served on loopback, called over HTTP, without any other connection."""

from __future__ import annotations

import http.client
import importlib.util
import io
import json
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from helpers.paths import ROOT
from helpers.scene_runs import config, make_toys
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, TeacherError
from pickclutter_lang.experiments.scenes.command_configs import DemoConfig
from pickclutter_lang.experiments.scenes.demo import (
    build_demo,
    build_page,
    overlay,
    predict_image,
    predict_scene,
)
from pickclutter_lang.experiments.scenes.demo_server import MAX_REQUEST_BYTES, serve
from pickclutter_lang.experiments.scenes.load import load_trained_run
from pickclutter_lang.experiments.scenes.scene_run import SceneRun
from pickclutter_lang.experiments.scenes.trained_student import TrainedStudent
from pickclutter_lang.students import label_encoders
from pickclutter_lang.training.experiment import CONFIG_FILE

SCRIPT = str(ROOT / "scripts" / "demo.py")
NAMES = ["banana", "a red teapot", "the blue object"]
needs_the_extra = pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="needs the extra `demo`")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo")
    short = ("distill.epochs=1", "few_shot.epochs=1", f"out={root / 'run'}")
    SceneRun.open(config(*make_toys(root), *short)).train()
    return root / "run"


@pytest.fixture(scope="module")
def student(folder: Path) -> TrainedStudent:
    return load_trained_run(request(folder))


def request(folder: Path, port: int = 7860) -> DemoConfig:
    return DemoConfig(run=str(folder), phase="few_shot", scenes=None, num_threads=1, port=port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[Any]]]:
    """The address of a page, and every address that this process connected to since."""
    called, original = [], socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        called.append(address)
        return original(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        blocks = build_demo(request(folder))
        yield serve(blocks, free_port()), called
        blocks.close()


def predict(url: str, *inputs: object) -> list[Any]:
    """Call the page's function as any HTTP client does."""
    body = json.dumps({"data": inputs}).encode()
    question = urllib.request.Request(f"{url}gradio_api/run/predict", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(question, timeout=60) as reply:
        return list(json.load(reply)["data"])


def image(url: str, value: dict[str, Any]) -> NDArray[Any]:
    with urllib.request.urlopen(f"{url}gradio_api/file={value['path']}", timeout=60) as reply:
        return np.asarray(Image.open(reply).convert("RGB"))


@needs_the_extra
def test_the_page_answers_for_a_scene(page: tuple[str, list[Any]], student: TrainedStudent) -> None:
    url, _ = page
    displayed, located, scores, truth, chosen, _ = predict(url, "ood", 2, None, ", ".join(NAMES), "a red teapot")
    expected = predict_scene(student, "ood", 2, NAMES)
    found = {item["label"]: item["confidence"] for item in scores["confidences"]}
    assert found == pytest.approx(expected.probabilities, abs=1e-5)
    assert image(url, displayed).shape == (448, 448, 3)
    heatmap = overlay(expected.image, expected.attention["a red teapot"])
    value = located.get("value", located)
    np.testing.assert_allclose(image(url, value).astype(int), heatmap.astype(int), atol=1)
    assert "ood/0/2" in truth and "graspable" in truth and chosen["value"] == "a red teapot"


@needs_the_extra
def test_no_other_machine_is_contacted(page: tuple[str, list[Any]]) -> None:
    url, called = page
    predict(url, "id", 0, None, "pear", None)
    assert called and {address[0] for address in called if isinstance(address, tuple)} <= {"127.0.0.1", "localhost"}
    with urllib.request.urlopen(url) as reply:
        text = reply.read().decode()
    assert "pickclutter-lang" in text and '"analytics_enabled":false' in text.replace(" ", "").lower()


@needs_the_extra
def test_a_wrong_name_is_reported_and_the_page_stays_usable(page: tuple[str, list[Any]]) -> None:
    url, _ = page
    with pytest.raises(urllib.error.HTTPError) as caught:
        predict(url, "ood", 0, None, "pear, pear", None)
    assert "pear more than once" in caught.value.read().decode()
    assert predict(url, "ood", 0, None, "pear", None)[2]["label"] == "pear"


def upload(url: str, name: str, content: bytes) -> dict[str, Any]:
    """Upload a file as the page does; return what stands for it in a call."""
    border = "----border"
    start = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = start.encode() + content + f"\r\n--{border}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={border}"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/upload", body, headers), timeout=60) as reply:
        return {"path": json.load(reply)[0], "meta": {"_type": "gradio.FileData"}}


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()


def refusal(url: str, *inputs: object) -> str:
    with pytest.raises(urllib.error.HTTPError) as caught:
        predict(url, *inputs)
    return caught.value.read().decode()


@needs_the_extra
def test_an_address_in_place_of_an_upload_is_not_fetched(page: tuple[str, list[Any]]) -> None:
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    address = {"path": f"http://127.0.0.1:{server.server_port}/a.png", "meta": {"_type": "gradio.FileData"}}
    try:
        assert "but got an address" in refusal(page[0], "ood", 0, address, "pear", None)
        by_url = {"path": "a.png", "url": address["path"], "meta": {"_type": "gradio.FileData"}}
        refusal(page[0], "ood", 0, by_url, "pear", None)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


@needs_the_extra
def test_an_upload_is_bounded_before_it_is_decoded(page: tuple[str, list[Any]]) -> None:
    url, _ = page
    found = predict(url, "ood", 0, upload(url, "a.png", png(40, 30)), "pear", None)
    assert found[2]["label"] == "pear"
    for side in (6000, 20000):
        large = upload(url, "b.png", png(side, side))
        assert "at most 25 megapixels" in refusal(url, "ood", 0, large, "pear", None)
    outside = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
    assert "expected an image" not in refusal(url, "ood", 0, outside, "pear", None)  # it is not even opened
    assert "expected an image" in refusal(url, "ood", 0, upload(url, "c.png", b"no image"), "pear", None)
    eps = io.BytesIO()
    Image.new("RGB", (8, 8)).save(eps, "EPS")  # Pillow would decode it by Ghostscript
    assert "expected an image" in refusal(url, "ood", 0, upload(url, "e.png", eps.getvalue()), "pear", None)
    with pytest.raises(urllib.error.URLError) as caught:  # the connection may end before all is sent
        upload(url, "d.png", bytes(MAX_REQUEST_BYTES + 1))
    assert not isinstance(caught.value, urllib.error.HTTPError) or caught.value.code == 413
    assert predict(url, "ood", 0, None, "pear", None)[2]["label"] == "pear"


@needs_the_extra
@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("ood", 0, None, ",".join(map(str, range(65))), None), "at most 64 names, but got 65"),
        (("ood", 0, None, "x" * 201, None), "names of at most 200 printable characters"),
        (("ood", 0, None, "a\ud800b", None), "printable characters"),
        (("ood", 0, None, "x" * 100_000, None), "but got 100000 characters"),
        (("ood", 0, None, None, None), "but got NoneType"),
        (("ood", float("nan"), None, "pear", None), "expected the number of a scene, but got nan"),
        (("nowhere", 0, None, "pear", None), "expected a store"),
    ],
)
def test_what_is_asked_is_bounded(page: tuple[str, list[Any]], inputs: tuple[object, ...], message: str) -> None:
    found = refusal(page[0], *inputs)
    assert message in found or "is not in the list of choices" in found


@needs_the_extra
def test_other_hosts_are_refused(page: tuple[str, list[Any]]) -> None:
    for host, status in (("evil.example:80", 400), ("127.0.0.1", 200), ("localhost:7860", 200)):
        connection = http.client.HTTPConnection(page[0].removeprefix("http://").strip("/"), timeout=60)
        connection.request("GET", "/", headers={"Host": host})
        assert connection.getresponse().status == status
        connection.close()


def test_memory_for_new_names_is_bounded(student: TrainedStudent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_encoders, "MAX_NEW_NAMES", 4)
    encoder: Any = student.model.prompts
    stored = len(encoder.names)
    pixels = np.zeros((40, 40, 3), np.uint8)
    first = predict_image(student, pixels, ["name 0"])
    for number in range(10):
        predict_image(student, pixels, [f"name {number}", f"name {number + 1}"])
    assert len(encoder.names) <= stored + 4
    again = predict_image(student, pixels, ["name 0"])
    assert again.probabilities == first.probabilities


def moved_away(folder: Path, tmp_path: Path) -> Path:
    """A copy of a run whose scenes and teacher are nowhere."""
    shutil.copytree(folder, tmp_path / "run")
    path = tmp_path / "run" / CONFIG_FILE
    path.write_text(path.read_text().replace(str(folder.parent), str(tmp_path / "nowhere")))
    return tmp_path / "run"


def test_uploads_need_neither_scenes_nor_teacher(folder: Path, student: TrainedStudent, tmp_path: Path) -> None:
    lonely = load_trained_run(request(moved_away(folder, tmp_path)))
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    found, expected = (predict_image(one, pixels, ["pear", "dice"]) for one in (lonely, student))
    assert found.probabilities == expected.probabilities
    np.testing.assert_array_equal(found.attention["pear"], expected.attention["pear"])
    with pytest.raises(DatasetError, match=r"nowhere.*name their folder: scenes="):
        predict_scene(lonely, "ood", 0, ["pear"])
    with pytest.raises(TeacherError, match=r"nowhere.*known without it: .*pear"):
        predict_image(lonely, pixels, ["a red teapot"])


@needs_the_extra
def test_the_page_takes_uploads_alone_where_there_are_no_scenes(folder: Path, tmp_path: Path) -> None:
    lonely = load_trained_run(request(moved_away(folder, tmp_path)))
    import gradio

    page = build_page(gradio, lonely)
    try:
        url = serve(page, free_port())
        assert "There are no scenes" in predict(url, "ood", 0, None, "pear", None)[3]
    finally:
        page.close()


@needs_the_extra
def test_a_taken_port_is_named(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidArgumentError, match=f"expected a free port, but {port} is not"):
            serve(build_demo(request(folder)), port)


def test_an_image_of_a_scene_gets_the_prediction_of_the_scene(student: TrainedStudent) -> None:
    scene = predict_scene(student, "id", 1, NAMES)
    wide = np.pad(scene.image, ((0, 0), (9, 9), (0, 0)))
    upload = predict_image(student, wide, NAMES)
    np.testing.assert_array_equal(upload.image, scene.image)
    assert upload.probabilities == pytest.approx(scene.probabilities, abs=1e-5)
    for name in NAMES:
        np.testing.assert_allclose(upload.attention[name], scene.attention[name], atol=1e-5)


@pytest.mark.parametrize("shape", [(480, 640, 3), (31, 17, 3), (200, 200, 4)])
def test_images_of_any_size_are_accepted(student: TrainedStudent, shape: tuple[int, int, int]) -> None:
    answer = predict_image(student, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), ["pear"])
    assert 0 < answer.probabilities["pear"] < 1 and answer.image.shape == (min(shape[:2]),) * 2 + (3,)


def test_a_map_is_bright_where_it_is_high() -> None:
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[0, 3] = 1
    blended = overlay(np.full((32, 32, 3), 100, np.uint8), heatmap).astype(int)
    assert blended.shape == (448, 448, 3)
    assert blended[40, -40].sum() > 2 * blended[-40, 40].sum()
    assert np.ptp(blended[-40, 40]) < 10


@pytest.mark.parametrize(
    ("store", "index", "names", "message"),
    [
        ("ood", 0, [""], "one name or more"),
        ("ood", 999, ["pear"], "got ood and 999"),
        ("test", 0, ["pear"], "expected a store and a scene"),
    ],
)
def test_wrong_scenes_and_names_are_named(
    student: TrainedStudent, store: str, index: int, names: list[str], message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        predict_scene(student, store, index, names)


def test_a_student_of_depth_takes_no_uploads(student: TrainedStudent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student.config.data, "depth", True)
    with pytest.raises(InvalidArgumentError, match="depth or two cameras"):
        predict_image(student, torch.zeros(8, 8, 3, dtype=torch.uint8).numpy(), ["pear"])


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("start", "arguments", "message"),
    [
        ([], ["port=0"], "InvalidArgumentError: expected port to lie between 1024 and 65535, but got 0"),
        ([], ["phase=last"], "InvalidArgumentError: expected phase to be one of distill, few_shot, but got 'last'"),
        (["gradio"], [], "MissingExtraError: gradio is not installed; run: pip install 'pickclutter-lang[demo]'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    tmp_path: Path, start: list[str], arguments: list[str], message: str
) -> None:
    code = f"import runpy, sys; sys.modules.update(dict.fromkeys({start})); sys.argv = sys.argv[1:]; "
    code += f"runpy.run_path({SCRIPT!r}, run_name='__main__')"
    done = call("-c", code, SCRIPT, "run=nowhere", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not list(tmp_path.iterdir())


def test_help_leaves_no_files(tmp_path: Path) -> None:
    done = call(SCRIPT, "--help", cwd=tmp_path)
    assert done.returncode == 0 and "pickclutter demo run=" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@needs_the_extra
def test_the_script_serves_until_ctrl_c(folder: Path, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, SCRIPT, f"run={folder}", f"port={port}", "num_threads=1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline() == f"demo: http://127.0.0.1:{port}/ (Ctrl-C ends it)\n"
            assert predict(f"http://127.0.0.1:{port}/", "ood", 0, None, "pear", None)[2]["label"] == "pear"
            process.send_signal(2)
            assert process.wait(timeout=60) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert not list(tmp_path.iterdir())
