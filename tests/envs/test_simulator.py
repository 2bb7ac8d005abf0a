"""Which simulator is taken: the one that is installed, and a clear error where there is none or both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pickclutter_lang import errors
from pickclutter_lang.demonstrations.config import CollectDemosConfig
from pickclutter_lang.envs import simulator
from pickclutter_lang.envs.config import CollectConfig
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cached = simulator.simulator
    cached.cache_clear()
    yield
    cached.cache_clear()


def install(packages: set[str], version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (simulator, errors):
        monkeypatch.setattr(module, "find_spec", lambda name: name if name in packages else None)
    monkeypatch.setattr(simulator, "installed_version", lambda name: version)


@pytest.mark.parametrize(
    ("packages", "version", "found"),
    [
        ({"mani_skill2", "sapien"}, "2.2.2", "maniskill2"),
        ({"mani_skill", "sapien"}, "3.0.3", "maniskill3"),
        ({"mani_skill2", "mani_skill", "sapien"}, "3.0.3", InvalidArgumentError),
        ({"mani_skill2", "sapien"}, "3.0.3", InvalidArgumentError),
        ({"mani_skill"}, None, MissingExtraError),
        (set(), None, MissingExtraError),
    ],
)
def test_the_installed_one_is_taken(
    packages: set[str], version: str | None, found: str | type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(packages, version, monkeypatch)
    if isinstance(found, str):
        assert simulator.simulator().name == found
        return
    with pytest.raises(found, match="sim"):
        simulator.simulator()


def test_a_simulator_that_is_asked_for_is_the_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = CollectConfig(out="scenes", simulator="maniskill3")
    install(set(), None, monkeypatch)
    with pytest.raises(MissingExtraError, match="sim3"):
        wanted.validate()
    install({"mani_skill", "sapien"}, "3.0.3", monkeypatch)
    wanted.validate()
    with pytest.raises(InvalidArgumentError, match="train-ppo"):
        simulator.require_simulator("maniskill2", "train-ppo")
    CollectDemosConfig(out="demos", simulator="maniskill3").validate()
    simulator.simulator.cache_clear()
    install({"mani_skill2", "sapien"}, "2.2.2", monkeypatch)
    with pytest.raises(InvalidArgumentError, match="simulator=maniskill3"):
        wanted.validate()
