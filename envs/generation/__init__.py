"""Scenes by the simulator: piles, physics, rendering, labels, and their collection into a store."""
