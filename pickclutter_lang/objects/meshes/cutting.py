"""CoACD cuts a mesh into convex parts, in a process of its own: nothing else ends its search.

Sapien also crashes where it is imported after CoACD into one process.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pickclutter_lang.errors import InvalidArgumentError
from pickclutter_lang.utils.pool import die_with_parent
from pickclutter_lang.utils.typing import FloatArray

MAX_SECONDS = 300
"""Most seconds of a processor for a mesh; a tool takes about ten, the hardest scan that was tried 46."""


def cut(points: FloatArray, faces: Any, options: Mapping[str, Any]) -> list[FloatArray]:
    """Return the corners [N, 3] of each part.

    :param points: [V, 3]
    :param faces: [F, 3]
    :param options: of `coacd.run_coacd`
    :raises InvalidArgumentError: when it takes longer than `MAX_SECONDS`, or more memory than there is
    """
    given = io.BytesIO()
    np.savez(given, points=points, faces=faces)
    words = [sys.executable, "-m", __name__, str(os.getpid()), str(MAX_SECONDS), json.dumps(options)]
    done = subprocess.run(words, input=given.getvalue(), capture_output=True, cwd=Path(__file__).parents[3])
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise InvalidArgumentError(
            f"expected a mesh that is cut into convex parts in {MAX_SECONDS} seconds of a processor, but it is not "
            f"({reason or 'it was ended'}); make it simpler, raise threshold=, or repair it"
        )
    return [*np.load(io.BytesIO(done.stdout)).values()]


def _main(parent: str, seconds: str, options: str) -> None:
    """Cut the mesh on standard input, and write the parts to standard output."""
    die_with_parent(int(parent))
    signal.setitimer(signal.ITIMER_PROF, float(seconds))  # ends the process
    import coacd

    coacd.set_log_level("off")
    given = np.load(io.BytesIO(sys.stdin.buffer.read()))
    parts = coacd.run_coacd(coacd.Mesh(given["points"], given["faces"]), **json.loads(options))
    with open(1, "wb") as stream:
        np.savez(stream, *(corners for corners, _ in parts))


if __name__ == "__main__":
    _main(*sys.argv[1:])
