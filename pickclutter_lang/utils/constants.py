"""Numbers that several rooms share."""

TEMPERATURE = 0.07
"""tau of the paper: divides cosine similarities before each softmax, of losses and of the spatial attention."""
