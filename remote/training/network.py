"""The embedded detector: a small plain-convolution backbone, two scales, no anchors. Needs PyTorch (extra `train`).

Input [n, 3, height, width], BGR levels 0..255; they are only scaled, not shifted, so that export can fold the scale into
the first convolution and its zero padding stays zero. Each cell of the stride-8 and stride-16 grids says how far the
box's four sides are from its middle, and one score for each class.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

STRIDES = (8, 16)
LEVEL_SCALE = 1 / 128


class ConvUnit(nn.Sequential):  # type: ignore[misc]
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, stride: int = 1) -> None:
        conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs, momentum=0.05), nn.ReLU(inplace=True))


class SplitBlock(nn.Module):  # type: ignore[misc]
    """Half of the channels go through residual pairs of 3x3 convolutions, every stage is kept, a 1x1 joins them."""

    def __init__(self, channels: int, pairs: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter = ConvUnit(channels, channels, 1)
        self.pairs = nn.ModuleList(nn.Sequential(ConvUnit(half, half), ConvUnit(half, half)) for _ in range(pairs))
        self.leave = ConvUnit(half * (2 + pairs), channels, 1)

    def forward(self, x: Any) -> Any:
        """[n, channels, h, w] -> the same shape."""
        kept = list(self.enter(x).chunk(2, 1))
        for pair in self.pairs:
            kept.append(kept[-1] + pair(kept[-1]))
        return self.leave(torch.cat(kept, 1))


class WideView(nn.Module):  # type: ignore[misc]
    """Three 5x5 maximum filters in a row: each cell sees most of the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = ConvUnit(channels, channels // 2, 1)
        self.leave = ConvUnit(channels * 2, channels, 1)

    def forward(self, x: Any) -> Any:
        """[n, channels, h, w] -> the same shape."""
        kept = [self.enter(x)]
        for _ in range(3):
            kept.append(functional.max_pool2d(kept[-1], 5, 1, 2))
        return self.leave(torch.cat(kept, 1))


class Detector(nn.Module):  # type: ignore[misc]
    """The whole network for `classes` classes; `forward` gives what the loss needs, `Decoded` what the robot needs."""

    def __init__(self, classes: int, width: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        w1, w2, w3, w4 = width
        self.level_scale = LEVEL_SCALE
        self.stem = ConvUnit(3, w1, 3, 2)
        self.stage4 = nn.Sequential(ConvUnit(w1, w2, 3, 2), SplitBlock(w2, 1))
        self.stage8 = nn.Sequential(ConvUnit(w2, w3, 3, 2), SplitBlock(w3, 2))
        self.stage16 = nn.Sequential(ConvUnit(w3, w4, 3, 2), SplitBlock(w4, 1), WideView(w4))
        self.lateral = ConvUnit(w4, w3, 1)
        self.join = nn.Sequential(ConvUnit(2 * w3, w3, 1), ConvUnit(w3, w3))
        self.to_sides = ConvUnit(w3, w3 // 2)
        self.to_scores = ConvUnit(w3, w3 // 2)
        self.sides = nn.ModuleList(nn.Conv2d(w3 // 2, 4, 1) for _ in STRIDES)
        self.scores = nn.ModuleList(nn.Conv2d(w3 // 2, classes, 1) for _ in STRIDES)
        for sides, scores in zip(self.sides, self.scores, strict=True):
            nn.init.constant_(sides.bias, 1.5)
            nn.init.constant_(scores.bias, -4.6)  # a score of 0.01: most cells are empty

    def forward(self, levels: Any) -> tuple[Any, Any]:
        """[n, 3, h, w] levels 0..255 -> (sides [n, 4, cells] in strides, scores before the sigmoid [n, classes, cells])."""
        eighth = self.stage8(self.stage4(self.stem(levels * self.level_scale if self.level_scale != 1 else levels)))
        coarse = self.lateral(self.stage16(eighth))
        fine = self.join(torch.cat([functional.interpolate(coarse, scale_factor=2.0, mode="nearest"), eighth], 1))
        sides, scores = [], []
        for index, level in enumerate((fine, coarse)):
            sides.append(functional.softplus(self.sides[index](self.to_sides(level))).flatten(2))
            scores.append(self.scores[index](self.to_scores(level)).flatten(2))
        return torch.cat(sides, 2), torch.cat(scores, 2)


class Decoded(nn.Module):  # type: ignore[misc]
    """The network with its decoding: [1, 3, height, width] -> [1, 4 + classes, cells], (cx, cy, w, h, scores)."""

    def __init__(self, network: Detector, size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        middles, strides = cells(size)
        self.register_buffer("middles", middles.t()[None])
        self.register_buffer("strides", strides[None, None])

    def forward(self, levels: Any) -> Any:
        """Box middles and sizes in input pixels, scores in [0, 1]."""
        sides, scores = self.network(levels)
        sides = sides * self.strides
        before, after = sides[:, :2], sides[:, 2:]
        return torch.cat([self.middles + (after - before) * 0.5, before + after, scores.sigmoid()], 1)


def cells(size: tuple[int, int]) -> tuple[Any, Any]:
    """All cells of both grids for pictures of (width, height): (middles [cells, 2] in pixels, strides [cells])."""
    middles, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(size[1] // stride), torch.arange(size[0] // stride), indexing="ij")
        middles.append((torch.stack([x.flatten(), y.flatten()], 1) + 0.5) * stride)
        strides.append(torch.full((x.numel(),), float(stride)))
    return torch.cat(middles).float(), torch.cat(strides)
