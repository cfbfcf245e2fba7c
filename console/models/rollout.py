"""Opening and stopping releases: the online rollout key signs which release is open, and to whom."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.models.fleet import Fleet
from console.models.hands import Hands
from console.models.publishing import Note, publish
from console.models.repository import Published, Repository
from console.models.waves import Judged, next_rollout, opened_waves
from remote.errors import Trouble
from remote.release import Rollout

_WHY_CHARACTERS = 400


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a release: `opened` to `rollout.robots` (or everyone), or `stopped`."""

    outcome: Literal["opened", "stopped"]
    rollout: Rollout
    versions: dict[str, int]


def release_in_turn(published: Published, wanted: int | None = None) -> int:
    """The release that waves are about: `wanted`, else the newest. Raises Trouble `unknown_release`, `older_release`."""
    numbers = [one.number for one in published.releases()]
    if not numbers:
        raise Trouble("there is no release yet", cure="make one with `fieldgate publish`", code="unknown_release")
    number = numbers[-1] if wanted is None else wanted
    if number not in numbers:
        known = f"{numbers[0]} to {numbers[-1]}"
        raise Trouble(f"there is no release {number}", cure=f"known are {known}", code="unknown_release")
    open_now = published.rollout().release
    if number < open_now:
        what = f"release {open_now} is open already, robots that took it do not go back to {number}"
        again = f"fieldgate publish BUNDLE --to {published.repository.folder} --again"
        cure = f"release the older bundle under a new number: `{again}`"
        raise Trouble(what, cure=cure, code="older_release")
    return number


def open_next(
    repository: Repository, hands: Hands, fleet: Fleet, release: int, judged: Judged, anyway: str = ""
) -> Moved:
    """Open the next wave of a release. `anyway` is why a person does it although the rule does not say so.

    Raises Trouble: `wave_waits`, `wave_stopped`, `wave_done`, `changed_meanwhile` where another person opened or stopped
    something since it was judged, and what `publish` raises.
    """
    if judged.word in ("stop", "wait", "ask") and not anyway:
        code = "wave_stopped" if judged.word == "stop" else "wave_waits"
        look = f"fieldgate updates wave {repository.folder}"
        cure = f"look with `{look}`; `--anyway WHY` opens it all the same, and the audit keeps why"
        raise Trouble(f"the next wave is not opened: {judged.why}", cure=cure, code=code)
    if judged.word == "done":
        cure = "nothing is left to open; the next release begins with `fieldgate publish`"
        raise Trouble(f"every wave is open: {judged.why}", cure=cure, code="wave_done")
    with repository.locked():
        now = repository.published().rollout()
        _refuse_unjudged(repository, now, fleet, release, judged)
        rollout = next_rollout(fleet, now, release)
        wave = min(judged.wave + 1, judged.waves)
        text = f"release {release}, wave {wave} of {judged.waves}: {', '.join(rollout.robots) or 'everyone'}"
        text += f"; although {judged.why}, because {anyway}" if anyway else f"; {judged.why}"
        versions = publish(repository, hands, Note("wave", text[:4000], release), rollout=rollout)
    return Moved(outcome="opened", rollout=rollout, versions=versions)


def _refuse_unjudged(repository: Repository, now: Rollout, fleet: Fleet, release: int, judged: Judged) -> None:
    """Two people at once would open a wave that nobody waited for, or a release that the other one has just stopped."""
    opened, wave = opened_waves(fleet, now, release)
    stopped = now.release == release and bool(now.stopped) and judged.word != "stop"
    if stopped or now.release > release or (opened, wave) != (judged.open_to, judged.wave):
        what = "what is open has changed since it was judged; nothing was opened"
        cure = f"look with `fieldgate updates wave {repository.folder}`"
        raise Trouble(what, cure=cure, code="changed_meanwhile")


def stop(repository: Repository, hands: Hands, why: str, wanted: int | None = None) -> Moved:
    """Close the release that is open to everyone who has not taken it; `wanted`: only where it is that one.

    Raises Trouble `nothing_open`.
    """
    with repository.locked():
        now = repository.published().rollout()
        if not now.release:
            cure = f"`fieldgate updates show {repository.folder}` says what is there"
            raise Trouble("no release is open", cure=cure, code="nothing_open")
        if wanted is not None and wanted != now.release:
            what = f"release {wanted} is not the one that is open: release {now.release} is"
            cure = f"`--release {now.release}` closes that one; a release that is not open reaches no robot"
            raise Trouble(what, cure=cure, code="nothing_open")
        # The names stay: whose reports count is known from them; `stopped` closes it to each of them.
        rollout = Rollout(release=now.release, robots=now.robots, everyone=now.everyone, stopped=why[:_WHY_CHARACTERS])
        versions = publish(
            repository, hands, Note("stop", f"release {now.release}: {why}", now.release), rollout=rollout
        )
    return Moved(outcome="stopped", rollout=rollout, versions=versions)
