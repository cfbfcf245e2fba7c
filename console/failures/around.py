"""What the robot measured around a failure: latency, frames, temperature, light, half a minute before and behind."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from console.failures.rows import FailureRow
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import Entry, Host, Window, body_of

SPAN_S = 30


class Series(msgspec.Struct, frozen=True):
    """One metric: (seconds after the failure, value) in order; `digits` behind the point are worth showing."""

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]
    digits: int = 0


class Around(msgspec.Struct, frozen=True):
    """The series that there are; `reason` says why there is none."""

    series: tuple[Series, ...] = ()
    reason: str = ""


def around(store: Store, row: FailureRow) -> Around:
    """The telemetry around a failure, by the monotonic clock of the boot that it happened in."""
    journal = next((one for one in store.journals() if one.journal == row.journal), None)
    if not row.journal:
        return Around(reason="an imported log brings no telemetry")
    if journal is None:
        return Around(reason="the robot's journal is not on this laptop any more")
    windows: list[tuple[float, Window]] = []
    hosts: list[tuple[float, Host]] = []
    for kind in ("window", "host"):
        for entry in store.beside(journal.id, kind, row.seq, before=SPAN_S + 5, after=SPAN_S + 5):
            _sort(entry, row, windows, hosts)
    found = tuple(one for one in _series(windows, hosts) if one.points)
    return Around(found, "" if found else f"nothing was recorded within {SPAN_S} s of it")


def _sort(entry: Entry, row: FailureRow, windows: list[tuple[float, Window]], hosts: list[tuple[float, Host]]) -> None:
    offset_s = (entry.mono_ns - row.mono_ns) / 1e9
    if entry.boot_id != row.boot_id or abs(offset_s) > SPAN_S:
        return
    try:
        body = body_of(entry)
    except Trouble:
        return
    if isinstance(body, Window):
        windows.append((offset_s, body))
    elif isinstance(body, Host):
        hosts.append((offset_s, body))


def _series(windows: list[tuple[float, Window]], hosts: list[tuple[float, Host]]) -> tuple[Series, ...]:
    def of_windows(value: Callable[[Window], float | None]) -> tuple[tuple[float, float], ...]:
        return tuple((at, found) for at, body in windows if (found := value(body)) is not None)

    def of_hosts(name: str) -> tuple[tuple[float, float], ...]:
        return tuple((at, body.values[name]) for at, body in hosts if name in body.values)

    return (
        Series("end to end p95", "ms", of_windows(_latency), 1),
        Series("frames", "1/s", of_windows(lambda body: body.fps), 1),
        Series("with detections", "%", of_windows(_detected)),
        Series("light", "of 255", of_windows(lambda body: body.camera.brightness)),
        Series("hottest", "°C", of_hosts("temp_max_c"), 1),
        Series("CPU", "%", of_hosts("cpu_percent")),
        Series("GPU", "%", of_hosts("gpu_percent")),
        Series("memory", "%", of_hosts("memory_percent")),
    )


def _latency(body: Window) -> float | None:
    spread = body.stages_ms.get("end_to_end")
    return spread.quantile(0.95) if spread is not None and spread.count else None


def _detected(body: Window) -> float | None:
    return 100 * body.frames_with_detections / body.frames if body.frames else None
