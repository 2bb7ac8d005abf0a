"""Kinds of the category `kitchen`; each file is one kind."""
