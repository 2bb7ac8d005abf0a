"""Scripted manipulation: from a depth image and a mask of the target to actions of the arm. Nothing here is learned."""
