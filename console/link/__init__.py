"""Reaching a robot: transports, the client, the snapshot of what is known, and putting the agent there."""
