"""The page: its session and simulator, called over HTTP and in a browser, without any other connection."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from scipy.special import expit, logit

pytest.importorskip("gradio")
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from helpers.browser import opened as opened_browser
from helpers.chat_server import chat_server, name_segments
from helpers.demo_page import free_port, served_page, show
from helpers.photos import photo
from helpers.policies import opened
from pickclutter_lang.demo.config import DemoConfig
from pickclutter_lang.demo.page import DemoSession, SimulatedPile, _asked, _runners, open_session, serve
from pickclutter_lang.errors import (
    CheckpointError,
    InvalidArgumentError,
    MissingAssetsError,
    MissingExtraError,
    TeacherError,
)
from pickclutter_lang.evaluation.instructions import Pile
from pickclutter_lang.evaluation.pick import outcome_in_words
from pickclutter_lang.evaluation.rollout import RolloutConfig
from pickclutter_lang.evaluation.teacher_thresholds import thresholds_of, write_thresholds
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.asking import AskConfig
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.observations import segment_observation
from pickclutter_lang.policy_folder.folder import Thresholds
from pickclutter_lang.policy_making.stored_scenes import scene_to_observation

NAMES = ["banana", "a red teapot", "the blue object"]


class NoSimulator:
    """In place of the process, which these tests do not need."""

    def pile(self, seed: int) -> None: ...


def without_simulator(folder: Path, evaluation: Path) -> DemoSession:
    simulator: Any = NoSimulator()
    return DemoSession(folder, simulator, evaluation, False)


@pytest.fixture(scope="module")
def lonely(exported: Path) -> DemoSession:
    return without_simulator(exported / "few_shot", exported)


@pytest.fixture(scope="module")
def session(exported: Path) -> Iterator[DemoSession]:
    with open_session(DemoConfig(policy=str(exported / "few_shot"), num_threads=1)) as started:
        yield started


class Served(NamedTuple):
    """The address of a page, and every address that this process connected to since."""

    url: str
    called: list[Any]


@pytest.fixture(scope="module")
def served(session: DemoSession) -> Iterator[Served]:
    called = []
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        called.append(address)
        return original(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        with served_page(session) as url:
            yield Served(url, called)


def test_a_pile_gets_what_the_detectors_find(lonely: DemoSession, exported: Path) -> None:
    observation = scene_to_observation(opened(exported, "few_shot").scenes["ood"], 3)
    pile = SimulatedPile(observation, ("banana",), ("banana",), np.full((48, 48), None))
    expected = StudentDetector(lonely.student).detect(pile.observation, NAMES)
    for found, one in zip(lonely.ask(pile, NAMES, teacher=False), expected, strict=True):
        assert found.score == pytest.approx(one.score, abs=1e-6) and found.threshold == one.threshold
        np.testing.assert_array_equal(found.mask, one.mask)
    assert [found.threshold for found in lonely.ask(pile, NAMES, teacher=True)] == [0.5] * 3


def test_an_own_image_fills_the_view_of_the_student(lonely: DemoSession) -> None:
    spec = lonely.student.config
    image = np.random.default_rng(0).integers(0, 256, (spec.crop_size, spec.crop_size, 3), np.uint8)
    start = (spec.camera_size - spec.crop_size) // 2
    camera = np.full((spec.camera_size, spec.camera_size, 3), 99, np.uint8)  # what is around it is not seen
    camera[start : start + spec.crop_size, start : start + spec.crop_size] = image
    expected = lonely.student.predict({"hand_rgb": camera}, [*NAMES[:2], "blue object"])
    found = lonely.ask(image, NAMES, teacher=False)
    thresholds = np.array([lonely.student.thresholds.of(name) for name in NAMES])
    scores = expit(logit(expected.scores.astype(float)) - logit(thresholds))  # 0.5 where they are met
    assert [one.score for one in found] == pytest.approx(scores.tolist(), abs=1e-6)
    assert all(one.heatmap.shape == image.shape[:2] and not one.mask.any() for one in found)


def test_thresholds_of_the_teacher_come_from_an_evaluation(exported: Path, tmp_path: Path, lonely: DemoSession) -> None:
    spec = lonely.student.config
    write_thresholds(tmp_path, thresholds_of(spec), Thresholds(0.25, {"banana": 0.125}))
    calibrated = without_simulator(exported / "few_shot", tmp_path)
    found = calibrated.ask(np.zeros((40, 40, 3), np.uint8), ["banana", "a red teapot"], teacher=True)
    assert [one.threshold for one in found] == [0.125, 0.25]


def test_without_its_teacher_the_student_knows_its_own_names(exported: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(exported / "few_shot", tmp_path / "policy")) / "policy.json"
    path.write_text(path.read_text().replace(str(exported), str(tmp_path / "nowhere")))
    alone = without_simulator(tmp_path / "policy", tmp_path)
    image = np.zeros((40, 40, 3), np.uint8)
    assert alone.ask(image, ["banana"], teacher=False)[0].score > 0
    for names, teacher in ((["banana"], True), (["a red teapot"], False)):
        with pytest.raises(TeacherError, match="nowhere"):
            alone.ask(image, names, teacher)


def test_a_student_of_depth_takes_no_own_image(exported: Path) -> None:
    session = without_simulator(exported / "few_shot", exported)
    session.student.config = replace(session.student.config, depth=True)
    with pytest.raises(InvalidArgumentError, match="depth"):
        session.ask(np.zeros((40, 40, 3), np.uint8), ["banana"], teacher=False)


def test_what_was_clicked_for_a_name_is_right(lonely: DemoSession) -> None:
    pear, fork, lemon = (paper_catalog().find(name) for name in ("pear", "fork", "lemon"))
    pile = Pile(objects=(pear, fork), visible=(pear, fork), absent=(lemon,), labels=(pear, fork, lemon))
    both = {"pear", "fork"}
    for name, clicked, target in (
        ("zorb", {"pear"}, "pear"), ("zorb", {"mug"}, None), ("zorb", both, None), ("fork", {"pear"}, "fork")
    ):  # fmt: skip
        asked = _asked(name, [name], {name: clicked}, pile)
        assert asked.reference == name and asked.expected == (() if target is None else (target,))
        episode = {"reference": name, "target": asked.target, "expected": [*asked.expected], "declared_absent": False}
        for success, picked, said in (
            (True, "pear", f"brought the {name}"),
            (False, "fork", "lifted the fork, not the"),
        ):
            words = outcome_in_words(episode | {"success": success and target == "pear", "picked": [picked]})
            assert (said in words) is (target == "pear"), words
            assert words.startswith("Lifted: what the simulator calls") is (target is None), words


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="port"):
        DemoConfig(port=0).validate()
    with pytest.raises(CheckpointError), open_session(DemoConfig(policy=str(tmp_path))):
        pass


def test_student_and_teacher_answer_over_http(served: Served, image: Path) -> None:
    rows = show(served.url, image, "Banana!, mug please")
    assert [row[0] for row in rows] == ["banana", "mug"]
    assert all(re.fullmatch(r"[01]\.\d\d of [01]\.\d\d: (present|absent)", said) for row in rows for said in row[1:])
    assert show(served.url, image, "pear") != show(served.url, image, "fork")
    assert served.called and {address[0] for address in served.called if isinstance(address, tuple)} == {"127.0.0.1"}


@pytest.mark.sim
def test_what_is_taught_by_a_click_is_picked(served: Served, session: DemoSession) -> None:
    page = Client(served.url, verbose=False)
    segments = segment_observation(session.pile(1).observation)
    row, column = np.argwhere(segments == np.bincount(segments[segments > 0]).argmax())[0].tolist()
    with pytest.raises(AppError, match="click"):
        page.predict(1, None, "zorb", None, None, api_name="/teach")
    assert page.predict(1, None, "zorb", column, row, api_name="/teach")[1] == "zorb"
    found = session.ask(session.pile(1), ["zorb"], teacher=False)[0]
    assert found.mask[row, column] and found.margin > 0
    video, outcome = page.predict(1, None, "zorb", api_name="/pick")
    assert video and outcome.startswith(("Picked: the arm brought the zorb", "Not p"))  # it is the one that was clicked
    assert session.simulator._submit(_taught).result() == ("zorb",)
    page.predict("zorb", api_name="/forget")
    page.predict(1, None, "hammer", api_name="/pick")
    assert session.simulator._submit(_taught).result() == ()


def _taught(config: RolloutConfig) -> tuple[str, ...]:
    student = _runners[0].student
    return () if student is None else student.examples.taught


@pytest.mark.sim
def test_a_person_names_an_object_and_the_arm_picks_it(served: Served, image: Path) -> None:
    with opened_browser(served.url, viewport={"width": 390, "height": 844}) as (page, problems):
        said = page.get_by_text("In it: ")
        said.wait_for()
        pile = said.inner_text()
        page.get_by_label("Object, or").fill("lemon, <b>fork</b>")
        page.keyboard.press("Enter")
        page.get_by_text("<b>fork</b>: 0.").first.wait_for()
        page.get_by_role("button", name="Pick it").click()
        page.locator("video").wait_for()
        page.wait_for_function("document.querySelector('video').readyState >= 2")  # it can be played
        page.get_by_role("button", name="New pile").click()
        page.wait_for_function("text => !document.body.innerText.includes(text)", arg=pile)
        page.locator("input[type=file][accept='image/*']").set_input_files(image)
        page.get_by_text("In it: your own image.").wait_for()
        page.get_by_role("button", name="Pick it").click()
        page.get_by_text("your own image is shown").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert all(request.startswith((served.url, "data:", "blob:")) for request in problems.requests), problems.requests


@pytest.mark.sim
def test_what_an_error_says_covers_nothing(served: Served, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no image")
    with opened_browser(served.url) as (page, _):

        def check(message: str, *pictures: Any) -> None:
            page.get_by_text(message).first.wait_for()
            for place in (name, words, seed, page.get_by_role("button", name="Teach"), *pictures):
                place.click(timeout=5000, trial=True)  # which fails where another element is above it
            assert page.locator(".toast-body").count() == 0

        page.get_by_text("In it: ").wait_for()
        name, words = page.get_by_label("What you call it"), page.get_by_label("Object, or")
        seed = page.get_by_label("Pile (seed)")
        picture = page.locator("img:not(.mask, .base-image, .fit-height)").first
        picture.wait_for()  # with it comes that no point was clicked; gradio sends 0, 0 before
        name.fill("zorb")
        page.get_by_role("button", name="Teach").click()
        check("expected a point on the object", picture)
        page.get_by_role("button", name="Forget").click()
        check("none was taught", picture)
        words.fill("no mug")
        page.get_by_role("button", name="Pick it").click()
        check("'no' is not understood", picture)
        seed.fill("-1")
        page.keyboard.press("Tab")
        check("expected seed to lie")
        page.locator("input[type=file][accept='image/*']").set_input_files(tmp_path / "broken.png")
        check("expected an image")


@pytest.mark.sim
def test_the_arm_picks_in_the_pile_that_was_shown(session: DemoSession) -> None:
    pile = session.pile(1)
    again = session.simulator.pile(1)
    attempt = session.simulator.pick(1, "Hammer", session.student.examples, {})
    np.testing.assert_array_equal(again.result().observation["hand_rgb"], pile.observation["hand_rgb"])
    assert set(pile.visible) <= set(pile.objects) and "hammer" in attempt.result()[0]
    assert len(attempt.result()[1]) > 1000
    with pytest.raises(InvalidArgumentError, match="instruction"):
        session.simulator.pick(0, "ä" * 200, session.student.examples, {}).result()


@pytest.mark.sim
def test_a_process_that_dies_is_started_again(session: DemoSession) -> None:
    session.pile(2)
    dying = session.simulator._submit(_die)
    with pytest.raises(Exception, match="terminated"):
        dying.result()
    assert session.pile(3).objects


def _die(config: RolloutConfig) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_without_a_simulator_the_page_takes_own_images(exported: Path, tmp_path: Path, image: Path) -> None:
    config = DemoConfig(policy=str(exported / "few_shot"), objects="ycb", objects_root=str(tmp_path), num_threads=1)
    with open_session(config) as session:
        with pytest.raises((MissingAssetsError, MissingExtraError)):  # of the objects, or of the simulator
            session.pile(0)
        with served_page(session) as url:
            assert show(url, image, "pear")[0][0] == "pear"


def test_the_page_shows_what_a_large_model_was_asked(tmp_path: Path) -> None:
    Image.fromarray(photo(300, (0.4, 0.6, 0.2), (0.75, 0.25, 0.16))[0]).save(tmp_path / "two.png")
    Image.new("RGB", (300, 300), (128, 128, 128)).save(tmp_path / "none.png")
    with chat_server(lambda n, content: name_segments(content, "gizmo", None)) as server:
        ask = AskConfig(base_url=server.base_url, api_key_env=None, model="seer")
        config = DemoConfig(objects="ycb", objects_root=str(tmp_path), num_threads=1, ask=ask)
        with open_session(config) as session, served_page(session) as url, opened_browser(url) as (page, _):
            page.get_by_label("Object, or").fill("gizmo")
            page.locator("input[type=file][accept='image/*']").set_input_files(tmp_path / "two.png")
            page.get_by_text("Asked: seer was asked about 2 segments: 1 gizmo.").wait_for()
            sent = page.locator(".block", has_text="Asked about").locator("img")
            sent.wait_for()
            page.locator(".table-container", has_text="examples").get_by_role("gridcell", name="gizmo").wait_for()
            page.get_by_label("Object, or").fill("gizmo, mug")
            page.keyboard.press("Enter")
            page.get_by_text("mug: 0.").first.wait_for()
            page.get_by_label("Object, or").fill("gizmo")  # what is known now is asked no more
            page.keyboard.press("Enter")
            page.get_by_text("mug: 0.").first.wait_for(state="detached")
            assert sent.is_visible() and page.get_by_text("Asked: ").is_visible()
            page.locator("input[type=file][accept='image/*']").set_input_files(tmp_path / "none.png")
            page.get_by_text("Nothing was asked. Questions about the last 25 images: 1.").wait_for()
            sent.wait_for(state="detached")
    assert len(server.requests) == 2


def test_an_object_is_taught_and_forgotten_over_http(exported: Path, tmp_path: Path) -> None:
    pixels = np.full((96, 96, 3), 230, np.uint8)
    policy = exported / "few_shot"
    out = tmp_path / "mine"
    pixels[30:60, 40:70] = (200, 30, 30)
    Image.fromarray(pixels).save(tmp_path / "box.png")
    config = DemoConfig(policy=str(policy), out=str(out), objects="ycb", objects_root=str(tmp_path), num_threads=1)
    with open_session(config) as session, served_page(session) as url:
        page = Client(url, verbose=False)
        photo = handle_file(str(tmp_path / "box.png"))

        def teach(name: str, *point: int | None) -> Any:
            return page.predict(0, photo, name, *point, api_name="/teach")

        assert teach("my box", 50, 40)[1] == "my box" and teach("the my box", None, None)[3]["data"] == [["my box", 1]]
        assert show(url, tmp_path / "box.png", "My box")[0][0] == "my box"
        wrong = ((" ", 50, "name"), ("box, pear", 50, "one name"), ("box", 5, "ground"), ("box", 96, "96"))
        for name, column, message in wrong:
            with pytest.raises(AppError, match=message):
                teach(name, column, 40)
        teach("banana", 50, 40)
        assert load_examples(out).taught == ("banana", "my box") and len([*(out / "examples").iterdir()]) == 2
        assert page.predict("banana", api_name="/forget")[1]["data"] == [["my box", 1]]
        with pytest.raises(AppError, match="banana"):
            page.predict("banana", api_name="/forget")
        out.rename(tmp_path / "elsewhere")  # while the page is open
        with pytest.raises(AppError, match=r"policy\.json is not there"):
            teach("gone", 50, 40)
        assert not out.exists() and session.taught == [["my box", 1]]
        (tmp_path / "elsewhere").rename(out)
    with open_session(config) as session:  # the folder keeps it
        assert session.taught == [["my box", 1]] and not load_examples(policy).taught
    with (
        pytest.raises(InvalidArgumentError, match="out"),
        open_session(replace(config, policy=str(exported / "distill"))),
    ):
        pass


def test_a_taken_port_is_named(session: DemoSession) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InvalidArgumentError, match="port"):
            serve(session, taken.getsockname()[1]).__enter__()


@pytest.mark.slow
def test_the_command_serves_until_it_is_terminated(exported: Path, tmp_path: Path, image: Path) -> None:
    port = free_port()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    words = ["demo", f"policy={exported / 'few_shot'}", f"port={port}", "num_threads=1"]
    with subprocess.Popen(
        [sys.executable, "-m", "pickclutter_lang.commands", *words],
        cwd=tmp_path, env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and f"http://127.0.0.1:{port}/" in process.stdout.readline()
            assert show(f"http://127.0.0.1:{port}/", image, "pear")[0][0] == "pear"
            process.send_signal(signal.SIGTERM)  # as Ctrl-C does, it leaves nothing behind
            assert process.wait(timeout=600) == 0
        finally:
            process.kill()
    assert not [path for path in temporary.iterdir() if path.name.startswith("pickclutter_") or len(path.name) == 40]
