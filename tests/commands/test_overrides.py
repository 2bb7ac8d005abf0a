"""What a person may leave out of an override, and what hydra reads of it."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from pickclutter_lang.commands import COMMANDS, load
from pickclutter_lang.commands.app import REGISTERED, bare_words_as
from pickclutter_lang.utils.words import as_hydra_reads

PARSER = OverridesParser.create()
HINTS = {
    "names": list[str],
    "kinds": tuple[str, ...],
    "variants": list[str] | None,
    "point": list[float] | None,
    "seeds": list[int],
    "out": str | None,
    "seed": int,
    "objects": Any,
    "camera": DictConfig,
}
READ = [
    ("names=pear", ["pear"]),
    ("names=pear,lemon", ["pear", "lemon"]),
    ("names=[pear]", ["pear"]),
    ("names=[pear,'red mug']", ["pear", "red mug"]),
    ("names= red mug , lemon", ["red mug", "lemon"]),
    ("names=bob's mug,lemon", ["bob's mug", "lemon"]),
    ("names=[bob's mug,lemon]", ["bob's mug", "lemon"]),
    ("names=Löffel,杯子,🍎", ["Löffel", "杯子", "🍎"]),
    ('names="salt, pepper",mug (red)', ["salt, pepper", "mug (red)"]),
    ("names=no,null,true,007,1e3", ["no", "null", "true", "007", "1e3"]),
    ("names=[null]", ["null"]),
    ("names=two\nlines", ["two\nlines"]),
    ("names=[]", []),
    ("+kinds=mug", ["mug"]),
    ("variants=null", None),
    ("variants=oracle", ["oracle"]),
    ("point=96,160.5", [96, 160.5]),
    ("seeds=1", [1]),
    ("out=a, b's", "a, b's"),
    ("out=2024", "2024"),
    ("out=True", "True"),
    ("out=nan", "nan"),
    ("names=infra,nullable,NULL", ["infra", "nullable", "NULL"]),
    ("out='2024'", "2024"),
    ("out=null", None),
    ("out=${policy}/x", "${policy}/x"),
    ("seed=3", 3),
    ("objects=ycb,./my own", ["ycb", "./my own"]),
    ("objects=größe", "größe"),
    ("objects=0.5,1", [0.5, 1]),
    ("camera={fov:60}", {"fov": 60}),
    ("unknown=ü", "ü"),
]


@pytest.mark.parametrize(("word", "value"), READ, ids=[word for word, _ in READ])
def test_texts_need_no_quotes_and_lists_no_brackets(word: str, value: object) -> None:
    written = as_hydra_reads(word, HINTS, sweeps=False)
    assert PARSER.parse_override(written).value() == value
    assert as_hydra_reads(written, HINTS, sweeps=False) == written


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("seed=0,1", ["0", "1"]),
        ("seed=range(0,2)", ["0", "1"]),
        ("out=a b,ü", ["'a b'", "'ü'"]),
        ("names=pear,red mug", ["[pear]", "['red mug']"]),
        ("names=[pear,lemon],[mug]", ["[pear,lemon]", "[mug]"]),
        ("objects=ycb,proxy", ["ycb", "proxy"]),
    ],
)
def test_in_a_sweep_commas_are_between_runs(word: str, values: list[str]) -> None:
    override = PARSER.parse_override(as_hydra_reads(word, HINTS, sweeps=True))
    assert list(override.sweep_string_iterator()) == values


def test_a_sweep_may_have_a_list_for_each_run() -> None:
    assert as_hydra_reads("names=[pear,lemon]", HINTS, sweeps=True) == "names=[pear,lemon]"
    assert as_hydra_reads("names=[red mug]", HINTS, sweeps=True) == "names=['red mug']"


@pytest.mark.parametrize("word", ["out=paper_resnet", "out=runs/2024-b", "seed=3", "names=[pear,a.b]", "objects=ycb"])
def test_what_hydra_reads_stays_as_it_is(word: str) -> None:
    """Sweeps compare overrides as texts."""
    assert as_hydra_reads(word, HINTS, sweeps=False) == word


def test_every_list_of_every_command_needs_no_brackets() -> None:
    for group in COMMANDS.values():
        for name in group:
            load(name)
    count = 0
    for command in REGISTERED.values():
        for key, hint in command.types.items():
            kind: Any = next((one for one in (hint, *get_args(hint)) if get_origin(one) in (list, tuple)), None)
            if kind is None:
                continue
            item = "a b" if str in get_args(kind) else 2
            written = as_hydra_reads(f"{key}={item},{item}", command.types, sweeps=False)
            assert PARSER.parse_override(written).value() == [item, item], (command.name, key)
            count += 1
    assert count >= 40


@pytest.mark.parametrize("text", ["the red mug", "rubik's cube", "back\\slash", "piles/the first.png"])
def test_the_first_word_needs_no_key(text: str) -> None:
    for words in ([text, "out=x.mp4"], ["out=x.mp4", text]):
        first, second = bare_words_as("phrase", words)
        parsed = PARSER.parse_override(as_hydra_reads(first, {"phrase": str}, sweeps=False))
        assert (parsed.key_or_group, parsed.value(), second) == ("phrase", text, "out=x.mp4")


@pytest.mark.parametrize("words", [[], ["--help"], ["--cfg", "job"], ["~key", "out=x is no phrase"], ["phrase=a", "b"]])
def test_options_and_keys_stay_as_they_are(words: list[str]) -> None:
    assert bare_words_as("phrase", words) == words


def test_several_words_are_a_list() -> None:
    files, out = bare_words_as("files", ["rubik's cube.stl", "out=x", "b/model.obj"], several=True)
    value: Any = PARSER.parse_override(as_hydra_reads(files, {"files": tuple[str, ...]}, sweeps=False)).value()
    assert ([str(name) for name in value], out) == (["rubik's cube.stl", "b/model.obj"], "out=x")
