"""Fresh processes: the help of a command, and a policy that is opened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from pickclutter_lang.benchmarking.inputs import QUICKSTART, BenchInputs
from pickclutter_lang.benchmarking.measure import Pair
from pickclutter_lang.errors import WorkerError

_OPEN = (
    "import sys; from pickclutter_lang.policy.policy import LanguagePickPolicy; LanguagePickPolicy.load(sys.argv[1])"
)


def _help(inputs: BenchInputs) -> Pair:
    """Compare the help of the command with most settings with an empty process."""
    words = ("-m", "pickclutter_lang.commands", "train-affordance", "--help")
    return Pair(lambda: _python(inputs, *words), lambda: _python(inputs, "-c", "pass"))


def _load(inputs: BenchInputs) -> Pair:
    """Compare the quickstart's policy, imported and opened by ONNX Runtime, with the same by torch."""
    onnx, policy = str(inputs.runtime(QUICKSTART, False)), str(inputs.policy(QUICKSTART).absolute())
    return Pair(lambda: _python(inputs, "-c", _OPEN, onnx), lambda: _python(inputs, "-c", _OPEN, policy))


def _python(inputs: BenchInputs, *words: str) -> None:
    """Run Python to its end, with as many threads as are measured elsewhere.

    :raises WorkerError: when it fails
    """
    variables = {**os.environ, "OMP_NUM_THREADS": str(inputs.config.num_threads)}
    done = subprocess.run([sys.executable, *words], cwd=inputs.folder, env=variables, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise WorkerError(f"python {' '.join(words)} ended with status {done.returncode}: {lines[-1]}")


MAKERS: dict[str, Callable[[BenchInputs], Pair]] = {"start/help": _help, "start/load": _load}
"""Name of a row -> what makes its pair."""
