"""Which simulator is taken: the one that is installed, and a clear error where there is none or both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pickclutter_lang.envs import simulator
from pickclutter_lang.errors import InvalidArgumentError, MissingExtraError


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cached = simulator.installed_simulator
    cached.cache_clear()
    yield
    cached.cache_clear()


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
    monkeypatch.setattr(simulator, "find_spec", lambda name: name if name in packages else None)
    monkeypatch.setattr(simulator, "installed_version", lambda name: version)
    if isinstance(found, str):
        assert simulator.installed_simulator() == found
        return
    with pytest.raises(found, match="sim"):
        simulator.installed_simulator()


def test_what_maniskill_3_has_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "installed_simulator", lambda: "maniskill3")
    with pytest.raises(InvalidArgumentError, match="train-ppo"):
        simulator.require_maniskill2("train-ppo")
