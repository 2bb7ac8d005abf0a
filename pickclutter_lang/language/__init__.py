"""What is said: instruction templates, captions, descriptions and learned prompts."""
