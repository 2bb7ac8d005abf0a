"""The losses of the paper as pure functions of tensors, and the objective that sums them."""
