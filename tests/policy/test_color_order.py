"""A frame that has blue first gets a line, once the policy was taught what lies there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bench import painted_observation

from helpers.frames import frame_of, write_frame
from pickclutter_lang.commands import main
from pickclutter_lang.manipulation.frame import Frame
from pickclutter_lang.policy.color_order import exchanged_odds
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy.views import View

AS_IT_IS = frame_of(painted_observation(256), with_pose=False)
BLUE_FIRST = replace(AS_IT_IS, rgb=AS_IT_IS.rgb[..., ::-1].copy())


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`open`, shown each segment of the frame as it is."""
    policy = LanguagePickPolicy.load("open")
    view = View.of_observation(policy.detector.student, AS_IT_IS)  # type: ignore[attr-defined]
    for number in range(len(view.numbers)):
        policy.teach(AS_IT_IS, f"thing {number}", mask=view.mask(number))
    folder: Path = tmp_path_factory.mktemp("taught") / "policy"
    policy.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("frame", "said"), [(AS_IT_IS, False), (BLUE_FIRST, True)])
def test_locate_says_that_blue_comes_first(
    frame: Frame, said: bool, taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_frame(tmp_path / "frame", frame)
    main(["locate", str(tmp_path / "frame"), f"policy={taught}", "names=thing 0", f"out={tmp_path / 'located.png'}"])
    assert ("blue first?" in capsys.readouterr().err) is said


def test_who_was_taught_nothing_cannot_tell() -> None:
    view = View.of_observation(StudentRuntime.load("open"), BLUE_FIRST)
    assert exchanged_odds(view) == 0.0
    assert np.any(view.numbers)
