"""Data that ships with the package: catalog, descriptions, the pocket teacher's weights."""
