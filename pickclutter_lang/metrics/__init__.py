"""Multi-label and teacher-student metrics as pure functions of tensors."""
