"""Record golden values: `python tests/golden/record_golden.py REVISION [CASE ...]`; all cases, if none is named."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the toys

from golden_cases import CASES, measure
from golden_measures import load_values, save_values


def record(revision: str, cases: list[str]) -> None:
    """Measure cases and write their values into `values.json`."""
    values = load_values()
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases):
            own = Path(folder) / str(number)
            own.mkdir()
            found = measure(case, Path(folder), own)
            values["recorded"][case] = revision
            values["figures"][case] = {name: [_short(n) for n in one.figures] for name, one in found.items()}
    save_values(values)


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.10g}")


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2:] or list(CASES))
