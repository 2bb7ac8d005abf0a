"""Kinds of the category `stationery`; each file is one kind."""
