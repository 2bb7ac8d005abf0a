"""Demonstrations: episodes of a picking policy as ManiSkill2 trajectories, and as a LeRobot data set."""
