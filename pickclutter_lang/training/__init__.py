"""How a student is trained: a loop for any task, checkpoints, optimizers, experiments of several phases."""
