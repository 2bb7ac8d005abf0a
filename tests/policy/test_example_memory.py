"""The memory of a policy: its answers against plain NumPy, its file, and files that are none of its own."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from pickclutter_lang.errors import CheckpointError, InvalidArgumentError, UnknownObjectError
from pickclutter_lang.policy import example_memory as memory
from pickclutter_lang.policy.example_memory import (
    MAX_EXAMPLES,
    MAX_NAMES,
    CropMetric,
    ExampleMemory,
    crop_metric,
    load_examples,
)
from pickclutter_lang.policy_folder.folder import EXAMPLES_FILE, learned_bytes
from pickclutter_lang.utils.typing import Float32Array

WIDTH = 256
RIVALS = 300
BETA = 8.0
COHORT = 100


def unit(count: int, seed: int, width: int = WIDTH) -> Float32Array:
    """Return keys around one direction, so that their cosines differ."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, width)) + 1.5 * np.random.default_rng(seed % 7).normal(size=width)
    out: Float32Array = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return out


@pytest.fixture(scope="module")
def metric() -> CropMetric:
    return CropMetric("", "", np.zeros(WIDTH, np.float32), (np.eye(WIDTH, dtype=np.float32),), unit(RIVALS, 1))


def memory_of(*parts: tuple[str, int, int, int]) -> ExampleMemory:
    """Return a memory of names with a number of keys and of rivals each, by seeds."""
    out = ExampleMemory(crop_metric().encoder)
    for name, count, beside, seed in parts:
        out = out.add(name, unit(count, seed), unit(beside, seed + 100))
    return out


def similarity(crop: Float32Array, keys: Float32Array) -> float:
    return 1 + float(np.log(np.mean([np.exp(-BETA * (1 - float(crop @ key))) for key in keys]))) / BETA


def plain_log_odds(found: ExampleMemory, crops: Float32Array, metric: CropMetric) -> list[list[float]]:
    """Adaptive score normalization and rivalry, one crop and one name at a time."""
    rows = []
    for crop in crops.astype(np.float64):
        scores = []
        for name in sorted(set(found.names)):
            keys = np.array([k for k, owner in zip(found.keys, found.names, strict=True) if owner == name])
            beside = [k for k, owner in zip(found.rivals, found.rival_names, strict=True) if owner == name]
            rivals = [*metric.rivals, *beside]
            of_name = sorted((similarity(rival, keys) for rival in rivals), reverse=True)[:COHORT]
            of_crop = sorted((float(crop @ rival) for rival in rivals), reverse=True)[:COHORT]
            raw = similarity(crop, keys)
            scores.append(np.mean([(raw - np.mean(cohort)) / np.std(cohort) for cohort in (of_name, of_crop)]))
        row = []
        for n, score in enumerate(scores):
            rival = max([0.0, *scores[:n], *scores[n + 1 :]])
            row.append(0.93 * (float(score) - 0.5 * rival) - 0.36)
        rows.append(row)
    return rows


@pytest.mark.parametrize("rivals", [RIVALS, COHORT])
@pytest.mark.parametrize(
    "parts",
    [(("mug", 1, 0, 2),), (("mug", 3, 4, 2),), (("mug", 1, 5, 2), ("bolt", 4, 0, 3), ("a", 2, 120, 4))],
    ids=["one", "shots", "names"],
)
def test_log_odds_are_those_of_the_formula(
    metric: CropMetric, parts: tuple[tuple[str, int, int, int], ...], rivals: int
) -> None:
    fewer = replace(metric, rivals=metric.rivals[:rivals])
    found = memory_of(*parts)
    crops = np.concatenate([unit(6, 9), found.keys[:2], unit(2, 3)])
    odds = found.log_odds(crops, fewer)
    np.testing.assert_allclose(odds, plain_log_odds(found, crops, fewer), atol=2e-3)
    assert odds.shape == (len(crops), len(parts))
    np.testing.assert_allclose(found.log_odds(crops[::-1], fewer)[::-1], odds, atol=1e-4)
    assert found.log_odds(crops[:0], fewer).shape == (0, len(parts))


def test_equal_examples_make_equal_files_in_any_order_and_count_once(metric: CropMetric, tmp_path: Path) -> None:
    keys, beside = unit(4, 2), unit(3, 5)
    parts = [("mug", keys[:1], beside[:2]), ("mug", keys[1:2], beside[1:]), ("a bolt", keys[2:], beside[:0])]
    made = []
    for order in permutations([*parts, parts[0]]):
        found = ExampleMemory(crop_metric().encoder)
        for part in order:
            found = found.add(*part)
        made.append(found)
    assert len({found.files()[EXAMPLES_FILE] for found in made}) == 1
    assert made[0].taught == ("bolt", "mug") and made[0].count("mug") == 2 == made[0].count("bolt")
    answers = {found.log_odds(unit(5, 3), metric).tobytes() for found in made}
    assert len(answers) == 1
    made[0].save(tmp_path)
    again = load_examples(tmp_path)
    assert again.files() == made[0].files() and again.log_odds(unit(5, 3), metric).tobytes() in answers


def test_forgetting_restores_the_former_memory(tmp_path: Path) -> None:
    empty = ExampleMemory(crop_metric().encoder)
    one = memory_of(("mug", 3, 4, 2))
    two = one.add("bolt", unit(2, 3), unit(2, 4))
    assert two.forget(["bolt"]).files() == one.files() and one.forget([" the mug "]).files() == empty.files() == {}
    one.save(tmp_path)
    two.forget(["bolt", "mug"]).save(tmp_path)
    assert list(tmp_path.iterdir()) == [] and load_examples(tmp_path).taught == ()
    for names in (["nut"], ["mug", "nut"]):
        with pytest.raises(UnknownObjectError, match="nut"):
            two.forget(names)


def test_a_memory_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    full = memory_of(("mug", MAX_EXAMPLES, 0, 2))
    assert full.add("mug", full.keys[:3], full.keys[:0]).count("mug") == MAX_EXAMPLES  # known ones
    with pytest.raises(InvalidArgumentError, match=f"{MAX_EXAMPLES}"):
        full.add("mug", unit(1, 3), full.keys[:0])
    names = tuple(f"name {n:04d}" for n in range(MAX_NAMES))
    many = ExampleMemory(full.encoder, names, unit(MAX_NAMES, 4))
    with pytest.raises(InvalidArgumentError, match=f"{MAX_NAMES}"):
        many.add("mug", unit(1, 3), full.keys[:0])
    monkeypatch.setattr(memory, "_MAX_BYTES", 1000)
    with pytest.raises(InvalidArgumentError, match="MB"):
        full.files()
    for name in ("", "  ", "two\nlines", "bell\x07", "x" * 10_000):
        with pytest.raises(InvalidArgumentError):
            full.add(name, unit(1, 3), full.keys[:0])


def written(path: Path, about: dict[str, Any], **tensors: Any) -> None:
    """Write a memory by hand, with the hash that it should have."""
    about = {"schema": "2", "encoder": crop_metric().encoder, "names": ["mug"], "rival_names": [], **about}
    given = {"keys": unit(1, 2), "rivals": np.zeros((0, 0), np.float32), **tensors}
    path.write_bytes(learned_bytes("examples", given, about))


DAMAGE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "width": ({}, {"keys": unit(1, 2, 64)}),
    "axes": ({}, {"keys": unit(1, 2)[0]}),
    "type": ({}, {"keys": unit(1, 2).astype(np.float64)}),
    "whole": ({}, {"keys": np.eye(1, WIDTH, dtype=np.int32)}),
    "length": ({}, {"keys": 5 * unit(1, 2)}),
    "nan": ({}, {"keys": np.full((1, WIDTH), np.nan, np.float32)}),
    "names": ({"names": ["mug", "bolt"]}, {}),
    "rivals": ({}, {"rivals": unit(1, 2)}),
    "rival width": ({"rival_names": ["mug"]}, {"rivals": unit(1, 2, 64)}),
    "schema": ({"schema": "1"}, {}),
    "line": ({"names": ["two\nlines"]}, {}),
    "list": ({"names": "mug"}, {}),
    "encoder": ({"encoder": "0" * 64}, {}),
    "nothing": ({"names": []}, {"keys": np.zeros((0, 0), np.float32)}),
    "many names": ({"names": [f"mug {n}" for n in range(MAX_NAMES + 1)]}, {"keys": unit(MAX_NAMES + 1, 2)}),
    "many examples": ({"names": ["mug"] * (MAX_EXAMPLES + 1)}, {"keys": unit(MAX_EXAMPLES + 1, 2)}),
    "rivals of another": ({"rival_names": ["bolt"]}, {"rivals": unit(1, 2)}),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_memory_of_another_form_is_refused(case: str, tmp_path: Path) -> None:
    about, tensors = DAMAGE[case]
    written(tmp_path / EXAMPLES_FILE, {})
    assert load_examples(tmp_path).files() == memory_of(("mug", 1, 0, 2)).files()  # so far it is one
    written(tmp_path / EXAMPLES_FILE, about, **tensors)
    with pytest.raises(CheckpointError, match=EXAMPLES_FILE):
        load_examples(tmp_path)


def test_a_memory_of_too_many_levels_is_damaged(tmp_path: Path) -> None:
    (tmp_path / EXAMPLES_FILE).write_bytes(save({"keys": unit(1, 2)}, {"examples": "[" * 100_000}))
    with pytest.raises(CheckpointError, match=EXAMPLES_FILE):
        load_examples(tmp_path)


def test_a_memory_of_an_earlier_release_has_each_name_in_one_spelling(tmp_path: Path) -> None:
    names = ["Mug", "the mug", "mug", " nut "]
    written(tmp_path / EXAMPLES_FILE, {"names": names, "rival_names": ["mug"]}, keys=unit(4, 2), rivals=unit(1, 3))
    found = load_examples(tmp_path)
    assert found.names == ("Mug",) * 3 + ("nut",) and found.rival_names == ("Mug",)
    assert found.log_odds(unit(1, 4), crop_metric()).shape == (1, 2)
    found.save(tmp_path)
    assert load_examples(tmp_path).files() == found.files()


def test_no_bit_of_a_memory_may_flip(tmp_path: Path) -> None:
    found = memory_of(("mug", 2, 1, 2))
    path = tmp_path / EXAMPLES_FILE
    found.save(tmp_path)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    start = 8 + int.from_bytes(data[:8], "little")
    for place in (*rng.integers(0, start, 60).tolist(), *rng.integers(start, len(data), 20).tolist()):
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << int(rng.integers(8)))]) + data[place + 1 :])
        try:
            assert load_examples(tmp_path).files() == found.files(), place  # a space of the header
        except CheckpointError as error:
            assert EXAMPLES_FILE in str(error)
    for size in (0, 4, 8, 100, start, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(CheckpointError, match=EXAMPLES_FILE):
            load_examples(tmp_path)
    assert set(load(data)) == {"keys", "rivals"}
