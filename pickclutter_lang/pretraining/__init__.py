"""How a pocket teacher is made from scratch: from renders, or from a folder of pictures of one's own."""
