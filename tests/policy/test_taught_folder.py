"""The commands teach, forget and examples: what they write, what they refuse, and where a memory goes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import painted_observation
from PIL import Image

from helpers.hub_server import serve_hub
from helpers.paths import PROGRAM
from helpers.photos import photo
from helpers.policies import random_policy
from helpers.process_kill import run_killed
from helpers.small_disk import can_mount, on_small_disk
from helpers.torture import only_torture
from pickclutter_lang.commands import main
from pickclutter_lang.errors import CheckpointError, DatasetError, InvalidArgumentError
from pickclutter_lang.policy import torch_networks
from pickclutter_lang.policy.example_memory import load_examples
from pickclutter_lang.policy.hub import POLICY
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy.runtime import StudentRuntime
from pickclutter_lang.policy_folder.folder import (
    CONFIG_FILE,
    EXAMPLES_FILE,
    PICTURES,
    policy_fingerprint,
    policy_folder,
)
from pickclutter_lang.policy_making.config import PolicyExportConfig, RuntimeExportConfig, TeachConfig
from pickclutter_lang.policy_making.export_policy import export_policy
from pickclutter_lang.policy_making.taught_folder import forget, teach
from pickclutter_lang.utils.hub_files import pretrained_folder

SIDE = 128


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a policy, another one, one that was taught a pear by two photos, and images."""
    root = tmp_path_factory.mktemp("taught")
    for name, names in (("policy", ("lemon", "mug")), ("other", ("dice", "banana"))):
        random_policy(root / name, camera_size=SIDE, crop_size=SIDE, names=names)
    for name in ("pears", "empty", "text"):
        (root / name).mkdir()
    for n, size in enumerate((0.2, 0.15)):
        Image.fromarray(photo(300, (0.3 + 0.2 * n, 0.5, size))[0]).save(root / "pears" / f"{n}.jpg", quality=95)
    Image.fromarray(photo(300, (0.3, 0.3, 0.15), (0.7, 0.7, 0.15))[0]).save(root / "two.png")
    Image.fromarray(photo(300, (0.6, 0.6, 0.1), ground=90)[0]).save(root / "nut.png")
    Image.fromarray(photo(300)[0]).save(root / "blank.png")
    image, (mask, _) = photo(300, (0.3, 0.3, 0.15), (0.7, 0.7, 0.15))
    Image.fromarray(np.dstack([image, np.uint8(255) * mask])).save(root / "alpha.png")
    (root / "text" / "a.png").write_text("no image")
    teach(TeachConfig(str(root / "policy"), str(root / "mine"), ["pear"], str(root / "pears")))
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


REFUSED = [
    ("policy={} out={0}/new names=[nut] images={0}/two.png", "two.png"),
    ("policy={} out={0}/new names=[nut] images={0}/blank.png", "blank.png"),
    ("policy={} out={0}/new names=[nut] images={0}/empty", "empty"),
    ("policy={} out={0}/new names=[nut] images={0}/text", "a.png"),
    ("policy={} out={0}/new names=[nut] images={0}/nowhere.png", "nowhere.png"),
    ("policy={} out={0}/new names=[nut] images={0}/nut.png point=[nan,3]", "point"),
    ("policy={} out={0}/new names=[a,b] images={0}/nut.png", "names"),
    ("policy={} out={0}/new names=[nut]", "images"),
    ("policy={} out={0}/new names=[nut] objects=proxy box=[1,1,2,2]", "box"),
    ("policy={} out={0}/new names=[Pear] objects=proxy", "did you mean pear"),
    ("policy={} out={0}/new objects=kinds", "kinds"),
    ("policy={} out={0}/new objects=proxy shots=65", "shots"),
    ("policy={} out={0}/new scenes={0}/empty", "empty"),
    ("policy={0}/mine names=[pear] images={0}/nut.png", "pear"),
    ("policy={} out={0}/other names=[nut] images={0}/nut.png", "other"),
    ("policy=open names=[nut] images={0}/nut.png", "out"),
    ("policy={0}/nowhere out={0}/new names=[nut] images={0}/nut.png", "nowhere"),
]


@pytest.mark.parametrize(("line", "named"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_mistake_is_one_line_and_nothing_is_written(
    line: str, named: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = contents(place)
    with pytest.raises(SystemExit) as ended:
        main(["teach", *line.replace("={}", "={0}/policy").replace("{0}", str(place)).split()])
    said = capfd.readouterr().err
    assert ended.value.code == 2 and named in said and len(said.splitlines()) == 1, said
    assert contents(place) == before and not (place / "new").exists()


def test_the_commands_teach_list_and_forget(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    figure = tmp_path / "sheet.png"
    before = contents(mine)
    main(["teach", f"policy={mine}", "names=[pear]", f"images={place / 'pears'}"])  # the same again
    assert contents(mine) == before
    main(["teach", f"policy={mine}", "names=[the big nut]", f"images={place / 'nut.png'}"])
    main(["teach", f"policy={mine}", "names=[pear]", f"images={place / 'alpha.png'}", "add=true"])
    assert LanguagePickPolicy.load(mine).taught == {"big nut": 1, "pear": 3}
    assert policy_fingerprint(mine) != policy_fingerprint(place / "mine") != policy_fingerprint(place / "policy")
    main(["examples", f"policy={mine}", f"out={figure}"])
    assert "big nut: 1" in capsys.readouterr().out and Image.open(figure).size[0] > 96
    main(["forget", f"policy={mine}", "names=[big nut]"])
    assert LanguagePickPolicy.load(mine).taught == {"pear": 3} and len(list((mine / "examples").iterdir())) == 3
    forget(str(mine), ["pear"])
    assert contents(mine) == contents(place / "policy")
    known = f"forget policy={mine} names=[pear]"
    for line in (f"examples policy={mine} out={figure}", known, "forget policy=ycb names=[dice]"):
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert ended.value.code == 2
    teach(TeachConfig(str(place / "policy"), str(tmp_path / "again"), ["pear"], str(place / "pears")))
    assert contents(tmp_path / "again") == contents(place / "mine")


def test_upper_case_makes_no_other_name(place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    nut = str(place / "nut.png")
    with pytest.raises(InvalidArgumentError, match="pear has 2 examples"):
        teach(TeachConfig(str(mine), None, ["The Pear"], nut))
    teach(TeachConfig(str(mine), None, ["LEMON"], nut))  # as the policy spells it
    assert LanguagePickPolicy.load(mine).taught == {"lemon": 1, "pear": 2}
    forget(str(mine), ["Lemon", "PEAR"])
    assert contents(mine) == contents(place / "policy")


def test_no_other_policy_takes_the_place_of_what_was_taught(place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    before = contents(mine)
    with pytest.raises(InvalidArgumentError, match="would be lost"):
        LanguagePickPolicy.load(place / "policy").save_pretrained(mine)
    with pytest.raises(DatasetError, match="alpha"):  # a folder of images, or of anything else
        LanguagePickPolicy.load(place / "policy").save_pretrained(place)
    with pytest.raises(InvalidArgumentError, match="would be lost"):
        export_policy(PolicyExportConfig(str(tmp_path / "run"), out=str(mine)))
    assert contents(mine) == before
    teach(TeachConfig(str(mine), None, ["nut"], str(place / "nut.png")))
    LanguagePickPolicy.load(mine).save_pretrained(tmp_path / "copy")
    teach(TeachConfig(str(tmp_path / "copy"), None, ["pear"], str(place / "alpha.png"), add=True))
    LanguagePickPolicy.load(tmp_path / "copy").save_pretrained(mine)  # it knows all that was known there
    assert LanguagePickPolicy.load(mine).taught == {"nut": 1, "pear": 3}


def shown(name: str, policy: LanguagePickPolicy, seed: int = 0) -> LanguagePickPolicy:
    image = np.roll(photo(300, (0.3, 0.5, 0.2))[0], seed, axis=2)
    policy.teach(image, name)
    return policy


def test_a_save_drops_nothing_that_the_policy_did_not_know(place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    late, early = LanguagePickPolicy.load(mine), LanguagePickPolicy.load(mine)
    shown("nut", early).save_pretrained(mine)
    before = contents(mine)
    for policy, out in ((shown("bolt", late), mine), (LanguagePickPolicy.load(place / "mine"), mine)):
        with pytest.raises(InvalidArgumentError, match="would be lost"):
            policy.save_pretrained(out)
    assert contents(mine) == before
    early.forget("pear")
    early.save_pretrained(mine)
    assert LanguagePickPolicy.load(mine).taught == {"nut": 1}
    described = json.loads((mine / CONFIG_FILE).read_text())
    described["thresholds"]["default"] = 0.9
    (mine / CONFIG_FILE).write_text(json.dumps(described))
    with pytest.raises(CheckpointError, match="was changed"):
        early.save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("out", [None, 3, b"x", "a\0b", "s3://bucket/x", ""])
def test_what_is_no_path_is_named(out: Any, place: Path) -> None:
    policy = LanguagePickPolicy.load(place / "policy")
    with pytest.raises(InvalidArgumentError, match="path"):
        policy.save_pretrained(out)


SAVE = """
import sys
from contextlib import suppress
from pathlib import Path
import numpy as np
from PIL import Image
from pickclutter_lang.errors import DatasetError
from pickclutter_lang.policy.policy import LanguagePickPolicy
folder, image, filler = sys.argv[1:]
policy = LanguagePickPolicy.load(folder)
policy.teach(np.asarray(Image.open(image)), "nut")
with suppress(OSError), open(filler, "wb", buffering=0) as stream:
    while filler != "/dev/null":
        stream.write(bytes(4096))
try:
    policy.save_pretrained(folder)
except DatasetError as error:
    print(error)
print(LanguagePickPolicy.load(folder).taught)
"""
"""Teaches the policy of a folder an image, fills the disk, and saves the policy into its own folder."""


def test_a_killed_save_over_itself_loses_nothing(place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    (tmp_path / "save.py").write_text(SAVE)
    words = [str(tmp_path / "save.py"), str(mine), str(place / "nut.png"), "/dev/null"]
    run_killed(words, "pickclutter_lang.utils.io:fsync", 1, tmp_path)
    assert LanguagePickPolicy.load(mine).taught == {"pear": 2}
    teach(TeachConfig(str(mine), None, ["nut"], str(place / "nut.png")))  # takes away what the killed one left
    assert not [path for path in mine.rglob("*") if path.name.startswith(".")]


@can_mount
def test_a_save_over_itself_on_a_full_disk_loses_nothing(place: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    save = [sys.executable, "-c", SAVE, str(disk / "mine"), str(place / "nut.png"), str(disk / "filler")]
    words = ["sh", "-c", f"cp -r {place / 'mine'} {disk} && {shlex.join(save)}"]
    done = on_small_disk(disk, "100m", words)
    assert "No space left" in done.stdout and "{'pear': 2}" in done.stdout, done.stdout + done.stderr


def test_links_and_leftovers_lead_nowhere(place: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    precious = tmp_path / "precious"
    precious.write_text("kept")
    for number in range(os.getpid(), os.getpid() + 3):
        (mine / f".{EXAMPLES_FILE}.{number}.tmp").symlink_to(precious)
    teach(TeachConfig(str(mine), None, ["nut"], str(place / "nut.png")))
    assert precious.read_text() == "kept"
    pictures = shutil.move(mine / "examples", tmp_path / "elsewhere")
    for name, target in (
        ("examples", pictures),
        (EXAMPLES_FILE, "nowhere"),
        (EXAMPLES_FILE, place / "mine" / EXAMPLES_FILE),
    ):
        shutil.rmtree(tmp_path / "linked", ignore_errors=True)
        linked = shutil.copytree(place / "mine", tmp_path / "linked", ignore=shutil.ignore_patterns(name))
        (linked / name).symlink_to(target)
        with pytest.raises(CheckpointError, match="without links"):
            forget(str(linked), ["pear"])
    assert len(list(Path(pictures).iterdir())) == 3
    picture = next((place / "mine" / "examples").iterdir()).name
    linked = shutil.copytree(place / "mine", tmp_path / "picture")
    (linked / "examples" / picture).unlink()
    (linked / "examples" / picture).symlink_to("/etc/passwd")
    with pytest.raises(CheckpointError, match="without links"):
        LanguagePickPolicy.load(linked).save_pretrained(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_threads_lose_nothing(place: Path) -> None:
    policy = LanguagePickPolicy.load(place / "policy")
    names = [f"thing {n}" for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: shown(name, policy, int(name[6:]) % 3), names))
    assert policy.taught == dict.fromkeys(names, 1)


def test_another_release_of_the_embedded_policy_is_named(tmp_path: Path) -> None:
    mine = shutil.copytree(policy_folder("ycb"), tmp_path / "mine")
    described = json.loads((mine / CONFIG_FILE).read_text())
    described["sha256"]["weights.safetensors"] = "0" * 64
    (mine / CONFIG_FILE).write_text(json.dumps(described))
    with pytest.raises(CheckpointError, match="another open"):
        LanguagePickPolicy.load(mine)


def test_a_damaged_memory_stops_each_command(place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    (mine / EXAMPLES_FILE).write_bytes((mine / EXAMPLES_FILE).read_bytes()[:-1])
    before = contents(mine)
    asked = f"names=[nut] images={place / 'nut.png'}"
    for line in (f"teach policy={mine} {asked}", f"forget policy={mine} names=[pear]", f"examples policy={mine}"):
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert ended.value.code == 2 and EXAMPLES_FILE in capfd.readouterr().err and contents(mine) == before
    with pytest.raises(CheckpointError, match=EXAMPLES_FILE):
        LanguagePickPolicy.load(mine)


@pytest.mark.slow
@only_torture
def test_a_killed_teach_leaves_a_whole_policy_or_none(place: Path, tmp_path: Path) -> None:
    words = ["teach", f"policy={place / 'policy'}", "names=[pear]", f"images={place / 'pears'}"]
    run_killed([*PROGRAM, *words, f"out={tmp_path / 'out'}"], "pickclutter_lang.utils.io:fsync", 9, tmp_path)
    assert not (tmp_path / "out" / CONFIG_FILE).exists()
    mine = shutil.copytree(place / "mine", tmp_path / "mine")
    words = ["teach", f"policy={mine}", "names=[nut]", f"images={place / 'nut.png'}"]
    run_killed([*PROGRAM, *words], "pickclutter_lang.utils.io:fsync", 3, tmp_path)  # of the memory
    assert LanguagePickPolicy.load(mine).taught == {"pear": 2}
    for policy, out, name, images in (("policy", "out", "pear", "pears"), (str(mine), "mine", "nut", "nut.png")):
        teach(TeachConfig(str(place / policy), str(tmp_path / out), [name], str(place / images)))
    assert contents(tmp_path / "out") == contents(place / "mine")
    assert LanguagePickPolicy.load(mine).taught == {"nut": 1, "pear": 2} and not list(mine.glob(".*"))


def test_a_memory_goes_to_the_hub_and_back(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serve_hub() as hub:
        LanguagePickPolicy.load(place / "mine").push_to_hub("me/picker", token="t", endpoint=hub.address)
        fetched = pretrained_folder("me/picker", POLICY, cache_dir=tmp_path, endpoint=hub.address)
    assert load_examples(fetched).files() == load_examples(place / "mine").files() != {}
    pictures = sorted(path.name for path in (place / "mine" / PICTURES).glob("*.png"))
    assert len(pictures) == 2
    for name in pictures:
        assert (fetched / PICTURES / name).read_bytes() == (place / "mine" / PICTURES / name).read_bytes()
    assert policy_fingerprint(fetched) == policy_fingerprint(place / "mine")


@pytest.mark.slow
def test_onnx_knows_what_was_taught_and_is_taught_more(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript", reason="needs the extra export")
    from pickclutter_lang.policy_making.export_runtime import export_runtime

    monkeypatch.setattr(torch_networks, "resolve_bf16", lambda *_: False)
    out, bare = (
        export_runtime(RuntimeExportConfig(str(place / name), out=str(tmp_path / name))).folder
        for name in ("mine", "policy")
    )
    policies = [LanguagePickPolicy.load(folder) for folder in (place / "mine", out)]
    assert isinstance(policies[1].detector.student, StudentRuntime)  # type: ignore[attr-defined]
    for seed in range(3):
        look = painted_observation(SIDE, seed)
        ours, theirs = (policy.detector(look, "pear") for policy in policies)
        assert ours.score == pytest.approx(theirs.score, abs=1e-3)
        np.testing.assert_array_equal(ours.mask, theirs.mask)
    teach(TeachConfig(str(out), None, ["nut"], str(place / "nut.png")))
    assert LanguagePickPolicy.load(out).taught == {"nut": 1, "pear": 2}
    with pytest.raises(CheckpointError, match="crop encoder"):
        teach(TeachConfig(str(bare), None, ["nut"], str(place / "nut.png")))


@pytest.mark.sim
def test_rendered_objects_are_found_in_piles(tmp_path: Path) -> None:
    names = ["banana", "hammer", "mustard bottle", "tennis ball"]
    found = teach(TeachConfig("open", str(tmp_path / "mine"), names, objects="proxy", shots=2))
    assert found.taught == tuple(names) and {found.count(name) for name in names} == {2}
    policy = LanguagePickPolicy.load(tmp_path / "mine")
    env = policy.make_env("proxy")
    scores: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(4):
        look, _ = env.reset(seed=seed)
        base: Any = env.unwrapped
        there = {base.object_set.catalog.find(actor["model_id"]).name for actor in base.episode["actors"]}
        for name, one in zip(names, policy.detector.detect(look, names), strict=True):  # type: ignore[attr-defined]
            scores[name in there].append(one.score)
    assert np.mean(scores[True]) > 0.6 and np.mean(scores[False]) < 0.4, scores
