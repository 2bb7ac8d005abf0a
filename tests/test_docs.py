"""The code in the documentation runs as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.image_data import SETTINGS
from helpers.image_data import paint as paint_picture
from helpers.paths import ROOT
from helpers.scene_runs import make_finished_run
from pickclutter_lang.commands import COMMANDS
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.datasets.images.loaders import SETS
from pickclutter_lang.experiments.scenes.command_configs import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy

DOCS = ROOT / "docs"
COLOURS = {
    "Banana": (240, 220, 40),
    "Cucumber": (40, 130, 40),
    "Red-Beet": (130, 20, 60),
    "Orange": (250, 140, 20),
    "Lemon": (250, 240, 90),
    "Carrots": (230, 100, 20),
    "Aubergine": (60, 20, 80),
    "Watermelon": (20, 90, 30),
}


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def paint(folder: Path, per_class: int) -> None:
    """Write images of a colored disc for each class."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:60, :80]
    for name, color in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            image = rng.integers(150, 200, (60, 80, 3), dtype=np.uint8)
            center = rng.integers(20, 40, 2)
            image[(down - center[0]) ** 2 + (right - center[1] - 10) ** 2 < 300] = color
            Image.fromarray(image).save(folder / name / f"{number}.png")


@pytest.mark.slow
def test_the_example_with_own_images_runs(tmp_path: Path) -> None:
    (code,) = blocks("method.md")
    paint(tmp_path / "images", per_class=16)
    code += "print(mean_class_accuracy((learned[seen] @ text[:known].T).argmax(dim=1), labels[seen]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "a warning in a user's first example"
    teacher, student, known = done.stdout.splitlines()
    for who, line in (("teacher", teacher), ("student", student)):
        found = re.fullmatch(rf"{who}, 4 names never trained on: ([01]\.\d\d)", line)
        assert found and 0 <= float(found[1]) <= 1, line
    assert float(known) > 0.5  # it has learned four colors
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


@pytest.fixture(scope="module")
def policy_folder(tmp_path_factory):
    """A folder with an exported student in `policy`, trained for seconds on images of the documented size."""
    pytest.importorskip("sapien")
    root = tmp_path_factory.mktemp("docs")
    make_finished_run(root, 176)
    export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "policy")))
    return root


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "code", "shown"),
    [
        ("../README.md", [1], r"(.+) - declared absent: (True|False) - success: (True|False)\n"),
        ("policy.md", [0], r"(.+) - said to be absent: (True|False) - success: (True|False)\n"),
        ("policy.md", [1, 2], r"(.+) of (.+)\n(.+)\n"),
        ("policy.md", [3], r"(.+) - done: (True|False)\n"),
    ],
)
def test_the_examples_of_the_policy_run(policy_folder: Path, page: str, code: list[int], shown: str) -> None:
    pytest.importorskip("stable_baselines3")
    printed = "".join(blocks(page)[n] for n in code)
    done = subprocess.run(
        [sys.executable, "-c", printed], cwd=policy_folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(shown, done.stdout), done.stdout


def is_ours(dotted: str) -> bool:
    """Whether there is such a module, or its module mentions such a name."""
    room, *rest = dotted.split(".")
    root = DOCS.parent if room in ("envs", "assets", "configs") else DOCS.parent / "pickclutter_lang"
    place = root.joinpath(room, *rest)
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    owners = (place.parent.with_suffix(".py"), place.parent / "__init__.py")
    return any(place.name in owner.read_text() for owner in owners if owner.is_file())


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_commands_and_modules_that_are_named_are_there(page: str) -> None:
    text = (DOCS / page).read_text()
    scripts, names = re.findall(r"\bscripts/[\w/]+\.py", text), re.findall(r"`pickclutter_lang\.([\w.]+)`", text)
    commands = re.findall(r"\bpickclutter ([a-z][a-z0-9-]+)", text)
    assert scripts or names or commands
    assert [name for name in scripts if not (DOCS.parent / name).is_file()] == []
    assert set(commands) <= {name for group in COMMANDS.values() for name in group}
    assert [name for name in names if not is_ours(name)] == []
    assert not is_ours("language.nothing") and not is_ours("nowhere.nothing")


def test_the_example_of_a_data_set_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("benchmarks.md")
    names: dict[str, Any] = {}
    exec(code, names)  # the page's own code
    monkeypatch.setitem(SETS, "fungi", names["load"])
    for number in range(24):
        paint_picture(tmp_path / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,{('fly_agaric', 'cep', 'chanterelle')[number % 3]}" for number in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    data, split, report = load_image_dataset(replace(SETTINGS, name="fungi", root=str(tmp_path), cache=str(tmp_path)))
    assert {item.name for item in data.classes} == {"fly agaric", "cep", "chanterelle"}
    assert len(split.train) + len(split.id) + len(split.ood) + len(split.fewshot) == 24
    assert "24 images of 3 classes" in report
