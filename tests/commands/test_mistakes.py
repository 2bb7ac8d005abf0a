"""What a person may mistype: one line that names the key, status 2, and nothing left behind."""

from __future__ import annotations

from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from pickclutter_lang.commands import COMMANDS, load, main
from pickclutter_lang.commands.app import REGISTERED, bare_words_as, config_keys, parse_config
from pickclutter_lang.errors import PickClutterError

NAMES = sorted(name for group in COMMANDS.values() for name in group)
MISTAKES = [
    # keys, with the nearest one
    ("collect-scenes splitt=id out=o", "did you mean split"),
    ("train-affordance distil.epochs=1 out=o", "did you mean distill.epochs"),
    ("train-affordance data.splits.foo=x out=o", "data.splits.foo"),
    ("import-mesh a.stl out=o foo=1", "foo"),
    # presets
    ("train-affordance teacher=poket out=o", "did you mean pocket"),
    ("train-affordance method=[cls,best] out=o", "method"),
    ("train-image-student dataset=foo data.root=r out=o", "dataset"),
    # the form of an override
    ("verify-scenes =5", "KEY=VALUE"),
    ("verify-scenes store", "'store'"),
    ("verify-scenes store=[a", "store=[a"),
    ("collect-scenes ~scenes out=o", "~scenes"),
    ("verify-scenes --foo", "--foo"),
    ("train-affordance distill=5 out=o", "distill"),
    ("train-affordance out=${nothing}", "nothing"),
    # types and ranges
    ("train-affordance seed=abc out=o", "seed"),
    ("evaluate-policy run=r variants=oracle", "variants=[oracle]"),
    ("train-affordance seed=99999999999999999999 out=o", "seed"),
    ("collect-scenes workers=1000 out=o", "workers"),
    ("collect-scenes spread=[nan,0.1] out=o", "spread"),
    ("collect-scenes objects=prxy out=o", "prxy"),
    ("collect-scenes camera.fov=5 out=o", "camera.fov"),
    ("collect-scenes appearance.table=nowhere out=o", "nowhere"),
    ("collect-scenes out=", "out"),
    ("train-affordance device=foo out=o", "device"),
    ("push folder=f repository=me/it private=2", "private"),
    ("pick lemon --multirun", "--multirun"),
    ("pick lemon --config-path x", "--config-dir"),
    ("train-affordance distill.lr=inf out=o", "distill.lr"),
    ("evaluate-policy run=r absent_probability=2", "absent_probability"),
    ("compare-runs runs=[a] out=o", "runs"),
    ("render-object-sheet out=o.foo", ".png"),
    ("push folder=f repository=me", "repository"),
    ("import-mesh a.stl out=o density=nan", "density"),
    ("reproduce-tables table=13 data.root=r out=o", "table"),
    # what is not there
    ("verify-scenes store=nowhere", "collect-scenes"),
    ("export-policy run=nowhere", "nowhere"),
    ("evaluate-policy policy=nowhere", "nowhere"),
    ("train-affordance scenes=nowhere out=o", "nowhere"),
    ("train-teacher teacher_data=image_folder images=nowhere out=o", "nowhere"),
    ("import-mesh nowhere.stl out=o", "nowhere.stl"),
    ("check-install objects=foo", "foo"),
    # no simulator
    ("evaluate-policy policy=open simulator=maniskill4", "maniskill2, maniskill3"),
    # words without a key
    ("pick the red mug", "quotes"),
    ("import-mesh löffel.stl out=ö", "löffel.stl"),
    ("export-policy --config-dir=größe run=r", "/größe' not found"),
    ("teach policy=mitü/bin names=[löffel,gabel] images=ü.png", "but got 2"),
]


@pytest.mark.parametrize(("line", "named"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_one_line(
    line: str, named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    shown = capfd.readouterr().err
    assert ended.value.code == 2 and named in shown and len(shown.splitlines()) == 1, shown
    assert list(tmp_path.iterdir()) == []


def test_every_command_names_a_key_that_it_lacks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        with pytest.raises(SystemExit) as ended:
            main([name, "no_key=1"])
        assert ended.value.code == 2 and "no_key" in capfd.readouterr().err, name


def hint_of(config: type, key: str) -> Any:
    """Return the type of a key; Any of one of several types, which OmegaConf cannot tell apart."""
    first, _, rest = key.partition(".")
    hint = get_type_hints(config)[first]
    inner: Any = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)
    return hint_of(inner, rest) if rest else hint


def refusal(config: type, key: str, value: object) -> str:
    """Return what is said of a value of a key; nothing where it is taken."""
    given = OmegaConf.create({})
    OmegaConf.update(given, key, value, force_add=True)
    try:
        parse_config(config, given)
    except PickClutterError as error:
        return str(error)
    return ""


def test_every_key_refuses_a_value_of_another_type() -> None:
    for name in NAMES:
        load(name)
    for command in REGISTERED.values():
        for key in config_keys(command.config):
            said = [refusal(command.config, key, value) for value in (5, {"no": "such"})]
            assert hint_of(command.config, key) is Any or any(key in line for line in said), (command.name, key, said)


@pytest.mark.parametrize("text", ["the red mug", "rubik's cube", "back\\slash", "piles/the first.png"])
def test_the_first_word_needs_no_key(text: str) -> None:
    for words in ([text, "out=x.mp4"], ["out=x.mp4", text]):
        first, second = bare_words_as("phrase", words)
        parsed = OverridesParser.create().parse_override(first)
        assert (parsed.key_or_group, parsed.value(), second) == ("phrase", text, "out=x.mp4")


@pytest.mark.parametrize("words", [[], ["--help"], ["--cfg", "job"], ["~key", "out=x is no phrase"], ["phrase=a", "b"]])
def test_options_and_keys_stay_as_they_are(words: list[str]) -> None:
    assert bare_words_as("phrase", words) == words


def test_several_words_are_a_list() -> None:
    files, out = bare_words_as("files", ["rubik's cube.stl", "out=x", "b/model.obj"], several=True)
    value: Any = OverridesParser.create().parse_override(files).value()
    assert ([str(name) for name in value], out) == (["rubik's cube.stl", "b/model.obj"], "out=x")
