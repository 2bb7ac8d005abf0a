"""What can lie in a pile: the catalog, the object sets on disk, and the procedural models."""
