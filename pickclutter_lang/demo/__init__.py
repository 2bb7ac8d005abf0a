"""Trying names by hand: `page` is one in a browser, where the arm also picks; `look` draws the answers for an image."""
