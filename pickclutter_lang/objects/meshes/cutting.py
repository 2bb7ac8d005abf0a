"""CoACD cuts a mesh into convex parts, in a process of its own: nothing else ends its search.

Sapien also crashes where it is imported after CoACD into one process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

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
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(theirs, os.getpid(), MAX_SECONDS, points, faces, options))
    process.start()
    theirs.close()
    try:
        return ours.recv()  # type: ignore[no-any-return]
    except EOFError as error:
        raise InvalidArgumentError(
            f"expected a mesh that is cut into convex parts in {MAX_SECONDS} seconds of a processor, but it is not, or "
            "takes too much memory; make it simpler, raise threshold=, or repair it"
        ) from error
    finally:
        process.kill()
        process.join()


def _run(
    pipe: Connection, parent: int, seconds: float, points: FloatArray, faces: Any, options: Mapping[str, Any]
) -> None:
    """Send the parts, as the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # ends the process
    import coacd

    coacd.set_log_level("error")
    pipe.send([corners for corners, _ in coacd.run_coacd(coacd.Mesh(points, faces), **options)])
