"""Plots of the report as SVG: one picture each, readable on paper and without colour. matplotlib draws them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _BAND, _LIMIT = "#1b1f24", "#b6c9e0", "#a40e26"
_WIDTH_IN = 7.2
MOST_BARS = 20
MOST_MARKS = 300
"""More values of one side are thinned, its ends kept: they would lie over one another."""


class Bar(NamedTuple):
    """One estimate with its interval, None where that side is unbounded; `words` stand behind its name."""

    name: str
    value: float
    lower: float | None
    upper: float | None
    words: str = ""


class Crossing(NamedTuple):
    """Where a row of trials was decided: after how many of them, and what."""

    trial: int
    verdict: str


class Path(NamedTuple):
    """An estimate that grows with each trial: its value and bounds after each of `trials` (empty: 1, 2, ...); in per cent."""

    values: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]
    trials: Sequence[int] = ()
    crossing: Crossing | None = None


def path_plot(path: Path, threshold: float, label: str) -> bytes:
    """The rate over the trials, its band, and the limit; SVG."""
    with _Drawn(2.6) as drawn:
        axes, trials = drawn.axes, path.trials or range(1, len(path.values) + 1)
        axes.fill_between(
            trials, path.lower, path.upper, color=_BAND, step="post", label="may be looked at after each trial"
        )
        axes.step(trials, path.values, where="post", color=_INK, linewidth=1.4, label=label)
        axes.axhline(threshold, color=_LIMIT, linewidth=1.2, linestyle="--", label=f"asked: {threshold:g} %")
        if path.crossing is not None:
            said = f"{path.crossing.verdict} after trial {path.crossing.trial}"
            axes.axvline(path.crossing.trial, color=_INK, linewidth=1.0, linestyle=":", label=said)
        axes.set_xlim(1, max(2, *trials[-1:]))
        axes.set_ylim(0, 102)
        axes.set_xlabel("trials")
        axes.set_ylabel("%")
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    return drawn.svg


def bar_plot(
    bars: Sequence[Bar], unit: str, threshold: float | None = None, span: tuple[float, float] | None = None
) -> bytes:
    """Estimates with their intervals, one under the other, at most MOST_BARS; SVG. Plots of one `span` can be compared."""
    shown = bars[:MOST_BARS]
    with _Drawn(0.7 + 0.3 * len(shown)) as drawn:
        axes = drawn.axes
        low, high = span or _range(shown, threshold)
        for place, bar in enumerate(shown):
            left = low if bar.lower is None else bar.lower
            right = high if bar.upper is None else bar.upper
            axes.plot([left, right], [place, place], color=_BAND, linewidth=6, solid_capstyle="butt")
            axes.plot([bar.value], [place], marker="D", color=_INK, markersize=5)
        if threshold is not None:
            axes.axvline(threshold, color=_LIMIT, linewidth=1.2, linestyle="--")
        axes.set_yticks(range(len(shown)), [f"{bar.name}  {bar.words}".rstrip() for bar in shown], fontsize=8)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        room = 0.01 * (high - low) if span else 0.0  # so that a mark at the end is whole
        axes.set_xlim(low - room, high + room)
        axes.set_xlabel(unit)
    return drawn.svg


def spread_plot(sides: Mapping[str, Sequence[float]], label: str) -> bytes:
    """How the values of each side are spread: a mark for each, a bar between the quartiles, a diamond at the mean; SVG."""
    import numpy as np

    with _Drawn(0.8 + 0.45 * len(sides)) as drawn:
        axes = drawn.axes
        for place, values in enumerate(sides.values()):
            marks = np.sort(np.asarray(values, float))
            low, high = np.quantile(marks, (0.25, 0.75))
            thinned = marks[np.unique(np.linspace(0, len(marks) - 1, min(len(marks), MOST_MARKS)).round().astype(int))]
            axes.plot([low, high], [place, place], color=_BAND, linewidth=10, solid_capstyle="butt")
            axes.plot(thinned, np.full(len(thinned), place), "|", color=_INK, markersize=9, markeredgewidth=0.7)
            axes.plot([marks.mean()], [place], marker="D", color=_INK, markersize=5)
        axes.set_yticks(range(len(sides)), [f"{name}  ({len(values)})" for name, values in sides.items()], fontsize=8)
        axes.set_ylim(len(sides) - 0.4, -0.6)
        axes.set_xlabel(label)
    return drawn.svg


def _range(bars: Sequence[Bar], threshold: float | None) -> tuple[float, float]:
    known = [value for bar in bars for value in (bar.value, bar.lower, bar.upper) if value is not None]
    known += [] if threshold is None else [threshold]
    low, high = min(known), max(known)
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


class _Drawn:
    """A figure of that height (inches) to draw in; `svg` afterwards holds its bytes, the same for the same data."""

    def __init__(self, height_in: float) -> None:
        from matplotlib.figure import Figure

        self._figure: Any = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        self.axes: Axes = self._figure.subplots()
        self.svg = b""

    def __enter__(self) -> _Drawn:
        return self

    def __exit__(self, *failed: object) -> None:
        if failed[0] is not None:
            return
        import matplotlib as mpl

        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.grid(axis="x", color="#d0d7de", linewidth=0.5)
        written = io.BytesIO()
        # Text stays text: a tenth of the size, and it can be searched. A fixed salt gives the same bytes each time.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fieldgate", "font.family": "sans-serif"}):
            self._figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        self.svg = written.getvalue()
