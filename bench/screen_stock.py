"""The naive way to the same screen: eight panels of stock widgets, everything changing at the given rate: `HZ`."""

from __future__ import annotations

import random
import sys

from textual.app import App, ComposeResult
from textual.containers import Grid
from textual.widgets import DataTable, Footer, Header, ProgressBar, RichLog, Sparkline, Static


class Stock(App[None]):
    """Two tables, two histories, two logs, two texts with bars."""

    CSS = "Grid { grid-size: 2 4; } Grid > * { border: round gray; height: 1fr; }"

    def compose(self) -> ComposeResult:
        """The panels."""
        yield Header(show_clock=True)
        with Grid():
            yield DataTable[str](id="latency")
            yield Sparkline([0.0] * 120, id="history")
            yield DataTable[str](id="detections")
            yield Sparkline([0.0] * 120, id="load")
            yield RichLog(id="events")
            yield RichLog(id="failures")
            yield Static(id="thermal")
            yield ProgressBar(total=100, id="cpu")
        yield Footer()

    def on_mount(self) -> None:
        """Fill the tables and begin."""
        for name in ("latency", "detections"):
            table = self.query_one(f"#{name}", DataTable)
            table.add_columns("what", "p50", "p95", "p99", "max")
            for row in range(6):
                table.add_row(f"row {row}", "0", "0", "0", "0", key=str(row))
        self.set_interval(1 / float(sys.argv[1]), self._tick)

    def _tick(self) -> None:
        draw = random.random
        for table in self.query(DataTable):
            for row in range(6):
                for column in range(1, 5):
                    table.update_cell_at((row, column), f"{100 * draw():.1f}")  # type: ignore[arg-type]
        for history in self.query(Sparkline):
            history.data = [*(history.data or [])[1:], draw()]
        for log in self.query(RichLog):
            log.write(f"12:00:00 something happened {draw():.3f}")
        self.query_one("#thermal", Static).update("\n".join(f"sensor {n}: {50 + 9 * draw():.1f} C" for n in range(8)))
        self.query_one(ProgressBar).update(progress=100 * draw())


if __name__ == "__main__":
    Stock().run()
