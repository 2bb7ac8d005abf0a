"""A page in a browser on this machine: name an object, see what student and teacher find, and let the arm pick it."""
