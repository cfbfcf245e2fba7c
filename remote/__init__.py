"""What runs away from the laptop: the agent, the worker, the monitor, the models. Imports nothing of `console`."""

__version__ = "0.1.0"
