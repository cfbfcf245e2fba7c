"""How far a build is, and the way to call it off, for TensorRTs that ask (IProgressMonitor, from 8.6 on)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remote.model_states import Progress

Say = Callable[[Progress], None]
Cancelled = Callable[[], bool]


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class Course:
    """The phases of a build, each of steps, one within another. Says each whole percent of an outermost phase once."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._phases: dict[str, _Phase] = {}
        self._told: tuple[str, int] = ("", -1)

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase begins."""
        self._phases[name] = _Phase(parent if parent in self._phases else None, max(1, steps))
        self._tell(name)

    def step(self, name: str, step: int) -> None:
        """Step number `step` (from 0) of that phase is done."""
        if phase := self._phases.get(name):
            phase.done = min(phase.steps, step + 1)
            self._tell(name)

    def finish(self, name: str) -> None:
        """The phase is over."""
        if phase := self._phases.get(name):
            phase.done = phase.steps
            self._tell(name)
            del self._phases[name]

    def _tell(self, name: str) -> None:
        share = 0.0
        phase = self._phases[name]
        while True:
            share = min(1.0, (phase.done + share) / phase.steps) if phase.done < phase.steps else 1.0
            if phase.parent is None or phase.parent not in self._phases:
                break
            name, phase = phase.parent, self._phases[phase.parent]
        now = (name, int(share * 100))
        before, most = self._told
        # TensorRT goes through some phases several times: what was said is not taken back.
        if name != before or now[1] > most:
            self._told = now
            self._say(Progress(done=float(now[1]), whole=100.0, unit="%", text=name))


def make_monitor(trt: Any, say: Say, cancelled: Cancelled) -> Any:
    """The object that TensorRT asks; a build that was called off ends at its next step."""
    course = Course(say)

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            course.start(phase_name, parent_phase, num_steps)

        def phase_finish(self, phase_name: str) -> None:
            course.finish(phase_name)

        def step_complete(self, phase_name: str, step: int) -> bool:
            course.step(phase_name, step)
            return not cancelled()

    return Monitor()
