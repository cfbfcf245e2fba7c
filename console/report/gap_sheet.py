"""What the report shows of simulation and reality: figures side by side, what they mean, and how the episodes are spread."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

import msgspec

from console.fieldtest.criteria import Rate
from console.fieldtest.intervals import exact
from console.gap.comparing import Comparison, compare
from console.gap.episodes import Episodes, figure_words
from console.gap.findings import Finding, findings_of
from console.report.plots import Bar, bar_plot, spread_plot
from remote.errors import Trouble

_LOOKS: dict[str, tuple[str, str]] = {"close": ("✔", "ok"), "gap": ("✖", "critical"), "inconclusive": ("?", "muted")}


class GapRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of both sides."""

    glyph: str
    role: str
    word: str
    figure: str
    meaning: str
    sim: str
    real: str
    why: str


class GapSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison. `plots` are (title, SVG as a data: address); `lone` are sentences about what only one side tells."""

    sim: str
    real: str
    rows: tuple[GapRow, ...]
    findings: tuple[Finding, ...]
    lone: tuple[str, ...]
    plots: tuple[tuple[str, str], ...]


def gap_sheet(sim: Episodes, real: Episodes) -> GapSheet:
    """Compare both sides. Raises Trouble (`bad_table`) where they have no figure in common."""
    from console.gap.comparing import only_on_one_side

    found = compare(sim, real)
    if not found:
        has = "; ".join(f"{one.name} has {', '.join(one.columns) or 'nothing'}" for one in (sim, real))
        cure = "compare them with `fieldgate gap compare` and name columns with --column MEANING=NAME"
        raise Trouble(f"the two have no figure in common: {has}", cure=cure, code="bad_table")
    return GapSheet(
        sim=f"{sim.name}, {sim.n:,} episodes",
        real=f"{real.name}, {real.n:,} episodes",
        rows=tuple(_row(one) for one in found),
        findings=findings_of(found),
        lone=tuple(_lone(only_on_one_side(sim, real))),
        plots=tuple(_plots(found, sim, real)),
    )


def _row(one: Comparison) -> GapRow:
    glyph, role = _LOOKS[one.verdict]
    return GapRow(
        glyph=glyph,
        role=role,
        word="not decided" if one.verdict == "inconclusive" else one.verdict,
        figure=figure_words(one.figure),
        meaning=one.meaning,
        sim=_side(one.sim.mean, one.sim.n, one.unit),
        real=_side(one.real.mean, one.real.n, one.unit),
        why=one.why,
    )


def _side(mean: float, n: int, unit: str) -> str:
    return f"{mean:.4g} {unit}".rstrip() + f" (n {n:,})"


def _lone(found: Mapping[str, str]) -> Iterable[str]:
    for figure, name in found.items():
        yield f"{figure_words(figure)}: only {name} tells it"


def _plots(found: Iterable[Comparison], sim: Episodes, real: Episodes) -> Iterable[tuple[str, str]]:
    """Success as bars with exact intervals, every other figure as the spread of its episodes."""
    for one in found:
        name, unit = figure_words(one.figure), f", {one.unit}" if one.unit else ""
        if one.figure == "success" and sim.success is not None and real.success is not None:
            bars = [_bar("simulated", sim.success), _bar("real", real.success)]
            yield "Success, with exact 95 % intervals", _uri(bar_plot(bars, "success, %", span=(0.0, 100.0)))
        elif one.sim.values and one.real.values:
            sides = {"simulated": one.sim.values, "real": one.real.values}
            yield f"{name.capitalize()} of each episode", _uri(spread_plot(sides, f"{name}{unit}"))


def _bar(name: str, rate: Rate) -> Bar:
    lower, upper = exact(rate.successes, rate.n, 0.95)
    share = 100 * rate.successes / rate.n
    return Bar(name, share, 100 * lower, 100 * upper, f"{rate.successes} of {rate.n}")


def _uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
