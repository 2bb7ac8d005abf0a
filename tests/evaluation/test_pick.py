"""`pickclutter pick`: what a phrase means, a pile that has it, and a pick with its video."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from replay_answers import content_of

from helpers.chat_server import chat_server, name_segments
from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.evaluation.config import PickConfig
from pickclutter_lang.evaluation.pick import pick
from pickclutter_lang.language.instructions import COLORS, known_phrase, read_phrase
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.policy.asking import AskConfig
from pickclutter_lang.policy.queries import query_of

pytest.importorskip("sapien")


@pytest.mark.parametrize(
    ("text", "labels", "modifiers"),
    [
        ("the lemon", {"lemon"}, ()),
        ("A  Tennis ball", {"tennis ball"}, ()),
        ("yellow fruit", {"banana", "lemon"}, ("yellow",)),
        ("a piece of cutlery", {"fork", "knife", "spoon"}, ()),
    ],
)
def test_phrases_mean_labels(text: str, labels: set[str], modifiers: tuple[str, ...]) -> None:
    phrase = read_phrase(text, paper_catalog())
    assert labels <= set(phrase.labels) and phrase.modifiers == modifiers
    fitting = {item.name for item in paper_catalog() if phrase.fits(item)}
    assert labels <= fitting and "hammer" not in fitting and "strawberry" not in fitting


def test_modifiers_must_be_true_of_the_instance() -> None:
    kinds = load_object_set("kinds")
    phrase = read_phrase("the red mug", kinds.catalog)
    assert phrase == read_phrase("a red mug", kinds.catalog) and phrase.labels == ("mug",)
    assert read_phrase("the gray mug", kinds.catalog).modifiers == ("grey",)
    reds = ["red" in kinds.model(f"mug-{seed}").colors for seed in range(40)]
    assert len({*reds}) == 2 and reds == [phrase.fits(kinds.model(f"mug-{seed}")) for seed in range(40)]


def test_what_a_new_name_means_does_not_count_against_it() -> None:
    names = ("lemon", "dice", "banana", "mug", "our gadget")
    assert set(known_phrase("fruit", names).labels) == {"lemon", "banana"}
    assert not known_phrase("gadget", names).labels and not known_phrase("fruit", ("our gadget",)).labels
    mug = query_of("mug", names)
    assert (mug.texts, mug.rivals, mug.color) == (("mug",), ("lemon", "dice", "banana", "our gadget"), False)
    fruit = query_of("fruit", names)
    assert fruit.texts[0] == "fruit" and {*fruit.texts[1:]} == {"lemon", "banana"} and not fruit.color
    assert fruit.rivals == ("dice", "mug", "our gadget")
    assert query_of("gizmo", names)[1:3] == (("gizmo",), tuple(names))
    gray = query_of("the gray one", names)
    assert gray.texts == ("grey object",) and len(gray.rivals) == len(COLORS) - 1 and "red object" in gray.rivals
    assert query_of("red one", ("red one", "mug"))[1:4] == (("red one",), ("mug",), False)  # a label is no phrase


@pytest.mark.parametrize("phrase", ["", "the", "the gizmo", "pick up the purple banana", "the pink one"])
def test_what_no_object_can_be_is_refused_before_a_pile(phrase: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError):
        pick(PickConfig(phrase, objects="proxy", out=str(tmp_path / "o.mp4")))


@pytest.mark.sim
@pytest.mark.slow
def test_a_student_picks_out_of_a_pile_that_has_the_object(exported: Path, tmp_path: Path) -> None:
    declare = True
    out = tmp_path / "pick.mp4"
    policy = str(exported / "few_shot")
    found = pick(PickConfig("the yellow fruit", policy, objects="proxy", declare=declare, out=str(out)))
    episode = found.episode
    assert episode["present"] and episode["graspable"] and episode["expected"] == [found.target]
    assert episode["instruction"] == "pick up the yellow fruit" and found.outcome.endswith(".")
    assert (episode["threshold"] > 0) is declare
    phrase = read_phrase("the yellow fruit", paper_catalog())
    assert [name for name in found.pile if phrase.fits(paper_catalog().find(name))] == [found.target]
    assert imageio_ffmpeg.count_frames_and_secs(str(out))[0] >= 2


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["open", None])
def test_what_lies_in_the_package_picks_out_of_a_pile_of_kinds(policy: str | None, tmp_path: Path) -> None:
    out = tmp_path / "pick.mp4"
    found = pick(PickConfig("pick up the tennis ball, please", policy, seed=1, out=str(out)))
    episode = found.episode
    assert found.target == "tennis ball" in found.pile and len(set(found.pile)) >= 4 and out.stat().st_size > 1000
    assert episode["instruction"] == "pick up the tennis ball" and not episode["declared_absent"]
    assert episode["success"], found.outcome


@pytest.mark.sim
@pytest.mark.slow
def test_a_pick_that_asked_shows_the_question_first(tmp_path: Path) -> None:
    out = tmp_path / "pick.mp4"
    with chat_server(lambda n, content: name_segments(content, "gizmo")) as server:
        ask = AskConfig(base_url=server.base_url, api_key_env=None, model="seer", names=("gizmo",))
        pick(PickConfig("the tennis ball", "open", seed=1, ask=ask, out=str(out)))
    film = imageio_ffmpeg.read_frames(str(out))
    width, height = next(film)["size"]
    first, *others = (np.frombuffer(one, np.uint8).reshape(height, width, 3).astype(int) for one in film)
    asked, _ = content_of(server.requests[0])
    shown = np.asarray(Image.fromarray(asked).resize((width, round(width * asked.shape[0] / asked.shape[1]))))
    assert len(server.requests) == 1 and np.abs(first[-len(shown) :] - shown[: len(first)]).mean() < 10
    changes = [np.abs(frame - first).mean() > 5 for frame in others]
    assert changes.index(True) == 59  # 4 seconds
