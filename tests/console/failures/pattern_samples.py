"""A laptop's store of hours of running in changing light, failures where a test wants them, and pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from console.failures.rows import FailureRow
from console.store.store import Store
from remote.protocol import Body, CameraHealth, Detection, Entry, Failure, Host, LabelCount, Window, raw

S = 1_000_000_000
START_NS = 1_771_966_800 * S  # 21:00 UTC
BUNDLE = "3f2a" * 16


def window(n: int, light: float | None, **changes: object) -> Window:
    given: dict[str, object] = {
        "run": 1,
        "window": n,
        "start_mono_ns": n * S,
        "span_ms": 60_000.0,
        "frames": 1200,
        "frames_with_detections": 600,
        "stages_ms": {},
        "labels": {"cube": LabelCount(600, 600, 500.0, 0.5, 0.9)},
        "camera": CameraHealth("ok", brightness=light),
        "source": "scene:",
        "bundle": BUNDLE,
        "conditions": {"place": "dock" if n % 3 else "hall"},
        **changes,
    }
    return Window(**given)  # type: ignore[arg-type]


def fill(store: Store, minutes: int, light_of: Callable[[int], float], failures: Callable[[int], int]) -> None:
    """A window a minute, host samples, and so many failures in it, 12 s apart."""
    entries: list[Entry] = []

    def add(body: Body, at_ns: int) -> None:
        entries.append(Entry(len(entries) + 1, "boot", at_ns, START_NS + at_ns, raw(body)))

    for minute in range(minutes):
        at_ns = minute * 60 * S
        add(Host(values={"temp_max_c": 55.0 if minute % 2 else 65.0}), at_ns)
        add(window(minute, light_of(minute)), at_ns)
        for n in range(failures(minute)):
            name = f"f{minute}-{n}"
            place = "dock" if minute % 3 else "hall"
            add(Host(values={"temp_max_c": 55.0 if minute % 2 else 65.0}), at_ns + (n + 1) * 12 * S)
            body = Failure(
                name="no_detection",
                text="nothing where a cube is",
                id=name,
                light=light_of(minute),
                conditions={"place": place},
                bundle=BUNDLE,
            )
            add(body, at_ns + (n + 1) * 12 * S)
    store.add(store.journal("orin", "j").id, entries)


def row(n: int = 0, **changes: object) -> FailureRow:
    given: dict[str, object] = {
        "id": f"j:{n}",
        "robot": "orin",
        "wall_ns": START_NS + n * 60 * S,
        "kind": "no_detection",
        "text": "nothing where a cube is",
        "labels": ("cube",),
        "light": 31.0,
        "conditions": {"place": "dock", "phase": "office"},
        "bundle": BUNDLE,
        "temp_c": 61.0,
        "detections": (Detection(0, 0.75, 20.0, 40.0, 120.0, 140.0), Detection(1, 0.5, -10.0, 0.0, 50.0, 50.0)),
        "names": ("cube", "cup"),
        "width": 640,
        "height": 480,
        "stages_ms": {"inference": 5.5},
        **changes,
    }
    return FailureRow(**given)  # type: ignore[arg-type]


def picture(scene: int, *, noise: int = 0, width: int = 320, height: int = 240) -> bytes:
    """A JPEG of a scene of bright blocks; `noise` changes grains of it, as a camera does."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(scene)
    blocks = random.integers(20, 220, (6, 8, 3)).astype(np.uint8)
    image = Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC)
    grains = np.random.default_rng(1000 + noise).normal(0, 6, (height, width, 3))
    data = io.BytesIO()
    Image.fromarray(np.clip(np.asarray(image) + grains, 0, 255).astype(np.uint8)).save(data, "JPEG", quality=85)
    return data.getvalue()


def kept(folder: Path, jpeg: bytes) -> str:
    """The picture put where the laptop keeps them; its digest."""
    import hashlib

    from console.store.pictures import Pictures

    digest = hashlib.sha256(jpeg).hexdigest()
    Pictures(folder).keep(digest, jpeg)
    return digest
