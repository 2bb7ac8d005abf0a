"""Results of runs: their record, scores per item, intervals, tables, pages, and comparisons, whatever the kind of run.

A finished run on scenes, on single images, or of a policy has two files: `result.json` (`record`), and `scores.npz`
(`scores`), the only one that tables, intervals, pages and comparisons read.
"""
