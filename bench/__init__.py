"""Measurements of the goals, as tables of ratios taken in one run: `make bench`."""
