"""Peak memory of a process, as training records it."""

import subprocess
import sys

import numpy as np

CODE = "from pickclutter_lang.training.logger import peak_memory_mb; print(peak_memory_mb())"


def peak() -> float:
    return float(subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout)


def test_peak_memory_excludes_the_parent_process() -> None:
    alone = peak()
    buffer = np.ones(round(alone + 600) * 1024**2 // 8)
    assert abs(peak() - alone) < 100, buffer.nbytes
