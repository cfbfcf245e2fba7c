"""What a script or a log reader gets from `fieldgate watch`."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from console.alarms import Alarm
from console.link.snapshot import Link, Seen, Snapshot
from console.watching import STALE_S, Row, last_seq, lines_of, row_of
from remote.histogram import Histogram
from remote.protocol import CameraHealth, Event, Failure, Host, LabelCount, Window

S = 1_000_000_000


def window(at_ns: int | None, seq: int = 7) -> Seen[Window]:
    body = Window(
        run=1,
        window=3,
        start_mono_ns=0,
        span_ms=1000.0,
        frames=15,
        stages_ms={"end_to_end": Histogram.of([20.0] * 15), "inference": Histogram.of([10.0] * 15)},
        labels={"cube": LabelCount(30, 15, 27.0, 0.8, 0.95)},
        camera=CameraHealth("ok"),
        source="scene:",
        bundle="ab" * 32,
    )
    return Seen(seq, at_ns, 0, body)


def snapshot(**changes: object) -> Snapshot:
    link = Link(phase="up", since_ns=0, transport="local", round_trip_ms=0.4)
    base = Snapshot(robot="orin", taken_ns=0, link=link, windows=(window(9 * S),))
    return msgspec.structs.replace(base, **changes)


def row(shot: Snapshot, now_s: float = 10.0, since_seq: int = 0, alarms: tuple[Alarm, ...] = ()) -> Row:
    return row_of(shot, alarms, now_ns=int(now_s * S), wall_s=1_700_000_000.0, since_seq=since_seq)


def test_a_line_has_units_and_the_age_of_what_it_shows() -> None:
    (line,) = lines_of(row(snapshot()))
    assert "fps 15.0" in line
    assert "end to end p50 20.0 p95 20.0 ms" in line
    assert "boxes 30" in line
    assert "age 1.0 s" in line
    assert "STALE" not in line


def test_an_old_number_is_never_shown_as_current() -> None:
    just_fresh, just_stale = 9 + STALE_S, 9 + STALE_S + 0.01
    assert "STALE" not in lines_of(row(snapshot(), just_fresh))[0]
    assert "STALE" in lines_of(row(snapshot(), just_stale))[0]


def test_a_number_from_before_a_reboot_has_no_invented_age() -> None:
    shown = row(snapshot(windows=(window(None),)))
    assert shown.age_s is None
    assert "unknown (from before the robot's last start)" in lines_of(shown)[0]


def test_a_broken_link_says_why_instead_of_numbers() -> None:
    link = Link(phase="down", since_ns=0, transport="ssh", reason="connection timed out")
    line = lines_of(row(snapshot(link=link), 21.0))[0]
    assert "link down: connection timed out" in line
    assert "age 12.0 s STALE" in line
    assert "fps" not in line


def test_each_event_and_failure_is_told_once() -> None:
    events = (
        Seen(8, 0, 0, Event(name="worker_started", severity="info", text="run 1")),
        Seen(12, 0, 0, Event(name="x", severity="info", text="y")),
    )
    failures = (Seen(10, 0, 0, Failure(name="camera_gone", text="no frame")),)
    shot = snapshot(events=events, failures=failures)
    assert [it.seq for it in row(shot, since_seq=8).events] == [12]
    assert [it.seq for it in row(shot, since_seq=8).failures] == [10]
    assert last_seq(shot) == 12
    assert row(shot, since_seq=last_seq(shot)).events == ()


def test_what_cannot_be_read_is_null_with_its_reason() -> None:
    host = Host(values={"cpu_percent": 12.0}, unavailable={"gpu_percent": "not a Jetson"})
    shown = row(snapshot(hosts=(Seen(3, 9 * S, 0, host),)))
    assert "gpu_percent" not in shown.host
    assert shown.unavailable["gpu_percent"] == "not a Jetson"


def test_a_raised_alarm_is_a_line_with_value_and_limit() -> None:
    alarm = Alarm(
        id="inference", title="Inference is slow", severity="warning", state="raised", acknowledged=False,
        since_ns=4 * S, value=61.2, limit=50.0, unit="ms", n=120, word="", blind="", cure="",
    )  # fmt: skip
    told = lines_of(row(snapshot(), alarms=(alarm,)))[1]
    assert "warning inference: Inference is slow (61.2 ms, limit 50 ms, for 6 s)" in told
    cleared = msgspec.structs.replace(alarm, state="cleared")
    assert len(lines_of(row(snapshot(), alarms=(cleared,)))) == 1


def test_an_alarm_is_told_when_it_comes_and_when_it_goes_and_named_in_between() -> None:
    alarm = Alarm(
        id="cpu", title="CPU is busy", severity="warning", state="raised", acknowledged=False,
        since_ns=0, value=90.0, limit=70.0, unit="%", n=10, word="", blind="", cure="",
    )  # fmt: skip
    raised = row(snapshot(), alarms=(alarm,))
    over = row(snapshot(), alarms=(msgspec.structs.replace(alarm, state="cleared"),))
    assert [line[11:16] for line in lines_of(raised, row(snapshot()))[1:]] == ["ALARM"]
    (still,) = lines_of(raised, raised)
    assert still.endswith("ALARMS cpu")
    assert lines_of(over, raised)[1].endswith("OVER warning cpu: CPU is busy")
    (quiet,) = lines_of(over, over)
    assert "ALARMS" not in quiet


@given(st.floats(min_value=-1e6, max_value=1e6), st.booleans())
def test_every_row_is_one_line_of_json(now_s: float, empty: bool) -> None:
    shot = snapshot(windows=()) if empty else snapshot()
    encoded = msgspec.json.encode(row(shot, now_s))
    assert b"\n" not in encoded
    assert msgspec.json.decode(encoded, type=Row) == row(shot, now_s)
