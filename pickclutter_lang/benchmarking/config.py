"""Configuration of `pickclutter bench`."""

from __future__ import annotations

from dataclasses import dataclass, field

from pickclutter_lang.benchmarking.rows import chosen_rows
from pickclutter_lang.utils.validation import MAX_WORKERS, check_line, check_path, one_of, within

_MAX_REPEATS = 10_000


@dataclass
class BenchConfig:
    """Benchmarks on this machine."""

    only: list[str] = field(default_factory=list)
    """Rows, such as `decision/onnx`, or topics of rows: `decision`, `closeups`, `student`, `teacher`, `step`, `scenes`,
    `env`, `start`. []: all."""
    repeats: int = 20
    """Turns of each row. Fewer than 6 give no interval."""
    num_threads: int = 1
    """Threads of torch and of ONNX Runtime. For those of NumPy set OMP_NUM_THREADS."""
    policy: str | None = None
    """Folder of `pickclutter export-policy` for the topics `decision` and `start`. null: the quickstart's network with
    random weights, which takes as long."""
    objects: str = "proxy"
    """Object set of the topics `scenes` and `env`: `proxy`, or `ycb` (scans in $MS2_ASSET_DIR)."""
    clip: str = "ViT-L-14"
    """open_clip's name of the image encoder that decisions and networks are compared with; its weights are random."""
    anew: bool = False
    """Measure rows again that the file has, and replace a file of another machine, revision or other settings."""
    out: str = "bench.json"
    """The file. Rows that it has are kept."""

    def validate(self) -> None:
        """Raise InvalidArgumentError for a value outside what is allowed."""
        chosen_rows(self.only)
        within("repeats", self.repeats, 1, _MAX_REPEATS)
        within("num_threads", self.num_threads, 1, MAX_WORKERS)
        one_of("objects", self.objects, ("proxy", "ycb"))
        check_line("clip", self.clip)
        check_path("policy", self.policy)
        check_path("out", self.out, ".json")
