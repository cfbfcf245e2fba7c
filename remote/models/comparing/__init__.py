"""Comparing bundles: size, parity, agreement, accuracy, latency, and node by node."""
