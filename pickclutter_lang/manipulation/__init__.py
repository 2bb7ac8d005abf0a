"""A scripted picker: from depth and a mask of the named object to the actions of an arm. Nothing here is learned."""
