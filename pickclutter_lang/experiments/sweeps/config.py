"""Configuration of the sweep commands, in addition to the keys of each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ReproduceTablesConfig:
    """A sweep over the runs on single images that tables and figures need, and these tables and figures."""

    table: Any = None
    """1 to 11, a list such as [1,5], or `all`. Table 12 has a command of its own."""
    figure: Any = None
    """1 (bars), 2b (UMAP), 4 (eigenvalues), a list of them, or `all`."""
    seeds: Any = field(default_factory=lambda: [0, 1, 2])
    """Seeds of each run."""
    class_splits: list[int] = field(default_factory=lambda: [0])
    """Draws of what is unseen (`data.seed`): each number draws another half of the classes, and other images of each.
    Where the dataset says which classes are unseen, as `object_views` does, it draws the images alone."""
    workers: int = 2
    """Runs side by side, each with one thread."""
    out: str = "runs/tables/${data.name}"
    """Folder of the runs (RUN/seedS, RUN/splitK_seedS), of their logs, of tables and figures."""
