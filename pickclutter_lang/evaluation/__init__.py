"""Evaluation of policies in the environment: rollouts, metrics, videos."""
