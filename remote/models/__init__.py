"""Bundles: what a model is, how it is verified, where it lies on the robot."""
