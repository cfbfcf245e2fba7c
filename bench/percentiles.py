"""p50, p95 and p99 of any span of ten million frames: the store's roll-ups against DuckDB on the raw rows.

`python -m bench.percentiles [--frames 10000000]`. Both hold the same frames; DuckDB has them in memory, the store in its file.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bench.table import Line, show
from console.store.rolling import roll
from console.store.rollups import spread
from console.store.store import Store
from remote.histogram import Histogram
from remote.protocol import STAGES, CameraHealth, Entry, LabelCount, Window, raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

S_NS = 1_000_000_000
FPS = 30
START_NS = 1_700_000_000 * S_NS
POOL = 2000
"""So many different windows are made, and used over and over: making all of them would take longer than measuring."""
QUANTILES = (0.50, 0.95, 0.99)
ROUNDS = 15


def main() -> int:
    """Build both, ask both, print the table."""
    import duckdb
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000_000)
    count = parser.parse_args().frames // FPS
    values = np.random.default_rng(7).lognormal(3.0, 0.6, (POOL, FPS)).round(3)
    order = np.random.default_rng(8).integers(0, POOL, count)
    frames = values[order].ravel()
    database = duckdb.connect()
    table = _table({"s": np.repeat(np.arange(1, count + 1), FPS), "ms": frames})
    database.register("given", table)
    database.execute("CREATE TABLE frames AS SELECT s, ms FROM given")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store.db", wall_ns=lambda: START_NS + 2 * count * S_NS)
        journal = store.journal("orin", "bench").id
        _fill(store, journal, values, order)
        began = time.perf_counter()
        roll(store, journal)
        first_s = time.perf_counter() - began
        _report(store, database, frames, count, first_s)
        store.close()
    return 0


def _table(columns: dict[str, NDArray[Any]]) -> Any:
    import pyarrow

    return pyarrow.table(columns)


def _fill(store: Store, journal: int, values: NDArray[Any], order: NDArray[Any]) -> None:
    bodies = [_body(row) for row in values]
    batch = 5000
    for first in range(0, len(order), batch):
        seconds = range(first, min(first + batch, len(order)))
        entries = [
            Entry(n + 1, "boot", (n + 1) * S_NS, START_NS + (n + 1) * S_NS, bodies[int(order[n])]) for n in seconds
        ]
        store.add(journal, entries)


def _body(milliseconds: NDArray[Any]) -> msgspec.Raw:
    times = Histogram.of(milliseconds.tolist())
    window = Window(
        run=1,
        window=0,
        start_mono_ns=0,
        span_ms=1000.0,
        frames=FPS,
        stages_ms=dict.fromkeys(STAGES, times),
        labels={"cube": LabelCount(FPS, FPS, 0.9 * FPS, 0.8, 0.99)},
        camera=CameraHealth("ok", brightness=120.0),
        source="scene:",
        bundle="b" * 64,
    )
    return raw(window)


def _report(store: Store, database: Any, frames: NDArray[Any], count: int, first_s: float) -> None:
    import numpy as np

    lines = []
    chance = random.Random(9)
    spans = [("the whole span", [(1, count + 1)] * ROUNDS)]
    spans.append(("spans at random", [_span(chance, count) for _ in range(ROUNDS)]))
    for what, asked in spans:
        ours_s = [_timed(lambda a=a, b=b: _ours(store, a, b)) for a, b in asked]  # type: ignore[misc]
        theirs_s = [_timed(lambda a=a, b=b: _theirs(database, a, b)) for a, b in asked]  # type: ignore[misc]
        ratio = statistics.median(one / other for one, other in zip(ours_s, theirs_s, strict=True))
        ours, theirs = statistics.median(ours_s) * 1000, statistics.median(theirs_s) * 1000
        goal = "<= 0.2 x DuckDB"
        lines.append(
            Line(f"p50, p95, p99: {what}", f"{ours:.1f} ms ({ratio:.3f} x)", f"{theirs:.0f} ms", goal, ratio <= 0.2)
        )
    worst = max(_error(_ours(store, a, b), np.sort(frames[(a - 1) * FPS : (b - 1) * FPS])) for a, b in spans[1][1])
    lines.append(Line("relative error, worst of those", f"{worst:.3%}", "exact ranks", "<= 0.5 %", worst <= 0.005))
    lines.append(Line("adding up for the first time", f"{first_s:.1f} s", f"{count} windows", "shown", None))
    show(f"Percentiles of {count * FPS} frames", lines)


def _span(chance: random.Random, count: int) -> tuple[int, int]:
    first, last = sorted(chance.sample(range(1, count + 2), 2))
    return first, last


def _ours(store: Store, first_s: int, end_s: int) -> list[float]:
    found = spread(store, "orin", "end_to_end_ms", START_NS + first_s * S_NS, START_NS + end_s * S_NS)
    return [found.quantile(q) or 0.0 for q in QUANTILES]


def _theirs(database: Any, first_s: int, end_s: int) -> list[float]:
    sql = f"SELECT quantile_disc(ms, {list(QUANTILES)}) FROM frames WHERE s >= ? AND s < ?"
    return list(database.execute(sql, [first_s, end_s]).fetchone()[0])


def _error(ours: list[float], ordered: NDArray[Any]) -> float:
    import math

    exact = [float(ordered[max(1, math.ceil(q * len(ordered))) - 1]) for q in QUANTILES]
    return max(abs(one - other) / other for one, other in zip(ours, exact, strict=True))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main())
