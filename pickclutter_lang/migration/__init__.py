"""Files of version 0.1.0 as this version reads them: runs, policy folders, and checkpoints of teachers."""
