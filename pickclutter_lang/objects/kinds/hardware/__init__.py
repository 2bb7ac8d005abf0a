"""Kinds of the category `hardware`; each file is one kind."""
