"""Kinds of the category `fruit`; each file is one kind."""
