"""Words of colors to choose from, for kinds that share them."""

BRIGHT = ("red", "blue", "yellow", "green", "orange", "pink", "purple", "turquoise")
"""Colors of toys."""
ANY = (*BRIGHT, "white", "black", "grey", "brown")
"""All colors, equally likely."""
TOYS = (*("red", "blue", "yellow", "green") * 2, "orange", "pink", "purple", "turquoise", "white")
"""Colors of toys, the primary ones more likely."""
SOBER = (*("black", "black", "grey", "white") * 3, "blue", "red", "pink", "green", "purple")
"""Colors of electronics: mostly black, grey or white."""
