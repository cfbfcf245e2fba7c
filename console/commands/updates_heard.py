"""What a robot tells when it is attached to for the sake of a release: how far it is with it, or why nothing is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from console.models.waves import Judged
    from remote.model_states import ModelsState

_ATTACH_S = 20.0


class Heard(NamedTuple):
    """What is said of a robot; `about` stays the same as long as nothing but a count changed."""

    about: tuple[object, ...]
    words: str


class Told:
    """Says a line about something on stderr, and says it again only when something changed."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, ...]] = {}

    def say(self, of: str, heard: Heard) -> None:
        """Say it unless it was said of that before."""
        if self._last.get(of) != heard.about:
            self._last[of] = heard.about
            click.echo(heard.words, err=True)


def hear(robot: str, release: int) -> Heard:
    """Bring a robot's journal to this laptop; what came of it. A robot that can't be reached is no trouble here."""
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import visiting
    from remote.errors import Trouble

    try:
        with visiting(open_session(Robots().get(robot))) as visit:
            visit.arrive(_ATTACH_S)
            shot = visit.wait(
                lambda one: one.state is not None and one.stored_seq >= one.state.journal.last_seq, _ATTACH_S
            )
            state = visit.session.snapshot.state
    except Trouble as trouble:
        return Heard((trouble.what,), f"unknown: {trouble.what}")
    if shot is None:
        words = f"attached, and its journal did not come within {_ATTACH_S:.0f} s"
        return Heard((words,), words)
    return heard_of(state.models if state is not None else None, release)


def heard_of(models: ModelsState | None, release: int) -> Heard:
    """How far an attached robot is with a release that it has not reported on."""
    from console.models.wording import step_words

    if models is None or models.updates is None:
        words = "attached; it takes releases from nowhere yet: `fieldgate updates enrol`"
        return Heard((words,), words)
    if models.candidate is None:
        says = f": {models.updates.says}" if models.updates.says else ""
        words = f"attached; it does nothing with release {release} now{says}"
        return Heard((words,), words)
    other = "" if models.candidate.release == release else "another change is under way, "
    about = (models.candidate.digest, models.candidate.release, models.step, models.waits_for)
    return Heard(about, f"attached; {other}{step_words(models)}")


def reported(judged: Judged, robot: str) -> Heard | None:
    """What a robot has reported on the release; None where it has not."""
    for words, names in (
        ("reported: kept", judged.committed),
        ("reported: returned or refused", judged.mishaps),
        ("reported: called off by a person", judged.called_off),
    ):
        if robot in names:
            return Heard((words,), words)
    return None


def warn_strangers(names: Iterable[str]) -> None:
    """Say on stderr which of the robots that a release was opened to this laptop can never hear of."""
    from console.robots import Robots

    known = {one.name for one in Robots().all()}
    strangers = [name for name in names if name not in known]
    if not strangers:
        return
    one = strangers[:1] == strangers
    named = ", ".join(strangers[:5]) + ", ..." * (len(strangers) > 5)
    what = f"this laptop has no robot named {named}: it can't hear how {'it does' if one else 'they do'}, and the wave waits"
    cure = "`fieldgate robot add NAME USER@HOST` adds one; where only the agent has that name, `agents:` in fleet.yaml says so"
    click.echo(f"warning: {what}; {cure}", err=True)
