"""Kinds of the category `food`; each file is one kind."""
