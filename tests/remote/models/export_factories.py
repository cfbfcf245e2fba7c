"""What a person's own package would offer: functions that make the module a checkpoint is for. Needs PyTorch."""

from __future__ import annotations

import torch
from torch import nn

from remote.training.export import folded
from remote.training.network import Decoded, Detector

SIZE = (256, 192)


def tabletop() -> nn.Module:
    """The embedded detector's network, with its decoding, as it is for robots."""
    return Decoded(folded(Detector(4)), SIZE).eval()


class Boxes(nn.Module):  # type: ignore[misc]
    """Three boxes of two classes whose scores follow the picture; open to any batch and size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] -> [n, 6, 3]."""
        means = self.stem(pictures).mean((2, 3)).sigmoid()
        return torch.stack([means, means * 0.5, means * 0.25], 2)


def boxes() -> nn.Module:
    """See Boxes."""
    return Boxes()


def needs_arguments(classes: int) -> nn.Module:
    """A function that the command can't call."""
    return nn.Linear(classes, 1)


def no_module() -> int:
    """Gives no module."""
    return 3


class Branching(Boxes):
    """Doubles its answer on bright pictures, by a branch in Python that no tracer sees."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] -> [n, 6, 3]."""
        given = super().forward(pictures)
        return given * 2 if float(pictures.mean()) > 0.5 else given


def branching() -> nn.Module:
    """See Branching."""
    return Branching()
