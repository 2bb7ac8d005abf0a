"""Experiments on scenes: training runs, the protocol of Table 12, reports and exports."""
