"""Whether a release goes on to the next wave: a pure rule over what robots reported. docs/updates.md has it as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from console.fieldtest.binomial import lower_bound, upper_bound
from console.models.fleet import Fleet
from remote.release import Rollout

End = Literal["committed", "returned", "refused", "cancelled", "went_back"]
Word = Literal["stop", "wait", "ask", "go_on", "done"]
MISHAPS: tuple[End, ...] = ("returned", "refused")
BY_A_PERSON: tuple[End, ...] = ("cancelled", "went_back")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a robot's journal says of a release: how it ended there, why, and when by the robot's clock."""

    ended: End
    why: str = ""
    wall_ns: int = 0


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done now, and why.

    `word`: stop (close the release), wait (reports are missing), ask (a person must decide), go_on (open the next wave),
    done (there is no further wave, and the last is good). `wave` is the last one that is open, from 1; 0: none.
    `unknown` are robots that have not reported yet, or where a person called the change off or went back after it.
    `share_above` is the bound that the share of mishaps lies above with the fleet's confidence, `share_below` the one that it
    lies below; None without reports.
    """

    word: Word
    why: str
    wave: int
    waves: int
    open_to: tuple[str, ...] = ()
    committed: tuple[str, ...] = ()
    mishaps: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    called_off: tuple[str, ...] = ()
    share_above: float | None = None
    share_below: float | None = None


def judge(fleet: Fleet, rollout: Rollout, release: int, reports: Mapping[str, Report]) -> Judged:
    """Judge a release by the reports of the robots that it was opened to. `reports` are by this laptop's names."""
    steps = fleet.steps()
    opened, wave = opened_waves(fleet, rollout, release)
    ended = {name: reports[name].ended for name in opened if name in reports}
    mishaps = tuple(name for name in opened if ended.get(name) in MISHAPS)
    committed = tuple(name for name in opened if ended.get(name) == "committed")
    unknown = tuple(name for name in opened if name not in mishaps and name not in committed)
    called_off = tuple(name for name in unknown if ended.get(name) in BY_A_PERSON)
    n, k, sure = len(mishaps) + len(committed), len(mishaps), fleet.stop.confidence
    above = lower_bound(k, n, sure) if n else None
    below = upper_bound(k, n, sure) if n else None
    first = [name for name in steps[0] if name in mishaps]
    word, why = _decided(fleet, rollout, release, wave, first, (k, n, len(unknown), len(called_off)), (above, below))
    return Judged(
        word=word,
        why=why,
        wave=wave,
        waves=len(steps),
        open_to=opened,
        committed=committed,
        mishaps=mishaps,
        unknown=unknown,
        called_off=called_off,
        share_above=above,
        share_below=below,
    )


def opened_waves(fleet: Fleet, rollout: Rollout, release: int) -> tuple[tuple[str, ...], int]:
    """The fleet's robots that a release was opened to, and how many waves from the first are wholly open."""
    if rollout.release != release:
        return (), 0
    names = set(rollout.robots)
    opened = tuple(name for name in fleet.known if rollout.everyone or fleet.agent(name) in names)
    wave = 0
    for number, step in enumerate(fleet.steps()):
        if not all(name in opened for name in step) or (fleet.opens_everyone(number) and not rollout.everyone):
            break
        wave += 1
    return opened, wave


def next_rollout(fleet: Fleet, rollout: Rollout, release: int) -> Rollout:
    """What opens the next wave of a release; robots that it was opened to already stay. The last wave again where all are."""
    opened, wave = opened_waves(fleet, rollout, release)
    step = min(wave, len(fleet.waves) - 1)
    names = dict.fromkeys(fleet.agent(name) for name in (*opened, *fleet.steps()[step]))
    strangers = [name for name in rollout.robots if rollout.release == release]
    return Rollout(
        release=release, robots=tuple(dict.fromkeys((*names, *strangers))), everyone=fleet.opens_everyone(step)
    )


def _decided(
    fleet: Fleet,
    rollout: Rollout,
    release: int,
    wave: int,
    first: Sequence[str],
    counts: tuple[int, int, int, int],
    bounds: tuple[float | None, float | None],
) -> tuple[Word, str]:
    mishaps, heard, unknown, called_off = counts
    above, below = bounds
    allowed, sure = fleet.stop.allowed_share, f"{percent(fleet.stop.confidence)} confidence"
    if rollout.release == release and rollout.stopped:
        return "stop", f"it is stopped: {rollout.stopped}"
    if len(first) > fleet.stop.first_wave_mishaps:
        return "stop", f"{_count(len(first), 'mishap')} in the first wave ({', '.join(first)})"
    if above is not None and above > allowed:
        text = f"{mishaps} of {_count(heard, 'robot')} returned or refused: more than {percent(above, 1)} with {sure}"
        return "stop", f"{text}, {percent(allowed, 1)} is allowed"
    if wave == 0:
        return "go_on", "no wave is open yet"
    if below is not None and below <= allowed:
        text = f"{mishaps} of {_count(heard, 'robot')} returned or refused: less than {percent(below, 1)} with {sure}"
        return _on(fleet, wave), text
    if unknown:
        silent = unknown - called_off
        have = "has" if silent == 1 else "have"
        parts = [f"{_count(silent, 'robot')} {have} not reported yet"] if silent or not called_off else []
        parts += [f"called off by a person on {_count(called_off, 'robot')}"] if called_off else []
        return "wait", f"{', '.join(parts)}, {heard} reported"
    if mishaps > allowed * heard:
        text = f"{mishaps} of {_count(heard, 'robot')} returned or refused: above {percent(allowed, 1)}"
        return "ask", f"{text}, too few to prove it with {sure}"
    all_of = f"all {heard} robots" if heard != 1 else "the one robot"
    return _on(fleet, wave), f"{all_of} reported, {mishaps or 'none'} returned or refused"


def _on(fleet: Fleet, wave: int) -> Word:
    return "go_on" if wave < len(fleet.waves) else "done"


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as `95 %`."""
    return f"{100 * share:.{digits}f} %"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"
