"""Experiments on scenes: training runs, the protocol of Table 12, reports, exports and the demo."""
