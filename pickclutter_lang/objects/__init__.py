"""Objects of a pile: the catalog of their names and attributes, object sets on disk, and procedural models."""
