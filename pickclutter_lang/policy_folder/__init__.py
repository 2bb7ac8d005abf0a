"""Policy folders: what lies in them, and how they are read, written and shared."""
