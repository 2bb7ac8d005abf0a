"""Names in backticks on the pages, looked up in the sources of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from helpers.paths import ROOT

PACKAGE = "pickclutter_lang"
OBJECTS = {"policy": "LanguagePickPolicy"}
"""What pages call an object of a class."""
FOLDERS = ("assets", "configs", "constraints", "docs", "envs", "examples", PACKAGE, "scripts", "tests")
FILE = r"\.(?:csv|glb|gz|h5|html|jsonl?|mat|md|mp4|npz|onnx|pbtxt|png|py|safetensors|txt|ya?ml)$"
OTHERS = {
    *("AsyncVectorEnv", "CPUGymWrapper", "ModelHubMixin", "SubprocVecEnv", "SyncBatchNorm"),
    *("LeRobotDataset", "PickClutterEnv", "PickClutterLang", "PickClutterYCB"),
    *("autoreset_mode", "list_pretrained", "getLogger", "make_vec", "start_method", "submitit_local"),
    *("efficientnet_b7", "env_states", "reward_mode", "sim_freq", "traj_0", "traj_1"),
    *("MyPolicy", "blue_mug", "fewshot_1"),
}
"""Names of other packages, and the reader's."""


class Names(NamedTuple):
    """What the package has: dotted modules, classes with bases, members and arguments, and any other word."""

    modules: dict[str, set[str]]
    classes: dict[str, tuple[set[str], set[str]]]
    functions: set[str]
    words: set[str]

    def members(self, name: str) -> set[str]:
        """Return the attributes of a class and of its bases; those of other packages are not known."""
        bases, own = self.classes[name]
        return own.union(*(self.members(base) for base in bases if base in self.classes and base != name))


@cache
def package_names() -> Names:
    """Return the names of the package's sources, and of its configuration files."""
    files = (path for folder in ("configs", "assets/descriptions") for path in (ROOT / folder).rglob("*"))
    names = Names({}, {}, set(), {path.stem for path in files})
    for folder, package in ((ROOT / PACKAGE, f"{PACKAGE}."), (ROOT / "envs", f"{PACKAGE}.envs.")):
        for path in folder.rglob("*.py"):
            module = (package + ".".join(path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
            names.modules[module] = _read(ast.parse(path.read_text()), names)
    names.words.update(*(part.split(".") for part in names.modules))
    return names


def _read(tree: ast.Module, names: Names) -> set[str]:
    """Add the names of a module, and return those that it defines or imports."""
    own: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
            known = names.classes.setdefault(node.name, (set(), set()))
            known[0].update(bases)
            known[1].update(_defined(node))
            names.words.update(known[1])
        elif isinstance(node, ast.FunctionDef):
            names.functions.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            own |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.words.update(re.findall(r"\w+", node.value) if " " not in node.value else ())
    own |= set(_defined(tree))
    names.words.update(own)
    return own


def _defined(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Yield the names that a module or a class defines, and the arguments and attributes inside it; no local ones."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
    for inside in ast.walk(tree):
        if isinstance(inside, ast.arg):
            yield inside.arg
        elif isinstance(inside, ast.Attribute) and isinstance(inside.ctx, ast.Store):
            yield inside.attr


def unknown_names(page: str) -> list[str]:
    """Return what a page has in backticks as a name of the package, and the package has not."""
    text = re.sub(r"^```.*?^```$|^ {4,}[^\n]*$", "", page, flags=re.DOTALL | re.MULTILINE)
    found = (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text))
    return [code for code in found if not _is_known(code)]


def _is_known(code: str) -> bool:
    names = package_names()
    if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./-]+", code):
        return (ROOT / code).exists()
    name = re.match(r"[A-Za-z_][\w.]*", code)
    if name is None or name[0].isupper() or re.search(FILE, code) or {*name[0].split(".")} & OTHERS:
        return True
    first, *rest = name[0].split(".")
    called = code[name.end() :].startswith("(")
    if first == PACKAGE and rest:
        module = max((known for known in names.modules if f"{name[0]}.".startswith(f"{known}.")), key=len)
        rest = name[0].removeprefix(module).strip(".").split(".")
        return rest == [""] or rest[0] in names.modules[module]
    if (owner := OBJECTS.get(first, first)) in names.classes:
        given = set(re.findall(r"(\w+)=", code)) if called and not rest else set()
        return {*rest[:1], *given} <= names.members(owner)
    if re.search("[a-z]", first) and len(re.findall("[A-Z]", first)) > 1:
        return False
    if called:
        return (rest or [first])[-1] in names.functions
    if re.match(r"=", code[name.end() :]) or re.fullmatch(r"[a-z]+(?:_[a-z0-9]+)+", code):
        return {first, *rest} <= names.words
    return True
