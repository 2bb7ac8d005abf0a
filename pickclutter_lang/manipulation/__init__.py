"""Scripted manipulation without learning: from a depth image and a target mask to actions of the arm."""
