"""What every room may use: files, command lines, validation, processes, statistics."""
