"""What the live screen costs: CPU, bytes to the terminal, first paint; against glances, stock widgets, a minimal app.

Each program runs in a real terminal (a pty of 160x45) as a process of its own and is measured from outside, all in one
run, because absolute figures drift with the machine: `python -m bench.screen [SPAN_S]`; $GLANCES names glances' program.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from pathlib import Path

from bench.pty_run import Run, run
from bench.table import Line, show

HERE = Path(__file__).resolve().parent
WARM_S = 6.0
STARTS = 9


def rows(span_s: float = 20.0) -> list[Line]:
    """Measure everything, one program after the other."""
    two, ten, low = (_screen(hz, span_s) for hz in (["2"], ["10"], ["2", "low"]))
    stock_two, stock_ten = (_python("screen_stock.py", hz, span_s=span_s) for hz in ("2", "10"))
    glances = _glances(span_s)
    return [
        *_cpu_rows(two, stock_two, glances),
        _row("2 Hz: bytes", two.bytes_per_s, "kB/s", f"stock {_kb(stock_two)}, glances {_kb(glances)}", 25e3),
        _row("10 Hz: CPU", ten.cpu_percent, "%", f"stock {_percent(stock_ten)}", 25.0),
        _row("10 Hz: bytes", ten.bytes_per_s, "kB/s", f"stock {_kb(stock_ten)}", 120e3),
        _row("low bandwidth: bytes", low.bytes_per_s, "kB/s", f"full {_kb(two)}", 4e3),
        first_paint(),
    ]


def _cpu_rows(two: Run, stock: Run, glances: Run | None) -> list[Line]:
    first = _row("2 Hz: CPU of one core", two.cpu_percent, "%", f"stock {_percent(stock)}", 5.0)
    if glances is None or not glances.cpu_percent or two.cpu_percent is None:
        return [first, Line("2 Hz: CPU against glances", _percent(two), "glances not installed", "<= 1.5 x", None)]
    ratio = two.cpu_percent / glances.cpu_percent
    peer = f"glances at its 2 s {_percent(glances)}"
    return [first, Line("2 Hz: CPU against glances", f"{ratio:.2f} x", peer, "<= 1.5 x", ratio <= 1.5)]


def first_paint(starts: int = STARTS) -> Line:
    """Time from exec to the first content, alternating with the smallest Textual app; medians."""
    ours, minimal = [], []
    for _ in range(starts + 1):
        ours.append(run(_argv("screen_child.py", "2"), content=b"Latency").first_content_s)
        minimal.append(run(_argv("screen_minimal.py"), content=b"ready").first_content_s)
    mine, least = (statistics.median(t for t in times[1:] if t is not None) for times in (ours, minimal))
    ratio = mine / least
    peer = f"minimal Textual app {least:.3f} s"
    return Line("first paint", f"{mine:.3f} s ({ratio:.2f} x)", peer, "<= 1.25 x", ratio <= 1.25)


def _screen(arguments: list[str], span_s: float) -> Run:
    return _python("screen_child.py", *arguments, span_s=span_s, content=b"Latency")


def _python(script: str, *arguments: str, span_s: float, content: bytes = b"") -> Run:
    return run(_argv(script, *arguments), content=content, warm_s=WARM_S, span_s=span_s)


def _argv(script: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / script), *arguments]


def _glances(span_s: float) -> Run | None:
    program = os.environ.get("GLANCES") or shutil.which("glances")
    return run([program], warm_s=WARM_S, span_s=span_s) if program else None


def _row(what: str, measured: float | None, unit: str, peer: str, goal: float) -> Line:
    if measured is None:
        return Line(what, "not measured", peer, "", None)
    scale = 1000 if unit == "kB/s" else 1
    return Line(what, f"{measured / scale:.1f} {unit}", peer, f"<= {goal / scale:g} {unit}", measured <= goal)


def _percent(one: Run | None) -> str:
    return "-" if one is None or one.cpu_percent is None else f"{one.cpu_percent:.1f} %"


def _kb(one: Run | None) -> str:
    return "not installed" if one is None or one.bytes_per_s is None else f"{one.bytes_per_s / 1000:.1f} kB/s"


if __name__ == "__main__":
    show("Live screen, 160x45, every panel moving", rows(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0))
