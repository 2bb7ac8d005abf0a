"""Many runs as one: planning, child processes, and the results read back."""
