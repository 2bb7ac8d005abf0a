"""The training loop: data, schedule, checkpoints, seeds."""
