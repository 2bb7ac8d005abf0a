"""Episode files: what the simulator cannot take is refused before it sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pickclutter_lang.envs.episodes import check_episode, load_episodes
from pickclutter_lang.errors import InvalidArgumentError

ACTOR = {"model_id": "011_banana", "scale": 1.0, "pose": [0, 0, 0.1, 1, 0, 0, 0], "rep_pts": [[0, 0, 0.1]]}


def episode(count: int = 1, **changes: Any) -> dict[str, Any]:
    return {"actors": [{**ACTOR, **changes}] * count}


def test_an_episode_of_the_right_form_is_taken() -> None:
    for good in (episode(), episode(count=100), episode(rep_pts=None), episode(scale=0.5)):
        check_episode(good, "it")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pose": [0] * 7}, "a unit quaternion"),
        ({"pose": [1e300, 0, 0, 1, 0, 0, 0]}, "within 10 m"),
        ({"pose": [0, 0, float("nan"), 1, 0, 0, 0]}, "within 10 m"),
        ({"pose": [0, 0, 0.1, 10, 0, 0, 0]}, "a unit quaternion"),
        ({"pose": "lying"}, "a pose of 7 numbers"),
        ({"pose": [[0] * 7]}, "a pose of 7 numbers"),
        ({"scale": 1e9}, "a scale from 0.01 to 100"),
        ({"scale": 0}, "a scale from 0.01 to 100"),
        ({"scale": [1, 2]}, "a scale from 0.01 to 100"),
        ({"scale": None}, "a scale from 0.01 to 100"),
        ({"rep_pts": [[0, 0]]}, "rep_pts of"),
        ({"rep_pts": [[0, 0, float("inf")]]}, "rep_pts of"),
        ({"count": 5000}, "at most 100 actors, but got 5000"),
    ],
)
def test_what_would_end_the_simulator_is_named(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "episodes.json"
    path.write_text(json.dumps([episode(), episode(**wrong)]))
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        load_episodes(path)
    assert f"episode 1 of {path}" in str(caught.value)
