"""Latency: percentiles of the whole way and of each stage, with their histories."""

from __future__ import annotations

from console.readings import statistic_of
from console.view import View
from console.widgets.cells import Span, fit
from console.widgets.drawing import bar, number
from console.widgets.panel import Panel, spark
from remote.histogram import Histogram

SPAN_S = 10.0
_ROWS = (
    ("end_to_end", "end to end"),
    ("inference", "inference"),
    ("preprocess", "preprocess"),
    ("postprocess", "postprocess"),
    ("capture", "capture"),
)
_STATISTICS = ("p50", "p95", "p99", "max")


class LatencyPanel(Panel):
    """p50, p95, p99 and max in milliseconds over the last ten seconds; history is each second's p95."""

    TITLE = "Latency"
    HELP = (
        "Milliseconds over the last 10 s of frames. *end to end* runs from the capture stamp to the result; inference, "
        "preprocess and postprocess are its stages, and *share* compares their p50 with it. *capture* is the wait for the "
        "next frame, before the stamp. History: p95 of each second. "
        "A value in colour is beyond its limit in kpis.yaml."
    )

    def caption(self, view: View) -> str:
        """Unit, span and count."""
        n = view.trends.merged.stage(view.snapshot, "end_to_end", SPAN_S).count
        return f"ms · {SPAN_S:.0f} s, n={n}"

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """A heading and a row for each stage."""
        cell = 8 if width >= 56 else max(4, min(6, (width - 12) // 4))
        share = 12 if width >= 66 else 0
        head = fit("", 12) + "".join(fit(name, cell, right=True) for name in _STATISTICS)
        head += fit("   share", share + 3) if share else ""
        rows: list[list[Span]] = [[(head + ("  p95, each second" if width - len(head) > 20 else ""), "muted")]]
        merged = view.trends.merged
        whole = statistic_of(merged.stage(view.snapshot, "end_to_end", SPAN_S), "p50")
        for stage, name in _ROWS:
            histogram = merged.stage(view.snapshot, stage, SPAN_S)
            rows.append(self._row(view, stage, name, histogram, (cell, share, width), whole))
        return rows

    def _row(
        self, view: View, stage: str, name: str, histogram: Histogram, sizes: tuple[int, int, int], whole: float | None
    ) -> list[Span]:
        cell, share, width = sizes
        metric = f"{stage}_ms"
        row: list[Span] = [(fit(name, 12), "strong" if stage == "end_to_end" else "text")]
        worst = "info"
        for statistic in _STATISTICS:
            value = statistic_of(histogram, statistic)
            kpi = view.kpis.limit_of(metric)
            role = view.role_of(metric, value) if kpi and kpi.criterion.statistic == statistic else "text"
            worst = role if role != "text" else worst
            row.append((number(value, cell), role))
        if share and stage == "capture":
            row.append((" " * (share + 3), "text"))
        elif share:
            part = (statistic_of(histogram, "p50") or 0.0) / whole if whole else 0.0
            row += [("   ", "text"), *bar(part, share, view.charset, worst)]
        used = 12 + 4 * cell + (share + 3 if share else 0)
        return [
            *row,
            ("  ", "text"),
            spark(view, metric, width - used - 2, "trace" if worst == "info" else worst, low=None),
        ]
