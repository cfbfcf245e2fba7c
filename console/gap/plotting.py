"""Simulation and reality in the terminal: each figure's episodes, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from console.gap.comparing import Comparison
from console.gap.episodes import figure_words

MOST_BINS = 12


def plot(comparison: Comparison, *, width: int = 78, height: int = 12, colour: bool = True) -> str:
    """How the episodes of both sides are spread, as text of at most `width` columns; empty where one side has no numbers."""
    import plotext

    sim, real = comparison.sim.values, comparison.real.values
    if not sim or not real:
        return ""
    low, high = min(*sim, *real), max(*sim, *real)
    if low == high:
        return ""
    bins = min(MOST_BINS, max(3, len(sim), len(real)))
    middles = [low + (high - low) * (k + 0.5) / bins for k in range(bins)]
    plotext.clear_figure()
    plotext.plotsize(width, height)
    plotext.theme("pro" if colour else "clear")
    for values, label, marker in ((sim, "simulated", "s"), (real, "real", "r")):
        plotext.plot(middles, _shares(values, low, high, bins), label=f"{label} (n {len(values)})", marker=marker)
    unit = f" ({comparison.unit})" if comparison.unit else ""
    plotext.title(f"{figure_words(comparison.figure)}{unit}")
    plotext.ylabel("share of episodes, %")
    text: str = plotext.build()
    return text if colour else plotext.uncolorize(text)


def _shares(values: Sequence[float], low: float, high: float, bins: int) -> list[float]:
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    return [100 * count / len(values) for count in counts]
