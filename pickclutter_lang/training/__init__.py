"""Generic training: a trainer for any task, checkpoints, optimizers, experiments of several phases."""
