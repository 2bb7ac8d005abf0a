"""Data on disk: stores of simulated scenes, labeled images, views of single objects, and what is done to images."""
