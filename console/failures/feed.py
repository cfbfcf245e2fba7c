"""From the laptop's store to rows: every failure of every journal, with what the journal knows of that moment."""

from __future__ import annotations

from collections.abc import Iterator

from console.failures.rows import ClipPicture, FailureRow
from console.failures.shelf import ClipBody
from console.store.store import Journal, Store
from remote.errors import Trouble
from remote.protocol import Clip, Entry, Failure, Host, body_of

MOST_PIXELS = 65_536
HOST_AGE_NS = 10_000_000_000
"""A temperature that is older than this says nothing of the failure."""


def failures_of(store: Store, journal: Journal, after_seq: int) -> Iterator[tuple[int, FailureRow]]:
    """(sequence number, row) of every failure behind `after_seq`, oldest first.

    Entries that this version does not understand are left out.
    """
    labels: dict[str, tuple[str, ...]] = {}
    for entry in store.entries(journal.id, "failure", after_seq):
        body = _body(entry)
        if isinstance(body, Failure):
            if body.bundle not in labels:
                labels[body.bundle] = store.labels(body.bundle)
            yield entry.seq, _row(store, journal, entry, body, labels[body.bundle])


def clips_of(store: Store, journal: Journal, after_seq: int) -> Iterator[tuple[int, str, ClipBody]]:
    """(sequence number, the failure's own id, clip) of every clip behind `after_seq`."""
    for entry in store.entries(journal.id, "clip", after_seq):
        body = _body(entry)
        if isinstance(body, Clip):
            pictures = tuple(ClipPicture(frame.offset_ms, frame.picture) for frame in body.frames)
            yield entry.seq, body.failure, ClipBody(pictures, body.reason)


def _row(store: Store, journal: Journal, entry: Entry, body: Failure, names: tuple[str, ...]) -> FailureRow:
    seen = sorted({_name(names, box.label_index) for box in body.detections})
    return FailureRow(
        id=f"{journal.journal}:{entry.seq}",
        robot=journal.robot,
        wall_ns=entry.wall_ns,
        kind=body.name,
        text=body.text,
        labels=tuple(seen),
        light=body.light,
        conditions=body.conditions,
        bundle=body.bundle,
        source=body.source,
        temp_c=_temperature(store, journal, entry),
        failure=body.id,
        journal=journal.journal,
        seq=entry.seq,
        boot_id=entry.boot_id,
        mono_ns=entry.mono_ns,
        frame=body.frame if body.frame is None or 0 <= body.frame < 2**63 else None,
        before=body.before,
        at=body.picture,
        detections=body.detections,
        names=names,
        width=_size(body.width),
        height=_size(body.height),
        stages_ms=body.stages_ms,
        data=body.data,
    )


def _name(names: tuple[str, ...], index: int) -> str:
    return names[index] if 0 <= index < len(names) else f"label {index}"


def _size(pixels: int) -> int:
    """The side of a frame; 0 (unknown) for one that no camera has."""
    return pixels if 0 <= pixels <= MOST_PIXELS else 0


def _temperature(store: Store, journal: Journal, entry: Entry) -> float | None:
    """The hottest sensor in the newest host sample before, of the same boot and not too old."""
    for host in store.beside(journal.id, "host", entry.seq, before=1):
        body = _body(host)
        fresh = host.boot_id == entry.boot_id and entry.mono_ns - host.mono_ns <= HOST_AGE_NS
        if isinstance(body, Host) and fresh:
            return body.values.get("temp_max_c")
    return None


def _body(entry: Entry) -> object:
    try:
        return body_of(entry)
    except Trouble:
        return None
