"""Golden values: what small stores, runs, policies, teachers and tables came to before the package was rebuilt.

Each case of `values.json` names the revision that it was recorded at: 3ef96b3, or a later one that meant to change it.
It was recorded by

    OMP_NUM_THREADS=1 python tests/golden/record_golden.py REVISION

Rendering and arithmetic differ in their last bits from machine to machine. So cases are of what is stable, such as a
few small steps, and figures are compared to a tolerance, the same one everywhere.
A change that is meant to change results records its cases anew, and says so.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_cases import CASES, LEARNED, MADE, RENDERED, measure
from golden_measures import differences, load_values

VALUES = load_values()


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What cases share."""
    return tmp_path_factory.mktemp("inputs")


def check(case: str, inputs: Path, folder: Path) -> None:
    lines = differences(measure(case, inputs, folder), VALUES["figures"][case])
    assert not lines, "\n".join([f"{case}, recorded / found:", *lines])


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("case", RENDERED)
def test_rendered(case: str, inputs: Path, tmp_path: Path) -> None:
    pytest.importorskip("sapien")
    check(case, inputs, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("case", LEARNED)
def test_learned(case: str, inputs: Path, tmp_path: Path) -> None:
    check(case, inputs, tmp_path)


@pytest.mark.parametrize("case", MADE)
def test_made(case: str, inputs: Path, tmp_path: Path) -> None:
    check(case, inputs, tmp_path)


def test_every_value_has_its_case() -> None:
    assert VALUES["figures"].keys() == CASES.keys() == VALUES["recorded"].keys()
