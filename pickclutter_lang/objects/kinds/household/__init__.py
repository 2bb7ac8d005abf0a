"""Kinds of the category `household`; each file is one kind."""
