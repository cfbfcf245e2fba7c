"""A push as it is told: what a robot's states say of the change that was begun, line by line, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.models.wording import END_WORDS, STEP_WORDS, STEPS, named, outcome_words, step_words
from remote.model_states import ModelsState, Outcome

EVERY_S = 5.0


class Following:
    """Turns the states that come into what is new in them.

    Args:
        digest: the bundle that the change is about.
        also: a second one that it is about: a way back is told of the one that comes until the switch, then of the one that
        goes. before: the outcome that the robot knew before the change was begun; another one of these bundles is its end.
        clock: seconds; progress within a step is told every EVERY_S.

    `outcome` is how it ended, None while it goes on. `overtaken`: it ended while nobody looked, and another change followed.
    """

    def __init__(
        self,
        digest: str,
        before: Outcome | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        also: str | None = None,
    ) -> None:
        self._digests, self._before, self._clock = (digest, also), before, clock
        self._said, self._far_s = "", 0.0
        self._at = 0
        self.outcome: Outcome | None = None
        self.overtaken = False

    def take(self, state: ModelsState) -> tuple[str, ...]:
        """The lines that this state brings: each step once, also one that went by unseen, again where what holds it or how
        often it started changed, and how far it is every EVERY_S.
        """
        if state.last is not None and state.last != self._before:
            if state.last.digest not in self._digests:
                self.overtaken = True
                return ()
            self.outcome = state.last
            return self._passed(len(STEPS)) if self._at and state.last.ended == "committed" else ()
        if state.candidate is None or state.candidate.digest not in self._digests:
            self.overtaken = state.step != "idle" and state.candidate is not None
            return ()
        return self._new(state)

    def _new(self, state: ModelsState) -> tuple[str, ...]:
        told = f"{state.step}|{state.waits_for}|{max(1, state.attempts)}"
        now_s = self._clock()
        if told == self._said and (state.progress is None or now_s - self._far_s < EVERY_S):
            return ()
        self._said, self._far_s = told, now_s
        if state.step not in STEPS[1:] or self._digests[1] is not None:  # a way back has no numbers
            return (step_words(state),)
        number = STEPS.index(state.step)
        line = f"{_place(number)}{step_words(state)}"
        return (*self._passed(number), line)

    def _passed(self, number: int) -> tuple[str, ...]:
        """A line for each step before this one that went by between two states: a list of steps has no holes."""
        missed = range(self._at + 1, number)
        self._at = max(self._at, number)
        return tuple(f"{_place(one)}{STEP_WORDS[STEPS[one]]}: done" for one in missed)


def _place(number: int) -> str:
    """`[3 of 8] `: the steps of a push, which has no download."""
    return f"[{number} of {len(STEPS) - 1}] "


def ended_lines(outcome: Outcome) -> tuple[str, ...]:
    """How it ended, then the checks with their numbers, those that failed first."""
    order = sorted(outcome.checks, key=lambda check: check.verdict != "fail")
    return (outcome_words(outcome), *(f"  {check.verdict}: {check.text}" for check in order))


def result_line(outcome: Outcome) -> str:
    """It in one line: `kept`, or `returned: why`."""
    word = END_WORDS[outcome.ended]
    return f"{word}: {outcome.why}" if outcome.why and outcome.ended != "committed" else word


def begun_line(digest: str, name: str, robot: str) -> str:
    """What was begun where."""
    return f"{robot} brings {named(digest, name)} into use; it goes on by itself, whoever watches"


def called_off_line(state: ModelsState, robot: str) -> str:
    """What calling a change off ended, or that it goes on, by the state that the robot answered with."""
    stays = f"; {named(state.current.digest, state.current.name)}" if state.current is not None else ""
    last = state.last
    if state.step == "idle" and last is not None and last.ended == "cancelled":
        stays = f"{stays} stays" if stays else ""
        return f"called off: {named(last.digest, last.name)}, in {STEP_WORDS[last.step]}{stays}"
    comes = f"{stays} comes back by itself" if stays else "; the one before comes back by itself"
    return f"{step_words(state)}{comes}, `fieldgate model list {robot}` tells how it went"
