"""Configuration of the sweep commands, in addition to the keys of each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class ReproduceTable12Config:
    """A sweep over methods, splits of the objects, seeds and draws of runs on scenes, and Table 12."""

    methods: list[str] = field(default_factory=lambda: ["closed_set", "cls", "cls_imcst", "cls_imcst_semantic"])
    """Rows of the table: presets of `method`. The default are the paper's four."""
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    """Seeds of each method's runs."""
    object_splits: list[int] = field(default_factory=lambda: [0])
    """Which objects are unseen: 0 the paper's choice, 1 to 4 drawn ones. The scenes of K lie in `scenes`/splitK; those
    of 0 may lie in `scenes` itself."""
    draws: list[int] = field(default_factory=lambda: [0])
    """Draws of the few-shot scenes: 0 the store `fewshot`, 1 the store `fewshot_1`. They share one distillation."""
    workers: int = 2
    """Runs side by side, each with one thread."""
    out: str = "runs/table12"
    """Folder of the runs (METHOD/seedS, METHOD/splitK_seedS_drawD), of their logs, and of the table."""
    tables_only: bool = False
    """Write the table from finished runs alone. They may lie under `out` in any depth. Where `methods`, `seeds`,
    `object_splits` or `draws` are given, those alone count."""
    tables: str | None = None
    """Folder of table12.md, table12.png and the CSV files. null: `out`."""
    compare: list[str] | None = None
    """Pairs to compare over equal seeds, such as ["best - cls_imcst_semantic"], or "best - always_yes", with
    all-positive. null: each of the paper's methods with the one before it, `best` with `cls_imcst_semantic`, or else
    the last of them, and with its ablations; the last of the paper's, and `best`, with all-positive."""


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
