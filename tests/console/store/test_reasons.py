"""Why a robot can't tell a figure: without the reason a person looks for a fault that there is none of."""

from __future__ import annotations

from pathlib import Path

from console.store.reasons import reasons_now
from console.store.store import Store
from remote.protocol import Entry, Host, raw


def test_the_newest_sample_of_a_robot_says_why(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    assert reasons_now(store, "orin") == {}
    told = [Host(unavailable={"gpu_percent": "starting"}), Host(unavailable={"gpu_percent": "not a Jetson"})]
    entries = [Entry(n, "boot", n, n, raw(body)) for n, body in enumerate(told, 1)]
    store.add(store.journal("orin", "j").id, entries)
    assert reasons_now(store, "orin") == {"gpu_percent": "not a Jetson"}
    assert reasons_now(store, "other") == {}
    store.close()
