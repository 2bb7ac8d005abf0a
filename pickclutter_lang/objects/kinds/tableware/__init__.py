"""Kinds of the category `tableware`; each file is one kind."""
