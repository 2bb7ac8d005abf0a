"""Experiments: runs on scenes (Table 12) and on single images (Tables 1-11), and sweeps over them."""
