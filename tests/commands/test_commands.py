"""`pickclutter COMMAND`: listing, help, start of a command, and messages that are valid for a wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import pickclutter_lang
from helpers.forkserver import run_python
from helpers.paths import PROGRAM, ROOT
from helpers.scene_data import make_store
from pickclutter_lang import errors
from pickclutter_lang.commands import COMMANDS, app, command_line, load, main
from pickclutter_lang.commands.app import field_docs
from pickclutter_lang.envs import check_install
from pickclutter_lang.experiments.scenes.config import CropClassifierPhaseConfig
from pickclutter_lang.utils.plugins import installed_version

NAMES = sorted(name for group in COMMANDS.values() for name in group)
METHOD_OF_ONE_S_OWN = """# @package _global_
method: mine
objective: {cls: 0.5}
"""


def call(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_python([*PROGRAM, *arguments], folder, {**os.environ, **environment})


def test_all_configurations_are_there_without_torch() -> None:
    modules = [f"pickclutter_lang.commands.{module}" for module in COMMANDS]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "open_clip", "sapien", "timm"} & set(done.stdout.split())


def test_help_lists_the_commands_without_torch_and_hydra(tmp_path: Path) -> None:
    shown = call("--help", folder=tmp_path).stdout
    for group, commands in COMMANDS.items():
        assert f"\n{group}\n" in shown
        for name, line in commands.items():
            assert re.search(rf"^  {name} +{re.escape(line)}$", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 100
    code = "import sys; from pickclutter_lang.commands import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "hydra", "numpy", "omegaconf"} & set(done.stdout.splitlines()[-1].split())


def test_each_command_has_help_under_its_own_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        with pytest.raises(SystemExit) as ended:
            sys.exit(main([name, "--help"]))
        assert not ended.value.code and f"pickclutter {name}" in capfd.readouterr().out
    assert not list(tmp_path.iterdir())


def test_help_shows_presets_and_keys_with_their_values_and_documentation(tmp_path: Path) -> None:
    (tmp_path / "my" / "method").mkdir(parents=True)
    (tmp_path / "my" / "method" / "mine.yaml").write_text(METHOD_OF_ONE_S_OWN)
    arguments = ("--config-dir", "my", "method=mine", "experiment=policy", "--help", "all")
    shown = call("train-affordance", *arguments, folder=tmp_path).stdout
    assert re.search(r"^  experiment\n(?: {6}.*\n)+    \* policy +A student for a policy", shown, re.MULTILINE)
    assert re.search(r"^    \* mine$", shown, re.MULTILINE)
    assert "\n  data.image_size=192\n      Side in pixels to which the crop is resized.\n" in shown
    assert "\n  objective.cls=0.5\n" in shown and "\n  data.train=${scenes}/train\n" in shown
    assert "\n  crop_classifier.schedule=one_cycle\n      Learning rate over time" in shown


@pytest.mark.parametrize("name", NAMES)
def test_a_short_help_has_what_people_set(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """It has at most a dozen keys of a longer help, each with its value, and says how to see the others."""
    shown = {}
    for words in (["help", name], ["help", name, "all"]):
        with pytest.raises(SystemExit) as ended:
            sys.exit(main(words))
        assert not ended.value.code
        shown[len(words)] = capfd.readouterr().out
    keys = [set(re.findall(r"^  ([a-z_.]+)=", text, re.MULTILINE)) for text in shown.values()]
    command = app.REGISTERED[name.replace("-", "_")]
    assert set(command.short) <= keys[0] <= keys[1] and 0 < len(keys[0]) <= 13
    assert (f"{name} --help all shows all" in shown[2]) == (shown[2] != shown[3])


def test_every_key_is_documented() -> None:
    for name in NAMES:
        load(name)
    seen = {command.config for command in app.REGISTERED.values()}
    waiting: list[Any] = [*seen, CropClassifierPhaseConfig]
    while waiting:
        config = waiting.pop()
        hints, docs = get_type_hints(config), field_docs(config)
        for field in fields(config):
            hint = hints[field.name]
            kinds: list[Any] = [kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)]
            assert kinds or docs[field.name].endswith("."), f"{config.__name__}.{field.name}"
            waiting += [kind for kind in kinds if kind not in seen]
            seen.update(kinds)


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    assert call("--version", folder=tmp_path).stdout == f"pickclutter {pickclutter_lang.__version__}\n"


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    done = call(folder=tmp_path)
    assert done.returncode == 2 and "collect-scenes" in done.stdout


@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("scipy", ["export-policy", "run=nowhere"], "sim,train"),
        ("sapien", ["evaluate-policy", "out=out", "variants=[oracle]"], "sim"),
        ("sapien", ["collect-demos", "out=out"], "sim"),
    ],
)
def test_a_package_of_an_extra_that_is_missing_is_one_line(
    package: str, words: list[str], extra: str, tmp_path: Path
) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; from pickclutter_lang.commands import main; main({words})"
    done = run_python(["-c", code], tmp_path)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert f"MissingExtraError: {package}" in done.stderr and f"pip install -e '.[{extra}]'" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("installed", "extras", "line"),
    [
        (["mani_skill2"], ["demo"], "'.[sim,demo]'"),
        (["mani_skill"], ["demo"], "'.[sim3,demo]'"),
        (["mani_skill"], ["sim"], "'.[sim3]'"),
        ([], ["demo"], "'.[demo]'"),
        ([], ["sim"], "'.[sim]'"),
        (["mani_skill2"], ["sim", "demo", "export"], "'.[sim,demo,export]'"),
    ],
)
@pytest.mark.parametrize("clone", [True, False])
def test_what_is_installed_keeps_the_simulator_s_versions(
    installed: list[str], extras: list[str], line: str, clone: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda name: name in installed or None)
    if not clone:
        monkeypatch.setattr(errors, "__file__", str(tmp_path / "pickclutter_lang" / "errors.py"))
    wanted = f"pip install -e {line}" if clone else f"pip install {line.replace('.[', 'pickclutter-lang[')}"
    assert errors.install_line(*extras).endswith(wanted)


def test_extras_that_messages_name_are_those_of_the_project() -> None:
    extras = set(metadata("pickclutter-lang").get_all("Provides-Extra") or ())
    named = {*pickclutter_lang.commands._EXTRAS.values(), *errors.SIMULATORS, *check_install._BESIDE.values()}
    for path in (ROOT / "pickclutter_lang").rglob("*.py"):
        text = path.read_text()
        named.update(re.findall(r'MissingExtraError\([^)]*, "([a-z0-9]+)"\)', text))
        named.update(word for line in re.findall(r"'\.\[([a-z0-9,]+)\]'", text) for word in line.split(","))
    assert named <= extras and {"demo", "llm", "cluster", "rl"} <= named


def test_versions_that_the_simulator_cannot_have_are_named_with_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mani_skill2")
    versions = {"numpy": "2.2.0", "gradio": "6.0"}
    monkeypatch.setattr(check_install, "installed_version", lambda name: versions.get(name) or installed_version(name))
    with pytest.raises(errors.InvalidArgumentError, match=r"numpy<1\.24, but got 2\.2\.0; .*'\.\[sim,demo") as raised:
        check_install.check_packages()
    assert "scipy" not in str(raised.value)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_a_letter_gets_another(encoding: str) -> None:
    code = "from pickclutter_lang import commands; commands.help_text = lambda: '杯子 🍎'; commands.main(['help'])"
    variables = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables)
    assert (done.returncode, done.stdout) == (0, "?? ?\n"), done.stderr


@pytest.mark.parametrize(
    ("line", "found", "lacking"),
    [
        ("pickclutter tra", "train-affordance", "method="),
        ("pickclutter train-affordance meth", "method=", "collect-scenes"),
    ],
)
def test_a_shell_completes_commands_and_their_settings(line: str, found: str, lacking: str, tmp_path: Path) -> None:
    shown = call("-sc", "query=bash", folder=tmp_path, COMP_LINE=line).stdout.split()
    assert found in shown and lacking not in shown


def test_bash_completes_by_the_script_that_it_is_given(tmp_path: Path) -> None:
    program = tmp_path / "pickclutter"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pickclutter_lang.commands "$@"\n')
    program.chmod(0o755)
    code = (
        'eval "$(pickclutter --shell-completion install=bash)"; COMP_LINE="pickclutter verify-scenes sto"; '
        'COMP_CWORD=2; hydra_bash_completion; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert done.stdout.strip() == "store=", done.stderr


def test_a_command_works_where_there_is_no_checkout(tmp_path: Path) -> None:
    make_store(tmp_path / "store")
    done = run_python([*command_line("verify-scenes")[1:], "store=store"], tmp_path)
    assert "3 shards with 11 scenes are intact" in done.stdout


def test_the_commands_that_texts_name_are_there() -> None:
    pattern = re.compile(r"\bpickclutter ([a-z][a-z0-9]*(?:-[a-z0-9]+)+)\b")
    for folder in ("pickclutter_lang", "envs", "configs", "assets"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yaml", ".md"):
                found = set(pattern.findall(path.read_text()))
                assert found <= set(NAMES), f"{path}: {found - set(NAMES)}"


TALKING = """
import logging, sys
from pickclutter_lang import commands
from pickclutter_lang.commands import files
from pickclutter_lang.utils.progress import ProgressBar
import pickclutter_lang.datasets.scenes as scenes
def talk(path):
    log = logging.getLogger("pickclutter_lang.any.module")
    with ProgressBar("shards", 2) as bar:
        bar.advance(2)
        for level in ("debug", "info", "warning"):
            getattr(log, level)("[bold]%s[/bold] message", level)
    sys.exit(0)
scenes.verify_store = talk
sys.exit(commands.main(["verify-scenes", "store=s", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    ("option", "variable", "shown"),
    [
        ([], "", ["info", "warning", "shards"]),
        (["--verbose"], "", ["debug", "info", "warning", "shards"]),
        (["--quiet"], "", ["warning"]),
        ([], "error", []),
    ],
)
def test_messages_are_shown_by_their_level_in_plain_lines(option: list[str], variable: str, shown: list[str]) -> None:
    variables = {**os.environ, **({"PICKCLUTTER_LOG": variable} if variable else {})}
    done = run_python(["-c", TALKING, *option], env=variables)
    assert done.stdout == "" and "\x1b" not in done.stderr
    lines = done.stderr.splitlines()
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines if "shards" not in line] == [
        f"[bold]{level}[/bold] message" for level in shown if level != "shards"
    ]
    assert [line.split()[0] for line in lines if "shards" in line] == [word for word in shown if word == "shards"]
