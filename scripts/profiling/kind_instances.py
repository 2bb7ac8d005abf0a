"""Instances of kinds that one core makes and writes per second: mesh, hulls and texture together.

Writes instances of every kind, or of those named, to a temporary folder, and prints the milliseconds of each kind for
making and writing one, slowest last, and the rate over all kinds. Set OMP_NUM_THREADS=1 to measure one core.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from pickclutter_lang.objects.kinds import Kind, all_kinds, find_kinds
from pickclutter_lang.objects.kinds.writing import write_instance


def measure(kind: Kind, instances: int, folder: Path) -> tuple[float, float]:
    """Return the mean seconds of making and of writing an instance."""
    start, spent = time.process_time(), np.zeros(2)
    for seed in range(instances):
        instance = kind.instance(seed)
        made = time.process_time()
        write_instance(instance, folder / kind.model_id(seed))
        end = time.process_time()
        spent += (made - start, end - made)
        start = end
    return float(spent[0] / instances), float(spent[1] / instances)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help="names of kinds, by default all")
    parser.add_argument("--instances", type=int, default=10, help="instances of each kind")
    options = parser.parse_args()
    kinds = find_kinds(options.kinds) if options.kinds else all_kinds()
    with tempfile.TemporaryDirectory() as folder:
        measure(kinds[0], 1, Path(folder) / "imports")
        rows = {kind.name: measure(kind, options.instances, Path(folder)) for kind in kinds}
    for name, (made, written) in sorted(rows.items(), key=lambda row: sum(row[1])):
        print(f"{name:28s} {1000 * made:6.1f} ms made {1000 * written:6.1f} ms written")
    print(f"{len(rows) / sum(map(sum, rows.values())):.1f} instances/s over {len(rows)} kinds")


if __name__ == "__main__":
    main()
