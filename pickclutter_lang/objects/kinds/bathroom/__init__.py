"""Kinds of the category `bathroom`; each file is one kind."""
