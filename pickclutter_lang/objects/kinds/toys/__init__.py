"""Kinds of the category `toys`; each file is one kind."""
