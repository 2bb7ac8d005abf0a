"""Kinds of the category `vegetables`; each file is one kind."""
