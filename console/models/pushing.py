"""A push as it is told: what a robot's states say of the change that was begun, line by line, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.models.wording import END_WORDS, STEPS, named, outcome_words, step_words
from remote.model_states import ModelsState, Outcome, Step

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
        self.outcome: Outcome | None = None
        self.overtaken = False

    def take(self, state: ModelsState) -> tuple[str, ...]:
        """The lines that this state brings: each step once, again where what holds it or how often it started changed, and how
        far it is every EVERY_S.
        """
        if state.last is not None and state.last != self._before:
            if state.last.digest in self._digests:
                self.outcome = state.last
            else:
                self.overtaken = True
            return ()
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
        return (f"{_place(state.step)}{step_words(state)}",)


def _place(step: Step) -> str:
    """`[3 of 8] ` on the way of a change that goes well; nothing on the way back."""
    return f"[{STEPS.index(step)} of {len(STEPS) - 1}] " if step in STEPS[1:] else ""


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
