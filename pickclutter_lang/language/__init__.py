"""Text: instructions, captions, and descriptions of labels."""
