"""How a pocket teacher is made from scratch: from renders, or from a folder of images of one's own."""
