"""What procedural models are of: surfaces, textures, and the files they are written to."""
