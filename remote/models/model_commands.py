"""`fieldgate-agent model`: what is done to models, on a workstation or on the robot. Each command has its own file."""

from __future__ import annotations

import click

from remote.lazy_commands import LazyGroup

_COMMANDS = {
    "export": (
        "remote.models.export.command",
        "export",
        "Make a bundle from a checkpoint, TorchScript, a policy or ONNX.",
    ),
    "optimise": ("remote.models.optimise.command", "optimise", "Make smaller or faster bundles: FP16, INT8, pruned."),
    "compare": ("remote.models.comparing.command", "compare", "Size, parity, accuracy and latency of bundles."),
    "layers": ("remote.models.comparing.layers_command", "layers", "Compare two bundles node by node."),
    "replay": ("remote.models.replay.command", "replay", "Run recorded pictures through two bundles."),
    "validate": ("remote.models.validation.command", "validate", "Run the validation suite on this machine."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def model() -> None:
    """Make, compare and prove models."""
