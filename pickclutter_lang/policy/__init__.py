"""The language-conditioned pick policy: exported students, detectors, wrappers, evaluation, PPO."""
