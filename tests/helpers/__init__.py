"""Toy data, toy runs and processes that the tests share."""
