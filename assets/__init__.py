"""Data that ships with the package: catalogue, descriptions, the pocket teacher's weights."""
