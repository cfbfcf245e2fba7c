"""How far a probation is: what has to be reached yet before the candidate can be kept, as people are told it."""

from __future__ import annotations

from remote.activation.ground import Seen
from remote.activation.probation import Looks
from remote.activation.slots import Slots
from remote.model_states import Progress


def how_far(slots: Slots, looks: Looks, since: Seen, undecided: str = "") -> Progress:
    """Frames and seconds since the worker was last started, up to the next look at which the candidate may be kept.

    `undecided` is what the look before that left open; its share is the smaller one of frames and seconds.
    """
    frames, ran_s = max(0, since.frames - looks.calm_frames), max(0.0, since.seconds - looks.calm_s)
    whole, least_s = max(slots.probation.frames, looks.pass_at - looks.calm_frames), slots.probation.least_s
    looked = looks.pass_at > 0
    said = [f"{int(min(ran_s, least_s))} of {least_s:g} s"] if least_s and not (looked and ran_s >= least_s) else []
    said += _since(slots)
    open_yet = [undecided] if looked and undecided else []
    if looked and frames and ran_s and frames < whole:
        open_yet.append(f"next look in about {max(1, round((whole - frames) * ran_s / frames))} s")
    return Progress(
        done=min(frames, whole),
        whole=whole,
        unit="frames",
        text=", ".join([*([" ".join(said)] if said else []), *open_yet]),
        share=round(min(1.0, frames / whole, ran_s / least_s if least_s else 1.0), 3),
    )


def _since(slots: Slots) -> list[str]:
    if slots.attempts <= 1:
        return []
    start = slots.attempts - slots.stops
    return [f"since start {start}" if start > 1 else "since it was started again"]
