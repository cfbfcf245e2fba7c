"""Whether the worker crashed during a trial, from what the robot's journal says of that time."""

from __future__ import annotations

from console.checklist.probes import Sight
from console.checklist.probes.windows import FRESH_S
from console.link.snapshot import HISTORY, Snapshot

CRASHES = ("worker_crash", "worker_hang")
"""The failures that end the worker: one that hangs is killed, which is the same for whoever waits for it."""


def crashed_since(
    sight: Sight | None, since_mono_ns: int | None, boot_id: str | None, until_mono_ns: int | None = None
) -> bool | None:
    """Whether the worker crashed from `since_mono_ns` (the laptop's monotonic clock) until then (None: now); None: not known.

    `boot_id` is the robot's boot at that time, None where that was not noted. False is said only where nothing can be missing:
    the robot did not start anew, the journal has come up to this moment, and the snapshot reaches back far enough.
    """
    session = sight.session if sight is not None else None
    if sight is None or session is None or since_mono_ns is None:
        return None
    shot, now_ns = session.snapshot, sight.mono_ns()
    until_ns = now_ns if until_mono_ns is None else until_mono_ns
    crashes = [one.at_ns for one in shot.failures if one.body.name in CRASHES and one.at_ns is not None]
    if any(since_mono_ns <= at_ns and (until_mono_ns is None or at_ns <= until_ns) for at_ns in crashes):
        return True
    heard_from_ns = now_ns - int(FRESH_S * 1e9) if until_mono_ns is None else until_ns
    here = shot.hello.boot_id if shot.hello is not None else None
    same_boot = boot_id is not None and boot_id == here
    return False if same_boot and since_mono_ns <= now_ns and _is_whole(shot, since_mono_ns, heard_from_ns) else None


def _is_whole(shot: Snapshot, since_ns: int, heard_from_ns: int) -> bool:
    """Entries come in the journal's order, so one from `heard_from_ns` on says that all failures before it are here."""
    newest = [row[-1].at_ns for row in (shot.windows, shot.hosts) if row]
    if shot.link.phase != "up" or not any(at_ns is not None and at_ns >= heard_from_ns for at_ns in newest):
        return False
    if len(shot.failures) < HISTORY:
        return True
    oldest = shot.failures[0].at_ns
    return oldest is None or oldest <= since_ns
