"""Training of pocket teachers from scratch, on simulator renders or on a folder of one's own images."""
