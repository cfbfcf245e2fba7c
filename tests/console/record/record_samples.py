"""Bodies and records that the record's tests share."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import strategies as st

from console.fieldtest.criteria import Answer, Distribution, Judgement, Number, Rate
from console.record.entries import (
    Act,
    Attachment,
    Attempt,
    Body,
    Confirmation,
    Deferral,
    Entry,
    Evidence,
    Fix,
    GatePassed,
    Moment,
    Note,
    Opened,
    Override,
    Poll,
    Revised,
    Seen,
    Signature,
    Transcribed,
    Withdrawal,
)
from console.record.record import FILE, Record
from remote.histogram import Histogram
from tests.console.record.field_samples import FIELD_SAMPLES

A_FILE = Attachment(digest="a" * 64, name="pack.yaml", media="application/yaml", bytes=3)
B_FILE = Attachment(digest="b" * 64, name="grip.jpg", media="image/jpeg", bytes=4)
EVIDENCE = Evidence(
    source="latency",
    measurement=Distribution(Histogram.of([41.5, 44.0, 39.9]), "ms"),
    judgement=Judgement(verdict="pass", value=44.0, n=3),
    limit="p99 < 500 ms",
    moment=Moment(wall_ns=5, robot_wall_ns=6, clock_offset_ms=-0.5),
    took_ms=12.5,
    fingerprints={"bundle": "3f2a", "source": "9c"},
    rule="c" * 64,
    attachments=(B_FILE,),
    details={"frames": 3, "camera": "scene:", "fps": 29.9, "warm": True, "gap": None},
)
SAMPLES: tuple[Body, ...] = (
    Opened(
        campaign="kitchen",
        robot="orin",
        bundle="d" * 64,
        bundle_name="yolox",
        pack_name="grasping",
        revision="e" * 64,
        pack=A_FILE,
        overlays=(B_FILE,),
        software="0.1.0",
    ),
    Revised(reason="new model", bundle="f" * 64, overlays=(A_FILE,), roster=B_FILE),
    Seen(fingerprints={"robot": "12"}, facts={"robot": "L4T 36.4"}, moment=Moment(wall_ns=1)),
    Attempt(item="latency", evidence=EVIDENCE),
    Confirmation(
        item="arm_free",
        meaning="witnessed",
        holds=True,
        statement="The arm is free.",
        rule="c" * 64,
        attachments=(B_FILE,),
        transcribed=Transcribed("Ada", "2026-05-01T10:00:00+02:00"),
    ),
    Act(item="stop", command="stop", exit=0, output="stopped"),
    Override(item="insurance", role="safety", reason="policy is in the post", expires_wall_ns=9),
    Deferral(item="hil", role="lead", until_stage="bench", owner="Grace", reason="rig is away"),
    Fix(item="latency", failure_seq=4, text="warmed up"),
    Withdrawal(seq=5, reason="wrong arm"),
    Note(item="latency", text="it is warm: 31 °C", attachments=(A_FILE, B_FILE)),
    Poll(stage="bench", role="lead", go=True, basis="ab"),
    Signature(
        stage="bench",
        meaning="approved",
        principal="ada",
        name="Ada",
        role="safety",
        key="SHA256:x",
        statement=A_FILE,
        armored="-----BEGIN SSH SIGNATURE-----",
        covers={"latency": "1" * 64},
        head=12,
        local_time="2026-05-01T10:00:00+02:00",
    ),
    GatePassed(stage="bench", signatures=(13,)),
    *FIELD_SAMPLES,
)
"""One body of every kind."""

_words = st.text(max_size=40)
_number = st.floats(allow_nan=False, allow_infinity=False)
_measurements = st.one_of(
    st.builds(Number, _number, _words, st.integers(1, 10**6)),
    st.builds(Rate, st.integers(0, 50), st.integers(50, 99)),
    st.builds(Answer, st.booleans(), _words),
    st.lists(st.floats(0, 1e6), max_size=20).map(lambda values: Distribution(Histogram.of(values), "ms")),
)
_evidence = st.builds(
    Evidence,
    source=_words,
    measurement=st.none() | _measurements,
    judgement=st.none() | st.builds(Judgement, verdict=st.sampled_from(["pass", "fail"]), value=st.none() | _number),
    moment=st.builds(Moment, wall_ns=st.integers(0, 2**62), clock_offset_ms=st.none() | _number),
    rule=_words,
    took_ms=_number,
    details=st.dictionaries(
        _words, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _number | _words, max_size=4
    ),
)
bodies: st.SearchStrategy[Body] = st.one_of(
    st.sampled_from(SAMPLES),
    st.builds(Note, item=_words, text=_words),
    st.builds(Attempt, item=_words, evidence=_evidence),
    st.builds(Seen, fingerprints=st.dictionaries(_words, _words, max_size=4), moment=st.just(Moment(wall_ns=1))),
)
entries: st.SearchStrategy[Entry] = st.builds(
    Entry,
    seq=st.integers(1, 2**62),
    prev=st.just("0" * 64),
    wall_ns=st.integers(0, 2**62),
    clock_back_ms=_number,
    person=_words,
    body=bodies,
)


def filled(folder: Path, count: int = 5) -> Record:
    """A record of `count` notes, each with an attachment of its own."""
    record = Record.create(folder, wall_ns=lambda: 1_000)
    for number in range(1, count + 1):
        append_note(record, number)
    return record


def append_note(record: Record, number: int) -> None:
    """Entry `number` as `note_text` and `file_bytes` say it."""
    attachment = record.attach(file_bytes(number), f"photo-{number}.jpg")
    record.append("ada", Note(item=f"item_{number}", text=note_text(number), attachments=(attachment,)))


def note_text(number: int) -> str:
    """What the note in entry `number` says; longer than a page of the database now and then."""
    return f"note {number} " + "grip " * (number * 37 % 1500)


def file_bytes(number: int) -> bytes:
    """What is attached to entry `number`."""
    return f"picture {number}".encode() * (1 + number * 91 % 700)


def forge(folder: Path, sql: str, *values: object) -> None:
    """Change a record as somebody would who has the file and sqlite3."""
    connection = sqlite3.connect(folder / FILE)
    for trigger in ("entries_stay", "entries_keep", "entries_grow"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    connection.execute(sql, values)
    connection.commit()
    connection.close()
