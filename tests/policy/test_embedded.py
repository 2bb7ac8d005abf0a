"""The policy that lies in the package, `open`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.paths import ROOT
from pickclutter_lang.kinds.kind_set import load_kind_set
from pickclutter_lang.objects.catalog import paper_catalog
from pickclutter_lang.policy.policy import LanguagePickPolicy
from pickclutter_lang.policy_folder.folder import CONFIG_FILE, EMBEDDED_POLICIES, load_config, policy_folder

FOLDER = ROOT / "assets" / "policies" / "open"


def test_the_name_of_an_embedded_policy_is_its_folder_unless_a_policy_of_that_name_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(EMBEDDED_POLICIES) == ["open", "ycb"]
    (tmp_path / "open").mkdir()
    assert policy_folder("open").resolve() == FOLDER.resolve()
    shutil.copy(FOLDER / CONFIG_FILE, tmp_path / "open")
    assert policy_folder("open") == Path("open")


def test_it_was_trained_on_kinds_and_on_no_name_of_y_ood() -> None:
    config = load_config("open")
    kinds = load_kind_set().catalog
    assert config.student.names == tuple(kinds.names)
    unseen = set(config.student.unseen_names or ())
    assert unseen == {kind.name for kind in kinds if kind.split == "ood"}
    assert {item.name for item in paper_catalog() if item.split == "ood"} <= unseen
    assert config.student.precision == "auto"
    assert config.student.phase == "distill" and config.student.cameras == ("hand",) and not config.student.depth


@pytest.mark.sim
def test_it_acts_on_kinds(tmp_path: Path) -> None:
    policy = LanguagePickPolicy.from_pretrained("open")
    env = policy.make_env("kinds", kinds=["mug", "banana", "hammer", "tennis ball", "sponge"])
    observation, _ = env.reset(seed=0)
    action, state = policy.predict(observation)
    assert env.action_space.contains(action) and state[0].detections[0].mask.shape == (256, 256)
    policy.save_pretrained(tmp_path / "saved")
    assert load_config(tmp_path / "saved") == load_config("open")
