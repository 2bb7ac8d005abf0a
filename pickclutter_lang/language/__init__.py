"""Text: instructions, captions, descriptions of labels, prompt ensembles and learned prompts."""
