"""JSON that a disk or a person has changed: one line that names the file, for every file that the package reads.

A new call that reads JSON fails here until `READERS` has a row for it.
"""

from __future__ import annotations

import ast
import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from helpers.json_readers import READERS
from helpers.paths import ROBUSTNESS_PAGE, ROOT
from pickclutter_lang.demonstrations.trajectories import find_episodes
from pickclutter_lang.errors import DatasetError, PickClutterError

PACKAGE = ROOT / "pickclutter_lang"
CALLS = ("read_json", "read_json_lines", "parse_json")
PARSED_OTHERWISE = {
    "utils/json_files.py": "the reader itself",
    "utils/locks.py": "a lock, whose holder is shown where it can be read",
    "language/chat_client.py": "an answer of a server, see its tests",
    "objects/catalog.py": "an asset of the package",
    "objects/extra_objects.py": "an asset of the package",
    "experiments/sweeps/paper_tables.py": "an asset of the package",
    "training/experiment.py": "values of this process, as JSON has them",
    "training/parallel.py": "values of rank 0, as JSON has them",
    "experiments/comparison.py": "values of this process, as JSON has them",
    "datasets/scenes/manifest.py": "values of this process, as JSON has them",
}
"""Files that call `json.loads`, and why."""
IN_OTHER_FILES = {"demonstrations/trajectories.py:_sources", "policy/name_features.py:read_name_features"}
"""Read an attribute of an HDF5 file, and the metadata of tensors; their damage has tests of its own."""


BOMB = gzip.compress(b"[" + b" " * (80 * 2**20), compresslevel=1) + b"\n"


def _swap(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a list of lists": lambda path: path.write_text("[[]]\n"),
    "a number": lambda path: path.write_text("5\n"),
    "null": lambda path: path.write_text("null\n"),
    "a text": lambda path: path.write_text('"text"\n'),
    "latin-1": lambda path: path.write_bytes(b'{"caf\xe9": 1}\n'),
    "UTF-16": lambda path: path.write_text("{}\n", encoding="utf-16"),
    "100,000 brackets": lambda path: path.write_text("[" * 100_000 + "\n"),
    "200 levels": lambda path: path.write_text("[" * 200 + "]" * 200 + "\n"),
    "an integer of 5,000 digits": lambda path: path.write_text("9" * 5000 + "\n"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] + b"\n"),
    "a bit flipped into a control character": lambda path: path.write_bytes(b"\x01" + path.read_bytes()[1:]),
    "too large": lambda path: os.truncate(path, 2**37),
    "a folder": lambda path: _swap(path, Path.mkdir),
    "a pipe": lambda path: _swap(path, os.mkfifo),
    "a device": lambda path: _swap(path, lambda link: link.symlink_to("/dev/zero")),
    "a gzip bomb": lambda path: path.write_bytes(BOMB),
    "cut gzip": lambda path: path.write_bytes(b"\x1f\x8bhalf\n"),
}


@pytest.mark.parametrize("reader", READERS)
def test_damage_is_one_line_that_names_the_file(reader: str, tmp_path: Path) -> None:
    path, read = READERS[reader](tmp_path)
    whole = path.read_bytes()
    read()
    for name, damage in DAMAGES.items():
        damage(path)
        with pytest.raises(PickClutterError) as caught:
            read()
        message = str(caught.value)
        assert "\n" not in message and path.name in message and len(message) < 900, (name, message)
        assert "Traceback" not in message
        (path.rmdir if path.is_dir() and not path.is_symlink() else path.unlink)()
        path.write_bytes(whole)
    read()


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"episode_id": "a"}', "[" * 200, 5])
def test_a_damaged_record_of_a_demonstration_is_named(record: object, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_group("traj_0").attrs["record"] = record
    with pytest.raises(DatasetError, match=r"cannot read .*all.h5 \(.*delete it and run pickclutter collect-demos"):
        find_episodes([tmp_path], "all.h5")


def _functions(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield from ((node.name, call) for call in ast.walk(node) if isinstance(call, ast.Call))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ast.unparse(call.func)


def test_every_file_that_is_read_has_a_row() -> None:
    found, plain = set(), set()
    for path in PACKAGE.rglob("*.py"):
        place = str(path.relative_to(PACKAGE))
        tree = ast.parse(path.read_text())
        found |= {f"{place}:{name}" for name, call in _functions(tree) if _called(call) in CALLS}
        plain |= {place for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "json.loads"}
    found -= {name for name in found if name.startswith("utils/json_files.py")} | IN_OTHER_FILES
    assert found == {name.partition(" ")[0] for name in READERS}
    assert plain == set(PARSED_OTHERWISE)


TAKEN: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "names with emoji and accents": (
        "datasets/scenes/manifest.py:read_manifest",
        lambda path: path.write_text(path.read_text().replace('"banana"', '"banana \U0001f34c é"')),
        "any text of one line may be a name, and is escaped where it is shown",
    ),
    "other versions of packages": (
        "datasets/scenes/manifest.py:read_manifest",
        lambda path: path.write_text(path.read_text().replace('"versions": {}', '"versions": {"torch": "0"}')),
        "content is known by its hash, versions are a note",
    ),
    "a class file for folders that are not there": (
        "datasets/images/loaders/image_folder.py:_rows",
        lambda path: path.write_text('[{"folder": "../../etc", "name": "x"}]'),
        "rows are looked up by the folders that are there; no path is made of them",
    ),
    "features without their file": (
        "teachers/feature_cache.py:load",
        lambda path: path.with_suffix(".safetensors").unlink(),
        "they are computed again",
    ),
    "a log cut while it was written": (
        "evaluation/episode_log.py:__init__",
        lambda path: path.write_text(path.read_text() + '{"variant": "v", "se'),
        "that episode runs again",
    ),
    "100,000 rows in a class file": (
        "datasets/images/loaders/image_folder.py:_rows",
        lambda path: path.write_text(json.dumps([{"folder": f"f{number}"} for number in range(100_000)])),
        "they are read at once; a JSON file has at most 64 MB",
    ),
    "an `f1` of null in a result": (
        "experiments/result.py:read_result",
        lambda path: path.write_text(path.read_text().replace('"f1": 0.5', '"f1": null')),
        "JSON has no NaN, which a name without a true label has; tables show NA",
    ),
    "keys of another version beside those that are needed": (
        "experiments/result.py:read_result",
        lambda path: path.write_text(path.read_text().replace('{"schema"', '{"later": 1, "schema"')),
        "results and checkpoints may have more than is read",
    ),
}
"""Changes that are right to take: who reads them, the change, and why."""


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_right_to_take_is_taken(name: str, tmp_path: Path) -> None:
    reader, change, reason = TAKEN[name]
    assert f"| {name} | {reason} |" in ROBUSTNESS_PAGE.read_text()
    path, read = READERS[reader](tmp_path)
    before = path.read_bytes()
    change(path)
    assert path.read_bytes() != before or not path.with_suffix(".safetensors").exists()
    read()
