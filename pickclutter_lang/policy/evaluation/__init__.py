"""Policies tried out in the real environment: episodes, what became of them, films."""
