"""Pick a named object from clutter with a small student distilled from a vision-language model.

Importing this package needs neither torch nor a simulator; import the subpackages you use.
"""

__version__ = "0.3.0"
