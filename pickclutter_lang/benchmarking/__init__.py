"""Benchmarks: each a ratio of the times of two things that are measured alternately in one process.

`rows` names them, `bench` measures them and keeps a file. The other modules make what is measured, one for each topic.
"""
