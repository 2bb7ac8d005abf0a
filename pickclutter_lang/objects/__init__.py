"""What can lie in a pile: the catalogue, the object sets on disk, and the procedural stand-ins."""
