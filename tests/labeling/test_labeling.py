"""A large model that names numbered segments: the picture, the reply, the server, and what a policy learns."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from replay_answers import make_server, thumbnail

from helpers.chat_server import KEY, ChatServer, Reply, chat_server, completion, failed, name_segments
from helpers.frames import frame_of, write_frame
from pickclutter_lang.datasets.config import SceneDataConfig
from pickclutter_lang.datasets.scene_images import data_provenance, load_scene_datasets
from pickclutter_lang.errors import DatasetError, InvalidArgumentError, LanguageModelError
from pickclutter_lang.evaluation.config import PickConfig
from pickclutter_lang.labeling.large_model import LargeModel, with_synonyms
from pickclutter_lang.labeling.picture import NumberedPicture, draw_numbered
from pickclutter_lang.labeling.question import question, read_answer, reply_format
from pickclutter_lang.language.chat import UnusableAnswerError
from pickclutter_lang.policy.asking import AskConfig, AskingDetector
from pickclutter_lang.policy.example_memory import ExampleMemory, crop_metric
from pickclutter_lang.policy.label_guard import label_margins, trusted
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View
from pickclutter_lang.policy_making.config import LabelConfig
from pickclutter_lang.policy_making.label_looks import ANSWERS_FILE, PICTURES, label_looks

NAMES = {"red block": ("cube",), "blue disk": ()}
GROUND = (200, 200, 200)


def rows(*names: str | None) -> str:
    """Return a reply that names the numbers 1, 2, ..."""
    return json.dumps({"segments": [{"number": n, "name": name} for n, name in enumerate(names, 1)]})


def photo(shift: int) -> Image.Image:
    """Draw a red block above a blue disk on a plain ground."""
    image = Image.new("RGB", (256, 256), GROUND)
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 30, 120 + shift, 100), (200, 30, 30))
    pen.ellipse((120 - shift, 140, 210, 230), (30, 40, 200))
    return image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (folder := tmp_path / "photos").mkdir()
    for number in range(3):
        photo(10 * number).save(folder / f"photo{number}.png")
    return folder


def masks_of(boxes: list[tuple[int, int, int, int]], size: int = 200) -> list[NDArray[np.bool_]]:
    out = []
    for left, top, right, bottom in boxes:
        mask = np.zeros((size, size), bool)
        mask[top:bottom, left:right] = True
        out.append(mask)
    return out


def test_numbers_lie_in_their_segments_from_top_to_bottom_and_none_hides_another() -> None:
    masks = masks_of([(20, 120, 90, 180), (110, 20, 180, 60), (100, 110, 106, 180), (150, 150, 152, 152)])
    rgb = np.full((200, 200, 3), 120, np.uint8)
    picture = draw_numbered(rgb, masks)
    assert picture.segments == (1, 2, 0)  # the last one is smaller than a number
    height, width = picture.pixels.shape[:2]
    half = (width - 8) // 2
    plain = picture.pixels[:, :half]
    numbered = picture.pixels[:, half + 8 :]
    assert (plain == 120).all() and picture.png.startswith(b"\x89PNG")
    black = (numbered == 0).all(axis=2)
    scale = height / (180 - 20 + 2 * 12)
    corner = 20 - 12
    inside = np.zeros_like(black)
    for n in picture.segments:
        rows_, columns = np.nonzero(masks[n])
        top, bottom = (int((edge - corner) * scale) for edge in (rows_.min(), rows_.max() + 1))
        left, right = (int((edge - corner) * scale) for edge in (columns.min(), columns.max() + 1))
        box = (slice(top - 6, bottom + 6), slice(left - 14, right + 14))
        assert black[box].sum() > 60, f"no number in {n}"
        inside[box] = True
    assert not black[~inside].any()


def test_a_picture_of_nothing_has_no_number() -> None:
    picture = draw_numbered(np.zeros((40, 60, 3), np.uint8), [])
    assert picture.segments == () and picture.sha256 != draw_numbered(np.ones((40, 60, 3), np.uint8), []).sha256


def test_a_reply_is_read() -> None:
    text = "<think>{1}</think>Here it is:\n```json\n" + rows("Red  block", None) + "\n```"
    assert read_answer(text, 2, [*NAMES]) == ["red block", None]
    assert read_answer(rows("Coffee Mug.", None), 2, None) == ["coffee mug", None]
    assert "cube" in question(2, NAMES) and "There are 2 numbers" in question(2, None)
    assert "red block" in json.dumps(reply_format([*NAMES])) and "enum" not in json.dumps(reply_format(None))
    assert with_synonyms(["Banana", "my thing"])["my thing"] == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected JSON"),
        ("I cannot help with that.", "expected JSON"),
        (rows("red block", "blue disk")[:-9], "expected JSON"),
        ('{"segments": [{"number": 1, "name": 3}, {"number": 2, "name": null}]}', "expected JSON"),
        (rows("red block"), "each number from 1 to 2 once"),
        (rows("red block", None, None), "each number from 1 to 2 once"),
        ('{"segments": [{"number": 1, "name": null}, {"number": 1, "name": "red block"}]}', "once"),
        (rows("red block", "green cone"), "a name of the list or null, but got 'green cone'"),
    ],
)
def test_a_reply_of_no_use_is_named(text: str, said: str) -> None:
    with pytest.raises(UnusableAnswerError, match=said):
        read_answer(text, 2, [*NAMES])


def model_of(server: ChatServer, answers: Path | None = None, timeout_s: float = 20.0) -> LargeModel:
    return LargeModel("seer", server.base_url, None, timeout_s=timeout_s, answers=answers)


def two_segments() -> NumberedPicture:
    return draw_numbered(np.full((200, 200, 3), 90, np.uint8), masks_of([(20, 20, 90, 80), (20, 120, 90, 180)]))


def test_a_picture_is_asked_once_and_the_answer_kept(tmp_path: Path) -> None:
    picture = two_segments()
    file = tmp_path / "new" / "answers.jsonl"
    with chat_server(lambda n, text: completion(rows("red block", None))) as server:
        answer = model_of(server, file).ask(picture, NAMES)
        assert answer.names == ("red block", None) and answer.source.startswith("seer at 127.0.0.1:")
        with file.open("a") as stream:
            stream.write('{"picture": "cut')  # by the end of a process
        again = model_of(server, file)
        assert again.ask(picture, NAMES) == answer and len(server.requests) == 1
        assert again.ask(picture, None).names == ("red block", None)  # another question
        text, shown = server.requests[0]["messages"][0]["content"]
        assert text["text"] == question(2, NAMES)
        sent = Image.open(io.BytesIO(base64.b64decode(shown["image_url"]["url"].partition(",")[2])))
        assert (np.asarray(sent) == picture.pixels).all()
        assert len(model_of(server, file).answers) == 2


def test_what_a_server_does_wrong_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = two_segments()
    monkeypatch.setenv("SEER_KEY", KEY)
    useless = iter([completion("no"), completion(rows("red block", "red block", None)), completion(rows(None, None))])
    with chat_server(lambda n, text: next(useless)) as server:
        assert model_of(server).ask(picture, NAMES).names == (None, None) and len(server.requests) == 3

    def plain_only(n: int, text: str) -> Reply:
        return failed(400, "no response_format here") if n == 0 else completion(rows(None, "blue disk"))

    with chat_server(plain_only) as server:
        assert model_of(server).ask(picture, NAMES).names == (None, "blue disk")
        assert "response_format" in server.requests[0] and "response_format" not in server.requests[1]
    with chat_server(lambda n, text: failed(500, "down")) as server:
        with pytest.raises(UnusableAnswerError):
            LargeModel("seer", server.base_url, None, retries=0).ask(picture, NAMES)
        assert len(server.requests) == 1
    cut = completion(rows("red block", None), finish_reason="length")
    late = Reply(completion(rows(None, None)).body, pause=3.0)
    passes = ((reply, UnusableAnswerError) for reply in (cut, failed(429, "slow"), late))
    ends = ((reply, LanguageModelError) for reply in (failed(404, "no model"), failed(401, KEY)))
    for reply, kind in (*passes, *ends):
        with chat_server(lambda n, text, reply=reply: reply) as server:  # type: ignore[misc]
            model = LargeModel("seer", server.base_url, "SEER_KEY", timeout_s=0.5)
            with pytest.raises(kind) as error:
                model.ask(picture, NAMES)
            assert KEY not in str(error.value) and "\n" not in str(error.value) and model.answers == []


def test_looks_are_labeled_once_and_taught(photos: Path, tmp_path: Path) -> None:
    def answer(n: int, text: str) -> Reply:
        return completion("prose, no JSON") if n < 3 else completion(rows("red block", "blue disk"))

    out = tmp_path / "mine"
    with chat_server(answer) as server:
        config = LabelConfig(looks=str(photos), names=["red block", "blue disk"], out=str(out), model="seer",
                             base_url=server.base_url, api_key_env=None)  # fmt: skip
        done = label_looks(config)
        assert done.unanswered == 1 and done.names == {"red block": 2, "blue disk": 2} and done.left_out == 0
        done = label_looks(config)
        asked = len(server.requests)
        assert done.unanswered == 0 and done.names == {"red block": 3, "blue disk": 3}
        assert label_looks(config).names == done.names and len(server.requests) == asked == 6
        assert label_looks(replace(config, leave_out=("photo1:2",))).names == {"red block": 3, "blue disk": 2}
    work = tmp_path / "mine-labels"
    assert {path.name for path in (work / PICTURES).iterdir()} == {f"photo{n}.png" for n in range(3)}
    assert len((work / ANSWERS_FILE).read_text().splitlines()) == 3 and done.sheet.exists()
    policy = LanguagePickPolicy.load(out)
    memory = policy._student.examples
    assert policy.taught == {"blue disk": 3, "red block": 3}
    assert all(source.startswith("seer at 127.0.0.1") for source in memory.source_of)
    assert isinstance(memory, ExampleMemory) and memory.forget(["red block"]).sources.keys() < memory.sources.keys()


def test_nothing_leaves_this_machine_unasked_and_names_may_come_from_the_model(photos: Path, tmp_path: Path) -> None:
    remote = LabelConfig(looks=str(photos), names=["mug"], out=str(tmp_path / "mine"), model="seer",
                         base_url="http://example.invalid/v1", api_key_env=None)  # fmt: skip
    with pytest.raises(InvalidArgumentError, match=r"3 of 3 pictures go to seer at example.invalid.*yes=true"):
        label_looks(remote)
    with pytest.raises(InvalidArgumentError, match="leave this machine"):
        AskConfig(model="seer", base_url="http://example.invalid/v1").validate()
    assert not (tmp_path / "mine").exists() or not (tmp_path / "mine" / "policy.json").exists()
    with pytest.raises(InvalidArgumentError, match=r"expected policy= with ask\.model"):
        PickConfig("the mug", None, ask=AskConfig(model="seer", base_url="http://localhost/v1")).validate()
    photo(0).save(photos / "photo0.jpg")  # beside photo0.png
    with chat_server(lambda n, text: completion(rows("Red Brick", None))) as server:
        done = label_looks(LabelConfig(looks=str(photos), out=str(tmp_path / "open"), model="seer",
                                       base_url=server.base_url, api_key_env=None))  # fmt: skip
    pictures = {path.name for path in (tmp_path / "open-labels" / PICTURES).iterdir()}
    assert pictures == {"photo0.jpg.png", "photo0.png.png", "photo1.png", "photo2.png"}
    assert done.names == {"red brick": 4} and done.taught is None and done.sheet.exists()
    assert not (tmp_path / "open" / "policy.json").exists()


@pytest.mark.parametrize("source", ["frames", "simulator", "scenes"])
def test_looks_are_frames_scenes_or_piles_that_are_drawn_now(source: str, tmp_path: Path, exported: Path) -> None:
    looks = {"frames": str(tmp_path / "frames"), "simulator": 1, "scenes": str(exported / "scenes" / "fewshot")}[source]
    if source == "frames":
        write_frame(tmp_path / "frames", frame_of(painted_observation(256), with_pose=False), "a_")
    with chat_server(lambda n, content: name_segments(content, "thing")) as server:
        done = label_looks(LabelConfig(looks=looks, out=str(tmp_path / "mine"), model="seer", max_looks=1, seed=3,
                                       base_url=server.base_url, api_key_env=None))  # fmt: skip
    assert len(server.requests) == 1 and done.names["thing"] >= 2
    name = {"frames": "a", "simulator": "pile_3", "scenes": "000000"}[source]
    assert [path.stem for path in (tmp_path / "mine-labels" / PICTURES).iterdir()] == [name]


def test_few_shot_scenes_take_the_labels_of_a_model(exported: Path, tmp_path: Path) -> None:
    stored: dict[str, Any] = {key: str(exported / "scenes" / key) for key in ("train", "id", "ood", "fewshot")}
    usual = SceneDataConfig(**stored, crop_size=None)
    before = load_scene_datasets(usual)["fewshot"]
    names = before.label_names
    file = tmp_path / "labels.json"
    labels = {f"{row:06d}": [names[row % len(names)], "no label"] for row in range(len(before))}
    file.write_text(json.dumps(labels))
    changed = replace(usual, few_shot_labels=str(file))
    found = load_scene_datasets(changed)["fewshot"].labels
    assert found.dtype == before.labels.dtype
    assert found.nonzero().tolist() == [[row, row % len(names)] for row in range(len(before))]
    same, other = (data_provenance(one) for one in (usual, changed))
    assert same["fewshot"] != other["fewshot"] and same["ood"] == other["ood"]
    file.write_text(json.dumps({row: ["zorb"] for row in labels}))
    with pytest.raises(DatasetError, match=r"expected labels in .* but got 'zorb'"):
        load_scene_datasets(changed)
    file.write_text(json.dumps({"000000": []}))
    with pytest.raises(DatasetError, match=r"names of all \d+ few-shot scenes"):
        load_scene_datasets(changed)


def test_recorded_answers_are_replayed(tmp_path: Path) -> None:
    picture = two_segments()
    text = question(2, NAMES)
    row = {"question": hashlib.sha256(text.encode()).hexdigest(), "reply": json.loads(rows("red block", None))}
    small = np.asarray(thumbnail(picture.pixels).round(), np.uint8)
    recorded = [row | {"picture": "0" * 64, "thumbnail": base64.b64encode(small.tobytes()).decode()}]
    server = make_server(recorded)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        model = LargeModel("seer", f"http://127.0.0.1:{server.server_port}/v1", None)
        assert model.ask(picture, NAMES).names == ("red block", None)  # some pixels differ
        with pytest.raises(LanguageModelError, match="that were recorded"):
            model.ask(draw_numbered(np.zeros((200, 200, 3), np.uint8), masks_of([(20, 20, 90, 80)])), NAMES)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def unit(rng: np.random.Generator, center: NDArray[np.float64]) -> NDArray[np.float32]:
    row = center + 0.03 * rng.normal(size=center.shape)
    return np.asarray(row / np.linalg.norm(row), np.float32)


def test_the_guard_leaves_out_what_lies_among_another_name() -> None:
    rng = np.random.default_rng(0)
    size = crop_metric().rivals.shape[1]
    centers = {name: unit(rng, rng.normal(size=size)).astype(float) for name in ("mug", "pear")}
    memory = ExampleMemory(crop_metric().encoder)
    wrong = unit(rng, centers["pear"])
    for name, center in centers.items():
        keys = np.stack([unit(rng, center) for _ in range(4)] + ([wrong] if name == "mug" else []))
        memory = memory.add(name, keys, np.zeros((0, size), np.float32), "seer")
    everything = np.ones(len(memory.names), bool)
    fits = trusted(memory, everything)
    assert [(memory.names[n], np.allclose(memory.keys[n], wrong)) for n in np.flatnonzero(~fits)] == [("mug", True)]
    assert trusted(memory, ~everything).all()  # a person showed them
    one = memory.only(np.array(memory.names) == "pear")
    assert np.isinf(label_margins(one)).all() and one.taught == ("pear",)
    slow = []  # by the definition
    for name, key in zip(memory.names, memory.keys.astype(float), strict=True):
        near = {other: [] for other in memory.taught}  # type: ignore[var-annotated]
        for n, row in enumerate(memory.keys.astype(float)):
            if not (row == key).all():
                near[memory.names[n]].append(np.exp(8 * (key @ row - 1)))
        of = {other: np.log(max(np.mean(values), 1e-12)) / 8 for other, values in near.items()}
        slow.append(of[name] - max(value for other, value in of.items() if other != name))
    np.testing.assert_allclose(label_margins(memory), slow, rtol=1e-9)


@pytest.mark.parametrize("broken", [False, True])
def test_a_policy_asks_where_it_is_unsure_and_not_again(broken: bool, tmp_path: Path) -> None:
    def answer(n: int, text: str) -> Reply:
        return failed(404, "gone") if broken else completion(rows("red block", "blue disk"))

    with chat_server(answer) as server:
        student = StudentRuntime.load("open")
        detector = AskingDetector(student, model_of(server), [*NAMES], max_questions=2, keep=tmp_path)
        views = [View.of_photo(student, np.asarray(photo(shift))) for shift in (0, 20)]
        alone = LanguagePickPolicy.load("open").detector.detect_without_depth  # type: ignore[attr-defined]
        (found,) = detector.decide(views[0], ["blue disk"])
        if broken:
            assert found.score == alone(views[0].rgb, ["blue disk"])[0].score and detector.questions == 0
            return
        assert found.score == 1 and found.mask[180, 165] and not found.mask[60, 80]
        assert student.examples.taught == ("blue disk", "red block") and detector.questions == 1
        (found,) = detector.decide(views[1], ["red block"])
        assert found.margin > 0 and found.mask[60, 100] and detector.asked[1] is None and len(server.requests) == 1
        assert detector.decide(views[1], ["green cone"])[0].score == 0 and detector.questions == 2
        detector.decide(views[0], ["a whole other thing"])
        assert detector.questions == 2 and len(server.requests) == 2  # as many as are allowed
        assert AskingDetector(StudentRuntime.load("open"), model_of(server), keep=tmp_path).names[:2] == [
            "blue disk",
            "red block",
        ]
        policy = LanguagePickPolicy.load("open", ask=model_of(server), names=[*NAMES])
        assert isinstance(policy.detector, AskingDetector)
