"""Record golden values: `python tests/golden/record_golden.py REVISION [CASE ...]`; all cases, if none is named.

With `--of-class` as the first word, figures of a revision whose values are recorded already are recorded for this class
of machines beside them: some trainings turn other last bits into other figures.

Hashes of other classes of machines stay, unless what holds everywhere changed: then they are of other values, and go.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the toys

from golden_cases import CASES, RENDERED, measure
from golden_measures import differences, load_values, machine, save_values


def record(revision: str, cases: list[str], of_class: bool) -> None:
    """Measure cases and write their values into `values.json`.

    :param of_class: they are recorded of this revision already; their figures are those of this class of machines
    """
    values = load_values()
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(cases):
            if of_class and values["recorded"].get(case) != revision:
                sys.exit(f"error: {case} is recorded of {values['recorded'].get(case)}, not of {revision}")
            own = Path(folder) / str(number)
            own.mkdir()
            found = measure(case, Path(folder), own)
            near = {name: [_short(n) for n in one.near] for name, one in found.items()}
            here = machine(case in RENDERED)
            if of_class:
                values.setdefault("near_of_class", {}).setdefault(here, {})[case] = near
                continue
            if case in values["near"] and differences(case, found, values, ""):
                for hashes in values["exact"].values():
                    hashes.pop(case, None)
            values["recorded"][case], values["near"][case] = revision, near
            exact = {name: one.exact for name, one in found.items() if one.exact}
            values["exact"].setdefault(here, {})[case] = exact
    save_values(values)


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.10g}")


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--of-class"]
    record(words[0], words[1:] or list(CASES), len(words) < len(sys.argv[1:]))
