import subprocess
import sys

import numpy as np

CODE = "from pickclutter_lang.training.logger import peak_memory_mb; print(peak_memory_mb())"


def peak() -> float:
    return float(subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout)


def test_the_peak_memory_of_a_process_is_its_own():
    alone = peak()
    held = np.ones(round(alone + 600) * 1024**2 // 8)
    assert abs(peak() - alone) < 100, held.nbytes
