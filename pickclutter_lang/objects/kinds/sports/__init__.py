"""Kinds of the category `sports`; each file is one kind."""
