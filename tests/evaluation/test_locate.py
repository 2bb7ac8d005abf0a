"""`pickclutter locate`: a frame of a camera on disk, the numbers, and the picture; also where there is no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bench import painted_observation
from PIL import Image

from helpers.frames import frame_of, write_frame
from helpers.policies import random_policy
from pickclutter_lang.commands import main
from pickclutter_lang.datasets.frames import read_frame
from pickclutter_lang.evaluation.config import LocateConfig
from pickclutter_lang.evaluation.drawing import SIDE, draw_located
from pickclutter_lang.evaluation.locate import locate, locate_table
from pickclutter_lang.manipulation.point_cloud import project_points
from pickclutter_lang.policy.detectors import Detection
from pickclutter_lang.policy.observations import checked_view, segment_observation
from pickclutter_lang.policy.policy import LanguagePickPolicy, Location, location_of

SEEN = painted_observation(256)
ABSENT = ("torch", "torchvision", "timm", "open_clip", "h5py", "matplotlib", "gymnasium", "rich", "loky", "jinja2")
WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # an import of them fails
from pickclutter_lang.commands import main
main(["locate", "frame", "names=lemon,banana", "policy=runtime", "json=true"])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_frame(tmp_path / "frame", frame_of(SEEN, with_pose=False))
    return tmp_path


def located(number: int = 8) -> Location:
    """A segment of the painted pile, as if it had been found."""
    mask = segment_observation(SEEN) == number
    return location_of(SEEN, "thing", Detection(0.9, 0.5, mask, mask / mask.sum()))


def test_the_best_grasp_is_on_the_object_in_world_and_camera() -> None:
    found = located()
    u, v = project_points(found.grasps.positions[:1], SEEN["hand_intrinsic"], SEEN["hand_cam2world"])[0].astype(int)
    assert found.mask[v, u]
    x, y, z = found.grasps_in_camera().positions[0]
    focal, center = SEEN["hand_intrinsic"][0, 0], SEEN["hand_intrinsic"][0, 2]
    assert (int(focal * x / z + center), int(focal * y / z + center)) == (u, v)
    back = found.camera[:3, :3] @ found.grasps_in_camera().rotations
    np.testing.assert_allclose(back, found.grasps.rotations, atol=1e-9)


def test_the_picture_has_the_object_and_its_grasp_in_both_views() -> None:
    plain = np.asarray(draw_located(SEEN, []))
    drawn = np.asarray(draw_located(SEEN, [located()]))
    assert plain.shape == drawn.shape == (SIDE, 2 * SIDE, 3)
    outline = (drawn[:, :SIDE] == 255).all(2)
    rows, columns = np.nonzero(located().mask)
    box = [side * SIDE / 256 for side in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
    marked = np.argwhere(outline)
    assert np.all(np.abs(np.array([*marked.min(0)[::-1], *marked.max(0)[::-1]]) - box) < 5)
    for half in (np.s_[:, :SIDE], np.s_[:, SIDE:]):
        assert ((drawn[half] == (255, 170, 40)).all(2)).sum() > 50


def test_a_frame_is_asked_for_the_same_by_all_that_ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = LanguagePickPolicy.load("ycb")
    frame = read_frame(folder / "frame")
    for name in ("lemon", "mug"):  # one was taught, the other goes by words
        main(["locate", "frame", f"names={name}", "policy=ycb", "json=true"])
        by_command = json.loads(capsys.readouterr().out)["score"]
        detected = policy.detector(frame, name).score  # type: ignore[arg-type]
        assert policy.locate(frame, name).score == policy.locate(checked_view(frame), name).score == detected
        assert by_command == detected
        unmarked = {key: value for key, value in checked_view(frame).items() if key.startswith("hand_")}
        score = policy.locate(unmarked, name).score
        odds = [np.log(one / (1 - one)) for one in (score, detected)]
        assert odds[0] - odds[1] == pytest.approx(0.8)  # more is asked of a frame of a camera


def test_names_are_located_in_a_frame(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["locate", "frame", "names=lemon,mug", "policy=ycb", "json=true"])
    lemon, mug = map(json.loads, capsys.readouterr().out.splitlines())
    assert [lemon["name"], mug["name"]] == ["lemon", "mug"]
    found = LanguagePickPolicy.from_pretrained("ycb").locate(frame_of(SEEN, with_pose=False), "lemon")
    assert lemon["score"] == pytest.approx(found.score) and lemon["present"] == found.present
    for one in (lemon, mug):
        assert one["present"] or (not one["grasps"] and one["box"] is None)
    main(["locate", "frame", "policy=ycb"])
    assert len(capsys.readouterr().out.splitlines()) == 26 + 3  # what it was taught
    assert Image.open("located.png").size == (2 * SIDE, SIDE)


def test_what_is_there_has_a_line_with_its_grasp_in_the_camera_s_axes() -> None:
    found = located()
    cells = locate_table([found]).splitlines()[2].split("|")
    assert [float(value) for value in cells[6].split()] == pytest.approx(
        found.grasps_in_camera().positions[0].tolist(), abs=0.00051
    )
    assert int(cells[5]) == found.mask.sum() and cells[4].strip() == "yes"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nowhere", "names=mug"], "nowhere"),
        (["frame", "names=mug", "name=pile2"], "pile2"),
        (["frame"], "names=mug,lemon"),
        (["frame", "names=mug", "out=located.jpg"], ".png"),
    ],
)
def test_a_mistake_is_one_line(words: list[str], named: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["locate", *words])
    said = capsys.readouterr().err
    assert named in said and said.count("\n") == 1


def test_a_frame_without_a_table_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((256, 256), np.uint16)).save(folder / "frame" / "depth.png")
    with pytest.raises(SystemExit):
        main(["locate", "frame", "names=mug"])
    assert capsys.readouterr().err.startswith("InvalidArgumentError: expected")


def test_it_works_where_torch_cannot_be_imported(folder: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra export")
    from pickclutter_lang.policy_making.config import RuntimeExportConfig
    from pickclutter_lang.policy_making.export_runtime import export_runtime

    policy = random_policy(folder / "policy")
    export_runtime(RuntimeExportConfig(str(policy), out=str(folder / "runtime")))
    code = WITHOUT_TORCH.format(absent=ABSENT)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    with_torch = locate(LocateConfig("frame", names=["lemon", "banana"], policy=str(policy)))
    assert [one["score"] for one in records] == pytest.approx([one.score for one in with_torch], abs=1e-4)
    assert (folder / "located.png").is_file()
