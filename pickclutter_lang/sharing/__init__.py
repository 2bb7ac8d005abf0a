"""Folders of this package on the Hugging Face Hub."""
