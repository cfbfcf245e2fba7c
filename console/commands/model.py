"""`fieldgate model`: a model's way from a training framework into use on a robot, and back. Each command has its own file."""

from __future__ import annotations

import click

from console.commands.handing_on import handed_on
from remote.lazy_commands import LazyGroup

_COMMANDS = {
    "export": ("console.commands.model", "export", "Make a bundle from a checkpoint, TorchScript, a policy or ONNX."),
    "optimise": ("console.commands.model", "optimise", "Make smaller or faster bundles: FP16, INT8, pruned; measured."),
    "compare": ("console.commands.model", "compare", "Size, parity, accuracy, latency of bundles side by side."),
    "layers": (
        "console.commands.model",
        "layers",
        "Compare two bundles node by node; names the first that goes wrong.",
    ),
    "replay": (
        "console.commands.model",
        "replay",
        "Run recorded pictures through two bundles and show the differences.",
    ),
    "validate": ("console.commands.model_validate", "validate", "Run the validation suite here or on a robot."),
    "push": (
        "console.commands.model_push",
        "push",
        "Bring a bundle into use on a robot, step by step, with a way back.",
    ),
    "list": (
        "console.commands.model_list",
        "list_models",
        "The bundles on a robot, which runs, and how a change goes.",
    ),
    "cancel": ("console.commands.model_push", "cancel", "End the change that is under way on a robot."),
    "back": ("console.commands.model_push", "back", "Bring back the bundle that ran before."),
    "remove": ("console.commands.model_list", "remove", "Remove a bundle from a robot's store."),
    "shadow": ("console.commands.model_shadow", "shadow", "Let a candidate run beside, compared and not used."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def model() -> None:
    """From a trained model to a verified engine on the robot, and safely to the next one."""


export = handed_on("model", "export", _COMMANDS["export"][2])
optimise = handed_on("model", "optimise", _COMMANDS["optimise"][2])
compare = handed_on("model", "compare", _COMMANDS["compare"][2])
layers = handed_on("model", "layers", _COMMANDS["layers"][2])
replay = handed_on("model", "replay", _COMMANDS["replay"][2])
