"""Results of runs: their record, scores per item, intervals, tables, pages, and comparisons, whatever the kind of run.

A finished run on scenes, on single images, or of a policy has two files: `result.json` (`record`), and `scores.npz`
(`scores`). Tables over runs, their intervals and comparisons read only these two. Figures and the report of one run
also read what its kind writes beside them, such as the episodes of a policy.
"""
