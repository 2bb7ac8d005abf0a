"""Labels from a large vision-language model: numbered segments in a picture, the question, the reply, the answers."""
