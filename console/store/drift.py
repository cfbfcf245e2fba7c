"""Drift of a robot, from the minutes that this laptop has of it: calibrate on healthy ones, watch the others."""

from __future__ import annotations

import time

import msgspec

from console.fieldtest.drift import Block, Detector, DriftAlarm, DriftState, alarms, step
from console.fieldtest.running import Span
from console.store.blocks import Origin, blocks_between, commonest_origin, newest_origin
from console.store.calibrations import Calibration, Calibrations
from console.store.spans import spans_between
from console.store.store import Store
from remote.errors import Trouble

BLOCKS_BETWEEN_FALSE_ALARMS = 5000.0
"""Minutes of work, all figures together: about 83 hours. It asks for 100 healthy minutes."""
WATCHED_NS = 7 * 86_400 * 1_000_000_000
"""`drift_now` looks back so far at most."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a robot drifts. `alarms` are those that stand at the end of the span, the strongest first; each says since when.

    `calibration` is the digest of what it was judged against, None where nothing was calibrated: then nothing is known, and
    `healthy_minutes` of the `needed_minutes` are on this laptop. `minutes` is how many were judged. `why` says why a
    calibration that is there can't be used.
    """

    origin: Origin | None
    calibration: str | None
    minutes: int
    alarms: tuple[DriftAlarm, ...] = ()
    left_out: dict[str, str] = {}
    healthy_minutes: int = 0
    needed_minutes: int = 0
    why: str = ""

    @property
    def words(self) -> str:
        """One sentence."""
        if self.why:
            return f"not known: {self.why}"
        if self.origin is None:
            return "not known: there is no whole minute of work"
        if self.calibration is None:
            have = f"{self.healthy_minutes} minutes are here, it takes {self.needed_minutes} healthy ones"
            return f"not known: not calibrated for this bundle and source ({have})"
        if not self.alarms:
            return f"no drift in {self.minutes} minutes"
        return "; ".join(alarm.words for alarm in self.alarms)


def calibrate_on(
    store: Store,
    robot: str,
    from_wall_ns: int,
    to_wall_ns: int,
    person: str,
    *,
    blocks_between_false_alarms: float = BLOCKS_BETWEEN_FALSE_ALARMS,
    kept: Calibrations | None = None,
    wall_ns: int | None = None,
) -> Calibration:
    """Calibrate on a span that `person` calls healthy (the bundle and source that most of it is of), and keep it.

    Raises Trouble: `no_data` where nothing is there, `too_little_healthy` with how much is missing, `not_written`.
    """
    origin = commonest_origin(store, robot, from_wall_ns, to_wall_ns)
    if origin is None:
        cure = "name a span in which its worker ran for hours"
        raise Trouble(f"nothing of '{robot}' is known in that span", cure=cure, code="no_data")
    healthy = blocks_between(store, robot, origin, from_wall_ns, to_wall_ns)
    spans = spans_between(store, robot, from_wall_ns, to_wall_ns)
    detector = _calibrated(robot, healthy, spans, blocks_between_false_alarms)
    made = Calibration(
        robot=robot,
        origin=origin,
        from_wall_ns=from_wall_ns,
        to_wall_ns=to_wall_ns,
        made_wall_ns=time.time_ns() if wall_ns is None else wall_ns,
        person=person,
        blocks=len(healthy),
        spans=spans,
        detector=detector,
    )
    (kept or Calibrations()).keep(made)
    return made


def _calibrated(
    robot: str, healthy: list[Block], spans: tuple[Span, ...], blocks_between_false_alarms: float
) -> Detector:
    from random import Random

    import numpy as np

    from console.fieldtest.drift_calibration import calibrate

    # Drawn from the data's own digest: the same healthy span gives the same detector.
    seed = Random("".join(span.digest for span in spans)).getrandbits(64)
    try:
        return calibrate(healthy, blocks_between_false_alarms, np.random.default_rng(seed))
    except ValueError as error:
        cure = "name a longer healthy span, or allow false alarms more often (--false-alarm-hours)"
        raise Trouble(f"'{robot}' can't be calibrated: {error}", cure=cure, code="too_little_healthy") from error


def drift_now(store: Store, robot: str, *, kept: Calibrations | None = None, wall_ns: int | None = None) -> Drift:
    """Whether the robot drifts now, with the bundle and source that it runs: minutes since its calibration, of a week at most.

    Takes as long as reading those minutes does: call it from a thread.
    """
    kept = kept or Calibrations()
    origin = newest_origin(store, robot)
    if origin is None:
        return Drift(origin=None, calibration=None, minutes=0)
    now = time.time_ns() if wall_ns is None else wall_ns
    return _drift(store, robot, origin, (now - WATCHED_NS, now), kept, only_after=True)


def drift_between(
    store: Store,
    robot: str,
    from_wall_ns: int,
    to_wall_ns: int,
    *,
    kept: Calibrations | None = None,
    origin: Origin | None = None,
) -> Drift:
    """Whether the robot drifted in a span: of `origin`, else of the bundle and source that most of the span is of.

    The minutes of the healthy span itself are not judged.
    """
    origin = origin or commonest_origin(store, robot, from_wall_ns, to_wall_ns)
    if origin is None:
        return Drift(origin=None, calibration=None, minutes=0)
    return _drift(store, robot, origin, (from_wall_ns, to_wall_ns), kept or Calibrations(), only_after=False)


def _drift(
    store: Store, robot: str, origin: Origin, span: tuple[int, int], kept: Calibrations, *, only_after: bool
) -> Drift:
    """`only_after`: what was before the healthy span is not judged."""
    try:
        calibration = kept.find(robot, origin)
    except Trouble as trouble:  # the other figures are shown all the same
        return Drift(origin=origin, calibration=None, minutes=0, why=f"{trouble.what} -> {trouble.cure}")
    if calibration is None:
        from console.fieldtest.drift_calibration import FEWEST_BLOCKS

        here = len(blocks_between(store, robot, origin, 0, span[1]))
        return Drift(origin=origin, calibration=None, minutes=0, healthy_minutes=here, needed_minutes=FEWEST_BLOCKS)
    begin = max(span[0], calibration.to_wall_ns) if only_after else span[0]
    blocks = blocks_between(store, robot, origin, begin, span[1])
    return _judged(calibration, [block for block in blocks if not _healthy(calibration, block)])


def _healthy(calibration: Calibration, block: Block) -> bool:
    return calibration.from_wall_ns <= block.begin_ns < calibration.to_wall_ns


def _judged(calibration: Calibration, blocks: list[Block]) -> Drift:
    state = DriftState()
    for block in blocks:
        state = step(calibration.detector, state, block)
    return Drift(
        origin=calibration.origin,
        calibration=calibration.digest,
        minutes=len(blocks),
        alarms=alarms(calibration.detector, state, blocks[-1].begin_ns) if blocks else (),
        left_out=calibration.detector.left_out,
    )
