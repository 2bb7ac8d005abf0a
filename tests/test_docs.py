"""The code and the commands in the documentation work as they are printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_module
from PIL import Image

from helpers.demonstrations import make_toy_demos
from helpers.forkserver import run_python
from helpers.frames import frame_of, write_frame
from helpers.image_data import SETTINGS
from helpers.image_data import paint as paint_image
from helpers.own_objects import MESHES, make_own_set, own_entry
from helpers.page_names import unknown_names
from helpers.paths import ROOT
from helpers.scene_runs import make_finished_run
from pickclutter_lang.commands import COMMANDS, load
from pickclutter_lang.datasets.images.loaders import SETS
from pickclutter_lang.datasets.images.loading import load_image_dataset
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.objects.meshes.sources import MeshSource, read_names
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy_making.config import PolicyExportConfig
from pickclutter_lang.policy_making.export_policy import export_policy

PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
SHOWN = [page for page in PAGES if "results/data" not in page]
NAMES = {name for group in COMMANDS.values() for name in group}
OUTCOME = r"(.+) - declared absent: (True|False) - success: (True|False)\n"
OWN_NAMES = "|".join(own_entry(one).name for one in MESHES)
TAUGHT = r"(\d+ pixels\n){3}score .*, threshold 0\.50, there: True\n\{'my mug': 3\}\n"
SEEN = {"Banana": (240, 220, 40), "Cucumber": (40, 130, 40), "Red-Beet": (130, 20, 60), "Orange": (250, 140, 20)}
UNSEEN = {"Lemon": (250, 240, 90), "Carrots": (230, 100, 20), "Aubergine": (60, 20, 80), "Watermelon": (20, 90, 30)}


def read(page: str) -> str:
    return (ROOT / page).read_text()


def example(page: str, heading: str, language: str = "python") -> str:
    """Return the code of one language under a heading of a page, all blocks of it as one."""
    found = re.findall(r"^#+ ([^\n]*)$|^```(\w*)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)
    under = ""
    code = []
    for title, written_in, block in found:
        under = title or under
        if block and (under, written_in) == (heading, language):
            code.append(block)
    assert code, f"{page}: no {language or 'output'} under {heading!r}"
    return "".join(code)


def command_lines(page: str) -> list[str]:
    """Return each `pickclutter` command of a page, without the program's name."""
    text = re.sub(r" \\\n *", " ", read(page))
    lines = re.findall(r"^(?: {4,}|(?:.* && )?)(?:torchrun .* )?pickclutter (.*)$", text, re.MULTILINE)
    inline = re.findall(r"`pickclutter ([a-z][^`\n]*)`", text)
    return [line.split(" #")[0] for line in (*lines, *inline)]


def commands(page: str) -> list[list[str]]:
    """Return the words of each command of a page."""
    return [shlex.split(line) for line in command_lines(page)]


def with_brackets(word: str) -> str:
    """Return a setting as commands hand it on: a list in brackets."""
    key, _, value = word.partition("=")
    return f"{key}=[{value}]" if "," in value and value[0] not in "[{" else word


def run(folder: Path, *words: str, **variables: str) -> str:
    done = run_python([*words], folder, {**os.environ, **variables})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", [page for page in PAGES if "results/" not in page])
def test_commands_of_a_page_exist_and_take_its_settings(page: str) -> None:
    """Those of results are of the revision that the page names."""
    for name, *words in commands(page):
        if name.startswith("-") or name in ("NAME", "COMMAND", "help"):
            continue
        assert name in NAMES, f"{page}: pickclutter {name}"
        if {"--config-dir", "-m"} & {*words}:
            continue  # test_extension.py and test_clusters.py run what hydra finds elsewhere
        pytest.importorskip("sapien")
        load(name)
        with initialize_config_module("pickclutter_lang.configs", version_base="1.3"):
            settings = [with_brackets(word) for word in words if "=" in word and not word.startswith("--")]
            compose(name.replace("-", "_"), overrides=settings)


@pytest.mark.parametrize("page", SHOWN)
def test_commands_of_a_page_are_the_same_in_bash_and_zsh(page: str) -> None:
    for line in command_lines(page):
        outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
        assert not {*"[{("} & {*outside.replace("${", "$")}, f"{page}: zsh takes brackets for patterns: {line}"


@pytest.mark.parametrize("page", SHOWN)
def test_names_of_the_package_on_a_page_are_in_the_package(page: str) -> None:
    assert unknown_names(read(page)) == []


@pytest.mark.parametrize(
    "text",
    [
        "`MotionConfig.max_steps`",
        "`GripperGeometry`",
        "`LanguagePickPolicy.slow_down`",
        "`LanguagePickPolicy(slowness=0.5)`",
        "`policy.slow_down(0.5)`",
        "`slow_the_arm()`",
        "`pickclutter_lang.manipulation.gripper.GripperGeometry`",
        "`camera.zoom=2`",
        "`pd_ee_delta_positions`",
        "`assets/pocket_teacher_of_old`",
    ],
)
def test_a_name_that_is_not_there_is_found(text: str) -> None:
    assert unknown_names(text) == [text.strip("`")]


def test_tables_are_those_of_the_data(tmp_path: Path) -> None:
    """Also those that are written by hand and name the script which prints their shares."""

    def check(root: Path, *pages: str) -> str:
        command = [sys.executable, "docs/make_results.py", "--check", *pages]
        return subprocess.run(command, cwd=root, capture_output=True, text=True).stderr

    assert not check(ROOT)
    for name in ("docs/results", "docs/make_results.py", "README.md", "assets/pocket_teacher/figures.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    pages = ("docs/results/labels.md", "docs/results/maniskill3.md")
    for page, right, wrong in zip(pages, ("451/453", "\n<!-- /"), ("452/453", "1\n<!-- /"), strict=True):
        (tmp_path / page).write_text((tmp_path / page).read_text().replace(right, wrong, 1))
    said = check(tmp_path, *pages)
    assert "labels.md: 100 (98 to 100; 452/453), not printed by labels/tables.py" in said and "maniskill3.md" in said


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", read(page)):
        assert ((ROOT / page).parent / target).exists(), f"{page}: {target}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as pages have it: an exported student in `policy` and `mine_policy`, own objects, demonstrations."""
    pytest.importorskip("sapien")
    root: Path = tmp_path_factory.mktemp("docs")
    make_finished_run(root, 176)
    export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "policy")))
    shutil.copytree(root / "policy", root / "mine_policy")
    make_own_set(root / "mine")
    make_toy_demos(root / "demos", 10)
    paint_image(root / "pile.png", size=(256, 256))
    return root


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "heading", "shown"),
    [
        ("README.md", "In Python", OUTCOME),
        ("docs/tutorials/pick_by_name.md", "3. Let the policy act", OUTCOME),
        ("docs/tutorials/own_objects.md", "4. Pick by name", f"(?=.*({OWN_NAMES})){OUTCOME}"),
        ("docs/how_to/own_objects.md", "Use them", ""),
        ("docs/how_to/teach.md", "By the hand camera, in Python", TAUGHT),
        ("docs/how_to/look_and_pick.md", "Look at an image", r"teacher pocket \[0\.\d+, 0\.\d+\]\n"),
        ("docs/reference/environment.md", "Features for reinforcement learning", r"(.+) of (.+)\n(.+)\n"),
        ("docs/explanation/picking.md", "The scripted picker", r"(.+) - done: (True|False)\n"),
    ],
)
def test_the_examples_of_a_page_run(place: Path, page: str, heading: str, shown: str) -> None:
    pytest.importorskip("stable_baselines3")
    found = run(place, "-c", example(page, heading))
    assert re.fullmatch(shown, found), found


@pytest.mark.sim
@pytest.mark.parametrize(
    ("page", "heading"),
    [
        ("docs/reference/environment.md", "Environment"),
        ("docs/tutorials/pick_by_name.md", "2. Inspect the environment"),
    ],
)
def test_the_examples_of_the_environment_print_what_the_page_says(page: str, heading: str, tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    assert run(tmp_path, "-c", example(page, heading)) == example(page, heading, "")


@pytest.mark.sim
@pytest.mark.slow
def test_the_example_of_a_real_camera_finds_and_grasps(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    policy = LanguagePickPolicy.from_pretrained("open")
    env = policy.make_env("kinds", kinds=["tennis ball", "mug", "banana", "hammer", "sponge"])
    flat, _ = env.reset(seed=1)
    write_frame(tmp_path / "my_frame", frame_of(flat))
    found = run(tmp_path, "-c", example("docs/how_to/real_camera.md", "4. In Python"))
    numbers = re.fullmatch(r"score .* there: True, (\d+) pixels\n(\d+) grasps; the best, .*\n", found)
    assert numbers and int(numbers[1]) > 50 and int(numbers[2]) > 0, found


@pytest.mark.sim
@pytest.mark.slow
def test_the_ranges_and_the_examples_of_the_camera_work(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    page = "docs/how_to/collect_scenes.md"
    (ranges,) = re.findall(r"ranges=\((.*?)\)", read(page), re.DOTALL)
    settings = [*shlex.split(ranges), "scenes=1", "image_size=48", "graspable=false", "out=runs/random/train"]
    run(tmp_path, "-m", "pickclutter_lang.commands", "collect-scenes", *settings)
    recorded = run(tmp_path, "-c", example(page, "What is recorded"))
    assert re.fullmatch(r"(8|9)\d\.\d+ random:\d+ [01]\.\d+\n", recorded)
    acting = run(tmp_path, "-c", example(page, "In the environment"))
    assert re.fullmatch(r"(-?0\.0[01]\d+ random:\d+\n93\.\d+\n){2}", acting)


@pytest.mark.slow
def test_the_example_with_own_images_learns(tmp_path: Path) -> None:
    code = example("docs/how_to/own_images.md", "In Python").replace("range(20)", "range(12)")
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:60, :80]
    for name, color in {**SEEN, **UNSEEN}.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(16 if name in SEEN else 4):
            image = rng.integers(150, 200, (60, 80, 3), dtype=np.uint8)
            center = rng.integers(20, 40, 2)
            image[(down - center[0]) ** 2 + (right - center[1] - 10) ** 2 < 300] = color
            Image.fromarray(image).save(tmp_path / "images" / name / f"{number}.png")
    code += "print(mean_class_accuracy((learned[seen] @ text[:num_seen].T).argmax(dim=1), labels[seen]))"
    shown = r"teacher, 4 unseen classes: [01]\.\d\d\nstudent, 4 unseen classes: [01]\.\d\d\n([01]\.\d+)\n"
    found = re.fullmatch(shown, run(tmp_path, "-c", code))
    assert found and float(found[1]) > 0.5  # it has learned four colors


def test_the_example_of_a_data_set_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {}
    exec(example("docs/how_to/own_images.md", "A layout that is no folder of class folders"), names)
    monkeypatch.setitem(SETS, "fungi", names["load"])
    for number in range(24):
        paint_image(tmp_path / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,{('fly_agaric', 'cep', 'chanterelle')[number % 3]}" for number in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    data, split, _ = load_image_dataset(replace(SETTINGS, name="fungi", root=str(tmp_path), cache=str(tmp_path)))
    assert {item.name for item in data.classes} == {"fly agaric", "cep", "chanterelle"}
    assert len(split.train) + len(split.id) + len(split.ood) + len(split.fewshot) == 24


def test_the_files_of_own_objects_can_be_read(tmp_path: Path, ycb_root: Path) -> None:
    page = "docs/how_to/own_objects.md"
    (tmp_path / "names.yaml").write_text(example(page, "Names", "yaml"))
    (tmp_path / "catalog.yaml").write_text(example(page, "`catalog.yaml`", "yaml"))
    files = [MeshSource(tmp_path / f"{name}.glb", name, tmp_path) for name in ("blue_mug", "obj_000001")]
    given = read_names(tmp_path / "names.yaml", files)
    assert (given["blue_mug"]["name"], given["obj_000001"]["density"]) == ("enamel mug", 400)
    assert [entry.name for entry in read_catalog(tmp_path / "catalog.yaml")] == ["blue mug", "bolt"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mani_skill2_ycb").symlink_to(ycb_root)
    run(tmp_path, "-c", example(page, "All 60 scans of ManiSkill2"))
    assert len(load_object_set(str(tmp_path / "ycb60")).catalog.indices("ood")) == 34


@pytest.mark.sim
@pytest.mark.slow
def test_the_learner_of_demonstrations_learns_them_and_acts(place: Path) -> None:
    page = "docs/how_to/demonstrations.md"
    assert re.match(
        r"pick up the fork \(5, 32, 32, 3\) \(4, 7\) True\n", run(place, "-c", example(page, "What is written"))
    )
    program = read("examples/clone_demonstrations.py").replace("STEPS = 4, 3000", "STEPS = 4, 500")
    (place / "clone_demonstrations.py").write_text(program)
    learned = run(place, "clone_demonstrations.py").splitlines()
    losses, held_out = zip(*(map(float, re.findall(r"\d+\.\d+", line)) for line in learned), strict=True)
    assert losses[-1] < 0.8 * losses[0] and held_out[-1] > losses[-1]  # it learns random poses by heart
    (words,) = (words for words in commands(page) if words[0] == "evaluate-policy")
    words += ["episodes=1", "workers=1", "n_videos=0", "variants=[own]"]
    run(place, "-m", "pickclutter_lang.commands", *words, PYTHONPATH=str(place))
    assert json.loads((place / "cloned_picks" / "result.json").read_text())["metrics"]["own"]["episodes"] == 1


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings_handlers.python", reason="needs the extra dev")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    for page in (tmp_path / "site").rglob("*.html"):
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://', page.read_text()), page
