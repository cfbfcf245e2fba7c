"""What the agent asks of a running worker, beyond its rate and its end."""

from __future__ import annotations

from typing import Union

from remote.perception.drills import Drills
from remote.perception.messages import AskFrame, Cause, FrameAnswer, MarkFrame
from remote.perception.reporter import Reporter
from remote.perception.shown import Shown
from remote.perception.watching.watcher import Problem
from remote.perception.wire import Outbox

SMALLEST_WIDTH = 16
Order = Union[AskFrame, MarkFrame, Cause]


class Orders:
    """Carries orders out at once; `drills` is None where drills are not allowed."""

    def __init__(self, outbox: Outbox, reporter: Reporter, drills: Drills | None) -> None:
        self._outbox, self._reporter, self._drills = outbox, reporter, drills

    def obey(self, order: Order, shown: Shown | None) -> None:
        """`shown` is the newest frame with a result, None before the first."""
        if isinstance(order, AskFrame):
            picture = shown.picture(max(SMALLEST_WIDTH, order.max_width)) if shown is not None else None
            self._outbox.send(FrameAnswer(order.id, picture))
        elif isinstance(order, MarkFrame):
            self._mark(order, shown)
        elif isinstance(order, Cause):
            self._cause(order)

    def _mark(self, order: MarkFrame, shown: Shown | None) -> None:
        """Answered only after the failure was sent, so that who gets the answer finds it."""
        problem = Problem("operator_mark", order.note or "marked without a note", data={"note": order.note})
        answer = FrameAnswer(order.id, shown.picture() if shown is not None else None)
        sight = shown.sight() if shown is not None else None
        self._reporter.failure_now(problem, sight, then=lambda: self._outbox.send(answer))

    def _cause(self, order: Cause) -> None:
        if self._drills is None:
            text = "a drill was refused: this worker was started without drills"
            self._reporter.event("drill_refused", "warning", text, {"fault": order.fault})
            return
        text = f"drill: {order.fault} for {order.seconds:g} s"
        self._reporter.event("drill_began", "warning", text, {"fault": order.fault, "seconds": order.seconds})
        self._drills.begin(order)
