"""Load: processor, GPU, memory, disk of the robot's computer, with limits and histories."""

from __future__ import annotations

from console.view import View
from console.widgets.cells import Span, clean, fit
from console.widgets.drawing import history, number
from console.widgets.panel import Panel, meter, spark

_ROWS = (
    ("cpu_percent", "CPU"),
    ("gpu_percent", "GPU"),
    ("memory_percent", "memory"),
    ("disk_percent", "disk"),
    ("swap_percent", "swap"),
    ("emc_percent", "EMC"),
)


class LoadPanel(Panel):
    """Percentages with a bar (the mark is the KPI's limit) and their histories, cores, agent's and worker's share."""

    TITLE = "Load"
    HELP = (
        "Shares of the robot's computer in percent, newest second. The mark in a bar is the limit of kpis.yaml. "
        "What can't be read says *unavailable* and why. *cores*: one character each. *agent*, *worker*: share of one core, "
        "and resident memory."
    )

    def at_ns(self, view: View) -> int | None:
        """The newest host sample."""
        return view.hosts_at_ns

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """What matters most first; what does not fit is left out from the end."""
        if not view.snapshot.hosts:
            return [[("waiting for the first sample", "muted")]]
        alone = "thermal" in view.panes
        percents = _ROWS if alone else _ROWS[:4]
        rows = [row for metric, name in percents if (row := percent_row(view, metric, name, width))]
        if not alone:
            return [*rows, *heat_rows(view, width)]
        return [*rows, *self._cores(view, width), *self._processes(view)]

    def _cores(self, view: View, width: int) -> list[list[Span]]:
        cores = list(view.snapshot.hosts[-1].body.series.get("core_percent", {}).values())
        if not cores:
            return []
        text = history(cores, min(len(cores), width - 24), view.charset, top=100.0)
        return [
            [(fit("cores", 8), "text"), (number(max(cores), 6), "text"), (" % the busiest  ", "muted"), (text, "info")]
        ]

    def _processes(self, view: View) -> list[list[Span]]:
        host = view.snapshot.hosts[-1].body
        memory = host.series.get("process_memory_bytes", {})
        rows: list[list[Span]] = []
        for name, percent in host.series.get("process_cpu_percent", {}).items():
            row: list[Span] = [(fit(clean(name), 8), "text"), (number(percent, 6), "text"), (" % of a core ", "muted")]
            if name in memory:
                row += [(number(memory[name] / 2**20, 7, 0), "text"), (" MiB", "muted")]
            rows.append(row)
        return rows


def percent_row(view: View, metric: str, name: str, width: int) -> list[Span]:
    """One percentage; empty where the robot never speaks of it, the reason where it can't be read."""
    host = view.snapshot.hosts[-1].body
    value = host.values.get(metric)
    if value is None:
        return unavailable_row(view, metric, name)
    role = view.role_of(metric, value)
    colour = "info" if role == "text" else role
    spare = width - 18
    wide = min(24, spare if spare < 24 else spare // 2)
    row: list[Span] = [(fit(name, 8), "text"), (number(value, 6), role), (" %  ", "muted")]
    row += meter(view, metric, value / 100, wide, colour)
    return [
        *row,
        (" ", "text"),
        spark(view, metric, spare - wide - 1, "trace" if colour == "info" else colour, top=100.0),
    ]


def unavailable_row(view: View, metric: str, name: str) -> list[Span]:
    """Why a metric can't be read; empty where nothing was said about it."""
    reason = view.snapshot.hosts[-1].body.unavailable.get(metric)
    if reason is None:
        return []
    return [(fit(name, 8), "text"), (f"{view.charset.glyph('unavailable')} unavailable: {clean(reason)}", "muted")]


def heat_rows(view: View, width: int) -> list[list[Span]]:
    """The hottest sensor and the board's power, one row each where known."""
    host = view.snapshot.hosts[-1].body
    rows: list[list[Span]] = []
    hottest = host.values.get("temp_max_c")
    if hottest is None:
        rows.append(unavailable_row(view, "temp_max_c", "hottest"))
    else:
        role = view.role_of("temp_max_c", hottest)
        colour = "info" if role == "text" else role
        spare = width - 18
        wide = min(24, spare if spare < 24 else spare // 2)
        row: list[Span] = [(fit("hottest", 8), "text"), (number(hottest, 6), role), (" °C ", "muted")]
        row += meter(view, "temp_max_c", hottest / 100, wide, colour)
        rows.append(
            [
                *row,
                (" ", "text"),
                spark(view, "temp_max_c", spare - wide - 1, "trace" if colour == "info" else colour, low=None),
            ]
        )
    power = host.values.get("power_total_mw")
    if power is None:
        rows.append(unavailable_row(view, "power_total_mw", "power"))
    else:
        text: list[Span] = [(fit("power", 8), "text"), (number(power / 1000, 6, 2), "text"), (" W  ", "muted")]
        rows.append([*text, spark(view, "power_total_mw", width - 18, "trace", low=None)])
    return [row for row in rows if row]
