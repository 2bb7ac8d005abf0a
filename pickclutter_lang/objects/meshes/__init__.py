"""A user's own meshes made into an object set: read, checked, textured, cut into convex parts, and written."""
