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
from helpers.image_data import SETTINGS
from helpers.image_data import paint as paint_image
from helpers.own_objects import MESHES, make_own_set, own_entry
from helpers.paths import ROOT
from helpers.scene_runs import make_finished_run
from pickclutter_lang.commands import COMMANDS, load
from pickclutter_lang.commands.simulator import build_parser, check_options
from pickclutter_lang.datasets.images import load_image_dataset
from pickclutter_lang.datasets.images.loaders import SETS
from pickclutter_lang.experiments.scenes.config import PolicyExportConfig
from pickclutter_lang.experiments.scenes.export_policy import export_policy
from pickclutter_lang.objects.catalog_file import read_catalog
from pickclutter_lang.objects.meshes.sources import MeshSource, read_names
from pickclutter_lang.objects.object_sets import load_object_set
from pickclutter_lang.policy.policy import LanguagePickPolicy

DOCS = ROOT / "docs"
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md"))]
NAMES = {name for group in COMMANDS.values() for name in group}
COLORS = {
    "Banana": (240, 220, 40),
    "Cucumber": (40, 130, 40),
    "Red-Beet": (130, 20, 60),
    "Orange": (250, 140, 20),
    "Lemon": (250, 240, 90),
    "Carrots": (230, 100, 20),
    "Aubergine": (60, 20, 80),
    "Watermelon": (20, 90, 30),
}


def read(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(page: str, language: str = "python") -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)
    return [code for name, code in found if name == language]


def commands(page: str) -> list[list[str]]:
    """Return the words of each `pickclutter` command of a page, after the program's name."""
    text = re.sub(r" \\\n *", " ", read(page))
    lines = re.findall(r"^(?: {4,}|(?:.* && )?)(?:torchrun .* )?pickclutter (.*)$", text, re.MULTILINE)
    inline = re.findall(r"`pickclutter ([a-z][^`\n]*)`", text)
    return [shlex.split(line.split(" #")[0]) for line in (*lines, *inline)]


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run_python(["-c", code], folder)


def paint(folder: Path, per_class: int) -> None:
    """Write images of a colored disk for each class."""
    rng = np.random.default_rng(0)
    down, right = np.mgrid[:60, :80]
    for name, color in COLORS.items():
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            image = rng.integers(150, 200, (60, 80, 3), dtype=np.uint8)
            center = rng.integers(20, 40, 2)
            image[(down - center[0]) ** 2 + (right - center[1] - 10) ** 2 < 300] = color
            Image.fromarray(image).save(folder / name / f"{number}.png")


@pytest.mark.slow
def test_the_example_with_own_images_runs(tmp_path: Path) -> None:
    (code,) = blocks("docs/how_to/own_images.md")
    paint(tmp_path / "images", per_class=16)
    code += "print(mean_class_accuracy((learned[seen] @ text[:num_seen].T).argmax(dim=1), labels[seen]))"
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "a warning in a user's first example"
    teacher, student, seen = done.stdout.splitlines()
    for who, line in (("teacher", teacher), ("student", student)):
        found = re.fullmatch(rf"{who}, 4 unseen classes: ([01]\.\d\d)", line)
        assert found and 0 <= float(found[1]) <= 1, line
    assert float(seen) > 0.5  # it has learned four colors
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


@pytest.fixture(scope="module")
def policy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an exported student in `policy`, trained for seconds on images of the documented size."""
    pytest.importorskip("sapien")
    root: Path = tmp_path_factory.mktemp("docs")
    make_finished_run(root, 176)
    export_policy(PolicyExportConfig(str(root / "run"), "few_shot", None, 1, str(root / "policy")))
    return root


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "code", "shown"),
    [
        ("README.md", [0], r"(.+) - declared absent: (True|False) - success: (True|False)\n"),
        ("docs/tutorials/pick_by_name.md", [1], r"(.+) - declared absent: (True|False) - success: (True|False)\n"),
        ("docs/how_to/rl_features.md", [0, 1], r"(.+) of (.+)\n(.+)\n"),
        ("docs/explanation/scripted_picker.md", [0], r"(.+) - done: (True|False)\n"),
    ],
)
def test_the_examples_of_the_policy_run(policy_folder: Path, page: str, code: list[int], shown: str) -> None:
    pytest.importorskip("stable_baselines3")
    done = run("".join(blocks(page)[n] for n in code), policy_folder)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(shown, done.stdout), done.stdout


@pytest.mark.sim
@pytest.mark.slow
def test_the_examples_of_own_objects_run(policy_folder: Path) -> None:
    make_own_set(policy_folder / "mine")
    shutil.copytree(policy_folder / "policy", policy_folder / "mine_policy")
    code = blocks("docs/how_to/own_objects.md")[0] + "env.reset()\nenv.close()\n"
    done = run(code + blocks("docs/tutorials/own_objects.md")[0], policy_folder)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"(.+) - declared absent: (True|False) - success: (True|False)\n", done.stdout)
    assert found and any(own_entry(model_id).name in found[1] for model_id in MESHES), done.stdout


@pytest.mark.sim
@pytest.mark.slow
def test_the_example_of_an_own_robot_finds_and_grasps(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    policy = LanguagePickPolicy.from_pretrained("open")
    env = policy.make_env("kinds", kinds=["tennis ball", "mug", "banana", "hammer", "sponge"])
    flat, side = env.reset(seed=1)[0], 256
    shapes = {"rgb": (side, side, 3), "depth": (side, side), "intrinsic": (3, 3), "cam2world": (4, 4)}
    arrays = {name: flat[f"hand_{name}"].reshape(shape) for name, shape in shapes.items()}
    arrays["camera_pose"] = arrays.pop("cam2world")
    np.savez(tmp_path / "look.npz", **arrays)
    done = run(blocks("docs/how_to/own_robot.md")[0], tmp_path)
    assert done.returncode == 0, done.stderr
    shown = r"score 0\.\d+, threshold 0\.\d+, there: True, (\d+) pixels\n(\d+) grasps; the best, .*\n"
    found = re.fullmatch(shown, done.stdout)
    assert found and int(found[1]) > 50 and int(found[2]) > 0, done.stdout


def test_the_catalog_of_the_page_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text(blocks("docs/how_to/own_objects.md", "yaml")[1])
    assert [entry.name for entry in read_catalog(tmp_path / "catalog.yaml")] == ["blue mug", "bolt"]


def test_the_example_of_all_scans_makes_a_set(tmp_path: Path, ycb_root: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mani_skill2_ycb").symlink_to(ycb_root)
    done = run(blocks("docs/how_to/own_objects.md")[1], tmp_path)
    assert done.returncode == 0, done.stderr
    catalog = load_object_set(str(tmp_path / "ycb60")).catalog
    assert (len(catalog.indices("id")), len(catalog.indices("ood"))) == (26, 34)


@pytest.mark.sim
@pytest.mark.parametrize("page", ["docs/reference/environment.md", "docs/tutorials/pick_by_name.md"])
def test_the_examples_of_the_environment_print_what_the_page_says(page: str, tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    done = run(blocks(page)[0], tmp_path)
    assert done.stdout == blocks(page, "")[0], done.stderr


@pytest.mark.sim
def test_the_ranges_and_the_examples_of_the_camera_work(tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    page = "docs/how_to/own_camera.md"
    found = re.search(r'ranges="(.*?)"', read(page), re.DOTALL)
    assert found is not None
    settings = ["split=train", "scenes=1", "image_size=48", "graspable=false", *found[1].split()]
    line = ["-m", "pickclutter_lang.commands", "collect-scenes", *settings, "out=runs/random/train"]
    done = run_python(line, tmp_path)
    assert done.returncode == 0, done.stderr
    recorded, acting = blocks(page)
    done = run(recorded, tmp_path)
    assert re.fullmatch(r"(8|9)\d\.\d+ random:\d+ [01]\.\d+\n", done.stdout), done.stderr
    done = run(acting, tmp_path)
    assert re.fullmatch(r"(-?0\.0[01]\d+ random:\d+\n93\.\d+\n){2}", done.stdout), done.stdout + done.stderr


def test_the_example_of_a_data_set_loads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("docs/how_to/own_dataset.md")
    names: dict[str, Any] = {}
    exec(code, names)  # the page's own code
    monkeypatch.setitem(SETS, "fungi", names["load"])
    for number in range(24):
        paint_image(tmp_path / "photos" / f"{number}.png", number)
    lines = [f"{number}.png,{('fly_agaric', 'cep', 'chanterelle')[number % 3]}" for number in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    data, split, report = load_image_dataset(replace(SETTINGS, name="fungi", root=str(tmp_path), cache=str(tmp_path)))
    assert {item.name for item in data.classes} == {"fly agaric", "cep", "chanterelle"}
    assert len(split.train) + len(split.id) + len(split.ood) + len(split.fewshot) == 24
    assert "24 images of 3 classes" in report


def test_the_example_of_demonstrations_reads_them(tmp_path: Path) -> None:
    make_toy_demos(tmp_path / "demos", 2)
    done = run(blocks("docs/how_to/demonstrations.md")[0], tmp_path)
    expected = "pick up the fork (5, 32, 32, 3) (4, 7) True\nI need the mug (6, 32, 32, 3) (5, 7) True\n"
    assert done.stdout == expected, done.stderr


@pytest.mark.sim
@pytest.mark.slow
def test_the_learner_of_demonstrations_learns_them_and_acts(policy_folder: Path, tmp_path: Path) -> None:
    make_toy_demos(tmp_path / "demos", 10)
    shutil.copytree(policy_folder / "policy", tmp_path / "policy")
    program = blocks("docs/how_to/demonstrations.md")[1].replace("STEPS = 4, 3000", "STEPS = 4, 500")
    (tmp_path / "cloned.py").write_text(program)
    learned = run_python(["cloned.py"], tmp_path)
    assert learned.returncode == 0, learned.stderr
    losses, held_out = zip(
        *(map(float, re.findall(r"\d+\.\d+", line)) for line in learned.stdout.splitlines()), strict=True
    )
    assert len(losses) == 10 and losses[-1] < 0.8 * losses[0]  # it learns random poses by heart,
    assert held_out[-1] > losses[-1]  # which tell nothing of others
    words = next(words for words in commands("docs/how_to/demonstrations.md") if words[0] == "evaluate-policy")
    line = ["-m", "pickclutter_lang.commands", *words, "episodes=1", "workers=1", "n_videos=0"]
    done = run_python([*line, "variants=[own]"], tmp_path, {**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "cloned_picks" / "result.json").read_text())["metrics"]["own"]["episodes"] == 1


def test_the_losses_and_metrics_of_the_front_page_are_there() -> None:
    (code,) = blocks("docs/index.md")
    exec(code, {})


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_exist_and_take_its_settings(page: str) -> None:
    for name, *words in commands(page):
        if name.startswith("-") or name in ("NAME", "COMMAND", "import-mesh"):  # of all commands, or without hydra
            continue
        assert name in NAMES, f"{page}: pickclutter {name}"
        settings = [word for word in words if "=" in word and not word.startswith("--")]
        if name == "check-install" or {"--config-dir", "-m"} & {*words}:  # test_clusters.py runs the grid of -m
            continue
        pytest.importorskip("sapien")
        load(name)
        with initialize_config_module("pickclutter_lang.configs", version_base="1.3"):
            compose(name.replace("-", "_"), overrides=settings)


def test_the_commands_that_import_meshes_take_their_options() -> None:
    lines = [words for page in PAGES for name, *words in commands(page) if name == "import-mesh"]
    assert len(lines) >= 3
    for words in lines:
        check_options(build_parser().parse_intermixed_args(words))


def test_the_file_of_names_on_the_page_is_right(tmp_path: Path) -> None:
    path, files = tmp_path / "names.yaml", ("blue_mug.glb", "obj_000001.ply")
    path.write_text(blocks("docs/how_to/own_objects.md", "yaml")[0])
    given = read_names(path, [MeshSource(tmp_path / name, Path(name).stem, tmp_path) for name in files])
    assert (given["blue_mug"]["name"], given["obj_000001"]["density"]) == ("enamel mug", 400)


@pytest.mark.slow
def test_a_method_of_ones_own_is_found_by_the_documented_commands(tmp_path: Path) -> None:
    page = "docs/how_to/extend.md"
    path = tmp_path / "my_configs" / "method" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(blocks(page, "yaml")[0])
    own = [words for words in commands(page) if "--config-dir" in words and words[0] == "train-affordance"]
    assert own
    for words in own:
        done = run_python(["-m", "pickclutter_lang.commands", *words, "--cfg", "job"], tmp_path)
        assert done.returncode == 0 and "method: mine" in done.stdout, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", read(page)):
        generated = "reference/commands.md", "reference/configuration.md"
        place = ((ROOT / page).parent / target).resolve()
        assert place.exists() or str(place).endswith(generated), f"{page}: {target}"


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    pytest.importorskip("mkdocstrings_handlers.python", reason="needs the extra dev")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    for page in (tmp_path / "site").rglob("*.html"):
        assert not re.search(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="https?://', page.read_text()), page
