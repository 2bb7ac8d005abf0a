"""What a person may mistype: one line that names the key, status 2, and nothing left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from pickclutter_lang.commands import COMMANDS, load, main
from pickclutter_lang.commands.app import REGISTERED, key_types, parse_config
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
    ("teach --seed 1", "write seed=1"),
    ("teach --seed=1", "write seed=1"),
    ("train-affordance --num-threads 3 out=o", "write num_threads=3"),
    ("evaluate-policy --run runs/x", "write run=runs/x"),
    ("help teech", "did you mean teach"),
    ("teach names=a images= out=o", "'images='"),
    ("teach names=a images='' out=o", "images="),
    ("forget policy=open names=[]", "one name or more"),
    ("train-affordance method=cls,best out=o", "cls,best"),
    (f"forget policy=p names={'[' * 5000}{']' * 5000}", "fewer levels"),
    (f"train-affordance seed={'[' * 300}1{']' * 300} out=o", "fewer levels"),
    # settings of hydra itself
    *(
        (f"{command} {override}", override)
        for command in ("teach out=o", "train-affordance out=o")
        for override in (
            "hydra.run.dir=evil",
            "hydra.job.chdir=true",
            "hydra={}",
            "hydra/job_logging=default",
            "hydra.output_subdir=x",
            "+hydra.job_logging={version:1}",
            "hydra.mode=MULTIRUN",
            "hydra.searchpath=[file:///etc]",
            "++hydra.verbose=true",
            "hydra.launcher._target_=os.system",
            "hydra.sweeper._target_=os.system",
            "~hydra",
            "+teacher@hydra.run=pocket",
            "hydra.launcher.x={_target_:os.system}",
        )
    ),
    ("teach out=o hydra/launcher=basic", "hydra/launcher=basic"),
    ("train-affordance distill=5 out=o", "distill"),
    ("train-affordance out=${nothing}", "nothing"),
    # types and ranges
    ("train-affordance seed=abc out=o", "seed"),
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
    ("teach policy=open out=mitü/bin names=[löffel,gabel] images=ü.png", "but got 2"),
]


@pytest.mark.parametrize(("line", "named"), MISTAKES, ids=[line[:90] for line, _ in MISTAKES])
def test_a_mistake_is_one_line(
    line: str, named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(line.split()))
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
        for key, hint in key_types(command.config).items():
            said = [refusal(command.config, key, value) for value in (5, {"no": "such"})]
            assert hint is Any or any(key in line for line in said), (command.name, key, said)


@pytest.mark.parametrize("value", [False, None, 7])
def test_a_preset_has_texts_where_a_key_takes_texts(value: object) -> None:
    load("train-affordance")
    said = refusal(REGISTERED["train_affordance"].config, "report_to", [value])
    assert "report_to[0]: expected str" in said and "put quotes around a text" in said
