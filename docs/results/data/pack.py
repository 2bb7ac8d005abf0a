"""Pack the records and the scores of finished runs for the pages: python docs/results/data/pack.py RUNS ARCHIVE.tar.xz

Scores are rounded to half precision; answers and metrics are as the runs wrote them.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import numpy as np

from pickclutter_lang.results.record import RESULT_FILE

SCORES_FILE = "scores.npz"


def main() -> None:
    """Write the archive beside, and rename it when it is whole."""
    runs, archive = Path(sys.argv[1]), Path(sys.argv[2])
    records = sorted(runs.rglob(RESULT_FILE))
    if not records:
        sys.exit(f"expected finished runs under {runs}, but there are none")
    beside = archive.with_suffix(".part")
    with tarfile.open(beside, "w:xz") as packed:
        for record in records:
            _add(packed, str(record.relative_to(runs)), record.read_bytes())
            scores = record.with_name(SCORES_FILE)
            with np.load(scores) as arrays:
                values = dict(arrays)
            values["score"] = values["score"].astype(np.float16).astype(np.float32)
            stream = io.BytesIO()
            np.savez(stream, **values)
            _add(packed, str(scores.relative_to(runs)), stream.getvalue())
    beside.rename(archive)


def _add(packed: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    packed.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    main()
