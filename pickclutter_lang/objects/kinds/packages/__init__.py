"""Kinds of the category `packages`; each file is one kind."""
