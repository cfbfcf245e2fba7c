"""What a person's own training would offer to `model optimise`: a module, a fine-tuning and a distillation. Needs PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

WIDTH, STEPS = 16, 120


class Net(nn.Module):  # type: ignore[misc]
    """Three boxes of two classes whose scores follow the picture, by way of a hidden layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, stride=2)
        self.head = nn.Conv2d(width, 6, 1)
        nn.init.normal_(self.head.weight, std=2.0)  # so that the answers depend on the picture

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """[1, 3, h, w] -> [1, 6, 3]."""
        means = self.head(self.stem(pictures).relu()).mean((2, 3)).sigmoid()
        return torch.stack([means, means * 0.5, means * 0.25], 2)


def net() -> nn.Module:
    """The module that the bundle was made from."""
    torch.manual_seed(5)
    return Net(WIDTH).eval()


def student() -> nn.Module:
    """A smaller one that knows nothing yet."""
    torch.manual_seed(6)
    return Net(4).eval()


def other_outputs() -> nn.Module:
    """A module that ends in other shapes than the bundle."""
    return nn.Conv2d(3, 6, 3)


def finetune(module: nn.Module, feeds: Sequence[dict[str, Any]]) -> nn.Module:
    """Trains towards labels of its own: here what the whole network said."""
    whole = net()
    return _trained(module, feeds, lambda feed: whole(torch.from_numpy(feed["images"])).detach())


def distil(teacher: Callable[..., dict[str, Any]], module: nn.Module, feeds: Sequence[dict[str, Any]]) -> nn.Module:
    """Trains towards what the parent bundle says."""
    return _trained(module, feeds, lambda feed: torch.from_numpy(next(iter(teacher(feed).values()))))


def _trained(module: nn.Module, feeds: Sequence[dict[str, Any]], target: Callable[..., torch.Tensor]) -> nn.Module:
    optimiser = torch.optim.Adam(module.parameters(), 0.02)
    targets = [target(feed) for feed in feeds]
    for at in range(STEPS):
        given = torch.from_numpy(feeds[at % len(feeds)]["images"])
        loss = nn.functional.mse_loss(module(given), targets[at % len(feeds)])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return module


def forgetful(module: Any, feeds: Any) -> None:
    """Trains, and does not give back what it trained."""


def nothing() -> None:
    """Makes no module."""
