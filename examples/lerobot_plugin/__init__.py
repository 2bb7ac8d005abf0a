"""PickClutter by name for LeRobot: an environment, and a policy of this package, for `lerobot-eval`."""
