"""Vision-language models behind one interface, and the cache of their features."""
