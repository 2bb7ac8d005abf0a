"""The student in the environment: an exported folder, observations for agents, a features extractor."""
