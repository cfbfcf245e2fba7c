"""A laptop's store with failures in it, and rows as a foreign log gives them."""

from __future__ import annotations

from pathlib import Path

from console.failures.rows import FailureRow
from console.store.store import Store
from remote.protocol import Body, Clip, ClipFrame, Detection, Entry, Failure, Host, raw

S = 1_000_000_000
WALL_NS = 1_772_000_000 * S
BUNDLE = "3f2a" * 16
BOOT = "b" * 36
PICTURE = "ab" * 32


def entry(seq: int, body: Body, *, wall_ns: int | None = None, boot_id: str = BOOT) -> Entry:
    return Entry(seq, boot_id, seq * S, WALL_NS + seq * S if wall_ns is None else wall_ns, raw(body))


def failure(n: int = 0, **changes: object) -> Failure:
    given: dict[str, object] = {
        "name": ("no_detection", "low_confidence", "camera_black")[n % 3],
        "text": f"failure number {n}",
        "id": f"f{n}",
        "light": float(n % 200),
        "conditions": {"place": "dock" if n % 2 else "hall", "phase": "office"},
        "detections": (Detection(n % 2, 0.5, 1, 2, 30, 40),) if n % 3 == 1 else (),
        "width": 640,
        "height": 480,
        "bundle": BUNDLE,
        "picture": PICTURE if n % 3 == 1 else None,
        **changes,
    }
    return Failure(**given)  # type: ignore[arg-type]


def fill(store: Store, bodies: list[Body], *, robot: str = "orin", journal: str = "j-one", first: int = 1) -> None:
    known = store.journal(robot, journal)
    store.add(known.id, [entry(first + n, body) for n, body in enumerate(bodies)])


def store_with(path: Path, count: int) -> Store:
    """`count` failures, a host sample before each."""
    store = Store(path)
    store.note_labels(BUNDLE, ("cube", "cup"))
    bodies: list[Body] = []
    for n in range(count):
        bodies += [Host(values={"temp_max_c": 50.0 + n % 40}), failure(n)]
    fill(store, bodies)
    return store


def clip(of: str) -> Clip:
    frames = (ClipFrame(-5000.0, "01" * 32), ClipFrame(0.0, PICTURE), ClipFrame(5000.0, "02" * 32))
    return Clip(failure=of, frames=frames)


def foreign(line: int, text: str = "No detections | Light: 31") -> tuple[int, FailureRow]:
    row = FailureRow(id="", robot="old", wall_ns=WALL_NS, kind="no_detection", text=text, imported_from=f"a.log:{line}")
    return line, row
