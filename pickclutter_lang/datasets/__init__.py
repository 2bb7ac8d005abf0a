"""Datasets: stores of simulated scenes, labeled images, views of single objects, and image transforms."""
