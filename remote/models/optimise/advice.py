"""Whether INT8 suits a task: advice before anything is measured. The measured parity is the law."""

from __future__ import annotations

_INT8 = {
    "detection": "INT8 usually suits detection, with the decoding of boxes kept in float",
    "classification": "INT8 usually suits classification",
    "segmentation": "take care with INT8 for segmentation: thin and small things go first",
    "depth": "INT8 does not suit depth: its steps show in every distance",
    "policy": "take care with INT8 for a policy: small errors of actions add up along the way",
}


def int8_advice(task: str) -> str:
    """One sentence; measured numbers stand above it."""
    return _INT8.get(task, f"nothing is known of INT8 for the task {task!r}") + "; what is measured decides"
