"""The scene store: labelled pictures of clutter on disk, the border between simulation and learning."""
