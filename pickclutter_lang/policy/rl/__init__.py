"""Reinforcement learning on a distilled student: a features extractor for stable-baselines3, and PPO."""
