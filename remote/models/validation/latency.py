"""How long a bundle takes on this machine: the engine alone, the whole way, and that beside a busy program."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from remote.models.validation.bounds import percentile, readings_needed
from remote.models.validation.profiles import CONFIDENCE, PERCENTILE
from remote.verdicts import Check

if TYPE_CHECKING:
    from remote.perception.arrays import Pixels
    from remote.perception.detector import Detector

_LEAST_FOR_P99 = 100
BUSY = (sys.executable, "-m", "remote.models.validation.busy")
BESIDE = "a time over the limit decides nothing while {} runs beside: stop it and validate again"
Clock = Callable[[], int]
T = TypeVar("T")


def judging(spoiled: str, beside: str) -> Callable[[str, str, Sequence[float], float], Check]:
    """`judged` for times that were taken while the program `beside` ran, empty where none did; `spoiled` as there."""
    excuse = BESIDE.format(beside) if beside else ""
    return partial(judged, spoiled=spoiled, excuse=excuse)


def judged(
    name: str, what: str, times_ms: Sequence[float], limit_ms: float, *, spoiled: str = "", excuse: str = ""
) -> Check:
    """The check of one row of times: passed where the 99th percentile lies below the limit with 95 % confidence, failed where
    it lies above it with 95 % confidence, else inconclusive.

    Args:
        name: the check's name.
        what: what took so long, for its sentence.
        times_ms: at least one.
        limit_ms: the profile's.
        spoiled: why these times decide nothing (the machine slowed itself down); empty where they do.
        excuse: why a time over the limit decides nothing (another program ran beside), while one below it does.
    """
    found, needed = percentile(times_ms, PERCENTILE, CONFIDENCE), readings_needed(PERCENTILE, CONFIDENCE)
    word = "p99" if found.n >= _LEAST_FOR_P99 else "slowest"  # of fewer it is the same reading
    numbers = f"{what}: {word} {_time(found.value)}"
    numbers += f", at most {_time(found.upper)} with 95 % confidence" if found.upper is not None else ""
    numbers += f", limit {limit_ms:g} ms, n {found.n}"

    def check(verdict: str, why: str = "") -> Check:
        return Check(
            name=name,
            verdict=verdict,  # type: ignore[arg-type]
            text=f"{numbers}; {why}" if why else numbers,
            value=round(found.value, 4),
            bound=None if found.upper is None else round(found.upper, 4),
            limit=limit_ms,
            unit="ms",
            n=found.n,
        )

    if spoiled:
        return check("inconclusive", spoiled)
    if found.upper is None:
        return check("inconclusive", f"{needed} runs at least decide")
    if found.upper <= limit_ms:
        return check("pass")
    if excuse:
        return check("inconclusive", excuse)
    if found.lower is not None and found.lower > limit_ms:
        return check("fail")
    return check("inconclusive", "the limit lies within what the true one may be: more runs decide")


def _time(time_ms: float) -> str:
    """In microseconds below a tenth of a millisecond."""
    return f"{time_ms:.2f} ms" if time_ms >= 0.1 else f"{time_ms * 1000:.1f} us"


def time_engine(detector: Detector, runs: int, warm_up: int, clock: Clock = time.monotonic_ns) -> list[float]:
    """Milliseconds of `runs` runs of the engine on what lies in its input, after `warm_up` that are not counted."""
    return _timed(detector.engine.run, runs, warm_up, clock)


def time_pipeline(
    detector: Detector, frames: Sequence[Pixels], runs: int, warm_up: int, clock: Clock = time.monotonic_ns
) -> list[float]:
    """Milliseconds from a frame to its boxes, frames in turn. Raises a FrameFault as Detector.detect does."""
    return time_in_turn(detector.detect, frames, runs, warm_up, clock)


def time_in_turn(
    work: Callable[[T], object], given: Sequence[T], runs: int, warm_up: int, clock: Clock = time.monotonic_ns
) -> list[float]:
    """Milliseconds of `runs` calls of `work`, each with the next of `given`, again and again."""
    turn = itertools.cycle(given)
    return _timed(lambda: work(next(turn)), runs, warm_up, clock)


@contextmanager
def busy_beside(command: Sequence[str] = BUSY) -> Iterator[None]:
    """A busy program runs beside, as long as the block does; it has begun when the block begins. OSError where it can't."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None  # asked for with PIPE
        if not child.stdout.readline():
            raise OSError(f"the busy program ended with {child.wait()}")
        yield
    finally:
        child.kill()
        child.communicate()


def _timed(work: Callable[[], object], runs: int, warm_up: int, clock: Clock) -> list[float]:
    for _ in range(warm_up):
        work()
    times_ms = []
    for _ in range(runs):
        begun = clock()
        work()
        times_ms.append((clock() - begun) / 1e6)
    return times_ms
