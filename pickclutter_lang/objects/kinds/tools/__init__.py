"""Kinds of the category `tools`; each file is one kind."""
